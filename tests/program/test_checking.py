import json

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError

from vezde.kit import share
from vezde.program import document as documents
from vezde.program import reading
from vezde.program.checking import ProgramInvalid, check
from vezde.program.sections import Section
from vezde.sellers.model import is_inn
from vezde.wiring import SECTIONS

SHORT = """\
timezone: Europe/Moscow
point_value_kopecks: 100
rounding: floor
earning:
  default_rate_bp: 500
"""


@pytest.fixture
def errors(sections):
    """`errors(text)` -> {(path, code): line}."""

    def errors(source):
        found = check(source, sections=sections).errors
        assert all(error.detail[0].isupper() or error.detail[0] == "«" for error in found)
        assert all(error.detail.rstrip().endswith((".", "?")) for error in found)
        return {(error.path, error.code): error.line for error in found}

    return errors


@pytest.fixture
def detail(sections):
    def detail(source):
        (found,) = check(source, sections=sections).errors
        return found.detail

    return detail


class TestSound:
    def test_takes_the_least_document(self, sections):
        checked = check(SHORT, sections=sections)
        assert checked.errors == []
        assert checked.sound().receipts.window_days is None
        assert checked.document["earning"] == {"default_rate_bp": 500}

    def test_takes_the_same_as_json_text_bytes_and_object(self, sections, document):
        forms = (document(), json.dumps(document()), json.dumps(document(), indent=2).encode())
        models = [check(form, sections=sections).sound() for form in forms]
        assert models[0] == models[1] == models[2]

    def test_takes_names_in_both_languages(self, sections):
        text = SHORT + "points_name:\n  ru: {one: луч, few: луча, many: лучей}\n"
        assert check(text, sections=sections).errors == []

    def test_takes_a_sales_channel_that_the_programme_adds(self, sections):
        text = SHORT + "  channels: {salon: {rate_bp: 700}}\nsales_channels: [salon]\n"
        assert check(text, sections=sections).errors == []

    def test_takes_a_byte_order_mark(self, sections):
        assert check(SHORT.encode("utf-8-sig"), sections=sections).errors == []

    def test_raises_with_all_errors(self, sections):
        with pytest.raises(ProgramInvalid) as refused:
            check("rounding: up", sections=sections).sound()
        assert len(refused.value.errors) == 4
        assert refused.value.code == "program_invalid"


