"""The targets of the night read their seeds by day, so that they do not rot."""

import pytest

from fuzz import targets
from vezde.kit.errors import DomainError


@pytest.mark.parametrize("name", targets.TARGETS)
class TestTargets:
    def test_read_their_seeds(self, name):
        for seed in targets.seeds()[name]:
            targets.TARGETS[name](seed)

    @pytest.mark.parametrize("data", [b"", b"\0", b"\xff" * 40, b"{", b"<", b'{"code":Infinity}'])
    def test_answer_anything_else_in_our_own_words(self, name, data):
        targets.once(targets.TARGETS[name], data)


class TestOnce:
    def test_lets_through_what_is_not_ours(self):
        def breaks(_):
            raise KeyError("not ours")

        def refuses(_):
            raise targets.parsers.UnreadableDocument("ours")

        targets.once(refuses, b"")
        with pytest.raises(KeyError):
            targets.once(breaks, b"")
        assert issubclass(targets.parsers.UnreadableDocument, DomainError)
