"""The embedded server, with real processes and a real kill -9."""

import asyncio
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from vezde.kit import postgres
from vezde.kit.postgres import account, binaries, cluster, folder
from vezde.kit.postgres import postmaster as processes

ROOT = os.geteuid() == 0
SOURCES = (Path(postgres.__file__).parents[3], Path(psycopg.__file__).parents[1])
as_root = pytest.mark.skipif(not ROOT, reason="only root can become another user")

# Serves a folder and writes numbered rows, saying each number once it is committed.
WRITER = """
import sys, time
from pathlib import Path
import psycopg
from vezde.kit import postgres
with postgres.embedded(Path(sys.argv[1])) as running:
    running.announce("http://127.0.0.1:8000")
    print(running.pid, running.port, flush=True)
    with psycopg.connect(running.owner, autocommit=True) as db:
        db.execute("CREATE TABLE IF NOT EXISTS public.said (n integer PRIMARY KEY)")
        for n in range(1_000_000):
            db.execute("INSERT INTO public.said VALUES (%s)", [n])
            print(n, flush=True)
            if n >= 50:
                time.sleep(0.01)
"""

PEER = "SELECT inet_client_addr()::text"  # null by a socket

# A short command that works until its input ends.
COMMAND = """
import sys
from pathlib import Path
from vezde.kit import postgres
with postgres.attach_or_start(Path(sys.argv[1])) as access:
    print(type(access).__name__, flush=True)
    sys.stdin.read()
"""


def python(script: str, *args: object, interpreter: str = sys.executable) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [interpreter, "-c", script, *map(str, args)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, SOURCES))},
        start_new_session=True,
    )


def lines(process: subprocess.Popen[str], count: int) -> list[str]:
    assert process.stdout is not None
    found = [process.stdout.readline().strip() for _ in range(count)]
    assert all(found), f"the process ended with {process.wait(10)}"
    return found


def end(process: subprocess.Popen[str]) -> None:
    with process:
        process.kill()


