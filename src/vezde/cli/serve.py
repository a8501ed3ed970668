"""`vezde serve`: the installation, or a part of it."""

from enum import StrEnum
from typing import Annotated

import typer


class Role(StrEnum):
    """Which part of the installation: all of it, the HTTP face, background work, letters."""

    ALL = "all"
    WEB = "web"
    WORKER = "worker"
    MAIL = "mail"


def serve(
    role: Annotated[
        Role, typer.Option(help="Which part; all but `all` need VEZDE_DATABASE_URL.")
    ] = Role.ALL,
    workers: Annotated[
        int | None,
        typer.Option(min=1, max=64, help="Worker processes; default: VEZDE_WORKERS."),
    ] = None,
    supervised: Annotated[bool, typer.Option(hidden=True)] = False,
    face: Annotated[int, typer.Option(hidden=True)] = 0,
) -> None:
    """Run Vezde until Ctrl-C: database, HTTP, background work."""
    import os

    from vezde import settings as setting
    from vezde.kit import log

    if workers is not None and role in {Role.WEB, Role.MAIL}:
        raise typer.BadParameter("--workers is for the roles all and worker")
    settings = setting.load(os.environ)
    log.configure(level=settings.log.level, format=settings.log.format)
    if role in {Role.WEB, Role.MAIL} or (role is Role.WORKER and workers == 1):
        from vezde.cli import parts

        code = parts.run(settings, role.value, supervised=supervised, face=face)
    else:
        from vezde.cli import supervisor

        code = supervisor.run(settings, web=role is Role.ALL, workers=workers or settings.workers)
    raise typer.Exit(code)
