"""Processes that may be killed: time, memory, death, and the request after it."""

import asyncio
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from vezde.kit.cells import CellFell, Cells

MODULE = """
import os, time
from vezde.kit import cells

def answer(payload: bytes) -> bytes:
    if payload == b"sleep":
        time.sleep(60)
    if payload == b"spin":
        while True:
            pass
    if payload == b"die":
        os._exit(9)
    if payload == b"memory":
        try:
            return str(len(bytearray(10**10))).encode()
        except MemoryError:
            return b"no memory"
    if payload == b"file":
        try:
            with open("/tmp/vezde-cell-test", "wb") as file:
                file.write(b"x")
            return b"written"
        except OSError:
            return b"no file"
    if payload == b"environment":
        return repr(sorted(os.environ)).encode()
    if payload == b"print":
        print("to nobody", flush=True)
    if payload == b"pid":
        return str(os.getpid()).encode()
    return payload[::-1]

if __name__ == "__main__":
    cells.serve(answer)
"""


@pytest.fixture
def cells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cells]:
    (tmp_path / "cell_under_test.py").write_text(MODULE, "utf-8")
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    monkeypatch.setenv("VEZDE_SECRET_KEY", "not for a cell")
    made = Cells("cell_under_test", count=2, seconds=1.5, memory_mb=600)
    yield made
    made.close()


class TestCells:
    async def test_answer_one_request_after_another(self, cells: Cells) -> None:
        assert await cells.ask(b"abc") == b"cba"
        assert await cells.ask(b"x" * 3_000_000) == b"x" * 3_000_000
        assert await cells.ask(b"") == b""
        assert await cells.ask(b"pid") == await cells.ask(b"pid")

    async def test_answer_side_by_side(self, cells: Cells) -> None:
        answers = await asyncio.gather(*[cells.ask(b"%d!" % number) for number in range(20)])
        assert answers == [(b"%d!" % number)[::-1] for number in range(20)]

    @pytest.mark.parametrize("payload", [b"sleep", b"spin", b"die"])
    async def test_end_and_are_replaced(self, cells: Cells, payload: bytes) -> None:
        await cells.ask(b"warm")
        began = time.monotonic()
        with pytest.raises(CellFell):
            await cells.ask(payload)
        assert time.monotonic() - began < 30
        assert await cells.ask(b"abc") == b"cba"

    async def test_have_little_memory_and_write_no_files(self, cells: Cells) -> None:
        assert await cells.ask(b"memory") == b"no memory"
        assert await cells.ask(b"file") == b"no file"

    async def test_know_no_secrets(self, cells: Cells) -> None:
        assert b"VEZDE" not in await cells.ask(b"environment")

    async def test_answer_though_a_library_prints(self, cells: Cells) -> None:
        assert await cells.ask(b"print") == b"tnirp"

    async def test_that_are_busy_end_when_all_is_closed(self, cells: Cells) -> None:
        await cells.ask(b"warm")
        asked = asyncio.create_task(cells.ask(b"sleep"))
        await asyncio.sleep(0.2)
        began = time.monotonic()
        cells.close()
        with pytest.raises(CellFell):
            await asked
        assert time.monotonic() - began < 20
