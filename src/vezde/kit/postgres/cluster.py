"""The cluster on disk: made once by initdb, configured by the machine it runs on."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from signal import SIGKILL

from vezde.kit import bound
from vezde.kit.postgres import account as accounts
from vezde.kit.postgres import binaries, folder
from vezde.kit.postgres.account import Account
from vezde.kit.postgres.errors import FolderRefused, ServerFailed

MB, GB = 2**20, 2**30
# Nothing of ours (keys, tokens) goes into the environment of a server that runs as another user.
ENVIRONMENT = {"LC_ALL": "C", "TZ": "UTC", "PATH": os.defpath}
CGROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")

OWN_SETTINGS = """\
include 'vezde.conf'   # by Vezde, rewritten at every start
# Your own settings go below this line and win.
"""
HBA = """\
# The socket in this folder and TCP on the loopback only, always with a password.
local all         all                   scram-sha-256
host  all         all      127.0.0.1/32 scram-sha-256
host  replication postgres 127.0.0.1/32 scram-sha-256
"""
FORMER_HBA = """\
# TCP on the loopback only, always with a password.
host all         all      127.0.0.1/32 scram-sha-256
host replication postgres 127.0.0.1/32 scram-sha-256
"""


@dataclass(frozen=True)
class Cluster:
    """A data directory, the account it belongs to, and the programs for it."""

    pgdata: Path
    account: Account
    programs: Path

    def command(self, argv: list[str], *, death_signal: int) -> list[str]:
        """`argv` run as the account, bound to this process."""
        user = self.account
        if not user.switch:
            return bound.command(argv, death_signal=death_signal)
        return bound.command(argv, death_signal=death_signal, uid=user.uid, gid=user.gid)


def prepare(home: Path, *, superuser_password: str, memory: int | None = None) -> Cluster:
    """The folder's cluster, made at the first call, with settings for this machine or `memory`.

    The caller holds the folder's lock. Raises `FolderRefused`, `ServerFailed`.
    """
    pgdata = home / "pgdata"
    account = accounts.choose(pgdata)
    cluster = Cluster(pgdata, account, binaries.find(account))
    if not pgdata.exists():
        _make(cluster, superuser_password)
    made_by = (pgdata / "PG_VERSION").read_text("ascii").strip()
    if made_by != binaries.MAJOR:
        raise FolderRefused(
            f"{pgdata} was made by PostgreSQL {made_by}, this is {binaries.MAJOR}. Dump it with "
            "the version of Vezde that made it (pg_dump), move the folder away, restore."
        )
    folder.write(pgdata / "vezde.conf", settings(memory or memory_bytes()), mode=0o600)
    account.own(pgdata / "vezde.conf")
    rules = pgdata / "pg_hba.conf"
    # What a person wrote stays, in whatever encoding; it may also be kept elsewhere.
    if rules.exists() and rules.read_bytes() == FORMER_HBA.encode():
        folder.write(rules, HBA, mode=0o600)
        account.own(rules)
    return cluster


def settings(memory: int) -> str:
    """PostgreSQL's settings for a machine of so many bytes that also runs Vezde itself.

    Durability stays as PostgreSQL ships it: fsync, synchronous_commit and full_page_writes on.
    """
    chosen = {
        "max_connections": "100",
        # Others live on the machine, too: an eighth, and of a large one a third of what is beyond
        # 4 GB. A ledger of a million members is some 10 GB.
        "shared_buffers": _mb(max(memory // 8, (memory - 4 * GB) // 3), 64 * MB, 16 * GB),
        "effective_cache_size": _mb(memory // 2, 256 * MB, 64 * GB),
        "work_mem": _mb(memory // 512, 4 * MB, 64 * MB),
        "maintenance_work_mem": _mb(memory // 32, 64 * MB, GB),
        # Every page is logged whole after each checkpoint, so they are to be far apart; it takes
        # so much disk only while so much is written between two.
        "max_wal_size": _mb(memory // 3, 2 * GB, 8 * GB),
        "checkpoint_timeout": "'15min'",
        "random_page_cost": "1.1",
        "jit": "off",  # our statements are short; compiling them costs more than it gives
        "timezone": "'UTC'",
        "log_timezone": "'UTC'",
        "cluster_name": "'vezde'",
        # Members' data must not reach the log: no statements, no DETAIL with the values of a key.
        "log_error_verbosity": "terse",
        "log_min_error_statement": "panic",
        "log_checkpoints": "off",
    }
    return "".join(f"{name} = {value}\n" for name, value in chosen.items())


def memory_bytes() -> int:
    """The machine's memory, or the container's share of it."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for path in map(Path, CGROUP_LIMITS):
        limit = path.read_text("ascii").strip() if path.exists() else ""
        if limit.isdigit():
            memory = min(memory, int(limit))
    return memory


def _mb(wanted: int, least: int, most: int) -> str:
    return f"'{min(max(wanted, least), most) // MB}MB'"


def _make(cluster: Cluster, superuser_password: str) -> None:
    # Beside its final name: a crash in initdb leaves nothing that looks like a cluster.
    unfinished = cluster.pgdata.with_name("pgdata.new")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    cluster.account.own(unfinished)
    _initdb(cluster, unfinished, superuser_password)
    for name, text in (("postgresql.conf", OWN_SETTINGS), ("pg_hba.conf", HBA)):
        folder.write(unfinished / name, text, mode=0o600)
        cluster.account.own(unfinished / name)
    unfinished.rename(cluster.pgdata)
    folder.sync(cluster.pgdata.parent)


def _initdb(cluster: Cluster, pgdata: Path, superuser_password: str) -> None:
    password, writer = os.pipe()
    try:
        os.write(writer, f"{superuser_password}\n".encode())
        os.close(writer)
        if cluster.account.switch:
            # initdb opens the descriptor anew by its name and needs the right to.
            os.fchown(password, cluster.account.uid, cluster.account.gid)
        with accounts.door(pgdata, cluster.account) as (name, descriptors):
            argv = [
                *(str(cluster.programs / "initdb"), "--pgdata", name),
                *("--username", folder.SUPERUSER, f"--pwfile=/dev/fd/{password}"),
                *("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C"),
                # Case is folded in Python; should a person use lower(), it is right here too.
                *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions"),
            ]
            done = subprocess.run(  # noqa: S603 - our own words only
                cluster.command(argv, death_signal=SIGKILL),
                env=ENVIRONMENT,
                cwd="/",
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                start_new_session=True,
                pass_fds=(password, *descriptors),
            )
    finally:
        os.close(password)
    if done.returncode != 0:
        shutil.rmtree(pgdata, ignore_errors=True)
        raise ServerFailed(f"PostgreSQL could not make its folder: {done.stderr.strip()[-800:]}")
