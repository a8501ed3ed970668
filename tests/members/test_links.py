"""Links: made, opened, come by; the funnel they lead into; their codes on paper."""

import asyncio
import io
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4
from xml.etree import ElementTree as ET

import pytest
from PIL import Image

from vezde.kit.db import Database, Db
from vezde.kit.vault import Vault
from vezde.members import operations, queries
from vezde.members.links import arrivals, joining, model, printing
from vezde.members.links import queries as link_queries
from vezde.members.links.model import Doors, Funnel, Link, LinkNotFound, NewLink, Period, Step
from vezde.members.model import InvalidField, MemberNotFound, NewConsent, NewMember
from vezde.receipts.qr import images

ANNA, BORIS, VERA = "+79160000001", "+79160000002", "+79160000003"
DAY = date(2026, 11, 18)
BROWSER = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1"
FACTS = "SELECT data FROM outbox.fact WHERE kind = 'member.came_by/1' ORDER BY recorded_at, id"
TOUCHES = "SELECT code, at, last_at, times FROM members.touch WHERE member_id = %s ORDER BY at"


async def made(db: Db, now: datetime, source: str = "blogger-17", **more: str) -> Link:
    return await operations.create_link(db, NewLink(source, **more), now=now, actor="operator:cli")


async def enrolled(
    db: Db, vault: Vault, now: datetime, phone: str = ANNA, source: str | None = None, **more
) -> UUID:
    (member,) = await operations.enrol(
        db, [NewMember(phone=phone, source=source, **more)], vault=vault, now=now, actor="key:1"
    )
    return member.member_id


async def source_of(db: Db, vault: Vault, member_id: UUID) -> str | None:
    return (await queries.member(db, member_id, vault=vault)).source


async def funnel(db: Db, **period) -> list[Funnel]:
    return await link_queries.funnel(db, period=Period(**period), limit=100)


async def of(db: Db, source: str = "blogger-17", **period) -> Funnel:
    (found,) = [one for one in await funnel(db, **period) if one.source == source]
    return found


