"""Bodies that come packed, unpacked no further than a limit: a few bytes may hide gigabytes."""

import zlib
from collections.abc import AsyncIterable


class BadBody(Exception):
    """A body that is not to be read on; nothing of it is used."""


class TooLong(BadBody):
    """A body that goes on and on, packed or not."""


async def read(parts: AsyncIterable[bytes], *, encoding: str, most_bytes: int) -> bytes:
    """The whole body; `encoding` is its Content-Encoding, of which gzip once and none are read.

    Raises `TooLong`, and `BadBody` for another encoding and for what is no gzip.
    """
    packed = encoding.strip().casefold()
    if packed not in {"identity", "", "gzip"}:
        raise BadBody("packed in a way that was not asked for")
    unpack = zlib.decompressobj(wbits=31) if packed == "gzip" else None
    body = bytearray()
    async for part in parts:
        try:
            body += unpack.decompress(part, most_bytes + 1 - len(body)) if unpack else part
        except zlib.error as error:
            raise BadBody("not packed as it says") from error
        if len(body) > most_bytes or (unpack and unpack.unconsumed_tail):
            raise TooLong(f"more than {most_bytes} bytes")
    return bytes(body)
