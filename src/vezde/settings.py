"""What the environment decides: one frozen `Settings`, a section a domain, from `VEZDE_*`.

`load(environ)` is called once by whoever starts; nothing reads the environment at import. Every
variable stands once in `VARIABLES`, from which the reference page is made. A secret may also come
as `NAME_FILE`, the path of a file that holds it. An empty variable counts as not set.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from vezde.kit import parsing, variables
from vezde.kit.errors import DomainError, FieldError, Kind
from vezde.kit.variables import Variable

PREFIX = "VEZDE_"
FOREIGN = frozenset({"VEZDE_TEST_SERVER", "VEZDE_SHARED"})  # read by the tests, not by Vezde
PLAYGROUND = "/playground"  # where the fake messenger of a sandbox is
TELEGRAM_BASE = "https://api.telegram.org"
PROVERKACHEKA_BASE = "https://proverkacheka.com"
FNS_BASE = "https://openapi.nalog.ru:8090"
QR_CASH_BASE = "https://ofd.ru"
SMS_BASE = "https://smsc.ru"


class SettingsInvalid(DomainError):
    """Every wrong variable at once: `errors` names each, the detail has a sentence for each."""

    code = "settings_invalid"
    kind = Kind.INVALID


@dataclass(frozen=True)
class Http:
    host: str
    port: int
    faces: int = 1  # processes that answer there


@dataclass(frozen=True)
class Database:
    """Conninfos of the two logins; both None: the embedded server in the data folder."""

    url: str | None = field(repr=False)
    owner_url: str | None = field(repr=False)


@dataclass(frozen=True)
class Telegram:
    token: str | None = field(repr=False)
    api_base: str
    bot: str | None = None
    proxy: str | None = field(default=None, repr=False)
    per_second: int = 30
    webhook_url: str | None = None
    webhook_secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Proverkacheka:
    token: str | None = field(repr=False)
    base: str


@dataclass(frozen=True)
class Fns:
    """The tax service's open API; the master token of the contract."""

    token: str | None = field(repr=False)
    base: str


@dataclass(frozen=True)
class QrCash:
    """OFD.ru «QR Cash»."""

    token: str | None = field(repr=False)
    base: str


@dataclass(frozen=True)
class Sms:
    """A gateway that speaks SMSC's protocol; segments a day at most."""

    token: str | None = field(repr=False)
    base: str
    sender: str | None = None
    per_day: int = 1000


@dataclass(frozen=True)
class Mail:
    """Members' own addresses at `domain`; None: there are none, and nothing listens."""

    domain: str | None
    host: str
    port: int
    certificate: Path | None = None


@dataclass(frozen=True)
class Log:
    level: str
    format: str


@dataclass(frozen=True)
class Settings:
    http: Http
    public_url: str
    data_dir: Path
    database: Database
    workers: int
    sandbox: bool
    secret_key: bytes | None = field(repr=False)
    telegram: Telegram
    proverkacheka: Proverkacheka
    fns: Fns
    qr_cash: QrCash
    ofd_documents: bool
    ofd_pages: bool
    sms: Sms
    mail: Mail
    documents_dir: Path | None
    webhooks_private: bool
    adjust_alone: int
    unmerge_within: timedelta
    log: Log
    locale: str

    @property
    def fake_telegram(self) -> str | None:
        """Address of the fake that a sandbox's bot speaks to, where it is on this machine."""
        given = self.telegram
        here = urlsplit(given.api_base).hostname in {"127.0.0.1", "::1", "localhost"}
        return given.api_base if self.sandbox and given.token and here else None

    @property
    def playground_url(self) -> str | None:
        """Where a browser on this machine finds the playground; None where there is none."""
        return None if self.fake_telegram is None else f"{own_address(self.http)}{PLAYGROUND}"


def load(environ: Mapping[str, str]) -> Settings:
    """The settings of this environment; raises `SettingsInvalid` with all that is wrong with it."""
    given = {name: text for name, text in environ.items() if name.startswith(PREFIX) and text}
    problems = variables.unknown(VARIABLES, given, foreign=FOREIGN)
    values: dict[str, Any] = {}
    for variable in VARIABLES:
        try:
            text = variables.text(variable, given) or variable.default
            values[variable.name] = variable.parse(text) if text else None
        except ValueError as error:
            problems.append(FieldError(variable.name, "malformed", f"{variable.name} is {error}"))
    if not problems:
        problems += _contradictions(values)
    if problems:
        raise SettingsInvalid(
            "\n".join(problem.detail for problem in problems), errors=tuple(problems)
        )
    return _settled(values)


