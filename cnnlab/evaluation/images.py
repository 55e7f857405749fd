"""What a network said of each image of a split."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cnnlab import datasets
from cnnlab.datasets import Split, SplitName
from cnnlab.datasets.corruption import corrupt
from cnnlab.datasets.dataset import Indices
from cnnlab.errors import UserError
from cnnlab.prediction import Probabilities
from cnnlab.runs.run import Run


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


def split_of(run: Run, name: SplitName) -> Split:
    """The split of a run's data set, as the run had it; UserError if the data set has changed since."""
    experiment = run.config.experiment
    dataset = datasets.load(experiment.dataset)
    if dataset.fingerprint != run.data.fingerprint:
        raise UserError(
            f"The {dataset.title} images here are not those that run {run.id} was trained on ({run.data.title})."
        )
    recipe = experiment.recipe
    if name == "test":
        return corrupt(dataset.test_split(), dataset, recipe.pixels, recipe.seed)
    train, validation = dataset.training_splits(recipe.validation_fraction, recipe.seed)
    return corrupt(train if name == "train" else validation, dataset, recipe.pixels, recipe.seed)
