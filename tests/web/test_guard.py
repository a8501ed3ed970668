"""Only a browser of this machine, and no page but our own."""

from collections.abc import Mapping

import httpx
import pytest
from starlette.responses import PlainTextResponse

from vezde.web.guard import Loopback

HERE = "http://127.0.0.1:8000"
ADDRESS = f"{HERE}/playground"


async def asked(
    path: str = "/playground/api/state",
    *,
    method: str = "GET",
    base: str = HERE,
    peer: str = "127.0.0.1",
    **headers: str,
) -> httpx.Response:
    """`base` is the address that is called, by which Host and scope["server"] are made."""
    guarded = Loopback(PlainTextResponse("in"), page="/playground", address=ADDRESS)
    transport = httpx.ASGITransport(guarded, client=(peer, 40_000))
    sent: Mapping[str, str] = {name.replace("_", "-"): value for name, value in headers.items()}
    async with httpx.AsyncClient(transport=transport, base_url=base) as client:
        return await client.request(method, path, headers=sent)


class TestLoopback:
    @pytest.mark.parametrize(
        "base", [HERE, "http://localhost:8000", "http://[::1]:8000", "http://127.0.0.1"]
    )
    async def test_lets_this_machine_in(self, base: str) -> None:
        assert (await asked(base=base)).text == "in"
        assert (await asked(base=base, method="POST", origin=base)).text == "in"

    async def test_lets_this_machine_in_by_an_address_it_listens_on(self) -> None:
        own = {"base": "http://192.168.0.7:8000", "peer": "192.168.0.7"}
        assert (await asked(**own)).text == "in"
        assert (await asked(**own, origin="http://192.168.0.7:8000")).text == "in"
        assert (await asked(**own, host="evil.example")).status_code == 403

    @pytest.mark.parametrize("base", ["http://evil.example:8000", "http://127.0.0.1.evil.example"])
    async def test_refuses_other_names_of_it(self, base: str) -> None:
        answer = await asked(host=base.removeprefix("http://"))
        assert answer.status_code == 403
        assert ADDRESS in answer.text

    @pytest.mark.parametrize("peer", ["192.168.0.7", "10.0.0.1", "2001:db8::1", "", "socket"])
    async def test_refuses_other_machines(self, peer: str) -> None:
        assert (await asked(peer=peer)).status_code == 403
        assert (await asked("/playground", peer=peer)).status_code == 403

    @pytest.mark.parametrize(
        "origin",
        [
            "http://evil.example",
            "http://127.0.0.1:9000",
            "http://localhost:8000",
            "https://127.0.0.1:8000",
            "null",
        ],
    )
    async def test_refuses_what_another_page_sends(self, origin: str) -> None:
        for method in ("GET", "POST"):
            assert (await asked(method=method, origin=origin)).status_code == 403

    @pytest.mark.parametrize("site", ["cross-site", "same-site"])
    async def test_refuses_what_another_site_embeds(self, site: str) -> None:
        assert (await asked(sec_fetch_site=site)).status_code == 403
        assert (await asked(sec_fetch_site="same-origin")).text == "in"

    async def test_opens_the_page_by_a_link_of_anywhere(self) -> None:
        for path in ("/playground", "/playground/", "/playground?start=abc"):
            assert (await asked(path, sec_fetch_site="cross-site")).text == "in"
        posted = await asked("/playground", method="POST", sec_fetch_site="cross-site")
        assert posted.status_code == 403

    @pytest.mark.parametrize("host", ["", "[", "127.0.0.1:x:y", "@127.0.0.1", "a b"])
    async def test_survives_a_broken_host(self, host: str) -> None:
        assert (await asked(host=host)).status_code in {200, 403}
        assert (await asked(host="[")).status_code == 403
