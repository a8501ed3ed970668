import asyncio
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from vezde_client import (
    AsyncVezde,
    Conflict,
    Forbidden,
    Invalid,
    MemberExists,
    MemberMerged,
    Missing,
    Unauthenticated,
    Vezde,
    members,
    points,
    receipts,
)

from .conftest import QUICK

GIVEN = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)


class TestMembers:
    async def test_are_enrolled_found_and_changed(self, vezde: AsyncVezde) -> None:
        made = await vezde.send(
            members.enrol(
                phone="+7 900 000-00-07",
                name="Вера",
                birthday=date(1990, 2, 3),
                identities=[members.Identity("crm:retail", "77")],
                consents=[members.GivenConsent("personal_data", "1", GIVEN, "site")],
            )
        )
        assert made.birthday == date(1990, 2, 3)
        assert await vezde.send(members.by_phone("+79000000007")) == made
        assert await vezde.send(members.by_identity("crm:retail", "77")) == made
        changed = await vezde.send(members.change(made.id, name=None, email="vera@example.org"))
        assert (changed.name, changed.email, changed.phone) == (
            None,
            "vera@example.org",
            made.phone,
        )
        (consent,) = made.consents
        await vezde.send(members.withdraw_consent(made.id, consent.id))
        given = members.GivenConsent("advertising", "2", GIVEN, "site", channel="telegram")
        await vezde.send(members.give_consent(made.id, given))
        shown = await vezde.send(members.member(made.id))
        assert [one.withdrawn_at is None for one in shown.consents] == [False, True]

    async def test_known_ones_are_named(self, vezde: AsyncVezde, anna: str) -> None:
        with pytest.raises(MemberExists) as known:
            await vezde.send(members.enrol(phone="+79000000001"))
        assert known.value.member_id == anna

    async def test_one_call_enrols_once(self, vezde: AsyncVezde) -> None:
        call = members.enrol(phone="+79000000008")
        first, again = await asyncio.gather(vezde.send(call), vezde.send(call))
        assert first == again
        with pytest.raises(Conflict, match="key_reused"):
            await vezde.send(members.enrol(phone="+79000000009", key=call.key))

    async def test_are_merged_and_forgotten(self, vezde: AsyncVezde, anna: str, boris: str) -> None:
        assert (await vezde.send(members.merge(anna, boris))).id == anna
        with pytest.raises(MemberMerged) as merged:
            await vezde.send(members.change(boris, name="Борис"))
        assert merged.value.member_id == anna
        assert (await vezde.send(members.unmerge(anna, boris))).id == boris
        assert (await vezde.send(members.merge(anna, boris))).id == anna
        await vezde.send(members.forget(anna))
        assert (await vezde.send(members.member(anna))).status == "forgotten"

    async def test_wrong_requests_say_where(self, vezde: AsyncVezde) -> None:
        with pytest.raises(Invalid) as wrong:
            await vezde.send(members.enrol(phone="12"))
        assert wrong.value.code == "invalid_phone"
        with pytest.raises(Missing):
            await vezde.send(members.by_phone("+79009999999"))

    async def test_keys_open_what_they_are_for(self, api, anna: str) -> None:
        key = (await api.key("points", name="points"))["Authorization"].removeprefix("Bearer ")
        async with AsyncVezde(api.base_url, key, retrying=QUICK) as vezde:
            assert (await vezde.send(points.balance(anna))).active == 0
            with pytest.raises(Forbidden):
                await vezde.send(members.member(anna))
        async with AsyncVezde(api.base_url, "no-key", retrying=QUICK) as vezde:
            with pytest.raises(Unauthenticated):
                await vezde.send(members.member(anna))

    async def test_are_there_for_threads_too(self, blocking: Vezde, anna: str) -> None:
        found = await asyncio.to_thread(blocking.send, members.member(anna))
        assert found.name == "Анна"


class TestReceipts:
    async def test_are_handed_in_and_read(self, vezde: AsyncVezde, anna: str) -> None:
        qr = "t=20261110T1200&s=900.00&fn=7380440900000001&i=11&fp=1234567890&n=1"
        call = receipts.submit_qr(anna, qr)
        made = await vezde.send(call)
        assert (await vezde.send(call)).id == made.id
        assert (await vezde.send(receipts.receipt(made.id))).member_id == anna
        listed = [one.id async for one in vezde.each(receipts.listed(member_id=anna, limit=1))]
        assert listed == [made.id]

    async def test_lists_go_on_page_by_page(self, vezde: AsyncVezde, anna: str) -> None:
        for number in range(3):
            qr = f"t=20261110T1200&s=900.00&fn=7380440900000001&i={number + 20}&fp=123&n=1"
            await vezde.send(receipts.submit_qr(anna, qr))
        found = [one.id async for one in vezde.each(receipts.listed(member_id=anna, limit=1))]
        assert len(set(found)) == len(found) == 3

    async def test_pictures_are_sent_as_they_are(self, vezde: AsyncVezde, anna: str) -> None:
        from io import BytesIO

        from PIL import Image

        picture = BytesIO()
        Image.new("RGB", (200, 200), "white").save(picture, "PNG")
        made = await vezde.send(receipts.submit_picture(anna, picture.getvalue()))
        assert made.member_id == anna

    async def test_documents_keep_their_digits(self, vezde: AsyncVezde, api, anna: str) -> None:
        from decimal import Decimal

        from vezde_client import reading

        source = Path(__file__).parents[2] / "examples" / "receipts" / "04-podrygka.json"
        document = reading.loads(source.read_bytes())
        made = await vezde.send(receipts.submit_document(anna, document))
        settled = await api.settled(made.id)
        shown = await vezde.send(receipts.receipt(made.id))
        assert shown.status == settled["status"]
        assert all(isinstance(line.quantity, Decimal) for line in shown.lines)


class TestPoints:
    async def test_are_read_as_of_a_moment(self, vezde: AsyncVezde, anna: str) -> None:
        shown = await vezde.send(points.balance(anna, as_of=GIVEN))
        assert (shown.active, shown.point_value_kopecks) == (0, 100)
        assert (await vezde.send(points.history(anna))).items == ()
