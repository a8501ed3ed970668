import base64
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from vezde import settings
from vezde.settings import SettingsInvalid

KEY = base64.b64encode(bytes(range(32))).decode()
TOKEN = "123456789:AAbbccddeeffgghhiijjkkllmmnnooppqqr"
APP = "postgresql://vezde_app:app-secret@db:5432/vezde"
OWNER = "postgresql://vezde_owner:owner-secret@db:5432/vezde"


def refusal(environ: Mapping[str, str]) -> SettingsInvalid:
    with pytest.raises(SettingsInvalid) as caught:
        settings.load(environ)
    return caught.value


class TestDefaults:
    def test_need_nothing_at_all(self) -> None:
        found = settings.load({})
        assert (found.http.host, found.http.port) == ("127.0.0.1", 8000)
        assert found.data_dir == Path.cwd() / "var"
        assert (found.database.url, found.database.owner_url) == (None, None)
        assert found.sandbox is False
        assert found.secret_key is None
        assert found.telegram.api_base == "https://api.telegram.org"
        assert found.proverkacheka.base == "https://proverkacheka.com"
        assert (found.log.level, found.log.format, found.locale) == ("info", "console", "ru")

    @pytest.mark.parametrize(
        ("host", "address"),
        [
            ("127.0.0.1", "http://127.0.0.1:8000"),
            ("0.0.0.0", "http://127.0.0.1:8000"),
            ("::", "http://[::1]:8000"),
        ],
    )
    def test_let_links_lead_to_this_machine(self, host: str, address: str) -> None:
        assert settings.load({"VEZDE_HTTP_HOST": host}).public_url == address

    def test_hold_for_an_empty_variable_too(self) -> None:
        assert settings.load({"VEZDE_TELEGRAM_TOKEN": "", "VEZDE_HTTP_PORT": " "}) == settings.load(
            {}
        )

    def test_are_written_as_one_would_write_them(self) -> None:
        written = {variable.name: variable.default for variable in settings.VARIABLES}
        assert settings.load(written) == settings.load({})

    def test_leave_other_programs_variables_alone(self) -> None:
        settings.load({"PATH": "/bin", "VEZDE_TEST_SERVER": "x", "VEZDE_SHARED": "y"})


class TestLoad:
    def test_reads_every_variable(self, tmp_path: Path) -> None:
        found = settings.load(
            {
                "VEZDE_HTTP_HOST": "0.0.0.0",
                "VEZDE_HTTP_PORT": "9000",
                "VEZDE_PUBLIC_URL": "https://club.example.ru/",
                "VEZDE_DATA_DIR": "/srv/vezde",
                "VEZDE_DATABASE_URL": APP,
                "VEZDE_DATABASE_OWNER_URL": OWNER,
                "VEZDE_WORKERS": "4",
                "VEZDE_SANDBOX": "1",
                "VEZDE_SECRET_KEY": KEY,
                "VEZDE_TELEGRAM_TOKEN": TOKEN,
                "VEZDE_TELEGRAM_API_BASE": "http://127.0.0.1:8081/",
                "VEZDE_TELEGRAM_BOT": "@lunaria_bot",
                "VEZDE_PROVERKACHEKA_TOKEN": "27.abcDEF",
                "VEZDE_PROVERKACHEKA_BASE": "http://fake:1",
                "VEZDE_DOCUMENTS_DIR": str(tmp_path),
                "VEZDE_LOG_LEVEL": "DEBUG",
                "VEZDE_LOG_FORMAT": "json",
                "VEZDE_LOCALE": "en",
            }
        )
        assert found.http == settings.Http("0.0.0.0", 9000)
        assert found.data_dir == Path("/srv/vezde")
        assert found.database == settings.Database(APP, OWNER)
        assert (found.workers, found.sandbox) == (4, True)
        assert found.secret_key == bytes(range(32))
        assert found.public_url == "https://club.example.ru"
        assert found.telegram == settings.Telegram(TOKEN, "http://127.0.0.1:8081", "lunaria_bot")
        assert found.proverkacheka == settings.Proverkacheka("27.abcDEF", "http://fake:1")
        assert found.documents_dir == tmp_path
        assert found.log == settings.Log("debug", "json")
        assert found.locale == "en"

    def test_reads_secrets_from_files(self, tmp_path: Path) -> None:
        token, key = tmp_path / "token", tmp_path / "key"
        token.write_text(f"{TOKEN}\n")
        key.write_text(f"{KEY}\n")
        found = settings.load(
            {"VEZDE_TELEGRAM_TOKEN_FILE": str(token), "VEZDE_SECRET_KEY_FILE": str(key)}
        )
        assert (found.telegram.token, found.secret_key) == (TOKEN, bytes(range(32)))

    def test_takes_key_value_conninfos_as_well(self) -> None:
        app, owner = "host=db user=app dbname=vezde", "host=db user=owner dbname=vezde"
        found = settings.load({"VEZDE_DATABASE_URL": app, "VEZDE_DATABASE_OWNER_URL": owner})
        assert found.database.url == app

    def test_shows_no_secret_when_printed(self) -> None:
        found = settings.load(
            {
                "VEZDE_DATABASE_URL": APP,
                "VEZDE_DATABASE_OWNER_URL": OWNER,
                "VEZDE_SECRET_KEY": KEY,
                "VEZDE_TELEGRAM_TOKEN": TOKEN,
                "VEZDE_PROVERKACHEKA_TOKEN": "27.abcDEF",
            }
        )
        for secret in ("app-secret", "owner-secret", "\\x01\\x02", TOKEN, "27.abcDEF"):
            assert secret not in repr(found)

    def test_reads_no_environment_when_imported(self) -> None:
        script = "import os; os.environ = os.getenv = None; import vezde.settings"
        source = str(Path(settings.__file__).parents[1])
        environ = {**os.environ, "PYTHONPATH": source}
        subprocess.run([sys.executable, "-c", script], check=True, env=environ)


