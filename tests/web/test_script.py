from pathlib import Path

import httpx
import pytest

from vezde.web.script import Script


def asked(script: Script) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(script), base_url="http://vezde.test")


@pytest.fixture
def script(tmp_path: Path) -> Script:
    path = tmp_path / "widget.js"
    path.write_text("let one = 1;")
    return Script(path)


class TestScript:
    async def test_may_be_loaded_by_any_site(self, script: Script) -> None:
        async with asked(script) as browser:
            answer = await browser.get("/widget.js", headers={"Origin": "https://shop.example"})
        assert answer.text == "let one = 1;"
        assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
        assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in answer.headers

    async def test_is_not_sent_again_to_who_has_it(self, script: Script) -> None:
        async with asked(script) as browser:
            tag = (await browser.get("/widget.js")).headers["etag"]
            known = await browser.get("/widget.js", headers={"If-None-Match": f'"old", W/{tag}'})
            other = await browser.get("/widget.js", headers={"If-None-Match": '"old"'})
        assert (known.status_code, known.content) == (304, b"")
        assert other.status_code == 200

    async def test_is_read_only(self, script: Script) -> None:
        async with asked(script) as browser:
            assert (await browser.post("/widget.js")).status_code == 405
            head = await browser.head("/widget.js")
        assert (head.status_code, head.content) == (200, b"")

    async def test_says_when_it_was_not_built(self) -> None:
        async with asked(Script(None)) as browser:
            assert (await browser.get("/widget.js")).status_code == 503
