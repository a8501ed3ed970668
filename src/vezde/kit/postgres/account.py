"""As whom PostgreSQL runs, and how that user reaches a folder.

PostgreSQL refuses to run as root. Started by root it becomes the owner of the existing cluster,
else `postgres`, else `nobody`; the user must be known to the system, initdb looks it up.
"""

import os
import pwd
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from vezde.kit.postgres.errors import FolderRefused

CANDIDATES = ("postgres", "nobody")


@dataclass(frozen=True)
class Account:
    """The user PostgreSQL runs as; `switch` says that we are root and have to become it."""

    uid: int
    gid: int
    switch: bool

    def may_enter(self, folder: Path) -> bool:
        """Whether the folder and everything above it may be searched by this user."""
        if not self.switch:
            return True
        path = folder.resolve()
        return all(self._may_search(place.stat()) for place in (path, *path.parents))

    def own(self, path: Path) -> None:
        """Give the file to this user; raises `FolderRefused` where root is not allowed to."""
        if self.switch:
            try:
                os.chown(path, self.uid, self.gid)
            except OSError as error:  # a container without CAP_CHOWN, a file system without owners
                raise FolderRefused(
                    f"PostgreSQL does not run as root, and {path} cannot be given to user "
                    f"{_name(self.uid)} ({error.strerror}). Run Vezde as an ordinary user, or set "
                    "VEZDE_DATABASE_URL."
                ) from error

    def _may_search(self, status: os.stat_result) -> bool:
        if status.st_uid == self.uid:
            return bool(status.st_mode & stat.S_IXUSR)
        if status.st_gid == self.gid:
            return bool(status.st_mode & stat.S_IXGRP)
        return bool(status.st_mode & stat.S_IXOTH)


def choose(pgdata: Path) -> Account:
    """The account for this cluster, made already or not; raises `FolderRefused`."""
    uid = os.geteuid()
    owner = pgdata.stat().st_uid if pgdata.exists() else None
    if uid != 0:
        if owner not in (None, uid):
            raise FolderRefused(
                f"{pgdata} belongs to user {_name(owner)}; start Vezde as that user or as root."
            )
        return Account(uid, _known(uid).pw_gid, switch=False)
    if owner == 0:
        raise FolderRefused(
            f"{pgdata} belongs to root, as whom PostgreSQL does not run. "
            f"Give it to another user: chown -R nobody {pgdata}"
        )
    entry = _known(owner) if owner is not None else _candidate()
    return Account(entry.pw_uid, entry.pw_gid, switch=True)


@contextmanager
def door(folder: Path, account: Account) -> Iterator[tuple[str, tuple[int, ...]]]:
    """The folder's name for the account's processes, with the descriptors to pass to them.

    Below a parent closed to the account (root's home, a 0700 temporary folder) no path works, and
    we never chmod somebody's folder. A descriptor that we opened does: the kernel follows
    /proc/self/fd/N without looking at the parents, and PostgreSQL changes into its data directory
    once and uses relative names from there on.
    """
    if account.may_enter(folder):
        yield str(folder), ()
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}", (descriptor,)
    finally:
        os.close(descriptor)


def _known(uid: int) -> pwd.struct_passwd:
    try:
        return pwd.getpwuid(uid)
    except KeyError as error:
        raise FolderRefused(
            f"User {uid} is not in /etc/passwd and PostgreSQL does not start without a name. "
            "Add the user, run Vezde as another one, or set VEZDE_DATABASE_URL."
        ) from error


def _candidate() -> pwd.struct_passwd:
    for name in CANDIDATES:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise FolderRefused(
        "PostgreSQL does not run as root and there is neither a user postgres nor nobody. "
        "Add one, run Vezde as an ordinary user, or set VEZDE_DATABASE_URL."
    )


def _name(uid: int | None) -> str:
    try:
        return pwd.getpwuid(uid).pw_name if uid is not None else "nobody known"
    except KeyError:
        return str(uid)
