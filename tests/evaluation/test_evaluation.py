from __future__ import annotations

import dataclasses
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, precision_recall_fscore_support

from cnnlab import datasets
from cnnlab.datasets import Dataset
from cnnlab.errors import UserError
from cnnlab.evaluation import Evaluation, Key, evaluate, evaluations, kept_evaluation, kept_predictions
from cnnlab.inference.classifier import Classifier, load_classifier
from cnnlab.runs.run import Run
from tests.conftest import assert_one_line


@pytest.fixture(scope="module")
def run(trained_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A copy of the trained run, to leave evaluations in."""
    folder = tmp_path_factory.mktemp("evaluated") / trained_run.id
    return Run(Path(shutil.copytree(trained_run.folder, folder)))


@pytest.fixture(scope="module")
def classifier(run: Run) -> Classifier:
    return load_classifier(run)


@pytest.fixture(scope="module")
def evaluation(classifier: Classifier) -> Evaluation:
    return evaluate(classifier)


def test_a_short_training_recognises_nine_of_ten_test_digits(evaluation: Evaluation) -> None:
    assert evaluation.images == 360
    assert evaluation.accuracy > 0.9
    assert evaluation.accuracy <= evaluation.top5_accuracy <= 1
    assert (evaluation.split, evaluation.dataset, evaluation.classes) == ("test", "Digits", tuple("0123456789"))


def test_the_figures_are_those_of_the_predictions(classifier: Classifier, evaluation: Evaluation) -> None:
    images, labels = datasets.load("digits").test_split().batch(slice(None))
    probabilities = classifier.probabilities(images)
    predicted = probabilities.argmax(axis=1)
    assert evaluation.accuracy == pytest.approx(accuracy_score(labels, predicted))
    best5 = np.argsort(-probabilities, axis=1)[:, :5]
    assert evaluation.top5_accuracy == pytest.approx(
        np.mean([label in row for label, row in zip(labels, best5, strict=True)])
    )
    assert evaluation.loss == pytest.approx(-np.log(probabilities[np.arange(360), labels]).mean(), rel=1e-4)
    precision, recall, f1, support = precision_recall_fscore_support(labels, predicted)
    for label, name in enumerate(evaluation.classes):
        row = evaluation.report[name]
        assert row["precision"] == pytest.approx(precision[label])
        assert row["recall"] == pytest.approx(recall[label])
        assert row["f1-score"] == pytest.approx(f1[label])
        assert row["support"] == support[label]


def test_the_confusion_matrix_counts_true_classes_in_its_rows(classifier: Classifier, evaluation: Evaluation) -> None:
    images, labels = datasets.load("digits").test_split().batch(slice(None))
    pairs = Counter(zip(labels.tolist(), classifier.probabilities(images).argmax(axis=1).tolist(), strict=True))
    assert {
        (true, guess): count
        for true, row in enumerate(evaluation.confusion)
        for guess, count in enumerate(row)
        if count
    } == pairs
    assert [sum(row) for row in evaluation.confusion] == np.bincount(labels).tolist()


def test_an_evaluation_on_validation_repeats_what_the_training_wrote_down(run: Run, classifier: Classifier) -> None:
    """The weights came back from the disk, the split from the seed, the pixels through the same preprocessing."""
    evaluation = evaluate(classifier, "validation")
    best = run.best_epoch()
    assert best is not None
    assert evaluation.images == 144
    assert evaluation.epoch == best["epoch"]
    halves = run.config.experiment.recipe.mixed_precision  # the training judges in it, an evaluation in float32
    assert evaluation.accuracy == pytest.approx(best["validation_accuracy"], abs=1.5 / 144 if halves else 1e-9)
    assert evaluation.loss == pytest.approx(best["validation_loss"], rel=0.03 if halves else 1e-3)


def test_an_evaluation_is_kept_with_the_run(run: Run, evaluation: Evaluation) -> None:
    assert kept_evaluation(Run(run.folder)) == evaluation
    assert kept_evaluation(run, "train") is None


def test_an_evaluation_of_another_checkpoint_is_not_kept_for_this_one(run: Run, evaluation: Evaluation) -> None:
    folder = Key("test", evaluation.step).folder(run)
    path = folder / "evaluation.json"
    other = Key("test", evaluation.step + 1).folder(run)
    folder.rename(other)
    assert kept_evaluation(run) is None
    other.rename(folder)
    whole = path.read_text()
    path.write_text(whole[:100])
    assert kept_evaluation(run) is None
    path.write_text(whole)
    assert kept_evaluation(run) == evaluation
    assert evaluation in evaluations(run)


def test_what_was_said_of_each_image_is_kept_and_a_damaged_file_is_told(run: Run, evaluation: Evaluation) -> None:
    found = kept_predictions(run, evaluation)
    assert found.right.mean() == pytest.approx(evaluation.accuracy)
    assert found.rows.tolist() == list(range(360))
    path = Key("test", evaluation.step).folder(run) / "predictions.npz"
    whole = path.read_bytes()
    holed = whole[:2000] + bytes(1000) + whole[3000:]
    for broken in (b"", whole[: len(whole) // 2], b"no arrays", holed):
        path.write_bytes(broken)
        with pytest.raises(UserError) as told:
            kept_predictions(run, evaluation)
        assert_one_line(str(told.value), run.id, "evaluate it anew")
    path.write_bytes(whole)


def test_a_data_set_that_has_changed_since_is_refused(classifier: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    other = dataclasses.replace(datasets.load("digits"), fingerprint="0" * 16)

    def load(root: Path, progress: datasets.Progress) -> Dataset:
        return other

    monkeypatch.setitem(datasets.SOURCES, "digits", dataclasses.replace(datasets.source("digits"), load=load))
    with pytest.raises(UserError) as refused:
        evaluate(classifier)
    assert_one_line(str(refused.value), "Digits", classifier.run.id)


def test_the_progress_of_an_evaluation_is_told(classifier: Classifier, evaluation: Evaluation) -> None:
    heard: list[float | None] = []
    again = evaluate(classifier, "test", progress=lambda _, fraction: heard.append(fraction))
    assert again.model_copy(update={"seconds": evaluation.seconds}) == evaluation
    assert heard
    assert all(fraction is not None and 0 <= fraction <= 1 for fraction in heard)
