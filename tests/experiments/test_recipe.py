from __future__ import annotations

import math
import shlex

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnlab import architectures, cli
from cnnlab.cli.training import experiment_of
from cnnlab.datasets.corruption import PIXELS
from cnnlab.errors import UserError
from cnnlab.experiments.experiment import Experiment, plan
from cnnlab.experiments.recipe import OPTIMIZERS, Recipe, make_recipe
from tests.conftest import assert_one_line


@pytest.mark.parametrize(
    ("given_", "parts"),
    [
        ({"epochs": 0}, ["epochs", "0", "greater than or equal to 1"]),
        ({"epochs": -3}, ["epochs", "-3"]),
        ({"epochs": 2.5}, ["epochs", "2.5", "integer"]),
        ({"epochs": "many"}, ["epochs", "many", "integer"]),
        ({"epochs": 10**9}, ["epochs", "10000"]),
        ({"batch_size": 0}, ["batch size", "0", "greater than or equal to 1"]),
        ({"batch_size": 10**6}, ["batch size", "65536"]),
        ({"learning_rate": 0}, ["learning rate", "0", "greater than 0"]),
        ({"learning_rate": -1}, ["learning rate", "-1", "greater than 0"]),
        ({"learning_rate": 1e9}, ["learning rate", "1000000000", "less than or equal to 100"]),
        ({"learning_rate": math.nan}, ["learning rate", "nan"]),
        ({"learning_rate": "inf"}, ["learning rate", "inf"]),
        ({"learning_rate": "fast"}, ["learning rate", "fast", "number"]),
        ({"optimizer": "lion"}, ["optimizer", "lion", "adam", "sgd"]),
        ({"schedule": "zigzag"}, ["schedule", "zigzag", "linear", "constant"]),
        ({"validation_fraction": 0}, ["validation fraction", "0.01"]),
        ({"validation_fraction": 0.9}, ["validation fraction", "0.5"]),
        ({"seed": -1}, ["seed", "-1"]),
        ({"seed": 2**31}, ["seed", "2147483648"]),
        ({"momentum": 1}, ["momentum", "less than 1"]),
        ({"momentun": 0.9}, ["'momentun'", "momentum"]),
        ({"mixup": -1}, ["mixup", "-1"]),
        ({"schedule": "steps"}, ["milestones", "26:0.001"]),
        ({"milestones": "3:0.1"}, ["Milestones", "linear"]),
        ({"schedule": "steps", "milestones": "5:0.1,3:0.01"}, ["rise"]),
        ({"schedule": "steps", "milestones": "50:0.1"}, ["epoch 50", "10 epochs"]),
        ({"schedule": "steps", "milestones": "5=0.1"}, ["EPOCH:RATE"]),
        ({"lowest_learning_rate": 1}, ["lowest", "1", "0.001"]),
        ({"warmup_epochs": 10}, ["warm-up", "10"]),
    ],
)
def test_a_setting_that_is_not_accepted_is_refused_in_one_line(given_: dict[str, object], parts: list[str]) -> None:
    with pytest.raises(UserError) as refused:
        make_recipe(**given_)
    assert_one_line(str(refused.value), *parts)


def test_texts_are_read_as_the_command_line_gives_them() -> None:
    assert make_recipe(epochs="3", learning_rate="1e-4") == Recipe(epochs=3, learning_rate=1e-4)  # type: ignore[call-arg]


def test_a_recipe_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        make_recipe().epochs = 3  # type: ignore[misc]


def test_the_linear_schedule_falls_from_the_initial_rate_towards_zero() -> None:
    recipe = make_recipe(learning_rate=0.1)
    rates = [recipe.learning_rate_at(recipe.epochs * step / 100) for step in range(100)]
    assert rates[0] == 0.1
    assert rates[50] == pytest.approx(0.05)
    assert rates == sorted(rates, reverse=True)
    assert 0 < rates[-1] <= 0.1 / 99


def test_the_constant_schedule_stays() -> None:
    recipe = make_recipe(learning_rate=0.1, schedule="constant")
    assert {recipe.learning_rate_at(epoch / 10) for epoch in range(100)} == {0.1}


def test_an_epoch_has_full_batches_only() -> None:
    assert make_recipe(batch_size=64).steps_per_epoch(1293) == 20
    assert make_recipe(batch_size=1293).steps_per_epoch(1293) == 1


def test_a_batch_larger_than_the_data_is_refused_with_the_largest_that_fits() -> None:
    with pytest.raises(UserError) as refused:
        plan("minivggnet", "digits", {}, make_recipe(batch_size=2000))
    assert_one_line(str(refused.value), "2,000", "1,293")


