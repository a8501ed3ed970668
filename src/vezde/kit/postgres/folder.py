"""What the server's folder keeps: who runs it, passwords, the port.

lock             held by the process that runs the server; says who that is
passwords.json   of the superuser and the two logins; readable by its owner alone
port             chosen once, so that connections survive a restart
pgdata/          the cluster
postgres.log     and postgres.log.1: bounded
"""

import fcntl
import json
import os
import secrets
import socket
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from psycopg.conninfo import make_conninfo

from vezde.kit.postgres.errors import AlreadyRunning, FolderRefused

HOST = "127.0.0.1"
SUPERUSER, OWNER, APP = "postgres", "vezde_owner", "vezde_app"
DATABASE = "vezde"
PORTS = range(20000, 32000)  # below the ports that the kernel gives to outgoing connections


@dataclass(frozen=True)
class Access:
    """How to reach a running server; conninfos hold passwords and belong in no log.

    `host` is an address, or the folder of a Unix socket.
    """

    host: str
    port: int
    passwords: dict[str, str] = field(repr=False)

    def conninfo(self, dbname: str, login: str, password: str) -> str:
        return make_conninfo(
            "", host=self.host, port=self.port, dbname=dbname, user=login, password=password
        )

    @property
    def superuser(self) -> str:
        return self.conninfo("postgres", SUPERUSER, self.passwords[SUPERUSER])

    @property
    def owner(self) -> str:
        """The database of Vezde for the login that migrates."""
        return self.conninfo(DATABASE, OWNER, self.passwords[OWNER])

    @property
    def app(self) -> str:
        """The database of Vezde for the login the application works with."""
        return self.conninfo(DATABASE, APP, self.passwords[APP])


class Lock:
    """One process a folder; its text tells the next one who holds it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "lock"
        self._descriptor: int | None = None
        self._told: dict[str, Any] = {}

    def take(self) -> None:
        """Raises `AlreadyRunning` while another process (or another block of this one) holds it."""
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(descriptor)
            raise _already_running(self.path) from error
        self._descriptor = descriptor
        self._told = {}
        self.tell(pid=os.getpid())

    def tell(self, **facts: Any) -> None:
        """Add to what others read about the holder (no secrets)."""
        assert self._descriptor is not None, "only the holder writes the lock's text"
        self._told.update(facts)
        text = json.dumps(self._told).encode()
        os.pwrite(self._descriptor, text, 0)
        os.ftruncate(self._descriptor, len(text))

    def release(self) -> None:
        if self._descriptor is not None:
            os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None


def prepare(folder: Path) -> None:
    """Make the folder; raises `FolderRefused` where this user cannot work in it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FolderRefused(
            f"{folder} cannot be made ({error.strerror}). Set VEZDE_DATA_DIR to a folder that "
            "this user may write."
        ) from error
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        raise FolderRefused(
            f"{folder} cannot be written by this user. Start Vezde as the user who made it, or "
            "set VEZDE_DATA_DIR to another folder."
        )


def told(folder: Path) -> dict[str, Any]:
    """What the lock's holder says of itself; empty while it says nothing."""
    try:
        facts = json.loads((folder / "lock").read_text("utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return facts if isinstance(facts, dict) else {}


def passwords(folder: Path) -> dict[str, str]:
    """The logins' passwords, made up at the first call; the caller holds the lock."""
    path = folder / "passwords.json"
    if not path.exists():
        if (folder / "pgdata").exists():
            raise FolderRefused(
                f"{path} is missing, without it nobody can enter the database in {folder}. "
                "Restore the file from a backup."
            )
        made = {login: secrets.token_urlsafe(24) for login in (SUPERUSER, OWNER, APP)}
        write(path, json.dumps(made), mode=0o600)
    return read_passwords(folder)


def read_passwords(folder: Path) -> dict[str, str]:
    path = folder / "passwords.json"
    try:
        found = json.loads(path.read_text("utf-8"))
        return {login: str(found[login]) for login in (SUPERUSER, OWNER, APP)}
    except PermissionError as error:
        raise FolderRefused(
            f"{path} may be read by its owner alone; run this as the user who runs Vezde."
        ) from error
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise FolderRefused(f"{path} is damaged; restore it from a backup.") from error


def port(folder: Path) -> int:
    """The folder's port: the kept one while it is free, else a new one, kept from now on."""
    path = folder / "port"
    kept = path.read_text("ascii").strip() if path.exists() else ""
    if kept.isdigit() and is_free(int(kept)):
        return int(kept)
    for _ in range(200):
        candidate = secrets.choice(PORTS)
        if is_free(candidate):
            write(path, f"{candidate}\n", mode=0o644)
            return candidate
    raise FolderRefused(f"No free port between {PORTS.start} and {PORTS.stop} on {HOST}.")


def is_free(number: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As PostgreSQL does it: connections of a former server in TIME_WAIT do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, number))
        except OSError:
            return False
        return True


def write(path: Path, text: str, *, mode: int) -> None:
    """Write a file that is there whole or not at all, whatever happens."""
    unfinished = path.with_name(f"{path.name}.new")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123 - by descriptor
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    unfinished.rename(path)
    sync(path.parent)


def sync(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _already_running(lock: Path) -> AlreadyRunning:
    facts = told(lock.parent)
    parts = [f"process {facts['pid']}" if "pid" in facts else "a process that is just starting"]
    parts += [str(address) for address in facts.get("addresses", [])]
    if "port" in facts:
        parts.append(f"PostgreSQL on {HOST}:{facts['port']}")
    return AlreadyRunning(
        f"Vezde runs already on {lock.parent}: {', '.join(parts)}. "
        "Stop it first, or set VEZDE_DATA_DIR to another folder.",
        extra=facts,
    )