def wait_until(true: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def state(pid: int) -> str | None:
    """R, S, Z…; None when the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return None


def is_gone(pid: int) -> bool:
    return state(pid) in (None, "Z")


def numbers(conninfo: str) -> set[int]:
    with psycopg.connect(conninfo) as db:
        return {row[0] for row in db.execute("SELECT n FROM public.said")}


def asked(conninfo: str, query: str) -> object:
    with psycopg.connect(conninfo) as db:
        row = db.execute(query.encode()).fetchone()
        assert row is not None
        return row[0]


def serve_once(home: Path) -> None:
    with postgres.embedded(home):
        pass


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that was served once; copying it is quicker than another initdb."""
    home = tmp_path_factory.mktemp("postgres") / "made"
    serve_once(home)
    return home


@pytest.fixture
def home(made: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "postgres"
    subprocess.run(["cp", "-a", str(made), str(copy)], check=True)
    (copy / "port").unlink()
    return copy


@pytest.fixture
def short(made: Path) -> Iterator[Path]:
    """A copy of `made` whose path leaves room for a socket's name, wherever the tests lie."""
    with tempfile.TemporaryDirectory(prefix="vezde-") as name:
        copy = Path(name).resolve() / "postgres"
        subprocess.run(["cp", "-a", str(made), str(copy)], check=True)
        (copy / "port").unlink()
        yield copy


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A temporary folder that everybody may enter; pytest's own are closed."""
    with tempfile.TemporaryDirectory(prefix="vezde-open-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


class TestEmbedded:
    def test_makes_the_database_with_its_two_logins(self, home: Path) -> None:
        with postgres.embedded(home) as running:
            assert asked(running.app, "SELECT current_user || '@' || current_database()") == (
                "vezde_app@vezde"
            )
            owner = "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'vezde'"
            assert asked(running.superuser, owner) == "vezde_owner"
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                asked(running.app, "CREATE TABLE public.mine (n integer)")

    def test_listens_nowhere_but_on_the_loopback_and_in_its_folder(self, home: Path) -> None:
        with postgres.embedded(home) as running:
            assert asked(running.superuser, "SHOW listen_addresses") == "127.0.0.1"
            sockets = [path for path in home.rglob("*") if path.is_socket()]
            assert sockets == [home / "pgdata" / f".s.PGSQL.{running.port}"]
            assert (home / "pgdata").stat().st_mode & 0o777 == 0o700
            assert asked(running.superuser, "SHOW unix_socket_directories") == "."
            far = replace(running, host=folder.HOST)
            assert asked(far.superuser, PEER) == "127.0.0.1/32"

    def test_keeps_its_durability_and_knows_cyrillic_case(self, home: Path) -> None:
        with postgres.embedded(home) as running:
            assert asked(running.superuser, "SELECT lower('ЁЖИК')") == "ёжик"
            for setting in ("fsync", "synchronous_commit", "full_page_writes"):
                assert asked(running.superuser, f"SHOW {setting}") == "on"

    def test_refuses_a_wrong_password(self, home: Path) -> None:
        with postgres.embedded(home) as running:
            for wrong in (
                running.conninfo("vezde", "vezde_app", "guess"),
                running.conninfo("vezde", "vezde_app", ""),
                f"host={folder.HOST} port={running.port} dbname=vezde user=vezde_app",
            ):
                with pytest.raises(psycopg.OperationalError, match="password"):
                    psycopg.connect(wrong)

    def test_keeps_passwords_to_their_owner_and_out_of_sight(
        self, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("VEZDE_SECRET_KEY", "never for the server")
        with postgres.embedded(home) as running:
            for name in ("passwords.json", "lock", "postgres.log"):
                assert (home / name).stat().st_mode & 0o077 == 0
            assert (home / "pgdata").stat().st_mode & 0o077 == 0
            secret = running.passwords["vezde_app"]
            assert secret not in repr(running)
            assert secret not in (home / "postgres.log").read_text()
            environment = Path(f"/proc/{running.pid}/environ").read_bytes()
            assert b"VEZDE" not in environment

    def test_stops_and_starts_again_on_the_same_port(self, home: Path) -> None:
        with postgres.embedded(home) as first:
            port, pid = first.port, first.pid
        assert is_gone(pid)
        with postgres.embedded(home) as second:
            assert second.port == port

    def test_takes_another_port_when_its_own_is_taken(self, home: Path) -> None:
        other = home.with_name("other")
        subprocess.run(["cp", "-a", str(home), str(other)], check=True)
        with postgres.embedded(home) as first:
            (other / "port").write_text(f"{first.port}\n")
            with postgres.embedded(other) as second:
                assert second.port != first.port
                assert (other / "port").read_text() == f"{second.port}\n"

    def test_leaves_no_half_made_cluster_behind(self, home: Path) -> None:
        shutil.rmtree(home / "pgdata")
        (home / "pgdata.new" / "base").mkdir(parents=True)
        with postgres.embedded(home) as running:
            assert asked(running.app, "SELECT 1") == 1
        assert not (home / "pgdata.new").exists()

    def test_starts_from_the_main_thread_only(self, home: Path) -> None:
        seen: list[BaseException] = []

        def start() -> None:
            try:
                serve_once(home)
            except RuntimeError as error:
                seen.append(error)

        thread = threading.Thread(target=start)
        thread.start()
        thread.join()
        assert "main thread" in str(seen[0])

    def test_says_what_to_do_when_the_passwords_are_lost(self, home: Path) -> None:
        (home / "passwords.json").unlink()
        with pytest.raises(postgres.FolderRefused, match="Restore"):
            serve_once(home)

    def test_says_what_to_do_about_another_major_version(self, home: Path) -> None:
        (home / "pgdata" / "PG_VERSION").write_text("17\n")
        with pytest.raises(postgres.FolderRefused, match="made by PostgreSQL 17"):
            serve_once(home)

    def test_ends_with_the_servers_own_words_when_it_does_not_start(
        self, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(processes, "RETRY_SECONDS", 0)
        (home / "pgdata" / "postgresql.conf").write_text("no_such_setting = on\n")
        with pytest.raises(postgres.ServerFailed, match="no_such_setting"):
            serve_once(home)
        with pytest.raises(postgres.ServerFailed):  # and the lock is free again
            serve_once(home)

    def test_lets_a_person_override_a_setting(self, home: Path) -> None:
        with (home / "pgdata" / "postgresql.conf").open("a") as file:
            file.write("work_mem = '5MB'\n")
        with postgres.embedded(home) as running:
            assert asked(running.superuser, "SHOW work_mem") == "5MB"


class TestWay:
    """How a process reaches its server: by the socket, and by TCP where that is closed."""

    def test_is_the_socket(self, short: Path) -> None:
        with postgres.embedded(short) as running:
            assert running.host == str(short / "pgdata")
            assert asked(running.app, PEER) is None
            with postgres.attach_or_start(short) as access:
                assert access.app == running.app

    def test_is_the_socket_under_closed_parents(self, short: Path) -> None:
        short.parent.chmod(0o700)
        with postgres.embedded(short) as running:
            assert asked(running.app, PEER) is None

    def test_is_the_socket_of_a_server_that_was_started_again(self, short: Path) -> None:
        with postgres.embedded(short) as running:
            os.kill(running.pid, signal.SIGKILL)
            wait_until(lambda: not running.postmaster.is_alive())
            assert running.ensure()
            assert asked(running.app, PEER) is None

    def test_is_tcp_where_the_path_is_too_long_for_a_socket(self, home: Path) -> None:
        deep = home.parent / ("long" * 25)
        home.rename(deep)
        with postgres.embedded(deep) as running:
            assert running.host == folder.HOST
            assert asked(running.app, PEER) == "127.0.0.1/32"
            with postgres.attach_or_start(deep) as access:
                assert access.app == running.app

    def test_is_tcp_where_a_persons_rules_leave_the_socket_out(self, short: Path) -> None:
        rules = short / "pgdata" / "pg_hba.conf"
        mine = f"{cluster.FORMER_HBA}# моё\n".encode("cp1251")
        rules.write_bytes(mine)
        with postgres.embedded(short) as running:
            assert asked(running.app, PEER) == "127.0.0.1/32"
        assert rules.read_bytes() == mine

    def test_is_the_one_of_rules_that_a_person_keeps_elsewhere(self, short: Path) -> None:
        data = short / "pgdata"
        short.parent.chmod(0o755)  # it is opened by its whole name
        (data / "pg_hba.conf").rename(data / "mine.conf")
        with (data / "postgresql.conf").open("a") as file:
            file.write(f"hba_file = '{data}/mine.conf'\n")
        with postgres.embedded(short) as running:
            assert asked(running.app, PEER) is None
        assert not (data / "pg_hba.conf").exists()

    def test_is_the_socket_of_a_cluster_made_before_there_was_one(self, short: Path) -> None:
        rules = short / "pgdata" / "pg_hba.conf"
        rules.write_text(cluster.FORMER_HBA)
        with postgres.embedded(short) as running:
            assert asked(running.app, PEER) is None


class TestStartedTwice:
    def test_says_who_runs_it_and_where(self, home: Path) -> None:
        first = python(WRITER, home)
        try:
            _, port = lines(first, 1)[0].split()
            with pytest.raises(postgres.AlreadyRunning) as caught:
                serve_once(home)
            assert f"process {first.pid}" in caught.value.detail
            assert "http://127.0.0.1:8000" in caught.value.detail
            assert f"127.0.0.1:{port}" in caught.value.detail
            assert caught.value.extra["pid"] == first.pid
            assert caught.value.kind == "conflict"
        finally:
            end(first)


class TestKill:
    def test_of_the_parent_leaves_no_orphan_and_loses_no_acknowledged_row(self, home: Path) -> None:
        parent = python(WRITER, home)
        said = lines(parent, 61)
        pid = int(said[0].split()[0])
        os.kill(parent.pid, signal.SIGKILL)
        assert parent.stdout is not None
        said += parent.stdout.read().split()
        end(parent)
        wait_until(lambda: is_gone(pid))
        with postgres.embedded(home) as running:
            assert {int(n) for n in said[1:]} <= numbers(running.owner)

    def test_of_parent_and_server_at_once_recovers_at_the_next_start(self, home: Path) -> None:
        parent = python(WRITER, home)
        said = lines(parent, 61)
        pid = int(said[0].split()[0])
        os.kill(parent.pid, signal.SIGSTOP)  # so that it cannot see its server die
        os.kill(pid, signal.SIGKILL)
        os.kill(parent.pid, signal.SIGKILL)
        end(parent)
        began = time.monotonic()
        with postgres.embedded(home) as running:
            assert {int(n) for n in said[1:]} <= numbers(running.owner)
        assert time.monotonic() - began < 20

    def test_of_the_server_alone_is_mended_on_the_same_port(self, home: Path) -> None:
        with postgres.embedded(home) as running:
            with psycopg.connect(running.owner, autocommit=True) as db:
                db.execute("CREATE TABLE public.said AS SELECT 7 AS n")
            port, pid = running.port, running.pid
            assert not running.ensure()
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda: not running.postmaster.is_alive())
            assert running.ensure()
            assert (running.port, running.pid != pid) == (port, True)
            assert numbers(running.owner) == {7}

    async def test_of_the_server_alone_is_seen_by_keep(self, home: Path) -> None:
        with postgres.embedded(home) as running:
            stop = asyncio.Event()
            task = asyncio.create_task(postgres.keep(running, stop))
            for _ in range(2):
                pid = running.pid
                os.kill(pid, signal.SIGKILL)
                deadline = time.monotonic() + 20
                while running.pid == pid or folder.told(home)["postmaster"] != running.pid:
                    assert time.monotonic() < deadline
                    await asyncio.sleep(0.02)
                assert asked(running.app, "SELECT 1") == 1
            stop.set()
            await asyncio.wait_for(task, 20)

    def test_of_the_server_with_a_session_that_lingers_is_mended_too(self, home: Path) -> None:
        with postgres.embedded(home) as running:
            with psycopg.connect(running.superuser, autocommit=True) as db:
                backend = db.info.backend_pid
                os.kill(backend, signal.SIGSTOP)
                os.kill(running.pid, signal.SIGKILL)
                wait_until(lambda: not running.postmaster.is_alive())
                release = threading.Timer(0.7, os.kill, [backend, signal.SIGCONT])
                release.start()
                assert running.ensure()
                release.join()
                assert is_gone(backend), "the new server must not run beside an old session"
            assert asked(running.app, "SELECT 1") == 1


class TestKeep:
    async def test_tries_again_until_the_server_comes_back(
        self, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(postgres, "BACKOFF_SECONDS", (0.05,))
        monkeypatch.setattr(processes, "RETRY_SECONDS", 0)
        settings = home / "pgdata" / "postgresql.conf"
        with postgres.embedded(home) as running:
            good = settings.read_text()
            settings.write_text("no_such_setting = on\n")
            os.kill(running.pid, signal.SIGKILL)
            stop = asyncio.Event()
            task = asyncio.create_task(postgres.keep(running, stop))
            await asyncio.sleep(0.8)
            assert not task.done()
            settings.write_text(good)
            deadline = time.monotonic() + 10
            while not running.postmaster.is_alive() or folder.is_free(running.port):
                assert time.monotonic() < deadline
                await asyncio.sleep(0.02)
            stop.set()
            await task


class TestFormerServer:
    """What a killed process leaves in postmaster.pid, and beside its socket."""

    def note(self, home: Path, pid: int) -> None:
        data, port = home / "pgdata", folder.port(home)
        for name in ("postmaster.pid", f".s.PGSQL.{port}.lock"):
            note = data / name
            note.write_text(f"{pid}\n{data}\n1\n{port}\n.\n127.0.0.1\n0 0\nready\n")
            if ROOT:
                owner = data.stat()
                os.chown(note, owner.st_uid, owner.st_gid)

    def process(self, home: Path, *argv: str) -> subprocess.Popen[bytes]:
        """A process of the server's account: of other accounts' the server knows they are not it."""
        user = account.choose(home / "pgdata")
        return subprocess.Popen(argv, user=user.uid if user.switch else None)

    def test_that_is_a_zombie_does_not_stop_a_start(self, home: Path) -> None:
        zombie = self.process(home, "true")
        wait_until(lambda: state(zombie.pid) == "Z")
        self.note(home, zombie.pid)
        began = time.monotonic()
        with postgres.embedded(home) as running:
            assert asked(running.app, "SELECT 1") == 1
        assert time.monotonic() - began < 20
        zombie.wait()

    def test_whose_number_a_stranger_has_got_does_not_stop_a_start(self, home: Path) -> None:
        with self.process(home, "sleep", "60") as stranger:
            self.note(home, stranger.pid)
            with postgres.embedded(home) as running:
                assert asked(running.app, "SELECT 1") == 1
            assert stranger.poll() is None, "the stranger is left alone"
            stranger.kill()

    def test_that_still_runs_is_seen_out_first(self, home: Path) -> None:
        with postgres.embedded(home) as running:
            former = running.pid
            pauses = list(processes.seeing_out(home / "pgdata"))
            assert pauses
            wait_until(lambda: is_gone(former))


class TestAttachOrStart:
    def test_starts_a_server_for_the_block(self, home: Path) -> None:
        with postgres.attach_or_start(home) as access:
            assert isinstance(access, postgres.Running)
            pid = access.pid
            assert asked(access.app, "SELECT 1") == 1
        assert is_gone(pid)

    def test_uses_the_server_that_runs_and_leaves_it_running(self, home: Path) -> None:
        with postgres.embedded(home) as running:
            with postgres.attach_or_start(home) as access:
                assert access.app == running.app
                assert not isinstance(access, postgres.Running)
            assert asked(running.app, "SELECT 1") == 1

    def test_lets_an_error_of_the_block_through_and_stops(self, home: Path) -> None:
        pids = []

        def fail() -> None:
            with postgres.attach_or_start(home) as access:
                assert isinstance(access, postgres.Running)
                pids.append(access.pid)
                raise postgres.AlreadyRunning("mine")

        with pytest.raises(postgres.AlreadyRunning, match="mine"):
            fail()
        assert is_gone(pids[0])

    def test_waits_for_another_command_that_uses_its_server(self, home: Path) -> None:
        starter = python(COMMAND, home)
        try:
            assert lines(starter, 1) == ["Running"]
            with postgres.attach_or_start(home) as access:
                assert starter.stdin is not None
                starter.stdin.close()
                time.sleep(0.4)
                assert starter.poll() is None
                assert asked(access.app, "SELECT 1") == 1
            assert starter.wait(10) == 0
        finally:
            end(starter)

    def test_takes_over_when_the_holder_dies(self, home: Path) -> None:
        holder = python(WRITER, home)
        lines(holder, 1)
        end(holder)
        with postgres.attach_or_start(home) as access:
            assert isinstance(access, postgres.Running)
            assert asked(access.app, "SELECT 1") == 1


class TestAccounts:
    @as_root
    def test_root_serves_a_folder_under_closed_parents(self, home: Path) -> None:
        home.parent.chmod(0o700)
        with postgres.embedded(home) as running:
            place = asked(running.superuser, "SHOW data_directory")
            assert str(place).startswith("/proc/self/fd/")
            uid = Path(f"/proc/{running.pid}").stat().st_uid
            assert uid == account.choose(home / "pgdata").uid != 0
            assert (home / "pgdata").stat().st_uid == uid
            assert home.parent.stat().st_mode & 0o777 == 0o700

    @as_root
    def test_root_serves_an_open_folder_by_its_name(self, home: Path, open_folder: Path) -> None:
        subprocess.run(["cp", "-a", str(home), str(open_folder / "postgres")], check=True)
        with postgres.embedded(open_folder / "postgres") as running:
            place = asked(running.superuser, "SHOW data_directory")
            assert place == str(open_folder / "postgres" / "pgdata")

    @as_root
    def test_root_copies_programs_that_others_cannot_enter(
        self, home: Path, tmp_path: Path, open_folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        closed = tmp_path / "site-packages"
        package = binaries.find(account.Account(0, 0, switch=False)).parents[1]
        for name in (package.name, f"{package.name}.libs"):
            shutil.copytree(package.parent / name, closed / name, symlinks=True)
        closed.chmod(0o700)
        monkeypatch.syspath_prepend(closed)
        monkeypatch.setattr(binaries, "COPIES", open_folder / "vezde")
        for _ in range(2):
            with postgres.embedded(home) as running:
                program = Path(f"/proc/{running.pid}/exe").readlink()
                assert program.is_relative_to(open_folder)
        assert len(list((open_folder / "vezde").iterdir())) == 1

    @as_root
    def test_root_refuses_a_cluster_that_belongs_to_root(self, home: Path) -> None:
        os.chown(home / "pgdata", 0, 0)
        with pytest.raises(postgres.FolderRefused, match="chown"):
            serve_once(home)

    @as_root
    def test_an_ordinary_user_needs_nothing_else(self, open_folder: Path) -> None:
        nobody = pwd.getpwnam("nobody")
        os.chown(open_folder, nobody.pw_uid, nobody.pw_gid)
        script = f"import os; os.setgid({nobody.pw_gid}); os.setuid({nobody.pw_uid})\n{WRITER}"
        user = python(script, open_folder / "var", interpreter=str(interpreter_for(nobody)))
        try:
            pid = int(lines(user, 61)[0].split()[0])
            assert Path(f"/proc/{pid}").stat().st_uid == nobody.pw_uid
            user.kill()
            wait_until(lambda: is_gone(pid))
        finally:
            end(user)

    def test_refuses_a_folder_it_may_not_write(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(postgres.FolderRefused, match="VEZDE_DATA_DIR"):
            serve_once(tmp_path / "file" / "postgres")


def interpreter_for(user: pwd.struct_passwd) -> Path:
    """A Python of our version that this user may run; the suite's own may lie in root's home."""
    somebody = account.Account(user.pw_uid, user.pw_gid, switch=True)
    name = f"python3.{sys.version_info.minor}"
    for place in (Path(sys.executable).parent, *map(Path, os.get_exec_path())):
        program = (place / name).resolve()
        if not program.is_file() or program.read_bytes()[:4] != b"\x7fELF":  # a shim
            continue
        if somebody.may_enter(program.parent):
            return program
    pytest.skip(f"no {name} that user {user.pw_name} may run")


class TestSettings:
    def test_fit_a_small_and_a_large_machine(self) -> None:
        small, large = cluster.settings(2**29), cluster.settings(2**38)
        assert "shared_buffers = '64MB'" in small
        assert "shared_buffers = '16384MB'" in large
        assert "max_wal_size = '2048MB'" in small
        assert "max_wal_size = '8192MB'" in large
        assert "work_mem = '64MB'" in large

    def test_never_weaken_durability(self) -> None:
        for word in ("fsync", "synchronous_commit", "full_page_writes"):
            assert word not in cluster.settings(2**34)

    def test_know_how_much_memory_there_is(self) -> None:
        assert cluster.memory_bytes() >= 2**28


class TestLog:
    def test_stays_bounded_while_the_server_writes(
        self, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(processes, "LOG_BYTES", 2_000)
        with postgres.embedded(home) as running:
            for _ in range(30):
                with pytest.raises(psycopg.OperationalError):
                    psycopg.connect(running.conninfo("vezde", "vezde_app", "guess"))
            size = (home / "postgres.log").stat().st_size
            assert size > 2_000
            running.postmaster.trim_log()
            assert (home / "postgres.log").stat().st_size == 0
            assert (home / "postgres.log.1").stat().st_size == 2_000
            with pytest.raises(psycopg.OperationalError):
                psycopg.connect(running.conninfo("vezde", "vezde_app", "guess"))
            assert b"\0" not in (home / "postgres.log").read_bytes()

    def test_holds_no_values_of_a_failed_statement(self, home: Path) -> None:
        insert = "INSERT INTO public.person VALUES ('+79160000001') RETURNING 1"
        with postgres.embedded(home) as running:
            with psycopg.connect(running.owner) as db:
                db.execute("CREATE TABLE public.person (phone text PRIMARY KEY)")
            asked(running.owner, insert)
            with pytest.raises(psycopg.errors.UniqueViolation):
                asked(running.owner, insert)
        assert "duplicate key" in (home / "postgres.log").read_text()
        assert "+7916" not in (home / "postgres.log").read_text()
