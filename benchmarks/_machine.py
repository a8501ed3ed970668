"""What an installation costs: CPU and memory of each kind of its processes."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import mean
from typing import Any

from vezde.testing.installation import Installation

TICKS = os.sysconf("SC_CLK_TCK")
KINDS = ("postgres", "web", "workers", "cells", "supervisor")


def cpu(server: Installation) -> dict[str, float]:
    """CPU seconds so far, by kind of process; `generator` is this one."""
    spent = dict.fromkeys(KINDS, 0.0)
    for pid, command in server.processes():
        spent[kind_of(server, pid, command)] += _cpu_of(pid)
    times = os.times()
    spent["generator"] = times.user + times.system
    return spent


def memory(server: Installation) -> dict[str, float]:
    """Megabytes now, by kind of process: what is their own, without shared buffers and files."""
    held = dict.fromkeys(KINDS, 0.0)
    for pid, command in server.processes():
        held[kind_of(server, pid, command)] += _anonymous_kb(pid) / 1024
    return held


@contextmanager
def watching(server: Installation) -> Iterator[list[dict[str, float]]]:
    """Memory by kind of process, each second."""
    seen: list[dict[str, float]] = []
    stop = threading.Event()

    def look() -> None:
        while not stop.wait(1.0):
            seen.append(memory(server))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        stop.set()
        thread.join()


def growth(seen: list[dict[str, float]]) -> tuple[float, dict[str, Any]]:
    """Memory of the last part as a share of the second's, and what was compared: minutes of a long
    run, sixths of a short one.
    """
    part = min(60, max(1, len(seen) // 6))
    second, last = seen[part : 2 * part], seen[-part:]
    before = {kind: mean(one[kind] for one in second) for kind in KINDS}
    after = {kind: mean(one[kind] for one in last) for kind in KINDS}
    facts = {
        "compared_seconds": part,
        "of_seconds": len(seen),
        **{f"{kind}_mb": [round(before[kind]), round(after[kind])] for kind in KINDS},
    }
    return sum(after.values()) / sum(before.values()), facts


def kind_of(server: Installation, pid: int, command: str) -> str:
    if server.process is not None and pid == server.process.pid:
        return "supervisor"
    if "postgres" in command:
        return "postgres"
    if "reading.cell" in command:
        return "cells"
    return "workers" if "worker" in command else "web"


def _cpu_of(pid: int) -> float:
    """Its CPU seconds and those of its children that have ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return sum(int(fields[place]) for place in (11, 12, 13, 14)) / TICKS


def _anonymous_kb(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("RssAnon:"))
