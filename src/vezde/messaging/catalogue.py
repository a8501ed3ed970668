"""The texts a customer may read: shipped words, and the programme's own in their place."""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache, partial
from importlib import resources
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from vezde.kit.i18n import Locale
from vezde.messaging import templates
from vezde.messaging.templates import BrokenTemplate

MOST_CHARACTERS = 3_000  # the rest of a message's 4,096 is for what variables say


@dataclass(frozen=True)
class Text:
    """A text key: which variables its words may use, and the shipped words by locale."""

    variables: frozenset[str]
    words: Mapping[Locale, str]


@cache
def shipped() -> Mapping[str, Text]:
    """All text keys; read once a process from texts.yaml beside this file."""
    from ruamel.yaml import YAML

    source = resources.files("vezde.messaging").joinpath("texts.yaml").read_text("utf-8")
    found = {}
    for key, given in YAML(typ="safe").load(source).items():
        words = {locale: str(given[locale]).strip() for locale in Locale}
        found[key] = Text(frozenset(given.get("variables", ())), words)
    return found


@dataclass(frozen=True)
class _Stranger:
    """The words of a key that is not in the catalogue."""

    key: str


class _Words:
    """Words by text key, each checked by its key's rules and wrong at its own place."""

    @classmethod
    def __get_pydantic_core_schema__(
        cls, _source: Any, _handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        fields = {
            key: core_schema.typed_dict_field(
                core_schema.no_info_after_validator_function(
                    partial(_sound, key), core_schema.str_schema(strict=True)
                ),
                required=False,
            )
            for key in shipped()
        }
        return core_schema.no_info_before_validator_function(
            _strangers_marked,
            core_schema.typed_dict_schema(
                fields,
                extra_behavior="allow",
                extras_schema=core_schema.no_info_plain_validator_function(_refuse),
            ),
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, _schema: CoreSchema, _handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        # Not a property a text: editors know the names by this just as well, and lists stay short.
        return {
            "type": "object",
            "propertyNames": {"enum": sorted(shipped())},
            "additionalProperties": {"type": "string", "maxLength": MOST_CHARACTERS},
        }


def _strangers_marked(given: Any) -> Any:
    if not isinstance(given, dict):
        return given
    return {key: text if key in shipped() else _Stranger(str(key)) for key, text in given.items()}


def _refuse(stranger: Any) -> str:
    near = get_close_matches(stranger.key, shipped(), n=1)
    hint = f"perhaps «{near[0]}» was meant" if near else "the programme's reference lists them"
    raise ValueError(f"There is no text «{stranger.key[:60]}»; {hint}.")


def _sound(key: str, text: str) -> str:
    if wrong := fault(key, text):
        raise ValueError(wrong)
    return text


class TextsSection(BaseModel):
    """The programme's own words in place of the shipped ones."""

    # The texts are read when a document is first checked, not when this is imported.
    model_config = ConfigDict(extra="forbid", frozen=True, title="Texts", defer_build=True)

    ru: Annotated[dict[str, str], _Words] = Field(
        default={}, description="In Russian: text key and words"
    )
    en: Annotated[dict[str, str], _Words] = Field(
        default={}, description="In English: text key and words"
    )


def fault(key: str, text: str) -> str | None:
    """What is wrong with words for a known key; None when they will do."""
    if not 0 < len(text.strip()) <= MOST_CHARACTERS:
        return f"A text has 1 to {MOST_CHARACTERS} characters."
    may = shipped()[key].variables
    try:
        strange = templates.variables_in(text) - may
        templates.check_markup(text)
    except BrokenTemplate as error:
        return error.detail
    if strange:
        known = ", ".join(sorted(may)) or "none"
        return f"«{{{min(strange)}}}» is not a variable of this text; it may use: {known}."
    return None


def words(key: str, locale: Locale, own: Mapping[str, Any]) -> str:
    """The words for a key: the programme's (`own` is its section), else the shipped ones."""
    mine = own.get(locale, {}).get(key)
    return str(mine) if mine else shipped()[key].words[locale]
