"""Receipts drawn and spoilt as phones, messengers and time do; everything by chance of a seed."""

import io
import math
import random
from collections.abc import Callable
from datetime import datetime, timedelta

import numpy as np
import zxingcpp
from PIL import Image, ImageDraw, ImageFilter, ImageFont, ImageOps

from vezde.receipts.model import QrFields

PAPER = 245
Spoil = Callable[[Image.Image, random.Random], bytes]


def drawn(chance: random.Random) -> tuple[Image.Image, QrFields]:
    """A receipt with its code at the bottom, and what the code says."""
    fields = QrFields(
        wall_time=datetime(2025, 1, 1) + timedelta(minutes=chance.randrange(900_000)),
        total_kopecks=chance.randrange(100, 3_000_000),
        fn=chance.randrange(7_280_000_000_000_000, 9_999_999_999_999_999),
        fd=chance.randrange(1, 300_000),
        fp=chance.randrange(10_000, 2**32),
    )
    code = _code(fields.text(), module=chance.randint(4, 8))
    width = max(480, code.width + 60) + chance.randrange(0, 160, 8)
    rows = chance.randint(8, 22)
    page = Image.new("L", (width, rows * 26 + code.height + 110), PAPER)
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(20)
    for row in range(rows):
        letters = "".join(chance.choices("ABCDEHKMOPTX 0123456789.-=*", k=chance.randint(12, 34)))
        pen.text((24, 20 + row * 26), letters, fill=30, font=font)
    page.paste(code, ((width - code.width) // 2, rows * 26 + 50))
    edge = chance.randint(40, 90)
    table = _noisy(Image.new("L", (width + 2 * edge, page.height + 2 * edge), 100), 8, chance)
    table.paste(page, (edge, edge))
    return table, fields


def _code(text: str, *, module: int) -> Image.Image:
    made = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="M")
    small = np.asarray(zxingcpp.write_barcode_to_image(made, scale=1, add_quiet_zones=False))
    dark = np.where(small < 128, 20, PAPER).astype(np.uint8)
    return Image.fromarray(np.kron(dark, np.ones((module, module), np.uint8)))


def saved(picture: Image.Image, kind: str = "JPEG", quality: int = 88) -> bytes:
    out = io.BytesIO()
    if kind == "JPEG":
        picture.save(out, kind, quality=quality)
    else:
        picture.save(out, kind)
    return out.getvalue()


def _turned(picture: Image.Image, degrees: float) -> Image.Image:
    return picture.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=120)


def _blurred(picture: Image.Image, sigma: float) -> Image.Image:
    return picture.filter(ImageFilter.GaussianBlur(sigma))


