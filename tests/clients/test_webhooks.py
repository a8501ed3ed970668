import json
from datetime import UTC, datetime, timedelta

import pytest

from vezde.outbox.webhooks import signing
from vezde_client import webhooks

NOW = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)
SECRET = signing.new_secret()
BODY = json.dumps(
    {
        "id": "evt_a",
        "type": "points.accrued",
        "version": 1,
        "timestamp": "2026-11-18T08:59:00Z",
        "recorded_at": "2026-11-18T09:00:00Z",
        "data": {"points": 37},
    }
).encode()


def signed(*secrets: str, body: bytes = BODY) -> dict[str, str]:
    return signing.headers("evt_a", body, wall=NOW, secrets=secrets or (SECRET,))


class TestEvent:
    def test_is_read_from_a_genuine_request(self) -> None:
        headers = {name.title(): value for name, value in signed().items()}
        event = webhooks.event(headers, BODY, secrets=[SECRET], now=NOW)
        assert (event.id, event.type, event.version, event.data["points"]) == (
            "evt_a",
            "points.accrued",
            1,
            37,
        )

    def test_is_genuine_by_any_secret_of_a_change(self) -> None:
        fresh = signing.new_secret()
        webhooks.verify(signed(SECRET, fresh), BODY, secrets=[fresh], now=NOW)
        webhooks.verify(signed(SECRET), BODY, secrets=[fresh, SECRET], now=NOW)

    @pytest.mark.parametrize(
        ("headers", "body", "now"),
        [
            (signed(), BODY + b" ", NOW),
            (signed(signing.new_secret()), BODY, NOW),
            (signed(), BODY, NOW + timedelta(minutes=6)),
            (signed(), BODY, NOW - timedelta(minutes=6)),
            ({}, BODY, NOW),
            ({**signed(), "webhook-timestamp": "soon"}, BODY, NOW),
            ({**signed(), "webhook-timestamp": "9" * 40}, BODY, NOW),
            ({**signed(), "webhook-signature": "v1,ы"}, BODY, NOW),
            ({**signed(), "webhook-signature": ""}, BODY, NOW),
            (signed(body=b"[]"), b"[]", NOW),
        ],
    )
    def test_is_refused_otherwise(self, headers, body: bytes, now: datetime) -> None:
        with pytest.raises(webhooks.NotGenuine):
            webhooks.event(headers, body, secrets=[SECRET], now=now)
