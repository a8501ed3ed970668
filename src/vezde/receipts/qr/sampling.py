"""A code whose place is known and whose modules run together, read module by module.

Where a lens, a shaken hand or a small picture mixed each module with its neighbours, the mixing is
a small linear system along each side, and is undone. Finders and timing lines are drawn as they
must be; what is wrong in the rest the code's own correction mends, or nothing is read.
"""

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from PIL.Image import Image

Values = npt.NDArray[np.floating[Any]]
Point = tuple[int, int]

SIZES = (33, 37, 29, 41, 25, 45)  # modules a side: versions 2 to 7, what receipts need first
# How far a module spreads, in modules: out of focus, then along one side only.
FOCUS = (0.6, 0.45, 0.75, 0.3)
SHAKE = (1.75, 1.3)
NOISE = 0.02
SUBSAMPLES = (-0.2, 0.0, 0.2)
DRAWN_PIXELS, QUIET = 4, 4
FINDER = ("1111111", "1000001", "1011101", "1011101", "1011101", "1000001", "1111111")


def resampled(picture: "Image", corners: Sequence[Point]) -> Iterator["Image"]:
    """The code with these corners (clockwise from its upper left), drawn clean, by each guess."""
    values = np.asarray(picture, np.float64)
    upper_left, upper_right, _, lower_left = corners
    # The fourth corner has no finder, so it may be better to complete the square.
    fourth = (
        upper_right[0] + lower_left[0] - upper_left[0],
        upper_right[1] + lower_left[1] - upper_left[1],
    )
    for size in SIZES:
        for last in (fourth, corners[2]):
            square = (upper_left, upper_right, last, lower_left)
            ink = _ink(values, square, size)
            if ink is None:
                continue
            for dark in _modules(ink, size):
                yield _drawn(dark, size)


def _ink(values: Values, corners: Sequence[Point], size: int) -> Values | None:
    """How dark each module's middle is, the paper being 0."""
    middle = (np.arange(size) + 0.5) / size
    total = np.zeros((size, size))
    for dy in SUBSAMPLES:
        for dx in SUBSAMPLES:
            across, down = np.meshgrid(middle + dx / size, middle + dy / size)
            found = _at(values, *between(corners, across, down))
            if found is None:
                return None
            total += found
    shade = total / len(SUBSAMPLES) ** 2
    return np.asarray(np.percentile(shade, 97) - shade)


def between(corners: Sequence[Point], across: Values, down: Values) -> tuple[Values, Values]:
    """Rows and columns of points of a square with these corners; 0 to 1 is from side to side."""
    weights = (
        (1 - across) * (1 - down),
        across * (1 - down),
        across * down,
        (1 - across) * down,
    )
    columns = sum(x * weight for (x, _), weight in zip(corners, weights, strict=True))
    rows = sum(y * weight for (_, y), weight in zip(corners, weights, strict=True))
    return np.asarray(rows), np.asarray(columns)


def _at(values: Values, rows: Values, columns: Values) -> Values | None:
    """Shades between pixels; None when the square leaves the picture."""
    height, width = values.shape
    rows, columns = rows - 0.5, columns - 0.5
    top, left = np.floor(rows).astype(np.intp), np.floor(columns).astype(np.intp)
    if top.min() < 0 or left.min() < 0 or top.max() >= height - 1 or left.max() >= width - 1:
        return None
    below, right = rows - top, columns - left
    upper = values[top, left] * (1 - right) + values[top, left + 1] * right
    lower = values[top + 1, left] * (1 - right) + values[top + 1, left + 1] * right
    return np.asarray(upper * (1 - below) + lower * below)


def _modules(ink: Values, size: int) -> Iterator[npt.NDArray[np.bool_]]:
    """Which modules are dark, by each way they may have been mixed."""
    still = np.eye(size)
    ways = [(_unmix(_focus(one), size),) * 2 for one in FOCUS]
    for one in SHAKE:
        shaken = _unmix(_shake(one), size)
        ways += [(shaken, still), (still, shaken)]
    for down, across in ways:
        clear = down @ ink @ across.T
        edge = float(clear.mean())
        for _ in range(4):
            over = clear > edge
            if not 0 < over.mean() < 1:
                break
            edge = float(clear[over].mean() + clear[~over].mean()) / 2
        yield np.asarray(clear > edge)


def _unmix(spread: Sequence[float], size: int) -> Values:
    """The inverse of a spread over neighbours at distance 0, 1, 2, …, calmed against noise."""
    distance = np.abs(np.subtract.outer(np.arange(size), np.arange(size)))
    known = np.array([*spread, *[0.0] * (size - len(spread))])
    mixing = known[distance]
    return np.linalg.solve(mixing.T @ mixing + NOISE * np.eye(size), mixing.T)


def _focus(sigma: float) -> list[float]:
    def until(edge: float) -> float:
        return 0.5 * (1 + math.erf(edge / (sigma * math.sqrt(2))))

    return [until(step + 0.5) - until(step - 0.5) for step in range(4)]


def _shake(length: float) -> list[float]:
    half = length / 2
    return [max(min(half, step + 0.5) - max(-half, step - 0.5), 0) / length for step in range(4)]


def _drawn(dark: npt.NDArray[np.bool_], size: int) -> "Image":
    from PIL import Image

    known = dark.copy()
    finder = np.array([[letter == "1" for letter in row] for row in FINDER])
    known[:8, :8] = known[:8, -8:] = known[-8:, :8] = False
    known[:7, :7] = known[:7, -7:] = known[-7:, :7] = finder
    timing = np.arange(8, size - 8) % 2 == 0
    known[6, 8 : size - 8] = known[8 : size - 8, 6] = timing
    paper = np.pad(known, QUIET)
    shades = np.where(paper, 0, 255).astype(np.uint8)
    return Image.fromarray(np.kron(shades, np.ones((DRAWN_PIXELS, DRAWN_PIXELS), np.uint8)))
