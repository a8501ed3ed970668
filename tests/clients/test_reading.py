from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vezde_client import reading


@dataclass(frozen=True)
class Inner:
    quantity: Decimal
    at: datetime | None


@dataclass(frozen=True)
class Outer:
    id: str
    many: tuple[Inner, ...]
    day: date | None


class TestDumps:
    def test_writes_decimals_as_the_numbers_they_are(self) -> None:
        assert reading.dumps({"q": Decimal("0.300000"), "n": [1, None, True]}) == (
            '{"q":0.300000,"n":[1,null,true]}'
        )
        assert reading.dumps(Decimal("1E-6")) == "0.000001"
        assert reading.dumps(Decimal("1E+3")) == "1000"

    def test_refuses_floats(self) -> None:
        with pytest.raises(TypeError, match="float"):
            reading.dumps({"quantity": 0.1})

    def test_refuses_what_is_no_number(self) -> None:
        with pytest.raises(ValueError, match="no number"):
            reading.dumps(Decimal("NaN"))

    def test_writes_instants_in_utc_and_refuses_naive_ones(self) -> None:
        noon = datetime(2026, 11, 18, 12, tzinfo=ZoneInfo("Europe/Moscow"))
        assert reading.dumps(noon) == '"2026-11-18T09:00:00Z"'
        with pytest.raises(ValueError, match="zone"):
            reading.dumps(datetime(2026, 11, 18))

    @given(
        st.recursive(
            st.none()
            | st.booleans()
            | st.integers()
            | st.text()
            | st.decimals(allow_nan=False, allow_infinity=False, places=6),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        )
    )
    def test_is_read_back_as_it_was(self, value: object) -> None:
        assert reading.loads(reading.dumps(value).encode()) == value


class TestRead:
    def test_makes_dataclasses_with_decimals_and_instants(self) -> None:
        text = b'{"id": "a", "new": 1, "many": [{"quantity": 0.1, "at": "2026-11-18T09:00:00Z"}]}'
        assert reading.read(Outer, reading.loads(text)) == Outer(
            "a", (Inner(Decimal("0.1"), datetime(2026, 11, 18, 9, tzinfo=UTC)),), None
        )

    def test_makes_a_decimal_of_a_whole_number(self) -> None:
        assert reading.read(Inner, {"quantity": 2}).quantity == Decimal(2)

    @pytest.mark.parametrize(
        ("value", "place"),
        [
            ({"id": 5, "many": []}, "id: int is not str"),
            ({"id": "a"}, "many: NoneType is not list"),
            ({"id": "a", "many": [{"quantity": True}]}, "many: quantity: True"),
            ({"id": "a", "many": [], "day": "tomorrow"}, "day: "),
            ([], "list is not dict"),
        ],
    )
    def test_says_where_it_does_not_fit(self, value: object, place: str) -> None:
        with pytest.raises(reading.Unfit, match=place):
            reading.read(Outer, value)

    def test_refuses_what_is_no_json(self) -> None:
        with pytest.raises(reading.Unfit, match="not JSON"):
            reading.loads(b"<html>")
