"""A member's own address: asked for, put into a shop's profile, and receipts register themselves."""

import asyncio
import re
import smtplib

import pytest

from bot.conftest import CREAM, Door
from vezde.mail import server
from vezde.testing.documents import Sheet, letter, pdf
from vezde.testing.receipts import picture
from vezde.testing.telegram.person import Person


async def address_of(anna: Person) -> str:
    await anna.send("/email")
    told = await anna.sees("Ваш адрес для чеков")
    found = re.search(r"m-\w{6}@mail\.lunaria\.example", told.text)
    assert found is not None
    return found[0]


async def send(door: Door, raw: bytes, to: str) -> None:
    house = door.house
    box = server.Box(house.database, house.clock, house.vault, house.settings.mail.domain or "")
    async with await server.listen(box, host="127.0.0.1", port=0) as listening:
        port = listening.sockets[0].getsockname()[1]

        def talk() -> None:
            with smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
                client.sendmail("noreply@ozon.example", [to], raw)

        await asyncio.to_thread(talk)


class TestLetter:
    async def test_with_a_receipt_brings_points_by_itself(self, door: Door) -> None:
        anna = await door.member()
        address = await address_of(anna)
        made = pdf(Sheet(picture=picture(door.paper(1))))
        raw = letter("Ваш чек", html="<p>Спасибо</p>", files=[("чек.pdf", "application/pdf", made)])
        await send(door, raw, address)
        await anna.sees("+83 балла", CREAM, within=15)
        await send(door, raw, address)
        await door.until("SELECT count(*) = 1 FROM receipts.receipt")
        await door.until("SELECT count(*) = 0 FROM receipts.letter WHERE sealed IS NOT NULL")

    async def test_that_confirms_the_address_is_passed_on(self, door: Door) -> None:
        anna = await door.member()
        address = await address_of(anna)
        await send(door, letter("Подтвердите почту", text="Ваш код: 482913"), address)
        await anna.sees("письмо от shop.example", "482913", within=15)

    async def test_with_a_receipt_behind_a_login_asks_for_it(self, door: Door) -> None:
        anna = await door.member()
        address = await address_of(anna)
        link = "https://www.ozon.ru/my/e-check/download/uzOm3-1"
        await send(door, letter("Ваш чек", html=f'<a href="{link}">Чек</a>'), address)
        told = await anna.sees("пришёл чек от shop.example", "Ваш чек", within=15)
        assert told.buttons == ("Открыть чек",)

    async def test_of_advertising_is_nobodys_business(self, door: Door) -> None:
        anna = await door.member()
        address = await address_of(anna)
        await send(
            door, letter("Скидки", html='<a href="https://www.ozon.ru/checkout">990</a>'), address
        )
        await door.until("SELECT count(*) = 1 FROM receipts.letter WHERE state = 'done'")
        assert await door.value("SELECT count(*) FROM receipts.receipt") == 0

    async def test_of_who_left_is_gone(self, door: Door) -> None:
        anna = await door.member()
        address = await address_of(anna)
        await anna.send("/settings")
        await anna.sees_button("Выйти и стереть данные")
        await anna.tap("Выйти и стереть данные")
        await anna.sees_button("Да, стереть всё")
        await anna.tap("Да, стереть всё")
        await anna.sees("сотрём")
        await door.passes(minutes=2)
        await door.until("SELECT count(*) = 0 FROM receipts.mailbox")
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            await send(door, letter("Чек"), address)