def secret_key(settings: Settings) -> bytes:
    """The installation's key: the one set, else the one in the data folder, made at the first call.

    32 bytes that every process shares: who loses them loses the members' sealed fields. Raises
    `SettingsInvalid` when the file is damaged or others may read it.
    """
    if settings.secret_key is not None:
        return settings.secret_key
    path = settings.data_dir / "secret.key"
    try:
        if not path.exists():
            variables.make_secret(path)
        if path.stat().st_mode & 0o077:
            raise ValueError(f"open to others; close it: chmod 600 {path}")
        return parsing.key(path.read_text("ascii").strip())
    except OSError as error:
        raise SettingsInvalid(
            f"The secret key {path} cannot be made or read ({error.strerror}); set VEZDE_DATA_DIR "
            "to a folder of this user, or VEZDE_SECRET_KEY_FILE."
        ) from error
    except ValueError as error:
        raise SettingsInvalid(f"The secret key {path} is {error}") from error


def _settled(values: Mapping[str, Any]) -> Settings:
    def value(name: str) -> Any:
        return values[PREFIX + name]

    sandbox = value("SANDBOX")
    http = Http(value("HTTP_HOST"), value("HTTP_PORT"), value("FACES"))
    return Settings(
        http=http,
        public_url=value("PUBLIC_URL") or own_address(http),
        data_dir=value("DATA_DIR"),
        database=Database(value("DATABASE_URL"), value("DATABASE_OWNER_URL")),
        workers=value("WORKERS"),
        sandbox=not _real_vendors(values) if sandbox == "auto" else sandbox,
        secret_key=value("SECRET_KEY"),
        telegram=Telegram(
            value("TELEGRAM_TOKEN"),
            value("TELEGRAM_API_BASE"),
            value("TELEGRAM_BOT"),
            proxy=value("TELEGRAM_PROXY"),
            per_second=value("TELEGRAM_PER_SECOND"),
            webhook_url=value("TELEGRAM_WEBHOOK_URL"),
            webhook_secret=value("TELEGRAM_WEBHOOK_SECRET"),
        ),
        proverkacheka=Proverkacheka(value("PROVERKACHEKA_TOKEN"), value("PROVERKACHEKA_BASE")),
        fns=Fns(value("FNS_TOKEN"), value("FNS_BASE")),
        qr_cash=QrCash(value("QR_CASH_TOKEN"), value("QR_CASH_BASE")),
        ofd_documents=value("OFD_DOCUMENTS"),
        ofd_pages=value("OFD_PAGES"),
        sms=Sms(value("SMS_TOKEN"), value("SMS_BASE"), value("SMS_SENDER"), value("SMS_PER_DAY")),
        mail=Mail(*(value(f"MAIL_{one}") for one in ("DOMAIN", "HOST", "PORT", "CERTIFICATE"))),
        documents_dir=value("DOCUMENTS_DIR"),
        webhooks_private=value("WEBHOOKS_PRIVATE"),
        adjust_alone=value("ADJUST_ALONE"),
        unmerge_within=timedelta(days=value("UNMERGE_DAYS")),
        log=Log(value("LOG_LEVEL"), value("LOG_FORMAT")),
        locale=value("LOCALE"),
    )


def own_address(http: Http) -> str:
    """The HTTP face's as a browser on this machine writes it."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(http.host, http.host)  # noqa: S104 - compared
    return f"http://{f'[{host}]' if ':' in host else host}:{http.port}"


def _contradictions(values: Mapping[str, Any]) -> list[FieldError]:
    problems = []
    both = ("VEZDE_DATABASE_URL", "VEZDE_DATABASE_OWNER_URL")
    if (values[both[0]] is None) != (values[both[1]] is None):
        there, missing = both if values[both[0]] else both[::-1]
        detail = (
            f"{missing} is not set although {there} is; set both. Vezde uses two logins: the owner "
            "migrates, and the application's may not change what the ledger has written."
        )
        problems.append(FieldError(missing, "missing", detail))
    elif values[both[0]] and _user(values[both[0]]) == _user(values[both[1]]):
        detail = (
            f"{both[0]} and {both[1]} name the same login; the application needs one of its own, "
            "which may not change what the ledger has written."
        )
        problems.append(FieldError(both[0], "same_login", detail))
    both = ("VEZDE_TELEGRAM_WEBHOOK_URL", "VEZDE_TELEGRAM_WEBHOOK_SECRET")
    if (values[both[0]] is None) != (values[both[1]] is None):
        there, missing = both if values[both[0]] else both[::-1]
        detail = (
            f"{missing} is not set although {there} is; set both. Without the secret anybody could "
            "post updates in Telegram's name."
        )
        problems.append(FieldError(missing, "missing", detail))
    if values["VEZDE_SANDBOX"] is True:
        for token in _real_vendors(values):
            detail = (
                f"{token} would reach the vendor itself while VEZDE_SANDBOX is 1, whose clock and "
                "people are not real. Unset VEZDE_SANDBOX, or remove the token, or set the "
                "vendor's base to a fake."
            )
            problems.append(FieldError(token, "real_vendor_in_sandbox", detail))
    return problems


def _real_vendors(values: Mapping[str, Any]) -> list[str]:
    """The token variables that would reach a vendor's own address, by parsed values."""
    own = {
        "VEZDE_TELEGRAM_TOKEN": ("VEZDE_TELEGRAM_API_BASE", TELEGRAM_BASE),
        "VEZDE_PROVERKACHEKA_TOKEN": ("VEZDE_PROVERKACHEKA_BASE", PROVERKACHEKA_BASE),
        "VEZDE_FNS_TOKEN": ("VEZDE_FNS_BASE", FNS_BASE),
        "VEZDE_QR_CASH_TOKEN": ("VEZDE_QR_CASH_BASE", QR_CASH_BASE),
        "VEZDE_SMS_TOKEN": ("VEZDE_SMS_BASE", SMS_BASE),
    }
    return [
        token
        for token, (base, vendors_own) in own.items()
        if values[token] and _is_within(values[base], vendors_own)
    ]


