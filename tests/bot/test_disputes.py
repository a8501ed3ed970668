"""«It is mine»: a receipt that another has shown, from the button to the answer, for both."""

import io

import pytest
import zxingcpp
from PIL import Image

from vezde.purchases.marking import Pack
from vezde.receipts import disputes
from vezde.receipts.operations import resolving
from vezde.testing.receipts import line, picture

from .conftest import CREAM, Door

MASK = Pack("04605035006964", "5AbCdE")


async def decide(door: Door, *, move: bool) -> None:
    async with door.house.database.transaction() as db:
        now = await door.house.clock.programme(db)
        (case,) = await disputes.page(db, decided=False, after=None, limit=5)
        await resolving.decide(
            db, case.dispute.dispute_id, move=move, now=now, actor="operator:test"
        )


class TestADisputedReceipt:
    async def test_moves_and_both_are_told(self, door: Door) -> None:
        paper = door.paper(1)
        anna = await door.member("Анна")
        await anna.photo(picture(paper))
        await anna.sees("+83 балла")
        boris = await door.member("Борис")
        await boris.photo(picture(paper))
        refused = await boris.sees("уже показал другой участник")
        await boris.tap("Это мой чек", on=refused)
        await boris.sees("Спасибо, получили")
        await anna.sees("Уточняем один ваш чек")
        await decide(door, move=True)
        await boris.sees("Разобрались: чек ваш")
        await boris.sees("+83 балла")
        await anna.sees("Проверили чек", "баллы за него мы сняли", "0 баллов")
        said = " ".join(one.text for one in [*anna.messages, *boris.messages])
        assert "Товар вернулся" not in said
        for one, other in ((anna, "Борис"), (boris, "Анна")):
            assert not any(other in message.text for message in one.answers)

    async def test_by_its_text_needs_a_proof(self, door: Door) -> None:
        paper = door.paper(1)
        anna = await door.member("Анна")
        await anna.photo(picture(paper))
        await anna.sees("+83 балла")
        boris = await door.member("Борис")
        await boris.send(paper.qr.text())
        await boris.sees("уже показал другой участник")
        await boris.tap("Это мой чек")
        await boris.sees("фото бумажного чека целиком")
        await boris.photo(picture(paper))
        await boris.sees("Спасибо, получили")
        await decide(door, move=False)
        await boris.sees("Подтвердить, что покупка ваша, не получилось")
        await anna.sees("всё в порядке, он ваш")
        await boris.tap("Это мой чек")
        await boris.sees("мы уже ответили")

    @pytest.mark.parametrize("answers", [False, True])
    async def test_the_code_of_the_jar_decides_alone_unless_the_other_answers(
        self, door: Door, answers: bool
    ) -> None:
        jar = line(CREAM, 83_000, gtin=MASK.gtin, serial=MASK.serial)
        paper = door.paper(1, lines=[jar])
        anna = await door.member("Анна")
        await anna.send(paper.qr.text())
        await anna.sees("+83 балла")
        boris = await door.member("Борис")
        await boris.send(paper.qr.text())
        await boris.sees("уже показал другой участник")
        await boris.tap("Это мой чек")
        await boris.sees("квадратный код")
        await boris.photo(_matrix(MASK.text + "\x1d93dGVz"))
        await boris.sees("код с чека")
        await anna.sees("Уточняем один ваш чек")
        if answers:
            await anna.photo(picture(paper))
            await anna.sees("Спасибо, получили")
        await door.passes(hours=25)
        if answers:
            await decide(door, move=False)
            await anna.sees("всё в порядке, он ваш")
        else:
            await boris.sees("Разобрались: чек ваш")
            await anna.sees("баллы за него мы сняли")


def _matrix(text: str) -> bytes:
    """The code on the jar, as it is photographed close up."""
    made = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.DataMatrix)
    drawn = Image.fromarray(zxingcpp.write_barcode_to_image(made, scale=8)).convert("L")
    sheet = Image.new("L", (drawn.width + 80, drawn.height + 80), 255)
    sheet.paste(drawn, (40, 40))
    written = io.BytesIO()
    sheet.save(written, "PNG")
    return written.getvalue()
