"""The tax service's own open API: who has a contract asks whoever keeps the documents.

Protocol: SOAP 1.1 at openapi.nalog.ru:8090. A master token (contract, addresses on their list)
gets a temporary one of about an hour; a question is sent, its answer fetched later by its id and
kept for about a minute. `FNS-OpenApi-UserToken` tells one end user from another: a pseudonym of
the member. Neither token stands in any log, note or error.
"""

import asyncio
import base64
from datetime import datetime
from typing import Final

import httpx

from vezde.kit import clock
from vezde.receipts.model import FiscalKey, QrFields
from vezde.receipts.providers import vendor
from vezde.receipts.providers.fns import envelopes
from vezde.receipts.providers.fns.envelopes import Fault, NotSoap, Told
from vezde.receipts.providers.protocol import Answer, Query, Source, Verdict

NAME = "fns"
BASE_URL = "https://openapi.nalog.ru:8090"
AUTH_PATH, KKT_PATH = "/open-api/AuthService/0.1", "/open-api/ais3/KktService/0.1"
RENEW_SECONDS = 300  # before its end a token is renewed: an answer may take that long
LEAST_SECONDS, MOST_SECONDS = 30.0, 3600.0
FIRST_POLL_SECONDS, LONGEST_POLL_SECONDS = 1.0, 5.0
KEPT_SECONDS = 120.0  # an answer is kept for a minute once it is there
MOST_PENDING = 1_000
LATER_SECONDS = 30
CHECK_AT = 1  # the how many-th ask of a document that is not there checks its sign

# Result codes. 404 and 455: not there (yet); 528: no key to check the sign with yet; 406: sum,
# date or sign disagree; 452, 454: the sign is no sign of this drive; 453: a bad receipt.
NOT_YET: Final = frozenset({404, 455, 528})
WRONG_FIELDS: Final = frozenset({406, 452, 453, 454})
AUTHENTICATION: Final = frozenset({"AuthenticationFault", "AuthServiceFault"})
ODD_QUESTION: Final = frozenset({400, 531})  # what we asked is malformed to them


class Fns:
    """Asks for documents; `base_url` and `proxy` are settings, those of the environment are not.

    `first_poll_seconds` is when an answer is looked for at first, then ever more rarely.
    """

    name = NAME
    source = Source.TAX_SERVICE

    def __init__(
        self,
        *,
        master_token: str,
        base_url: str = BASE_URL,
        proxy: str | None = None,
        timeout_seconds: float = 15,
        first_poll_seconds: float = FIRST_POLL_SECONDS,
    ) -> None:
        self._master_token = master_token
        self._timeout_seconds = timeout_seconds
        self._first_poll_seconds = first_poll_seconds
        self._token: tuple[str, float] | None = None
        self._renewing = asyncio.Lock()
        self._pending: dict[tuple[FiscalKey, str], tuple[str, float]] = {}
        self._client = vendor.client(
            base_url=base_url.rstrip("/"), proxy=proxy, seconds=timeout_seconds
        )

    def __repr__(self) -> str:
        return f"<FNS at {self._client.base_url}>"

    async def fetch(self, query: Query) -> Answer:
        """The document, or why not; never raises for what the service or the net does.

        An answer that takes longer than our time is fetched by its id the next time.
        """
        try:
            async with asyncio.timeout(self._timeout_seconds):
                answer = await self._ask(query, "Get")
                if answer.verdict is Verdict.NOT_YET and query.attempt == CHECK_AT:
                    answer = await self._checked(query, answer)
        except TimeoutError:
            if any(key == query.qr.key for key, _ in self._pending):
                note = f"{NAME}: still working on the answer"
                return Answer(Verdict.WAIT, retry_after_seconds=LATER_SECONDS, note=note)
            return vendor.unavailable(NAME, "no answer in time")
        except httpx.HTTPError as error:
            return vendor.unavailable(NAME, type(error).__name__)
        except (NotSoap, vendor.BadAnswer) as error:
            return vendor.unavailable(NAME, str(error))
        except Fault as fault:
            return read_fault(fault)
        except _Refused as refused:
            return refused.answer
        return answer

    async def close(self) -> None:
        await self._client.aclose()

    async def _checked(self, query: Query, answer: Answer) -> Answer:
        """Not there: the sign is checked without the document, lest a made-up one waits a month."""
        told = await self._ask(query, "Check")
        forged = told.verdict in {Verdict.FORGED, Verdict.NOT_FOUND}
        return told if forged else answer

    async def _ask(self, query: Query, what: str) -> Answer:
        key = query.qr.key, what
        told = await self._told(query, what)
        self._pending.pop(key, None)
        return await asyncio.to_thread(read, told, query.qr, what=what)

    async def _told(self, query: Query, what: str) -> Told:
        """What a question came to; one whose answer was thrown away is sent once more."""
        for last in (False, True):
            message_id = await self._message(query, what)
            try:
                return await self._polled(query, message_id)
            except Fault as fault:
                self._pending.pop((query.qr.key, what), None)
                if last or fault.kind != "MessageNotFoundFault":
                    raise
        raise AssertionError("the second round returns or raises")

    async def _message(self, query: Query, what: str) -> str:
        """The id of a question, of an earlier ask if its answer was not fetched yet."""
        loop, key = asyncio.get_running_loop(), (query.qr.key, what)
        known = self._pending.get(key)
        if known is not None and known[1] > loop.time():
            return known[0]
        body = envelopes.ticket(query.qr, what=what)
        sent = await self._kkt(envelopes.SEND, body, query)
        message_id = envelopes.read_message_id(sent)
        while len(self._pending) >= MOST_PENDING:
            del self._pending[next(iter(self._pending))]
        self._pending[key] = message_id, loop.time() + KEPT_SECONDS
        return message_id

    async def _polled(self, query: Query, message_id: str) -> Told:
        wait = self._first_poll_seconds
        while True:
            await asyncio.sleep(wait)
            wait = min(LONGEST_POLL_SECONDS, wait * 1.5)
            try:
                told = envelopes.read_result(
                    await self._kkt(envelopes.GET, envelopes.result(message_id), query)
                )
            except Fault as fault:
                if not _asked_too_fast(fault):
                    raise
                continue
            if told is not None:
                return told

    async def _kkt(self, action: str, body: bytes, query: Query) -> bytes:
        """An answer of the service; a token that ended meanwhile is renewed once."""
        token = await self._temporary()
        try:
            return await self._post(KKT_PATH, action, body, token, query.person)
        except Fault as fault:
            if not _token_is_over(fault):
                raise
        token = await self._temporary(instead_of=token)
        return await self._post(KKT_PATH, action, body, token, query.person)

    async def _temporary(self, *, instead_of: str | None = None) -> str:
        async with self._renewing:
            now = asyncio.get_running_loop().time()
            if self._token and self._token[0] != instead_of and self._token[1] > now:
                return self._token[0]
            self._token = None
            body = envelopes.auth(self._master_token)
            told = envelopes.read_token(await self._post(AUTH_PATH, envelopes.GET, body))
            self._token = told.text, now + _good_for(told.expires)
            return told.text

    async def _post(
        self, path: str, action: str, body: bytes, token: str = "", person: str = ""
    ) -> bytes:
        headers = {"Content-Type": "text/xml;charset=UTF-8", "SOAPAction": f'"{action}"'}
        if token:
            headers["FNS-OpenApi-Token"] = token
        if person:
            headers["FNS-OpenApi-UserToken"] = base64.b64encode(person.encode()).decode()
        response, read = await vendor.answer(
            self._client, "POST", path, content=body, headers=headers
        )
        return _accepted(response, read)


