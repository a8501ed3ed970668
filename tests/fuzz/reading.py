"""Everything that reads what strangers send, fuzzed by coverage for as long as one likes.

    .venv/bin/uv pip install --target var/fuzz atheris
    PYTHONPATH=var/fuzz:src:tests .venv/bin/python tests/fuzz/reading.py files -max_total_time=3600

The first argument names what is fuzzed, the others are libFuzzer's. Whatever is raised but our own
errors ends the run and leaves the input in `crash-…`; put it into a test. atheris is not locked
with the other requirements: nothing but this file needs it, and not every machine has it.
"""

import contextlib
import sys
from collections.abc import Callable

import atheris

with atheris.instrument_imports(
    include=["vezde.receipts", "vezde.purchases", "email", "html.parser"]
):
    from vezde.kit.errors import DomainError
    from vezde.purchases import marking
    from vezde.purchases.reports import reading
    from vezde.receipts import parsers
    from vezde.receipts.links import model as links
    from vezde.receipts.providers.fns import envelopes
    from vezde.receipts.qr import grammar, typed
    from vezde.receipts.reading import files, letters, pages, photos, slips
    from vezde.receipts.reading.model import Findings


def _text(data: bytes) -> str:
    return data.decode("utf-8", errors="replace")


def qr(data: bytes) -> None:
    """What is read is written as it is read again."""
    fields = grammar.parse(_text(data))
    assert grammar.parse(fields.text()).key == fields.key


def details(data: bytes) -> None:
    found = typed.read(_text(data))
    assert (found.qr is None) == bool(found.missing)


def documents(data: bytes) -> None:
    for one in parsers.read_each(data):
        if not isinstance(one, DomainError):
            assert type(one).from_json(one.to_json()) == one


def slip(data: bytes) -> None:
    slips.read(_text(data))


def link(data: bytes) -> None:
    for one in links.found(_text(data)):
        links.key_of(one)


def any_file(data: bytes) -> None:
    found = files.read(data)
    assert Findings.from_json(found.to_json()) == found


def page(data: bytes) -> None:
    pages.read(_text(data), link="https://check.ofd.ru/rec/7380440800000000/1/2")


def letter(data: bytes) -> None:
    letters.read(data)


def photo(data: bytes) -> None:
    for jpeg in photos.find(data, [(7380440800000000, 1)]).values():
        assert len(jpeg) <= photos.MOST_BYTES


def report(data: bytes) -> None:
    for _ in reading.read(data).rows:
        pass


def code(data: bytes) -> None:
    """A pack's code without its tail names the same pack."""
    pack = marking.read(_text(data))
    assert pack is None or marking.read(pack.text) == pack


def tax_service(data: bytes) -> None:
    for read in (envelopes.read_token, envelopes.read_message_id, envelopes.read_result):
        with contextlib.suppress(envelopes.Fault, envelopes.NotSoap):
            read(data)


TARGETS: dict[str, Callable[[bytes], None]] = {
    "qr": qr,
    "details": details,
    "documents": documents,
    "slips": slip,
    "links": link,
    "files": any_file,
    "pages": page,
    "letters": letter,
    "photos": photo,
    "reports": report,
    "codes": code,
    "tax_service": tax_service,
}


def main() -> None:
    name = sys.argv.pop(1) if len(sys.argv) > 1 else ""
    if name not in TARGETS:
        sys.exit(f"say what is fuzzed: {', '.join(TARGETS)}")
    target = TARGETS[name]

    def once(data: bytes) -> None:
        with contextlib.suppress(DomainError):
            target(data)

    atheris.Setup(sys.argv, once)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
