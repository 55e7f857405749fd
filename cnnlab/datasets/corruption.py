"""Data sets with their structure destroyed: the randomization tests of Zhang et al., "Understanding Deep Learning
Requires Rethinking Generalization", ICLR 2017 (arXiv:1611.03530), section 2.1.

All of it follows from the seed and from an image's place in the data set, so that a training and its evaluation see
the same, and nothing is stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cnnlab.datasets.dataset import Dataset, Indices, Split
from cnnlab.datasets.images import Pixels

PixelsName = Literal["original", "shuffled", "random", "gaussian"]

PIXELS: dict[PixelsName, str] = {
    "original": "As they are",
    "shuffled": "Shuffled pixels: one permutation for all images",
    "random": "Random pixels: a permutation for each image",
    "gaussian": "Gaussian noise of the data's mean and deviation",
}
LABELS_STREAM, PERMUTATION_STREAM = 101, 102
IMAGE_STREAMS = {"train": 103, "validation": 103, "test": 104}  # train and validation are rows of one array


@dataclass(frozen=True, eq=False)
class CorruptedSplit(Split):
    """A split whose images have lost their structure."""

    pixels: PixelsName
    seed: int
    mean: tuple[float, float, float]
    deviation: tuple[float, float, float]

    def batch(self, positions: Indices | slice) -> tuple[Pixels, NDArray[np.int64]]:
        images, labels = super().batch(positions)
        return self._corrupted(images, self.indices[positions]), labels

    def _corrupted(self, images: Pixels, rows: Indices) -> Pixels:
        count, height, width, channels = images.shape
        flat = images.reshape(count, height * width, channels)
        if self.pixels == "shuffled":
            order = np.random.default_rng((self.seed, PERMUTATION_STREAM)).permutation(height * width)
            return flat[:, order].reshape(images.shape)
        changed = np.empty_like(flat)
        for place, row in enumerate(rows):
            rng = np.random.default_rng((self.seed, IMAGE_STREAMS[self.name], int(row)))
            if self.pixels == "random":
                changed[place] = rng.permutation(flat[place])
            else:
                noise = rng.normal(self.mean, self.deviation, flat[place].shape)
                changed[place] = np.clip(np.round(noise), 0, 255).astype(np.uint8)
        return changed.reshape(images.shape)


def corrupt(split: Split, dataset: Dataset, pixels: PixelsName, seed: int, label_noise: float = 0.0) -> Split:
    """The split with its pixels destroyed and, with probability `label_noise`, each label drawn anew from all classes.

    Only a training split is given noisy labels: what judges the network keeps the true ones.
    """
    labels = split.labels
    if label_noise:
        rng = np.random.default_rng((seed, LABELS_STREAM))
        drawn = rng.integers(len(dataset.classes), size=len(labels))
        labels = np.where(rng.random(len(labels)) < label_noise, drawn, labels)
    if pixels == "original":
        return Split(split.name, split.images, labels, split.indices)
    return CorruptedSplit(
        split.name, split.images, labels, split.indices, pixels, seed, dataset.mean, dataset.deviation
    )
