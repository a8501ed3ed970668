from datetime import timedelta

import pytest

from vezde.kit.errors import Unavailable
from vezde.kit.work import failures


class TestNextTry:
    def test_waits_longer_each_time_then_gives_up(self, now):
        waits = [failures.next_try(n, wall=now) - now for n in range(1, 6)]
        assert waits == [
            timedelta(seconds=5),
            timedelta(seconds=30),
            timedelta(minutes=5),
            timedelta(hours=1),
            timedelta(hours=6),
        ]
        assert failures.next_try(6, wall=now) is None


class TestDescribe:
    @pytest.mark.parametrize(
        ("error", "said"),
        [
            (ValueError("anna@example.org"), "ValueError at test_work_failures.py:"),
            (Unavailable("anna"), "Unavailable unavailable at test_work_failures.py:"),
        ],
    )
    def test_names_kind_and_place_only(self, error, said):
        try:
            raise error
        except Exception as caught:
            described = failures.describe(caught)
        assert described.startswith(said)
        assert described.endswith(" in test_names_kind_and_place_only")
        assert "anna" not in described

    async def test_names_the_sqlstate(self, db):
        with pytest.raises(Exception) as caught:
            await db.execute("SELECT 1 / 0")
        assert failures.describe(caught.value).startswith("DivisionByZero 22012 at ")
