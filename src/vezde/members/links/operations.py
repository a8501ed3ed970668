"""Make links, put them away, count who opens them."""

import secrets
from datetime import date, datetime
from typing import LiteralString

from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.members.links import model
from vezde.members.links.model import Link, NewLink, NoCodeLeft

SLOTS = 8
ATTEMPTS = 5

INSERT: LiteralString = """
INSERT INTO members.link (code, source, campaign, medium, door, note, created_at, created_by)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (code) DO NOTHING
RETURNING code, source, campaign, medium, door, note, created_at, created_by, archived_at,
    archived_by
"""
ARCHIVE: LiteralString = """
UPDATE members.link
SET archived_at = coalesce(archived_at, %(now)s), archived_by = coalesce(archived_by, %(actor)s)
WHERE code = %(code)s
RETURNING code, source, campaign, medium, door, note, created_at, created_by, archived_at,
    archived_by
"""
SCAN: LiteralString = """
WITH found AS (
    SELECT code, source, campaign, medium, door, note, created_at, created_by, archived_at,
        archived_by
    FROM members.link WHERE code = %(code)s
), counted AS (
    INSERT INTO members.scan (code, day, slot, people, previews)
    SELECT code, %(day)s::date, %(slot)s, %(people)s, %(previews)s FROM found
    ON CONFLICT (code, day, slot) DO UPDATE
    SET people = scan.people + excluded.people, previews = scan.previews + excluded.previews
)
SELECT * FROM found
"""


async def create(db: Db, link: NewLink, *, now: datetime, actor: str) -> Link:
    """Make a link with a code of its own; raises `InvalidField`."""
    sound = model.sound(link)
    for _ in range(ATTEMPTS):
        row = [
            *(model.new_code(), sound.source, sound.campaign, sound.medium, sound.door),
            *(sound.note, now, actor),
        ]
        made = await kit_db.fetch_one(db, Link, INSERT, row)
        if made is not None:
            return made
    raise NoCodeLeft("No free code was met by chance; try again", retry_after_seconds=1)


async def archive(db: Db, code: str, *, now: datetime, actor: str) -> Link:
    """Take a link out of the list; one archived before answers as it was archived then.

    It goes on to work: paper cannot be called back. Raises `LinkNotFound`.
    """
    asked = {"code": model.code_in(code), "now": now, "actor": actor}
    archived = await kit_db.fetch_one(db, Link, ARCHIVE, asked)
    if archived is None:
        raise model.no_such_link()
    return archived


async def scan(db: Db, code: str, *, day: date, preview: bool) -> Link:
    """Count an opening of a link on this day of the programme; answers the link.

    Raises `LinkNotFound`.
    """
    asked = {
        "code": model.code_in(code),
        "day": day,
        "slot": secrets.randbelow(SLOTS),
        "people": int(not preview),
        "previews": int(preview),
    }
    found = await kit_db.fetch_one(db, Link, SCAN, asked)
    if found is None:
        raise model.no_such_link()
    return found
