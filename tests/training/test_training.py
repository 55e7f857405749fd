"""Trainings in processes of their own, and the compiled step inside them."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnnlab import datasets, hardware, runs
from cnnlab.datasets import Dataset
from cnnlab.datasets.images import Pixels
from cnnlab.datasets.preprocessing import Preprocessing
from cnnlab.errors import UserError
from cnnlab.experiments.recipe import Recipe, make_recipe
from cnnlab.network import Builder, Network
from cnnlab.runs.run import CheckpointInfo, Run
from cnnlab.storage.process import HEARTBEAT_FILE, is_alive
from cnnlab.training.batches import smooth_targets
from cnnlab.training.process import train
from cnnlab.training.reporter import Reporter, Step
from tests.conftest import (
    PROJECT,
    TRAINED_EPOCHS,
    assert_one_line,
    digits_experiment,
    process_of,
    wait_for_end,
    wait_until,
    without_network,
)

pytestmark = pytest.mark.slow

DIGITS_TRAINED_ON, DIGITS_HELD_OUT = 1293, 144


def steps_of_an_epoch(run: Run) -> int:
    return DIGITS_TRAINED_ON // run.config.experiment.recipe.batch_size


def long_run(runs_dir: Path, **recipe: object) -> Run:
    """A training that would take all day, started."""
    run = runs.create(digits_experiment(**{"epochs": 10_000, "batch_size": 16, **recipe}), runs_dir)
    runs.start(run)
    return run


def assert_usable(run: Run) -> None:
    """The run classifies images, with its best checkpoint and with its last."""
    from cnnlab.inference.classifier import load_classifier

    images = datasets.load("digits").test_images[:20]
    for which in ("best", "last"):
        probabilities = load_classifier(Run(run.folder), which).probabilities(images)
        assert probabilities.shape == (20, 10)
        assert np.isfinite(probabilities).all()


# A run from its start to its end


def test_a_training_completes(trained_run: Run) -> None:
    status = trained_run.status()
    assert (status.state, status.message, status.seconds_left) == ("completed", "", None)
    assert status.step == status.steps == TRAINED_EPOCHS * steps_of_an_epoch(trained_run)
    assert (status.training_images, status.validation_images) == (DIGITS_TRAINED_ON, DIGITS_HELD_OUT)
    assert status.ended is not None
    assert status.ended > status.started
    wait_until(trained_run, lambda: not is_alive(trained_run.folder), "left")


def test_the_history_has_a_record_for_each_epoch(trained_run: Run) -> None:
    history = trained_run.history()
    assert [record["epoch"] for record in history] == list(range(1, TRAINED_EPOCHS + 1))
    for record in history:
        assert record["step"] == record["epoch"] * steps_of_an_epoch(trained_run)
        assert 0 <= record["accuracy"] <= 1
        assert 0 <= record["validation_accuracy"] <= 1
        assert record["validation_accuracy"] * DIGITS_HELD_OUT == pytest.approx(
            round(record["validation_accuracy"] * DIGITS_HELD_OUT)
        )
        assert record["loss"] > 0
        assert record["validation_loss"] > 0
        assert record["learning_rate"] == pytest.approx(1e-3)
        assert record["seconds"] > 0
        assert record["images_per_second"] > 0
    assert history[-1]["loss"] < history[0]["loss"]


def test_the_best_epoch_is_the_one_of_the_history_and_its_checkpoint_is_kept(trained_run: Run) -> None:
    best = trained_run.best_epoch()
    assert best is not None
    assert best["validation_accuracy"] == max(record["validation_accuracy"] for record in trained_run.history())
    info = trained_run.checkpoint("best").info
    assert (info.epoch, info.step) == (best["epoch"], best["step"])
    assert info.validation_accuracy == best["validation_accuracy"]
    assert info.validation_loss == best["validation_loss"]
    assert trained_run.checkpoint("last").info.epoch == TRAINED_EPOCHS
    assert len(trained_run.checkpoints()) <= 2


def test_the_steps_tell_of_the_training_within_the_epochs(trained_run: Run) -> None:
    steps = trained_run.steps()
    assert steps
    assert all(0 < record["step"] <= TRAINED_EPOCHS * steps_of_an_epoch(trained_run) for record in steps)
    assert all(record["epoch"] == pytest.approx(record["step"] / steps_of_an_epoch(trained_run)) for record in steps)
    assert all(0 <= record["accuracy"] <= 1 and record["loss"] > 0 for record in steps)


def test_the_log_reads_like_a_report(trained_run: Run) -> None:
    log = trained_run.log(100)
    assert "1,293 images to train on, 144 to validate" in log
    assert f"Epoch {TRAINED_EPOCHS}/{TRAINED_EPOCHS}: loss" in log
    assert "Completed." in log
    assert "Traceback" not in log


def test_the_run_records_what_it_learned_from(trained_run: Run) -> None:
    digits = datasets.load("digits")
    assert trained_run.data.fingerprint == digits.fingerprint
    assert trained_run.data.classes == digits.classes
    assert trained_run.data.preprocessing == digits.preprocessing((32, 32))


# Processes


LAUNCHER = """
import sys, time
from pathlib import Path
from cnnlab import runs
from cnnlab.runs.config import Experiment
run = runs.create(Experiment.model_validate_json(sys.argv[1]), Path(sys.argv[2]))
runs.start(run)
print(run.id, flush=True)
time.sleep(600)
"""


def test_a_training_survives_its_launcher_and_the_same_seed_trains_the_same(trained_run: Run, runs_dir: Path) -> None:
    """The launcher and all its process group are killed while the training starts; it goes on and completes."""
    experiment = trained_run.config.experiment
    shorter = experiment.model_copy(update={"recipe": experiment.recipe.model_copy(update={"epochs": 1})})
    launcher = subprocess.Popen(
        [sys.executable, "-c", LAUNCHER, shorter.model_dump_json(), str(runs_dir)],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert launcher.stdout is not None
    run = runs.find(launcher.stdout.readline().strip(), runs_dir)
    assert os.getsid(process_of(run).pid) != os.getsid(launcher.pid)
    os.killpg(launcher.pid, signal.SIGKILL)
    launcher.communicate()
    assert is_alive(run.folder)
    assert wait_for_end(run).state == "completed", run.log()
    for mine, other in zip(run.history(), trained_run.history()[:1], strict=True):
        for figure in ("loss", "accuracy", "validation_loss", "validation_accuracy"):
            assert mine[figure] == pytest.approx(other[figure], abs=1e-3), figure


def test_a_training_at_work_beats_and_a_stop_ends_it_with_a_checkpoint_in_the_middle_of_an_epoch(
    runs_dir: Path,
) -> None:
    run = long_run(runs_dir, batch_size=2)  # an epoch lasts much longer than a status does
    wait_until(run, lambda: run.history() and run.status().step % steps_of_an_epoch(run) > 5, "gone past an epoch")
    wait_until(run, lambda: run.status().seconds_left is not None, "trained long enough to say how long it takes")
    status = run.status()
    assert status.state == "running"
    assert status.images_per_second is not None
    beat = (run.folder / HEARTBEAT_FILE).stat().st_mtime
    wait_until(run, lambda: (run.folder / HEARTBEAT_FILE).stat().st_mtime > beat, "beaten again")
    run.send_request("stop")
    status = wait_for_end(run)
    assert status.state == "stopped"
    assert_one_line(status.message, "checkpoint")
    assert run.checkpoint("last").info.step == status.step
    assert run.checkpoint("last").info.epoch == pytest.approx(status.step / steps_of_an_epoch(run))
    assert run.checkpoint("best").info.validation_accuracy is not None
    assert_usable(run)


def test_sigterm_ends_a_training_like_a_stop(runs_dir: Path) -> None:
    run = long_run(runs_dir)
    wait_until(run, lambda: run.status().step > 0, "taken a step")
    process_of(run).terminate()
    status = wait_for_end(run)
    assert status.state == "stopped", run.log()
    assert run.checkpoint("last").info.step == status.step > 0
    assert_usable(run)


def test_a_killed_training_is_interrupted_with_its_history_and_last_checkpoint_intact(runs_dir: Path) -> None:
    run = long_run(runs_dir)
    wait_until(run, lambda: len(run.history()) >= 2, "trained two epochs")
    process_of(run).kill()
    status = wait_for_end(run)
    assert status.state == "interrupted"
    assert_one_line(status.message, "resumed from its last checkpoint")
    history = run.history()
    assert [record["epoch"] for record in history] == list(range(1, len(history) + 1))
    assert run.checkpoint("last").info.epoch in (len(history), len(history) + 1)
    assert runs.summary(run)["state"] == "interrupted"
    assert_usable(run)


def test_a_missing_data_set_and_no_network_fail_the_run_with_a_sentence(
    runs_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data_root = tmp_path / "data"
    data_root.mkdir()
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in without_network(data_root).items():
        monkeypatch.setenv(name, value)
    from cnnlab.experiments.experiment import plan

    run = runs.create(plan("minivggnet", "cifar10", {}, make_recipe(epochs=1)), runs_dir)
    runs.start(run)
    status = wait_for_end(run)
    assert status.state == "failed"
    assert_one_line(status.message, "CIFAR-10", str(data_root), "train/<class>/*")
    assert status.ended is not None
    assert "Traceback" not in run.log(200)


# In this process: what the training does, without waiting for TensorFlow each time


def trained_here(runs_dir: Path, options: dict[str, object] | None = None, **recipe: object) -> Run:
    run = runs.create(digits_experiment(options, **{"epochs": 1, "batch_size": 128, **recipe}), runs_dir)
    train(run, Reporter(run))
    return run


def figures(run: Run) -> list[float]:
    keys = ("loss", "accuracy", "validation_loss", "validation_accuracy")
    return [record[key] for record in run.history() for key in keys]


def test_the_seed_decides_the_training(runs_dir: Path) -> None:
    one, same, other = (trained_here(runs_dir, seed=seed) for seed in (1, 1, 2))
    assert figures(one) == pytest.approx(figures(same), abs=1e-3)
    assert figures(one) != pytest.approx(figures(other), abs=1e-3)


class Untouchable:
    """An array that nobody may look into."""

    def __init__(self, array: np.ndarray) -> None:
        self.shape, self.dtype = array.shape, array.dtype

    def __len__(self) -> int:
        return int(self.shape[0])

    def _touched(self, *_: object, **__: object) -> Any:
        raise AssertionError("the training looked at the test part")

    __getitem__ = __array__ = __iter__ = _touched


def test_a_training_never_looks_at_the_test_part(runs_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    digits = datasets.load("digits")
    guarded = dataclasses.replace(
        digits, test_images=Untouchable(digits.test_images), test_labels=Untouchable(digits.test_labels)
    )
    with pytest.raises(AssertionError, match="looked at"):
        guarded.test_split().batch(slice(3))
    open_run = trained_here(runs_dir)

    def load(root: Path, progress: datasets.Progress) -> Dataset:
        return guarded

    monkeypatch.setitem(datasets.SOURCES, "digits", dataclasses.replace(datasets.source("digits"), load=load))
    assert figures(trained_here(runs_dir)) == pytest.approx(figures(open_run), abs=1e-3)


needs_bfloat16 = pytest.mark.skipif(not hardware.has_bfloat16(), reason="this processor has no bfloat16")


def test_the_recorded_validation_is_that_of_the_images_held_out(runs_dir: Path) -> None:
    from cnnlab.evaluation import evaluate
    from cnnlab.inference.classifier import load_classifier

    run = trained_here(runs_dir, seed=3, validation_fraction=0.2)
    evaluation = evaluate(load_classifier(run, "last"), "validation")
    near = 1.5 / 288  # the training may judge in half precision, an evaluation does in float32
    assert evaluation.accuracy == pytest.approx(run.history()[-1]["validation_accuracy"], abs=near)
    assert evaluation.images == 288


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_a_small_network_learns_the_digits(runs_dir: Path, optimizer: str) -> None:
    run = trained_here(
        runs_dir, epochs=4, batch_size=32, optimizer=optimizer, learning_rate=0.003 if optimizer == "adam" else 0.02
    )
    best = run.best_epoch()
    assert best is not None
    assert best["validation_accuracy"] > 0.85


def test_a_loss_that_is_no_number_fails_with_the_advice_of_a_smaller_learning_rate(runs_dir: Path) -> None:
    with pytest.raises(UserError) as refused:
        trained_here(runs_dir, {"batch_normalization": False}, optimizer="sgd", learning_rate=100)
    assert_one_line(str(refused.value), "diverged", "loss became", "learning rate", "100")


@pytest.mark.parametrize("halves", [pytest.param(True, marks=needs_bfloat16), False])
def test_a_network_that_diverged_in_the_last_step_does_not_count_as_completed(runs_dir: Path, halves: bool) -> None:
    """The losses of all three steps are numbers still; that of the validation after them is none, or immense."""
    recipe = {"batch_size": 431, "optimizer": "sgd", "learning_rate": 100, "schedule": "constant"}
    recipe["mixed_precision"] = halves
    with pytest.raises(UserError) as refused:
        trained_here(runs_dir, {"batch_normalization": False}, **recipe)
    assert_one_line(str(refused.value), "diverged", "learning rate")


def test_a_stop_before_the_first_step_promises_no_checkpoint(runs_dir: Path) -> None:
    run = runs.create(digits_experiment(epochs=1), runs_dir)
    run.send_request("stop")
    train(run, Reporter(run))
    status = run.status()
    assert status.state == "stopped"
    assert run.checkpoints() == []
    assert "with a checkpoint" not in status.message


def test_the_speed_of_a_single_step_is_believable(runs_dir: Path) -> None:
    """All images in one step; no processor trains a million of them a second."""
    run = trained_here(runs_dir, batch_size=DIGITS_TRAINED_ON)
    assert (run.history()[0]["images_per_second"] or 0) < 1e6


def test_the_history_is_json_to_everyone(trained_run: Run) -> None:
    for line in (trained_run.folder / "history.jsonl").read_text().splitlines():
        json.loads(line, parse_constant=pytest.fail)


# The compiled step


def tiny_network(*, separate_softmax: bool, classes: int = 2) -> Network:
    net = Builder("tiny")
    x = net.flatten(net.input((1, 1, 3)))
    if separate_softmax:
        return net.build(net.activation(net.dense(x, classes, name="fc"), "softmax", name="predictions"))
    return net.build(net.dense(x, classes, activation="softmax", name="fc"))


def tiny_trainer(recipe: Recipe, *, separate_softmax: bool, bias: list[float]) -> Any:
    from cnnlab.training.trainer import Trainer

    preprocessing = Preprocessing(image_size=(1, 1), input_size=(1, 1), mean=(0, 0, 0), deviation=(1, 1, 1))
    trainer = Trainer(tiny_network(separate_softmax=separate_softmax, classes=len(bias)), recipe, preprocessing)
    trainer.model.get_layer("fc").set_weights([np.zeros((3, len(bias)), np.float32), np.array(bias, np.float32)])
    return trainer


BLACK = np.zeros((2, 1, 1, 3), np.uint8)


def targets(labels: list[int], classes: int = 2) -> np.ndarray:
    return smooth_targets(np.array(labels), classes, 0.0)


def of_split(images: Pixels, labels: list[int]) -> datasets.Split:
    return datasets.Split("validation", images, np.array(labels), np.arange(len(labels)))


@pytest.mark.parametrize("separate_softmax", [False, True])
def test_the_loss_is_exact_however_sure_and_wrong_the_network_is(separate_softmax: bool) -> None:
    """Of logits 1000 and 0 the wrong one costs 1000 nats; clipped probabilities would say 16."""
    recipe = make_recipe(optimizer="sgd")
    trainer = tiny_trainer(recipe, separate_softmax=separate_softmax, bias=[1000.0, 0.0])
    judged = trainer.validate(of_split(BLACK, [1, 0]))
    assert (judged.loss, judged.accuracy) == (pytest.approx(500, rel=1e-5), 0.5)
    loss, right, _ = trainer.train_batch(BLACK, targets([1, 1]), 0.01).numpy()
    assert loss == pytest.approx(2 * 1000, rel=1e-5)
    assert right == 0


@pytest.mark.parametrize("separate_softmax", [False, True])
def test_the_gradient_reaches_a_network_that_is_sure_and_wrong(separate_softmax: bool) -> None:
    """The gradient of the loss by the logits is p - y: (1, -1); Nesterov's first step is 1.9 times as long."""
    trainer = tiny_trainer(make_recipe(optimizer="sgd"), separate_softmax=separate_softmax, bias=[1000.0, 0.0])
    trainer.train_batch(BLACK, targets([1, 1]), 0.1)
    bias = trainer.model.get_layer("fc").get_weights()[1]
    assert bias == pytest.approx([1000 - 0.19, 0.19], abs=1e-3)