@pytest.mark.parametrize("fraction", [0.01, 0.05, 0.1, 0.2, 0.33, 0.5])
def test_the_plan_knows_exactly_how_many_images_there_are_to_train_on(fraction: float) -> None:
    from cnnlab import datasets

    training, _ = datasets.load("digits").training_splits(fraction, 0)
    plan("minivggnet", "digits", {}, make_recipe(batch_size=len(training), validation_fraction=fraction))
    with pytest.raises(UserError):
        plan("minivggnet", "digits", {}, make_recipe(batch_size=len(training) + 1, validation_fraction=fraction))


@pytest.mark.parametrize(
    ("architecture", "dataset", "options", "parts"),
    [
        ("lenet", "digits", {}, ["'lenet'", "minivggnet"]),
        ("minivggnet", "svhn", {}, ["'svhn'", "digits", "cifar10"]),
        ("minivggnet", "digits", {"depth": 3}, ["'depth'", "classes"]),
        ("minivggnet", "digits", {"classes": 7}, ["Digits", "10", "7"]),
        ("minivggnet", "digits", {"dropout": "much"}, ["dropout", "'much'"]),
        ("vgg16", "digits", {"input_size": 16}, ["block5_pool", "larger input"]),
    ],
)
def test_what_does_not_fit_together_is_refused_in_one_line(
    architecture: str, dataset: str, options: dict[str, object], parts: list[str]
) -> None:
    with pytest.raises(UserError) as refused:
        plan(architecture, dataset, options, make_recipe())
    assert_one_line(str(refused.value), *parts)


@pytest.mark.parametrize(
    ("architecture", "dataset", "input_size"),
    [("minivggnet", "digits", 32), ("vgg16", "cifar10", 32), ("minigooglenet", "cifar10", 28)],
)
def test_the_classes_are_the_data_sets_and_the_input_suits_its_images(
    architecture: str, dataset: str, input_size: int
) -> None:
    options = plan(architecture, dataset, {}, make_recipe()).options
    assert (options["classes"], options["input_size"]) == (10, input_size)


def test_every_option_is_written_down_with_its_value() -> None:
    options = plan("minivggnet", "digits", {"dropout": "0"}, make_recipe()).options
    assert set(options) == set(architectures.ARCHITECTURES["minivggnet"].defaults)
    assert (options["dropout"], options["classifier_dropout"]) == (0, 0.5)


def from_command(command: str) -> Experiment:
    """The experiment that the command line makes of a command."""
    python, dash_m, module, *arguments = shlex.split(command)
    assert (python, dash_m, module) == ("python", "-m", "cnnlab")
    options = cli.parser().parse_args(arguments)
    return experiment_of(options)[0]


RECIPES = st.builds(
    make_recipe,
    epochs=st.integers(1, 10_000),
    batch_size=st.integers(1, 700),
    optimizer=st.sampled_from(list(OPTIMIZERS)),
    learning_rate=st.floats(1e-12, 100),
    schedule=st.sampled_from(["linear", "constant", "cosine", "one-cycle", "cyclic"]),
    weight_decay=st.floats(0, 1),
    label_smoothing=st.floats(0, 0.9),
    flip=st.booleans(),
    shift=st.integers(0, 8),
    mixup=st.floats(0, 1),
    deterministic=st.booleans(),
    pixels=st.sampled_from(list(PIXELS)),
    validation_fraction=st.floats(0.01, 0.5),
    seed=st.integers(0, 2**31 - 1),
)


@given(
    recipe=RECIPES,
    dataset=st.sampled_from(["digits", "cifar10"]),
    options=st.fixed_dictionaries(
        {},
        optional={
            "batch_normalization": st.booleans(),
            "dropout": st.floats(0, 0.95),
            "classifier_dropout": st.sampled_from([0, 0.5, 0.3]),
            "input_size": st.integers(8, 64),
        },
    ),
)
@settings(max_examples=40)
def test_the_command_shown_trains_exactly_the_same(recipe: Recipe, dataset: str, options: dict[str, object]) -> None:
    experiment = plan("minivggnet", dataset, options, recipe)
    assert from_command(experiment.command()) == experiment


def test_the_command_of_the_defaults_is_short() -> None:
    command = plan("minivggnet", "digits", {}, make_recipe(epochs=3)).command()
    assert command.startswith("python -m cnnlab train --architecture minivggnet --dataset digits --epochs 3 ")
    assert "--set" not in command


def test_an_experiment_survives_the_way_through_json() -> None:
    experiment = plan("minigooglenet", "cifar10", {"dropout": 0, "batch_normalization": False}, make_recipe(seed=5))
    again = Experiment.model_validate_json(experiment.model_dump_json())
    assert again == experiment
    assert {name: type(value) for name, value in again.options.items()} == {
        name: type(value) for name, value in experiment.options.items()
    }
