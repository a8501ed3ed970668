"""Pictures of receipts: made small, kept only while somebody has to look, erased in time."""

import io
import json
import random
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from PIL import Image

from vezde.kit.clock import Clock
from vezde.kit.errors import DomainError, Kind
from vezde.kit.vault import CannotUnseal, Vault
from vezde.kit.work import leases
from vezde.receipts.operations import merging, moderating, registering
from vezde.receipts.operations.registering import Submission
from vezde.receipts.photos import operations as photos
from vezde.receipts.photos.operations import Photo, State
from vezde.receipts.photos.work import Photographer
from vezde.receipts.providers.documents import DocumentsFolder
from vezde.receipts.reading import photos as making
from vezde.receipts.reading.reader import Reader
from vezde.testing.documents import Sheet, details_text, letter, pdf
from vezde.testing.receipts import line, picture, receipt, render

LIPSTICK, CREAM = line("Помада LUNARIA", 50_000), line("Крем для лица LUNARIA 50мл", 83_000)
PAPER, OTHER = receipt(1, lines=[LIPSTICK]), receipt(2, lines=[CREAM])
SURE = receipt(3, lines=[CREAM])
KEY, OTHER_KEY, SURE_KEY = ((one.key.fn, one.key.fd) for one in (PAPER, OTHER, SURE))
BOT = "telegram:7000000001"


