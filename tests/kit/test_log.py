import io
import json
import logging
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from vezde.kit import log
from vezde.kit.log import redact, redact_text

ANNA = "+79160000001"
KEY = "vezde_k3Yk3Yk3Yk3Yk3Yk3Yk3Yk3Y"
BOT = "7012345678:AAbbccddeeffgghhiijjkkllmmnnooppqqr"
QR = "t=20261118T0900&s=100.00&fn=9999078900001234&i=123&fp=1234567890&n=1"


@pytest.fixture
def restored() -> Iterator[None]:
    root, hooks = logging.getLogger(), (sys.excepthook, threading.excepthook)
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    sys.excepthook, threading.excepthook = hooks
    structlog.reset_defaults()


@pytest.fixture
def lines(restored: None) -> io.StringIO:
    out = io.StringIO()
    log.configure(level="info", format="json", stream=out)
    return out


@pytest.fixture
def console(restored: None) -> io.StringIO:
    out = io.StringIO()
    log.configure(level="debug", format="console", stream=out)
    return out


def last(out: io.StringIO) -> dict[str, object]:
    found = json.loads(out.getvalue().splitlines()[-1])
    assert isinstance(found, dict)
    return found


@dataclass(frozen=True)
class Person:
    name: str
    phone: str
    birthday: date


class TestConfigure:
    def test_writes_an_object_a_line_for_machines(self, lines: io.StringIO) -> None:
        structlog.get_logger("vezde.receipts").info("receipt_accepted", receipt_id="r1", points=37)
        event = last(lines)
        assert event.pop("timestamp")
        assert event == {
            "event": "receipt_accepted",
            "receipt_id": "r1",
            "points": 37,
            "level": "info",
            "logger": "vezde.receipts",
        }

    def test_writes_a_plain_line_for_people(self, console: io.StringIO) -> None:
        structlog.get_logger("vezde").info("привет", points=37)
        assert "привет" in console.getvalue()
        assert "points=37" in console.getvalue()
        assert "\x1b" not in console.getvalue()

    def test_keeps_quiet_below_the_level(self, lines: io.StringIO) -> None:
        structlog.get_logger("vezde").debug("no")
        logging.getLogger("vezde").debug("no")
        assert lines.getvalue() == ""

    def test_carries_the_standard_library_too(self, lines: io.StringIO) -> None:
        logging.getLogger("uvicorn.error").warning("from %s by %s", ANNA, "GET")
        assert last(lines)["event"] == "from [phone] by GET"
        assert last(lines)["logger"] == "uvicorn.error"

    def test_carries_warnings_too(self, lines: io.StringIO) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            logging.captureWarnings(capture=True)
            warnings.warn(f"old call for {ANNA}", UserWarning, stacklevel=1)
        assert "[phone]" in lines.getvalue()
        assert ANNA not in lines.getvalue()

    def test_may_be_called_again(self, lines: io.StringIO) -> None:
        log.configure(level="info", format="json", stream=lines)
        structlog.get_logger("vezde").info("once")
        assert len(lines.getvalue().splitlines()) == 1


class TestTracebacks:
    @pytest.mark.parametrize("style", ["json", "console"])
    def test_hide_a_phone_in_the_message(self, restored: None, style: str) -> None:
        out = io.StringIO()
        log.configure(level="info", format=style, stream=out)
        try:
            raise LookupError(f"no member with {ANNA} or anna@example.org")
        except LookupError:
            structlog.get_logger("vezde").exception("lookup_failed")
            logging.getLogger("other").exception("lookup failed")
        assert out.getvalue().count("no member with [phone] or [email]") == 2
        assert "Traceback" in out.getvalue()
        assert ANNA not in out.getvalue()
        assert "anna@" not in out.getvalue()

    @pytest.mark.parametrize("style", ["json", "console"])
    def test_hide_it_in_the_cause_and_show_no_local_values(
        self, restored: None, style: str
    ) -> None:
        out = io.StringIO()
        log.configure(level="info", format=style, stream=out)
        maiden_name = "Иванова"
        try:
            try:
                raise ValueError(f"Key (phone)=({ANNA}) already exists")
            except ValueError as error:
                raise RuntimeError(f"with {{'name': {maiden_name!r}}}") from error
        except RuntimeError:
            structlog.get_logger("vezde").exception("failed")
        assert "Key (phone)=[hidden] already exists" in out.getvalue()
        assert maiden_name not in out.getvalue()
        assert ANNA not in out.getvalue()

    def test_of_an_uncaught_error_are_logged_redacted(self) -> None:
        script = (
            "import threading; from vezde.kit import log\n"
            "log.configure(level='info', format='json')\n"
            f"def fail(): raise LookupError('no {ANNA}')\n"
            "t = threading.Thread(target=fail); t.start(); t.join(); fail()"
        )
        source = str(Path(log.__file__).parents[2])
        done = subprocess.run(
            [sys.executable, "-c", script],
            capture_output=True,
            text=True,
            check=False,
            env={"PYTHONPATH": source},
        )
        assert done.returncode == 1
        events = [json.loads(line) for line in done.stderr.splitlines()]
        assert [event["event"] for event in events] == ["crashed", "crashed"]
        assert ANNA not in done.stderr


