"""What an image is like before any network looks at it: brightness, colour, and contrast from fine to coarse.

A network answers to what it has learned to tell apart, and may see nothing of what makes noise, a drawing or a
photograph in colour another kind of image than those it was trained on. These few numbers do.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cnnlab.datasets.images import Pixels

Statistics = NDArray[np.float32]
STATISTICS_CHUNK = 512
MEAN_SCALE = 40.0


def pixel_statistics(images: Pixels) -> Statistics:
    """Of images (count, height, width, 3): the means of brightness and of two colour differences, then the contrast of
    each in octaves, finest first, on a logarithmic scale. Shape (count, 3 + 3 * octaves)."""
    parts = [statistics_of(images[at : at + STATISTICS_CHUNK]) for at in range(0, len(images), STATISTICS_CHUNK)]
    return np.concatenate(parts)


def statistics_of(images: Pixels) -> Statistics:
    red, green, blue = np.moveaxis(images.astype(np.float32), -1, 0)
    # Brightness, red against green, yellow against blue: (count, height, width, 3)
    planes = np.stack([(red + green + blue) / 3, red - green, (red + green) / 2 - blue], axis=-1)
    found = [planes.mean(axis=(1, 2)) / MEAN_SCALE]
    while min(planes.shape[1:3]) > 1:
        coarse = halved(planes)
        height, width = 2 * coarse.shape[1], 2 * coarse.shape[2]
        lost = planes[:, :height, :width] - coarse.repeat(2, axis=1).repeat(2, axis=2)
        found.append(np.log1p(np.sqrt(np.square(lost).mean(axis=(1, 2)))))
        planes = coarse
    return np.concatenate(found, axis=1).astype(np.float32)


def halved(planes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Means of 2x2 pixels; an odd last row or column is left out."""
    count, height, width, channels = planes.shape
    even = planes[:, : height // 2 * 2, : width // 2 * 2]
    smaller: NDArray[np.float32] = even.reshape(count, height // 2, 2, width // 2, 2, channels).mean(axis=(2, 4))
    return smaller
