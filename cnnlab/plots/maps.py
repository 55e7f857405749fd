"""The feature maps of a layer as one picture, for files."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cnnlab.datasets.images import Pixels
from cnnlab.plots.colours import NO_NUMBER, channels
from cnnlab.plots.film import VIRIDIS, table

LEAST_SIDE = 48
GAP = 2
BETWEEN = (255, 255, 255)


def maps_picture(values: NDArray[np.float32]) -> Image.Image:
    """All channels of feature maps (height, width, channels), row by row, small ones enlarged.

    One scale for all, from the lowest finite value to the highest; what is not finite has a colour of its own.
    """
    height, width, count = values.shape
    columns = math.ceil(math.sqrt(count * height / width))
    enlarged = max(-(-LEAST_SIDE // max(height, width)), 1)
    tall, wide = height * enlarged + GAP, width * enlarged + GAP
    rows = -(-count // columns)
    whole: Pixels = np.full((rows * tall - GAP, columns * wide - GAP, 3), BETWEEN, np.uint8)
    coloured = in_colours(values)
    for channel in range(count):
        row, column = divmod(channel, columns)
        tile = coloured[:, :, channel].repeat(enlarged, 0).repeat(enlarged, 1)
        whole[row * tall : row * tall + tall - GAP, column * wide : column * wide + wide - GAP] = tile
    return Image.fromarray(whole)


def in_colours(values: NDArray[np.float32]) -> Pixels:
    """Values on the scale from the lowest to the highest that is finite, each as red, green and blue."""
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    shares = (np.clip(np.nan_to_num(values), low, high) - low) / ((high - low) or 1.0)
    pixels: Pixels = table(VIRIDIS)[(255 * shares).round().astype(np.uint8)]
    pixels[~np.isfinite(values)] = [round(255 * part) for part in channels(NO_NUMBER)]
    return pixels
