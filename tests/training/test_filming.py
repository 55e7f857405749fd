"""A training is filmed as it is, and is the same whether it is filmed or not."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnnlab import architectures, datasets, runs
from cnnlab.architectures import ARCHITECTURES
from cnnlab.datasets.dataset import Split
from cnnlab.inference.attribution import Explainer
from cnnlab.inference.classifier import load_classifier
from cnnlab.network import Builder
from cnnlab.runs import actions, film, queue
from cnnlab.runs.run import Run
from cnnlab.training import filming
from cnnlab.training.filming import (
    MOST_CHANNELS,
    MOST_IMAGES,
    MOST_LAYERS,
    as_bytes,
    chosen_layers,
    chosen_positions,
    first_convolution,
)
from cnnlab.training.process import train
from cnnlab.training.reporter import Reporter
from tests.conftest import TRAINED_EPOCHS, digits_experiment, process_of, wait_for_end, wait_until
from tests.training.test_resume import assert_same_end

FEW = {"batch_size": 128, "learning_rate": 1e-3}


def trained(folder: Path, **recipe: object) -> Run:
    run = runs.create(digits_experiment(**{"epochs": 2, **FEW, **recipe}), folder)
    train(run, Reporter(run))
    return run


def validation_of(run: Run) -> Split:
    recipe = run.config.experiment.recipe
    return datasets.load("digits").training_splits(recipe.validation_fraction, recipe.seed)[1]


def frames_of(run: Run) -> list[film.Frame]:
    scene = film.read_scene(run)
    assert scene is not None
    return list(film.frames(run, scene))


# What is filmed


def test_the_images_are_drawn_by_the_seed_and_show_as_many_classes_as_they_can() -> None:
    _, validation = datasets.load("digits").training_splits(0.1, 0)
    one, same, other = (chosen_positions(validation, seed) for seed in (1, 1, 2))
    assert list(one) == list(same) != list(other)
    assert len(set(validation.labels[validation.indices[one]])) == MOST_IMAGES
    two_classes = Split("validation", validation.images, validation.labels % 2, validation.indices)
    positions = chosen_positions(two_classes, 0)
    assert len(set(positions)) == MOST_IMAGES
    assert len(set(two_classes.labels[two_classes.indices[positions]])) == 2
    few = Split("validation", validation.images, validation.labels, validation.indices[:3])
    assert sorted(chosen_positions(few, 0)) == [0, 1, 2]


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_of_every_architecture_layers_from_the_first_to_the_last_and_its_first_filters_are_filmed(name: str) -> None:
    network = architectures.build(name, {})
    order = [node.name for node in network.layers]
    found = chosen_layers(network)
    assert len(found) == (2 if name == "lenet5" else MOST_LAYERS), "LeNet-5 has two convolutions that give maps"
    assert [order.index(node.name) for node in found] == sorted(order.index(node.name) for node in found)
    first = first_convolution(network)
    assert first is not None
    assert order.index(first.name) <= order.index(found[0].name)


def test_a_network_without_maps_or_convolutions_is_filmed_too() -> None:
    net = Builder("linear")
    network = net.build(net.dense(net.flatten(net.input((1, 1, 3))), 2, activation="softmax", name="fc"))
    assert chosen_layers(network) == []
    assert first_convolution(network) is None


def test_a_network_of_depthwise_convolutions_is_filmed_after_their_activations() -> None:
    net = Builder("depthwise")
    x = net.conv(net.input((8, 8, 3)), 4, 3, name="linear")
    x = net.depthwise_conv(x, 3, name="depthwise", activation="relu")
    x = net.conv(x, 4, 1, name="pointwise", activation="relu")
    network = net.build(net.dense(net.flatten(x), 2, activation="softmax", name="fc"))
    assert [node.name for node in chosen_layers(network)] == ["depthwise", "pointwise"]


def test_maps_become_bytes_between_the_ends_that_are_kept() -> None:
    answer = np.linspace(0, 4, 2 * 5 * 5 * 9, dtype=np.float32).reshape(2, 5, 5, 9)
    maps, (low, high) = as_bytes(answer)
    assert maps.shape == (2, MOST_CHANNELS, 5, 5)
    assert low + maps / 255 * (high - low) == pytest.approx(np.moveaxis(answer, -1, 1)[:, :MOST_CHANNELS], abs=4 / 255)
    large, ends = as_bytes(np.ones((1, 100, 70, 1), np.float32))
    assert large.shape == (1, 1, 25, 17)
    assert ends == (0, 1)
    assert as_bytes(np.full((1, 2, 2, 1), np.nan, np.float32))[1] == (0, 0)


# What the film says


def test_the_confusion_is_that_of_the_validation_which_the_history_tells_of(trained_run: Run) -> None:
    found, history = frames_of(trained_run), trained_run.history()
    assert [one.epoch for one in found] == list(range(TRAINED_EPOCHS + 1))
    assert found[0].confusion is None, "before the first epoch nothing was judged, and nothing is judged for the film"
    counts = np.bincount(validation_of(trained_run).labels[validation_of(trained_run).indices])
    for one, record in zip(found[1:], history, strict=True):
        assert one.confusion is not None
        assert list(one.confusion.sum(axis=1)) == list(counts)
        assert one.confusion.trace() / one.confusion.sum() == pytest.approx(record["validation_accuracy"], abs=1e-9)


def test_probabilities_maps_and_filters_are_those_of_the_network_at_that_epoch(trained_run: Run) -> None:
    last = frames_of(trained_run)[-1]
    classifier = load_classifier(trained_run, "last")
    explainer, validation = Explainer(classifier), validation_of(trained_run)
    images, labels = validation.batch(chosen_positions(validation, 0))
    scene = film.read_scene(trained_run)
    assert scene is not None
    assert list(scene.labels) == list(labels)
    inputs = classifier.data.preprocessing.fit_all(images)
    near = 0.03 if trained_run.config.experiment.recipe.mixed_precision else 1e-4  # bfloat16 has 8 bits
    assert last.probabilities == pytest.approx(classifier.probabilities(images), abs=near)
    for name, maps, (low, high) in zip(scene.layers, last.maps, last.ranges, strict=True):
        for image, filmed in zip(inputs, maps, strict=True):
            expected = explainer.activations(image, name)[..., : len(filmed)]
            span = float(high - low)
            seen = low + filmed / 255 * span
            assert seen == pytest.approx(np.moveaxis(expected, -1, 0), abs=span * (1 / 255 + near))
    assert np.array_equal(last.filters, np.stack(explainer.first_filters()))


# The training is not touched


@pytest.mark.slow
def test_history_and_weights_are_the_same_bit_for_bit_with_the_film_and_without(runs_dir: Path) -> None:
    """With dropout, batch normalization, averaged weights and augmentation, all of which have a state."""
    everything = {"epochs": 3, "deterministic": True, "weight_averaging": 0.99, "flip": True, "mixup": 0.2}
    with_film, without = (trained(runs_dir, film=on, **everything) for on in (True, False))
    assert len(frames_of(with_film)) == 4
    assert not (without.folder / "film").exists()
    assert_same_end(with_film, without)


@pytest.mark.slow
def test_the_validation_is_not_run_twice(runs_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []
    batch = Split.batch

    def heard(split: Split, positions: Any) -> Any:
        asked.append(split.name == "validation")
        return batch(split, positions)

    monkeypatch.setattr(Split, "batch", heard)
    trained(runs_dir, film=False)
    alone = sum(asked)
    asked.clear()
    trained(runs_dir)
    assert sum(asked) == alone + 1, "the film reads its own images once, and nothing else"


@pytest.mark.slow
def test_a_film_that_cannot_be_written_ends_and_the_training_goes_on(
    runs_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(run: Run, frame: film.Frame) -> None:
        if frame.epoch:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(film, "write_frame", full)
    run = trained(runs_dir)
    assert run.status().state == "completed"
    assert len(run.history()) == 2
    printed = capsys.readouterr().out
    assert printed.count("The film of the training ends here") == 1


@pytest.mark.slow
def test_a_film_that_takes_more_than_its_share_leaves_epochs_out(
    runs_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filming, "SHARE", 0.0)
    monkeypatch.setattr(filming, "LEAST_SECONDS", 0.0)
    run = trained(runs_dir)
    assert [one.epoch for one in frames_of(run)] == [0]
    assert run.status().state == "completed"


# Interrupted, extended, with an image of one's own


@pytest.mark.slow
def test_an_extended_run_goes_on_with_its_film(runs_dir: Path, no_starts: list[str]) -> None:
    run = runs.create(digits_experiment(epochs=2, **FEW), runs_dir)
    film.keep_own_image(run, np.full((16, 16, 3), 200, np.uint8))
    train(run, Reporter(run))
    before = {epoch: path.read_bytes() for epoch, path in film.frame_files(run).items()}
    actions.extend(run, 1)
    film.write_frame(run, dataclasses.replace(frames_of(run)[-1], epoch=7))  # of epochs lost with a killed training
    again = Run(run.folder)
    train(again, Reporter(again))
    files = film.frame_files(again)
    assert list(files) == [0, 1, 2, 3]
    assert {epoch: files[epoch].read_bytes() for epoch in before} == before
    scene = film.read_scene(again)
    assert scene is not None
    assert scene.labels[-1] == film.OWN
    assert len(scene.images) == MOST_IMAGES + 1
    assert {len(one.probabilities) for one in frames_of(again)} == {MOST_IMAGES + 1}


@pytest.mark.slow
def test_a_killed_training_has_a_whole_film_and_resumed_films_on(runs_dir: Path) -> None:
    run = runs.create(digits_experiment(epochs=12, **FEW), runs_dir)
    queue.enqueue(run)
    wait_until(run, lambda: len(film.frame_files(run)) > 3, "filmed three epochs")
    process_of(run).kill()
    wait_until(run, lambda: run.status().state == "interrupted", "been killed")
    assert film.damaged_files(run) == []
    epoch = run.checkpoints()[-1].info.epoch
    assert set(range(int(epoch) + 1)) <= set(film.frame_files(run)), "no checkpoint without its frame"
    actions.resume(run)
    assert wait_for_end(run).state == "completed", run.log()
    found, history = frames_of(run), run.history()
    assert [one.epoch for one in found] == list(range(13))
    for one, record in zip(found[1:], history, strict=True):
        assert one.confusion is not None
        assert one.confusion.trace() / one.confusion.sum() == pytest.approx(record["validation_accuracy"], abs=1e-9)
