"""What one can do with a run, and the queue that runs wait in; real processes, real folders."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from cnnlab import runs
from cnnlab.errors import UserError
from cnnlab.runs import actions, queue
from cnnlab.runs.run import Run
from cnnlab.runs.status import ACTIVE
from cnnlab.storage.process import PROCESS_FILE
from cnnlab.training.process import train
from cnnlab.training.reporter import Reporter
from tests.conftest import PROJECT, assert_one_line, digits_experiment, process_of, wait_for_end, wait_until

Trained = Callable[..., Run]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Gives a runs folder a run that was trained by some recipe, in this process and once for all of these tests."""

    @cache
    def of(**recipe: object) -> Run:
        experiment = digits_experiment(**{"epochs": 2, "batch_size": 128, **recipe})
        run = runs.create(experiment, tmp_path_factory.mktemp("trained") / "runs")
        train(run, Reporter(run))
        return run

    def copied(runs_dir: Path, **recipe: object) -> Run:
        run = of(**recipe)
        return Run(Path(shutil.copytree(run.folder, runs_dir / run.id)))

    return copied


def fresh(runs_dir: Path, count: int) -> list[Run]:
    return [runs.create(digits_experiment(epochs=1, batch_size=128), runs_dir) for _ in range(count)]


def ended(run: Run, state: str = "completed") -> None:
    run.write_status(run.status().model_copy(update={"state": state}))


# The queue


def test_one_at_a_time_is_started_and_the_others_wait_in_order(runs_dir: Path, no_starts: list[str]) -> None:
    first, second, third = fresh(runs_dir, 3)
    for run in (first, second, third):
        queue.enqueue(run)
    assert no_starts == [first.id]
    assert queue.read(runs_dir).waiting == [second.id, third.id]
    assert second.status().state == "queued"
    queue.advance(runs_dir)
    assert no_starts == [first.id]
    ended(first)
    queue.advance(runs_dir)
    assert no_starts == [first.id, second.id]


def test_the_order_can_be_changed_and_a_run_taken_out(runs_dir: Path, no_starts: list[str]) -> None:
    made = fresh(runs_dir, 4)
    for run in made:
        queue.enqueue(run)
    queue.move(made[3], 1)
    actions.send_request(made[1], "stop")
    assert made[1].status().state == "stopped"
    assert queue.read(runs_dir).waiting == [made[3].id, made[2].id]
    with pytest.raises(UserError) as refused:
        queue.move(made[1], 1)
    assert_one_line(str(refused.value), made[1].id, "not wait")