class TestKeys:
    @pytest.mark.parametrize(
        "key",
        [
            *("phone", "phone_number", "email", "name", "first_name", "username", "birthday"),
            *("token", "telegram_token", "accessToken", "authorization", "Authorization"),
            *("password", "secret_key", "X-Secret", "buyer", "buyerPhoneOrAddress", "buyer_inn"),
            *("cookie", "qr", "qrRaw", "operator", "member_name", "conninfo"),
        ],
    )
    def test_hide_what_is_personal_or_secret(self, lines: io.StringIO, key: str) -> None:
        structlog.get_logger("vezde").info("seen", **{key: "значение"}, deep={"list": [{key: 5}]})
        assert last(lines)[key] == log.HIDDEN
        assert last(lines)["deep"] == {"list": [{key: log.HIDDEN}]}

    @pytest.mark.parametrize(
        "key",
        ["member_id", "seller_name", "stage", "filename", "key_id", "token_id", "hotel", "points"],
    )
    def test_leave_the_rest(self, lines: io.StringIO, key: str) -> None:
        structlog.get_logger("vezde").info("seen", **{key: "value"})
        assert last(lines)[key] == "value"

    def test_leave_the_callers_own_objects_as_they_are(self) -> None:
        given_ = {"phone": ANNA, "inner": [{"email": "anna@example.org"}]}
        assert redact(given_) == {"phone": "[hidden]", "inner": [{"email": "[hidden]"}]}
        assert given_["phone"] == ANNA


class TestValues:
    @pytest.mark.parametrize(
        "text",
        [
            *("+79160000001", "89160000001", "+7 (916) 000-00-01", "8-916-000-00-01", "7 916 0000001"),
            *("phone=+7916 000 00 01", "/v1/members?phone=%2B79160000001", "phone= 79160000001"),
            *("+375 29 000-00-01", "tel:+79160000001", "call 8(916)0000001."),
        ],
    )  # fmt: skip
    def test_lose_phones(self, text: str) -> None:
        assert not any(part in redact_text(text) for part in ("0000001", "00 01", "00-01"))

    @pytest.mark.parametrize(
        ("text", "left"),
        [
            ("write to anna.b+x@mail.example.ru now", "write to [email] now"),
            ("?email=anna%40example.org&x=1", "?email=[hidden]&x=1"),
            (f"Authorization: Bearer {KEY}", "Authorization: [hidden] [hidden]"),
            (f"key {KEY} refused", "key [key] refused"),
            (f"https://api.telegram.org/bot{BOT}/getMe", "https://api.telegram.org/bot[token]/getMe"),
            ("postgresql://app:hunter2@db:5432/vezde", "postgresql://app:[hidden]@db:5432/vezde"),
            ("host=db password=hunter2 user=app", "host=db password=[hidden] user=app"),
            (f"scanned {QR} twice", "scanned [qr] twice"),
            ("{'first_name': 'Анна', 'id': 5}", "{'first_name': [hidden], 'id': 5}"),
            ('{"buyerPhoneOrAddress":"none","fn":"1"}', '{"buyerPhoneOrAddress":[hidden],"fn":"1"}'),
        ],
    )  # fmt: skip
    def test_lose_what_can_be_told_by_its_shape(self, text: str, left: str) -> None:
        assert redact_text(text) == left

    def test_lose_a_person_hidden_in_an_object(self, lines: io.StringIO) -> None:
        anna = Person("Анна", ANNA, date(1990, 5, 1))
        structlog.get_logger("vezde").info("seen", who=anna, several=(anna, {anna}), error=ValueError(ANNA))  # fmt: skip
        text = lines.getvalue()
        assert not any(secret in text for secret in ("Анна", ANNA, "1990"))
        assert last(lines)["error"] == "[phone]"

    def test_lose_phones_that_are_numbers_and_bytes(self) -> None:
        assert redact([79160000001, b"\x00" * 12, 37, 1.5, None, True]) == [
            "[phone]",
            "<12 bytes>",
            37,
            1.5,
            None,
            True,
        ]

    def test_survive_an_object_that_cannot_be_shown(self) -> None:
        class Broken:
            def __repr__(self) -> str:
                raise RuntimeError("no")

        assert redact(Broken()) == "<Broken: no repr, RuntimeError>"

    def test_survive_an_object_that_holds_itself(self) -> None:
        loop: list[object] = [ANNA]
        loop.append(loop)
        assert ANNA not in str(redact(loop))

    @given(st.uuids())
    def test_keep_ids(self, uuid: object) -> None:
        assert redact_text(f"receipt {uuid}") == f"receipt {uuid}"

    @given(st.datetimes(timezones=st.timezones()))
    def test_keep_instants(self, instant: object) -> None:
        text = instant.isoformat()  # type: ignore[attr-defined]
        assert redact_text(text) == text

    def test_keep_fiscal_keys_and_sums(self) -> None:
        text = "fn=9999078900001234 fd=123456 inn 7801234564 total_kopecks 120050"
        assert redact_text(text) == text

    def test_take_little_time_whatever_their_length(self) -> None:
        began = time.perf_counter()
        for piece in ("a", "7", "phone", "a@", "vezde_", "'", "+7 "):
            redact_text(piece * 40_000)
        assert time.perf_counter() - began < 4
