"""What the journal keeps has words on the console's page, in both languages."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# `note(db, operator, "what"`, also by a helper and by a tuple of the first arguments.
NOTED = re.compile(r'note(?:d)?\(\s*(?:\*\()?db, [\w.]+, "([a-z_]+)"')
WORDS = re.compile(r"journal: \{.*?what: \{(.*?)\n    \}", re.DOTALL)


def noted() -> set[str]:
    files = [*ROOT.glob("src/vezde/api/**/*.py"), *ROOT.glob("src/vezde/access/**/*.py")]
    return {what for file in files for what in NOTED.findall(file.read_text("utf-8"))}


@pytest.mark.parametrize("language", ["ru", "en"])
def test_say_whatever_is_noted(language):
    page = (ROOT / f"web/console/src/words/{language}.ts").read_text("utf-8")
    (block,) = WORDS.findall(page)
    said = set(re.findall(r"^\s+([a-z_]+):", block, re.MULTILINE))
    assert len(noted()) > 8
    assert noted() - said == set()
