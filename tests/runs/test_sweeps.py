"""Sweeps: what is searched, what is made of it, and that nothing is lost on the way."""

from __future__ import annotations

from pathlib import Path

import pytest

from cnnlab import runs
from cnnlab.errors import UserError
from cnnlab.runs.run import Run
from cnnlab.runs.sweeps.going import start
from cnnlab.runs.sweeps.record import Sweep
from cnnlab.runs.sweeps.space import combinations, left_out
from tests.conftest import assert_one_line, digits_experiment


def made_runs(sweep: Sweep) -> list[Run]:
    return [trial.run for trial in sweep.trials()]


# What is searched


def test_a_sweep_is_every_combination_in_order() -> None:
    assert combinations({"a": [1, 2], "b": ["x", "y", "z"]}) == [
        {"a": a, "b": b} for a in (1, 2) for b in ("x", "y", "z")
    ]


SETTINGS = {"optimizer": "sgd", "schedule": "linear"}


def test_a_setting_is_left_out_of_the_trials_whose_optimizer_does_not_have_it() -> None:
    values = {"momentum": ["0.8", "0.9"], "optimizer": ["sgd", "adam", "rmsprop"], "seed": ["0", "1"]}
    found = combinations(values, settings=SETTINGS)
    assert len(found) == 4 + 2 + 4
    assert [one for one in found if one["optimizer"] == "adam"] == [
        {"optimizer": "adam", "seed": "0"},
        {"optimizer": "adam", "seed": "1"},
    ]
    assert left_out(values, SETTINGS) == (
        "adam takes no momentum; it is left out there: 10 combinations instead of 12."
    )
    drawn = combinations(values, sample=10, settings=SETTINGS)
    assert drawn == found
    with pytest.raises(UserError, match="from 1 to 10"):
        combinations(values, sample=11, settings=SETTINGS)


def test_a_setting_is_left_out_of_the_trials_whose_schedule_does_not_have_it() -> None:
    values = {"schedule": ["linear", "steps", "constant"], "milestones": ["3:0.01", "5:0.01"]}
    assert combinations(values, settings=SETTINGS) == [
        {"schedule": "linear"},
        *({"schedule": "steps", "milestones": one} for one in values["milestones"]),
        {"schedule": "constant"},
    ]
    assert_one_line(left_out(values, SETTINGS), "linear and constant take no milestones")


def test_a_sweep_whose_trials_have_all_settings_keeps_its_order() -> None:
    values = {"momentum": ["0.8", "0.9"], "optimizer": ["sgd", "rmsprop"]}
    assert combinations(values, settings=SETTINGS) == combinations(values)
    assert left_out(values, SETTINGS) == ""


def test_optimizers_that_take_a_setting_and_others_are_swept_together(runs_dir: Path, no_starts: list[str]) -> None:
    values = {"optimizer": ["sgd", "adam"], "momentum": ["0.8", "0.9"]}
    made = made_runs(start(digits_experiment(epochs=1), values, runs_dir))
    assert [run.labels().name for run in made] == [
        "optimizer sgd, momentum 0.8",
        "optimizer sgd, momentum 0.9",
        "optimizer adam",
    ]
    for refused in ({"optimizer": ["adam", "adamw"], "momentum": ["0.8"]}, {"optimizer": ["adamm"]}):
        with pytest.raises(UserError):
            start(digits_experiment(epochs=1), refused, runs_dir)
    assert len(runs.listing(runs_dir)) == 3


def test_a_sample_is_drawn_without_repetition_and_the_same_for_the_same_seed() -> None:
    values = {"a": list(range(10)), "b": list(range(10))}
    drawn = combinations(values, sample=30, seed=1)
    assert drawn == combinations(values, sample=30, seed=1) != combinations(values, sample=30, seed=2)
    assert len({tuple(one.values()) for one in drawn}) == 30


@pytest.mark.parametrize(
    ("values", "sample"),
    [({}, None), ({"a": []}, None), ({"a": list(range(501))}, None), ({"a": [1, 2]}, 3), ({"a": [1]}, 0)],
)
def test_a_sweep_that_is_none_is_refused(values: dict[str, list[object]], sample: int | None) -> None:
    with pytest.raises(UserError):
        combinations(values, sample)


def test_a_sweep_queues_a_group_or_nothing_at_all(runs_dir: Path, no_starts: list[str]) -> None:
    experiment = digits_experiment(epochs=1)
    with pytest.raises(UserError):
        start(experiment, {"learning_rate": ["0.1", "fast"]}, runs_dir)
    assert runs.listing(runs_dir) == []
    values = {"learning_rate": ["0.1", "0.01"], "dropout": ["0", "0.5"]}
    made = made_runs(start(experiment, values, runs_dir, name="mine"))
    assert {run.config.group for run in made} == {"mine"}
    assert [run.config.experiment.recipe.learning_rate for run in made] == [0.1, 0.1, 0.01, 0.01]
    assert [run.config.experiment.options["dropout"] for run in made] == [0, 0.5, 0, 0.5]