def shot(paper: Any = PAPER, *, mode: str = "L", side: int = 640, **saving: Any) -> bytes:
    made = io.BytesIO()
    with Image.open(io.BytesIO(picture(paper))) as drawn:
        drawn.convert(mode).resize((side * 3 // 4, side)).save(made, **saving)
    return made.getvalue()


def opened(jpeg: bytes) -> Image.Image:
    return Image.open(io.BytesIO(jpeg), formats=["JPEG"])


class TestMaking:
    def test_is_upright_small_and_tells_nothing_of_the_phone(self) -> None:
        told = Image.Exif()
        told[0x0112] = 6  # turned
        told[0x010F] = "Phone of Anna"
        told.get_ifd(0x8825)[2] = (55.0, 45.0, 7.0)  # where it was taken
        large = shot(side=4_000, format="JPEG", quality=95, exif=told, comment=b"of Anna")
        small = making.find(large, [KEY])[KEY]
        assert opened(small).size == (1_600, 1_200)
        assert (dict(opened(small).getexif()), b"Anna" in small) == ({}, False)
        assert "comment" not in opened(small).info

    def test_fits_however_much_there_is_to_see(self) -> None:
        noise = Image.frombytes("L", (3_000, 2_000), random.Random(1).randbytes(6_000_000))
        made = io.BytesIO()
        noise.save(made, "PNG")
        assert len(making.find(made.getvalue(), [KEY])[KEY]) <= making.MOST_BYTES

    def test_is_the_page_or_the_attachment_with_the_receipt(self) -> None:
        pages = pdf(Sheet("", picture(OTHER)), Sheet("", picture(PAPER)))
        found = making.find(pages, [KEY, OTHER_KEY])
        assert found[KEY] != found[OTHER_KEY]
        mail = letter(
            "Чеки", text="см. вложения", files=[("a.png", "image/png", shot(OTHER, format="PNG"))]
        )
        assert making.find(mail, [OTHER_KEY]).keys() == {OTHER_KEY}

    def test_of_texts_and_broken_files_there_is_none(self) -> None:
        text = details_text(PAPER).encode()
        for data in (text, b"\x89PNG\r\n\x1a\n broken", b"%PDF-1.7 broken", b"", b"{}"):
            assert making.find(data, [KEY]) == {}


class Telegram:
    """A messenger's files, in memory: a port of ours, nobody's protocol."""

    def __init__(self, **files: bytes) -> None:
        self.files, self.asked = files, 0
        self.error: DomainError | None = None

    async def get_file(self, file_id: str) -> bytes:
        self.asked += 1
        if self.error is not None:
            raise self.error
        return self.files[file_id]


class Gone(DomainError):
    code = "gone"
    kind = Kind.MISSING


class Busy(DomainError):
    code = "busy"
    kind = Kind.EXHAUSTED


@pytest.fixture
async def telegram() -> Telegram:
    return Telegram(photo=shot(format="JPEG"))


@pytest.fixture
async def photographer(shop, telegram: Telegram) -> AsyncIterator[Photographer]:
    looking = Reader()
    clock = Clock(sandbox=False)
    yield Photographer(shop.database, clock, shop.vault, looking, {BOT: telegram})
    looking.close()


async def show(shop, who: UUID, paper: Any, photo: Photo | None) -> UUID:
    """A receipt is shown by its code and found by a provider at once."""
    async with shop.database.transaction() as db:
        (one,) = await registering.register(
            db,
            [Submission(who, qr=paper.qr, photo=photo)],
            now=shop.at,
            wall=shop.at,
            actor="test",
        )
    return one.receipt_id


@pytest.fixture
def known(tmp_path: Path) -> DocumentsFolder:
    """The tax service knows both papers."""
    for paper in (PAPER, OTHER, SURE):
        path = tmp_path / f"{paper.key.fn}-{paper.key.fd}.json"
        path.write_text(json.dumps(render(paper)), "utf-8")
    return DocumentsFolder(tmp_path)


async def rows(shop, query: str) -> list[Any]:
    async with shop.database.transaction() as db:
        return await (await db.execute(query.encode())).fetchall()


async def state(shop, who: UUID, receipt_id: UUID) -> State | None:
    async with shop.database.transaction() as db:
        return (await photos.states(db, [(who, receipt_id)])).get(receipt_id)


async def seen(shop, who: UUID, receipt_id: UUID) -> bytes:
    async with shop.database.transaction() as db:
        return await photos.picture(db, who, receipt_id, vault=shop.vault)


async def swept(shop, **later: float) -> int:
    async with shop.database.transaction() as db:
        return await photos.sweep(db, now=shop.at + timedelta(**later), limit=100)


def sent(vault: Vault, key: tuple[int, int] = KEY, file_id: str = "photo") -> Photo:
    return photos.of_messenger(vault, key, bot=BOT, file_id=file_id)


def at_hand(vault: Vault, key: tuple[int, int] = KEY) -> Photo:
    return photos.of_bytes(vault, key, b"a small picture")


class TestKeeping:
    async def test_a_sure_receipt_keeps_nothing(self, shop, anna, boris, known):
        await show(shop, anna, OTHER, sent(shop.vault, OTHER_KEY))
        receipt_id = await show(shop, boris, SURE, at_hand(shop.vault, SURE_KEY))
        assert await rows(shop, "SELECT awaited FROM receipts.photo") == [(False,)]
        with pytest.raises(photos.PhotoNotKept):  # nobody is to look before it is settled
            await seen(shop, boris, receipt_id)
        await shop.publish(moderation={"first_names": 0, "audit_bp": 0})
        await shop.work(known)
        assert await rows(shop, "SELECT 1 FROM receipts.photo") == []

    async def test_one_in_doubt_has_the_picture_that_was_at_hand(self, shop, anna, known):
        receipt_id = await show(shop, anna, PAPER, at_hand(shop.vault))
        await shop.work(known)
        assert await state(shop, anna, receipt_id) is State.KEPT
        assert await seen(shop, anna, receipt_id) == b"a small picture"
        (sealed,) = await rows(shop, "SELECT picture FROM receipts.photo")
        assert b"small" not in sealed[0]

    async def test_one_in_doubt_is_fetched_from_the_messenger(
        self, shop, anna, known, photographer, telegram
    ):
        receipt_id = await show(shop, anna, PAPER, sent(shop.vault))
        await shop.work(known)
        assert await state(shop, anna, receipt_id) is State.COMING
        assert (await photographer.run(), await photographer.run()) == (1, 0)
        assert await state(shop, anna, receipt_id) is State.KEPT
        assert opened(await seen(shop, anna, receipt_id)).size == (480, 640)
        assert telegram.asked == 1

    async def test_is_of_its_document_alone(self, shop, anna, known):
        receipt_id = await show(shop, anna, PAPER, at_hand(shop.vault, OTHER_KEY))
        await shop.work(known)
        with pytest.raises(CannotUnseal):
            await seen(shop, anna, receipt_id)

    async def test_receipts_refused_at_the_door_keep_none(self, shop, anna):
        await show(shop, anna, receipt(1, lines=[LIPSTICK], operation=3), at_hand(shop.vault))
        assert await rows(shop, "SELECT 1 FROM receipts.photo") == []

    async def test_of_doubles_those_that_another_has_shown_wait_for_a_dispute(
        self, shop, anna, boris
    ):
        await show(shop, anna, PAPER, at_hand(shop.vault))
        await show(shop, anna, PAPER, at_hand(shop.vault))  # their own once more
        await show(shop, boris, PAPER, at_hand(shop.vault))  # taken
        kept = "SELECT member_id, awaited FROM receipts.photo ORDER BY shown_at, receipt_id"
        assert await rows(shop, kept) == [(anna, False), (boris, False)]

    async def test_where_the_programme_wants_none_there_is_none(self, shop, anna, boris, known):
        await shop.publish(moderation={"photo_days": 0})
        await show(shop, anna, PAPER, at_hand(shop.vault))
        assert await rows(shop, "SELECT 1 FROM receipts.photo") == []
        await show(shop, boris, OTHER, sent(shop.vault, OTHER_KEY))
        await shop.work(known)
        assert await rows(shop, "SELECT 1 FROM receipts.photo") == []


class TestFetching:
    async def in_doubt(self, shop, anna, known, file_id: str = "photo") -> UUID:
        receipt_id = await show(shop, anna, PAPER, sent(shop.vault, file_id=file_id))
        await shop.work(known)
        return receipt_id

    async def test_of_what_the_messenger_lost_is_given_up(
        self, shop, anna, known, photographer, telegram
    ):
        receipt_id = await self.in_doubt(shop, anna, known)
        telegram.error = Gone("gone")
        assert await photographer.run() == 1
        assert await state(shop, anna, receipt_id) is None

    async def test_of_no_picture_is_given_up(self, shop, anna, known, photographer, telegram):
        telegram.files["text"] = b"no picture"
        await self.in_doubt(shop, anna, known, "text")
        assert await photographer.run() == 1
        assert await rows(shop, "SELECT 1 FROM receipts.photo") == []

    async def test_is_tried_again_later_and_in_the_end_no_more(
        self, shop, anna, known, photographer, telegram
    ):
        await self.in_doubt(shop, anna, known)
        telegram.error = Busy("later")
        for _ in range(len(photos.PAUSES) + 1):
            assert (await photographer.run(), await photographer.run()) == (1, 0)
            await rows(shop, "UPDATE receipts.photo SET try_wall = NULL RETURNING 1")
        assert await rows(shop, "SELECT 1 FROM receipts.photo") == []

    async def test_whose_lease_is_lost_writes_nothing(self, shop, anna, boris, known, telegram):
        receipt_id = await self.in_doubt(shop, anna, known)
        lease = leases.take(wall=shop.at, seconds=60)
        async with shop.database.transaction() as db:
            (wanted,) = await photos.claim(db, lease, vault=shop.vault, wall=shop.at, limit=5)
        async with shop.database.transaction() as db:
            await merging.merge(db, boris, anna, now=shop.at, actor="test")
        async with shop.database.transaction() as db:
            await photos.fetched(db, wanted, lease, b"late", vault=shop.vault)
        assert await state(shop, boris, receipt_id) is State.COMING


class TestErasing:
    async def test_by_age_and_by_the_last_decision(self, shop, anna, known):
        receipt_id = await show(shop, anna, PAPER, at_hand(shop.vault))
        await shop.work(known)
        assert await swept(shop, days=44) == 0
        async with shop.database.transaction() as db:
            await moderating.decide_line(
                db, anna, receipt_id, line=1, sku="LIP-02", now=shop.at, actor="operator:vera"
            )
        assert await swept(shop, days=2, hours=23) == 0
        assert await swept(shop, days=3) == 1

    async def test_at_the_latest_after_its_term(self, shop, anna, known):
        await show(shop, anna, PAPER, at_hand(shop.vault))  # nobody knows the document
        assert await swept(shop, days=44) == 0
        assert await swept(shop, days=45) == 1

    async def test_with_the_member(self, shop, anna, known):
        await show(shop, anna, PAPER, at_hand(shop.vault))
        await shop.work(known)
        async with shop.database.transaction() as db:
            await merging.forget(db, anna, now=shop.at, actor="test")
        assert await rows(shop, "SELECT 1 FROM receipts.photo") == []

    async def test_not_with_a_merge_nor_with_its_undoing(self, shop, anna, boris, known):
        receipt_id = await show(shop, anna, PAPER, at_hand(shop.vault))
        await shop.work(known)
        async with shop.database.transaction() as db:
            moved = await merging.merge(db, boris, anna, now=shop.at, actor="test")
        assert await seen(shop, boris, receipt_id) == b"a small picture"
        async with shop.database.transaction() as db:
            await merging.unmerge(db, boris, anna, moved=moved, now=shop.at, actor="test")
        assert await seen(shop, anna, receipt_id) == b"a small picture"