def test_the_loss_of_an_undecided_network_is_the_logarithm_of_its_classes() -> None:
    trainer = tiny_trainer(make_recipe(), separate_softmax=True, bias=[0.0] * 10)
    assert trainer.validate(of_split(BLACK, [3, 7])).loss == pytest.approx(np.log(10), rel=1e-5)


def test_an_auxiliary_head_learns_with_its_weight_and_the_loss_told_is_the_main_heads() -> None:
    """GoogLeNet's loss: main + 0.3 auxiliary. From even odds the gradient by a bias is (-1/2, 1/2) for label 0."""
    from cnnlab.training.trainer import Trainer

    net = Builder("two_heads")
    x = net.flatten(net.input((1, 1, 3)))
    main = net.dense(x, 2, activation="softmax", name="main")
    network = net.build(main, net.dense(x, 2, activation="softmax", name="auxiliary"))
    preprocessing = Preprocessing(image_size=(1, 1), input_size=(1, 1), mean=(0, 0, 0), deviation=(1, 1, 1))
    trainer = Trainer(network, make_recipe(optimizer="sgd"), preprocessing)
    loss, *_ = trainer.train_batch(BLACK, targets([0, 0]), 0.1).numpy()
    assert loss == pytest.approx(2 * np.log(2), rel=1e-5)
    nesterov = 1.9  # the first step with a momentum of 0.9
    moved = {name: trainer.model.get_layer(name).get_weights()[1][0] for name in ("main", "auxiliary")}
    assert moved["main"] == pytest.approx(0.1 * nesterov * 0.5, rel=1e-4)
    assert moved["auxiliary"] == pytest.approx(0.3 * moved["main"], rel=1e-4)


