import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vezde.cli import arrays
from vezde.receipts.parsers import UnreadableDocument

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def take_all(path: Path, into: list[object]) -> None:
    for value in arrays.elements(path):
        into.append(value)  # noqa: PERF402 - what came before an error counts


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrays, "CHUNK", 5)


class TestElements:
    @settings(
        max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
    )
    @given(objects=st.lists(st.dictionaries(st.text(), VALUES, max_size=3), max_size=4))
    def test_are_those_of_the_whole_list(
        self, objects: list[object], small_chunks: None, tmp_path: Path
    ) -> None:
        path = tmp_path / "list.json"
        path.write_text(json.dumps(objects, indent=1), "utf-8")
        assert list(arrays.elements(path)) == objects

    def test_keep_numbers_exact(self, tmp_path: Path) -> None:
        path = tmp_path / "list.json"
        path.write_text('\ufeff [ {"sum": 790.10} ] ', "utf-8")
        assert list(arrays.elements(path)) == [{"sum": Decimal("790.10")}]

    def test_may_be_in_cp1251(self, tmp_path: Path) -> None:
        path = tmp_path / "list.json"
        path.write_bytes('[{"name": "Крем"}]'.encode("cp1251"))
        assert list(arrays.elements(path)) == [{"name": "Крем"}]

    @pytest.mark.parametrize(
        ("text", "whole", "place"),
        [
            ('[{"a": 1}, {"b": ', 1, "at element 2"),
            ('[{"a": 1} {"b": 2}]', 1, "after element 1"),
            ('[{"a": 1}, ', 1, "at element 2"),
            ('[{"a": 1}', 1, "after element 1"),
            ("[nonsense]", 0, "at element 1"),
            ("[" * 100_000, 0, "at element 1"),
        ],
    )
    def test_say_where_the_list_breaks_off(
        self, text: str, whole: int, place: str, tmp_path: Path
    ) -> None:
        path = tmp_path / "list.json"
        path.write_text(text)
        found: list[object] = []
        with pytest.raises(UnreadableDocument, match=place):
            take_all(path, found)
        assert len(found) == whole


class TestIsArray:
    @pytest.mark.parametrize(
        ("text", "expected"), [("\ufeff \n[1]", True), ('{"a": [1]}', False), ("", False)]
    )
    def test_looks_at_the_first_sign(self, text: str, expected: bool, tmp_path: Path) -> None:
        path = tmp_path / "some.json"
        path.write_text(text, "utf-8")
        assert arrays.is_array(path) is expected
