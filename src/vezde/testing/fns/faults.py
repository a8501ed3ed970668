"""The service's own faults, in its words and its XML; and what goes wrong around it."""

from dataclasses import dataclass

ASYNC = "urn://x-artefacts-gnivc-ru/inplat/servin/OpenApiAsyncMessageConsumerService/types/1.0"


@dataclass(frozen=True)
class Order:
    """What a request gets instead of its answer; `seconds` later. No `body`: the answer, late."""

    status: int = 500
    body: bytes | None = None
    headers: tuple[tuple[str, str], ...] = ()
    seconds: float = 0


def fault(text: str, kind: str = "", inside: str = "") -> Order:
    """A soap:Fault as the service writes it."""
    detail = f'<detail><{kind} xmlns="{ASYNC}">{inside}</{kind}></detail>' if kind else ""
    body = (
        '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>'
        f"<soap:Fault><faultcode>soap:Server</faultcode><faultstring>{text}</faultstring>{detail}"
        "</soap:Fault></soap:Body></soap:Envelope>"
    )
    return Order(body=body.encode())


def wrong_address() -> Order:
    return fault("Доступ к сервису для переданного IP, запрещен", "AuthenticationFault")


def wrong_token() -> Order:
    return fault("Доступ к сервису для token запрещен", "AuthenticationFault")


def daily_limit() -> Order:
    return fault("Превышен общий дневной лимит запросов, приложением Vezde-1")


def rate_limit() -> Order:
    text = "Превышено количество запросов метода SendMessage. Повторите запрос позже."
    return fault(text, "RateLimitingFault", "<errorCode>429</errorCode>")


def too_fast() -> Order:
    text = (
        "Превышено количество запросов метода GetMessage по уникальному MessageID. "
        "Повторите запрос позже."
    )
    return fault(text, "RateLimitingFault", "<errorCode>429</errorCode>")


def not_found(message_id: str) -> Order:
    text = f"По переданному MessageId: {message_id} сообщение не найдено"
    return fault(text, "MessageNotFoundFault")


def http(status: int, *, retry_after: int | None = None) -> Order:
    headers = () if retry_after is None else (("Retry-After", str(retry_after)),)
    return Order(status=status, body=b"<html>Bad Gateway</html>", headers=headers)


def late(seconds: float) -> Order:
    """The true answer, late."""
    return Order(seconds=seconds)


def body(text: bytes) -> Order:
    """Anything at all, with HTTP 200."""
    return Order(status=200, body=text)
