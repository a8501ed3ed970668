"""Signatures of Standard Webhooks (github.com/standard-webhooks, spec/standard-webhooks.md).

    signed  = "{webhook-id}.{webhook-timestamp}.{body}"
    header  = "v1," + base64(HMAC-SHA256(secret, signed)), one for each secret, by spaces

A secret is `whsec_` and base64 of 24 to 64 random bytes; the bytes are the key.
"""

import base64
import hmac
import secrets
from collections.abc import Iterable
from datetime import datetime

PREFIX = "whsec_"
SECRET_BYTES = 32


def new_secret() -> str:
    """A fresh secret as its owner is shown it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode("ascii")


def headers(
    message_id: str, body: bytes, *, wall: datetime, secrets: Iterable[str]
) -> dict[str, str]:
    """The three headers of a message signed now by each of these secrets."""
    timestamp = str(int(wall.timestamp()))
    signed = b".".join((message_id.encode(), timestamp.encode(), body))
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{_signature(one, signed)}" for one in secrets),
    }


def _signature(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    return base64.b64encode(hmac.digest(key, signed, "sha256")).decode("ascii")