class TestWrongValues:
    @pytest.mark.parametrize(
        ("line", "path", "code"),
        [
            ("  default_rate_bp: 500.0", "earning.default_rate_bp", "not_an_integer"),
            ("  default_rate_bp: 5e2", "earning.default_rate_bp", "not_an_integer"),
            ("  default_rate_bp: '500'", "earning.default_rate_bp", "not_an_integer"),
            ("  default_rate_bp: true", "earning.default_rate_bp", "not_an_integer"),
            ("  default_rate_bp: null", "earning.default_rate_bp", "not_an_integer"),
            ("  default_rate_bp: 10001", "earning.default_rate_bp", "too_large"),
            ("  default_rate_bp: -1", "earning.default_rate_bp", "too_small"),
            ("  default_rate_bp: 0x10", "earning.default_rate_bp", "bad_value"),
            ("  default_rate_bp: 010", "earning.default_rate_bp", "bad_value"),
            ("  default_rate_bp: 1_000", "earning.default_rate_bp", "bad_value"),
            ("  default_rate_bp: 99999999999999999999", "earning.default_rate_bp", "bad_value"),
            ("  default_rate_bp: [5]", "earning.default_rate_bp", "not_an_integer"),
            ("  default_rate: 500", "earning.default_rate", "unknown_field"),
            ("  exclude: {tags: gift}", "earning.exclude.tags", "not_a_list"),
            ("  exclude: {skus: [12]}", "earning.exclude.skus.0", "not_text"),
            ("  exclude: {skus: ['']}", "earning.exclude.skus.0", "empty"),
            ("  exclude: [gift]", "earning.exclude", "not_a_mapping"),
            ("  points_per_day: 0", "earning.points_per_day", "too_small"),
            ("  channels: {ozon: 5}", "earning.channels.ozon", "not_a_mapping"),
            ("  channels: {ozn: {}}", "earning.channels.ozn", "unknown_channel"),
        ],
    )
    def test_are_named_with_their_line(self, errors, line, path, code):
        text = SHORT if "default_rate_bp" not in line else SHORT.rsplit("\n", 2)[0] + "\n"
        assert errors(text + line)[path, code] == text.count("\n") + 1

    @pytest.mark.parametrize(
        ("section", "path", "code"),
        [
            ("timezone: Mars/Olympus", "timezone", "unknown_timezone"),
            ("timezone: ../../etc/passwd", "timezone", "unknown_timezone"),
            ("rounding: half_even", "rounding", "not_one_of"),
            ("receipts: {window_days: 0}", "receipts.window_days", "too_small"),
            ("receipts: {per_day: 0}", "receipts.per_day", "too_small"),
            ("receipts: null", "receipts", "not_a_mapping"),
            ("expiry: {}", "expiry", "days_or_months"),
            ("expiry: {days: 5, months: 1}", "expiry", "days_or_months"),
            ("expiry: {days: 5, end_of: {period: year}}", "expiry", "days_or_months"),
            ("expiry: {end_of: {period: week}}", "expiry.end_of.period", "not_one_of"),
            ("expiry: {end_of: {period: year, after: -1}}", "expiry.end_of.after", "too_small"),
            ("expiry: {inactivity: {}}", "expiry.inactivity", "days_or_months"),
            (
                "expiry: {inactivity: {days: 9, activity: [return]}}",
                "expiry.inactivity.activity.0",
                "not_one_of",
            ),
            (
                "expiry: {inactivity: {days: 9, activity: []}}",
                "expiry.inactivity.activity",
                "empty",
            ),
            ("expiry: {years: 1}", "expiry.years", "unknown_field"),
            ("sales_channels: [ozon]", "sales_channels.0", "duplicate_channel"),
            ("sales_channels: [salon, salon]", "sales_channels.1", "duplicate_channel"),
            ("sales_channels: [Салон]", "sales_channels.0", "bad_name"),
            ("sellers: {own_inns: ['7801234565']}", "sellers.own_inns.0", "invalid_value"),
            ("sellers: {own_inns: [7801234564]}", "sellers.own_inns.0", "not_text"),
            ("points_name: {ru: {one: балл}}", "points_name.ru.few", "missing"),
            ("points_name: {de: {one: Punkt}}", "points_name.de", "unknown_field"),
            ("name: ''", "name", "empty"),
            ("wheel: {}", "wheel", "unknown_field"),
        ],
    )
    def test_are_found_in_every_section(self, errors, section, path, code):
        text = "".join(
            line + "\n"
            for line in SHORT.splitlines()
            if line.split(":")[0] != section.split(":")[0]
        )
        assert errors(text + section)[path, code] == text.count("\n") + 1

    def test_are_all_told_in_the_order_of_the_text(self, sections):
        text = "point_value_kopecks: 0\nrounding: up\ntimezone: Nowhere\nearning: {}\n"
        lines = [error.line for error in check(text, sections=sections).errors]
        assert lines == [1, 2, 3, 4]

    def test_suggest_what_was_meant(self, detail):
        assert "«rate_bp»" in detail(SHORT + "  channels: {ozon: {rate_bps: 5}}\n")
        assert "«wildberries»" in detail(SHORT + "  channels: {wildbery: {}}\n")
        assert "«Europe/Moscow»" in detail(SHORT.replace("Moscow", "Moskow"))
        assert "in quotes" in detail(SHORT + "sellers: {own_inns: [7801234564]}")
        assert "null" in detail(SHORT + "receipts: {per_day: 0}")

    def test_leave_an_object_without_lines(self, errors, document):
        assert errors(document({"rounding": "up"})) == {("rounding", "not_one_of"): None}


