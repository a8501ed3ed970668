"""SOAP 1.1 as the tax service speaks it: what is asked, and what an answer says.

The order of elements is the schema's: the service refuses any other. Text from outside is parsed
without entities, without a document type, without the network.
"""

from dataclasses import dataclass
from typing import Final

from lxml import etree

from vezde.receipts.model import QrFields

SOAP: Final = "http://schemas.xmlsoap.org/soap/envelope/"
SYNC: Final = "urn://x-artefacts-gnivc-ru/inplat/servin/OpenApiMessageConsumerService/types/1.0"
ASYNC: Final = (
    "urn://x-artefacts-gnivc-ru/inplat/servin/OpenApiAsyncMessageConsumerService/types/1.0"
)
AUTH: Final = "urn://x-artefacts-gnivc-ru/ais3/kkt/AuthService/types/1.0"
KKT: Final = "urn://x-artefacts-gnivc-ru/ais3/kkt/KktTicketService/types/1.0"
GET, SEND = "urn:GetMessageRequest", "urn:SendMessageRequest"
NOTE_LENGTH: Final = 160


class NotSoap(ValueError):
    """The answer is no envelope of theirs."""


@dataclass(frozen=True)
class Fault(Exception):
    """What the service raised: `kind` is the name of its detail, `text` its words."""

    kind: str
    text: str


@dataclass(frozen=True)
class Token:
    """A temporary token; `expires` as they write it, an instant with its zone."""

    text: str
    expires: str


@dataclass(frozen=True)
class Told:
    """The result of a ticket's request: its code, and the ticket's JSON or a message."""

    code: int
    ticket: str | None
    message: str


def auth(master_token: str) -> bytes:
    """Ask for a temporary token."""
    body, message = _message(SYNC, "GetMessageRequest")
    request = _add(message, AUTH, "AuthRequest")
    _add(_add(request, AUTH, "AuthAppInfo"), AUTH, "MasterToken", master_token)
    return _written(body)


def ticket(qr: QrFields, *, what: str) -> bytes:
    """Ask for a document (`what` is Get) or whether its fields are right (Check)."""
    body, message = _message(ASYNC, "SendMessageRequest")
    request = _add(message, KKT, f"{what}TicketRequest")
    info = _add(request, KKT, f"{what}TicketInfo")
    for name, value in (
        ("Sum", str(qr.total_kopecks)),
        ("Date", f"{qr.wall_time:%Y-%m-%dT%H:%M}:00"),  # they keep minutes
        ("Fn", f"{qr.fn:016d}"),
        ("TypeOperation", str(qr.operation)),
        ("FiscalDocumentId", str(qr.fd)),
        ("FiscalSign", str(qr.fp)),
    ):
        _add(info, KKT, name, value)
    if what == "Get":
        _add(info, KKT, "RawData", "true")
    return _written(body)


def result(message_id: str) -> bytes:
    """Ask what became of a message."""
    envelope, body = _envelope()
    request = _add(body, ASYNC, "GetMessageRequest")
    _add(request, ASYNC, "MessageId", message_id)
    return _written(envelope)


def raised(answer: bytes) -> Fault:
    """The fault that an answer with HTTP 500 is; raises `NotSoap` when it is none."""
    try:
        _body(answer)
    except Fault as fault:
        return fault
    raise NotSoap("HTTP 500 without a fault")


def read_token(answer: bytes) -> Token:
    """The temporary token; raises `Fault` (their `Fault` element too), `NotSoap`."""
    body = _body(answer)
    refused = body.find(f".//{{{AUTH}}}Fault")
    if refused is not None:
        said = refused.findtext(f"{{{AUTH}}}Message") or ""
        raise Fault("AuthServiceFault", said[:NOTE_LENGTH])
    text, expires = (
        body.findtext(f".//{{{AUTH}}}Result/{{{AUTH}}}{name}") for name in ("Token", "ExpireTime")
    )
    if not text or not expires:
        raise NotSoap("no token in it")
    if not (text.strip().isascii() and text.strip().isprintable()):
        raise NotSoap("a token that no header can carry")
    return Token(text.strip(), expires.strip())


def read_message_id(answer: bytes) -> str:
    """The id by which the answer is fetched; raises `Fault`, `NotSoap`."""
    found = _body(answer).findtext(f"{{{ASYNC}}}SendMessageResponse/{{{ASYNC}}}MessageId")
    if not found or not found.strip():
        raise NotSoap("no MessageId in it")
    return found.strip()


def read_result(answer: bytes) -> Told | None:
    """What a message came to, None while it is being worked; raises `Fault`, `NotSoap`."""
    response = _body(answer).find(f"{{{ASYNC}}}GetMessageResponse")
    if response is None:
        raise NotSoap("no GetMessageResponse in it")
    status = (response.findtext(f"{{{ASYNC}}}ProcessingStatus") or "").strip()
    if status == "PROCESSING":
        return None
    if status != "COMPLETED":
        raise NotSoap("a status that is none of theirs")
    told = response.find(f".//{{{KKT}}}Result")
    if told is None:
        refused = response.find(f".//{{{KKT}}}Fault")
        if refused is not None:
            said = refused.findtext(f"{{{KKT}}}Message") or ""
            raise Fault("KktTicketServiceFault", said[:NOTE_LENGTH])
        raise NotSoap("no Result in it")
    code = (told.findtext(f"{{{KKT}}}Code") or "").strip()
    if not (code.isascii() and code.isdigit() and len(code) <= 4):
        raise NotSoap("a result without a code")
    message = told.findtext(f"{{{KKT}}}Message") or ""
    return Told(int(code), told.findtext(f"{{{KKT}}}Ticket"), message[:NOTE_LENGTH])


def _body(answer: bytes) -> etree._Element:
    """The soap:Body of an answer; raises `Fault` when it holds one."""
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(answer, parser)
    except etree.XMLSyntaxError as error:
        raise NotSoap("not XML") from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise NotSoap("a document type, which SOAP forbids")
    body = root.find(f"{{{SOAP}}}Body") if root.tag == f"{{{SOAP}}}Envelope" else None
    if body is None:
        raise NotSoap("no SOAP envelope")
    fault = body.find(f"{{{SOAP}}}Fault")
    if fault is None:
        return body
    detail = fault.find("detail")
    kind = etree.QName(detail[0]).localname if detail is not None and len(detail) else ""
    raise Fault(kind[:NOTE_LENGTH], (fault.findtext("faultstring") or "").strip()[:NOTE_LENGTH])


def _message(namespace: str, name: str) -> tuple[etree._Element, etree._Element]:
    envelope, body = _envelope()
    return envelope, _add(_add(body, namespace, name), namespace, "Message")


def _envelope() -> tuple[etree._Element, etree._Element]:
    envelope = etree.Element(f"{{{SOAP}}}Envelope", nsmap={"soap": SOAP})
    return envelope, _add(envelope, SOAP, "Body")


def _add(
    parent: etree._Element, namespace: str, name: str, text: str | None = None
) -> etree._Element:
    made = etree.SubElement(parent, f"{{{namespace}}}{name}")
    made.text = text
    return made


def _written(envelope: etree._Element) -> bytes:
    return etree.tostring(envelope, xml_declaration=True, encoding="UTF-8")
