"""Whether a document is a programme: every error at its place, in words, with what to do."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from vezde.kit.errors import DomainError, FieldError, Kind
from vezde.program import document as documents
from vezde.program import reading, wording
from vezde.program.document import Document
from vezde.program.reading import Path
from vezde.program.sections import Section
from vezde.sellers.model import SALES_CHANNELS

MAX_ERRORS = 100
# Sections with rules by sales channel, under that name.
BY_CHANNEL = ("earning", "burning")

Fault = tuple[Path, str, str]


class ProgramInvalid(DomainError):
    """The document is not a programme; `errors` name the places."""

    code = "program_invalid"
    kind = Kind.INVALID


@dataclass(frozen=True)
class Checked:
    """A checked document: plain JSON values as they were given, and what is wrong with them.

    `model` is the parsed document, None when it does not parse.
    """

    document: dict[str, Any]
    errors: list[FieldError]
    model: Document | None

    def sound(self) -> Document:
        """The parsed document; raises `ProgramInvalid` when anything is wrong."""
        if self.model is None or self.errors:
            count = len(self.errors)
            raise ProgramInvalid(
                f"The programme was not published: {count} error{'s' * (count != 1)} in the "
                "document. Correct them and publish again.",
                errors=tuple(self.errors),
            )
        return self.model


def check(source: str | bytes | Mapping[str, Any], *, sections: Sequence[Section]) -> Checked:
    """Read and check YAML or JSON text, or an object; all errors at once, in the text's order."""
    read = reading.read(source)
    value = read.value
    if not isinstance(value, dict):
        if not read.errors:
            detail = (
                "Write named sections, as in examples/program.yaml: timezone, earning and so on."
            )
            read.refuse((), "not_a_mapping", detail, 1)
        return Checked({}, read.errors, None)
    model = documents.model_of(sections)
    parsed: Document | None = None
    faults: list[Fault] = []
    try:
        parsed = model.model_validate(value)
    except ValidationError as error:
        faults = [wording.said(model, one) for one in error.errors(include_url=False)]
    faults.extend(_beyond_types(value))
    return Checked(value, _placed(faults, read), parsed)


def _placed(faults: Sequence[Fault], read: reading.Read) -> list[FieldError]:
    """All errors with their lines; what could not be read is not also missing."""
    errors = list(read.errors)
    unread = {error.path for error in errors}
    for path, code, detail in faults:
        where = ".".join(map(str, path))
        if where not in unread:
            errors.append(FieldError(where, code, detail, _line(path, read.lines)))
    return sorted(errors, key=lambda error: error.line or 0)[:MAX_ERRORS]


def _line(path: Path, lines: Mapping[Path, int]) -> int | None:
    """The line of a place, or of the nearest thing around it that was written."""
    for length in range(len(path), -1, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return None


def _beyond_types(document: Mapping[str, Any]) -> Iterator[Fault]:
    """What types cannot say: zones and names that must be known, and known once."""
    zone = document.get("timezone")
    if isinstance(zone, str) and zone not in documents.timezones():
        yield ("timezone",), "unknown_timezone", _unknown_zone(zone)
    added = _texts(document.get("sales_channels"))
    for place, name in added:
        if name in SALES_CHANNELS or any(name == other for at, other in added if at < place):
            detail = f"«{name}» is known already. Take it out."
            yield ("sales_channels", place), "duplicate_channel", detail
    known = [*SALES_CHANNELS, *(name for _, name in added)]
    for section in BY_CHANNEL:
        rules = document.get(section)
        channels = rules.get("channels") if isinstance(rules, dict) else None
        for name in channels if isinstance(channels, dict) else ():
            if name not in known:
                path = (section, "channels", name)
                yield path, "unknown_channel", _unknown_channel(name, known)


def _texts(value: Any) -> list[tuple[int, str]]:
    """The texts of what may be a list, each with its place."""
    items = value if isinstance(value, list) else []
    return [(place, item) for place, item in enumerate(items) if isinstance(item, str)]


def _unknown_zone(zone: str) -> str:
    zones = {name.casefold(): name for name in documents.timezones()}
    meant = wording.near(zone, list(zones))
    hint = f"Did you mean «{zones[meant]}»?" if meant else "Take one such as Europe/Moscow."
    return f"There is no time zone «{zone[:60]}». {hint}"


def _unknown_channel(name: str, known: Sequence[str]) -> str:
    meant = wording.near(name, known)
    hint = (
        f"Did you mean «{meant}»?"
        if meant
        else f"Known are {', '.join(known)}; add your own to sales_channels."
    )
    return f"There is no sales channel «{name[:60]}». {hint}"