def _user(conninfo: str) -> str | None:
    user = parsing.conninfo_parts(conninfo).get("user")
    return None if user is None else str(user)


def _is_within(base: str, vendors_own: str) -> bool:
    host, vendor = (urlsplit(url).hostname or "" for url in (base, vendors_own))
    host = host.rstrip(".")
    return host == vendor or host.endswith(f".{vendor}")


VARIABLES: tuple[Variable, ...] = (
    Variable("VEZDE_HTTP_HOST", "Address the HTTP face listens on.", "127.0.0.1", parsing.host),
    Variable("VEZDE_HTTP_PORT", "Port of the HTTP face.", "8000", parsing.whole(1, 65535)),
    Variable(
        "VEZDE_PUBLIC_URL",
        "Address of this installation as customers reach it, for links and printed QR codes, like "
        "https://club.example.ru; unset: the HTTP face's own.",
        "",
        parsing.base,
    ),
    Variable(
        "VEZDE_DATA_DIR",
        "Folder of everything this installation keeps: the embedded database, the secret key.",
        "./var",
        parsing.folder,
    ),
    Variable(
        "VEZDE_DATABASE_URL",
        "PostgreSQL 15 or newer for the application's login; unset: the embedded one.",
        "",
        parsing.conninfo,
        secret=True,
    ),
    Variable(
        "VEZDE_DATABASE_OWNER_URL",
        "The same database for the login that owns the tables and migrates.",
        "",
        parsing.conninfo,
        secret=True,
    ),
    Variable("VEZDE_FACES", "Processes that answer HTTP at its port.", "1", parsing.whole(1, 16)),
    Variable("VEZDE_WORKERS", "Worker processes of `vezde serve`.", "2", parsing.whole(1, 64)),
    Variable(
        "VEZDE_SANDBOX",
        "1 opens the sandbox: a clock that can be moved, a reset, fakes instead of vendors. "
        "auto: 1 unless a vendor's token would reach the vendor itself.",
        "0",
        parsing.sandbox,
    ),
    Variable(
        "VEZDE_SECRET_KEY",
        "32 random bytes in base64 that seal persons' fields; unset: secret.key in the data "
        "folder, made at the first start.",
        "",
        parsing.key,
        secret=True,
    ),
    Variable(
        "VEZDE_TELEGRAM_TOKEN", "The bot's token, from BotFather.", "", parsing.bot_token, True
    ),
    Variable(
        "VEZDE_TELEGRAM_BOT",
        "The bot's user name, like lunaria_bot: where links and printed QR codes lead.",
        "",
        parsing.bot_name,
    ),
    Variable("VEZDE_TELEGRAM_API_BASE", "Address of the Bot API.", TELEGRAM_BASE, parsing.base),
    Variable(
        "VEZDE_TELEGRAM_PROXY",
        "Proxy to reach the Bot API by, like socks5://login:password@proxy.example:1080 or "
        "http://proxy.example:3128.",
        "",
        parsing.proxy,
        secret=True,
    ),
    Variable(
        "VEZDE_TELEGRAM_PER_SECOND",
        "Messages a second to all chats; Telegram takes about 30. Answers go before mailings.",
        "30",
        parsing.whole(1, 1000),
    ),
    Variable(
        "VEZDE_TELEGRAM_WEBHOOK_URL",
        "Address that Telegram posts updates to; unset: they are asked for (polling), which needs "
        "no address of one's own.",
        "",
        parsing.webhook,
    ),
    Variable(
        "VEZDE_TELEGRAM_WEBHOOK_SECRET",
        "What Telegram shows with each of them, so that nobody else can: 16 to 256 of A-Z, a-z, "
        "0-9, _ and -.",
        "",
        parsing.webhook_secret,
        secret=True,
    ),
    Variable(
        "VEZDE_FNS_TOKEN",
        "Master token of the tax service's open API, from the contract with it; this machine's "
        "address must be on their list.",
        "",
        parsing.token,
        secret=True,
    ),
    Variable("VEZDE_FNS_BASE", "Address of that API.", FNS_BASE, parsing.base),
    Variable("VEZDE_PROVERKACHEKA_TOKEN", "Token of proverkacheka.com.", "", parsing.token, True),
    Variable(
        "VEZDE_PROVERKACHEKA_BASE", "Address of that provider.", PROVERKACHEKA_BASE, parsing.base
    ),
    Variable(
        "VEZDE_QR_CASH_TOKEN",
        "Token of OFD.ru «QR Cash», a paid window to the tax service.",
        "",
        parsing.token,
        secret=True,
    ),
    Variable("VEZDE_QR_CASH_BASE", "Address of that provider.", QR_CASH_BASE, parsing.base),
    Variable(
        "VEZDE_OFD_DOCUMENTS",
        "1: documents that the brand's own operator of fiscal data pushes to /v1/ofd/documents are "
        "kept and asked for first.",
        "0",
        parsing.switch,
    ),
    Variable(
        "VEZDE_OFD_PAGES",
        "1: public pages of operators of fiscal data are asked last, for best effort; never by a "
        "sandbox.",
        "0",
        parsing.switch,
    ),
    Variable(
        "VEZDE_SMS_TOKEN",
        "API key of the SMS gateway (SMSC's protocol); unset: no SMS is sent, in a sandbox the "
        "shipped fake gets them.",
        "",
        parsing.token,
        secret=True,
    ),
    Variable("VEZDE_SMS_BASE", "Address of that gateway.", SMS_BASE, parsing.base),
    Variable(
        "VEZDE_SMS_SENDER",
        "Sender's name as the gateway has approved it; unset: the gateway's own.",
        "",
        parsing.sms_sender,
    ),
    Variable(
        "VEZDE_SMS_PER_DAY",
        "Segments within 24 hours at most: what a stranger can make this installation pay.",
        "1000",
        parsing.whole(1, 1_000_000),
    ),
    Variable(
        "VEZDE_MAIL_DOMAIN",
        "Domain of members' own addresses, like mail.club.example.ru: receipts that shops send "
        "there register themselves. Its MX record leads here. Unset: there are no such addresses.",
        "",
        parsing.domain,
    ),
    Variable("VEZDE_MAIL_HOST", "Address the SMTP server is at.", "127.0.0.1", parsing.host),
    Variable("VEZDE_MAIL_PORT", "Its port; the world's is 25.", "2525", parsing.whole(1, 65535)),
    Variable(
        "VEZDE_MAIL_CERTIFICATE",
        "PEM file with its certificate chain and key; set, STARTTLS is offered.",
        "",
        parsing.existing_file,
    ),
    Variable(
        "VEZDE_DOCUMENTS_DIR",
        "Folder of fiscal documents that the provider `documents` answers from.",
        "",
        parsing.existing_folder,
    ),
    Variable(
        "VEZDE_WEBHOOKS_PRIVATE",
        "1 lets webhooks go to private addresses, and over http: a system in the same network. "
        "Otherwise they go to public addresses by https alone; a sandbox also to itself.",
        "0",
        parsing.switch,
    ),
    Variable(
        "VEZDE_ADJUST_ALONE",
        "Up to how many points one operator may give or take by hand; above that a second one has "
        "to approve. 0: always two.",
        "1000",
        parsing.whole(0, 1_000_000_000),
    ),
    Variable(
        "VEZDE_UNMERGE_DAYS",
        "For how many days the merge of two members can be undone; so long it is kept, sealed, "
        "what was whose. 0: never.",
        "30",
        parsing.whole(0, 3650),
    ),
    Variable(
        "VEZDE_LOG_LEVEL",
        "Least level that is logged: debug, info, warning, error.",
        "info",
        parsing.one_of("debug", "info", "warning", "error"),
    ),
    Variable(
        "VEZDE_LOG_FORMAT",
        "console for people, json for machines: an object a line.",
        "console",
        parsing.one_of("console", "json"),
    ),
    Variable(
        "VEZDE_LOCALE",
        "Language of pages and messages until a member chooses: ru, en.",
        "ru",
        parsing.one_of("ru", "en"),
    ),
)