def _shaken(picture: Image.Image, length: int, chance: random.Random) -> Image.Image:
    """Motion while the shutter was open, along or across."""
    values = np.asarray(picture, np.float32)
    axis = chance.randrange(2)
    moved = sum(np.roll(values, step - length // 2, axis) for step in range(length)) / length
    return _picture(moved)


def _scaled(picture: Image.Image, by: float) -> Image.Image:
    return ImageOps.scale(picture, by, Image.Resampling.BILINEAR)


def _contrast(picture: Image.Image, levels: int, *, base: int = 130) -> Image.Image:
    values = np.asarray(picture, np.float32)
    return _picture(base + (values - values.min()) / np.ptp(values) * levels)


def _noisy(picture: Image.Image, sigma: float, chance: random.Random) -> Image.Image:
    dice = np.random.default_rng(chance.getrandbits(32))
    values = np.asarray(picture, np.float32)
    return _picture(values + dice.normal(0, sigma, values.shape))


def _tilted(picture: Image.Image, share: float, chance: random.Random) -> Image.Image:
    """A perspective: one edge is farther away by that share of the width."""
    width, height = picture.size
    by = share * width
    far = chance.randrange(4)
    corners = [(0.0, 0.0), (0.0, height), (width, height), (width, 0.0)]
    moves = [
        [(by, by / 3), (0, 0), (0, 0), (-by, by / 3)],
        [(0, 0), (by, -by / 3), (-by, -by / 3), (0, 0)],
        [(by / 3, by), (by / 3, -by), (0, 0), (0, 0)],
        [(0, 0), (0, 0), (-by / 3, -by), (-by / 3, by)],
    ][far]
    to = [(x + dx, y + dy) for (x, y), (dx, dy) in zip(corners, moves, strict=True)]
    rows, wanted = [], []
    for (x, y), (u, v) in zip(to, corners, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        wanted += [u, v]
    found = np.linalg.solve(np.array(rows), np.array(wanted))
    return picture.transform(
        picture.size,
        Image.Transform.PERSPECTIVE,
        tuple(found),
        Image.Resampling.BICUBIC,
        fillcolor=120,
    )


def _curved(picture: Image.Image, pixels: float, chance: random.Random) -> Image.Image:
    """Paper that waves about once over its length, along and across."""
    values = np.asarray(picture)
    height, width = values.shape
    rows, columns = np.mgrid[0:height, 0:width]
    turn = 2 * math.pi / max(values.shape) * chance.uniform(0.8, 1.2)
    down = np.sin(turn * columns + chance.uniform(0, 2 * math.pi)) * pixels
    aside = np.sin(turn * rows + chance.uniform(0, 2 * math.pi)) * pixels
    at = np.clip(rows + down, 0, height - 1), np.clip(columns + aside, 0, width - 1)
    return _picture(values[at[0].astype(int), at[1].astype(int)])


def _striped(picture: Image.Image, stripes: int, chance: random.Random) -> Image.Image:
    """Dots of the thermal head that do not print: white lines along the paper."""
    values = np.array(picture)
    dark = np.flatnonzero((values < 128).sum(0) > values.shape[0] * 0.05)
    low, high = int(dark.min()), int(dark.max())
    for _ in range(stripes):
        left = chance.randint(low, high)
        values[:, left : left + chance.randint(1, 3)] = PAPER
    return _picture(values)


def _shadowed(picture: Image.Image, chance: random.Random) -> Image.Image:
    values = np.asarray(picture, np.float32)
    along = np.linspace(1.0, chance.uniform(0.25, 0.4), values.shape[1])
    return _picture(values * (along if chance.random() < 0.5 else along[::-1]))


def _phone(picture: Image.Image, chance: random.Random) -> Image.Image:
    """A frame of 12 million pixels with the receipt somewhere on a table."""
    table = _noisy(Image.new("L", (4000, 3000), 110), 9, chance)
    larger = _turned(_scaled(picture, chance.uniform(1.0, 1.6)), chance.uniform(-20, 20))
    larger.thumbnail((3800, 2900))
    place = chance.randrange(4000 - larger.width), chance.randrange(3000 - larger.height)
    table.paste(larger, place)
    return _blurred(table, 1.0)


def _cropped(picture: Image.Image) -> Image.Image:
    """The right edge is cut off at the code itself: its quiet zone is gone."""
    paper = np.flatnonzero(np.asarray(picture).min(0) < 40)  # ink: the code is the widest
    return picture.crop((0, 0, int(paper.max()) + 1, picture.height))


def _combined(picture: Image.Image, chance: random.Random) -> Image.Image:
    turned = _turned(picture, chance.uniform(-25, 25))
    return _contrast(_blurred(turned, 1.0), 70)


def _picture(values: np.ndarray) -> Image.Image:
    return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))


KINDS: dict[str, Spoil] = {
    "clean": lambda one, _: saved(one),
    "turned by 15": lambda one, _: saved(_turned(one, 15)),
    "turned by 90": lambda one, _: saved(_turned(one, 90)),
    "turned by 187": lambda one, _: saved(_turned(one, 187)),
    "blur 1.5": lambda one, _: saved(_blurred(one, 1.5)),
    "blur 2.5": lambda one, _: saved(_blurred(one, 2.5)),
    "motion 7": lambda one, chance: saved(_shaken(one, 7, chance)),
    "jpeg 15": lambda one, _: saved(one, quality=15),
    "0.4 and jpeg 50": lambda one, _: saved(_scaled(one, 0.4), quality=50),
    "0.3 and jpeg 70": lambda one, _: saved(_scaled(one, 0.3), quality=70),
    "perspective 12 %": lambda one, chance: saved(_tilted(one, 0.12, chance)),
    "perspective 22 %": lambda one, chance: saved(_tilted(one, 0.22, chance)),
    "low contrast": lambda one, _: saved(_contrast(one, 40)),
    "faded, noise": lambda one, chance: saved(_noisy(_contrast(one, 22, base=190), 6, chance)),
    "white stripes": lambda one, chance: saved(_striped(one, 3, chance)),
    "shadow": lambda one, chance: saved(_shadowed(one, chance)),
    "curved 6": lambda one, chance: saved(_curved(one, 6, chance)),
    "curved 12": lambda one, chance: saved(_curved(one, 12, chance)),
    "inverted": lambda one, _: saved(ImageOps.invert(one)),
    "all together": lambda one, chance: saved(_combined(one, chance), quality=40),
    "12 megapixels": lambda one, chance: saved(_phone(one, chance)),
    "edge cut off": lambda one, _: saved(_cropped(one)),
}
