"""The pages are built once for each content, and a build that fails says so."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
INDEX = "src/vezde/_share/pages/playground/index.html"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of `web/`, with the packages of this one."""
    assert build(ROOT).returncode == 0
    left_out = shutil.ignore_patterns("node_modules")
    shutil.copytree(ROOT / "web", tmp_path / "web", ignore=left_out)
    (tmp_path / "web" / "node_modules").symlink_to(ROOT / "web" / "node_modules")
    return tmp_path


def build(at: Path) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, str(at / "web" / "build.py")]
    return subprocess.run(program, capture_output=True, text=True, timeout=120, check=False)


class TestBuild:
    def test_runs_once_for_each_content(self, checkout: Path) -> None:
        first = build(checkout)
        assert first.returncode == 0, first.stderr
        assert "building the pages" in first.stdout
        made = (checkout / INDEX).read_text("utf-8")
        assert build(checkout).stdout == ""
        words = checkout / "web" / "playground" / "src" / "words.ts"
        words.write_text(words.read_text("utf-8").replace("Песочница", "Площадка"), "utf-8")
        assert "building the pages" in build(checkout).stdout
        assert (checkout / INDEX).read_text("utf-8") != made

    def test_says_what_went_wrong_and_tries_again(self, checkout: Path) -> None:
        app = checkout / "web" / "playground" / "src" / "App.tsx"
        whole = app.read_text("utf-8")
        app.write_text(whole + "\nconst = ;\n", "utf-8")
        broken = build(checkout)
        assert broken.returncode == 1
        assert "App.tsx" in broken.stderr
        assert broken.stderr.strip().splitlines()[-1].startswith("npm run build failed")
        app.write_text(whole, "utf-8")
        assert build(checkout).returncode == 0
