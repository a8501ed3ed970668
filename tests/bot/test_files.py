"""Whatever people send as a receipt: files, details by hand, links; kind words for what is none."""

import json
from dataclasses import replace

from bot.conftest import Door, working
from vezde.receipts.reading.reader import Reader
from vezde.testing.documents import Sheet, details_text, export, letter, pdf, wildberries_text
from vezde.testing.pages import ReceiptPages, page
from vezde.testing.receipts import WILDBERRIES, line, picture, receipt


class TestFiles:
    async def test_pdf_of_a_marketplace(self, door: Door) -> None:
        anna = await door.member()
        paper = door.paper(1)
        await anna.document(pdf(Sheet(wildberries_text(paper), picture(paper))), name="чек.pdf")
        await anna.sees("+83 балла")
        assert await door.value("SELECT slip->>'place' FROM receipts.slip") == "wildberries"

    async def test_letter(self, door: Door) -> None:
        anna = await door.member()
        made = letter("Чек", text=details_text(door.paper(1)), charset="windows-1251")
        await anna.document(made, name="чек.eml")
        await anna.sees("+83 балла")

    async def test_export_of_many_has_one_answer(self, door: Door) -> None:
        anna = await door.member()
        papers = [door.paper(number) for number in range(1, 11)]
        await anna.photo(picture(papers[0]))
        await anna.sees("+83 балла")
        rows = json.loads(export(papers))
        rows[5]["ticket"]["document"]["receipt"].pop("totalSum")
        await anna.document(json.dumps(rows).encode(), name="чеки.json")
        await anna.sees(
            "+664 балла, новых чеков: 8",
            "Приняты: 8",
            "Уже были у нас: 1",
            "Не прочитались: 1",
            within=20,
        )
        assert sum("новых чеков" in one.text for one in anna.answers) == 1
        await anna.document(export([papers[0], papers[1]]), name="чеки.json")
        await anna.sees("Все эти чеки вы уже показывали, они у нас: 2")

    async def test_locked_pdf_is_told_kindly(self, door: Door) -> None:
        anna = await door.member()
        await anna.document(pdf(Sheet("x"), locked=True), name="чек.pdf")
        await anna.sees("закрыт паролем")

    async def test_blurred_picture_shows_the_way_out(self, door: Door) -> None:
        anna = await door.member()
        await anna.photo(picture(receipt(3, lines=[line("Крем", 1_000)]), blurred=True))
        await anna.sees("смазан", "ФН, ФД, ФП, сумма")


class TestText:
    async def test_details_by_hand(self, door: Door) -> None:
        anna = await door.member()
        await anna.send(details_text(door.paper(1)))
        await anna.sees("+83 балла")

    async def test_details_in_part_say_what_is_missing(self, door: Door) -> None:
        anna = await door.member()
        await anna.send("ФН 7380440800000000 ФД 8 сумма 830,00")
        told = await anna.sees("Почти всё", "ФП (или ФПД)", "дата")
        assert "· ФД" not in told.text
        assert await door.value("SELECT count(*) FROM receipts.receipt") == 0

    async def test_wrong_details_do_not_say_which(self, door: Door) -> None:
        anna = await door.member()
        paper = door.paper(1)
        await anna.send(details_text(paper).replace(str(paper.key.fp), str(paper.key.fp + 1)))
        told = await anna.sees("В налоговой такого чека нет", within=10)
        assert "ФП" not in told.text

    async def test_other_codes_are_named(self, door: Door) -> None:
        anna = await door.member()
        await anna.send("https://qr.nspk.ru/AS10003P3RH0LJ2A9ROO038L6NT5RU1M?type=01&sum=83000")
        await anna.sees("код для оплаты по СБП")
        await anna.send("http://check.egais.ru?id=abc&dt=1611071200&cn=0123")
        await anna.sees("код ЕГАИС")
        await anna.send("https://consumer.oofd.kz/?i=123&f=010102&s=500&t=20261117T1230")
        await anna.sees("чек из Казахстана")

    async def test_link_behind_a_login_says_what_to_do(self, door: Door) -> None:
        anna = await door.member()
        await anna.send("https://www.ozon.ru/my/e-check/download/uzOm3-1")
        await anna.sees("магазин просит войти")

    async def test_link_to_an_operators_page(self, still: Door) -> None:
        async with ReceiptPages() as pages:
            looking = Reader(pages.fetch())
            still.house = replace(still.house, reader=looking)
            async with working(still):
                anna = await still.member()
                paper = still.paper(1)
                pages.put("check.ofd.ru", "/rec/1", page(paper))
                await anna.send(f"вот: {pages.link('check.ofd.ru', '/rec/1')}")
                await anna.sees("+83 балла", within=10)
                await anna.send(pages.link("check.ofd.ru", "/rec/2"))
                await anna.sees("Не получилось открыть чек по ссылке", within=10)
            looking.close()

    async def test_payout_typed_by_hand_is_one(self, door: Door) -> None:
        anna = await door.member()
        paper = receipt(9, lines=[line("Крем", 83_000)], seller=WILDBERRIES, operation=3)
        await anna.send(f"Расход {details_text(paper)}")
        await anna.sees("не чек покупки")
