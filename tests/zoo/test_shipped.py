"""The networks that come with cnnlab: whole, as drawn, and as good as they say."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from sklearn.datasets import load_sample_image

import cnnlab.zoo.shipped
from cnnlab import architectures, datasets, runs
from cnnlab.datasets import Split
from cnnlab.evaluation import Predictions, evaluate, kept_evaluation, kept_predictions
from cnnlab.evaluation.store import predict_all
from cnnlab.experiments.presets import fine_tuning, preset
from cnnlab.experiments.recipe import Recipe
from cnnlab.inference.classifier import Classifier, load_classifier
from cnnlab.runs.run import WEIGHTS_FILE, Run
from cnnlab.zoo.shipped import SHIPPED_RUNS, nearest, ship, shipped
from tests.conftest import TRAINED_EPOCHS, Output, assert_refused, last_line
from tests.inference.test_prediction_many import png

NAMES = sorted(path.parent.name for path in SHIPPED_RUNS.glob("*/config.json"))
MOST_BYTES = 40_000_000
FLOORS = {"minivggnet-cifar10": 0.86, "minigooglenet-cifar10": 0.89, "deepergooglenet-tiny-imagenet": 0.58}


@pytest.fixture(params=NAMES)
def network(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("CNNLAB_DATA", str(tmp_path))
    return shipped()[request.param]


def test_there_are_some_and_they_are_small() -> None:
    assert "minivggnet-cifar10" in NAMES
    assert sum(path.stat().st_size for path in SHIPPED_RUNS.rglob("*") if path.is_file()) < MOST_BYTES


@pytest.mark.slow
def test_each_is_the_architecture_to_the_parameter_and_carries_its_record(network: Run) -> None:
    experiment = network.config.experiment
    assert network.network == architectures.build(experiment.architecture, experiment.options)
    classifier = load_classifier(network)
    assert classifier.model.count_params() == network.network.parameters
    assert len(network.history()) == experiment.recipe.epochs
    assert network.status().state == "completed"
    assert network.config.hardware["processor"]
    assert "--seed 0" in (network.folder / "README.md").read_text()


def test_one_command_trains_it_again(network: Run) -> None:
    experiment = network.config.experiment
    recipe = preset(f"{experiment.architecture}-shipped")
    differing = {
        name: value for name, value in recipe.experiment().settings().items() if experiment.settings()[name] != value
    }
    assert not differing.keys() - {"mixed_precision"}, "that one is the machine's choice"
    kept = kept_evaluation(network)
    assert kept is not None
    assert f"{kept.accuracy:.3f}" in recipe.expected


def test_what_it_said_of_each_test_image_adds_up_to_what_it_claims(network: Run) -> None:
    kept = kept_evaluation(network)
    assert kept is not None
    assert kept.images == 10_000
    found = kept_predictions(network, kept)
    assert found.right.mean() == pytest.approx(kept.accuracy)
    assert kept.accuracy >= FLOORS[network.id]
    assert f"{kept.accuracy:.2%} rank-1" in (network.folder / "README.md").read_text()
    mirrored = kept_evaluation(network, tta="mirror")
    assert mirrored is not None
    assert mirrored.step == kept.step


@pytest.mark.slow
def test_it_answers_at_once_without_data_network_or_training(
    network: Run, tmp_path: Path, call: Callable[..., Output]
) -> None:
    path = tmp_path / "photograph.png"
    path.write_bytes(png(np.asarray(load_sample_image("china.jpg"))))
    (answer,) = call("predict", network.id, str(path), "--json", "--runs-dir", str(tmp_path / "none")).json()[
        "predictions"
    ]
    assert len(answer["top"]) == 5


def test_the_projects_own_stay_as_they_are(network: Run) -> None:
    assert SHIPPED_RUNS not in network.folder.parents
    before = {path: path.stat().st_mtime_ns for path in SHIPPED_RUNS.rglob("*")}
    network.relabel(name="mine")
    assert shipped()[network.id].labels().name == "mine", "what one does with a copy stays with it"
    assert {path: path.stat().st_mtime_ns for path in SHIPPED_RUNS.rglob("*")} == before


def test_a_copy_of_an_earlier_version_sees_photographs_as_this_one_does(network: Run) -> None:
    network.relabel(name="mine")
    record = network.folder / "data.json"
    record.write_text(record.read_text().replace('"fitting": "crop"', '"fitting": "squash"'))
    assert network.data.preprocessing.fitting == "squash"
    again = shipped()[network.id]
    assert (again.data.preprocessing.fitting, again.labels().name) == ("crop", "mine")


@pytest.mark.parametrize(
    ("side", "name"),
    [(8, "minigooglenet-cifar10"), (32, "minivggnet-cifar10"), (64, "deepergooglenet-tiny-imagenet")],
)
def test_the_one_to_fine_tune_learned_on_images_of_about_that_size(side: int, name: str) -> None:
    assert nearest(side).id == name


@pytest.mark.parametrize(("images", "batch"), [(3, 3), (14, 8), (200, 10), (50_000, 32)])
def test_fine_tuning_takes_small_steps_and_enough_of_them(images: int, batch: int) -> None:
    recipe = fine_tuning(images)
    assert recipe.batch_size == batch
    assert recipe.learning_rate < Recipe().learning_rate
    assert recipe.epochs == 5


@pytest.mark.slow
def test_another_training_begins_with_its_weights(tmp_path: Path, call: Callable[..., Output]) -> None:
    made = call(
        *("--runs-dir", str(tmp_path), "train", "--architecture", "minivggnet", "--dataset", "digits"),
        *("--set", "input_size=32", "--epochs", "1", "--batch-size", "128"),
        *("--from-run", "minivggnet-cifar10", "--take", "block1_conv*", "--freeze-epochs", "1"),
    )
    assert made.code == 0, made.err
    run = runs.find(last_line(made.out), tmp_path)
    ours, theirs = load_classifier(run).model, load_classifier(shipped()["minivggnet-cifar10"]).model
    for name in ("block1_conv1", "block1_conv2"):
        for mine, its in zip(ours.get_layer(name).get_weights(), theirs.get_layer(name).get_weights(), strict=True):
            np.testing.assert_array_equal(mine, its)
    assert not np.array_equal(ours.get_layer("fc2").get_weights()[0], theirs.get_layer("fc2").get_weights()[0])


@pytest.fixture
def finished(trained_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A finished run to ship from, to a folder other than the project's own."""
    monkeypatch.setattr(cnnlab.zoo.shipped, "SHIPPED_RUNS", tmp_path / "shipped")
    return Run(Path(shutil.copytree(trained_run.folder, tmp_path / trained_run.id)))


