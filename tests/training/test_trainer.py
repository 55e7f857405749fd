"""The ingredients of a step: each does what its definition says; several devices do what one does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cnnlab import architectures, datasets, hardware, runs
from cnnlab.datasets.corruption import corrupt
from cnnlab.datasets.preprocessing import Preprocessing
from cnnlab.errors import UserError
from cnnlab.experiments.experiment import Experiment, plan
from cnnlab.experiments.recipe import make_recipe
from cnnlab.network import Builder, Network
from cnnlab.runs.initial import initial_from, transferable
from cnnlab.runs.run import Run
from cnnlab.training.batches import epoch_batches, prepared, smooth_targets
from cnnlab.training.loop import Loop
from cnnlab.training.process import train
from cnnlab.training.reporter import Reporter
from tests.conftest import PROJECT, assert_one_line, digits_experiment

pytestmark = pytest.mark.slow

PLAIN = Preprocessing(image_size=(1, 1), input_size=(1, 1), mean=(0, 0, 0), deviation=(1, 1, 1))
WHITE = np.ones((2, 1, 1, 3), np.uint8)


def linear_network() -> Network:
    net = Builder("linear")
    return net.build(net.dense(net.flatten(net.input((1, 1, 3))), 2, activation="softmax", name="fc"))


def after_steps(count: int, **recipe: object) -> tuple[np.ndarray, np.ndarray, list[float]]:
    """Kernel and bias of a linear network, begun with ones and zeros, after steps towards class 0; gradient norms."""
    from cnnlab.training.trainer import Trainer

    trainer = Trainer(linear_network(), make_recipe(**recipe), PLAIN)
    trainer.model.get_layer("fc").set_weights([np.ones((3, 2), np.float32), np.zeros(2, np.float32)])
    targets = smooth_targets(np.array([0, 0]), 2, float(recipe.get("label_smoothing", 0)))
    norms = [float(trainer.train_batch(WHITE, targets, 0.1).numpy()[2]) for _ in range(count)]
    kernel, bias = trainer.model.get_layer("fc").get_weights()
    return kernel, bias, norms


SGD = {"optimizer": "sgd", "momentum": 0.0, "nesterov": False}


def test_plain_gradient_descent_is_what_the_formula_says() -> None:
    """From even odds the gradient by each logit is (-1/2, 1/2), and every input is 1."""
    kernel, bias, norms = after_steps(1, **SGD)
    assert bias == pytest.approx([0.05, -0.05])
    assert kernel == pytest.approx(np.array([[1.05, 0.95]] * 3))
    assert norms[0] == pytest.approx(np.sqrt(8 * 0.25))


def test_weight_decay_is_added_to_the_gradient_of_kernels_alone_or_of_all() -> None:
    kernel, bias, _ = after_steps(1, **SGD, weight_decay=0.5)
    assert kernel == pytest.approx(np.array([[1.05 - 0.05, 0.95 - 0.05]] * 3))
    assert bias == pytest.approx([0.05, -0.05])
    _, decayed, _ = after_steps(2, **SGD, weight_decay=0.5, decayed="all")
    _, kept, _ = after_steps(2, **SGD, weight_decay=0.5)
    assert abs(decayed[0]) < abs(kept[0])


def test_adamw_shrinks_the_weights_by_the_rate_times_the_decay() -> None:
    """Loshchilov and Hutter, 2019: outside of the gradient, so Adam's step of the rate's size stays."""
    with_decay, *_ = after_steps(1, optimizer="adamw", weight_decay=0.5)
    without, *_ = after_steps(1, optimizer="adamw", weight_decay=0.0)
    assert with_decay == pytest.approx(without - 0.1 * 0.5 * np.ones((3, 2)), abs=1e-6)


def test_a_gradient_longer_than_the_limit_is_cut_to_it() -> None:
    kernel, bias, norms = after_steps(1, **SGD, gradient_clipping=0.1)
    assert norms[0] == pytest.approx(np.sqrt(2))  # told as it was
    assert np.sqrt(((kernel - 1) ** 2).sum() + (bias**2).sum()) == pytest.approx(0.1 * 0.1, rel=1e-4)


def test_smoothed_targets_move_less() -> None:
    """Szegedy et al., 2016: with 0.2 of two classes the target is (0.9, 0.1), so the gradient is 0.4."""
    assert smooth_targets(np.array([0]), 2, 0.2) == pytest.approx(np.array([[0.9, 0.1]]))
    _, bias, _ = after_steps(1, **SGD, label_smoothing=0.2)
    assert bias == pytest.approx([0.04, -0.04])


@pytest.mark.parametrize("momentum", [0.9, 0.5])
def test_batch_normalizations_moving_mean_keeps_the_recipes_share(momentum: float) -> None:
    """Ioffe and Szegedy, 2015: the moving mean begins at 0 and every input is 1."""
    from cnnlab.training.trainer import Trainer

    net = Builder("normalized")
    maps = net.batch_norm(net.input((1, 1, 3)), name="bn")
    network = net.build(net.dense(net.flatten(maps), 2, activation="softmax", name="fc"))
    trainer = Trainer(network, make_recipe(**SGD, batch_normalization_momentum=momentum), PLAIN)
    trainer.train_batch(WHITE, smooth_targets(np.array([0, 0]), 2, 0), 0.1)
    _, _, mean, _ = trainer.model.get_layer("bn").get_weights()
    assert mean == pytest.approx([1 - momentum] * 3)


def test_averaged_weights_judge_and_are_kept_and_the_trained_ones_train_on(tmp_path: Path) -> None:
    from cnnlab.runs.run import CheckpointInfo
    from cnnlab.training.trainer import Trainer

    trainer = Trainer(linear_network(), make_recipe(**SGD, weight_averaging=0.5), PLAIN)
    layer = trainer.model.get_layer("fc")
    begun = layer.get_weights()[1].copy()
    targets = smooth_targets(np.array([0, 0]), 2, 0)
    expected = begun.astype(float)
    for step in (1, 2, 3):
        trainer.train_batch(WHITE, targets, 0.1)
        decay = min(0.5, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * layer.get_weights()[1]
    trained = layer.get_weights()[1].copy()
    with trainer.averaged():
        assert layer.get_weights()[1] == pytest.approx(expected, abs=1e-6)
    assert np.array_equal(layer.get_weights()[1], trained)
    point = trainer.save(tmp_path, CheckpointInfo(step=3, epoch=1, optimizer="sgd"))
    trainer.model.load_weights(point.weights)
    assert layer.get_weights()[1] == pytest.approx(expected, abs=1e-6)
    again = Trainer(linear_network(), make_recipe(**SGD, weight_averaging=0.5), PLAIN)
    assert again.restore(point)
    assert np.array_equal(again.model.get_layer("fc").get_weights()[1], trained)


DISTRIBUTED = """
import numpy as np
from cnnlab.keras.backend import tf
(cpu,) = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from cnnlab import architectures, datasets
from cnnlab.training.batches import epoch_batches
from cnnlab.experiments.recipe import make_recipe
from cnnlab.training.trainer import Trainer
digits = datasets.load("digits")
training, validation = digits.training_splits(0.1, 0)
options = {"input_size": 8, "dropout": 0.0, "classifier_dropout": 0.0}
network = architectures.build("minivggnet", options)
sgd = {"optimizer": "sgd", "learning_rate": 2e-4, "weight_averaging": 0.9, "weight_decay": 1e-3}
recipe = make_recipe(mixed_precision=False, gradient_clipping=1, **sgd)
def losses(strategy):
    trainer = Trainer(network, recipe, digits.preprocessing((8, 8)), strategy=strategy)
    batches = list(epoch_batches(training, 10, digits.preprocessing((8, 8)), recipe, 0))[:8]
    steps = [trainer.train_batch(images, targets, 2e-4).numpy()[0] for images, targets in batches]
    return [*steps, trainer.validate(validation).loss * 64], trainer.replicas