class TestRefuses:
    @pytest.mark.parametrize(
        ("name", "text", "expected"),
        [
            ("VEZDE_HTTP_PORT", "eighty", "from 1 to 65535"),
            ("VEZDE_HTTP_PORT", "70000", "'70000'"),
            ("VEZDE_HTTP_HOST", "http://x", "127.0.0.1"),
            ("VEZDE_WORKERS", "0", "from 1 to 64"),
            ("VEZDE_FACES", "0", "from 1 to 16"),
            ("VEZDE_SANDBOX", "yes", "expected 0, 1 or auto"),
            ("VEZDE_TELEGRAM_API_BASE", "api.telegram.org", "https://example.org"),
            ("VEZDE_PROVERKACHEKA_BASE", "https://x:port", "https://example.org"),
            ("VEZDE_PUBLIC_URL", "club.example.ru", "https://example.org"),
            ("VEZDE_TELEGRAM_BOT", "https://t.me/x", "lunaria_bot"),
            ("VEZDE_DOCUMENTS_DIR", "/no/such/folder", "existing"),
            ("VEZDE_LOG_LEVEL", "loud", "debug, info, warning, error"),
            ("VEZDE_LOG_FORMAT", "xml", "console, json"),
            ("VEZDE_LOCALE", "fr", "ru, en"),
            ("VEZDE_SECRET_KEY", "c2hvcnQ=", "32 random bytes"),
            ("VEZDE_TELEGRAM_TOKEN", "hunter2", "BotFather"),
            ("VEZDE_PROVERKACHEKA_TOKEN", "two words", "without spaces"),
            ("VEZDE_DATABASE_URL", "mysql:hunter2@db", "postgresql://"),
            ("VEZDE_DATABASE_URL", "postgresql://db/vezde", "without a login"),
        ],
    )
    def test_a_malformed_value_by_name_with_what_is_expected(
        self, name: str, text: str, expected: str
    ) -> None:
        error = refusal({name: text})
        assert error.detail.startswith(f"{name} is ")
        assert expected in error.detail
        assert "hunter2" not in error.detail
        assert [problem.path for problem in error.errors] == [name]

    def test_an_unknown_name_and_offers_the_nearest(self) -> None:
        assert "did you mean VEZDE_TELEGRAM_TOKEN?" in refusal({"VEZDE_TELEGRAM_TOKN": "x"}).detail
        assert "VEZDE_SECRET_KEY_FILE?" in refusal({"VEZDE_SECRETKEY_FILE": "x"}).detail
        assert "remove it" in refusal({"VEZDE_COLOUR_OF_THE_SKY": "x"}).detail
        assert "VEZDE_HTTP_PORT" in refusal({"VEZDE_HTTP_PORT_FILE": "x"}).detail

    def test_everything_wrong_at_once(self) -> None:
        error = refusal({"VEZDE_HTTP_PRT": "1", "VEZDE_HTTP_PORT": "x", "VEZDE_LOCALE": "fr"})
        paths = [problem.path for problem in error.errors]
        assert paths == ["VEZDE_HTTP_PRT", "VEZDE_HTTP_PORT", "VEZDE_LOCALE"]
        assert len(error.detail.splitlines()) == 3

    def test_a_secret_given_twice(self, tmp_path: Path) -> None:
        given = {"VEZDE_TELEGRAM_TOKEN": TOKEN, "VEZDE_TELEGRAM_TOKEN_FILE": str(tmp_path / "t")}
        assert "keep one of them" in refusal(given).detail

    @pytest.mark.parametrize("content", [None, b"", b"\xff\xfe"])
    def test_a_file_it_cannot_read(self, tmp_path: Path, content: bytes | None) -> None:
        path = tmp_path / "token"
        if content is not None:
            path.write_bytes(content)
        detail = refusal({"VEZDE_TELEGRAM_TOKEN_FILE": str(path)}).detail
        assert detail.startswith("VEZDE_TELEGRAM_TOKEN is to come from")
        assert str(path) in detail

    def test_one_login_without_the_other(self) -> None:
        detail = refusal({"VEZDE_DATABASE_URL": APP}).detail
        assert detail.startswith("VEZDE_DATABASE_OWNER_URL is not set")
        assert "two logins" in detail
        detail = refusal({"VEZDE_DATABASE_OWNER_URL": OWNER}).detail
        assert detail.startswith("VEZDE_DATABASE_URL is not set")

    def test_the_same_login_twice(self) -> None:
        given = {"VEZDE_DATABASE_URL": APP, "VEZDE_DATABASE_OWNER_URL": APP}
        assert "same login" in refusal(given).detail


