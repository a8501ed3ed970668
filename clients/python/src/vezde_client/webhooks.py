"""Webhooks: is a request Vezde's, and what does it say (Standard Webhooks, standardwebhooks.com).

    event = webhooks.event(request.headers, await request.body(), secrets=[secret])

Take the bytes of the body as they came. The same `event.id` may come twice.
"""

import base64
import binascii
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from vezde_client import reading

PREFIX = "whsec_"
TOLERANCE = timedelta(minutes=5)


class NotGenuine(Exception):
    """Not Vezde's, or older than `tolerance`: answer 400 and do nothing."""


@dataclass(frozen=True)
class Event:
    """What happened: `type` and `version` say what, `data` holds ids and numbers.

    `timestamp` is when it happened, `recorded_at` when Vezde learned of it.
    """

    id: str
    type: str
    version: int
    timestamp: datetime
    recorded_at: datetime
    data: Mapping[str, Any]


def event(
    headers: Mapping[str, str],
    body: bytes,
    *,
    secrets: Sequence[str],
    now: datetime | None = None,
    tolerance: timedelta = TOLERANCE,
) -> Event:
    """The event of a genuine request; raises `NotGenuine`.

    `secrets` are several while one is being changed: the new one and the one before.
    """
    verify(headers, body, secrets=secrets, now=now, tolerance=tolerance)
    try:
        said = reading.read(_Said, reading.loads(body))
    except reading.Unfit as error:
        raise NotGenuine(f"the body is not an event: {error}") from error
    if not isinstance(said.data, dict):
        raise NotGenuine("the body is not an event: data is not an object")
    return Event(said.id, said.type, said.version, said.timestamp, said.recorded_at, said.data)


def verify(
    headers: Mapping[str, str],
    body: bytes,
    *,
    secrets: Sequence[str],
    now: datetime | None = None,
    tolerance: timedelta = TOLERANCE,
) -> None:
    """Raises `NotGenuine` unless one of the secrets signed these bytes within the tolerance."""
    given = {name.lower(): value for name, value in headers.items()}
    try:
        message_id, timestamp = given["webhook-id"], given["webhook-timestamp"]
        signatures = given["webhook-signature"].split(" ")
        sent = datetime.fromtimestamp(int(timestamp), UTC)
    except (KeyError, ValueError, OverflowError, OSError) as error:
        raise NotGenuine("the signature's headers are missing or broken") from error
    if abs((now or datetime.now(UTC)) - sent) > tolerance:
        raise NotGenuine("signed too long ago, or this server's clock is wrong")
    signed = b".".join((message_id.encode(), timestamp.encode(), body))
    expected = [f"v1,{_signature(secret, signed)}" for secret in secrets]
    for one in signatures:
        if any(hmac.compare_digest(one.encode(), each.encode()) for each in expected):
            return
    raise NotGenuine("none of the signatures is right")


def _signature(secret: str, signed: bytes) -> str:
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("a secret is whsec_ and base64") from error
    return base64.b64encode(hmac.digest(key, signed, "sha256")).decode("ascii")


@dataclass(frozen=True)
class _Said:
    id: str
    type: str
    version: int
    timestamp: datetime
    recorded_at: datetime
    data: Any
