"""What a person in front of a terminal sees: errors in a sentence, tables, progress."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from vezde.kit.errors import DomainError

if TYPE_CHECKING:
    from rich.console import Console

# Wide enough for a reason in words; a file or a pipe has no width of its own.
WIDTH_OF_A_FILE = 160


def complain(error: DomainError) -> None:
    """Say an expected error on standard error, a line each."""
    for line in error.detail.splitlines():
        say(f"vezde: {line}")
    for wrong in error.errors:
        if wrong.detail not in error.detail:
            say(f"  {wrong.path}: {wrong.detail}" if wrong.path else f"  {wrong.detail}")


def show(*lines: str) -> None:
    """Lines on standard output: what was asked for."""
    typer.echo("\n".join(lines))


def say(text: str) -> None:
    """A line on standard error: how it went."""
    typer.echo(text, err=True)


def console(*, stderr: bool = False) -> "Console":
    """Where tables (standard output) and progress (standard error) are drawn."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else WIDTH_OF_A_FILE
    return Console(stderr=stderr, width=width, highlight=False, markup=False)


@contextmanager
def counting(what: str) -> Iterator[Callable[[int], None]]:
    """A count that goes up on a terminal; call it with how many more are done."""
    if not sys.stderr.isatty():
        yield lambda _count: None
        return
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.completed:.0f}"), TextColumn(what))
    with Progress(
        *columns, TimeElapsedColumn(), console=console(stderr=True), transient=True
    ) as progress:
        task = progress.add_task(what, total=None)
        yield lambda count: progress.advance(task, count)


@contextmanager
def share_done(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar with the time left on a terminal; call it with how many of `total` bytes are done."""
    if not sys.stderr.isatty():
        yield lambda _done: None
        return
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    with Progress(
        *columns, TimeRemainingColumn(), console=console(stderr=True), transient=True
    ) as progress:
        task = progress.add_task(what, total=total)
        yield lambda done: progress.update(task, completed=done)


def myself() -> str:
    """How this command is called from here: `vezde`, or where it lies."""
    if shutil.which("vezde"):
        return "vezde"
    script = Path(sys.executable).parent / "vezde"
    return near(script) if script.is_file() else f"{near(Path(sys.executable))} -m vezde"


def near(path: Path) -> str:
    """A path as one would type it from here."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
