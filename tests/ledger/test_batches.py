"""Commands in a batch, in a pipeline and one by one: the same accounts in the end."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid5

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger import invariants
from ledger.making import DAY, NOON, accrual
from vezde.kit import db as kit_db
from vezde.ledger import operations
from vezde.ledger.model import Commit, Hold, Redemption

MEMBERS = tuple(UUID(int=n) for n in (31, 32, 33))
ROUNDS = ("accrue", "hold", "redeem", "commit")


@st.composite
def lives(draw: st.DrawFn) -> list[tuple[str, list[Any]]]:
    """Rounds of commands of one kind, each of several members, some of them twice."""
    rounds = [("accrue", [accrual(member, "first", 5_000) for member in MEMBERS])]
    holds: list[Hold] = []
    for n in range(draw(st.integers(2, 6))):
        kind = draw(st.sampled_from(ROUNDS))
        some = draw(st.lists(st.sampled_from(MEMBERS), min_size=1, max_size=5))
        commands = [_command(kind, member, f"{n}:{i}", draw) for i, member in enumerate(some)]
        if kind == "commit":
            commands = [_commit(held, f"{n}:{held.hold_id}") for held in holds]
            holds = []
        elif kind == "hold":
            holds += commands
        if commands and draw(st.booleans()):
            commands.append(draw(st.sampled_from(commands)))  # the same once more
        rounds.append((kind, commands))
    return rounds


class TestBatches:
    def test_do_what_one_by_one_does_in_whatever_order_members_come(self, shared_copy):
        with asyncio.Runner() as runner:
            db = runner.run(kit_db.connect(shared_copy.app))

            @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
            @given(life=lives(), order=st.permutations(MEMBERS), pipeline=st.booleans())
            def same(life: Any, order: Sequence[UUID], pipeline: bool) -> None:
                batched = runner.run(_live(db, life, by_one=False, pipeline=pipeline))
                single = runner.run(_live(db, life, by_one=True, pipeline=False))
                assert batched == single
                place = {member: n for n, member in enumerate(order)}
                shuffled = [
                    (kind, sorted(commands, key=lambda one: place[one.member_id]))
                    for kind, commands in life
                ]
                assert runner.run(_live(db, shuffled, by_one=False, pipeline=pipeline)) == single

            try:
                same()
            finally:
                runner.run(db.close())


async def _live(
    db: kit_db.Db, life: Sequence[tuple[str, list[Any]]], *, by_one: bool, pipeline: bool
) -> dict[str, Any]:
    """All that is stored after this life, which is rolled back."""
    verbs = {
        "accrue": operations.accrue,
        "hold": operations.hold_all,
        "redeem": operations.redeem_all,
        "commit": operations.commit_all,
    }
    await operations.open_accounts(db, MEMBERS, now=NOON)
    for n, (kind, commands) in enumerate(life):
        now = NOON + n * timedelta(hours=3)
        for batch in [[one] for one in commands] if by_one else [commands]:
            if not batch:
                continue
            if pipeline:
                async with db.pipeline():
                    await verbs[kind](db, batch, now=now, actor="key:1")
            else:
                await verbs[kind](db, batch, now=now, actor="key:1")
    found = await invariants.stored(db)
    await db.rollback()
    return {name: sorted(rows, key=str) for name, rows in found.items()}


def _command(kind: str, member: UUID, key: str, draw: Any) -> Any:
    head = {"member_id": member, "op_key": key, "occurred_at": NOON, "title": "Заказ"}
    points = draw(st.sampled_from([1, 5, 20]))
    if kind == "hold":
        hold_id = uuid5(member, key)
        return Hold(**head, hold_id=hold_id, points=points, expires_at=NOON + 5 * DAY)
    if kind == "redeem":
        return Redemption(**head, points=points)
    days = draw(st.sampled_from([None, 1, 3]))
    expires_at = None if days is None else NOON + days * DAY
    return accrual(member, key, points, expires_at=expires_at)


def _commit(held: Hold, key: str) -> Commit:
    return Commit(
        member_id=held.member_id,
        op_key=key,
        occurred_at=NOON,
        title="Заказ",
        hold_id=held.hold_id,
        points=max(held.points // 2, 1),
    )