def test_more_at_a_time_share_the_processors(
    runs_dir: Path, no_starts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shares = []
    monkeypatch.setattr(queue.hardware, "cores", lambda: 8)
    started = runs.start
    monkeypatch.setattr(runs, "start", lambda run, threads=0: (shares.append(threads), started(run)))
    queue.set_parallel(runs_dir, 3)
    for run in fresh(runs_dir, 4):
        queue.enqueue(run)
    assert len(no_starts) == 3
    assert shares == [2, 2, 2]
    with pytest.raises(UserError):
        queue.set_parallel(runs_dir, 0)


def test_a_damaged_queue_is_rebuilt_from_what_the_runs_say(runs_dir: Path, no_starts: list[str]) -> None:
    made = fresh(runs_dir, 3)
    for run in made:
        queue.enqueue(run)
    (runs_dir / queue.QUEUE_FILE).write_text("{garbage")
    assert queue.read(runs_dir).waiting == [run.id for run in made[1:]]


def test_a_run_that_vanished_while_it_waited_does_not_hold_up_the_others(runs_dir: Path, no_starts: list[str]) -> None:
    made = fresh(runs_dir, 3)
    for run in made:
        queue.enqueue(run)
    shutil.rmtree(made[1].folder)
    ended(made[0])
    queue.advance(runs_dir)
    assert no_starts == [made[0].id, made[2].id]


def test_two_who_resume_at_once_start_it_once(runs_dir: Path, no_starts: list[str]) -> None:
    (run,) = fresh(runs_dir, 1)
    ended(run, "stopped")
    answers: list[str] = []

    def press() -> None:
        try:
            actions.resume(run)
            answers.append("resumed")
        except UserError as error:
            answers.append(str(error))

    threads = [threading.Thread(target=press) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers.count("resumed") == 1
    assert no_starts == [run.id]


QUEUE_TWO = """
import sys
from pathlib import Path
from cnnlab import runs
from cnnlab.runs import queue
from cnnlab.runs.config import Experiment
for _ in range(2):
    run = runs.create(Experiment.model_validate_json(sys.argv[1]), Path(sys.argv[2]))
    queue.enqueue(run)
    print(run.id, flush=True)
"""


@pytest.mark.slow
def test_the_queue_goes_on_by_itself_when_those_who_queued_are_gone_and_a_training_is_killed(runs_dir: Path) -> None:
    """Two processes queue two runs each and end; one training is killed. All others complete, never two at once."""
    experiment = digits_experiment(epochs=1, batch_size=128).model_dump_json()
    starters = [
        subprocess.Popen(
            [sys.executable, "-c", QUEUE_TWO, experiment, str(runs_dir)], cwd=PROJECT, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    made = [Run(runs_dir / name) for starter in starters for name in starter.communicate()[0].split()]
    assert len(made) == 4
    first = next(run for run in made if run.status().state in ACTIVE)
    wait_until(first, (first.folder / PROCESS_FILE).exists, "started")
    process_of(first).kill()
    at_once = []

    def all_ended() -> bool:
        states = [run.status().state for run in made]
        at_once.append(sum(state in ACTIVE for state in states))
        return all(state not in (*ACTIVE, "queued") for state in states)

    wait_until(first, all_ended, "been followed by the others")
    assert max(at_once) == 1
    assert sorted(run.status().state for run in made) == ["completed"] * 3 + ["interrupted"]


def test_after_a_restart_of_the_machine_whoever_looks_at_the_runs_lets_the_queue_go_on(
    runs_dir: Path, no_starts: list[str]
) -> None:
    made = fresh(runs_dir, 2)
    for run in made:
        queue.enqueue(run)
    ended(made[0], "running")
    (made[0].folder / PROCESS_FILE).unlink()  # its process is gone, as all are
    queue.resume_queue(runs_dir)
    assert no_starts == [run.id for run in made]


# What a state allows


@pytest.mark.slow
def test_only_what_works_can_be_stopped_and_only_what_rests_resumed(runs_dir: Path, trained: Trained) -> None:
    run = trained(runs_dir, epochs=1)
    for act in (
        lambda: actions.send_request(run, "stop"),
        lambda: actions.send_request(run, "pause"),
        lambda: actions.resume(run),
    ):
        with pytest.raises(UserError) as refused:
            act()
        assert_one_line(str(refused.value), run.id, "completed")


@pytest.mark.slow
def test_a_stop_after_the_epoch_lets_it_end(runs_dir: Path) -> None:
    run = runs.create(digits_experiment(epochs=10_000, batch_size=16), runs_dir)
    queue.enqueue(run)
    wait_until(run, lambda: run.status().state == "running", "begun")
    actions.send_request(run, "stop-after-epoch")
    status = wait_for_end(run)
    assert status.state == "stopped"
    assert status.step == len(run.history()) * status.steps_per_epoch
    assert run.checkpoint("last").info.epoch == len(run.history())


@pytest.mark.slow
def test_a_second_process_of_the_same_run_leaves_it_alone(runs_dir: Path) -> None:
    run = runs.create(digits_experiment(epochs=10_000, batch_size=16), runs_dir)
    queue.enqueue(run)
    wait_until(run, lambda: run.status().state == "running", "begun")
    at_work = process_of(run).pid
    second = subprocess.run(
        [sys.executable, "-m", "cnnlab.training", str(run.folder)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert second.returncode == 0
    assert "already" in second.stdout
    assert (process_of(run).pid, run.status().state) == (at_work, "running")


# Extending, restarting, duplicating


@pytest.mark.slow
def test_an_extended_run_trains_on_and_keeps_its_history(
    runs_dir: Path, no_starts: list[str], trained: Trained
) -> None:
    run = trained(runs_dir)
    before = run.history()
    actions.extend(run, 2)
    extended = Run(run.folder)
    assert no_starts == [run.id]
    assert extended.config.experiment.recipe.epochs == 4
    train(extended, Reporter(extended))
    assert extended.status().state == "completed"
    assert extended.history()[:2] == before
    assert [record["epoch"] for record in extended.history()] == [1, 2, 3, 4]
    assert "extended" in [event["event"] for event in extended.events()]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "kept_optimizer"),
    [
        ({"learning_rate": "1e-5", "epochs": "3"}, True),
        ({"optimizer": "sgd", "epochs": "3"}, False),
        ({"epochs": "3", "batch_size": "64"}, True),
    ],
)
def test_a_restart_goes_on_from_a_checkpoint_with_other_settings(
    runs_dir: Path, no_starts: list[str], trained: Trained, changes: dict[str, str], kept_optimizer: bool
) -> None:
    run = trained(runs_dir, checkpoint_every=1)
    made = actions.restart(run, 1, changes)
    assert made.config.parent is not None
    assert (made.config.parent.run, made.config.parent.epoch) == (run.id, 1)
    assert [record["epoch"] for record in made.history()] == [1]
    train(made, Reporter(made))
    assert [record["epoch"] for record in made.history()] == [1, 2, 3]
    steps = [record["step"] for record in made.history()]
    assert steps == [made.status().steps_per_epoch * epoch for epoch in (1, 2, 3)]
    assert made.history()[0]["loss"] == run.history()[0]["loss"]
    said = [event["message"] for event in made.events() if event["event"] == "resumed"]
    assert ("anew" not in said[0]) == kept_optimizer
    assert [record["epoch"] for record in run.history()] == [1, 2]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        ({"seed": "3"}, ["seed", "duplicate"]),
        ({"dropout": "0.1"}, ["dropout", "duplicate"]),
        ({"learning_rate": "0"}, ["learning rate", "greater than 0"]),
        ({"epochs": "1"}, ["epoch 1", "more epochs"]),
        ({"nothing": "1"}, ["'nothing'"]),
    ],
)
def test_a_restart_that_cannot_be_is_refused(
    runs_dir: Path, trained: Trained, changes: dict[str, str], parts: list[str]
) -> None:
    run = trained(runs_dir, epochs=1)
    with pytest.raises(UserError) as refused:
        actions.restart(run, "last", changes)
    assert_one_line(str(refused.value), *parts)
    assert [one.id for one in runs.listing(runs_dir)] == [run.id]


def test_a_duplicate_begins_anew_with_its_changes(runs_dir: Path, no_starts: list[str]) -> None:
    (run,) = fresh(runs_dir, 1)
    made = actions.duplicate(run, {"learning_rate": "0.5", "dropout": "0.1", "flip": "true"})
    experiment = made.config.experiment
    assert (experiment.recipe.learning_rate, experiment.recipe.augmentation.flip) == (0.5, True)
    assert experiment.options == {**run.config.experiment.options, "dropout": 0.1}
    assert made.history() == []


def test_names_tags_and_notes_are_kept_and_bounded(runs_dir: Path) -> None:
    (run,) = fresh(runs_dir, 1)
    run.relabel(name="Début №1", tags=("a", "b"))
    run.relabel(note="long\nnote")
    labels = Run(run.folder).labels()
    assert (labels.name, labels.tags, labels.note) == ("Début №1", ("a", "b"), "long\nnote")
    with pytest.raises(UserError):
        run.relabel(name="x" * 1000)
    assert runs.summary(run)["name"] == "Début №1"


# The trash


def test_a_deleted_run_can_be_taken_back_until_the_trash_is_emptied(runs_dir: Path, no_starts: list[str]) -> None:
    kept, thrown = fresh(runs_dir, 2)
    ended(kept)
    ended(thrown)
    actions.delete(thrown)
    assert [run.id for run in runs.listing(runs_dir)] == [kept.id]
    assert [item["id"] for item in runs.summaries(runs_dir)] == [kept.id]
    (found,) = actions.trashed(runs_dir)
    assert actions.restore(found).id == thrown.id
    assert len(runs.listing(runs_dir)) == 2
    actions.delete(thrown)
    assert actions.empty_trash(runs_dir) == 1
    assert actions.trashed(runs_dir) == []


def test_a_run_at_work_is_not_deleted_and_one_that_waits_leaves_the_queue(runs_dir: Path, no_starts: list[str]) -> None:
    working, waiting = fresh(runs_dir, 2)
    for run in (working, waiting):
        queue.enqueue(run)
    with pytest.raises(UserError) as refused:
        actions.delete(working)
    assert_one_line(str(refused.value), working.id, "stop it")
    actions.delete(waiting)
    assert queue.read(runs_dir).waiting == []


def test_a_run_records_all_that_it_takes_to_train_it_again(trained_run: Run) -> None:
    config = json.loads((trained_run.folder / "config.json").read_text())
    assert config["versions"]["tensorflow"]
    assert config["versions"]["keras"]
    assert config["hardware"]["cores"] >= 1
    assert config["hardware"]["memory"] > 10**9
    assert "train" in config["command"]
    assert set(config) >= {"commit", "experiment", "created", "format"}