class TestUnreadable:
    @pytest.mark.parametrize(
        ("source", "path", "code", "line"),
        [
            ("", "", "empty", 1),
            ("# only a comment", "", "empty", 1),
            ("- a", "", "not_a_mapping", 1),
            ("text", "", "not_a_mapping", 1),
            ("a: [1, 2", "", "syntax", 1),
            ("a: 1\nb: c: d", "", "syntax", 2),
            ("a: 1\n---\nb: 1", "", "syntax", 2),
            ("name: \x01", "", "syntax", None),
            ("a: 1\nname: \xff".encode("latin-1"), "", "not_utf8", 2),
            ("name: x\n" * 40_000, "", "too_large", None),
            (b"#" * 300_000, "", "too_large", None),
            ({"name": "x" * 300_000}, "", "too_large", None),
            ({"name": {1, 2}}, "", "not_json", None),
            ("[" * 3_000, "", "syntax", None),
            ('{"a":' * 50_000, "", "syntax", None),
            ("name: a\nname: b", "name", "duplicate_key", 2),
            ('{"name": "a", "name": "b"}', "name", "duplicate_key", 1),
            ('{"n\\ud83d\\ude00": 1,\t"name": "a", "name": "b"}', "name", "duplicate_key", None),
            ("name: &a x", "name", "alias", 1),
            ("a: &a {b: *a}", "a", "alias", 1),
            ("? [a]\n: b", "", "bad_key", 1),
            ("name: !!python/object:os.system x", "name", "tag", 1),
            ("name: !secret x", "name", "tag", 1),
            ("name: !!set {a}", "name", "tag", 1),
            ('name: "a\\0b"', "name", "bad_text", 1),
            ({"name": "a\x00b"}, "name", "bad_text", None),
            ({"name": "\ud800"}, "", "not_json", None),
            ("%YAML 1.1\n---\nname: yes", "name", "bad_value", 3),
        ],
    )
    def test_is_refused_with_what_to_do(self, errors, source, path, code, line):
        assert errors(source)[path, code] == line

    def test_stops_a_bomb_of_aliases(self, errors):
        bomb = "a: &a [x, x]\n" + "".join(
            f"{chr(98 + at)}: &{chr(98 + at)} [*{chr(97 + at)}, *{chr(97 + at)}]\n"
            for at in range(20)
        )
        assert ("a", "alias") in errors(bomb)

    def test_stops_depth(self, errors):
        deep = "a: " + "[" * 60 + "]" * 60
        assert any(code == "too_deep" for _, code in errors(deep))
        nested = {"a": json.loads("[" * 60 + "]" * 60)}
        assert any(code == "too_deep" for _, code in errors(nested))

    def test_does_not_call_missing_what_could_not_be_read(self, errors):
        assert errors(SHORT.replace("100", "0x64")) == {("point_value_kopecks", "bad_value"): 2}


class TestRead:
    def test_reads_what_only_json_writes_so(self):
        read = reading.read('{"name": "\\ud83d\\ude00",\t"n": -5, "f": 1.5, "b": true, "z": null}')
        assert read.value == {"name": "😀", "n": -5, "f": 1.5, "b": True, "z": None}

    def test_keeps_dates_and_words_as_text(self):
        read = reading.read("a: 2026-01-01\nb: yes\nc: 12:30\nd: =\ne: ~\nf:\n")
        assert read.value == {
            "a": "2026-01-01",
            "b": "yes",
            "c": "12:30",
            "d": "=",
            "e": None,
            "f": None,
        }
        assert read.errors == []

    def test_remembers_lines(self):
        read = reading.read("a:\n  - x\n  - {b: 1,\n     c: 2}\n")
        assert read.lines["a", 1, "c"] == 4
        assert read.lines["a", 0] == 2


class Wheel(BaseModel):
    """A section of a domain above."""

    model_config = ConfigDict(extra="forbid")
    spins_per_day: int


