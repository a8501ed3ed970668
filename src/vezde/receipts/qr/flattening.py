"""A code on paper that is not flat: its bends are undone by trying them.

A reader finds the corners of such a code and misses what lies between them, a module or two away.
Along a side paper bends about as a parabola, so two numbers describe it: how far the middle of the
upright lines is off, and of the level ones.
"""

import itertools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from vezde.receipts.qr import sampling
from vezde.receipts.qr.sampling import Point

if TYPE_CHECKING:
    from PIL.Image import Image

SIDE_PIXELS = 400
MARGIN = 0.12  # of the side: the quiet zone
# How far the middle is off, of the side; a module is about 0.025.
BENDS = (0.0, 0.015, -0.015, 0.03, -0.03, 0.045, -0.045)


def flattened(picture: "Image", corners: Sequence[Point]) -> Iterator["Image"]:
    """The code with these corners (clockwise from its upper left) by each bend, the least first."""
    from PIL import Image

    values = np.asarray(picture)
    square = np.linspace(-1 - 2 * MARGIN, 1 + 2 * MARGIN, SIDE_PIXELS)
    across, down = np.meshgrid(square, square)
    rows, columns = sampling.between(corners, (across + 1) / 2, (down + 1) / 2)
    side = max(np.ptp([x for x, _ in corners]), np.ptp([y for _, y in corners]))
    bends = sorted(itertools.product(BENDS, BENDS), key=lambda one: abs(one[0]) + abs(one[1]))
    for upright, level in bends[1:]:  # the first is none, which was tried
        moved_rows = rows + level * side * (1 - across**2)
        moved_columns = columns + upright * side * (1 - down**2)
        yield Image.fromarray(
            values[
                np.clip(moved_rows, 0, values.shape[0] - 1).astype(np.intp),
                np.clip(moved_columns, 0, values.shape[1] - 1).astype(np.intp),
            ]
        )
