"""Texts of environment variables read into values, one parser a kind of value.

A parser raises ValueError whose message ends the sentence "NAME is …" and says what is expected; it
never repeats a secret.
"""

import base64
import binascii
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

KEY_BYTES = 32

CONNINFO = "expected like postgresql://login:password@host:5432/vezde."


def host(text: str) -> str:
    if not re.fullmatch(r"[\w.:%-]+", text):
        raise ValueError(f"{text!r}; expected a host name or an address, like 127.0.0.1.")
    return text


def whole(least: int, most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text) or not least <= int(text) <= most:
            raise ValueError(f"{text!r}; expected a whole number from {least} to {most}.")
        return int(text)

    return parse


def one_of(*words: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text.lower() not in words:
            raise ValueError(f"{text!r}; expected one of {', '.join(words)}.")
        return text.lower()

    return parse


def sandbox(text: str) -> bool | str:
    meanings: dict[str, bool | str] = {"0": False, "1": True, "auto": "auto"}
    if text not in meanings:
        raise ValueError(f"{text!r}; expected 0, 1 or auto.")
    return meanings[text]


def switch(text: str) -> bool:
    if text not in {"0", "1"}:
        raise ValueError(f"{text!r}; expected 0 or 1.")
    return text == "1"


def folder(text: str) -> Path:
    return Path(text).expanduser().absolute()


def existing_file(text: str) -> Path:
    path = folder(text)
    if not path.is_file():
        raise ValueError(f"{text!r}, which is not a file; expected an existing one.")
    return path


def domain(text: str) -> str:
    """A host's name as mail writes it, folded, in ASCII."""
    try:
        name = text.rstrip(".").encode("idna").decode("ascii").casefold()
    except UnicodeError:
        name = ""
    if not re.fullmatch(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}", name):
        raise ValueError(f"{text!r}; expected a domain, like mail.club.example.ru.")
    return name


def existing_folder(text: str) -> Path:
    path = folder(text)
    if not path.is_dir():
        raise ValueError(f"{text!r}, which is not a folder; expected an existing one.")
    return path


def base(text: str) -> str:
    try:
        parts = urlsplit(text)
        good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        good = False
    if not good or parts.query or parts.fragment or parts.username or re.search(r"\s", text):
        raise ValueError("not an address; expected like https://example.org, without a query.")
    return text.rstrip("/")


def conninfo(text: str) -> str:
    if not conninfo_parts(text).get("user"):
        raise ValueError("without a login; " + CONNINFO)
    return text


def bot_token(text: str) -> str:
    if not re.fullmatch(r"[0-9]+:[A-Za-z0-9_-]+", text):
        raise ValueError("not a bot's token; expected digits, a colon and letters, from BotFather.")
    return text


def bot_name(text: str) -> str:
    name = text.removeprefix("@")
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{3,31}", name):
        raise ValueError(f"{text!r}; expected the bot's user name, like lunaria_bot.")
    return name


def proxy(text: str) -> str:
    try:
        parts = urlsplit(text)
        good = parts.scheme in {"socks5", "socks4", "http"} and parts.hostname and parts.port
    except ValueError:
        good = False
    if not good or re.search(r"\s", text):
        raise ValueError("not a proxy's address; expected like socks5://login:password@host:1080.")
    return text


def webhook(text: str) -> str:
    url = base(text)
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in {"127.0.0.1", "localhost", "::1"}:
        raise ValueError("without https, which Telegram asks for.")
    return url


def webhook_secret(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_-]{16,256}", text):
        raise ValueError("not a secret; expected 16 to 256 of A-Z, a-z, 0-9, _ and -.")
    return text


def token(text: str) -> str:
    if not re.fullmatch(r"[!-~]+", text):
        raise ValueError("not a token; expected letters and digits without spaces.")
    return text


def sms_sender(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9 ._-]{1,11}|[0-9]{1,15}", text):
        raise ValueError(f"{text!r}; expected up to 11 letters and digits, or a number.")
    return text


def key(text: str) -> bytes:
    try:
        found = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        found = b""
    if len(found) != KEY_BYTES:
        raise ValueError(
            f"not a key; expected {KEY_BYTES} random bytes in base64, "
            "as `openssl rand -base64 32` gives."
        )
    return found


def conninfo_parts(text: str) -> dict[str, Any]:
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    try:
        return dict(conninfo_to_dict(text))
    except ProgrammingError as error:
        raise ValueError("not an address of a database; " + CONNINFO) from error