def test_a_checkpoint_appears_only_whole_and_replaces_one_of_the_same_step(tmp_path: Path) -> None:
    trainer = tiny_trainer(make_recipe(), separate_softmax=True, bias=[1.0, 2.0])
    for epoch in (1.0, 2.0):
        point = trainer.save(tmp_path, CheckpointInfo(step=5, epoch=epoch))
    assert [path.name for path in tmp_path.iterdir()] == ["step-00000005"]
    assert sorted(path.name for path in point.folder.iterdir()) == [
        "checkpoint.json",
        "model.weights.h5",
        "state.npz",
    ]
    other = tiny_trainer(make_recipe(), separate_softmax=True, bias=[0.0, 0.0])
    other.model.load_weights(point.weights)
    assert other.model.get_layer("fc").get_weights()[1] == pytest.approx([1, 2])


# The reporter


def test_a_status_is_written_at_once_when_the_state_changes(runs_dir: Path) -> None:
    run = runs.create(digits_experiment(), runs_dir)
    reporter = Reporter(run)
    for state in ("preparing", "running", "failed"):
        reporter.write_status(state, f"It is {state}.")  # type: ignore[arg-type]
        assert json.loads((run.folder / "status.json").read_text())["state"] == state


def test_the_time_left_counts_images_and_validations(runs_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    reporter = Reporter(runs.create(digits_experiment(), runs_dir))
    reporter.write_status("running", epochs=2, steps_per_epoch=10)
    reporter.begin_epoch()
    clock[0] += 20.0  # the first step compiles
    said = []
    for step in range(1, 6):
        reporter.report_steps(step, [Step(1.0, 0, 64, 1.0)], 0.1, steps_left=20 - step, beside_seconds=3.0)
        said.append((reporter.status.images_per_second, reporter.status.seconds_left))
        clock[0] += 2.0
    assert said[:3] == [(None, None), (32, None), (32, None)], "nothing until there is something to say it by"
    assert said[3:] == [(32, 16 * 2.0 + 2 * 3.0), (32, 15 * 2.0 + 2 * 3.0)]
