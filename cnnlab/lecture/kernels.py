"""Known 3x3 kernels, slid over a picture: what one filter of a convolution does."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cnnlab.datasets.images import Pixels, resize

KERNELS: dict[str, tuple[tuple[float, ...], ...]] = {
    "identity": ((0, 0, 0), (0, 1, 0), (0, 0, 0)),
    "blur": ((1 / 9, 1 / 9, 1 / 9), (1 / 9, 1 / 9, 1 / 9), (1 / 9, 1 / 9, 1 / 9)),
    "sharpen": ((0, -1, 0), (-1, 5, -1), (0, -1, 0)),
    "horizontal": ((-1, -2, -1), (0, 0, 0), (1, 2, 1)),
    "vertical": ((-1, 0, 1), (-2, 0, 2), (-1, 0, 1)),
    "laplace": ((0, 1, 0), (1, -4, 1), (0, 1, 0)),
    "shift": ((0, 0, 0), (1, 0, 0), (0, 0, 0)),
}
"""Sobel's two, Laplace's, and others that everybody has seen. A layer of Keras correlates: no kernel is turned."""
SIDE = 96
BLUR_ROUNDS, SHIFT_ROUNDS = 4, 12
"""A blur and a shift by one pixel are hardly seen: they are applied so often in a row."""


def grey(pixels: Pixels) -> NDArray[np.float64]:
    """The middle square of a picture in grey, from 0 to 1, SIDE pixels high."""
    least = min(pixels.shape[:2])
    top, left = ((extent - least) // 2 for extent in pixels.shape[:2])
    square = resize(np.ascontiguousarray(pixels[top : top + least, left : left + least]), SIDE, SIDE)
    found: NDArray[np.float64] = square.astype(np.float64) @ np.array([0.299, 0.587, 0.114]) / 255
    return found


def slid(values: NDArray[np.float64], name: str) -> NDArray[np.float64]:
    """What the kernel makes of a map, padding same; in as many rounds as it takes to see it."""
    kernel = np.array(KERNELS[name])
    for _ in range(rounds(name)):
        padded = np.pad(values, 1)
        windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3))
        values = np.einsum("ijkl,kl->ij", windows, kernel)
    return values


def rounds(name: str) -> int:
    return {"blur": BLUR_ROUNDS, "shift": SHIFT_ROUNDS}.get(name, 1)


def picture(values: NDArray[np.float64], signed: bool) -> Image.Image:
    """Values in grey: from 0 to 1, or with zero in the middle where they have a sign."""
    shown = 0.5 + values / 4 if signed else values
    return Image.fromarray((np.clip(shown, 0, 1) * 255).astype(np.uint8)).resize((2 * SIDE, 2 * SIDE))


def is_signed(name: str) -> bool:
    """Whether its weights sum to zero: an even surface gives zero, and both signs occur."""
    return bool(abs(np.sum(KERNELS[name])) < 1e-9)


def latex(name: str) -> str:
    def written(value: float) -> str:
        return r"\tfrac{1}{9}" if 0 < value < 1 else f"{value:g}"

    rows = r" \\ ".join(" & ".join(written(value) for value in row) for row in KERNELS[name])
    return rf"\begin{{pmatrix}} {rows} \end{{pmatrix}}"