class TestSandbox:
    @pytest.mark.parametrize(
        "given",
        [
            {"VEZDE_TELEGRAM_TOKEN": TOKEN},
            {"VEZDE_TELEGRAM_TOKEN": TOKEN, "VEZDE_TELEGRAM_API_BASE": "https://API.telegram.org:443/"},
            {"VEZDE_PROVERKACHEKA_TOKEN": "27.x"},
            {"VEZDE_PROVERKACHEKA_TOKEN": "27.x", "VEZDE_PROVERKACHEKA_BASE": "https://www.proverkacheka.com"},
        ],
    )  # fmt: skip
    def test_refuses_to_start_beside_a_real_vendor(self, given: dict[str, str]) -> None:
        detail = refusal({"VEZDE_SANDBOX": "1", **given}).detail
        assert next(iter(given)) in detail
        assert settings.load({**given}).sandbox is False
        assert settings.load({"VEZDE_SANDBOX": "auto", **given}).sandbox is False

    @pytest.mark.parametrize(
        "given",
        [
            {},
            {"VEZDE_TELEGRAM_TOKEN": TOKEN, "VEZDE_TELEGRAM_API_BASE": "http://127.0.0.1:9"},
            {"VEZDE_PROVERKACHEKA_TOKEN": "27.x", "VEZDE_PROVERKACHEKA_BASE": "http://notproverkacheka.com"},
        ],
    )  # fmt: skip
    def test_opens_beside_fakes(self, given: dict[str, str]) -> None:
        assert settings.load({"VEZDE_SANDBOX": "1", **given}).sandbox is True
        assert settings.load({"VEZDE_SANDBOX": "auto", **given}).sandbox is True
        assert settings.load({"VEZDE_SANDBOX": "0", **given}).sandbox is False


def _key_of(folder: str) -> bytes:
    return settings.secret_key(settings.load({"VEZDE_DATA_DIR": folder}))


class TestSecretKey:
    def test_is_the_one_given(self) -> None:
        assert settings.secret_key(settings.load({"VEZDE_SECRET_KEY": KEY})) == bytes(range(32))

    def test_is_made_once_and_kept_to_its_owner(self, tmp_path: Path) -> None:
        folder = tmp_path / "var"
        first = _key_of(str(folder))
        assert len(first) == 32
        assert _key_of(str(folder)) == first
        assert (folder / "secret.key").stat().st_mode & 0o777 == 0o600
        assert [path.name for path in folder.iterdir()] == ["secret.key"]

    def test_is_the_same_for_processes_that_start_together(self, tmp_path: Path) -> None:
        script = (
            "from vezde import settings\n"
            f"found = settings.load({{'VEZDE_DATA_DIR': {str(tmp_path)!r}}})\n"
            "input()\n"
            "print(settings.secret_key(found).hex())"
        )
        source = str(Path(settings.__file__).parents[1])
        together = [
            subprocess.Popen(
                [sys.executable, "-c", script],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env={**os.environ, "PYTHONPATH": source},
            )
            for _ in range(6)
        ]
        for one in together:
            assert one.stdin is not None
            one.stdin.write("\n")
            one.stdin.flush()
        keys = {one.communicate(timeout=20)[0] for one in together}
        assert len(keys) == 1
        assert len(keys.pop()) == 65

    def test_is_refused_when_others_may_read_it(self, tmp_path: Path) -> None:
        _key_of(str(tmp_path))
        (tmp_path / "secret.key").chmod(0o644)
        with pytest.raises(SettingsInvalid, match="chmod 600"):
            _key_of(str(tmp_path))

    def test_is_refused_when_damaged_and_never_made_anew(self, tmp_path: Path) -> None:
        path = tmp_path / "secret.key"
        path.write_text("half")
        path.chmod(0o600)
        with pytest.raises(SettingsInvalid, match="not a key"):
            _key_of(str(tmp_path))
        assert path.read_text() == "half"

    def test_says_when_it_cannot_be_made(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(SettingsInvalid, match="VEZDE_DATA_DIR"):
            _key_of(str(tmp_path / "file" / "var"))


class TestVariables:
    def test_are_named_once_and_say_what_they_do(self) -> None:
        names = [variable.name for variable in settings.VARIABLES]
        assert len(set(names)) == len(names)
        assert all(variable.what.endswith(".") for variable in settings.VARIABLES)