class TestSections:
    def test_makes_a_section_without_defaults_obligatory(self, sections):
        both = [*sections, Section("wheel", Wheel, sections[0].install)]
        (error,) = check(SHORT, sections=both).errors
        assert (error.path, error.code) == ("wheel", "missing")
        assert check(SHORT + "wheel: {spins_per_day: 1}", sections=both).errors == []

    def test_suggests_fields_of_other_domains(self, sections):
        both = [*sections, Section("wheel", Wheel, sections[0].install)]
        found = check(SHORT + "wheel: {spin_per_day: 1}", sections=both).errors
        assert "«spins_per_day»" in next(e.detail for e in found if e.code == "unknown_field")


class TestSchema:
    def test_describes_all_sections(self, sections):
        made = documents.schema(sections)
        assert made["$schema"] == "https://json-schema.org/draft/2020-12/schema"
        assert {"timezone", "earning", "receipts", "sellers", "expiry"} <= set(made["properties"])
        assert made["additionalProperties"] is False
        assert set(made["required"]) == {
            "timezone",
            "point_value_kopecks",
            "rounding",
            "earning",
        }
        json.dumps(made)

    def test_describes_every_field(self, sections):
        made = documents.schema(sections)
        own = {
            name: part
            for name, part in made["$defs"].items()
            if name in {"ChannelRule", "EarningSection", "Exclude", "ReceiptsSection"}
        }
        for part in own.values():
            for field in part["properties"].values():
                assert field.get("description") or "$ref" in field


class TestDefaults:
    def test_never_change_because_old_versions_count_on_them(self):
        document = documents.own(
            {
                "timezone": "UTC",
                "point_value_kopecks": 1,
                "rounding": "floor",
                "earning": {"default_rate_bp": 0},
            }
        )
        assert document.model_dump(exclude={"timezone", "point_value_kopecks", "rounding"}) == {
            "name": None,
            "points_name": {"ru": None, "en": None},
            "sales_channels": [],
            "earning": {
                "default_rate_bp": 0,
                "default_hold_days": 0,
                "default_at_once_bp": 0,
                "channels": {},
                "lines": {},
                "exclude": {"skus": [], "categories": [], "tags": []},
                "points_per_day": None,
                "pack_bonus": None,
            },
            "receipts": {"window_days": None, "per_day": None, "trust": None},
            "expiry": None,
        }

    def test_do_not_stand_in_for_what_must_be_said(self):
        with pytest.raises(ValidationError):
            documents.own({"timezone": "UTC"})


class TestExample:
    @pytest.fixture
    def example(self):
        return (share.folder("examples") / "program.yaml").read_bytes()

    def test_is_sound(self, example):
        assert check(example, sections=SECTIONS).errors == []

    def test_says_what_the_story_says(self, example):
        document = check(example, sections=SECTIONS).sound()
        earning = document.earning
        rules = {name: (rule.rate_bp, rule.hold_days) for name, rule in earning.channels.items()}
        for marketplace in ("wildberries", "ozon", "yandex_market"):
            assert rules[marketplace] == (500, 14)
        assert (rules["own_site"], rules["chain"]) == ((1000, 0), (500, 0))
        assert (earning.default_rate_bp, document.point_value_kopecks) == (500, 100)
        assert (document.receipts.window_days, document.receipts.per_day) == (30, 10)
        assert (earning.points_per_day, earning.exclude.tags) == (5000, ["gift"])
        assert document.expiry.months == 12
        assert (document.burning.share_bp, document.burning.earn_on_points) == (10_000, False)
        assert (document.returns.grace_days, document.returns.debt) == (14, "forgive")
        assert [is_inn(inn) for inn in document.sellers.own_inns] == [True]


class TestBurning:
    def test_names_a_channel_nobody_knows(self, document):
        wrong = document() | {"burning": {"channels": {"own_sight": {"share_bp": 1}}}}
        (error,) = check(wrong, sections=SECTIONS).errors
        assert (error.path, error.code) == ("burning.channels.own_sight", "unknown_channel")
        assert "own_site" in error.detail
