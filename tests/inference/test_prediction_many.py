"""Many images at once, from anywhere, by several networks."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from PIL import Image

from cnnlab import datasets
from cnnlab.inference.classifier import (
    PREDICTION_BATCH,
    THUMBNAIL,
    Classifier,
    Prediction,
    Rejected,
    classify,
    load_classifier,
)
from cnnlab.runs.run import Run


@pytest.fixture(scope="module")
def classifier(trained_run: Run) -> Classifier:
    return load_classifier(trained_run)


def png(pixels: np.ndarray) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def test_more_images_than_a_batch_are_answered_in_order_and_the_bad_ones_in_their_place(classifier: Classifier) -> None:
    images = datasets.load("digits").train_images[: PREDICTION_BATCH + 20]
    files: list[tuple[str, Callable[[], bytes]]] = [
        (f"{n}.png", lambda image=image: png(image))
        for n, image in enumerate(images)  # type: ignore[misc]
    ]
    files.insert(5, ("bad.png", lambda: b"?"))
    found = list(classify(files, [classifier, classifier]))
    assert [one.name for one in found] == [name for name, _ in files]
    assert [one.name for one in found if isinstance(one, Rejected)] == ["bad.png"]
    predictions = [one for one in found if isinstance(one, Prediction)]
    said = np.stack([one.probabilities[0] for one in predictions])
    assert np.allclose(said, classifier.probabilities(images), atol=1e-5)
    assert all((one.probabilities[0] == one.probabilities[1]).all() for one in predictions)


def test_files_are_read_one_by_one_and_only_a_small_copy_is_kept(classifier: Classifier) -> None:
    opened: list[int] = []

    def files() -> Iterator[tuple[str, Callable[[], bytes]]]:
        for number in range(3):
            opened.append(number)
            yield f"{number}", lambda: png(np.zeros((1200, 900, 3), np.uint8))

    predictions = [one for one in classify(files(), [classifier]) if isinstance(one, Prediction)]
    assert [(one.height, one.width) for one in predictions] == [(1200, 900)] * 3
    assert all(max(one.shown.shape) == THUMBNAIL for one in predictions)


def test_more_than_the_limit_is_said_and_the_rest_not_read(classifier: Classifier) -> None:
    files = [(str(number), lambda: png(np.zeros((8, 8, 3), np.uint8))) for number in range(5)]
    found = list(classify(files, [classifier], most=3))
    assert sum(isinstance(one, Prediction) for one in found) == 3
    (refused,) = [one for one in found if isinstance(one, Rejected)]
    assert "3" in refused.reason