class TestCreate:
    async def test_gives_a_code_of_its_own(self, db: Db, now: datetime):
        first = await made(db, now, "  blogger-17 ", campaign="autumn", medium="story", note="Маша")
        second = await made(db, now)
        assert (first.source, first.campaign, first.door) == ("blogger-17", "autumn", "telegram")
        assert (first.created_at, first.created_by) == (now, "operator:cli")
        assert first.code != second.code

    def test_codes_are_start_payloads_and_paths_that_nobody_misreads(self):
        for code in {model.new_code() for _ in range(500)}:
            assert len(code) <= 16
            assert set(code) <= set(model.ALPHABET)
            assert not set(code) & set("0o1il_-")
            assert model.code_in(f" {code.upper()}\n") == code

    @pytest.mark.parametrize(
        ("field", "given"),
        [
            ("source", NewLink(" ")),
            ("source", NewLink("x" * 101)),
            ("campaign", NewLink("a", campaign="\x00")),
            ("door", NewLink("a", door="fax")),
            ("note", NewLink("a", note="x" * 501)),
        ],
    )
    async def test_names_the_field_it_refuses(self, db: Db, now: datetime, field, given):
        with pytest.raises(InvalidField) as caught:
            await operations.create_link(db, given, now=now, actor="operator:cli")
        assert caught.value.errors[0].path == field

    async def test_an_archived_link_leaves_the_list_and_works_on(self, db: Db, now: datetime):
        kept, gone = await made(db, now), await made(db, now)
        archived = await operations.archive_link(db, gone.code, now=now, actor="operator:cli")
        later = now + timedelta(days=1)
        again = await operations.archive_link(db, gone.code, now=later, actor="key:1")
        assert again == archived
        assert [one.code for one in await link_queries.links(db, archived=False, limit=9)] == [
            kept.code
        ]
        assert len(await link_queries.links(db, archived=True, limit=9)) == 2
        assert (await operations.scan_link(db, gone.code, day=DAY, preview=False)).code == gone.code

    async def test_lists_the_newest_first_page_by_page(self, db: Db, now: datetime):
        codes = [(await made(db, now + timedelta(minutes=n // 2))).code for n in range(5)]
        seen, before = [], None
        while page := await link_queries.links(db, archived=False, limit=2, before=before):
            seen += [one.code for one in page]
            before = (page[-1].created_at, page[-1].code)
        assert sorted(seen) == sorted(codes)
        assert seen[0] == codes[4]


class TestScan:
    async def test_counts_people_apart_from_previews(self, db: Db, now: datetime):
        link = await made(db, now)
        for preview in (False, True, False, False):
            await operations.scan_link(db, link.code.upper(), day=DAY, preview=preview)
        counted = await link_queries.link(db, link.code)
        assert (counted.scans, counted.previews) == (3, 1)
        assert (await of(db)).scans == 3

    @pytest.mark.parametrize("code", ["nothere2", "", "ы", "../etc", "x" * 400])
    async def test_of_an_unknown_code_counts_nothing(self, db: Db, code: str):
        with pytest.raises(LinkNotFound):
            await operations.scan_link(db, code, day=DAY, preview=False)
        with pytest.raises(LinkNotFound):
            await link_queries.link(db, code)

    async def test_loses_none_of_a_crowd(self, database: Database, now: datetime):
        async with database.transaction() as db:
            link = await made(db, now)

        async def scan() -> None:
            async with database.transaction() as db:
                await operations.scan_link(db, link.code, day=DAY, preview=False)

        await asyncio.gather(*(scan() for _ in range(60)))
        async with database.transaction() as db:
            assert (await link_queries.link(db, link.code)).scans == 60

    @pytest.mark.parametrize(
        "program",
        [
            "TelegramBot (like TwitterBot)",
            "facebookexternalhit/1.1",
            "WhatsApp/2.23.20.0",
            "Mozilla/5.0 (compatible; vkShare; +http://vk.com/dev/Share)",
            "Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)",
            "Mozilla/5.0 (compatible; Linux x86_64; Mail.RU_Bot/2.0)",
        ],
    )
    def test_knows_previews(self, program: str):
        assert model.is_preview(program)

    @pytest.mark.parametrize(
        "person",
        [None, "", BROWSER, "Mozilla/5.0 (Linux; Android 9; CUBOT X19) Chrome/120", "curl/8.5.0"],
    )
    def test_takes_the_rest_for_people(self, person: str | None):
        assert not model.is_preview(person)

    def test_a_page_fetched_ahead_is_a_preview(self):
        assert model.is_preview(BROWSER, purpose="prefetch;prerender")


class TestCameBy:
    async def test_the_first_touch_is_where_the_member_comes_from(self, db: Db, vault: Vault, now):
        blogger, box = await made(db, now), await made(db, now, "box", campaign="cream")
        anna = await enrolled(db, vault, now)
        first = await operations.came_by(db, anna, blogger.code, now=now)
        later = now + timedelta(hours=1)
        second = await operations.came_by(db, anna, box.code.upper(), now=later)
        assert first
        assert (first.link, first.first, first.new) == (blogger, True, True)
        assert second
        assert (second.link, second.first, second.new) == (box, False, True)
        assert await source_of(db, vault, anna) == "blogger-17"
        rows = await (await db.execute(TOUCHES, [anna])).fetchall()
        assert rows == [(blogger.code, now, now, 1), (box.code, later, later, 1)]
        facts = [row[0] for row in await (await db.execute(FACTS)).fetchall()]
        assert facts == [
            {"code": blogger.code, "first": True},
            {"code": box.code, "first": False},
        ]

    async def test_a_tap_again_is_the_same_touch(self, db: Db, vault: Vault, now: datetime):
        link, anna = await made(db, now), await enrolled(db, vault, now)
        for minutes in range(50):
            at = now + timedelta(minutes=minutes)
            touch = await operations.came_by(db, anna, link.code, now=at)
        assert touch
        assert (touch.first, touch.new) == (False, False)
        rows = await (await db.execute(TOUCHES, [anna])).fetchall()
        assert rows == [(link.code, now, at, 50)]
        assert len(await (await db.execute(FACTS)).fetchall()) == 1

    @pytest.mark.parametrize("payload", ["", "r-anna", "nothere2", "привет", "a" * 64])
    async def test_another_payload_is_nobodys(self, db: Db, vault: Vault, now, payload: str):
        anna = await enrolled(db, vault, now)
        assert await operations.came_by(db, anna, payload, now=now) is None
        assert await source_of(db, vault, anna) is None

    async def test_a_stranger_is_refused(self, db: Db, now: datetime):
        link = await made(db, now)
        with pytest.raises(MemberNotFound):
            await operations.came_by(db, uuid4(), link.code, now=now)

    async def test_one_of_two_touches_at_once_is_the_first(
        self, database: Database, vault: Vault, now: datetime
    ):
        async with database.transaction() as db:
            links = [await made(db, now, f"blogger-{n}") for n in range(8)]
            anna = await enrolled(db, vault, now)

        async def come(link: Link) -> bool:
            async with database.transaction() as db:
                touch = await operations.came_by(db, anna, link.code, now=now)
            return bool(touch and touch.first)

        came = await asyncio.gather(*(come(link) for link in links))
        assert sum(came) == 1
        async with database.transaction() as db:
            assert await source_of(db, vault, anna) == links[came.index(True)].source
            assert sum(one.starts for one in await funnel(db)) == 1


class TestEnrol:
    async def test_by_a_links_code_comes_from_its_source(self, db: Db, vault: Vault, now):
        link = await made(db, now, campaign="autumn")
        anna = await enrolled(db, vault, now, source=link.code)
        boris = await enrolled(db, vault, now, BORIS, source="landing")
        assert await source_of(db, vault, anna) == "blogger-17"
        assert await source_of(db, vault, boris) == "landing"
        assert (await of(db)).enrolled == 1
        assert (await of(db)).campaign == "autumn"
        assert (await of(db, "landing")).starts == 1
        assert len(await (await db.execute(TOUCHES, [anna])).fetchall()) == 1

    async def test_of_a_batch_by_a_code_counts_each(self, db: Db, vault: Vault, now: datetime):
        link = await made(db, now)
        asked = {"vault": vault, "now": now, "actor": "key:1", "source": link.code}
        await operations.enrol_missing(db, [ANNA, BORIS], **asked)
        await operations.enrol_missing(db, [ANNA, VERA], **asked)
        assert ((await of(db)).starts, (await of(db)).enrolled) == (3, 3)

    async def test_a_known_source_is_not_taken_over_by_a_touch(self, db: Db, vault: Vault, now):
        link, anna = await made(db, now), await enrolled(db, vault, now, source="landing")
        touch = await operations.came_by(db, anna, link.code, now=now)
        assert touch
        assert not touch.first
        assert await source_of(db, vault, anna) == "landing"
        assert (await of(db)).starts == 0

    async def test_a_corrected_source_moves_the_member(self, db: Db, vault: Vault, now: datetime):
        link = await made(db, now, campaign="autumn")
        anna = await enrolled(db, vault, now, source=link.code)
        asked = {"vault": vault, "now": now, "actor": "operator:cli"}
        await operations.change(db, anna, {"source": "friends"}, **asked)
        assert ((await of(db)).starts, (await of(db, "friends")).starts) == (0, 1)
        await operations.change(db, anna, {"source": None}, **asked)
        assert [one.starts for one in await funnel(db)] == [0]


class TestFunnel:
    async def test_counts_each_step_once(self, db: Db, vault: Vault, now: datetime):
        link = await made(db, now)
        for phone in (ANNA, BORIS, VERA):
            member = await enrolled(db, vault, now, phone)
            await operations.came_by(db, member, link.code, now=now)
            if phone != ANNA:
                consent = NewConsent("processing", "v1", now, "bot_button")
                await operations.give_consent(db, member, consent, now=now, actor="system")
                assert await operations.reached(db, member, Step.RECEIPT, at=now)
                assert not await operations.reached(db, member, Step.RECEIPT, at=now)
        assert await operations.reached(db, member, Step.ACCEPTED, at=now)
        assert await operations.earned(db, member, 40)
        assert await operations.earned(db, member, 2)
        assert await of(db) == Funnel("blogger-17", None, 0, 3, 3, 2, 2, 1, 42)

    async def test_an_accepted_receipt_was_shown(self, db: Db, vault: Vault, now: datetime):
        member = await enrolled(db, vault, now, source="box")
        await operations.reached(db, member, Step.ACCEPTED, at=now)
        counted = await of(db, "box")
        assert (counted.first_receipts, counted.accepted) == (1, 1)

    async def test_takes_credit_for_nothing_before_the_touch(self, db: Db, vault: Vault, now):
        """Anna bought for a year before she saw the blogger."""
        anna = await enrolled(
            db, vault, now, consents=(NewConsent("processing", "v1", now, "site_form"),)
        )
        await operations.reached(db, anna, Step.ACCEPTED, at=now)
        await operations.earned(db, anna, 500)
        link = await made(db, now)
        await operations.came_by(db, anna, link.code, now=now + timedelta(days=1))
        await operations.reached(db, anna, Step.ACCEPTED, at=now + timedelta(days=2))
        await operations.earned(db, anna, 7)
        assert await of(db) == Funnel("blogger-17", None, 0, 1, 0, 0, 0, 0, 7)

    async def test_takes_who_joined_a_screen_before_the_touch(self, db: Db, vault: Vault, now):
        anna = await enrolled(db, vault, now)
        await operations.reached(db, anna, Step.RECEIPT, at=now + timedelta(minutes=1))
        await operations.earned(db, anna, 3)
        link = await made(db, now)
        await operations.came_by(db, anna, link.code, now=now + timedelta(minutes=2))
        assert await of(db) == Funnel("blogger-17", None, 0, 1, 1, 0, 1, 0, 3)

    async def test_of_a_period_takes_scans_and_arrivals_of_its_days(self, db: Db, vault, now):
        link = await made(db, now)
        first, second = DAY, DAY + timedelta(days=1)
        for day, phone in ((first, ANNA), (second, BORIS), (second, VERA)):
            await operations.scan_link(db, link.code, day=day, preview=False)
            at = datetime(day.year, day.month, day.day, 9, tzinfo=UTC)
            await enrolled(db, vault, at, phone, source=link.code)
        midnight = datetime(2026, 11, 19, tzinfo=UTC)
        before = await of(db, last=first, until=midnight)
        since = await of(db, first=second, since=midnight)
        assert (before.scans, before.starts) == (1, 1)
        assert (since.scans, since.starts) == (2, 2)

    async def test_pages_by_source_and_campaign(self, db: Db, now: datetime):
        for source, campaign in (("b", "x"), ("a", None), ("b", None), ("a", "y"), ("a", "y")):
            await made(db, now, source, **({"campaign": campaign} if campaign else {}))
        seen, after = [], ("", "")
        while page := await link_queries.funnel(db, period=Period(), limit=2, after=after):
            seen += [(one.source, one.campaign) for one in page]
            after = (page[-1].source, page[-1].campaign or "")
        assert seen == [("a", None), ("a", "y"), ("b", None), ("b", "x")]

    async def test_of_nobody_counts_nothing(self, db: Db, now: datetime):
        assert not await operations.reached(db, uuid4(), Step.RECEIPT, at=now)
        assert not await operations.earned(db, uuid4(), 5)
        assert await funnel(db) == []


class TestMerge:
    async def test_the_earlier_source_is_the_persons(self, db: Db, vault: Vault, now: datetime):
        blogger, box = await made(db, now), await made(db, now, "box")
        later = now + timedelta(days=1)
        anna = await enrolled(db, vault, later, source=box.code)
        guest = await enrolled(db, vault, now, BORIS, source=blogger.code)
        await operations.came_by(db, guest, box.code, now=now)
        await operations.reached(db, anna, Step.ACCEPTED, at=later)
        await operations.reached(db, guest, Step.RECEIPT, at=now)
        await operations.earned(db, anna, 5)
        await operations.earned(db, guest, 6)
        await joining.merge(db, into=anna, gone=guest)
        assert await source_of(db, vault, anna) == "blogger-17"
        assert await of(db) == Funnel("blogger-17", None, 0, 1, 1, 0, 1, 1, 11)
        assert (await of(db, "box")).starts == 0
        touches = await (await db.execute(TOUCHES, [anna])).fetchall()
        assert sorted(row[3] for row in touches) == [1, 2]
        assert await (await db.execute(TOUCHES, [guest])).fetchall() == []

    async def test_a_buyer_who_came_back_by_a_link_is_no_new_one(self, db: Db, vault, now):
        anna = await enrolled(db, vault, now)
        await operations.reached(db, anna, Step.ACCEPTED, at=now)
        await operations.earned(db, anna, 500)
        link, later = await made(db, now), now + timedelta(days=30)
        guest = await enrolled(db, vault, later, BORIS, source=link.code)
        await operations.reached(db, guest, Step.ACCEPTED, at=later)
        await operations.earned(db, guest, 6)
        await joining.merge(db, into=anna, gone=guest)
        assert await of(db) == Funnel("blogger-17", None, 0, 1, 0, 0, 0, 0, 6)
        assert await source_of(db, vault, anna) == "blogger-17"

    async def test_a_guest_from_nowhere_changes_no_source(self, db: Db, vault: Vault, now):
        link = await made(db, now)
        anna = await enrolled(db, vault, now, source=link.code)
        guest = await enrolled(db, vault, now, BORIS)
        await operations.earned(db, guest, 6)
        await joining.merge(db, into=anna, gone=guest)
        assert await source_of(db, vault, anna) == "blogger-17"
        assert ((await of(db)).starts, (await of(db)).points) == (1, 0)


class TestForget:
    async def test_erases_the_trail_and_keeps_the_count(self, db: Db, vault: Vault, now: datetime):
        link = await made(db, now)
        anna = await enrolled(db, vault, now, source=link.code)
        await arrivals.forget(db, anna)
        assert await (await db.execute(TOUCHES, [anna])).fetchall() == []
        assert (await of(db)).starts == 1

    async def test_erases_what_another_program_called_the_source(self, db: Db, vault, now):
        anna = await enrolled(db, vault, now, source="от Маши, +79160000002")
        await arrivals.forget(db, anna)
        assert await funnel(db) == []


class TestPrinting:
    URL = "https://lunaria.example/l/7kq2m9xr"

    def test_a_png_is_large_enough_and_reads_back(self):
        data = printing.png(self.URL)
        picture = Image.open(io.BytesIO(data))
        assert picture.width == picture.height >= 1000
        assert round(picture.info["dpi"][0]) == 300
        assert images.decode(data) == [self.URL]

    def test_has_a_quiet_zone_of_four_modules(self):
        side = len(printing._modules(self.URL))
        picture = Image.open(io.BytesIO(printing.png(self.URL))).convert("L")
        module = picture.width // side
        dark = picture.point(lambda level: 255 - level).getbbox()
        assert dark
        assert dark[:2] == (4 * module, 4 * module)
        assert dark[2:] == (picture.width - 4 * module, picture.height - 4 * module)

    def test_survives_a_scratch(self):
        picture = Image.open(io.BytesIO(printing.png(self.URL))).convert("L")
        middle, half = picture.width // 2, picture.width // 12
        picture.paste(255, (middle - half, middle - half, middle + half, middle + half))
        out = io.BytesIO()
        picture.save(out, "PNG")
        assert images.decode(out.getvalue()) == [self.URL]

    def test_an_svg_draws_the_same_modules(self):
        drawing = ET.fromstring(printing.svg(self.URL))  # our own text
        modules = printing._modules(self.URL)
        assert drawing.get("viewBox") == f"0 0 {len(modules)} {len(modules)}"
        assert images.decode(_rendered(drawing, len(modules))) == [self.URL]


class TestDoors:
    def test_name_the_link_by_the_public_address(self):
        assert (
            Doors("https://a.example", lambda _d, _c: None).url("abcd")
            == "https://a.example/l/abcd"
        )


def _rendered(drawing: ET.Element, side: int, scale: int = 8) -> bytes:
    """A picture of the second path's runs: `Mx yhWv1h-Wz`."""
    picture = Image.new("L", (side * scale, side * scale), 255)
    runs = drawing[1].get("d")
    assert runs
    for run in runs.split("M")[1:]:
        place, rest = run.split("h", 1)
        x, y = map(int, place.split())
        width = int(rest.split("v")[0])
        picture.paste(0, (x * scale, y * scale, (x + width) * scale, (y + 1) * scale))
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()
