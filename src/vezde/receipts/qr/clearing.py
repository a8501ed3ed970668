"""A blurred picture made sharper: Wiener's deconvolution for the blurs that photos have."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from PIL.Image import Image

Values = npt.NDArray[np.float32]

FOCUS_PIXELS = 2.0  # sigma of a lens out of focus
SHAKE_PIXELS = 7.0  # how far the phone moved while the shutter was open
# How much of the signal is taken for noise: less brings out more of both.
NOISE = 0.01
STEP = 64  # sizes of few prime factors, which the transform is fast for


def sharpened(picture: "Image") -> Iterator["Image"]:
    """The picture as it was before it went out of focus, or was shaken along, or across."""
    values = np.asarray(picture, np.float32)
    height, width = (-(-side // STEP) * STEP for side in values.shape)
    missing = height - values.shape[0], width - values.shape[1]
    padded = np.pad(values, ((0, missing[0]), (0, missing[1])), mode="edge")
    spectrum = np.fft.rfft2(padded)
    down, aside = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None, :]
    focus = np.exp(-2 * (np.pi * FOCUS_PIXELS) ** 2 * (down**2 + aside**2))
    for blur in (focus, _shaken(down, aside), _shaken(aside, down)):
        clear = np.fft.irfft2(spectrum * blur / (blur**2 + NOISE), padded.shape)
        yield _picture(clear[: values.shape[0], : values.shape[1]])


def _shaken(
    moved: npt.NDArray[np.floating[Any]], still: npt.NDArray[np.floating[Any]]
) -> npt.NDArray[np.floating[Any]]:
    """The spectrum of a straight move of so many whole pixels."""
    along = np.sinc(moved * SHAKE_PIXELS) / np.maximum(np.sinc(moved), 1e-6)
    shaken: npt.NDArray[np.floating[Any]] = along * np.ones_like(still)
    return shaken


def _picture(values: npt.NDArray[np.floating[Any]]) -> "Image":
    from PIL import Image

    low, high = np.percentile(values[::4, ::4], [1, 99])
    spread = max(float(high - low), 1.0)
    return Image.fromarray(np.clip((values - low) / spread * 255, 0, 255).astype(np.uint8))
