"""What can go wrong: no answer, an answer nobody understands, a problem with its code."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vezde_client import reading

if TYPE_CHECKING:
    from vezde_client.checkout import Quote


class VezdeError(Exception):
    """Anything this client raises about a call."""


class Unreachable(VezdeError):
    """No answer, after all attempts. Whether the call happened is not known: send it again."""


class Unreadable(VezdeError):
    """An answer that is not what the contract says: another server's, or a newer one's."""


@dataclass(frozen=True)
class FieldProblem:
    """One wrong place of a request."""

    path: str
    code: str
    detail: str


class Problem(VezdeError):
    """A refusal: `code` is stable, `detail` says what to do, `extra` is what came beside."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        errors: tuple[FieldProblem, ...] = (),
        extra: Mapping[str, Any] | None = None,
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(f"{code}: {detail}")
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = errors
        self.extra = dict(extra or {})
        self.retry_after_seconds = retry_after_seconds


class Invalid(Problem):
    """400, 413: the request itself is wrong; `errors` names the places."""


class Unauthenticated(Problem):
    """401: no key, a wrong one, a revoked one."""


class Forbidden(Problem):
    """403: the key lacks the scope."""


class Missing(Problem):
    """404."""


class Conflict(Problem):
    """409: not as things stand now."""


class Refused(Problem):
    """422: the programme or the state of things says no."""


class Exhausted(Problem):
    """429: too many at once; `retry_after_seconds`."""


class Unavailable(Problem):
    """503, 502, 504: not just now; `retry_after_seconds`."""


class InsufficientPoints(Conflict):
    """Fewer points are free than were asked for."""


class HoldExpired(Conflict):
    """The hold is over and its points are not free any more: ask for another quote."""


class HoldClosed(Conflict):
    """The hold was committed or cancelled; `extra["state"]`."""


class _Requoted(Conflict):
    @property
    def quote(self) -> "Quote":
        """What it is now; show it and hold by it."""
        from vezde_client.checkout import Quote

        try:
            return reading.read(Quote, self.extra.get("quote"))
        except reading.Unfit as error:
            raise Unreadable(f"quote: {error}") from error


class PriceChanged(_Requoted):
    """The lines, or what the programme says of them, are not the quote's; `quote` is fresh."""


class QuoteExpired(_Requoted):
    """The quote is too old; `quote` is fresh."""


class _WithMember(Conflict):
    @property
    def member_id(self) -> str:
        """The member to go on with."""
        return str(self.extra.get("member_id", ""))


class MemberExists(_WithMember):
    """Somebody has this phone, e-mail or id already: `member_id`."""


class MemberMerged(_WithMember):
    """The member became part of another one: `member_id`."""


BY_CODE: Mapping[str, type[Problem]] = {
    "hold_closed": HoldClosed,
    "hold_expired": HoldExpired,
    "insufficient_points": InsufficientPoints,
    "member_exists": MemberExists,
    "member_merged": MemberMerged,
    "price_changed": PriceChanged,
    "quote_expired": QuoteExpired,
}
BY_STATUS: Mapping[int, type[Problem]] = {
    400: Invalid,
    401: Unauthenticated,
    403: Forbidden,
    404: Missing,
    409: Conflict,
    413: Invalid,
    422: Refused,
    429: Exhausted,
    502: Unavailable,
    503: Unavailable,
    504: Unavailable,
}
KNOWN = frozenset({"type", "title", "status", "code", "detail", "errors"})


def problem(status: int, content: bytes, retry_after_seconds: float | None) -> Problem:
    """The error of an answer that is none of 2xx; a proxy's page becomes `code` "http_502"."""
    try:
        body = reading.loads(content)
        said = reading.read(_Said, body)
    except reading.Unfit:
        kind = BY_STATUS.get(status, Problem)
        detail = f"an answer {status} that is not Vezde's; look at what stands before it"
        return kind(status, f"http_{status}", detail, retry_after_seconds=retry_after_seconds)
    kind = BY_CODE.get(said.code) or BY_STATUS.get(status, Problem)
    return kind(
        status,
        said.code,
        said.detail,
        errors=said.errors or (),
        extra={name: value for name, value in body.items() if name not in KNOWN},
        retry_after_seconds=retry_after_seconds,
    )


@dataclass(frozen=True)
class _Said:
    code: str
    detail: str
    errors: tuple[FieldProblem, ...] | None
