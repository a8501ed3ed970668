import pytest

from access.conftest import ORIGIN, page_key
from vezde.access import operations, queries
from vezde.access.model import InvalidKeyRequest, Scope, ScopeMissing, Unauthenticated, sound_page


def page(*origins: str):
    return sound_page(origins, sales_channel="own_site", enrols=False)


class TestOrigins:
    @pytest.mark.parametrize(
        ("given", "kept"),
        [
            ("https://shop.example", "https://shop.example"),
            (" https://SHOP.example/ ", "https://shop.example"),
            ("https://shop.example:443", "https://shop.example"),
            ("https://shop.example:8443", "https://shop.example:8443"),
            ("https://магазин.рф", "https://xn--80aairftm.xn--p1ai"),
            ("http://localhost:3000", "http://localhost:3000"),
            ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
            ("http://[::1]:8000", "http://[::1]:8000"),
        ],
    )
    def test_are_kept_as_browsers_write_them(self, given, kept):
        assert page(given).origins == (kept,)

    @pytest.mark.parametrize(
        "given",
        [
            "",
            "*",
            "null",
            "shop.example",
            "http://shop.example",
            "https://shop.example/club",
            "https://shop.example?x=1",
            "https://anna@shop.example",
            "https://shop.example:port",
            "javascript://shop.example",
            "https://",
        ],
    )
    def test_that_are_none_are_refused(self, given):
        with pytest.raises(InvalidKeyRequest):
            page(given)

    def test_are_one_to_twenty(self):
        assert len(page("https://a.example", "https://a.example/").origins) == 1
        with pytest.raises(InvalidKeyRequest):
            page()
        with pytest.raises(InvalidKeyRequest):
            page(*(f"https://{n}.example" for n in range(21)))


class TestPublishableKey:
    async def test_opens_the_widget_alone(self, db, now):
        key = await page_key(db, now)
        assert key.scopes == {Scope.WIDGET}
        for scope in set(Scope) - {Scope.WIDGET}:
            with pytest.raises(ScopeMissing):
                key.require(scope)
        with pytest.raises(InvalidKeyRequest):
            await operations.create_key(db, name="x", scopes=["widget"], now=now, actor="test")

    async def test_is_known_by_its_own_text(self, db, now):
        text, key = await operations.create_publishable_key(
            db,
            name="site",
            origins=[ORIGIN],
            sales_channel="own_site",
            enrols=True,
            now=now,
            actor="test",
        )
        found = await queries.key_by_text(db, text)
        assert (found.page, found.page.enrols) == (key.page, True)
        with pytest.raises(Unauthenticated):
            await queries.key_by_text(db, text.replace("pub_", ""))
        secret, _ = await operations.create_key(db, name="x", scopes=["all"], now=now, actor="t")
        with pytest.raises(Unauthenticated):
            await queries.key_by_text(db, secret.replace("vezde_", "vezde_pub_"))

    async def test_makes_its_origins_known_until_it_is_revoked(self, db, now):
        key = await page_key(db, now, ORIGIN, "https://two.example")
        assert await queries.origin_is_known(db, "https://two.example")
        assert not await queries.origin_is_known(db, "https://evil.example")
        await operations.revoke_key(db, key.key_id, now=now, actor="test")
        assert not await queries.origin_is_known(db, ORIGIN)
