"""Reserve sends: texts filled in, consent looked up, rows committed before anybody is called."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from vezde.kit import db as kit_db
from vezde.kit import i18n, ids
from vezde.kit.db import Db
from vezde.kit.errors import DomainError, Kind
from vezde.kit.i18n import Locale, Plural
from vezde.kit.vault import Vault
from vezde.members import queries as member_queries
from vezde.members.queries import Reach
from vezde.messaging import catalogue, model, pictures, sealing, templates
from vezde.messaging.model import Button, Outgoing, Purpose, Rendered, Tap, View
from vezde.messaging.templates import BrokenTemplate

DELIVER = "messaging.deliver"
MARKETING_CONSENT = "marketing"
MOST_OF_A_CAPTION = 1_024  # https://core.telegram.org/bots/api#sendphoto
MOST_OF_A_TOAST = 200  # https://core.telegram.org/bots/api#answercallbackquery
MOST_OF_A_BUTTON = 64

VERSION: LiteralString = """
SELECT version, sha256 FROM messaging.texts
WHERE valid_from <= %(now)s OR version = 1
ORDER BY version DESC LIMIT 1
"""
OWN_TEXTS: LiteralString = "SELECT section FROM messaging.texts WHERE version = %s"
# Rows of the queue are nobody else's, so reserving waits for nobody; of two transactions that
# reserve the same key of a member the second waits for the first.
RESERVE: LiteralString = """
WITH given AS (
    SELECT * FROM unnest(%(members)s::uuid[], %(sends)s::uuid[], %(keys)s::text[],
        %(channels)s::text[], %(purposes)s::text[], %(ranks)s::smallint[], %(slots)s::text[],
        %(sealed)s::bytea[])
        AS given (member_id, send_id, key, channel, purpose, rank, slot, sealed)
), reserved AS (
    INSERT INTO messaging.send
        (member_id, send_id, key, channel, purpose, slot, state, reserved_at, reserved_by)
    SELECT member_id, send_id, key, channel, purpose, slot, 'reserved', %(now)s, %(actor)s
    FROM given WHERE key IS NOT NULL ORDER BY member_id, key
    ON CONFLICT (member_id, key) DO NOTHING
    RETURNING send_id
)
INSERT INTO messaging.queue
    (member_id, channel, rank, send_id, slot, sealed, queued_wall, due_wall, attempts)
SELECT member_id, channel, rank, send_id, slot, sealed, %(wall)s, %(wall)s, 0
FROM given WHERE key IS NULL OR send_id IN (SELECT send_id FROM reserved)
RETURNING send_id
"""

# The programme's words of this process by their hash, so whichever database they come from.
_OWN: dict[bytes, Mapping[str, Any]] = {}
MOST_OWN = 32


class UnknownText(DomainError):
    code = "unknown_text"
    kind = Kind.INVALID


@dataclass(frozen=True)
class _Words:
    """What texts are made of at this moment: the programme's words and its points' name."""

    own: Mapping[str, Any]
    points_name: Mapping[Locale, Plural]

    def fill(self, key: str, variables: Mapping[str, Any], locale: Locale) -> str:
        if key not in catalogue.shipped():
            raise UnknownText(f"There is no text «{key}».")
        return templates.fill(
            catalogue.words(key, locale, self.own),
            variables,
            locale=locale,
            points_name=self.points_name.get(locale),
        )

    def plain(self, key: str, variables: Mapping[str, Any], locale: Locale, most: int) -> str:
        return templates.plain(self.fill(key, variables, locale), most=most)


async def reserve(
    db: Db,
    outgoing: Sequence[Outgoing | Tap],
    *,
    vault: Vault,
    now: datetime,
    wall: datetime,
    actor: str,
    points_name: Mapping[Locale, Plural] | None = None,
) -> list[UUID]:
    """Write what is to be sent; the ids of what is, in the order given.

    Left out: the same key of a member again, members who left, mailings to who did not agree to
    them (looked up again before they are sent). `points_name` is what the programme calls its
    points. Raises `UnknownText`, `BrokenTemplate`, `BadView`, `UnknownPicture`: then nothing of the
    call may be kept, a broken text is never sent.
    """
    if not outgoing:
        return []
    words = _Words(await own_texts(db, now=now), points_name or {})
    reached, agreed = await _addressees(db, outgoing, vault=vault)
    rows = []
    # Sorted ids: within one call sends go out in the order given.
    for one, send_id in zip(outgoing, sorted(ids.new() for _ in outgoing), strict=True):
        member = reached.get((one.channel, one.member_id))
        if member is None or not member.active:
            continue
        if _is_mailing(one) and (one.channel, one.member_id) not in agreed:
            continue
        rendered = _rendered(one, words, i18n.locale_of(member.locale))
        rows.append(_row(one, send_id, sealing.seal(vault, send_id, rendered, _address(one))))
    if not rows:
        return []
    given = {name: [row[name] for row in rows] for name in rows[0]}
    done = await db.execute(RESERVE, {**given, "now": now, "wall": wall, "actor": actor})
    written = {row[0] for row in await done.fetchall()}
    if written:
        db.wake(DELIVER)
    return [send_id for send_id in given["sends"] if send_id in written]


async def own_texts(db: Db, *, now: datetime) -> Mapping[str, Any]:
    """The programme's section `texts` in force: words by locale and text key."""
    found = await (await db.execute(VERSION, {"now": now})).fetchone()
    if found is None:
        return {}
    version, sha256 = found
    if sha256 not in _OWN:
        while len(_OWN) >= MOST_OWN:
            _OWN.pop(next(iter(_OWN)))
        _OWN[sha256] = await kit_db.fetch_value(db, OWN_TEXTS, [version])
    return _OWN[sha256]


