import pytest

from access.conftest import enrolled
from vezde.access import doors, operations
from vezde.access.doors import ApprovalOver, ApprovalUnknown, WrongCode
from vezde.access.operations import approving


async def asked(db, vault, now):
    anna = await enrolled(db, vault, now)
    code, approval = await operations.ask(
        db, anna, approving.PAYMENT, {"points": 350}, vault=vault, wall=now, actor="operator:x"
    )
    return code, approval


async def tried(db, vault, found, code, wall):
    return await operations.try_approval(
        db, found.member_id, found.approval_id, code, vault=vault, wall=wall
    )


class TestApproval:
    async def test_is_given_once(self, db, vault, now):
        _, found = await asked(db, vault, now)
        given = await operations.decide(db, found, approving.GIVEN, how="button", wall=now)
        assert given.state == "given"
        again = await operations.approval(db, found.member_id, found.approval_id, wall=now)
        with pytest.raises(ApprovalOver) as caught:
            await operations.decide(db, again, approving.DECLINED, how="button", wall=now)
        assert caught.value.extra == {"state": "given"}

    async def test_takes_the_code_and_no_other(self, db, vault, now):
        code, found = await asked(db, vault, now)
        wrong = f"{(int(code) + 1) % 10**6:06}"
        assert isinstance(await tried(db, vault, found, wrong, now), WrongCode)
        assert await tried(db, vault, found, doors.shown(code), now) is None

    async def test_is_tried_five_times_at_most(self, db, vault, now):
        code, found = await asked(db, vault, now)
        wrong = f"{(int(code) + 1) % 10**6:06}"
        for _ in range(4):
            assert isinstance(await tried(db, vault, found, wrong, now), WrongCode)
        assert isinstance(await tried(db, vault, found, wrong, now), ApprovalOver)
        assert isinstance(await tried(db, vault, found, code, now), ApprovalOver)

    async def test_expires(self, db, vault, now):
        code, found = await asked(db, vault, now)
        late = found.expires_wall
        assert isinstance(await tried(db, vault, found, code, late), ApprovalOver)
        over = await operations.approval(db, found.member_id, found.approval_id, wall=late)
        assert over.state == "expired"

    async def test_of_another_member_is_unknown(self, db, vault, now):
        _, found = await asked(db, vault, now)
        boris = await enrolled(db, vault, now, "+79000000002")
        with pytest.raises(ApprovalUnknown):
            await operations.approval(db, boris, found.approval_id, wall=now)

    async def test_goes_with_the_member(self, db, vault, now):
        _, found = await asked(db, vault, now)
        await operations.forget(db, found.member_id, now=now, actor="test")
        with pytest.raises(ApprovalUnknown):
            await operations.approval(db, found.member_id, found.approval_id, wall=now)
