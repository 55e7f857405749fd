"""An optimizer and a schedule are one record each, which form, command line, validation and trainer read."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from cnnlab import cli
from cnnlab.cli.training import experiment_of
from cnnlab.errors import UserError
from cnnlab.experiments.experiment import Experiment, plan, replan
from cnnlab.experiments.optimizers import OPTIMIZERS, Optimizer
from cnnlab.experiments.presets import PRESETS
from cnnlab.experiments.recipe import CHOICES, FLAT_FIELDS, Recipe, default_of, idle_settings, make_recipe
from cnnlab.experiments.schedule import SCHEDULES, Moment, Schedule
from tests.conftest import PATIENCE, PROJECT, Output, assert_one_line, assert_refused

GIVEN = {"momentum": "0.5", "nesterov": "false", "milestones": "3:0.0001", "lowest_learning_rate": "0.0001"}
GIVEN["cycle_epochs"] = "2"
NEEDED = {"steps": ["--milestones", "3:0.0001"]}
NOT_TAKEN = [
    (choice, name, setting)
    for choice, records in CHOICES.items()
    for name, record in records.items()
    for setting in sorted({one for other in records.values() for one in other.settings} - set(record.settings))
]


def square(now: Moment) -> float:
    return now.lowest + (now.highest - now.lowest) * (1 - now.done) ** 2


@pytest.fixture
def added(monkeypatch: pytest.MonkeyPatch) -> None:
    """One more record of each, as whoever adds one would write it."""
    nadam = Optimizer("Nesterov Adam", "Nadam", learning_rate=0.002)
    monkeypatch.setitem(OPTIMIZERS, "nadam", nadam)
    monkeypatch.setitem(SCHEDULES, "square", Schedule("Square", ("lowest_learning_rate",), square))


def asked(*words: str) -> Experiment:
    given = ["train", "--architecture", "minivggnet", "--dataset", "digits", *words]
    return experiment_of(cli.parser().parse_args(given))[0]


def test_every_setting_that_a_record_names_is_one_of_a_recipe() -> None:
    named = {setting for records in CHOICES.values() for record in records.values() for setting in record.settings}
    assert named <= set(FLAT_FIELDS)
    assert named == set(GIVEN), "the test tries each of them"


@pytest.mark.parametrize(("choice", "name", "setting"), NOT_TAKEN)
def test_a_setting_that_the_choice_does_not_take_is_refused_in_one_line(
    call: Callable[..., Output], choice: str, name: str, setting: str
) -> None:
    words = [f"--{choice}", name, f"--{setting.replace('_', '-')}", GIVEN[setting], *NEEDED.get(name, [])]
    output = call("train", "--architecture", "minivggnet", "--dataset", "digits", *words)
    assert_refused(output, setting.replace("_", " ")[1:], name)


def test_a_change_that_does_nothing_is_refused_and_one_of_the_optimizer_is_not() -> None:
    experiment = plan("minivggnet", "digits", {}, make_recipe(optimizer="sgd", momentum=0.5))
    with pytest.raises(UserError) as refused:
        replan(experiment, {"optimizer": "adam", "momentum": "0.8"})
    assert_one_line(str(refused.value), "momentum", "adam", "sgd or rmsprop")
    assert replan(experiment, {"optimizer": "adam"}).recipe.optimizer == "adam"
    assert replan(experiment, {"optimizer": "rmsprop", "momentum": "0.8"}).recipe.momentum == 0.8


def test_a_recipe_kept_with_a_setting_that_does_nothing_is_still_read_and_its_command_leaves_it_out() -> None:
    kept = '{"optimizer": "adam", "momentum": 0.5, "schedule": "constant", "cycle_epochs": 3}'
    recipe = Recipe.model_validate_json(kept)
    assert recipe.momentum == 0.5
    command = plan("minivggnet", "digits", {}, recipe).command()
    assert "--momentum" not in command
    assert "--cycle-epochs" not in command
    again = experiment_of(cli.parser().parse_args(shlex.split(command)[3:]))[0]
    assert (again.recipe.optimizer, again.recipe.schedule) == ("adam", "constant")


@pytest.mark.parametrize("name", PRESETS)
def test_no_preset_has_a_setting_that_does_nothing(name: str) -> None:
    recipe = make_recipe(**PRESETS[name].settings)
    for setting in idle_settings(dict(recipe)):
        assert getattr(recipe, setting) == default_of(setting)


@pytest.mark.usefixtures("added")
def test_an_added_record_is_validated_and_known_to_the_command_line(call: Callable[..., Output]) -> None:
    experiment = asked("--optimizer", "nadam", "--schedule", "square", "--lowest-learning-rate", "0.0001")
    recipe = experiment.recipe
    assert recipe.learning_rate_at(recipe.epochs / 2) == pytest.approx(1e-4 + 9e-4 / 4)
    command = experiment.command()
    assert experiment_of(cli.parser().parse_args(shlex.split(command)[3:]))[0] == experiment
    with pytest.raises(UserError, match="momentum was given, which the optimizer nadam does not take"):
        asked("--optimizer", "nadam", "--momentum", "0.5")
    with pytest.raises(UserError, match="'nadam'"):
        asked("--optimizer", "lion")
    shown = " ".join(call("train", "--help").out.split())
    assert "sgd, adam, adamw, rmsprop, nadam" in shown
    assert "cyclic, square" in shown


def labelled(widgets: Any, label: str) -> Any:
    return next(one for one in widgets if one.label == label)


@pytest.mark.slow
@pytest.mark.usefixtures("added")
def test_the_form_shows_for_each_record_the_settings_that_it_takes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CNNLAB_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("CNNLAB_DATA", str(tmp_path / "data"))
    app = AppTest.from_file(str(PROJECT / "app.py"), default_timeout=PATIENCE).run()
    app.switch_page("pages/train.py")
    app.query_params["architecture"] = "minivggnet"
    app.query_params["dataset"] = "digits"
    app.run()
    assert not app.exception
    titles = {"momentum": "Momentum", "nesterov": "Nesterov momentum", "milestones": "Changes of the rate"}
    titles |= {"lowest_learning_rate": "Lowest rate", "cycle_epochs": "Cycle, in epochs"}
    for choice, records in CHOICES.items():
        of_choice = {setting for record in records.values() for setting in record.settings}
        for name, record in records.items():
            control = labelled(app.selectbox, choice.capitalize())
            assert record.title in control.options
            app = control.set_value(name).run()
            assert not app.exception
            widgets = [*app.number_input, *app.checkbox, *app.text_input]
            shown = {setting for setting in of_choice if any(one.label == titles[setting] for one in widgets)}
            assert shown == set(record.settings), name
            if isinstance(record, Optimizer):
                assert labelled(app.number_input, "Learning rate").value == record.learning_rate


@pytest.mark.slow
@pytest.mark.usefixtures("added")
def test_the_trainer_gives_each_optimizer_the_settings_that_it_takes() -> None:
    from cnnlab.keras.backend import keras
    from cnnlab.training.trainer import make_optimizer

    for name, record in OPTIMIZERS.items():
        made = make_optimizer(make_recipe(optimizer=name, momentum=0.5, weight_decay=0.25, learning_rate=0.125))
        assert type(made) is getattr(keras.optimizers, record.keras)
        assert float(made.learning_rate) == 0.125
        kept = made.get_config()
        assert {setting: kept[setting] for setting in record.settings} == {
            setting: {"momentum": 0.5, "nesterov": True}[setting] for setting in record.settings
        }
        assert kept["weight_decay"] == (0.25 if record.decays else None)
