from __future__ import annotations

import io
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnnlab import datasets, runs
from cnnlab.datasets.images import Pixels, read_image, resize
from cnnlab.datasets.preprocessing import Framing
from cnnlab.errors import UserError
from cnnlab.inference.classifier import Classifier, Prediction, Probabilities, classify, load_classifier, top_classes
from cnnlab.runs.run import Run
from cnnlab.zoo.samples import all_samples
from tests.conftest import assert_one_line, digits_experiment


@pytest.fixture(scope="module")
def classifier(trained_run: Run) -> Classifier:
    return load_classifier(trained_run)


@pytest.fixture
def copy(trained_run: Run, tmp_path: Path) -> Run:
    """A copy of the trained run, to break."""
    return Run(Path(shutil.copytree(trained_run.folder, tmp_path / trained_run.id)))


def digits(count: int = 30) -> tuple[Pixels, list[int]]:
    images, labels = datasets.load("digits").test_split().batch(slice(count))
    return images, labels.tolist()


def encoded(pixels: Pixels, format_: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format_)
    return buffer.getvalue()


def test_each_image_gets_a_probability_for_each_class(classifier: Classifier) -> None:
    images, _ = digits()
    probabilities = classifier.probabilities(images)
    assert probabilities.shape == (30, 10)
    assert probabilities.dtype == np.float32
    assert probabilities.min() >= 0
    assert probabilities.sum(axis=1) == pytest.approx(1, abs=1e-5)


def test_no_images_get_no_probabilities(classifier: Classifier) -> None:
    assert classifier.probabilities([]).shape == (0, 10)


def test_an_image_from_a_file_is_classified_as_the_one_in_the_data_set(classifier: Classifier) -> None:
    images, labels = digits()
    uploaded = [read_image(encoded(image), "digit.png") for image in images]
    probabilities = classifier.probabilities(uploaded)
    assert np.allclose(probabilities, classifier.probabilities(images), atol=1e-6)
    assert (probabilities.argmax(axis=1) == labels).mean() > 0.9


def test_an_enlarged_digit_is_still_recognised(classifier: Classifier) -> None:
    """A photograph comes down to the data set's 8x8 pixels before it goes up to the network's input."""
    images, _ = digits()
    large = [np.kron(image, np.ones((40, 40, 1), np.uint8)) for image in images]
    alike = classifier.probabilities(large).argmax(axis=1) == classifier.probabilities(images).argmax(axis=1)
    assert alike.mean() > 0.9


def test_images_of_different_sizes_are_classified_together(classifier: Classifier) -> None:
    images, _ = digits(3)
    mixed = [images[0], resize(images[1], 50, 30), images[2]]
    together = classifier.probabilities(mixed)
    alone = np.concatenate([classifier.probabilities([image]) for image in mixed])
    assert np.allclose(together, alone, atol=1e-5)


def test_more_images_than_a_batch_keep_their_order(classifier: Classifier) -> None:
    images, _ = digits(360)
    probabilities = classifier.probabilities(images)
    assert probabilities.shape == (360, 10)
    assert np.allclose(probabilities[300:310], classifier.probabilities(images[300:310]), atol=1e-5)


def test_a_transparent_and_a_grey_digit_are_the_same_digit(classifier: Classifier) -> None:
    images, _ = digits(5)
    for image in images:
        opaque = np.dstack([image, np.full(image.shape[:2], 255, np.uint8)])
        variants = [read_image(encoded(made), "digit.png") for made in (image, image[..., 0], opaque)]
        one, grey, alpha = classifier.probabilities(variants)
        assert np.allclose(one, grey, atol=1e-6)
        assert np.allclose(one, alpha, atol=1e-6)


def test_the_top_classes_come_most_probable_first() -> None:
    probabilities = np.array([0.1, 0.5, 0.15, 0.25], np.float32)
    top = top_classes(probabilities, ("a", "b", "c", "d"), 3)
    assert [name for name, _ in top] == ["b", "d", "c"]
    assert [value for _, value in top] == pytest.approx([0.5, 0.25, 0.15])
    assert len(top_classes(probabilities, ("a", "b", "c", "d"), 100)) == 4


def test_the_best_checkpoint_is_the_one_in_use_unless_one_says_otherwise(
    trained_run: Run, classifier: Classifier
) -> None:
    assert classifier.checkpoint == trained_run.checkpoint("best")
    assert load_classifier(trained_run, "last").checkpoint == trained_run.checkpoint("last")


def test_a_run_without_a_checkpoint_cannot_predict_and_says_so(copy: Run) -> None:
    shutil.rmtree(copy.folder / "checkpoints")
    with pytest.raises(UserError) as refused:
        load_classifier(copy)
    assert_one_line(str(refused.value), copy.id, "checkpoint")


def test_a_run_that_never_began_cannot_predict_and_says_so(runs_dir: Path) -> None:
    run = runs.create(digits_experiment(), runs_dir)
    with pytest.raises(UserError) as refused:
        load_classifier(run)
    assert_one_line(str(refused.value), run.id)


@pytest.mark.parametrize("damage", ["empty", "truncated", "garbage", "absent"])
def test_damaged_weights_are_said_in_one_line(copy: Run, damage: str) -> None:
    for point in copy.checkpoints():
        whole = point.weights.read_bytes()
        left = {"empty": b"", "truncated": whole[: len(whole) // 2], "garbage": b"x" * 10_000}
        point.weights.unlink()
        if damage in left:
            point.weights.write_bytes(left[damage])
    with pytest.raises(UserError) as refused:
        load_classifier(copy)
    assert_one_line(str(refused.value), copy.id)


def test_three_squares_of_a_photograph_are_averaged(classifier: Classifier) -> None:
    cat = next(sample for sample in all_samples() if "cat" in sample.classes)

    def said(framing: Framing, place: float = 0.5) -> Probabilities:
        (one,) = classify([(cat.file, cat.read)], [classifier], framing=framing, place=place)
        assert isinstance(one, Prediction)
        return one.probabilities[0]

    apart = [said("crop", place) for place in (0.0, 0.5, 1.0)]
    assert np.abs(apart[0] - apart[2]).max() > 0.01
    assert said("crops") == pytest.approx(np.mean(apart, axis=0), abs=1e-5)
