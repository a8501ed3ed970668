"""Sample receipts with fresh dates: copies of examples/receipts as if bought the other day.

examples/receipts/manifest.yaml says what each sample shows and how many days before today it is to
be. Fiscal keys stay as they are, so a sample shown twice is a double, also tomorrow: one that was
shown keeps the date it had then, since another date on it would be a forgery.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from vezde.kit import share
from vezde.receipts import parsers
from vezde.testing import receipts as factories
from vezde.web.playground.model import Card

# How sources write a time; seconds follow the minute and stay.
WRITTEN = ("%Y-%m-%dT%H:%M", "%Y%m%dT%H%M")
DATED = ".dated"

# The day on papers that were shown, by drive and number.
Printed = Mapping[tuple[int, int], date]
NOTHING_SHOWN: Printed = {}


@dataclass(frozen=True)
class Sample:
    """A document of examples/receipts: the time printed on it, and what is made of its QR code."""

    file: str
    printed: datetime
    days_ago: int
    text: str | None
    picture: str | None
    blurred: bool
    hidden: bool


@dataclass(frozen=True)
class Stranger:
    """A code that is no receipt of this programme, or of nobody's."""

    code: str
    text: str | None
    picture: str | None


def write(
    folder: Path, *, today: date, printed: Printed = NOTHING_SHOWN, again: bool = False
) -> list[Path]:
    """Write the samples into `folder`, made if need be; what stands there already stays.

    Returns the files to show, in order. A second call with the same dates only does so with
    `again`.
    """
    mark = folder / DATED
    dates = "\n".join([f"{today}", *(f"{key} {day}" for key, day in sorted(printed.items()))])
    if not again and mark.exists() and mark.read_text("utf-8") == dates:
        return []
    folder.mkdir(parents=True, exist_ok=True)
    written = {}
    for name, content in _files(today, printed):
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        _write(path, content)
        written[name] = path
    _write(mark, dates.encode())
    return [path for name, path in sorted(written.items()) if not name.startswith(".")]


def manifest() -> tuple[list[Sample], list[Stranger]]:
    """The samples there are, and codes that are none of ours."""
    read = _read()
    return [_sample(one) for one in read["receipts"]], [
        Stranger(one["code"], one.get("text"), one.get("picture")) for one in read["other_codes"]
    ]


def keys() -> list[tuple[int, int]]:
    """Drive and number of every sample."""
    home = share.folder("examples") / "receipts"
    read = [parsers.read((home / one.file).read_text("utf-8"))[0].key for one in manifest()[0]]
    return [(key.fn, key.fd) for key in read]


def tray(today: date, printed: Printed = NOTHING_SHOWN) -> list[Card]:
    """What lies beside the playground's phone, with the dates of `write`."""
    by_file = {sample.file: sample for sample in manifest()[0]}
    cards = []
    for one in _read()["tray"]:
        document = None
        if "file" in one:
            document = parsers.read(_content(by_file[one["file"]], today, printed))[0]
        cards.append(
            Card(
                name=one["name"],
                title=one["title"],
                shows=one["shows"],
                code=document.qr.text() if document is not None else one["code"],
                document=document,
                blurred=one.get("blurred", False),
                taken=one.get("taken", False),
            )
        )
    return cards


def _read() -> Any:
    path = share.folder("examples") / "receipts" / "manifest.yaml"
    return YAML(typ="safe", pure=True).load(path.read_text("utf-8"))


def _files(today: date, printed: Printed) -> Iterator[tuple[str, bytes]]:
    """Name and content of every file; lines of one text file are put together."""
    samples, strangers = manifest()
    texts: dict[str, list[str]] = {}
    pictures: list[tuple[str, str, bool]] = []
    for sample in samples:
        content = _content(sample, today, printed)
        code = parsers.read(content)[0].qr.text()
        if sample.text:
            texts.setdefault(sample.text, []).append(code)
        if sample.picture:
            pictures.append((sample.picture, code, sample.blurred))
        shown = not (sample.text or sample.picture or sample.hidden)
        yield sample.file if shown else f".documents/{sample.file}", content.encode()
    for other in strangers:
        if other.text:
            texts.setdefault(other.text, []).append(other.code)
        if other.picture:
            pictures.append((other.picture, other.code, False))
    for name, lines in texts.items():
        yield name, "".join(f"{line}\n" for line in lines).encode()
    for name, code, blurred in pictures:
        yield name, factories.picture(code, blurred=blurred)


def _content(sample: Sample, today: date, printed: Printed) -> str:
    """The sample as of today; as of the day on it, where it was shown."""
    as_written = (share.folder("examples") / "receipts" / sample.file).read_text("utf-8")
    content = redated(as_written, sample, today)
    key = parsers.read(content)[0].key
    day = printed.get((key.fn, key.fd))
    if day is None:
        return content
    return redated(as_written, sample, day + timedelta(days=sample.days_ago))


def redated(content: str, sample: Sample, today: date) -> str:
    """The sample's text with its time moved to `days_ago` before today, in every form it is in."""
    bought = datetime.combine(today - timedelta(days=sample.days_ago), sample.printed.time())
    for form in WRITTEN:
        content = content.replace(sample.printed.strftime(form), bought.strftime(form))
    return content.replace(_epoch(sample.printed), _epoch(bought))


def _epoch(wall_time: datetime) -> str:
    """Local time as if it were UTC: so the tax service's open interface writes it."""
    return str(int(wall_time.replace(tzinfo=UTC).timestamp()))


def _sample(one: Mapping[str, Any]) -> Sample:
    return Sample(
        file=one["file"],
        printed=datetime.fromisoformat(one["printed"]),
        days_ago=one["days_ago"],
        text=one.get("text"),
        picture=one.get("picture"),
        blurred=one.get("blurred", False),
        hidden=one.get("hidden", False),
    )


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all, and only when it changes: others are reading meanwhile."""
    if path.exists() and path.read_bytes() == content:
        return
    unfinished = path.with_name(f"{path.name}.new")
    unfinished.write_bytes(content)
    unfinished.rename(path)
