import phonenumbers
import pytest

from vezde.kit.vault import Vault
from vezde.members import identities
from vezde.members.identities import InvalidEmail, InvalidIdentity, InvalidPhone


class TestPhone:
    @pytest.mark.parametrize(
        "text",
        [
            "89161234567",
            "79161234567",
            "+79161234567",
            "+7 916 123-45-67",
            "8 (916) 123-45-67",
            "9161234567",
            " 79161234567",
            " 89161234567",
            " 9161234567",
            "+7\u00a0916\u00a0123‑45‑67",
            "８９１６１２３４５６７",
            "\t89161234567\n",
        ],
    )
    def test_reads_every_usual_form_of_a_russian_mobile(self, text: str):
        assert identities.phone(text) == "+79161234567"

    @pytest.mark.parametrize(
        ("text", "number"),
        [
            ("+375 29 123-45-67", "+375291234567"),
            ("375291234567", "+375291234567"),
            (" 375291234567", "+375291234567"),
            ("+7 (495) 123-45-67", "+74951234567"),
            ("+7 701 123 45 67", "+77011234567"),
            ("+12025550175", "+12025550175"),
        ],
    )
    def test_reads_fixed_lines_and_other_countries(self, text: str, number: str):
        assert identities.phone(text) == number

    @pytest.mark.parametrize(
        "text",
        [
            "",
            " ",
            "123",
            "anna",
            "8916123456",
            "891612345678",
            "+7 916 123-45-67, +7 916 123-45-68",
            "89161234567 доб. 5",
            "89161234567 ext 5",
            "8916FLOWERS",
            "0" * 11,
            "9" * 300,
        ],
    )
    def test_refuses_what_is_no_phone_without_repeating_it(self, text: str):
        with pytest.raises(InvalidPhone, match="country code") as caught:
            identities.phone(text)
        assert not text.strip() or text.strip() not in str(caught.value)
        assert caught.value.errors[0].path == "phone"

    def test_the_quick_way_agrees_with_the_library(self):
        for n in range(900, 1000):
            text = f"8{n}{(n * 7919) % 10_000_000:07}"
            if identities.RUSSIAN_MOBILE.fullmatch(text):
                assert phonenumbers.is_valid_number(phonenumbers.parse(text, "RU"))


class TestPhones:
    def test_answers_for_the_texts_as_given_and_leaves_out_the_unreadable(self):
        found = identities.phones(["89161234567", "+7 916 123-45-67", "anna"])
        assert found == {"89161234567": "+79161234567", "+7 916 123-45-67": "+79161234567"}


class TestEmail:
    @pytest.mark.parametrize(
        ("text", "address"),
        [
            ("Anna@Example.RU", "Anna@example.ru"),
            (" a.b+c@mail.example.ru\n", "a.b+c@mail.example.ru"),
            ("анна@Почта.РФ", "анна@почта.рф"),
            ("o'hara@example.com", "o'hara@example.com"),
        ],
    )
    def test_keeps_the_name_as_written_and_lowers_the_domain(self, text: str, address: str):
        assert identities.email(text) == address

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "anna",
            "@mail.example.ru",
            "anna@",
            "anna@example",
            "a..b@example.ru",
            ".a@example.ru",
            "a b@example.ru",
            "<a@example.ru>",
            "a@b@example.ru",
            "a@-example.ru",
            "a@example..ru",
            "a@1.2.3.4",
            f"{'a' * 65}@example.ru",
            f"a@{'b' * 64}.ru",
            f"a@{'b.' * 130}ru",
            "anna@example.ru\r\nBcc: boris@example.ru",
        ],
    )
    def test_refuses_other_text_without_repeating_it(self, text: str):
        with pytest.raises(InvalidEmail) as caught:
            identities.email(text)
        assert not text or text not in str(caught.value)


class TestRead:
    def test_one_mailbox_has_one_index_however_it_is_written(self):
        vault = Vault(bytes(32))
        forms = ["Anna@Почта.рф", "anna@ПОЧТА.РФ", "ANNA@xn--80a1acny.xn--p1ai"]
        assert len({identities.read("email", form).blind(vault) for form in forms}) == 1

    @pytest.mark.parametrize("kind", ["telegram", "max", "vk"])
    def test_messengers_take_the_number_of_the_account(self, kind: str):
        assert identities.read(kind, " 123456789 ").value == "123456789"
        for wrong in ("@anna", "0123", "-5", "", "1" * 20, "１２３"):
            with pytest.raises(InvalidIdentity, match=kind):
                identities.read(kind, wrong)

    def test_ids_of_other_systems_keep_their_case_and_may_have_a_name_space(self):
        assert identities.read("external", " AB-12/3 ").value == "AB-12/3"
        vault = Vault(bytes(32))
        kinds = ["external", "crm", "crm:retail", "card"]
        assert len({identities.read(kind, "1").blind(vault) for kind in kinds}) == 4

    @pytest.mark.parametrize("kind", ["", "telegramm", "Phone", "crm:", "crm:UP", "phone:x", "x"])
    def test_an_unknown_kind_is_refused_with_those_known(self, kind: str):
        with pytest.raises(InvalidIdentity, match="telegram, max, vk"):
            identities.read(kind, "1")

    @pytest.mark.parametrize("value", ["", " ", "a\nb", "x" * 201])
    def test_an_empty_or_unprintable_id_is_refused(self, value: str):
        with pytest.raises(InvalidIdentity, match="1 to 200"):
            identities.read("external", value)

    def test_shows_no_value_in_its_repr(self):
        assert "916" not in repr(identities.read("phone", "89161234567"))
