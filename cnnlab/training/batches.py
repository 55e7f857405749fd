"""The order in which images are learned from, and the next batch made ready while this one is computed."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from cnnlab.datasets import Split
from cnnlab.images import Pixels
from cnnlab.preprocessing import Preprocessing

Batch = tuple[Pixels, NDArray[np.int64]]


def epoch_order(count: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """A shuffle of `count` images that depends on the seed and the epoch alone, so that any epoch can be repeated."""
    return np.random.default_rng((seed, epoch)).permutation(count)


def epoch_batches(
    split: Split, preprocessing: Preprocessing, batch_size: int, seed: int, epoch: int
) -> Iterator[Batch]:
    """The full batches of an epoch, as fitted uint8 images and labels."""
    order = epoch_order(len(split), seed, epoch)
    starts = range(0, len(order) - batch_size + 1, batch_size)

    def prepare(start: int) -> Batch:
        images, labels = split.batch(order[start : start + batch_size])
        return preprocessing.fit_all(images), labels

    with ThreadPoolExecutor(max_workers=1) as ahead:
        following = ahead.submit(prepare, starts[0])
        for start in starts[1:]:
            ready, following = following, ahead.submit(prepare, start)
            yield ready.result()
        yield following.result()
