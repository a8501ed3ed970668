"""Operators' and marketplaces' receipt pages on loopback, over TLS by their real names.

async with ReceiptPages() as pages:
    pages.put("check.ofd.ru", "/rec/1/2/3", page(paper))
    fetch = pages.fetch()          # resolves every name to it, and trusts its certificate
    await fetch(pages.link("check.ofd.ru", "/rec/1/2/3"))
"""

import asyncio
import contextlib
import ssl
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from vezde.outbox.webhooks.model import Reach
from vezde.receipts.links.fetching import Pages
from vezde.receipts.links.model import HOSTS
from vezde.receipts.model import FiscalDocument

NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"


def page(paper: FiscalDocument) -> bytes:
    """A receipt as an operator's page shows it: labels and values, a cell each."""
    whole, rest = divmod(paper.total_kopecks, 100)
    cells = [
        ("Кассовый чек", "Приход" if paper.operation == 1 else "Возврат прихода"),
        ("Дата", f"{paper.wall_time:%d.%m.%Y %H:%M}"),
        *[(line.name or "", f"{line.sum_kopecks / 100:.2f}") for line in paper.lines],
        ("ИТОГ", f"= {whole}.{rest:02d}"),
        ("РН ККТ", paper.kkt_reg_id or ""),
        ("Зав.№ ФН", f"{paper.key.fn:016d}"),
        ("№ ФД", str(paper.key.fd)),
        ("ФПД", str(paper.key.fp)),
    ]
    rows = "".join(f"<tr><td>{name}</td><td>{value}</td></tr>" for name, value in cells)
    return f"<!doctype html><html><body><table>{rows}</table></body></html>".encode()


@dataclass
class ReceiptPages:
    """A server that answers by host and path; `asked` are the hosts and paths it was asked for."""

    asked: list[tuple[str, str]] = field(default_factory=list)
    port: int = 0
    _answers: dict[tuple[str, str], bytes] = field(default_factory=dict)
    _delays: dict[tuple[str, str], float] = field(default_factory=dict)
    _server: asyncio.Server | None = None
    _trusted: ssl.SSLContext | None = None

    def put(
        self,
        host: str,
        path: str,
        body: bytes = b"",
        *,
        status: int = 200,
        headers: dict[str, str] | None = None,
        delay_seconds: float = 0,
    ) -> None:
        """What is answered there; `headers` beside the length."""
        lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        self._answers[host, path] = "\r\n".join([*lines, "", ""]).encode() + body
        self._delays[host, path] = delay_seconds

    def link(self, host: str, path: str) -> str:
        return f"https://{host}:{self.port}{path}"

    def fetch(self, *, address: str = "127.0.0.1", loopback: bool = True) -> Pages:
        """What follows links to this server, whatever host they name."""

        async def resolve(_host: str, _port: int) -> list[str]:
            return [address]

        return Pages(
            Reach(loopback=loopback),
            seconds=2,
            ports=frozenset({self.port}),
            resolve=resolve,
            authorities=self._trusted,
        )

    async def __aenter__(self) -> Self:
        with tempfile.TemporaryDirectory() as folder:
            path, self._trusted = _certificate(Path(folder))
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(path)
        self._server = await asyncio.start_server(self._answer, "127.0.0.1", 0, ssl=context)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None, "it was started"
        self._server.close()
        await self._server.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            path = head[0].split(" ")[1]
            host = next(one[5:].strip() for one in head if one.casefold().startswith("host:"))
            place = host.partition(":")[0], path
            self.asked.append(place)
            await asyncio.sleep(self._delays.get(place, 0))
            writer.write(self._answers.get(place, NOT_FOUND))
            await writer.drain()
        with contextlib.suppress(OSError, ssl.SSLError):
            writer.close()
            await writer.wait_closed()


def _certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate of all hosts, signed by itself: (PEM file, context that trusts it)."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "receipts.example")])
    names = [x509.DNSName(one) for host in sorted(HOSTS) for one in (host, f"*.{host}")]
    start = datetime.now(UTC) - timedelta(minutes=5)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = made.public_bytes(serialization.Encoding.PEM)
    path = folder / "both.pem"
    path.write_bytes(public + private)
    return path, ssl.create_default_context(cadata=public.decode())
