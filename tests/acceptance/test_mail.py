"""Letters to a member's own address by `vezde serve`: what was answered 250 outlives a kill -9."""

import asyncio
import json
import re
import smtplib
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from acceptance.test_bot_troubles import connected, count, killed, member, serving, until
from vezde.testing.documents import Sheet, letter, pdf
from vezde.testing.installation import free_port
from vezde.testing.receipts import line, picture, receipt, render
from vezde.testing.telegram.fake import FakeTelegram

PRODUCTS = [{"sku": "CREAM", "name": "Крем LUNARIA 50 мл", "brand": "LUNARIA", "size": "50 мл"}]


@pytest.fixture
async def telegram():
    async with FakeTelegram(webhook_pause_seconds=0.05) as fake:
        yield fake


def send(port: int, raw: bytes, to: str) -> None:
    with smtplib.SMTP("127.0.0.1", port, timeout=20) as client:
        client.sendmail("noreply@ozon.example", [to], raw)


class TestLetter:
    async def test_outlives_a_kill_and_pays_once(self, tmp_path: Path, telegram: FakeTelegram):
        port, known = free_port(), tmp_path / "known"
        known.mkdir()
        at = datetime.now().replace(second=0, microsecond=0) - timedelta(days=1)  # noqa: DTZ005
        paper = receipt(1, lines=[line("Крем LUNARIA 50 мл", 83_000)], at=at)
        (known / f"{paper.key.fn}-{paper.key.fd}.json").write_text(json.dumps(render(paper)))
        mail = {"VEZDE_MAIL_DOMAIN": "mail.lunaria.example", "VEZDE_MAIL_PORT": str(port)}
        async with serving(tmp_path, telegram, VEZDE_DOCUMENTS_DIR=str(known), **mail) as vezde:
            goods = {"items": PRODUCTS, "mode": "merge"}
            await asyncio.to_thread(vezde.call, "PUT", "/v1/catalog/products", goods)
            anna = await member(telegram, "Анна")
            await anna.send("/email")
            told = await anna.sees("Ваш адрес для чеков", within=20)
            found = re.search(r"m-\w+@mail\.lunaria\.example", told.text)
            assert found is not None
            db = await connected(vezde)
            # Whoever works the letter waits for the receipts' table, and dies there.
            await db.execute("LOCK TABLE receipts.receipt IN ACCESS EXCLUSIVE MODE")
            raw = letter("Чек", files=[("чек.pdf", "application/pdf", made(paper))])
            await asyncio.to_thread(send, port, raw, found[0])

            async def is_read() -> bool:
                query = "SELECT count(*) FROM receipts.letter WHERE lease IS NOT NULL"
                return await count(vezde, query) == 1

            await until(20, is_read)
            await killed(vezde, db)
            await anna.sees("+83 балла", within=90)
            await asyncio.to_thread(send, port, raw, found[0])
            assert await count(vezde, "SELECT count(*) FROM receipts.receipt") == 1
            assert await count(vezde, "SELECT count(sealed) FROM receipts.letter") == 0


def made(paper) -> bytes:
    return pdf(Sheet(picture=picture(paper)))
