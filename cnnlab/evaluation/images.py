"""What a network said of each image of a split."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cnnlab.datasets.dataset import Indices
from cnnlab.inference.classifier import Probabilities


@dataclass(frozen=True, eq=False)
class Predictions:
    """Class probabilities (images, classes) and true labels (images,), in the order of the split.

    `rows` are the images' places in the data set's part, which name an image whatever the split.
    """

    probabilities: Probabilities
    labels: NDArray[np.int64]
    rows: Indices

    @cached_property
    def predicted(self) -> NDArray[np.int64]:
        classes: NDArray[np.int64] = self.probabilities.argmax(axis=1)
        return classes

    @cached_property
    def confidence(self) -> NDArray[np.float32]:
        """The probability of the predicted class."""
        highest: NDArray[np.float32] = self.probabilities.max(axis=1)
        return highest

    @cached_property
    def right(self) -> NDArray[np.bool_]:
        right: NDArray[np.bool_] = self.predicted == self.labels
        return right

    def mistakes(self) -> Indices:
        """Positions of the wrongly classified images, the most confident first."""
        return ordered(np.flatnonzero(~self.right), -self.confidence)

    def doubtful_hits(self) -> Indices:
        """Positions of the rightly classified images, the least confident first."""
        return ordered(np.flatnonzero(self.right), self.confidence)

    def cell(self, true: int, predicted: int) -> Indices:
        """Positions of the images of one cell of the confusion matrix, the most confident first."""
        return ordered(np.flatnonzero((self.labels == true) & (self.predicted == predicted)), -self.confidence)


def ordered(positions: Indices, key: NDArray[np.float32]) -> Indices:
    return positions[np.argsort(key[positions], kind="stable")]
