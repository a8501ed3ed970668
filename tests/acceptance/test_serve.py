"""`vezde serve` as people run it: started, used, interrupted, killed."""

import os
import pwd
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg import sql

from cli.installation import (
    ROOT,
    Installation,
    Served,
    interpreter_for,
    open_folder,
    running_pids,
    state_of,
    wait_until,
    words_of,
)
from conftest import APP, OWNER, Server

# Far above what it takes (2 to 3 s), so that a busy machine fails nothing; figures: benchmarks.
START_SECONDS, STOP_SECONDS = 60, 6


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Installation]:
    with open_folder() as folder:
        yield Installation(folder, VEZDE_SANDBOX="1")


@pytest.fixture(scope="module")
def served(sandbox: Installation) -> Iterator[Served]:
    """The first start of a sandbox, shared by the tests that only look."""
    with sandbox.serving() as served:
        yield served


class TestFirstStart:
    def test_is_alive_and_ready(self, sandbox: Installation, served: Served) -> None:
        assert sandbox.ask("GET", "/healthz") == (200, "ok")
        status, said = sandbox.ask("GET", "/readyz")
        assert status == 200
        assert said == {"ready": True, "database": True, "migrations": True, "workers": True}

    def test_says_where_it_is_and_what_to_try(self, sandbox: Installation, served: Served) -> None:
        for words in (
            f"http://127.0.0.1:{sandbox.port}/docs",
            "var/api.key",
            "receipts submit --enrol --phone",
            "clock advance P14D",
            "Ctrl-C",
        ):
            assert words in served.said

    def test_logs_nothing_to_standard_output(self, served: Served) -> None:
        assert "[info" not in served.said
        assert served.log.read_text() == ""

    def test_has_a_programme_in_force_from_the_beginning(
        self, sandbox: Installation, served: Served
    ) -> None:
        status, said = sandbox.ask("GET", "/v1/program", key=sandbox.key)
        assert (status, said["version"]) == (200, 1)
        assert said["document"]["name"] == "Лунария"

    def test_has_a_catalogue(self, sandbox: Installation, served: Served) -> None:
        _, said = sandbox.ask("GET", "/v1/catalog/products?limit=1", key=sandbox.key)
        assert said["items"][0]["brand"] == "Лунария"

    def test_keeps_its_key_to_its_user(self, sandbox: Installation, served: Served) -> None:
        assert (sandbox.data / "api.key").stat().st_mode & 0o777 == 0o600

    def test_gives_no_password_to_whoever_lists_processes(self, served: Served) -> None:
        secrets = (served.installation.data / "passwords.json").read_text().split('"')[3::4]
        assert len(secrets) == 3
        for pid in served.pids():
            line = Path(f"/proc/{pid}/cmdline").read_text()
            assert not any(secret in line for secret in secrets)

    def test_checks_a_samples_qr_code_without_any_vendor(
        self, sandbox: Installation, served: Served
    ) -> None:
        status, member = sandbox.ask(
            "POST", "/v1/members", {"phone": "+79000000003"}, key=sandbox.key
        )
        assert status == 201
        code = (sandbox.data / "samples" / "qr.txt").read_text().splitlines()[0]
        given = {"member_id": member["id"], "qr": code}
        status, receipt = sandbox.ask("POST", "/v1/receipts", given, key=sandbox.key)
        assert (status, receipt["status"]) == (202, "checking")

        def accepted() -> bool:
            _, said = sandbox.ask("GET", f"/v1/receipts/{receipt['id']}", key=sandbox.key)
            return bool(said["status"] == "accepted" and said["points"]["active"] == 19)

        wait_until(accepted)


class TestSecondStart:
    def test_says_where_the_first_one_is(self, sandbox: Installation, served: Served) -> None:
        ran = sandbox.run("serve", code=1)
        assert ran.stderr.startswith("vezde: Vezde runs already on ")
        assert f"process {served.process.pid}" in ran.stderr
        assert f"http://127.0.0.1:{sandbox.port}" in ran.stderr
        assert len(ran.stderr.splitlines()) == 1

    def test_names_the_variable_of_a_port_that_is_taken(
        self, sandbox: Installation, served: Served
    ) -> None:
        with open_folder() as folder:
            other = Installation(folder, VEZDE_HTTP_PORT=str(sandbox.port))
            ran = other.run("serve", code=1)
        assert f"Port {sandbox.port} of 127.0.0.1 is taken" in ran.stderr
        assert "VEZDE_HTTP_PORT" in ran.stderr

    def test_does_nothing_under_a_misspelt_variable(self, sandbox: Installation) -> None:
        ran = sandbox.run("serve", code=1, VEZDE_HTTP_PROT="8000", VEZDE_WORKERS="many")
        assert ran.stderr.splitlines() == [
            "vezde: VEZDE_HTTP_PROT is not a setting of Vezde; did you mean VEZDE_HTTP_PORT?",
            "vezde: VEZDE_WORKERS is 'many'; expected a whole number from 1 to 64.",
        ]


