"""What goes wrong to order. Codes and statuses are the vendor's: https://smsc.ru/api/http/"""

from dataclasses import dataclass

MESSAGES = {
    1: "parameters error",
    2: "authorise error",
    3: "no money",
    4: "IP is blocked",
    5: "date error",
    6: "message is denied",
    7: "invalid number",
    8: "can't be delivered to this number",
    9: "duplicate request, wait a minute",
}
UNDERWAY, DELIVERED, EXPIRED, UNDELIVERABLE, UNREACHABLE = 0, 1, 3, 20, 25


@dataclass(frozen=True)
class Fault:
    """What a request gets instead of its answer.

    `code` is a refusal of the vendor's own; `then` is "answer", "cut" (the connection dies) or
    "hang". `taken`: it was done all the same.
    """

    code: int | None = None
    status: int = 200
    body: bytes = b""
    delay_seconds: float = 0
    then: str = "answer"
    taken: bool = False


def refused(code: int) -> Fault:
    """Any refusal of the vendor's own."""
    return Fault(code=code)


def no_balance() -> Fault:
    return refused(3)


def forbidden() -> Fault:
    return refused(6)


def invalid_number() -> Fault:
    return refused(7)


def undeliverable() -> Fault:
    return refused(8)


def duplicate() -> Fault:
    return refused(9)


def http(status: int, *, taken: bool = False) -> Fault:
    """A gateway's page instead of JSON."""
    return Fault(status=status, body=b"<html>Bad Gateway</html>", taken=taken)


def slow(seconds: float) -> Fault:
    """The true answer, late."""
    return Fault(delay_seconds=seconds, then="pass")


def cut(*, taken: bool = False) -> Fault:
    """The connection dies; whether it was done is `taken`."""
    return Fault(then="cut", taken=taken)


def silence(*, taken: bool = False) -> Fault:
    """No answer ever: the client's own time limit ends it."""
    return Fault(then="hang", taken=taken)


NAMED = {
    "no_balance": no_balance,
    "forbidden": forbidden,
    "invalid_number": invalid_number,
    "undeliverable": undeliverable,
    "duplicate": duplicate,
    "cut": cut,
    "silence": silence,
}
