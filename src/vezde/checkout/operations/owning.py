"""Whose a hold or an order is by now, held still until the transaction ends."""

from uuid import UUID

from vezde.kit.db import Db
from vezde.members import operations as members
from vezde.members import queries as member_queries


async def owner(db: Db, member_id: UUID, *, exactly: bool = False) -> UUID:
    """The member, or whom they were merged into; nobody merges or forgets them meanwhile.

    With `exactly` a merged member is refused. Raises `MemberNotFound`, `MemberMerged`,
    `MemberClosed`.
    """
    if await members.present(db, [member_id]):
        return member_id
    into = await member_queries.surviving(db, member_id)
    if exactly or into == member_id or not await members.present(db, [into]):
        raise await member_queries.refusal(db, member_id if exactly else into)
    return into