class TestReset:
    def test_empties_all_but_keys_and_begins_anew(
        self, sandbox: Installation, served: Served
    ) -> None:
        sandbox.ask("POST", "/v1/members", {"phone": "+79000000002"}, key=sandbox.key)
        status, moved = sandbox.ask(
            "POST", "/v1/sandbox/clock", {"advance": "P40D"}, key=sandbox.key
        )
        assert (status, moved["offset_seconds"] > 40 * 86_000) == (200, True)
        status, said = sandbox.ask("POST", "/v1/sandbox/reset", key=sandbox.key)
        assert (status, said["offset_seconds"]) == (200, 0)
        assert sandbox.ask("GET", "/v1/members?phone=79000000002", key=sandbox.key)[0] == 404
        _, program = sandbox.ask("GET", "/v1/program", key=sandbox.key)
        assert program["version"] == 1

    def test_installs_what_is_given(self, sandbox: Installation, served: Served) -> None:
        product = {"sku": "A-1", "name": "Крем", "brand": "Лунария"}
        _, program = sandbox.ask("GET", "/v1/program", key=sandbox.key)
        document = program["document"] | {"name": "Другая"}
        given = {"program": document, "catalog": [product]}
        status, _ = sandbox.ask("POST", "/v1/sandbox/reset", given, key=sandbox.key)
        assert status == 200
        _, program = sandbox.ask("GET", "/v1/program", key=sandbox.key)
        assert (program["version"], program["document"]["name"]) == (1, "Другая")
        _, products = sandbox.ask("GET", "/v1/catalog/products", key=sandbox.key)
        assert [one["sku"] for one in products["items"]] == ["A-1"]

    def test_changes_nothing_when_what_is_given_is_wrong(
        self, sandbox: Installation, served: Served
    ) -> None:
        sandbox.ask("POST", "/v1/members", {"phone": "+79000000004"}, key=sandbox.key)
        wrong = {"catalog": [{"sku": "B-1", "name": "", "brand": ""}]}
        status, said = sandbox.ask("POST", "/v1/sandbox/reset", wrong, key=sandbox.key)
        assert (status, said["code"]) == (400, "catalog_invalid")
        assert sandbox.ask("GET", "/v1/members?phone=79000000004", key=sandbox.key)[0] == 200


class TestEnd:
    def test_of_the_database_alone_is_repaired(self, sandbox: Installation, served: Served) -> None:
        first = sandbox.postgres_pid()
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: sandbox.postgres_pid() != first)
        wait_until(lambda: sandbox.ask("GET", "/readyz")[0] == 200)
        assert sandbox.ask("GET", "/v1/program", key=sandbox.key)[0] == 200

    def test_of_the_http_face_alone_is_repaired(
        self, sandbox: Installation, served: Served
    ) -> None:
        web = next(pid for pid in served.pids() if "web" in words_of(pid))
        os.kill(web, signal.SIGKILL)
        wait_until(lambda: web not in running_pids())
        wait_until(lambda: _status(sandbox) == 200)

    def test_by_ctrl_c_is_quick_and_leaves_no_process(
        self, sandbox: Installation, served: Served
    ) -> None:
        pids = served.pids()
        assert len(pids) > 4
        assert sandbox.postgres_pid() in pids
        assert served.ctrl_c() < STOP_SECONDS
        assert served.process.returncode == 0
        assert not pids & running_pids()

    def test_of_the_supervisor_by_kill_9_is_the_end_of_all(
        self, sandbox: Installation, served: Served
    ) -> None:
        served.end()
        began = time.monotonic()
        with sandbox.serving() as again:
            assert time.monotonic() - began < START_SECONDS
            pids = again.pids()
            again.process.kill()
            again.process.wait()
            wait_until(lambda: not pids & running_pids())

    def test_while_starting_is_clean_too(self, sandbox: Installation, served: Served) -> None:
        served.end()
        for seconds in (0.6, 1.2):
            starting = sandbox.start()
            try:
                time.sleep(seconds)
                pids = starting.pids()
                starting.ctrl_c()
                # On a busy machine this may be before the first line of ours: then as Python ends.
                ended = {0, 130, -signal.SIGINT}
                assert starting.process.returncode in ended, starting.log.read_text()
                wait_until(lambda pids=pids: not pids & running_pids())
            finally:
                starting.end()


