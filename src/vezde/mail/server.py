"""An SMTP server (RFC 5321) in this process's event loop, with a limit on everything."""

import asyncio
import email
import email.policy
import ssl
from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.message import Message
from pathlib import Path
from typing import Any, Final

import structlog
from aiosmtpd.smtp import SMTP, Envelope, Session

from vezde.kit.clock import Clock
from vezde.kit.db import Contested, Database
from vezde.kit.errors import DomainError, Kind
from vezde.kit.vault import Vault
from vezde.receipts.mailing import operations
from vezde.receipts.reading.model import MOST_BYTES

log = structlog.get_logger(__name__)

MOST_CONNECTIONS: Final = 100
MOST_OF_A_PEER: Final = 10
MOST_RECIPIENTS: Final = 10
MOST_UNKNOWN: Final = 3  # of one connection: then somebody is trying names
MOST_A_MINUTE: Final = 120  # letters of one peer
MOST_PEERS: Final = 10_000
IDLE_SECONDS: Final = 60.0
HEAD_BYTES: Final = 64 * 1024  # of a letter that are looked through for its Message-ID
MINUTE: Final = timedelta(minutes=1)
TRIED: Final = "vezde_tried"  # on the library's session of a connection

TAKEN = "250 2.0.0 Kept"
NOBODY = "550 5.1.1 There is no such address here"
NOT_HERE = "550 5.7.1 Letters to this domain alone are taken here"
TOO_MANY = "452 4.5.3 Too many recipients"
SLOWER = "421 4.7.0 Too much at once, try again later"
LATER = "451 4.3.0 Try again later"
FULL = "452 4.2.2 Too many letters, try again later"


@dataclass
class Counts:
    """Who is connected, and how many letters each peer gave in the last minute."""

    connected: Counter[str] = field(default_factory=Counter)
    letters: dict[str, deque[datetime]] = field(default_factory=dict)

    def may_connect(self, peer: str) -> bool:
        within = self.connected.total() <= MOST_CONNECTIONS
        return within and self.connected[peer] <= MOST_OF_A_PEER

    def may_give(self, peer: str, wall: datetime) -> bool:
        """Whether one more letter is taken now; it is counted then."""
        if len(self.letters) >= MOST_PEERS:
            self.letters = {
                one: given for one, given in self.letters.items() if given[-1] > wall - MINUTE
            }
        given = self.letters.setdefault(peer, deque())
        while given and given[0] <= wall - MINUTE:
            given.popleft()
        if len(given) >= MOST_A_MINUTE:
            return False
        given.append(wall)
        return True


@dataclass
class Box:
    """What the server does with a recipient and a letter; the handler of `aiosmtpd`."""

    database: Database
    clock: Clock
    vault: Vault
    domain: str
    counts: Counts = field(default_factory=Counts)

    async def handle_EHLO(  # noqa: N802 (the library's name)
        self,
        _server: SMTP,
        session: Session,
        _envelope: Envelope,
        hostname: str,
        responses: list[str],
    ) -> list[str]:
        """What is offered; nobody signs in here, so that is not."""
        session.host_name = hostname
        return [one for one in responses if not one[4:].startswith("AUTH")]

    async def handle_RCPT(  # noqa: N802 (the library's name)
        self,
        _server: SMTP,
        session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        """Known addresses of this domain, some at a time."""
        local, _, domain = address.rpartition("@")
        if domain.rstrip(".").casefold() != self.domain:
            return self._unknown(session, NOT_HERE)
        if len(envelope.rcpt_tos) >= MOST_RECIPIENTS:
            return TOO_MANY
        try:
            async with self.database.transaction() as db:
                known = await operations.owners(db, [local])
        except (DomainError, Contested):
            return LATER
        if not known:
            return self._unknown(session, NOBODY)
        envelope.rcpt_tos.append(local.casefold())
        return "250 2.1.5 Known"

    async def handle_DATA(  # noqa: N802 (the library's name)
        self, _server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """Keep the letter; it is ours once this says 250."""
        wall, raw = self.clock.wall(), envelope.content
        assert isinstance(raw, bytes), "the server does not decode"
        if not self.counts.may_give(_peer(session), wall):
            return SLOWER
        name = operations.name_of(raw, _message_id(raw))
        try:
            async with self.database.transaction() as db:
                known = await operations.owners(db, envelope.rcpt_tos)
                kept = await operations.keep(
                    db, list(known.values()), raw, message_id=name, vault=self.vault, wall=wall
                )
        except (DomainError, Contested) as error:
            full = isinstance(error, DomainError) and error.kind is Kind.EXHAUSTED
            return FULL if full else LATER
        log.info("letter_taken", size=len(raw), kept=kept)
        return TAKEN

    def _unknown(self, session: Session, answer: str) -> str:
        """Names are not tried by the hundred over one connection."""
        tried: int = getattr(session, TRIED, 0) + 1
        setattr(session, TRIED, tried)
        return SLOWER if tried > MOST_UNKNOWN else answer


class Receiver(SMTP):
    """A connection; one too many is told so and closed."""

    def __init__(self, box: Box, **options: Any) -> None:
        super().__init__(box, **options)
        self._box, self._from = box, ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        first = not self._from
        super().connection_made(transport)
        if not first:  # the same connection, within TLS now
            return
        peer = transport.get_extra_info("peername")
        self._from = str(peer[0]) if peer else "-"
        self._box.counts.connected[self._from] += 1
        if not self._box.counts.may_connect(self._from):
            assert isinstance(transport, asyncio.WriteTransport), "of a socket"
            transport.write(f"{SLOWER}\r\n".encode())
            transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        counts = self._box.counts.connected
        counts[self._from] -= 1
        if counts[self._from] <= 0:
            del counts[self._from]


async def listen(
    box: Box, *, host: str, port: int, certificate: Path | None = None
) -> asyncio.Server:
    """Take letters until the server is closed; raises OSError when the address cannot be had."""
    loop = asyncio.get_running_loop()
    tls = None
    if certificate is not None:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(certificate)

    def receiver() -> Receiver:
        return Receiver(
            box,
            data_size_limit=MOST_BYTES,
            hostname=box.domain,
            ident="Vezde",
            tls_context=tls,
            timeout=IDLE_SECONDS,
            command_call_limit={"RCPT": 4 * MOST_RECIPIENTS, "NOOP": 20, "*": 100},
            loop=loop,
        )

    server = await loop.create_server(receiver, host=host, port=port)
    log.info("mail_listening", port=server.sockets[0].getsockname()[1], domain=box.domain)
    return server


def _peer(session: Session) -> str:
    return str(session.peer[0]) if session.peer else "-"


def _message_id(raw: bytes) -> str | None:
    """The header's, as the sender wrote it; a letter is read by the workers alone."""
    head = raw[:HEAD_BYTES].partition(b"\r\n\r\n")[0]
    letter: Message = email.message_from_bytes(head, policy=email.policy.compat32)
    given = letter.get("Message-ID")
    return None if given is None else str(given)
