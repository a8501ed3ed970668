"""Built files as they are served, and nothing else of the disk."""

from pathlib import Path

import pytest

from vezde.web.front import Front
from vezde.web.pages import Pages


@pytest.fixture
def built(tmp_path: Path) -> Pages:
    folder = tmp_path / "pages"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><p>Привет", "utf-8")
    (folder / "assets" / "index-1a2b.js").write_text("go()")
    (folder / "assets" / "index-1a2b.css").write_text("p {}")
    (folder / "assets" / "icon-1a2b.svg").write_text("<svg/>")
    (tmp_path / "secret.key").write_text("secret")
    return Pages(folder)


class TestPages:
    def test_asks_for_the_index_again(self, built: Pages) -> None:
        answer = built.answer("")
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert answer.headers["cache-control"] == "no-cache"

    @pytest.mark.parametrize(
        ("name", "kind"),
        [
            ("index-1a2b.js", "text/javascript; charset=utf-8"),
            ("index-1a2b.css", "text/css; charset=utf-8"),
            ("icon-1a2b.svg", "image/svg+xml"),
        ],
    )
    def test_keeps_hashed_files_for_a_year(self, built: Pages, name: str, kind: str) -> None:
        answer = built.answer(f"assets/{name}")
        assert answer.headers["content-type"] == kind
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"

    def test_lets_nothing_foreign_run(self, built: Pages) -> None:
        for path in ("", "assets/index-1a2b.js", "nothing"):
            headers = built.answer(path).headers
            policy = headers["content-security-policy"]
            assert policy.startswith("default-src 'none'; script-src 'self';")
            assert "unsafe" not in policy
            assert "frame-ancestors 'none'" in policy
            assert headers["x-content-type-options"] == "nosniff"

    @pytest.mark.parametrize(
        "path",
        [
            "../secret.key",
            "assets/../../secret.key",
            "/etc/passwd",
            "..",
            "assets",
            "assets/",
            "..%2fsecret.key",
            "index.html\0",
        ],
    )
    def test_has_no_way_out(self, built: Pages, path: str) -> None:
        assert built.answer(path).status_code == 404

    @pytest.mark.parametrize("folder", [None, "empty"])
    def test_says_when_nothing_was_built(self, folder: str | None, tmp_path: Path) -> None:
        (tmp_path / "empty").mkdir()
        answer = Pages(tmp_path / folder if folder else None).answer("")
        assert answer.status_code == 503
        assert b"make run" in answer.body


class TestFront:
    @pytest.mark.parametrize(
        ("path", "wanted"),
        [
            ("/playground", "page"),
            ("/playground/assets/a.js", "page"),
            ("//playground", "page"),
            ("/playgrounds", "api"),
            ("/v1/playground", "api"),
            ("/playground/sms", "sms"),
            ("/playground/sms/sent", "sms"),
            ("/playground/smsx", "page"),
            ("/", "api"),
            ("", "api"),
        ],
    )
    async def test_gives_a_page_its_first_path(self, path: str, wanted: str) -> None:
        went: list[str] = []

        def app(name: str):
            async def answer(_scope, _receive, _send) -> None:
                went.append(name)

            return answer

        front = Front(app("api"), {"/playground": app("page"), "/playground/sms": app("sms")})
        await front({"type": "http", "path": path}, None, None)
        assert went == [wanted]
