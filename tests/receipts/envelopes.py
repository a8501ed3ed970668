"""Answers of the tax service's open API, of any texts, as bytes of XML."""

from vezde.receipts.providers.fns.envelopes import ASYNC, AUTH, KKT, SOAP, SYNC


def token(text, expires="2036-11-26T12:00:00+03:00"):
    return _soap(
        f'<GetMessageResponse xmlns="{SYNC}"><Message><AuthResponse xmlns="{AUTH}"><Result>'
        f"<Token>{text}</Token><ExpireTime>{expires}</ExpireTime></Result></AuthResponse>"
        "</Message></GetMessageResponse>"
    )


def message_id(text):
    inside = f"<MessageId>{text}</MessageId>"
    return _soap(f'<SendMessageResponse xmlns="{ASYNC}">{inside}</SendMessageResponse>')


def result(code, ticket):
    return _soap(
        f'<GetMessageResponse xmlns="{ASYNC}"><ProcessingStatus>COMPLETED</ProcessingStatus>'
        f'<Message><GetTicketResponse xmlns="{KKT}"><Result><Code>{code}</Code>'
        f"<Ticket>{ticket}</Ticket></Result></GetTicketResponse></Message></GetMessageResponse>"
    )


def fault(said, kind="RateLimitingFault"):
    detail = f'<detail><{kind} xmlns="{ASYNC}"/></detail>'
    return _soap(f"<soap:Fault><faultstring>{said}</faultstring>{detail}</soap:Fault>")


def _soap(inside):
    text = f'<soap:Envelope xmlns:soap="{SOAP}"><soap:Body>{inside}</soap:Body></soap:Envelope>'
    return text.encode()
