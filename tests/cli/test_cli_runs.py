"""Everything one can do with runs, from the command line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from cnnlab import runs
from cnnlab.runs import queue
from cnnlab.runs.run import Run
from tests.conftest import TRAINED_EPOCHS, assert_one_line, assert_refused, digits_experiment, last_line


@pytest.fixture
def lab(call: Any, trained_run: Run, runs_dir: Path, no_starts: list[str]) -> Any:
    """The command line over a folder with a copy of the trained run, where nothing is really started."""
    shutil.copytree(trained_run.folder, runs_dir / trained_run.id)
    return lambda *arguments: call(*arguments, "--runs-dir", str(runs_dir))


def waiting(lab: Any, runs_dir: Path, count: int) -> list[str]:
    """Runs in the queue: the first at work, the others waiting."""
    made = [runs.create(digits_experiment(epochs=1, seed=seed), runs_dir) for seed in range(count)]
    for run in made:
        queue.enqueue(run)
    return [run.id for run in made]


def test_show_tells_all_of_a_run(lab: Any, trained_run: Run) -> None:
    told = lab("show", trained_run.id, "--json").json()
    assert told["status"]["state"] == "completed"
    assert told["config"]["experiment"]["architecture"] == "minivggnet"
    assert [record["epoch"] for record in told["history"]] == list(range(1, TRAINED_EPOCHS + 1))
    assert told["checkpoints"][-1]["epoch"] == TRAINED_EPOCHS
    assert [event["event"] for event in told["events"]][-1] == "completed"
    text = lab("show", trained_run.id).out
    assert "best validation accuracy" in text
    assert f"epoch {TRAINED_EPOCHS} of {TRAINED_EPOCHS}" in text
    assert "--architecture minivggnet" in text


def test_presets_are_listed_with_source_time_and_expectation(call: Any) -> None:
    listed = call("presets", "--json").json()
    assert {"experiment-01", "experiment-02", "experiment-03", "googlenet"} <= {item["name"] for item in listed}
    assert all(item["source"] and item["expected"] and item["hours"] > 0 for item in listed)
    assert all(item["name"] in call("presets").out for item in listed)


def test_a_preset_is_queued_scaled_and_changed(lab: Any, runs_dir: Path) -> None:
    made = last_line(lab("train", "--preset", "experiment-01", "--in-epochs", "4", "--detach").out)
    recipe = runs.find(made, runs_dir).config.experiment.recipe
    assert recipe.epochs == 4
    assert max(epoch for epoch, _ in recipe.milestones) <= 4
    changed = last_line(lab("train", "--preset", "minivggnet", "--batch-size", "32", "--detach").out)
    assert runs.find(changed, runs_dir).config.experiment.recipe.batch_size == 32
    assert runs.find(changed, runs_dir).config.preset is None


def test_a_recipe_file_says_what_to_train_and_how(lab: Any, runs_dir: Path, tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text(
        json.dumps(
            {
                "architecture": "minivggnet",
                "dataset": "digits",
                "options": {"input_size": 8},
                "settings": {"epochs": 2, "optimizer": "adamw", "learning_rate": 0.002},
            }
        )
    )
    made = runs.find(last_line(lab("train", "--recipe", str(path), "--detach").out), runs_dir)
    assert made.config.experiment.recipe.optimizer == "adamw"
    assert made.config.experiment.options["input_size"] == 8
    path.write_text("{")
    assert_refused(lab("train", "--recipe", str(path)), "mine.json", "JSON")
    path.write_text('{"setting": {}}')
    assert_refused(lab("train", "--recipe", str(path)), "settings")
    assert_refused(lab("train", "--recipe", str(tmp_path / "none.json")), "none.json", "experiment-01")


def test_the_queue_is_shown_and_changed(lab: Any, runs_dir: Path) -> None:
    first, second, third = waiting(lab, runs_dir, 3)
    assert lab("queue", "--json").json() == {
        "parallel": 1,
        "on_cluster": 8,
        "working": [first],
        "waiting": [second, third],
    }
    assert lab("queue", "--move", third, "1", "--json").json()["waiting"] == [third, second]
    assert lab("queue", "--parallel", "2", "--json").json()["working"] == [first, third]
    assert_refused(lab("queue", "--move", first, "one"), "'one'")
    assert_refused(lab("queue", "--parallel", "0"), "0")
    assert first in lab("queue").out


def test_a_run_that_ended_is_extended_restarted_and_duplicated(lab: Any, trained_run: Run, runs_dir: Path) -> None:
    restarted = last_line(lab("restart", trained_run.id, "--set", "learning_rate=0.0001", "epochs=5", "--detach").out)
    duplicate = last_line(lab("duplicate", trained_run.id, "--set", "seed=7", "--detach").out)
    assert last_line(lab("extend", trained_run.id, "--epochs", "2", "--detach").out) == trained_run.id
    assert runs.find(trained_run.id, runs_dir).config.experiment.recipe.epochs == TRAINED_EPOCHS + 2
    assert runs.find(restarted, runs_dir).config.experiment.recipe.learning_rate == 0.0001
    assert runs.find(duplicate, runs_dir).config.experiment.recipe.seed == 7
    assert_refused(lab("restart", trained_run.id, "--checkpoint", "first"), "'first'", "best")
    assert_refused(lab("restart", trained_run.id, "--checkpoint", "77"), "77")
    assert_refused(lab("duplicate", trained_run.id, "--set", "learning_rat=1"), "learning_rat")


def test_a_sweep_prints_the_runs_of_its_group(lab: Any, runs_dir: Path) -> None:
    base = ("sweep", "--architecture", "minivggnet", "--dataset", "digits", "--epochs", "1", "--group", "rates")
    made = lab(*base, "--values", "learning_rate=0.1,0.01", "dropout=0,0.5").out.split()
    found = [runs.find(name, runs_dir).config for name in made]
    assert {(one.experiment.recipe.learning_rate, one.experiment.options["dropout"]) for one in found} == {
        (rate, dropout) for rate in (0.1, 0.01) for dropout in (0, 0.5)
    }
    assert {one.group for one in found} == {"rates"}
    assert_refused(lab(*base, "--values", "learning_rate=0.1,-1"), "learning rate")


def test_a_sweep_says_what_it_leaves_out_for_an_optimizer_that_does_not_have_it(lab: Any) -> None:
    base = ("sweep", "--architecture", "minivggnet", "--dataset", "digits", "--epochs", "1")
    said = lab(*base, "--values", "optimizer=sgd,adam", "momentum=0.8,0.9,0.95")
    assert said.code == 0, said.err
    assert len(said.out.split()) == 4
    assert_one_line(said.err.strip(), "adam takes no momentum", "4 combinations instead of 6")


def test_a_sweep_is_started_listed_shown_paused_resumed_and_given_trials(lab: Any, runs_dir: Path) -> None:
    base = ("sweep", "--architecture", "minivggnet", "--dataset", "digits", "--epochs", "9")
    asked = ("--search", "bayes", "--trials", "5", "--stop", "asha", "--min-epochs", "2", "--factor", "2")
    started = lab(*base, "--values", "learning_rate=0.0001..0.1", *asked, "--group", "rates")
    assert started.code == 0, started.err
    (first,) = started.out.split()
    assert lab("sweep", "list").out.split()[-4:] == ["running", "1/5", "–", "0/45"]
    shown = lab("sweep", "show", "rates", "--json").json()
    assert shown["stopping"] == {"rule": "asha", "min_epochs": 2, "factor": 2}
    assert shown["space"]["learning_rate"] == {"low": 0.0001, "high": 0.1, "log": True, "whole": False}
    assert [(one["run"], one["state"]) for one in shown["trials"]] == [(first, "starting")]
    assert lab("sweep", "pause", "rates").out.strip() == shown["id"]
    assert lab("sweep", "list", "--json").json()[0]["state"] in ("pausing", "paused")
    assert lab("sweep", "add", "rates", "--trials", "3").code == 0
    assert lab("sweep", "list", "--json").json()[0]["trials"] == 8
    assert lab("sweep", "resume", "rates").code == 0
    assert_refused(lab("sweep", "resume", "rates"), "not paused")
    assert "after 2, 4 and 8 epochs one in 2 goes on" in lab("sweep", "show", "rates").out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "--values"),
        (("show",), "sweep list"),
        (("show", "nothing"), "'nothing'"),
        (("list", "one"), "'one'"),
        (("pause", "one", "--values", "seed=1,2"), "--values"),
        (("show", "one", "--epochs", "3"), "--epochs"),
        (("--values", "seed=1,2", "--factor", "2"), "--stop"),
        (("--values", "seed=1,2", "--stop", "median", "--factor", "2"), "median"),
        (("--values", "seed=1,2", "--stop", "asha", "--factor", "1"), "from 2 to 16"),
        (("--values", "seed=1,2", "--stop", "asha", "--min-epochs", "0"), "from 1"),
        (("--values", "seed=1,2", "--sample", "2", "--search", "bayes"), "--search bayes"),
        (("--values", "seed=1,2", "--search", "random"), "from 1 to 2"),
    ],
)
def test_a_sweep_that_cannot_be_is_refused_in_one_line(
    lab: Any, runs_dir: Path, arguments: tuple[str, ...], words: str
) -> None:
    plan = () if arguments and arguments[0].isalpha() else ("--architecture", "minivggnet", "--dataset", "digits")
    assert_refused(lab("sweep", *arguments, *plan), words)
    assert not (runs_dir / "sweeps").exists()


def test_the_randomization_tests_are_queued_as_a_group(lab: Any) -> None:
    made = lab("generalization", "--architecture", "minivggnet", "--dataset", "digits", "--epochs", "1").out.split()
    assert len(made) == len(set(made)) >= 6
    listed = {item["id"]: item for item in lab("runs", "--json").json()}
    assert set(made) <= set(listed)


def test_runs_are_named_compared_deleted_and_taken_back(lab: Any, trained_run: Run, runs_dir: Path) -> None:
    name = trained_run.id
    text = lab("label", name, "--name", "baseline", "--tags", "lecture", "first", "--note", "as it was").out
    assert "name baseline, tags lecture, first, note as it was" in text
    other = last_line(lab("duplicate", name, "--set", "seed=7", "--detach").out)
    table = lab("compare-runs", name, other, "--json").json()
    assert table["settings"] == {"seed": [0, 7]}
    assert [figures["id"] for figures in table["figures"]] == [name, other]
    assert "seed" in lab("compare-runs", name, other).out

    assert lab("delete", name).out.split() == [name]
    assert name not in [item["id"] for item in lab("runs", "--json").json()]
    assert name in lab("trash").out.split()
    assert lab("trash", "--restore", name).out.split() == [name]
    assert runs.find(name, runs_dir).labels().name == "baseline"
    lab("delete", name)
    assert lab("trash", "--empty").out.startswith("1 run ")
    assert lab("trash").out == ""
    assert_refused(lab("trash", "--restore", name), name)


def test_what_begins_with_a_hyphen_is_a_tag_a_name_or_a_note_after_an_equals_sign(lab: Any, trained_run: Run) -> None:
    name = trained_run.id
    text = lab("label", name, "--tags=-x", "--tags=--y", "--tags", "z", "--name=-n", "--note=-").out
    assert "name -n, tags -x, --y, z, note -" in text
    assert "tags –" in lab("label", name, "--tags").out
    for words in (("--tags", "-x"), ("--tags", "z", "-x"), ("--name", "-n"), ("--note", "-n")):
        assert_refused(lab("label", name, *words), "--OPTION=-VALUE")
    assert "--tags=-x" in lab("label", "--help").out


def test_pause_stop_and_resume_refuse_a_run_that_has_completed(lab: Any, trained_run: Run) -> None:
    for command in (("pause",), ("stop",), ("stop", "--after-epoch"), ("resume", "--detach")):
        assert_refused(lab(command[0], trained_run.id, *command[1:]), "completed")
