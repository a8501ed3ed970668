from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from vezde.members import model
from vezde.members.model import InvalidField, NewConsent, NewIdentity, NewMember, Profile

NOON = datetime(2026, 11, 18, 9, tzinfo=UTC)


class TestProfile:
    @pytest.mark.parametrize(
        ("field", "given", "kept"),
        [
            ("name", "  Анна   Смирнова ", "Анна Смирнова"),
            ("birthday", "1990-12-31", date(1990, 12, 31)),
            ("birthday", date(2026, 11, 18), date(2026, 11, 18)),
            ("locale", "RU", "ru"),
            ("locale", "ru_ru", "ru-RU"),
            ("timezone", "Asia/Yekaterinburg", "Asia/Yekaterinburg"),
            ("source", " landing ", "landing"),
            ("name", None, None),
        ],
    )
    def test_takes_the_usual_forms(self, field: str, given: Any, kept: Any):
        assert model.profile({field: given}, now=NOON) == {field: kept}

    @pytest.mark.parametrize(
        ("field", "given"),
        [
            ("name", ""),
            ("name", "x" * 201),
            ("name", "Анна\x00"),
            ("birthday", "31.12.1990"),
            ("birthday", "1990-02-30"),
            ("birthday", date(1899, 12, 31)),
            ("birthday", date(2026, 11, 20)),
            ("locale", "russian"),
            ("locale", ""),
            ("timezone", "Omsk"),
            ("timezone", "../etc/passwd"),
            ("timezone", ""),
            ("source", " "),
            ("source", "x" * 201),
        ],
    )
    def test_refuses_others_naming_the_field_only(self, field: str, given: Any):
        with pytest.raises(InvalidField) as caught:
            model.profile({field: given}, now=NOON)
        assert caught.value.errors[0].path == field
        assert not str(given).strip() or str(given) not in str(caught.value)
        assert caught.value.__suppress_context__ or caught.value.__context__ is None


class TestSoundConsent:
    def test_takes_a_full_one(self):
        given = _consent(text_sha256="A" * 64, how=" site_form ")
        sound = model.sound_consent(given, now=NOON)
        assert (sound.text_sha256, sound.how) == ("a" * 64, "site_form")

    @pytest.mark.parametrize(
        ("field", "wrong"),
        [
            ("purpose", "Send ads"),
            ("purpose", ""),
            ("channel", "E-mail"),
            ("document_version", ""),
            ("text_sha256", "abc"),
            ("how", "x" * 201),
            ("given_at", datetime(2026, 11, 18, 9)),
            ("given_at", NOON + timedelta(days=2)),
        ],
    )
    def test_refuses_a_wrong_field_with_its_path(self, field: str, wrong: Any):
        with pytest.raises(InvalidField) as caught:
            model.sound_consent(_consent(**{field: wrong}), now=NOON, path="consents.0.")
        assert caught.value.errors[0].path == f"consents.0.{field}"


class TestRepr:
    def test_nothing_personal_is_shown(self):
        shown = repr(
            NewMember(
                phone="89160000001",
                email="anna@example.ru",
                name="Анна",
                birthday=date(1990, 12, 31),
                identities=(NewIdentity("telegram", "4242"),),
            )
        ) + repr(Profile(name="Анна", birthday=date(1990, 12, 31)))
        for secret in ("916", "anna", "Анна", "1990", "4242"):
            assert secret not in shown


def _consent(**changed: Any) -> NewConsent:
    usual = {"purpose": "promo", "document_version": "2026-09", "given_at": NOON, "how": "site"}
    return NewConsent(**(usual | changed))
