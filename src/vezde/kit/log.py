"""Logging without persons in it: structlog and the standard library through one redactor.

`configure` is called once by whoever starts a process. Every event, whoever wrote it and whatever
it carries, tracebacks included, passes `redact` on its way out: values whose key names something
personal or secret are hidden, and texts lose phones, e-mails, keys, tokens and receipts' QR codes.
Log ids, not people; this is the net below that rule.
"""

import logging
import re
import sys
import threading
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from types import TracebackType
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor

HIDDEN = "[hidden]"
DEEPEST = 8

# --- by key --------------------------------------------------------------------------------------

# A key is split into words: buyerPhoneOrAddress -> buyer, phone, or, address.
WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")
PERSONAL_WORDS = frozenset(
    {
        *("phone", "phones", "tel", "email", "emails", "mail", "birthday", "birthdate"),
        *("buyer", "buyers", "qr", "qrraw", "conninfo", "dsn", "authorization", "bearer"),
        *("token", "tokens", "cookie", "password", "passwords", "passwd", "secret", "secrets"),
    }
)
# The shops' names may be logged, people's may not: a lone name, or one that says whose it is.
NAMES = frozenset({"name", "username", "patronymic", "surname", "fullname"})
WHOSE = frozenset(
    {"first", "last", "middle", "full", "given", "family", "member", "person", "customer", "user"}
)
# A cashier on a receipt is a person too.
CASHIER = frozenset({"operator", "cashier"})
# Keys whose value is the program's own text, redacted by pattern only.
OWN = frozenset({"event", "level", "timestamp", "logger", "exception", "stack"})

# --- by pattern ----------------------------------------------------------------------------------

_SEP = r"[\s\-‐‑–().]{0,3}"
_KEYS = (
    r"\w{0,30}(?:phone(?:_?number)?|e_?mail|birthday|birth_?date|token|authorization|password|"
    r"passwd|secret(?:_key)?|api_?key|conninfo|dsn)|buyer\w{0,30}"
)
_NAME_KEYS = r"(?:first|last|middle|full|given|family|user)?_?name|buyer|operator|cashier"
_QUOTED = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\""""

PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    # A receipt's QR code: whoever has it can claim the receipt.
    (re.compile(r"\bt=\d{8}T\d{4,6}&s=[\d.,]+&fn=\d+&i=\d+&fp=\d+(?:&n=\d)?"), "[qr]"),
    (re.compile(r"(?i)(\bbearer\s+)[\w.~+/=-]+"), rf"\1{HIDDEN}"),
    (re.compile(r"\bvezde_[A-Za-z0-9_\-]{16,}"), "[key]"),
    (re.compile(r"(?<!\d)\d{5,}:[A-Za-z0-9_-]{25,}"), "[token]"),
    (re.compile(r"(://[^\s/:@]*:)[^\s/@]+@"), rf"\1{HIDDEN}@"),
    (re.compile(r"[\w.+-]{1,64}(?:@|%40)[\w-]+(?:\.[\w-]+)+"), "[email]"),
    # +7 916 000-00-01, 8(916)0000001, %2B79160000001; any other country's with its plus.
    (
        re.compile(rf"(?<![\w.])(?:\+|%2B)?[78]{_SEP}\d{{3}}{_SEP}\d{{3}}{_SEP}\d\d{_SEP}\d\d(?!\w)"),
        "[phone]",
    ),
    (re.compile(r"(?:\+|%2B)\d(?:[\s\-().]?\d){9,14}(?!\w)"), "[phone]"),
    # key=value, 'key': value, "key": "value", Key (key)=(value), birthday=date(1990, 5, 1)
    (
        re.compile(
            rf"(?i)\b((?:{_KEYS})\b['\")]?\s*[=:]\s*)"
            rf"(?:{_QUOTED}|\[\w+\]|\w[\w.]*\([^)]*\)|\([^)]*\)|[^\s,;)}}\]&'\"]+)"
        ),
        rf"\1{HIDDEN}",
    ),
    (
        re.compile(rf"(?i)\b((?:{_NAME_KEYS})\b['\")]?\s*[=:]\s*)(?:{_QUOTED}|\([^)]*\))"),
        rf"\1{HIDDEN}",
    ),
)  # fmt: skip

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def configure(*, level: str, format: str, stream: TextIO | None = None) -> None:  # noqa: A002 - as the variable is named
    """Send all events of at least this level to `stream` (standard error when None).

    `level` is debug, info, warning or error; `format` is console (for people) or json (an object a
    line). Uncaught exceptions of any thread are logged too. May be called again.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    out = stream or sys.stderr
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.StackInfoRenderer(),
                # To text first: a traceback must pass the redactor like anything else.
                structlog.processors.format_exc_info,
                redact_event,
                _renderer(format, out),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(LEVELS[level])
    logging.captureWarnings(capture=True)
    sys.excepthook = _log_uncaught
    threading.excepthook = _log_uncaught_in_thread


def redact_event(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """The redactor as structlog's processor."""
    return {
        key: redact(value) if key in OWN or not is_personal(key) else HIDDEN
        for key, value in event.items()
    }


def redact(value: Any, *, depth: int = 0) -> Any:
    """The value without anything personal or secret; containers are copied, never changed."""
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return redact_text(str(value)) if re.fullmatch(r"[78]9\d{9}", str(value)) else value
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return f"<{len(value)} bytes>"
    if depth < DEEPEST:
        if isinstance(value, Mapping):
            return {
                redact_text(str(key)): (
                    HIDDEN if is_personal(str(key)) else redact(item, depth=depth + 1)
                )
                for key, item in value.items()
            }
        if isinstance(value, Sequence | AbstractSet):
            return [redact(item, depth=depth + 1) for item in value]
    return redact_text(_described(value))


def redact_text(text: str) -> str:
    """The text with phones, e-mails, keys, tokens and QR codes replaced by what they are."""
    for pattern, replacement in PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def is_personal(key: str) -> bool:
    """Whether a value is hidden for its key's sake, whatever it is."""
    words = [word.lower() for word in WORDS.findall(key)]
    if not words or words[-1] in ("id", "ids"):
        return False
    if key.lower() in NAMES | CASHIER or not PERSONAL_WORDS.isdisjoint(words):
        return True
    return words[-1] == "name" and not WHOSE.isdisjoint(words)


def _described(value: Any) -> str:
    try:
        return str(value) if isinstance(value, BaseException) else repr(value)
    except Exception as error:
        return f"<{type(value).__name__}: no repr, {type(error).__name__}>"


def _renderer(format: str, out: TextIO) -> Processor:  # noqa: A002
    if format == "json":
        return structlog.processors.JSONRenderer(ensure_ascii=False, default=str)
    return structlog.dev.ConsoleRenderer(
        colors=out.isatty(),
        # The pretty one prints the values of local variables.
        exception_formatter=structlog.dev.plain_traceback,
    )


def _log_uncaught(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    structlog.get_logger("vezde").critical("crashed", exc_info=(kind, error, trace))


def _log_uncaught_in_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is not None and not issubclass(args.exc_type, SystemExit):
        _log_uncaught(args.exc_type, args.exc_value, args.exc_traceback)
