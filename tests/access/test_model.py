from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from uuid import UUID, uuid4

import pytest

from vezde.access import model
from vezde.access.model import InvalidIdempotencyKey, InvalidKeyRequest, Key, Scope, ScopeMissing
from vezde.kit.vault import Vault

VAULT = Vault(bytes(32))
NOON = datetime(2026, 11, 18, 9, tzinfo=UTC)


class TestScopes:
    def test_are_those_of_the_contract(self):
        words = "members receipts receipts:verified points checkout catalog sellers program"
        words += " webhooks troubles operators providers sandbox"
        assert set(Scope) == {*words.split(), "all", "widget"}
        assert model.sound_scopes(["points", "points", "receipts:verified"]) == {
            Scope.POINTS,
            Scope.RECEIPTS_VERIFIED,
        }

    @pytest.mark.parametrize("words", [[], [""], ["points", "money"], ["ALL"]])
    def test_others_are_refused_with_the_list(self, words: list[str]):
        with pytest.raises(InvalidKeyRequest, match="members, receipts, receipts:verified"):
            model.sound_scopes(words)


class TestKey:
    def test_opens_what_its_scopes_name(self):
        key = Key(uuid4(), "till", frozenset({Scope.RECEIPTS}), NOON, "operator:cli")
        key.require(Scope.RECEIPTS)
        for other in (Scope.RECEIPTS_VERIFIED, Scope.MEMBERS, Scope.ALL):
            with pytest.raises(ScopeMissing, match=other):
                key.require(other)

    def test_all_is_every_one(self):
        key = Key(uuid4(), "till", frozenset({Scope.ALL}), NOON, "operator:cli")
        for scope in set(Scope) - {Scope.WIDGET}:
            key.require(scope)
        with pytest.raises(ScopeMissing):
            key.require(Scope.WIDGET)


class TestIdempotencyKey:
    @pytest.mark.parametrize("text", ["a", "x" * 255, str(uuid4()), "order 17/2"])
    def test_takes_printable_ascii(self, text: str):
        assert model.sound_idempotency_key(text) == text

    @pytest.mark.parametrize("text", ["", " ", "x" * 256, "a\nb", "a\x00", "ключ"])
    def test_refuses_the_rest(self, text: str):
        with pytest.raises(InvalidIdempotencyKey, match="1 to 255"):
            model.sound_idempotency_key(text)


class TestFingerprint:
    def test_is_equal_for_equal_content_however_written(self):
        member = uuid4()
        moscow = NOON.astimezone(timezone(timedelta(hours=3)))
        one = {
            "a": 1,
            "quantity": Decimal("1.0"),
            "at": NOON,
            "day": date(2026, 1, 1),
            "id": member,
        }
        other = {
            "id": UUID(str(member)),
            "day": date(2026, 1, 1),
            "at": moscow,
            "quantity": Decimal("1E0"),
            "a": 1,
        }
        assert _of(one) == _of(other)
        assert len(_of(one)) == 32

    def test_differs_for_other_content(self):
        seen = [
            _of({"a": 1}),
            _of({"a": 2}),
            _of({"a": "1"}),
            _of({"a": None}),
            _of({"a": [{"b": Decimal("1.1")}]}),
            _of({"a": 1}, b"photo"),
            _of({"a": 1}, b"phot", b"o"),
            _of({"a": 1}, b"photo", b""),
            model.fingerprint({"a": 1}, vault=Vault(b"x" * 32)),
        ]
        assert len(set(seen)) == len(seen)

    def test_refuses_what_it_cannot_tell_apart(self):
        with pytest.raises(TypeError, match="object"):
            _of({"a": object()})


def _of(fields: dict, *files: bytes) -> bytes:
    return model.fingerprint(fields, files, vault=VAULT)