one, replicas = losses(None)
assert replicas == 1, replicas
two, replicas = losses(tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]))
assert replicas == 2, replicas
print(one, two)
assert np.allclose(one, two, rtol=1e-4), (one, two)
"""


def test_two_devices_train_with_the_losses_of_one() -> None:
    """With batch normalization over both, clipping, decay and averaging."""
    done = subprocess.run(
        [sys.executable, "-c", DISTRIBUTED], capture_output=True, text=True, cwd=PROJECT, check=False, timeout=280
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_mixed_precision_is_refused_where_the_hardware_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "has_bfloat16", lambda: False)
    with pytest.raises(UserError) as refused:
        plan("minivggnet", "digits", {}, make_recipe(mixed_precision=True))
    assert_one_line(str(refused.value), "bfloat16", "mixed_precision")
    monkeypatch.setattr(hardware, "has_bfloat16", lambda: True)
    assert plan("minivggnet", "digits", {}, make_recipe(mixed_precision=True)).recipe.mixed_precision


def test_mixed_precision_keeps_weights_and_probabilities_in_float32() -> None:
    from cnnlab.keras.backend import keras, tf
    from cnnlab.training.trainer import Trainer

    try:
        trainer = Trainer(linear_network(), make_recipe(mixed_precision=True), PLAIN)
        assert trainer.model.get_layer("flatten").compute_dtype == "bfloat16"
        assert {str(variable.dtype) for variable in trainer.model.trainable_variables} == {"float32"}
        outputs = trainer.model(tf.zeros((1, 1, 1, 3)))
        assert outputs["fc"].dtype == tf.float32
    finally:
        keras.config.set_dtype_policy("float32")


# Beginning with another run's weights


def trained(runs_dir: Path, experiment: Experiment) -> Run:
    run = runs.create(experiment, runs_dir)
    train(run, Reporter(run))
    return run


def test_vgg_a_gives_d_the_layers_that_the_paper_took_and_more() -> None:
    """Simonyan and Zisserman, section 3.1: the first four convolutions and the three dense layers."""
    a, d = (architectures.build(name, {}) for name in ("vgg_a", "vgg16"))
    taken = set(transferable(a, d))
    assert {"block1_conv1", "block2_conv1", "block3_conv1", "block3_conv2", "fc1", "fc2", "predictions"} <= taken
    assert "block1_conv2" not in taken


def test_taken_layers_begin_as_they_ended_and_stay_so_while_frozen(runs_dir: Path) -> None:
    from cnnlab.inference.classifier import load_classifier

    source = trained(runs_dir, digits_experiment(epochs=2, batch_size=128))
    target = digits_experiment({"classifier_dropout": 0.1}, epochs=2, batch_size=128)
    network = architectures.build(target.architecture, target.options)
    frozen = initial_from(source, network, freeze_epochs=1, take=("block*",))
    assert all(name.startswith("block") for name in frozen.layers)
    run = trained(
        runs_dir, target.model_copy(update={"initial": frozen, "recipe": make_recipe(epochs=1, batch_size=128)})
    )
    before = load_classifier_weights(source, frozen.layers)
    after = load_classifier_weights(run, frozen.layers)
    for name in frozen.layers:
        for mine, theirs in zip(before[name], after[name], strict=True):
            assert np.array_equal(mine, theirs), name
    thawed = target.model_copy(update={"initial": frozen, "recipe": make_recipe(epochs=2, batch_size=128)})
    moved = load_classifier_weights(trained(runs_dir, thawed), frozen.layers, "last")
    assert not np.array_equal(moved[frozen.layers[0]][0], before[frozen.layers[0]][0])
    assert load_classifier(run).data.classes == source.data.classes


def load_classifier_weights(run: Run, layers: tuple[str, ...], which: str = "best") -> dict[str, list[np.ndarray]]:
    from cnnlab.keras.model import keras_model

    model = keras_model(run.network)
    model.load_weights(run.checkpoint(which).weights)  # type: ignore[arg-type]
    return {name: model.get_layer(name).get_weights() for name in layers}


def test_layers_that_nothing_fits_are_refused(trained_run: Run) -> None:
    with pytest.raises(UserError) as refused:
        initial_from(trained_run, architectures.build("googlenet", {}))
    assert_one_line(str(refused.value), trained_run.id, "googlenet")


# The end of a training


def test_early_stopping_ends_a_training_that_gets_no_better(runs_dir: Path) -> None:
    run = trained(runs_dir, digits_experiment(epochs=50, batch_size=128, learning_rate=1e-12, early_stopping=2))
    status = run.status()
    assert status.state == "completed"
    assert_one_line(status.message, "Stopped early", "2 epochs")
    best = run.best_epoch()
    assert best is not None
    assert len(run.history()) - best["epoch"] == 2


def test_a_loss_far_above_guessing_stops_the_run_with_advice(runs_dir: Path) -> None:
    with pytest.raises(UserError) as refused:
        trained(
            runs_dir,
            digits_experiment(
                {"batch_normalization": False}, epochs=50, batch_size=16, optimizer="adam", learning_rate=1.0
            ),
        )
    assert_one_line(str(refused.value), "diverged", "warm-up", "clipping")


def test_checkpoints_asked_for_are_kept_beside_the_best_and_the_last(runs_dir: Path) -> None:
    run = trained(runs_dir, digits_experiment(epochs=7, batch_size=128, checkpoint_every=3))
    epochs = {point.info.epoch for point in run.checkpoints()}
    best = run.best_epoch()
    assert best is not None
    assert epochs == {3, 6, 7, best["epoch"]}
    assert run.checkpoint(3).info.epoch == 3
    with pytest.raises(UserError) as refused:
        run.checkpoint(2)
    assert_one_line(str(refused.value), "epoch 2", "3")


def test_a_change_of_the_rate_is_an_event(runs_dir: Path) -> None:
    run = trained(
        runs_dir,
        digits_experiment(epochs=3, batch_size=128, schedule="steps", learning_rate=0.01, milestones="3:0.001"),
    )
    assert [record["learning_rate"] for record in run.history()] == [0.01, 0.01, 0.001]
    (change,) = [event["message"] for event in run.events() if event["event"] == "learning rate"]
    assert_one_line(change, "0.01 to 0.001", "epoch 3")


# Image sizes by epoch


def test_a_network_learns_from_small_images_first_and_is_judged_at_its_own_size(runs_dir: Path) -> None:
    options = {"width": 0.25, "input_size": 16}
    recipe = make_recipe(epochs=3, batch_size=64, image_sizes="1:8,3:16", learning_rate=0.003)
    experiment = plan("minigooglenet", "digits", options, recipe)
    run = trained(runs_dir, experiment)
    assert run.data.preprocessing.input_size == (16, 16)
    best = run.best_epoch()
    assert best
    assert best["validation_accuracy"] > 0.5
    digits = datasets.load("digits")
    training, _ = digits.training_splits(recipe.validation_fraction, recipe.seed)
    sides = [
        next(epoch_batches(training, 10, run.data.preprocessing, recipe, epoch))[0].shape[1:3] for epoch in range(3)
    ]
    assert sides == [(8, 8), (8, 8), (16, 16)]
    loop = Loop(run, Reporter(run), run.data, training, training)
    assert loop.steps_left() == loop.steps_per_epoch * (1 + 1 + 4), "twice the side is four times the pixels"


def test_a_network_that_flattens_its_maps_takes_one_size(runs_dir: Path) -> None:
    with pytest.raises(UserError) as refused:
        plan("minivggnet", "digits", {}, make_recipe(image_sizes="1:16"))
    assert_one_line(str(refused.value), "flattens", "MiniGoogLeNet")
    with pytest.raises(UserError) as refused:
        plan("minigooglenet", "cifar10", {"input_size": 28}, make_recipe(image_sizes="1:32"))
    assert_one_line(str(refused.value), "32 pixels", "28")


# Crops and corrupted data


def test_a_cropped_input_is_a_window_in_training_and_the_middle_in_use() -> None:
    images = np.random.default_rng(0).integers(0, 256, (8, 32, 32, 3), dtype=np.uint8)
    preprocessing = Preprocessing(
        image_size=(32, 32), input_size=(28, 28), mean=(0, 0, 0), deviation=(1, 1, 1), crop=True
    )
    assert np.array_equal(preprocessing.fit(images[0]), images[0, 2:30, 2:30])
    assert np.array_equal(preprocessing.fit_all(images), images[:, 2:30, 2:30])
    recipe = make_recipe(crop=True)
    seen, _ = prepared(images, np.zeros(8, np.int64), 2, preprocessing, recipe, np.random.default_rng(1))
    for one, image in zip(seen, images, strict=True):
        assert any(
            np.array_equal(one, image[top : top + 28, left : left + 28]) for top in range(5) for left in range(5)
        )
    with pytest.raises(UserError) as refused:
        plan("minivggnet", "cifar10", {}, make_recipe(crop=True))
    assert_one_line(str(refused.value), "crop", "32×32")


def test_random_labels_are_drawn_once_and_only_for_training() -> None:
    digits = datasets.load("digits")
    training, validation = digits.training_splits(0.1, 0)
    half = corrupt(training, digits, "original", 3, 0.5)
    same = corrupt(training, digits, "original", 3, 0.5)
    assert np.array_equal(half.labels, same.labels)
    wrong = (half.labels[half.indices] != training.labels[training.indices]).mean()
    assert wrong == pytest.approx(0.45, abs=0.04)  # a tenth of those drawn are right by chance
    assert np.array_equal(corrupt(validation, digits, "original", 3).labels, validation.labels)


def test_shuffled_pixels_are_one_permutation_and_random_ones_one_an_image() -> None:
    digits = datasets.load("digits")
    training, _ = digits.training_splits(0.1, 0)
    rows = np.arange(20)
    images = training.batch(rows)[0].reshape(20, 64, 3)
    shuffled = corrupt(training, digits, "shuffled", 1).batch(rows)[0].reshape(20, 64, 3)
    order = np.random.default_rng((1, 102)).permutation(64)
    assert np.array_equal(shuffled, images[:, order])
    scattered = corrupt(training, digits, "random", 1)
    apart = scattered.batch(rows)[0].reshape(20, 64, 3)
    assert np.array_equal(np.sort(apart[..., 0]), np.sort(images[..., 0]))
    assert np.array_equal(scattered.batch(rows[5:7])[0].reshape(2, 64, 3), apart[5:7])
    noise = corrupt(training, digits, "gaussian", 1).batch(np.arange(500))[0].astype(float)
    assert noise.mean() == pytest.approx(np.mean(digits.mean), abs=15)  # clipped to 0..255


def test_the_network_fits_random_labels_and_guesses_on_the_validation(runs_dir: Path) -> None:
    """Zhang et al., 2017, in small: 100% noise is learned by heart, and teaches nothing."""
    from cnnlab.runs.generalization import CONDITIONS, condition_of

    experiment = digits_experiment(
        {"dropout": 0.0, "classifier_dropout": 0.0},
        epochs=25,
        batch_size=32,
        optimizer="adam",
        label_noise=1.0,
        schedule="linear",
    )
    run = trained(runs_dir, experiment)
    assert run.history()[-1]["accuracy"] > 0.6
    assert run.history()[-1]["validation_accuracy"] < 0.25
    assert condition_of(experiment) == "random labels"
    assert len({condition.title for condition in CONDITIONS}) == len(CONDITIONS)
