"""A data set as everything else sees it: uint8 images, labels, class names, and a split for each use."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cnnlab.datasets.images import Fitting, Pixels
from cnnlab.datasets.preprocessing import Preprocessing
from cnnlab.errors import UserError

Indices = NDArray[np.int64]
SplitName = Literal["train", "validation", "test"]


def validation_count(images: int, validation_fraction: float) -> int:
    """How many of so many training images are held out for validation."""
    return math.ceil(images * validation_fraction)


@dataclass(frozen=True, eq=False)
class Split:
    """Images that serve one purpose: rows `indices` of `images` (count, height, width, 3) and `labels` (count,)."""

    name: SplitName
    images: Pixels
    labels: NDArray[np.int64]
    indices: Indices

    def __len__(self) -> int:
        return len(self.indices)

    def batch(self, positions: Indices | slice) -> tuple[Pixels, NDArray[np.int64]]:
        """Images and labels at these positions of the split."""
        rows = self.indices[positions]
        return self.images[rows], self.labels[rows]


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images of one size, often memory-mapped, in a training part and a test part.

    The last `held_out` images of the training part are the data set's own validation part; 0 where it has none.
    `mean` and `deviation` are those of the training part, per channel, for values from 0 to 255. `fingerprint` is a
    digest of all pixels and labels. `fitting` is how images of another shape are resized to the stored size.
    """

    name: str
    title: str
    classes: tuple[str, ...]
    train_images: Pixels
    train_labels: NDArray[np.int64]
    test_images: Pixels
    test_labels: NDArray[np.int64]
    mean: tuple[float, float, float]
    deviation: tuple[float, float, float]
    fingerprint: str
    held_out: int = 0
    fitting: Fitting = "crop"

    @property
    def image_size(self) -> tuple[int, int]:
        """(height, width) of the stored images."""
        height, width = self.train_images.shape[1:3]
        return height, width

    def training_splits(self, validation_fraction: float, seed: int) -> tuple[Split, Split]:
        """The training part as (train, validation): the data set's own, or stratified by class and the same for the
        same seed."""
        if self.held_out:
            rows, border = np.arange(len(self.train_labels)), len(self.train_labels) - self.held_out
            return (
                Split("train", self.train_images, self.train_labels, rows[:border]),
                Split("validation", self.train_images, self.train_labels, rows[border:]),
            )
        from sklearn.model_selection import train_test_split

        count = len(self.train_labels)
        try:
            train, validation = train_test_split(
                np.arange(count),
                test_size=validation_count(count, validation_fraction),
                random_state=seed,
                stratify=self.train_labels,
            )
        except ValueError as error:  # scikit-learn's, where a class is too small
            raise UserError(
                f"{self.title}: {count:,} training images in {len(self.classes)} classes are too few to hold out "
                f"{validation_fraction:.0%} of each for validation."
            ) from error
        return (
            Split("train", self.train_images, self.train_labels, np.sort(train)),
            Split("validation", self.train_images, self.train_labels, np.sort(validation)),
        )

    def test_split(self) -> Split:
        return Split("test", self.test_images, self.test_labels, np.arange(len(self.test_labels)))

    def preprocessing(self, input_size: tuple[int, int]) -> Preprocessing:
        return Preprocessing(
            image_size=self.image_size,
            input_size=input_size,
            mean=self.mean,
            deviation=self.deviation,
            fitting=self.fitting,
        )
