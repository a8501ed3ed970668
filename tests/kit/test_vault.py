import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vezde.kit import vault as kit_vault
from vezde.kit.vault import CannotUnseal, InvalidKey, UnknownKey, Vault

FIRST, SECOND, THIRD = (bytes([n]) * 32 for n in (1, 2, 3))


class TestEncrypt:
    @given(st.binary(max_size=2000), st.binary(max_size=40))
    def test_opens_to_what_was_sealed(self, plain: bytes, context: bytes):
        vault = Vault(FIRST)
        assert vault.decrypt(vault.encrypt(plain, context=context), context=context) == plain

    def test_never_seals_the_same_way_twice(self):
        vault = Vault(FIRST)
        assert vault.encrypt(b"anna", context=b"") != vault.encrypt(b"anna", context=b"")

    def test_shows_nothing_of_the_text(self):
        sealed = Vault(FIRST).encrypt(b"anna anna anna", context=b"anna")
        assert b"anna" not in sealed
        assert len(sealed) == len(b"anna anna anna") + 45


class TestDecrypt:
    def test_refuses_another_context(self):
        sealed = Vault(FIRST).encrypt(b"anna", context=b"member 1")
        with pytest.raises(CannotUnseal, match="moved from another row"):
            Vault(FIRST).decrypt(sealed, context=b"member 2")

    def test_names_the_key_it_lacks_and_not_the_key(self):
        sealed = Vault(FIRST).encrypt(b"anna", context=b"")
        with pytest.raises(UnknownKey, match=sealed[1:5].hex()) as caught:
            Vault(SECOND).decrypt(sealed, context=b"")
        assert FIRST.hex() not in str(caught.value)

    @given(st.data())
    def test_refuses_any_changed_byte(self, data: st.DataObject):
        vault = Vault(FIRST)
        sealed = bytearray(vault.encrypt(b"anna", context=b""))
        sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= data.draw(st.integers(1, 255))
        with pytest.raises((CannotUnseal, UnknownKey)):
            vault.decrypt(bytes(sealed), context=b"")

    @pytest.mark.parametrize("short", [b"", b"\x01", b"\x01" * 20])
    def test_refuses_what_is_not_sealed(self, short: bytes):
        with pytest.raises(CannotUnseal, match="not a sealed value"):
            Vault(FIRST).decrypt(short, context=b"")


class TestRotation:
    def test_reads_what_older_keys_sealed_and_seals_by_the_new_one(self):
        old = Vault(FIRST).encrypt(b"anna", context=b"")
        rotated = Vault(THIRD, older=[SECOND, FIRST])
        assert rotated.decrypt(old, context=b"") == b"anna"
        assert Vault(THIRD).decrypt(rotated.encrypt(b"b", context=b""), context=b"") == b"b"

    def test_keeps_the_index_of_the_first_key(self):
        before, after = Vault(FIRST), Vault(THIRD, older=[SECOND, FIRST])
        assert before.blind("x", purpose="p") == after.blind("x", purpose="p")
        assert before.index_key_id == after.index_key_id
        assert Vault(THIRD).index_key_id != after.index_key_id


class TestBlind:
    def test_is_the_same_for_the_same_text_and_purpose_only(self):
        vault = Vault(FIRST)
        seen = {
            vault.blind("+79160000001", purpose="phone"),
            vault.blind("+79160000002", purpose="phone"),
            vault.blind("+79160000001", purpose="email"),
            Vault(SECOND).blind("+79160000001", purpose="phone"),
        }
        assert len(seen) == 4
        assert {len(blind) for blind in seen} == {32}
        assert vault.blind("+79160000001", purpose="phone") in seen


class TestKeys:
    def test_read_from_base64_hex_and_url_safe_text(self):
        key = bytes(range(224, 256))
        texts = [base64.b64encode(key).decode(), base64.urlsafe_b64encode(key).decode(), key.hex()]
        assert {kit_vault.read_key(f" {text}\n") for text in texts} == {key}

    def test_a_new_key_can_be_read(self):
        assert len(kit_vault.read_key(kit_vault.new_key())) == 32
        assert kit_vault.new_key() != kit_vault.new_key()

    @pytest.mark.parametrize(
        "text", ["", "secret", "я" * 64, "A" * 43, base64.b64encode(b"x" * 31).decode()]
    )
    def test_other_text_is_refused_without_repeating_it(self, text: str):
        with pytest.raises(InvalidKey) as caught:
            kit_vault.read_key(text)
        assert not text or text not in str(caught.value)

    @pytest.mark.parametrize("older", [[b"short"], [FIRST], [SECOND, SECOND]])
    def test_a_short_or_repeated_key_is_refused(self, older: list[bytes]):
        with pytest.raises(InvalidKey):
            Vault(FIRST, older=older)

    def test_are_never_shown(self):
        vault = Vault(FIRST, older=[SECOND])
        assert not hasattr(vault, "__dict__")
        for shown in (repr(vault), str(vault), f"{vault!a}"):
            assert FIRST.hex() not in shown
            assert repr(FIRST) not in shown
            assert "2 keys" in shown