class TestOutsideTheSandbox:
    def test_installs_nothing_and_says_what_to_do(self) -> None:
        with open_folder() as folder:
            real = Installation(folder, VEZDE_SANDBOX="0")
            with real.serving() as served:
                for words in ("program publish", "catalog import", "keys create --name"):
                    assert words in served.said
                assert not (real.data / "api.key").exists()
                assert not (real.data / "samples").exists()
                key = real.run("keys", "create", "--name", "shop", "--scopes", "all").stdout.strip()
                assert real.ask("GET", "/v1/program", key=key)[0] == 422
                status, said = real.ask("POST", "/v1/sandbox/reset", key=key)
                assert (status, said["code"]) == (422, "not_a_sandbox")
                pids = served.pids()
                served.process.terminate()
                assert served.process.wait(STOP_SECONDS) == 0
                assert not pids & running_pids()

    def test_refuses_a_database_whose_clock_was_moved(
        self, sandbox: Installation, served: Served
    ) -> None:
        served.end()
        sandbox.run("clock", "advance", "P1D")
        ran = sandbox.run("serve", code=1, VEZDE_SANDBOX="0")
        assert "VEZDE_SANDBOX=1" in ran.stderr


class TestRoles:
    @pytest.fixture
    def elsewhere(self, server: Server, tmp_path: Path) -> Iterator[Installation]:
        """An installation on a PostgreSQL that somebody else runs."""
        name = f"vezde_serve_{time.time_ns()}"
        ident, owner = sql.Identifier(name), sql.Identifier(OWNER)
        server.run(sql.SQL("CREATE DATABASE {} OWNER {}").format(ident, owner))
        yield Installation(
            tmp_path,
            VEZDE_DATABASE_URL=server.conninfo(name, APP),
            VEZDE_DATABASE_OWNER_URL=server.conninfo(name, OWNER),
        )
        server.run(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(ident))

    def test_run_apart_on_one_database(self, elsewhere: Installation) -> None:
        ran = elsewhere.run("serve", "--role", "web", code=1)
        assert "vezde db migrate" in ran.stderr
        assert "0001_kit_base.sql" in elsewhere.run("db", "migrate").stdout
        web = elsewhere.start("--role", "web")
        workers = elsewhere.start("--role", "worker", "--workers", "2")
        try:
            wait_until(lambda: _status(elsewhere) == 200)
            assert len(workers.pids()) == 3
            for part in (web, workers):
                assert part.ctrl_c() < STOP_SECONDS
                assert part.process.returncode == 0
        finally:
            web.end()
            workers.end()
        assert not (elsewhere.data / "pgdata").exists()

    def test_of_a_part_need_a_database_elsewhere(self, tmp_path: Path) -> None:
        for words in (
            ("--role", "web"),
            ("--role", "worker"),
            ("--role", "worker", "--workers", 1),
        ):
            ran = Installation(tmp_path).run("serve", *words, code=1)
            assert "VEZDE_DATABASE_URL" in ran.stderr

    @pytest.mark.parametrize(
        ("variable", "login"), [("VEZDE_DATABASE_OWNER_URL", OWNER), ("VEZDE_DATABASE_URL", APP)]
    )
    def test_say_when_the_database_does_not_let_them_in(
        self, elsewhere: Installation, variable: str, login: str
    ) -> None:
        wrong = elsewhere.environment[variable].replace(login, "nobody_at_all")
        ran = elsewhere.run("serve", code=1, **{variable: wrong})
        assert "does not let us in" in ran.stderr
        assert "Traceback" not in ran.stderr


@pytest.mark.skipif(not ROOT, reason="only root can become another user")
def test_an_ordinary_user_needs_nothing_else() -> None:
    nobody = pwd.getpwnam("nobody")
    with open_folder() as folder:
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        theirs = Installation(
            folder, python=interpreter_for(nobody), VEZDE_SANDBOX="1", HOME=str(folder)
        )
        with theirs.serving(user=nobody.pw_uid) as served:
            assert theirs.ask("GET", "/readyz")[0] == 200
            pids = served.pids()
            assert {Path(f"/proc/{pid}").stat().st_uid for pid in pids} == {nobody.pw_uid}
            assert served.ctrl_c() < STOP_SECONDS
        assert {state_of(pid) for pid in pids} == {"Z"}


def _status(installation: Installation) -> int:
    try:
        return installation.ask("GET", "/readyz")[0]
    except OSError:
        return 0
