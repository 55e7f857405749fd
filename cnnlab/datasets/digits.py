"""The 1,797 handwritten digits that come with scikit-learn: 8x8 pixels, ten classes, no download.

They are the test part of "Optical Recognition of Handwritten Digits" (Alpaydin and Kaynak, UCI, 1998). A fifth of
them, stratified and always the same, is our test part.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cnnlab.datasets.cache import make_dataset
from cnnlab.datasets.dataset import Dataset
from cnnlab.datasets.source import Source
from cnnlab.storage.progress import Progress

TEST_FRACTION = 0.2
DIGITS_SPLIT_SEED = 0
DIGITS_CLASSES = tuple("0123456789")


def find(root: Path) -> str:
    return "comes with scikit-learn"


def load(root: Path, progress: Progress) -> Dataset:
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    data = load_digits()
    grey = np.round(data.images * (255 / 16)).astype(np.uint8)
    images = np.repeat(grey[..., None], 3, axis=-1)
    labels = data.target.astype(np.int64)
    train, test = train_test_split(
        np.arange(len(labels)), test_size=TEST_FRACTION, random_state=DIGITS_SPLIT_SEED, stratify=labels
    )
    train, test = np.sort(train), np.sort(test)
    return make_dataset(
        "digits", "Digits", DIGITS_CLASSES, (images[train], labels[train]), (images[test], labels[test])
    )


DIGITS = Source(
    name="digits",
    title="Digits",
    summary="1,797 handwritten digits of 8×8 pixels, white on black. Works offline, trains in a minute.",
    classes=len(DIGITS_CLASSES),
    image_size=8,
    train_images=1437,
    test_images=360,
    find=find,
    load=load,
)
