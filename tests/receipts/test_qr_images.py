"""QR codes in pictures."""

import csv
import io
import math
import random
import struct
import time
import zlib

import numpy as np
import pytest
import zxingcpp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFilter, ImageOps

from vezde.receipts.qr import grammar, images
from vezde.receipts.qr.images import UnreadableImage
from vezde.testing import receipts as factories

PAPER = factories.receipt(7, lines=[factories.line("Крем LUNARIA 50 мл", 83_000)])
QR = PAPER.qr
PAYMENT = "https://qr.nspk.ru/AS10003P3RH0LJ2A9ROO038L6NT5RU1M?type=01&sum=83000&crc=1F2E"
ORIENTATION = 0x0112


def fiscal(data: bytes):
    """The first receipt's code, or what is said when there is none."""
    seen = images.look(data)
    if not seen.receipts:
        raise seen.failure
    return seen.receipts[0]


def photo() -> Image.Image:
    return Image.open(io.BytesIO(factories.picture(PAPER)))


def saved(picture: Image.Image, kind: str = "PNG", **options) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def code(text: str, *, scale: int = 4) -> Image.Image:
    made = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode)
    return Image.fromarray(zxingcpp.write_barcode_to_image(made, scale=scale))


def sheet(*codes: Image.Image, size: tuple[int, int] = (900, 400)) -> Image.Image:
    """Codes side by side on paper."""
    made = Image.new("L", size, 255)
    left = 20
    for one in codes:
        made.paste(one, (left, 20))
        left += one.width + 20
    return made


