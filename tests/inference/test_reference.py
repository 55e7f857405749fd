"""The out-of-distribution score and the nearest images: there when a training ends, with no further asking."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_sample_image

import cnnlab.zoo.shipped
from cnnlab import datasets, runs
from cnnlab.datasets import Split
from cnnlab.datasets.images import Pixels, read_image
from cnnlab.evaluation import split_of
from cnnlab.inference import reference
from cnnlab.inference.classifier import Classifier, load_classifier
from cnnlab.inference.pixel_statistics import pixel_statistics
from cnnlab.inference.reference import (
    FALSE_ALARMS,
    REFERENCE_FILE,
    Reference,
    compute,
    drawn,
    feature_function,
    keep,
    kept_reference,
    training_images,
)
from cnnlab.runs.run import Run
from cnnlab.training.closing import keep_reference
from cnnlab.training.reporter import Reporter
from cnnlab.zoo.samples import all_samples, samples_of
from cnnlab.zoo.shipped import SHIPPED_RUNS, shipped
from tests.conftest import digits_experiment, wait_for_end

MOST_BYTES = 500_000
MOST_SHIPPED_BYTES = 45_000_000


@pytest.fixture(scope="module")
def classifier(trained_run: Run) -> Classifier:
    return load_classifier(trained_run)


@pytest.fixture(scope="module")
def kept(trained_run: Run) -> Reference:
    found = kept_reference(trained_run, trained_run.checkpoint("best"))
    assert found is not None, "the training kept none at its end"
    return found


@pytest.fixture(scope="module")
def scores(classifier: Classifier, kept: Reference) -> Callable[[Pixels | list[Pixels]], np.ndarray]:
    function = feature_function(classifier)

    def of(images: Pixels | list[Pixels]) -> np.ndarray:
        inputs = classifier.data.preprocessing.fit_all(images)
        return kept.ood_scores(function(inputs).numpy(), inputs)

    return of


def grey(image: Pixels) -> Pixels:
    return np.repeat(np.asarray(Image.fromarray(image).convert("L"))[..., None], 3, axis=2)


def pieces(photograph: Pixels) -> list[Pixels]:
    return [photograph[y : y + 60, x : x + 60] for y in range(0, 360, 60) for x in range(0, 600, 60)]


@pytest.fixture
def copy(trained_run: Run, tmp_path: Path) -> Run:
    return Run(Path(shutil.copytree(trained_run.folder, tmp_path / trained_run.id)))


def test_a_cat_shown_to_a_network_of_digits_is_outside_in_colour_and_in_grey(
    scores: Callable[[list[Pixels]], np.ndarray],
) -> None:
    cats = [read_image(one.read(), one.file) for one in all_samples() if "cat" in one.classes]
    photographs = [*cats, load_sample_image("china.jpg"), load_sample_image("flower.jpg")]
    assert (scores(photographs) > 1).all()
    assert (scores([grey(one) for one in photographs]) > 1).all()
    assert (scores(pieces(photographs[-1])) > 1).mean() > 0.95


def test_digits_are_seldom_outside_and_noise_always(
    classifier: Classifier, scores: Callable[[Pixels], np.ndarray]
) -> None:
    digits = split_of(classifier.run, "test").batch(slice(None))[0]
    assert (scores(digits) > 1).mean() < 0.06
    random = np.random.default_rng(0)
    assert (scores(random.integers(0, 256, (100, 8, 8, 3), dtype=np.uint8)) > 1).all()
    assert (scores(random.integers(0, 256, (100, 8, 8, 1), dtype=np.uint8).repeat(3, axis=3)) > 1).mean() > 0.9


def test_one_in_a_hundred_validation_images_scores_above_one(
    classifier: Classifier, kept: Reference, scores: Callable[[Pixels], np.ndarray]
) -> None:
    images = split_of(classifier.run, "validation").batch(slice(None))[0]
    assert kept.judged == len(images)
    assert (scores(images) > 1).mean() == pytest.approx(FALSE_ALARMS, abs=1 / len(images))


def test_a_training_image_is_its_own_nearest_and_the_next_are_mostly_of_its_class(
    classifier: Classifier, kept: Reference
) -> None:
    chosen = np.arange(0, len(kept.rows), 40)
    images = training_images(classifier.run, kept.rows[chosen])
    found = feature_function(classifier)(classifier.data.preprocessing.fit_all(images)).numpy()
    places, distances = kept.nearest_images(found, 5)
    assert places[:, 0].tolist() == chosen.tolist()
    assert distances[:, 0].max() < 0.1, "each feature is kept in a byte"
    assert (np.diff(distances, axis=1) >= 0).all()
    alike = kept.labels[places[:, 1:]] == kept.labels[chosen][:, None]
    assert alike.mean() > 0.9


def test_of_a_class_no_more_is_drawn_than_its_share() -> None:
    labels = np.repeat([0, 1, 2], [100, 300, 600])
    split: Split = replace(
        datasets.load("digits").test_split(), labels=labels, indices=np.random.default_rng(1).permutation(1000)
    )
    positions = drawn(split, 50)
    assert len(np.unique(positions)) == 50
    counts = np.bincount(labels[split.indices[positions]])
    assert np.abs(counts - [5, 15, 30]).max() <= 1
    assert len(drawn(split, 5000)) == 1000


def test_what_is_kept_is_read_again_and_counts_for_its_checkpoint_only(copy: Run) -> None:
    best = copy.checkpoint("best")
    found = compute(load_classifier(copy))
    keep(copy, found)
    again = kept_reference(copy, best)
    assert again is not None
    assert np.allclose(again.features, found.features, atol=1e-6)
    assert (again.limit, again.step, again.rows.tolist()) == (found.limit, best.info.step, found.rows.tolist())
    other = replace(best, info=best.info.model_copy(update={"step": best.info.step + 1}))
    assert kept_reference(copy, other) is None, "a better epoch came since"


def test_a_damaged_file_is_as_none(copy: Run) -> None:
    path = copy.folder / REFERENCE_FILE
    whole = path.read_bytes()
    for broken in (whole[: len(whole) // 2], b"", b"not an archive"):
        path.write_bytes(broken)
        assert kept_reference(copy, copy.checkpoint("best")) is None


@pytest.mark.slow
def test_a_training_that_cannot_keep_it_has_completed_all_the_same(runs_dir: Path) -> None:
    run = runs.create(digits_experiment(epochs=1), runs_dir)
    (run.folder / REFERENCE_FILE).mkdir()  # where the file would go
    runs.start(run)
    status = wait_for_end(run)
    assert (status.state, status.message) == ("completed", "")
    assert "Without a reference" in run.log(40)
    assert not list(run.folder.glob(f".{REFERENCE_FILE}*"))


@pytest.mark.parametrize("error", [MemoryError(), OSError(28, "No space left on device"), RuntimeError("a defect")])
def test_whatever_fails_there_does_not_reach_the_training(
    copy: Run, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    (copy.folder / REFERENCE_FILE).unlink()
    monkeypatch.setattr(reference, "prepare", fail)
    keep_reference(copy, Reporter(copy), 0.001)


def test_a_network_too_slow_for_the_time_there_is_leaves_it_to_be_asked_for(
    copy: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    (copy.folder / REFERENCE_FILE).unlink()
    monkeypatch.setattr(reference, "prepare", lambda *_, **__: pytest.fail("it would take an hour"))
    keep_reference(copy, Reporter(copy), seconds_per_image=1.0)


# Shipped


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(path.parent.name for path in SHIPPED_RUNS.glob("*/config.json")))
def test_a_shipped_network_knows_noise_from_its_kind_without_any_data(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CNNLAB_DATA", str(tmp_path))
    classifier = load_classifier(shipped()[name])
    found = kept_reference(classifier.run, classifier.checkpoint)
    assert found is not None
    assert (classifier.run.folder / REFERENCE_FILE).stat().st_size <= MOST_BYTES
    assert found.judged >= 2000
    random = np.random.default_rng(0).integers(0, 256, (50, 64, 64, 3), dtype=np.uint8)
    known = [read_image(sample.read(), sample.file) for sample, _ in samples_of(classifier.data.classes)]
    digits = list(datasets.load("digits").test_images[:50])
    function = feature_function(classifier)

    def alarms(images: Pixels | list[Pixels]) -> float:
        inputs = classifier.data.preprocessing.fit_all(images)
        return float((found.ood_scores(function(inputs).numpy(), inputs) > 1).mean())

    assert alarms(random) == 1
    assert alarms(digits) > 0.8
    assert alarms(known) == 0, "photographs of its own classes"


def test_what_is_shipped_stays_small() -> None:
    assert sum(path.stat().st_size for path in SHIPPED_RUNS.rglob("*") if path.is_file()) <= MOST_SHIPPED_BYTES


def test_a_copy_made_by_an_older_version_gets_the_reference_and_keeps_what_was_done_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CNNLAB_DATA", str(tmp_path))
    run = shipped()["minivggnet-cifar10"]
    run.relabel(name="mine")
    (run.folder / REFERENCE_FILE).unlink()
    run = cnnlab.zoo.shipped.shipped()["minivggnet-cifar10"]
    assert kept_reference(run, run.checkpoint("best")) is not None
    assert run.labels().name == "mine"


# Pixels


def test_pixel_statistics_tell_brightness_colour_and_contrast_by_octave() -> None:
    flat = np.full((1, 16, 16, 3), 100, np.uint8)
    assert pixel_statistics(flat).shape == (1, 3 + 3 * 4)
    assert pixel_statistics(flat)[0].tolist() == [2.5, *[0.0] * 14]
    fine = flat.copy()
    fine[:, ::2, 1::2] = fine[:, 1::2, ::2] = 120
    changed = np.flatnonzero(pixel_statistics(fine)[0] - pixel_statistics(flat)[0] > 1e-6)
    assert changed.tolist() == [0, 3], "brightness, and its finest contrast"
    red = flat.copy()
    red[..., 0] = 200
    assert np.flatnonzero(pixel_statistics(red)[0] != pixel_statistics(flat)[0]).tolist() == [0, 1, 2]
    assert pixel_statistics(np.zeros((2, 7, 5, 3), np.uint8)).shape == (2, 9), "odd sizes too"
