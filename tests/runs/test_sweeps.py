"""Sweeps: what is searched, what is made of it, and that nothing is lost on the way."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import psutil
import pytest

from cnnlab import runs
from cnnlab.errors import UserError
from cnnlab.runs import actions, queue
from cnnlab.runs.records import EpochRecord
from cnnlab.runs.run import Run
from cnnlab.runs.sweeps import going
from cnnlab.runs.sweeps.going import go_on, start
from cnnlab.runs.sweeps.overview import overview
from cnnlab.runs.sweeps.record import Sweep, find
from cnnlab.runs.sweeps.rules import Stopping
from cnnlab.runs.sweeps.space import Range, combinations, left_out, read_values
from cnnlab.storage.files import append_record
from tests.conftest import assert_one_line, digits_experiment, process_of, wait_for_end, wait_until

ASHA = Stopping(rule="asha", min_epochs=1, factor=3)
RATES = {"learning_rate": ["0.01", "0.001", "0.0001"]}


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


def test_a_range_is_read_as_written_and_logarithmic_where_it_spans_a_factor_of_ten() -> None:
    experiment = digits_experiment()
    texts = {"learning_rate": "1e-4..1e-1", "batch_size": "16..64", "dropout": "0..0.5", "flip": "true, false"}
    assert read_values(texts, experiment) == {
        "learning_rate": Range(low=1e-4, high=1e-1, log=True),
        "batch_size": Range(low=16, high=64, whole=True),
        "dropout": Range(low=0, high=0.5),
        "flip": ["true", "false"],
    }
    rates = Range(low=1e-4, high=1e-1, log=True)
    assert [rates.at(share) for share in (0, 1 / 3, 1)] == [1e-4, 1e-3, 1e-1]
    assert Range(low=16, high=64, whole=True).at(0.501) == 40


@pytest.mark.parametrize(
    ("values", "asked", "words"),
    [
        ({"learning_rate": "0.1..0.01"}, {}, "LOW..HIGH"),
        ({"optimizer": "sgd..adam"}, {}, "no number"),
        ({"batch_size": "16..32.5"}, {}, "whole numbers"),
        ({"learning_rate": "0.001..0.1"}, {}, "A grid takes lists"),
        ({"learning_rate": "0.001..0.1"}, {"search": "random"}, "without a number"),
        ({"learning_rate": "0.001..0.1"}, {"search": "bayes", "trials": 501}, "from 1 to 500"),
        ({"learning_rate": "0.1,0.01"}, {"search": "bayes", "trials": 3}, "from 1 to 2"),
        ({"learning_rate": "0.1,0.01"}, {"trials": 1}, "search at random"),
        ({"learning_rate": "0.1..1000"}, {"search": "random", "trials": 3}, "learning rate"),
        ({"momentum": "0.8..0.9"}, {"search": "random", "trials": 3}, "adam does not take"),
        ({"seed": "1,2"}, {"stopping": Stopping(rule="asha", min_epochs=3)}, "never judged"),
    ],
)
def test_what_cannot_be_searched_is_refused_in_one_sentence_before_anything_is_made(
    runs_dir: Path, no_starts: list[str], values: dict[str, str], asked: dict[str, Any], words: str
) -> None:
    experiment = digits_experiment(epochs=3)
    with pytest.raises(UserError) as refused:
        start(experiment, read_values(values, experiment), runs_dir, **asked)
    assert_one_line(str(refused.value), words)
    assert not (runs_dir / "sweeps").exists()


def test_random_trials_leave_out_what_their_optimizer_does_not_take_and_more_begin_with_the_same(
    runs_dir: Path, no_starts: list[str]
) -> None:
    experiment = digits_experiment(epochs=1)
    values = read_values({"optimizer": "sgd,adam", "momentum": "0.5..0.9", "learning_rate": "1e-4..0.1"}, experiment)
    first = start(experiment, values, runs_dir, search="random", trials=8, seed=3)
    tried = [dict(trial.changes) for trial in first.trials()]
    assert {one["optimizer"] for one in tried} == {"sgd", "adam"}
    assert all(("momentum" in one) == (one["optimizer"] == "sgd") for one in tried)
    assert all(1e-4 <= one["learning_rate"] <= 0.1 for one in tried)
    second = start(experiment, values, runs_dir, search="random", trials=5, seed=3)
    assert [dict(trial.changes) for trial in second.trials()] == tried[:5]
    going.add_trials(second, 3)
    assert [dict(trial.changes) for trial in second.trials()] == tried


# What becomes of the trials: their trainings are played by the tests


def train(run: Run, *accuracies: float, state: str = "") -> None:
    """Play a training: it finishes epochs with these accuracies, asks, and ends as it is told or as `state` says."""
    with queue.changing(run.folder.parent) as now:
        now.waiting = [name for name in now.waiting if name != run.id]
    for accuracy in accuracies:
        epoch = len(run.history()) + 1
        figures = {"loss": 1.0, "accuracy": accuracy, "validation_loss": 1.0, "validation_accuracy": accuracy}
        append_record(run.folder / "history.jsonl", EpochRecord(epoch=epoch, step=epoch, **figures))  # type: ignore[typeddict-item]
        decision = going.judge(run)
        if decision and decision["action"] in ("pause", "stop"):
            state = "paused" if decision["action"] == "pause" else "stopped"
    done = len(run.history()) == run.config.experiment.recipe.epochs
    run.write_status(run.status().model_copy(update={"state": state or ("completed" if done else "interrupted")}))
    going.go_on_after(run)


def states(sweep: Sweep) -> list[str]:
    return [trial.state for trial in sweep.trials()]


def played(
    runs_dir: Path, values: dict[str, Any] | None = None, epochs: int = 3, **asked: Any
) -> tuple[Sweep, list[Run]]:
    sweep = start(digits_experiment(epochs=epochs), values or RATES, runs_dir, **asked)
    return sweep, made_runs(sweep)


def test_a_trial_carries_its_sweep_and_stands_in_the_queue_like_any_run(runs_dir: Path, no_starts: list[str]) -> None:
    sweep, made = played(runs_dir, stopping=ASHA, name="rates")
    assert [run.config.trial.number for run in made if run.config.trial] == [1, 2, 3]
    assert {run.config.group for run in made} == {"rates"}
    assert {run.config.experiment.recipe.epochs for run in made} == {3}, "planned to the end, as its schedule is"
    assert no_starts == [made[0].id]
    assert queue.read(runs_dir).waiting == [run.id for run in made[1:]]
    assert find("rates", runs_dir) == sweep == find(sweep.id[:14], runs_dir)


def test_trials_wait_at_a_rung_and_go_on_when_they_are_among_the_best(runs_dir: Path, no_starts: list[str]) -> None:
    sweep, made = played(runs_dir, stopping=ASHA)
    train(made[0], 0.8)
    train(made[1], 0.9)
    assert states(sweep)[:2] == ["paused", "paused"]
    train(made[2], 0.5)
    assert states(sweep) == ["paused", "starting", "paused"]
    train(made[1], 0.95, 0.97)
    assert states(sweep) == ["stopped", "completed", "stopped"]
    assert [(one["trial"], one["epoch"], one["action"]) for one in sweep.decisions()] == [
        (1, 1, "pause"),
        (2, 1, "pause"),
        (3, 1, "pause"),
        (2, 1, "promote"),
    ]
    shown = overview(sweep)
    assert (shown.state, shown.best and shown.best.number, shown.epochs_trained, shown.epochs_of_all) == (
        "completed",
        2,
        5,
        9,
    )


def test_an_interrupted_trial_is_queued_again_three_times_and_said_to_be(runs_dir: Path, no_starts: list[str]) -> None:
    sweep, made = played(runs_dir, {"learning_rate": ["0.01"]})
    for times in range(1, going.MOST_RESUMES + 1):
        train(made[0])
        assert states(sweep) == ["starting"]
        assert [one["action"] for one in sweep.decisions()] == ["resume"] * times
    train(made[0])
    assert states(sweep) == ["interrupted"]
    assert sweep.state().finished is not None


def test_a_trial_that_a_kill_kept_from_being_noted_or_queued_is_found_again(
    runs_dir: Path, no_starts: list[str]
) -> None:
    sweep, made = played(runs_dir)
    lines = (sweep.folder / "trials.jsonl").read_text().splitlines(keepends=True)
    (sweep.folder / "trials.jsonl").write_text(lines[0])  # as killed before the second was noted
    created = made[1].config.created
    with queue.changing(runs_dir) as now:
        now.waiting.clear()
    go_on(sweep)
    go_on(sweep)
    assert made_runs(sweep) == made
    assert Run(made[1].folder).config.created == created, "the one that was made, not another"
    assert queue.read(runs_dir).waiting == [made[1].id, made[2].id]
    assert len(runs.listing(runs_dir)) == 3


def test_a_deleted_trial_does_not_come_back_and_keeps_nobody_waiting(runs_dir: Path, no_starts: list[str]) -> None:
    sweep, made = played(runs_dir, stopping=Stopping(rule="halving", min_epochs=1, factor=2))
    actions.delete(made[2])
    train(made[0], 0.8)
    train(made[1], 0.9)
    assert states(sweep) == ["paused", "starting", "deleted"]
    assert len(runs.listing(runs_dir)) == 2


def test_a_pause_holds_what_is_at_work_and_resume_goes_on_with_just_that(runs_dir: Path, no_starts: list[str]) -> None:
    sweep, made = played(runs_dir, stopping=ASHA)
    actions.send_request(made[2], "stop")  # by hand, before
    going.pause(sweep)
    assert made[0].request() == "pause"
    assert states(sweep)[1:] == ["paused", "stopped"]
    train(made[0], state="paused")
    assert states(sweep)[0] == "paused"
    going.resume(sweep)
    assert states(sweep) == ["starting", "queued", "stopped"]
    for act in (going.resume, lambda one: (going.pause(one), going.pause(one))):
        with pytest.raises(UserError) as refused:
            act(sweep)
        assert_one_line(str(refused.value), sweep.id)


def test_a_trial_resumed_by_hand_goes_on_whatever_the_rule_says(runs_dir: Path, no_starts: list[str]) -> None:
    sweep, made = played(runs_dir, stopping=ASHA)
    train(made[0], 0.1)
    actions.resume(made[0])
    train(made[0], 0.1, 0.1)
    assert states(sweep)[0] == "completed"
    assert [one["action"] for one in sweep.decisions()] == ["pause", "release"]


def test_the_median_stops_a_trial_for_good_unless_a_person_resumes_it(runs_dir: Path, no_starts: list[str]) -> None:
    values = {"learning_rate": ["0.1", "0.01", "0.001", "0.0001"]}
    sweep, made = played(runs_dir, values, stopping=Stopping(rule="median", min_epochs=2))
    for run, accuracy in zip(made, (0.7, 0.8, 0.9), strict=False):
        train(run, accuracy, accuracy, accuracy)
    train(made[3], 0.1, 0.6)
    assert states(sweep) == ["completed"] * 3 + ["stopped"]
    assert [(one["trial"], one["epoch"], one["action"], one["threshold"]) for one in sweep.decisions()] == [
        (4, 2, "stop", pytest.approx(0.8))
    ]
    actions.resume(made[3])
    train(made[3], 0.6)
    assert states(sweep) == ["completed"] * 4


def test_trials_are_added_to_a_sweep_that_has_ended_and_may_let_its_old_ones_go_on(
    runs_dir: Path, no_starts: list[str]
) -> None:
    values = {"learning_rate": Range(low=1e-4, high=1e-1, log=True)}
    sweep, made = played(runs_dir, values, stopping=ASHA, search="random", trials=3)
    for run, accuracies in zip(made, ((0.9,), (0.8,), (0.7,)), strict=True):
        train(run, *accuracies)
    train(made[0], 0.9, 0.9)
    assert states(sweep) == ["completed", "stopped", "stopped"]
    going.add_trials(sweep, 3)
    for run in made_runs(sweep)[3:]:
        train(run, 0.1)
    assert states(sweep)[:3] == ["completed", "starting", "stopped"]
    grid, _ = played(runs_dir)
    with pytest.raises(UserError, match="combinations of the grid"):
        going.add_trials(grid, 1)


def test_bayes_makes_a_trial_when_another_ends_learns_from_those_that_wait_and_repeats_none(
    runs_dir: Path, no_starts: list[str]
) -> None:
    values = {
        "learning_rate": Range(low=1e-4, high=1e-1, log=True),
        "optimizer": ["sgd", "adam"],
        "momentum": ["0.5", "0.9"],
    }
    sweep, _ = played(runs_dir, values, search="bayes", trials=14, stopping=ASHA)
    assert len(sweep.trials()) == 1, "one at a time trains, so one is made"
    while working := [trial for trial in sweep.trials() if trial.at_work]:
        assert len(working) == 1
        rate = working[0].changes["learning_rate"]
        reached = 0.9 - abs(rate - 0.01) * 5
        train(working[0].run, *[reached] * (3 - working[0].epoch))
    trials = sweep.trials()
    assert len(trials) == len({str(dict(trial.changes)) for trial in trials}) == 14
    assert all(("momentum" in trial.changes) == (trial.changes["optimizer"] == "sgd") for trial in trials)
    assert sweep.state().finished is not None
    import optuna

    backend = optuna.storages.journal.JournalFileBackend(str(sweep.folder / "optuna.journal"))
    study = optuna.load_study(study_name=sweep.id, storage=optuna.storages.JournalStorage(backend))
    assert {trial.state.name for trial in study.trials} >= {"PRUNED", "COMPLETE"}
    shares = overview(sweep).importances
    assert shares
    assert max(shares, key=lambda name: shares[name]) == "learning_rate"


# In earnest


def dispatcher_of(folder: Path) -> psutil.Process | None:
    command = ["-m", "cnnlab.runs.dispatcher", str(folder)]
    return next((one for one in psutil.process_iter(["cmdline"]) if (one.info["cmdline"] or [])[-3:] == command), None)


@pytest.mark.slow
def test_a_sweep_whose_dispatcher_and_training_are_killed_loses_no_trial(runs_dir: Path) -> None:
    experiment = digits_experiment(epochs=3, deterministic=True, film=False)
    sweep = start(experiment, {"learning_rate": ["0.01", "0.000001", "0.0000001"]}, runs_dir, stopping=ASHA, seed=1)
    first = made_runs(sweep)[0]
    wait_until(first, lambda: first.status().state == "running", "begun")
    for victim in (dispatcher_of(runs_dir), process_of(first)):
        assert victim
        os.kill(victim.pid, signal.SIGKILL)
        victim.wait(10)
    assert first.status().state == "interrupted"
    queue.resume_queue(runs_dir)  # as a page or a command that comes by
    wait_until(first, lambda: sweep.state().finished is not None, "seen the end of its sweep")
    assert sorted(states(sweep)) == ["completed", "stopped", "stopped"]
    (winner,) = [trial for trial in sweep.trials() if trial.state == "completed"]
    assert winner.changes == {"learning_rate": "0.01"}
    assert [trial.epoch for trial in sweep.trials() if trial.state == "stopped"] == [1, 1]
    assert "resume" in [one["action"] for one in sweep.decisions()]
    undisturbed = actions.duplicate(winner.run, {})
    assert wait_for_end(undisturbed).state == "completed"
    figures = ("epoch", "loss", "validation_loss", "validation_accuracy", "learning_rate")
    assert [[line.get(name) for name in figures] for line in winner.history] == [
        [line.get(name) for name in figures] for line in undisturbed.history()
    ]