class _Refused(Exception):
    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.note)
        self.answer = answer


def _accepted(response: httpx.Response, body: bytes) -> bytes:
    """The body of an answer with 200; raises `Fault` for 500, by which faults come, `_Refused`."""
    status = response.status_code
    if status == httpx.codes.OK:
        return body
    if status == httpx.codes.TOO_MANY_REQUESTS:
        wait = vendor.retry_after(response.headers)
        raise _Refused(Answer(Verdict.QUOTA, retry_after_seconds=wait, note=f"{NAME}: HTTP 429"))
    if status in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
        raise _Refused(Answer(Verdict.REFUSED, note=f"{NAME}: HTTP {status}"))
    if status == httpx.codes.INTERNAL_SERVER_ERROR:
        raise envelopes.raised(body)
    raise _Refused(vendor.unavailable(NAME, f"HTTP {status}"))


def read(told: Told, qr: QrFields, *, what: str = "Get") -> Answer:
    """The verdict of a result."""
    if told.code == httpx.codes.OK:
        if what == "Check":
            return Answer(Verdict.NOT_YET)
        return vendor.document_in(told.ticket or "", qr, name=NAME)
    note = f"{NAME}: code {told.code}"
    if told.code in NOT_YET or told.code in ODD_QUESTION:
        return Answer(Verdict.NOT_YET, note=note)
    if told.code in WRONG_FIELDS:
        # Our guess of the operation may be what disagrees.
        verdict = Verdict.NOT_FOUND if qr.operation_assumed else Verdict.FORGED
        return Answer(verdict, note=note)
    return vendor.unavailable(NAME, f"code {told.code}")


def read_fault(fault: Fault) -> Answer:
    """The verdict of what the service raised."""
    if _limit_of_the_day(fault) or _asked_too_fast(fault):
        return Answer(Verdict.QUOTA, note=f"{NAME}: {fault.kind or 'limit of the day'}")
    if fault.kind in AUTHENTICATION or "запрещен" in fault.text:
        return _refused(fault)
    return vendor.unavailable(NAME, f"fault {fault.kind or 'without a kind'}")


def _refused(fault: Fault) -> Answer:
    if " IP" in fault.text:
        why = "our address is not on their list; tell them ours"
    else:
        why = "the token is not valid; put in another master token"
    return Answer(Verdict.REFUSED, note=f"{NAME}: {why}")


def _token_is_over(fault: Fault) -> bool:
    return fault.kind == "AuthenticationFault" and " IP" not in fault.text


def _asked_too_fast(fault: Fault) -> bool:
    return fault.kind == "RateLimitingFault"


def _limit_of_the_day(fault: Fault) -> bool:
    return "лимит" in fault.text.casefold()


def _good_for(expires: str) -> float:
    """Seconds until a token is renewed; an end that cannot be read or is odd is no reason to fail.

    Their clock may be wrong by minutes, and tokens live for about an hour.
    """
    try:
        end = datetime.fromisoformat(expires)
    except ValueError:
        return LEAST_SECONDS
    if end.tzinfo is None:
        return LEAST_SECONDS
    left = (end - clock.utc_now()).total_seconds() - RENEW_SECONDS
    return min(MOST_SECONDS, max(LEAST_SECONDS, left))
