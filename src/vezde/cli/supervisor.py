"""The supervisor: the embedded database, and the other parts as children of one process."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import replace
from functools import partial

from vezde import settings as setting
from vezde.cli import listening, session, welcome
from vezde.kit import postgres, supervise
from vezde.kit.errors import DomainError, Kind
from vezde.kit.supervise import FINAL_EXIT, Beside, Child
from vezde.settings import Settings, own_address
from vezde.testing.telegram.model import TOKEN

GRACE_SECONDS = 10


class FacesInSandbox(DomainError):
    """A sandbox's sample shop, and the moves of its clock, live in one process."""

    code = "faces_in_sandbox"
    kind = Kind.INVALID


def run(settings: Settings, *, web: bool, workers: int) -> int:
    """Run the children until Ctrl-C or SIGTERM; the exit code.

    Raises `AlreadyRunning`, `CannotListen`, `FacesInSandbox`, and what `session.migrated` raises.
    """
    if web and settings.sandbox and settings.http.faces > 1:
        raise FacesInSandbox(
            "A sandbox has one HTTP process. Unset VEZDE_FACES, or set VEZDE_SANDBOX to 0."
        )
    began = time.monotonic()
    # Until the children run, a SIGTERM ends as a Ctrl-C does: whatever is open is closed. A shell's
    # background hands SIGINT over ignored, which would make that early Ctrl-C go lost.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)
    try:
        with ExitStack() as stack:
            return _run(stack, settings, web=web, workers=workers, began=began)
    except KeyboardInterrupt:
        return 0


def _run(stack: ExitStack, settings: Settings, *, web: bool, workers: int, began: float) -> int:
    beside: list[Beside] = []
    if settings.database.url is not None and settings.database.owner_url is not None:
        logins = session.Logins(settings.database.url, settings.database.owner_url)
    elif web:
        running = stack.enter_context(postgres.embedded(settings.data_dir))
        running.announce(own_address(settings.http))
        running.lock.tell(sandbox=settings.sandbox)
        logins = session.Logins(running.app, running.owner)
        beside.append(partial(postgres.keep, running))
    else:
        raise session.NoDatabase("worker")
    messenger: list[Child] = []
    if web:
        listening.listen(settings.http).close()
        settings, messenger = _with_messenger(settings)
        session.migrated(logins.app, logins.owner, settings)
        beside.append(partial(welcome.greet, settings, logins, began=began))
    setting.secret_key(settings)  # made once, before several children look for it
    with suppress(OSError):  # each child says so that finds no folder for its mark
        settings.data_dir.mkdir(parents=True, exist_ok=True)
    environment = _environment(settings, logins, given=not messenger)
    mail = web and settings.mail.domain is not None
    faces = settings.http.faces if web else 0
    children = [
        *messenger,
        *_children(environment, faces=faces, workers=workers, mail=mail),
    ]
    code = asyncio.run(supervise.run(children, beside=beside, grace_seconds=GRACE_SECONDS))
    # A service manager and make may both have sent one; the database is being closed already.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    return 1 if code == FINAL_EXIT else code


def _children(
    environment: Mapping[str, str], *, faces: int, workers: int, mail: bool
) -> list[Child]:
    program = (sys.executable, "-m", "vezde", "serve", "--supervised")
    web = (*program, "--role", "web")
    # One alone has the port to itself, several say so.
    children = [Child("web", web, environment)] if faces == 1 else []
    if faces > 1:
        children = [
            Child(f"web {number}", (*web, "--face", str(number)), environment)
            for number in range(1, faces + 1)
        ]
    children += [
        Child(f"worker {number}", (*program, "--role", "worker", "--workers", "1"), environment)
        for number in range(1, workers + 1)
    ]
    if mail:
        children.append(Child("mail", (*program, "--role", "mail"), environment))
    return children


def _with_messenger(settings: Settings) -> tuple[Settings, list[Child]]:
    """A sandbox without a bot of its own gets a Telegram to itself, of the kind tests use.

    A process of its own: what people wrote there outlives a restart of any other.
    """
    if not settings.sandbox or settings.telegram.token is not None:
        return settings, []
    port = listening.free_port()
    argv = (sys.executable, "-m", "vezde.testing.telegram", "--port", str(port), "--quiet")
    own = replace(settings.telegram, token=TOKEN, api_base=f"http://127.0.0.1:{port}")
    return replace(settings, telegram=own), [Child("messenger", argv, dict(os.environ))]


def _environment(settings: Settings, logins: session.Logins, *, given: bool) -> dict[str, str]:
    """This process's own, and what it alone knows: the embedded database, the sandbox's samples.

    `given`: the environment names the bot itself, or there is none.
    """
    environment = dict(os.environ)
    if settings.database.url is None:
        environment["VEZDE_DATABASE_URL"] = logins.app
        environment["VEZDE_DATABASE_OWNER_URL"] = logins.owner
    if settings.telegram.token is not None and not given:
        environment["VEZDE_TELEGRAM_TOKEN"] = settings.telegram.token
        environment["VEZDE_TELEGRAM_API_BASE"] = settings.telegram.api_base
    if settings.sandbox and settings.documents_dir is None:
        samples = settings.data_dir / "samples"
        samples.mkdir(parents=True, exist_ok=True)
        environment["VEZDE_DOCUMENTS_DIR"] = str(samples)
    return environment
