"""The order in which images are learned from, and the next batches made ready while this one is computed.

Everything random about a batch follows from (seed, epoch, batch) alone, so a training can go on from any of them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from cnnlab.datasets import Split
from cnnlab.datasets.images import Pixels, resize
from cnnlab.datasets.preprocessing import Preprocessing
from cnnlab.experiments.augmentation import augment, mix
from cnnlab.experiments.recipe import Recipe

Targets = NDArray[np.float32]
Batch = tuple[Pixels, Targets]
AHEAD = 2


def epoch_order(count: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """A shuffle of `count` images that depends on the seed and the epoch alone, so that any epoch can be repeated."""
    return np.random.default_rng((seed, epoch)).permutation(count)


def smooth_targets(labels: NDArray[np.int64], classes: int, smoothing: float) -> Targets:
    """One row a label (count, classes): 1 - smoothing on its class and the smoothing spread evenly over all classes
    (Szegedy et al., 2016, arXiv:1512.00567, section 7)."""
    targets = np.full((len(labels), classes), smoothing / classes, np.float32)
    targets[np.arange(len(labels)), labels] += 1 - smoothing
    return targets


def prepared(
    images: Pixels,
    labels: NDArray[np.int64],
    classes: int,
    preprocessing: Preprocessing,
    recipe: Recipe,
    rng: np.random.Generator,
    side: int | None = None,
) -> Batch:
    """Stored images and labels as a step of training takes them: augmented uint8 inputs, soft targets.

    `side` shrinks what is ready to images of so many pixels a side.
    """
    if not preprocessing.crop:
        images = preprocessing.fit_all(images)
    if preprocessing.crop or recipe.augmentation.active:
        images = augment(images, preprocessing.input_size, recipe.augmentation, rng)
    targets = smooth_targets(labels, classes, recipe.label_smoothing)
    if recipe.augmentation.mixup:
        images, targets = mix(images, targets, recipe.augmentation.mixup, rng)
    if side and side != images.shape[1]:
        images = np.stack([resize(image, side, side) for image in images])
    return images, targets


def epoch_batches(
    split: Split, classes: int, preprocessing: Preprocessing, recipe: Recipe, epoch: int, first: int = 0
) -> Iterator[Batch]:
    """The full batches of an epoch (from 0), from batch number `first` on."""
    order = epoch_order(len(split), recipe.seed, epoch)
    size = recipe.batch_size

    def prepare(number: int) -> Batch:
        images, labels = split.batch(order[number * size : (number + 1) * size])
        rng = np.random.default_rng((recipe.seed, epoch, number))
        return prepared(images, labels, classes, preprocessing, recipe, rng, recipe.image_size_at(epoch))

    with ThreadPoolExecutor(max_workers=1) as worker:
        ready: deque[Future[Batch]] = deque()
        for number in range(first, len(order) // size):
            ready.append(worker.submit(prepare, number))
            if len(ready) > AHEAD:
                yield ready.popleft().result()
        while ready:
            yield ready.popleft().result()
