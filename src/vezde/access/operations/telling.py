"""How a code reaches a person: by the messenger they are in, else by SMS."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import structlog

from vezde.kit import i18n
from vezde.kit.db import Db
from vezde.kit.i18n import Locale, Plural
from vezde.kit.vault import Vault
from vezde.members import queries as members
from vezde.messaging import operations as messaging
from vezde.messaging.model import Outgoing, Purpose, View
from vezde.messaging.sms import operations as sms
from vezde.messaging.sms.model import Sms

log = structlog.get_logger(__name__)


class By(StrEnum):
    """Which way a code goes; without a wish the messenger comes first."""

    MESSENGER = "messenger"
    SMS = "sms"


@dataclass(frozen=True)
class Channels:
    """What this installation can send by: messengers in order, segments of SMS a day (0: none)."""

    messengers: tuple[str, ...] = ()
    sms_per_day: int = 0


@dataclass(frozen=True)
class Message:
    """What is told: a view for messengers, a text of its own for SMS, both with `variables`.

    `key` is sent once, `useless` is when nobody needs it any more (wall).
    """

    key: str
    view: View
    sms: str
    useless: datetime

    @property
    def variables(self) -> Mapping[str, Any]:
        return self.view.variables


@dataclass(frozen=True)
class Way:
    """How a person is reached: over this messenger, or by SMS to this phone."""

    by: By
    channel: str | None = None
    phone: str | None = None
    locale: str | None = None


async def way(
    db: Db,
    member_id: UUID | None,
    *,
    phone: str | None,
    channels: Channels,
    wish: By | None = None,
    vault: Vault,
) -> Way | None:
    """How to reach this member, or whoever has this phone (E.164); None: no way.

    A member who blocked the bot is reached by SMS.
    """
    locale = None
    if member_id is not None:
        for channel in channels.messengers:
            reach = (await members.reach(db, [member_id], kind=channel, vault=vault))[member_id]
            locale = reach.locale
            if wish is not By.SMS and reach.address is not None and reach.unreachable is None:
                return Way(By.MESSENGER, channel, locale=locale)
        known = (await members.reach(db, [member_id], kind="phone", vault=vault))[member_id]
        phone, locale = phone or known.address, locale or known.locale
    if phone is None or not channels.sms_per_day:
        return None
    return Way(By.SMS, phone=phone, locale=locale)


async def tell(
    db: Db,
    to: Way,
    message: Message,
    *,
    member_id: UUID | None,
    locale: str | None = None,
    channels: Channels,
    points_name: Mapping[Locale, Plural] | None = None,
    vault: Vault,
    now: datetime,
    wall: datetime,
    actor: str,
) -> None:
    """Reserve the message; it goes once this is committed. `locale` is for who has none."""
    if to.channel is not None:
        assert member_id is not None, "messengers reach members"
        said = Outgoing(member_id, to.channel, message.key, Purpose.SERVICE, message.view)
        await messaging.reserve(
            db, [said], vault=vault, now=now, wall=wall, actor=actor, points_name=points_name
        )
        return
    assert to.phone is not None, "the other way"
    text = Sms(
        *(message.key, to.phone, message.sms, message.variables),
        locale=i18n.locale_of(to.locale or locale),
        useless=message.useless,
        member_id=member_id,
    )
    await sms.reserve(
        db,
        [text],
        per_day=channels.sms_per_day,
        points_name=points_name,
        vault=vault,
        now=now,
        wall=wall,
        actor=actor,
    )