async def _addressees(
    db: Db, outgoing: Sequence[Outgoing | Tap], *, vault: Vault
) -> tuple[dict[tuple[str, UUID], Reach], set[tuple[str, UUID]]]:
    """Whom it is for, and who of them agreed to mailings, by channel and member."""
    reached: dict[tuple[str, UUID], Reach] = {}
    agreed: set[tuple[str, UUID]] = set()
    for channel in sorted({one.channel for one in outgoing}):
        members = {one.member_id for one in outgoing if one.channel == channel}
        found = await member_queries.reach(db, members, kind=channel, vault=vault)
        reached |= {(channel, member_id): member for member_id, member in found.items()}
        mailed = {one.member_id for one in outgoing if one.channel == channel and _is_mailing(one)}
        if mailed:
            yes = await member_queries.agreed(
                db, mailed, purpose=MARKETING_CONSENT, channel=channel
            )
            agreed |= {(channel, member_id) for member_id in yes}
    return reached, agreed


def _is_mailing(one: Outgoing | Tap) -> bool:
    return isinstance(one, Outgoing) and one.purpose is Purpose.MARKETING


def _address(one: Outgoing | Tap) -> str | None:
    return one.address if isinstance(one, Outgoing) else None


def _rendered(one: Outgoing | Tap, words: _Words, locale: Locale) -> Rendered:
    if isinstance(one, Tap):
        toast = ""
        if one.toast:
            toast = words.plain(one.toast, one.variables, locale, MOST_OF_A_TOAST)
        return Rendered(toast, answers=one.callback_id)
    view: View = one.view
    model.check(view)
    text = words.fill(view.text, view.variables, locale)
    photo = pictures.named(view.photo, locale) if view.photo is not None else None
    if templates.length(text) > MOST_OF_A_CAPTION:
        photo = None  # too much to say under a picture: what is said matters more
    if not templates.plain(text).strip():
        raise BrokenTemplate(f"The text «{view.text}» says nothing with these variables.")
    buttons = tuple(
        tuple(
            Button(
                words.plain(button.text, view.variables, locale, MOST_OF_A_BUTTON),
                button.action,
                button.url,
                button.contact,
            )
            for button in row
        )
        for row in view.buttons
    )
    return Rendered(text, buttons, view.keyboard, photo)


def _row(one: Outgoing | Tap, send_id: UUID, sealed: bytes) -> dict[str, Any]:
    """What of it goes into `RESERVE`, by the names of its lists."""
    message = one if isinstance(one, Outgoing) else None
    return {
        "members": one.member_id,
        "sends": send_id,
        "keys": message.key if message else None,
        "channels": one.channel,
        "purposes": message.purpose if message else None,
        "ranks": model.RANK[message.purpose] if message else model.TAP_RANK,
        "slots": message.slot if message else None,
        "sealed": sealed,
    }
