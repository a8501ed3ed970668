"""Every worked example of the page on points, computed."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from docs.generate import ROOT
from vezde import wiring
from vezde.program import checking, compiling
from vezde.program.decide import decide
from vezde.program.model import PURCHASE_RECORDED, Fact, FactLine, Standing

NOW = datetime(2026, 11, 18, 9, tzinfo=UTC)
ONE = UUID(int=1)
ROW = re.compile(r"^\| `(\w+)` \|(.*)\|(.*)\|(.*)\|(.*)\|(.*)\|$", re.MULTILINE)


def examples(name: str) -> list[tuple[str, ...]]:
    text = (ROOT / "docs" / "explain" / name).read_text("utf-8")
    return [tuple(cell.strip() for cell in row) for row in ROW.findall(text)]


class TestExamples:
    @pytest.mark.parametrize("row", examples("points.md"), ids=lambda row: " ".join(row[:3]))
    def test_are_right(self, row: tuple[str, ...]) -> None:
        channel, lines, instead, earned, points, parts = row
        fact = Fact(
            id=ONE,
            kind=PURCHASE_RECORDED,
            member_id=ONE,
            purchase_id=ONE,
            occurred_at=NOW,
            wall_time=NOW.replace(tzinfo=None),
            registered_at=NOW,
            recorded_at=NOW,
            sales_channel=channel,
            lines=tuple(_line(n, text) for n, text in enumerate(lines.split(" + "), start=1)),
        )
        decision = decide(_programme(instead), Standing(earned_that_day=int(earned)), fact)
        assert decision.points == int(points)
        assert [part.points for part in decision.parts] == [
            int(n) for n in re.findall(r"\d+", parts)
        ]

    def test_are_the_same_in_russian(self) -> None:
        assert examples("points.md")
        assert examples("points.ru.md") == examples("points.md")


def _line(number: int, text: str) -> FactLine:
    tags = tuple(re.findall(r"\((\w+)\)", text))
    kopecks = int(Decimal(text.split(maxsplit=1)[0]) * 100)
    return FactLine(number, f"LU-{number}", None, tags, 1_000_000, kopecks, decided=False)


def _programme(instead: str):
    source = (ROOT / "examples" / "program.yaml").read_bytes()
    document = checking.check(source, sections=wiring.SECTIONS).document
    if instead:
        name, value = instead.split()
        document[name] = int(value) if value.isdigit() else value
    sound = checking.check(document, sections=wiring.SECTIONS).sound()
    return compiling.programme(sound, version=1, in_force_from=NOW)
