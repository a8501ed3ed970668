"""A camera for Chromium: a film in which somebody holds a card into the picture."""

import random
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageFilter

SIZE = (640, 480)
FRAMES, A_SECOND = 20, 10


def flags(film: Path) -> list[str]:
    """What makes Chromium take the film, over and over, for its camera."""
    return [
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={film}",
    ]


def film(card: Image.Image, to: Path) -> None:
    """The card comes into an empty picture, tilted, a little out of focus, with noise."""
    chance = random.Random(7)
    empty = [_noisy(Image.new("RGB", SIZE, (96, 92, 88)), chance) for _ in range(FRAMES // 2)]
    shown = [_held(card, step, chance) for step in range(FRAMES // 2)]
    _write([*empty, *shown], to)


def _held(card: Image.Image, step: int, chance: random.Random) -> Image.Image:
    picture = Image.new("RGB", SIZE, (96, 92, 88))
    side = 260
    small = card.convert("RGBA").resize((side, side)).rotate(step - 8, expand=True)
    place = (SIZE[0] - small.width) // 2 + 3 * step, (SIZE[1] - small.height) // 2
    picture.paste(small, place, small)
    return _noisy(picture.filter(ImageFilter.GaussianBlur(0.8)), chance)


def _noisy(picture: Image.Image, chance: random.Random) -> Image.Image:
    noise = Image.frombytes("L", SIZE, chance.randbytes(SIZE[0] * SIZE[1])).convert("RGB")
    return Image.blend(picture, noise, 0.06)


def _write(pictures: Sequence[Image.Image], to: Path) -> None:
    """As YUV4MPEG2, planes of 4:2:0."""
    head = f"YUV4MPEG2 W{SIZE[0]} H{SIZE[1]} F{A_SECOND}:1 Ip A1:1 C420jpeg\n"
    with to.open("wb") as file:
        file.write(head.encode())
        for picture in pictures:
            light, *colour = picture.convert("YCbCr").split()
            half = [one.resize((SIZE[0] // 2, SIZE[1] // 2)) for one in colour]
            file.write(b"FRAME\n" + b"".join(one.tobytes() for one in (light, *half)))