def declared(width: int, height: int) -> bytes:
    """A PNG that says it is so large and holds next to nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 1_000)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def bent(picture: Image.Image, pixels: float) -> Image.Image:
    """Paper that waves along and across."""
    values = np.asarray(picture)
    rows, columns = np.mgrid[0 : values.shape[0], 0 : values.shape[1]]
    turn = 2 * math.pi / max(values.shape)
    down = np.clip(rows + np.sin(turn * columns) * pixels, 0, values.shape[0] - 1)
    aside = np.clip(columns + np.sin(turn * rows) * pixels, 0, values.shape[1] - 1)
    return Image.fromarray(values[down.astype(int), aside.astype(int)])


class TestFiscal:
    @pytest.mark.parametrize("blur", [1.5, 2.0, 2.5])
    def test_reads_modules_that_run_together(self, blur):
        small = sheet(code(QR.text(), scale=4)).filter(ImageFilter.GaussianBlur(blur))
        assert fiscal(saved(small, "JPEG", quality=88)) == QR

    @pytest.mark.parametrize("pixels", [6, 12, 18])
    def test_reads_a_code_on_bent_paper(self, pixels):
        paper = ImageOps.expand(sheet(code(QR.text(), scale=6)), 40, 120)
        assert fiscal(saved(bent(paper, pixels), "JPEG", quality=88)) == QR

    def test_reads_a_code_of_little_more_than_a_pixel_a_module(self):
        tiny = ImageOps.scale(sheet(code(QR.text(), scale=8)), 0.17, Image.Resampling.BILINEAR)
        assert fiscal(saved(tiny, "JPEG", quality=85)) == QR

    @pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
    def test_reads_a_receipt(self, kind):
        assert fiscal(saved(photo(), kind)) == QR

    def test_reads_every_damaged_sample(self, shared):
        folder = shared / "data/qr"
        with (folder / "SOURCES.tsv").open(encoding="utf-8") as file:
            samples = list(csv.DictReader(file, delimiter="\t"))
        read = {one["file"]: fiscal((folder / one["file"]).read_bytes()) for one in samples}
        assert read == {one["file"]: grammar.parse(one["qr_text"]) for one in samples}
        assert len(read) == 66

    @pytest.mark.parametrize("orientation", range(1, 9))
    def test_reads_whichever_way_the_phone_was_held(self, orientation):
        exif = Image.Exif()
        exif[ORIENTATION] = orientation
        turned = photo()
        for way in {
            2: [Image.Transpose.FLIP_LEFT_RIGHT],
            3: [Image.Transpose.ROTATE_180],
            4: [Image.Transpose.FLIP_TOP_BOTTOM],
            5: [Image.Transpose.TRANSPOSE],
            6: [Image.Transpose.ROTATE_90],
            7: [Image.Transpose.TRANSVERSE],
            8: [Image.Transpose.ROTATE_270],
        }.get(orientation, []):
            turned = turned.transpose(way)
        assert fiscal(saved(turned, "JPEG", exif=exif)) == QR

    @pytest.mark.parametrize("degrees", [7, 33, 45, 118, 200, 341])
    def test_reads_at_any_angle(self, degrees):
        assert fiscal(saved(photo().rotate(degrees, expand=True, fillcolor=240))) == QR

    @pytest.mark.parametrize(
        "picture",
        [
            pytest.param(ImageOps.invert, id="inverted"),
            pytest.param(lambda one: one.convert("1"), id="black and white"),
            pytest.param(lambda one: one.convert("P"), id="palette"),
            pytest.param(lambda one: one.convert("RGB"), id="colours"),
            pytest.param(lambda one: one.convert("LA"), id="grey with alpha"),
            pytest.param(lambda one: one.convert("RGBA"), id="colours with alpha"),
            pytest.param(
                lambda one: one.convert("I;16").point(lambda shade: shade * 257), id="16 bits"
            ),
        ],
    )
    def test_reads_every_mode(self, picture):
        assert fiscal(saved(picture(photo()))) == QR

    def test_reads_a_jpeg_for_print(self):
        assert fiscal(saved(photo().convert("CMYK"), "JPEG")) == QR

    @pytest.mark.parametrize("kind", ["PNG", "WEBP"])
    def test_reads_a_code_on_a_transparent_ground(self, kind):
        dark = photo().point(lambda shade: 255 if shade < 128 else 0)
        black = Image.new("RGBA", dark.size, (0, 0, 0, 0))
        black.paste((0, 0, 0, 255), mask=dark)
        assert fiscal(saved(black, kind, lossless=True)) == QR
        indexed = Image.new("P", dark.size, 0)
        indexed.putpalette([0, 0, 0, 0, 0, 0])
        indexed.paste(1, mask=dark)
        assert fiscal(saved(indexed, transparency=0)) == QR

    @pytest.mark.parametrize("kind", ["PNG", "WEBP"])
    def test_reads_the_first_frame_of_an_animation(self, kind):
        second = sheet(code(PAYMENT), size=photo().size)
        animated = saved(photo(), kind, save_all=True, append_images=[second], duration=100)
        assert fiscal(animated) == QR

    def test_reads_a_small_code_on_a_photo_of_12_megapixels(self):
        frame = Image.effect_noise((4_000, 3_000), 40)
        for corner in ((100, 120), (2_130, 1_490), (3_700, 2_700)):
            shot = frame.copy()
            shot.paste(code(QR.text(), scale=4).resize((190, 190)), corner)
            assert fiscal(saved(shot, "JPEG", quality=60)) == QR

    def test_reads_a_large_code_on_a_photo_of_40_megapixels(self):
        frame = Image.effect_noise((8_000, 5_000), 20)
        frame.paste(code(QR.text(), scale=40), (1_200, 700))
        assert fiscal(saved(frame, "JPEG", quality=40)) == QR

    def test_reads_a_tiny_picture(self):
        assert fiscal(saved(code(QR.text(), scale=2))) == QR

    @pytest.mark.parametrize(
        "spoilt",
        [
            pytest.param(lambda one: one.resize((68, 90), Image.Resampling.BILINEAR), id="shrunk"),
            pytest.param(lambda one: one.filter(ImageFilter.GaussianBlur(5.2)), id="blurred"),
            pytest.param(
                lambda one: Image.blend(one, Image.effect_noise(one.size, 200), 0.6), id="noisy"
            ),
        ],
    )
    def test_looks_again_when_the_first_look_finds_nothing(self, spoilt):
        picture = spoilt(photo())
        first = zxingcpp.read_barcodes(
            picture, formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
        )
        assert first == []
        assert fiscal(saved(picture)) == QR

    def test_picks_the_fiscal_one_of_several_codes(self):
        both = sheet(code(PAYMENT), code(QR.text()))
        assert fiscal(saved(both)) == QR
        assert fiscal(saved(ImageOps.mirror(both))) == QR
        assert set(images.decode(saved(both))) == {PAYMENT, QR.text()}

    def test_looks_on_for_the_fiscal_one_when_another_was_found(self):
        """The payment's code is read at once, the receipt's only from a part of the picture."""
        page = Image.new("L", (6_000, 4_000), 255)
        page.paste(code(PAYMENT, scale=30), (100, 100))
        page.paste(code(QR.text(), scale=3), (5_000, 3_500))
        assert images.decode(saved(page)) == [PAYMENT]
        assert fiscal(saved(page)) == QR

    def test_names_another_code(self):
        with pytest.raises(grammar.NotFiscalQr, match="SBP"):
            fiscal(saved(sheet(code(PAYMENT))))

    def test_a_broken_receipt_says_more_than_another_code(self):
        broken = code(QR.text().replace("fp=", "x="))
        for codes in ((code(PAYMENT), broken), (broken, code(PAYMENT))):
            with pytest.raises(grammar.BadQr, match="lacks fp"):
                fiscal(saved(sheet(*codes)))


class TestRefusals:
    @pytest.mark.parametrize("size", [(1, 1), (1, 3_000), (300, 300)])
    def test_a_picture_without_a_code(self, size):
        with pytest.raises(UnreadableImage, match="No code"):
            fiscal(saved(Image.new("L", size, 200)))
        assert images.decode(saved(Image.new("L", size, 200))) == []

    def test_a_code_beyond_reading(self):
        with pytest.raises(UnreadableImage, match="No code"):
            fiscal(factories.picture(PAPER, blurred=True))

    @pytest.mark.parametrize(
        "data",
        [
            pytest.param(b"", id="nothing"),
            pytest.param(b"not a picture", id="text"),
            pytest.param(b"%PDF-1.7\n", id="PDF"),
            pytest.param(saved(Image.new("L", (9, 9)), "GIF"), id="GIF"),
            pytest.param(saved(Image.new("L", (9, 9)), "TIFF"), id="TIFF"),
            pytest.param(saved(photo(), "JPEG")[:4_000], id="truncated JPEG"),
            pytest.param(saved(photo(), "PNG")[:2_000], id="truncated PNG"),
            pytest.param(saved(photo(), "WEBP")[:2_000], id="truncated WEBP"),
            pytest.param(declared(300, 300), id="less data than declared"),
        ],
    )
    def test_what_is_no_picture_we_open(self, data):
        with pytest.raises(UnreadableImage, match="JPEG, PNG, WEBP or HEIC"):
            fiscal(data)

    @pytest.mark.parametrize("side", [6_400, 10_000, 50_000])
    def test_a_bomb_is_refused_before_it_is_unpacked(self, side):
        started = time.thread_time()
        with pytest.raises(UnreadableImage, match="40 million"):
            fiscal(declared(side, side))
        assert time.thread_time() - started < 0.1

    def test_too_many_bytes(self):
        with pytest.raises(UnreadableImage, match="20 MB"):
            fiscal(saved(photo()) + b"\0" * images.MOST_BYTES)

    @settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=60)
    @given(
        st.sampled_from(["JPEG", "PNG", "WEBP"]),
        st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=6)), min_size=1),
    )
    def test_a_damaged_file_raises_nothing_else(self, kind, damage):
        data = bytearray(saved(photo(), kind))
        for place, bytes_ in damage:
            at = int(place * len(data))
            data[at : at + len(bytes_)] = bytes_
        try:
            fiscal(bytes(data))
        except (UnreadableImage, grammar.NotFiscalQr, grammar.BadQr):
            return


class TestTime:
    """CPU seconds of the worst pictures; a busy machine does not count."""

    def test_noise_of_40_megapixels_through_every_look(self):
        cells = Image.frombytes("L", (4_000, 2_500), random.Random(1).randbytes(10_000_000))
        data = saved(cells.resize((8_000, 5_000), Image.Resampling.NEAREST), "JPEG", quality=10)
        assert _seconds(data) < 3

    def test_a_picture_made_of_corners_of_codes(self):
        """As a whole it keeps the reader busy for the better part of a minute."""
        module = 2
        corner = Image.new("L", (9 * module, 9 * module), 255)
        draw = ImageDraw.Draw(corner)
        for margin, shade in ((1, 0), (2, 255), (3, 0)):
            draw.rectangle(
                [margin * module, margin * module] + [(9 - margin) * module - 1] * 2, shade
            )
        tiled = Image.new("L", (8_000, 5_000), 255)
        for left in range(0, 8_000, corner.width):
            tiled.paste(corner, (left, 0))
        row = tiled.crop((0, 0, 8_000, corner.height))
        for top in range(0, 5_000, corner.height):
            tiled.paste(row, (0, top))
        assert _seconds(saved(tiled, compress_level=1)) < 10


def _seconds(data: bytes) -> float:
    started = time.thread_time()
    with pytest.raises(UnreadableImage):
        fiscal(data)
    return time.thread_time() - started
