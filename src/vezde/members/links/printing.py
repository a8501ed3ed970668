"""A link as a QR code for print: PNG of whole pixels a module, SVG of any size.

ISO/IEC 18004: a quiet zone of four modules; error correction Q, which restores a quarter of
the code's words: print is scratched, bent and held by fingers.
"""

import io

CORRECTION = "Q"
LEAST_PIXELS = 1000
DOTS_PER_INCH = 300  # 1,000 pixels are 8.5 cm of good print

Modules = list[list[bool]]


def png(text: str) -> bytes:
    """A black and white PNG of at least 1,000 pixels a side, quiet zone included."""
    from PIL import Image

    rows = _modules(text)
    side = len(rows)
    small = Image.new("1", (side, side), 1)
    small.putdata([0 if dark else 1 for row in rows for dark in row])
    scale = -(-LEAST_PIXELS // side)
    picture = small.resize((side * scale, side * scale), Image.Resampling.NEAREST)
    out = io.BytesIO()
    picture.save(out, "PNG", dpi=(DOTS_PER_INCH, DOTS_PER_INCH))
    return out.getvalue()


def svg(text: str) -> str:
    """An SVG without a size of its own: a path of the dark runs on white, quiet zone included.

    zxing-cpp's own has no viewBox, so browsers and editors crop it instead of scaling it.
    """
    rows = _modules(text)
    side = len(rows)
    runs = "".join(f"M{x} {y}h{width}v1h-{width}z" for x, y, width in _runs(rows))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" '
        'shape-rendering="crispEdges">'
        f'<path fill="#fff" d="M0 0h{side}v{side}h-{side}z"/><path d="{runs}"/></svg>\n'
    )


def _modules(text: str) -> Modules:
    """Rows of modules, dark ones true, with the quiet zone."""
    import zxingcpp

    code = zxingcpp.create_barcode(text, zxingcpp.QRCode, ec_level=CORRECTION)
    drawn = memoryview(code.to_image(scale=1))  # type: ignore[arg-type]
    height, width = drawn.shape or (0, 0)
    return [[drawn[y, x] < 128 for x in range(width)] for y in range(height)]


def _runs(rows: Modules) -> list[tuple[int, int, int]]:
    """(x, y, width) of each run of dark modules in a row."""
    found = []
    for y, row in enumerate(rows):
        start: int | None = None
        for x, dark in enumerate([*row, False]):
            if dark and start is None:
                start = x
            elif not dark and start is not None:
                found.append((start, y, x - start))
                start = None
    return found
