"""What of a film is drawn: confusion as shares of each class's images, and the classes of an image that matter."""

from __future__ import annotations

import numpy as np

from cnnlab.plots.film import BARS, confusion_shares, followed_classes
from cnnlab.runs.film import OWN


def test_confusion_is_drawn_as_shares_of_a_classs_images_and_one_mistake_is_seen() -> None:
    shares = confusion_shares(np.array([[3, 1, 0], [0, 2, 0], [0, 0, 0]], np.uint32))
    assert shares.tolist() == [[192, 64, 0], [0, 255, 0], [0, 0, 0]]
    rare = confusion_shares(np.array([[9999, 1], [0, 1]], np.uint32))
    assert rare[0, 1] > 0


def test_of_many_classes_several_share_a_cell_and_none_is_lost() -> None:
    shares = confusion_shares(np.eye(200, dtype=np.uint32))
    assert shares.shape == (100, 100)
    assert np.array_equal(shares, 255 * np.eye(100, dtype=np.uint8))
    assert confusion_shares(np.eye(1000, dtype=np.uint32)).shape == (125, 125)
    assert confusion_shares(np.eye(129, dtype=np.uint32)).shape == (65, 65)


def test_an_images_own_class_is_followed_however_improbable_and_those_that_once_were_probable() -> None:
    probabilities = np.zeros((3, 20), np.float32)
    probabilities[0, 7], probabilities[1, 3], probabilities[2, 11] = 0.9, 0.8, 1.0
    followed = followed_classes(probabilities, 19)
    assert {3, 7, 11, 19} <= set(followed)
    assert followed == sorted(followed)
    assert len(followed) == BARS
    assert 19 not in followed_classes(probabilities, OWN)
    assert followed_classes(np.full((1, 2), np.nan, np.float32), 0) == [0, 1]