def weights_of(folder: Path) -> dict[str, np.ndarray]:
    (file,) = folder.glob(f"checkpoints/*/{WEIGHTS_FILE}")
    found = {}
    with h5py.File(file) as given:
        given.visititems(lambda name, item: found.update({name: item[()]} if isinstance(item, h5py.Dataset) else {}))
    return found


def test_what_is_shipped_is_half_as_large_and_was_measured_as_it_is_stored(finished: Run) -> None:
    made = Run(ship(finished, "mine", "Mine"))
    assert {weights.dtype for weights in weights_of(made.folder).values()} == {np.dtype(np.float16)}
    kept, whole = kept_evaluation(made), evaluate(load_classifier(finished))
    assert kept is not None
    assert abs(kept.accuracy - whole.accuracy) <= 0.001
    again = predict_all(load_classifier(made), datasets.load("digits").test_split())
    assert again.right.mean() == kept.accuracy
    assert (made.id, made.labels().name, len(made.history())) == ("mine", "Mine", TRAINED_EPOCHS)


def test_weights_that_half_precision_would_harm_stay_whole(finished: Run) -> None:
    with h5py.File(finished.checkpoint("best").weights, "r+") as weights:
        last = weights["layers/dense_1/vars/0"]
        last[...] = last[...] * 1e7  # beyond what half precision can hold
    made = Run(ship(finished, "mine", "Mine"))
    assert {weights.dtype for weights in weights_of(made.folder).values()} == {np.dtype(np.float32)}
    kept, whole = kept_evaluation(made), evaluate(load_classifier(finished))
    assert kept is not None
    assert kept.accuracy == whole.accuracy > 0.5


def test_the_test_images_have_no_say_in_how_weights_are_stored(finished: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a harmless half that does worse on them is refused, nor are they asked before the choice is made."""
    asked: list[str] = []
    real = cnnlab.evaluation.store.predict_all

    def predict(classifier: Classifier, split: Split, *given: Any) -> Predictions:
        asked.append(split.name)
        return real(classifier, split, *given)

    monkeypatch.setattr(cnnlab.evaluation.store, "predict_all", predict)
    ship(finished, "mine", "Mine")
    assert asked == ["validation", "validation", "test", "test"]


@pytest.mark.parametrize("name", NAMES)
def test_every_command_takes_one_or_says_in_a_line_why_not(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: Callable[..., Output], no_starts: list[str]
) -> None:
    monkeypatch.setenv("CNNLAB_DATA", str(tmp_path / "data"))
    mine = ("--runs-dir", str(tmp_path / "runs"))
    shown = call("show", name, "--json", *mine).json()
    assert (shown["id"], shown["state"]) == (name, "completed")
    assert "completed" in call("show", name, *mine).out
    assert call("compare-runs", name, NAMES[0], *mine).code == 0
    for command in (
        ("pause", name),
        ("stop", name),
        ("resume", name),
        ("extend", name, "--epochs", "1"),
        ("restart", name),
        ("label", name, "--name", "mine"),
        ("delete", name),
        ("queue", "--move", name, "1"),
    ):
        assert_refused(call(*command, *mine), name, "comes with cnnlab and stays as it is", "duplicate")
    again = call("duplicate", name, "--set", "mixed_precision=false", "--detach", *mine)
    made = runs.find(last_line(again.out), tmp_path / "runs")
    settings = shipped()[name].config.experiment.settings()
    assert made.config.experiment.settings() == {**settings, "mixed_precision": False}
    assert not list((tmp_path / "data" / "shipped").glob("*-2*")), "nothing new stands beside the shipped networks"


REAL = os.environ.get("CNNLAB_DATA")


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_it_is_as_good_on_the_test_images_as_it_says(name: str) -> None:
    network = Run(SHIPPED_RUNS / name)
    source = datasets.SOURCES[network.config.experiment.dataset]
    if not REAL or source.find(Path(REAL)) is None:
        pytest.skip(f"CNNLAB_DATA points at no {source.title}")
    dataset = datasets.load(source.name)
    if dataset.fingerprint != network.data.fingerprint:
        pytest.skip("these are other images than those it was measured on")
    kept = kept_evaluation(network)
    assert kept is not None
    found = predict_all(load_classifier(network), dataset.test_split())
    assert found.right.mean() == pytest.approx(kept.accuracy, abs=0.001)
