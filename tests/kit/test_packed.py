"""Bodies that come packed, and those that are not what they say."""

import gzip

import pytest

from vezde.kit import packed

TEXT = b"a receipt's page " * 50


async def _parts(body, *, of=7):
    for at in range(0, len(body), of):
        yield body[at : at + of]


async def _read(body, encoding="", most_bytes=10_000):
    return await packed.read(_parts(body), encoding=encoding, most_bytes=most_bytes)


class TestRead:
    @pytest.mark.parametrize("encoding", ["", "identity", " Identity "])
    async def test_takes_what_is_not_packed(self, encoding):
        assert await _read(TEXT, encoding) == TEXT

    async def test_unpacks_gzip(self):
        assert await _read(gzip.compress(TEXT), "GZip") == TEXT

    @pytest.mark.parametrize("encoding", ["", "gzip"])
    async def test_stops_at_the_limit(self, encoding):
        body = gzip.compress(TEXT) if encoding else TEXT
        with pytest.raises(packed.TooLong, match=f"more than {len(TEXT) - 1} bytes"):
            await _read(body, encoding, most_bytes=len(TEXT) - 1)

    async def test_stops_within_a_part(self):
        bomb = gzip.compress(bytes(10_000_000))
        with pytest.raises(packed.TooLong):
            await packed.read(_parts(bomb, of=len(bomb)), encoding="gzip", most_bytes=1_000)

    @pytest.mark.parametrize("encoding", ["br", "deflate", "gzip, gzip", "x"])
    async def test_refuses_what_was_not_asked_for(self, encoding):
        with pytest.raises(packed.BadBody, match="not asked for"):
            await _read(TEXT, encoding)

    async def test_refuses_what_is_no_gzip(self):
        with pytest.raises(packed.BadBody, match="not packed as it says"):
            await _read(TEXT, "gzip")
