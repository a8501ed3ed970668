"""Untrusted input worked in processes of their own, which may be killed.

A cell is a child of this process: little memory, no secrets in its environment, one request at a
time over its pipes. Whoever asks gives it so many seconds; a cell that overruns them, or dies of
what it was given, is replaced at the next request, and nothing else notices.
"""

import asyncio
import contextlib
import fcntl
import io
import os
import queue
import resource
import select
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import BinaryIO, ClassVar, Final

from vezde.kit.errors import DomainError, Kind

LENGTH: Final = struct.Struct(">I")
MOST_BYTES: Final = 64 * 1024 * 1024
REQUESTS_OF_A_LIFE: Final = 5_000  # so that what libraries leak does not grow
GRACE_SECONDS: Final = 5
START_SECONDS: Final = 20.0  # imports, on a busy machine
CHUNK: Final = 1 << 16
# A photo of a phone goes into the pipe at once, instead of by turns of writer and reader.
PIPE_BYTES: Final = 1 << 20


class CellFell(DomainError):
    """The cell died of what it was given, or had to be ended."""

    code = "cell_fell"
    kind: ClassVar[Kind] = Kind.INVALID


class Cells:
    """Up to `count` cells of a module that calls `serve`, each started when it is needed.

    `seconds` is what one request may take, `memory_mb` what a cell may have of address space.
    """

    def __init__(self, module: str, *, count: int = 2, seconds: float, memory_mb: int) -> None:
        self._module, self._seconds, self._memory_mb = module, seconds, memory_mb
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="cells")
        self._idle: queue.LifoQueue[_Cell | None] = queue.LifoQueue()
        for _ in range(count):
            self._idle.put(None)
        self._busy: set[_Cell] = set()
        self._closed = False

    async def ask(self, payload: bytes) -> bytes:
        """As `ask_now`, off the event loop."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self.ask_now, payload)

    def ask_now(self, payload: bytes) -> bytes:
        """The cell's answer; raises `CellFell`. Waits while all cells are busy."""
        cell = self._idle.get()
        try:
            if cell is None or cell.is_spent:
                if cell is not None:
                    cell.end()
                cell = _Cell(self._module, self._memory_mb, self._seconds)
            self._busy.add(cell)
            if self._closed:
                raise CellFell("Nothing is read any more: the process ends.")
            return cell.ask(payload, self._seconds)
        except CellFell:
            if cell is not None:
                cell.end()
            raise
        finally:
            if cell is not None:
                self._busy.discard(cell)
                if self._closed:
                    cell.end()
            self._idle.put(None if cell is None or cell.is_over else cell)

    def close(self) -> None:
        """End all cells; who waits for an answer gets `CellFell`."""
        self._closed = True
        self._threads.shutdown(wait=False, cancel_futures=True)
        for cell in list(self._busy):
            cell.kill()
        ended = 0
        with contextlib.suppress(queue.Empty):
            while True:
                idle = self._idle.get_nowait()
                ended += 1
                if idle is not None:
                    idle.end()
        for _ in range(ended):
            self._idle.put(None)


class _Cell:
    def __init__(self, module: str, memory_mb: int, seconds: float) -> None:
        # Nothing of the environment but what Python needs to start: no token, no address.
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ}
        paths = os.pathsep.join(path for path in sys.path if path)
        self._child = subprocess.Popen(  # noqa: S603 (this very Python)
            [sys.executable, "-m", module, str(memory_mb), str(int(seconds) + GRACE_SECONDS)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # libraries write of what they were given
            env={**kept, "PYTHONPATH": paths},
            start_new_session=True,  # a terminal's Ctrl-C is not for it
            bufsize=0,
        )
        self._left = REQUESTS_OF_A_LIFE
        self._is_new = True
        assert self._child.stdin is not None, "made with pipes"
        with contextlib.suppress(PermissionError):  # more than a user may have: the usual size does
            fcntl.fcntl(self._child.stdin, fcntl.F_SETPIPE_SZ, PIPE_BYTES)

    @property
    def is_spent(self) -> bool:
        return self._left <= 0 or self.is_over

    @property
    def is_over(self) -> bool:
        return self._child.poll() is not None

    def kill(self) -> None:
        """From another thread: whoever talks to it sees the pipe close."""
        self._child.kill()

    def ask(self, payload: bytes, seconds: float) -> bytes:
        assert self._child.stdin is not None, "made with pipes"
        assert self._child.stdout is not None, "made with pipes"
        self._left -= 1
        deadline = time.monotonic() + seconds + (START_SECONDS if self._is_new else 0)
        self._is_new = False
        # A child that never reads would block the writer: the killer's hand is on the deadline.
        killer = threading.Timer(max(deadline - time.monotonic(), 0.0), self._child.kill)
        killer.daemon = True
        killer.start()
        try:
            _write(self._child.stdin.fileno(), LENGTH.pack(len(payload)) + payload)
            (size,) = LENGTH.unpack(_read(self._child.stdout.fileno(), LENGTH.size, deadline))
            if size > MOST_BYTES:
                raise CellFell("What was sent could not be read.")
            return _read(self._child.stdout.fileno(), size, deadline)
        except OSError as error:
            raise CellFell("What was sent could not be read.") from error
        finally:
            killer.cancel()

    def end(self) -> None:
        self._child.kill()
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe is not None:
                pipe.close()
        self._child.wait()


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view[:PIPE_BYTES]) :]


def _read(descriptor: int, size: int, deadline: float) -> bytes:
    out = io.BytesIO()
    while (left := size - out.tell()) > 0:
        seconds = deadline - time.monotonic()
        if seconds <= 0 or not select.select([descriptor], [], [], seconds)[0]:
            raise CellFell("What was sent takes too long to read.")
        if not (part := os.read(descriptor, min(left, CHUNK))):
            raise CellFell("What was sent could not be read.")
        out.write(part)
    return out.getvalue()


def serve(handler: Callable[[bytes], bytes]) -> None:
    """The child's part: answer requests until the pipe closes, within the limits of its argv.

    An alarm ends a request that its parent, who may be gone, did not.
    """
    memory_mb, seconds = (int(one) for one in sys.argv[1:3])
    _confine(memory_mb * 1024 * 1024)
    given, answers = sys.stdin.buffer, os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever a library prints is no answer
    while (head := _exactly(given, LENGTH.size)) is not None:
        (size,) = LENGTH.unpack(head)
        payload = _exactly(given, size)
        if payload is None:
            return
        signal.alarm(seconds)
        answer = handler(payload)
        signal.alarm(0)
        answers.write(LENGTH.pack(len(answer)) + answer)
        answers.flush()


def _confine(memory_bytes: int) -> None:
    """Little memory, no files written, few opened, no core of what persons sent."""
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _exactly(given: BinaryIO, size: int) -> bytes | None:
    data = given.read(size)
    return data if len(data) == size else None
