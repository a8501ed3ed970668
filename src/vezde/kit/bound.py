"""A program bound to its parent: whatever ends the parent, kill -9 included, ends it too.

`command(argv, …)` wraps a command line so that this very file, run as a script, prepares the new
process and becomes the program: it drops root if asked, asks the kernel for a death signal and
checks that the parent is still there. A script instead of `preexec_fn`, because code between fork
and exec may deadlock in a process that has threads.

The kernel sends the signal when the *thread* that started the program ends (prctl(2),
PR_SET_PDEATHSIG), so start bound programs from the main thread: `require_main_thread`.
Linux only; elsewhere the program runs unbound.
"""

import ctypes
import os
import sys
import threading
from collections.abc import Sequence

PR_SET_PDEATHSIG = 1
KEEP = "-"


def command(
    argv: Sequence[str], *, death_signal: int, uid: int | None = None, gid: int | None = None
) -> list[str]:
    """The command line that runs `argv` (its first word a path) bound to this process.

    `death_signal` is what the program gets when this process ends; `uid` and `gid` (both or none)
    are the user it becomes, which only root may ask for. Start it with `start_new_session=True`,
    or a Ctrl-C meant for the parent reaches it too.
    """
    user = KEEP if uid is None or gid is None else f"{uid}:{gid}"
    script = [sys.executable, "-I", "-S", __file__]
    return [*script, str(os.getpid()), str(int(death_signal)), user, *argv]


def require_main_thread() -> None:
    """Refuse to start a bound program where it would end with a short-lived thread."""
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("A bound program starts from the main thread: it ends with its thread")


def become(parent: int, death_signal: int, user: str, argv: Sequence[str]) -> None:
    """Turn this process into the program; returns only by an exception."""
    if user != KEEP:
        uid, gid = (int(part) for part in user.split(":"))
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    if sys.platform == "linux":
        # After setuid, which clears the death signal; before the look at the parent, which closes
        # the gap in which it might have ended already.
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent:
        sys.exit(0)
    os.execv(argv[0], list(argv))  # noqa: S606 - becoming another program is the purpose


if __name__ == "__main__":
    become(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4:])
