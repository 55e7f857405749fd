"""Random changes of training images that leave their class what it is.

On uint8 images, without TensorFlow, and from a NumPy generator alone: the same generator gives the same images, on the
Train page's preview and in a resumed training alike.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from cnnlab.datasets.images import Pixels

cv2.setNumThreads(1)  # the processors are the network's


class Augmentation(BaseModel):
    """What may happen to a training image; everything is off by default. Fields' descriptions say what they do."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    flip: bool = Field(False, description="Mirror every other image left to right.")
    shift: int = Field(
        0,
        ge=0,
        le=256,
        description="Move by up to so many pixels each way; what comes in at the border is a reflection.",
    )
    rotation: float = Field(0, ge=0, le=180, description="Turn by up to so many degrees either way.")
    zoom: float = Field(0, ge=0, le=0.9, description="Scale by a factor between 1 - zoom and 1 + zoom.")
    brightness: float = Field(
        0, ge=0, le=1, description="Multiply by a factor between 1 - brightness and 1 + brightness."
    )
    contrast: float = Field(
        0,
        ge=0,
        le=1,
        description="Stretch or flatten around the image's mean by a factor between 1 - contrast and 1 + contrast.",
    )
    cutout: int = Field(
        0,
        ge=0,
        le=1024,
        description="Paint over a square of this many pixels a side in the mean colour (DeVries and Taylor, 2017).",
    )
    mixup: float = Field(
        0,
        ge=0,
        le=10,
        description="Blend each image and its target with another's, by a share drawn from Beta(mixup, mixup) "
        "(Zhang et al., 2018).",
    )

    @property
    def active(self) -> bool:
        """Whether anything is on."""
        return any(value for _, value in self)


def augment(images: Pixels, size: tuple[int, int], augmentation: Augmentation, rng: np.random.Generator) -> Pixels:
    """Images (count, h, w, 3) changed at random, (count, *size, 3).

    Where they are larger than `size`, a window of that size is cut out at a random place. Mirroring, moving and cutting
    copy pixels exactly; with rotation or zoom all of the geometry is one bilinear interpolation. ValueError where they
    are smaller.
    """
    count, height, width, _ = images.shape
    if height < size[0] or width < size[1]:
        raise ValueError(f"Images of {height}x{width} are smaller than {size[0]}x{size[1]}.")
    spare = np.array([height - size[0], width - size[1]])
    corners = rng.integers(0, spare + 1, size=(count, 2))
    corners += rng.integers(-augmentation.shift, augmentation.shift + 1, size=(count, 2))
    flips: NDArray[np.bool_] = rng.random((count,)) < 0.5 * augmentation.flip
    turned: NDArray[np.float64]
    scales: NDArray[np.float64]
    if augmentation.rotation or augmentation.zoom:
        turned = rng.uniform(-augmentation.rotation, augmentation.rotation, (count,))
        scales = rng.uniform(1 - augmentation.zoom, 1 + augmentation.zoom, (count,))
        changed = warped(images, size, corners, flips, turned, scales)
    else:
        changed = windows(images, size, corners, flips)
    if augmentation.brightness or augmentation.contrast:
        bright = rng.uniform(1 - augmentation.brightness, 1 + augmentation.brightness, (count,))
        contrast = rng.uniform(1 - augmentation.contrast, 1 + augmentation.contrast, (count,))
        for image, factor, stretch in zip(changed, bright, contrast, strict=True):
            mean = cv2.mean(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY))[0]
            values = np.clip(np.round((np.arange(256) * stretch + mean * (1 - stretch)) * factor), 0, 255)
            cv2.LUT(image, values.astype(np.uint8), dst=image)
    if augmentation.cutout:
        centres = rng.integers(0, size, size=(count, 2))
        half = augmentation.cutout // 2
        for image, (row, column) in zip(changed, centres, strict=True):
            top, left = max(row - half, 0), max(column - half, 0)
            bottom, right = row - half + augmentation.cutout, column - half + augmentation.cutout
            image[top:bottom, left:right] = cv2.mean(image)[:3]
    return changed


def windows(images: Pixels, size: tuple[int, int], corners: NDArray[np.int64], flips: NDArray[np.bool_]) -> Pixels:
    """The window of each image whose upper left is at its corner, reflected beyond the border, and mirrored or not."""
    changed = np.empty((len(images), *size, 3), np.uint8)
    rows = reflected(corners[:, :1] + np.arange(size[0]), images.shape[1])
    columns = reflected(corners[:, 1:] + np.arange(size[1]), images.shape[2])
    columns[flips] = columns[flips, ::-1]
    for place, image in enumerate(images):
        changed[place] = image[rows[place]].take(columns[place], axis=1)
    return changed


def reflected(places: NDArray[np.int64], length: int) -> NDArray[np.int64]:
    """Places beyond 0 to length - 1 folded back, the border itself not repeated."""
    if length == 1:
        return np.zeros_like(places)
    folded = np.abs(places) % (2 * length - 2)
    back: NDArray[np.int64] = np.minimum(folded, 2 * length - 2 - folded)
    return back


def warped(
    images: Pixels,
    size: tuple[int, int],
    corners: NDArray[np.int64],
    flips: NDArray[np.bool_],
    turned: NDArray[np.float64],
    scales: NDArray[np.float64],
) -> Pixels:
    """`windows` of images turned by so many degrees and scaled around the window's centre."""
    changed = np.empty((len(images), *size, 3), np.uint8)
    angles = np.deg2rad(turned)
    middle = (np.array(size)[::-1] - 1) / 2  # x, y of the result
    for place, image in enumerate(images):
        cos, sin = np.cos(angles[place]) / scales[place], np.sin(angles[place]) / scales[place]
        mirror = -1.0 if flips[place] else 1.0
        matrix = np.array([[cos * mirror, -sin], [sin * mirror, cos]])  # from result to image
        offset = corners[place, ::-1] + middle - matrix @ middle
        cv2.warpAffine(
            image,
            np.column_stack([matrix, offset]),
            (size[1], size[0]),
            dst=changed[place],
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REFLECT_101,
        )
    return changed


def mix(
    images: Pixels, targets: NDArray[np.float32], alpha: float, rng: np.random.Generator
) -> tuple[Pixels, NDArray[np.float32]]:
    """Each image blended with another of the batch, and its target (count, classes) with the other's, in the same
    share drawn from Beta(alpha, alpha) (Zhang et al., "mixup", ICLR 2018, arXiv:1710.09412)."""
    if not alpha:
        return images, targets
    partners = rng.permutation(len(images))
    share = rng.beta(alpha, alpha, len(images)).astype(np.float32)
    pixels = share[:, None, None, None]
    blended = images * pixels + images[partners] * (1 - pixels)
    weight = share[:, None]
    return np.round(blended).astype(np.uint8), targets * weight + targets[partners] * (1 - weight)
