"""A training that is interrupted and resumed ends as if nothing had happened."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnnlab import datasets, runs
from cnnlab.errors import UserError
from cnnlab.experiments.recipe import make_recipe
from cnnlab.runs import actions, queue
from cnnlab.runs.run import Run
from cnnlab.runs.status import ACTIVE
from cnnlab.training.batches import epoch_batches
from cnnlab.training.process import train
from cnnlab.training.reporter import Reporter
from tests.conftest import assert_one_line, digits_experiment, process_of, wait_for_end, wait_until

pytestmark = pytest.mark.slow

FIGURES = (
    "epoch",
    "step",
    "loss",
    "accuracy",
    "validation_loss",
    "validation_accuracy",
    "validation_top5",
    "learning_rate",
    "gradient_norm",
)
EVERYTHING = {
    "epochs": 20,
    "batch_size": 32,
    "deterministic": True,
    "weight_averaging": 0.99,
    "weight_decay": 1e-4,
    "label_smoothing": 0.1,
    "gradient_clipping": 5,
    "schedule": "one-cycle",
    "flip": True,
    "shift": 1,
    "mixup": 0.2,
}


def history_of(run: Run) -> list[list[Any]]:
    return [[record[name] for name in FIGURES] for record in run.history()]


def state_of(run: Run) -> dict[str, np.ndarray]:
    """All that the last checkpoint holds: optimizer, averages, random generators, weights."""
    with np.load(run.checkpoint("last").state) as saved:
        return {name: saved[name] for name in saved.files}


def assert_same_end(one: Run, other: Run) -> None:
    assert history_of(one) == history_of(other)
    mine, theirs = state_of(one), state_of(other)
    assert list(mine) == list(theirs)
    for name, value in mine.items():
        assert np.array_equal(value, theirs[name]), name


def past(run: Run, step: int) -> bool:
    status = run.status()
    return status.step >= step or status.state not in ACTIVE


def test_a_run_killed_again_and_again_ends_with_the_same_history_and_weights(runs_dir: Path) -> None:
    """SIGKILL at random steps, several times, in real processes; every ingredient of the recipe that has a state."""
    alone, killed = (runs.create(digits_experiment(**EVERYTHING), runs_dir) for _ in range(2))
    queue.enqueue(alone)
    assert wait_for_end(alone).state == "completed", alone.log()
    queue.enqueue(killed)
    rng = np.random.default_rng(7)
    kills = 0
    while kills < 3:
        wait_until(killed, lambda: killed.status().state in ("running", "completed"), "begun")
        target = killed.status().step + int(rng.integers(1, 250))
        wait_until(killed, partial(past, killed, target), "gone on")
        if killed.status().state not in ACTIVE:
            break
        process_of(killed).kill()
        kills += 1
        assert wait_for_end(killed).state == "interrupted"
        actions.resume(killed)
    assert kills >= 2
    assert wait_for_end(killed).state == "completed", killed.log()
    assert_same_end(alone, killed)
    assert [event["event"] for event in killed.events()].count("resumed") >= 1


def test_a_pause_in_the_middle_of_an_epoch_goes_on_with_the_very_next_batch(
    runs_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment = digits_experiment(epochs=3, batch_size=64, deterministic=True)
    whole, parted = (runs.create(experiment, runs_dir) for _ in range(2))
    train(whole, Reporter(whole))
    asked = iter([None] * 27 + ["pause"])
    monkeypatch.setattr(Run, "request", lambda self: next(asked, None))
    train(parted, Reporter(parted))
    assert parted.status().state == "paused"
    assert (parted.checkpoint("last").info.step, parted.checkpoint("last").info.batch) == (26, 6)
    train(parted, Reporter(parted))
    assert parted.status().state == "completed"
    assert_same_end(whole, parted)


def test_an_epoch_whose_line_was_lost_between_checkpoint_and_history_gets_it_back(runs_dir: Path) -> None:
    run = runs.create(digits_experiment(epochs=3, batch_size=128), runs_dir)
    train(run, Reporter(run))
    lines = (run.folder / "history.jsonl").read_text().splitlines(keepends=True)
    (run.folder / "history.jsonl").write_text("".join(lines[:-1]) + lines[-1][:20])
    train(run, Reporter(run))
    assert [record["epoch"] for record in run.history()] == [1, 2, 3]


def test_a_damaged_checkpoint_is_passed_over_for_the_one_before(runs_dir: Path) -> None:
    run = runs.create(digits_experiment(epochs=2, batch_size=128, checkpoint_every=1), runs_dir)
    train(run, Reporter(run))
    assert [point.info.epoch for point in run.checkpoints()] == [1, 2]
    run.checkpoint("last").weights.write_bytes(b"garbage")
    train(run, Reporter(run))
    assert run.status().state == "completed"
    assert "damaged" in [event["event"] for event in run.events()]
    assert [record["epoch"] for record in run.history()] == [1, 2]


def test_where_every_checkpoint_is_damaged_the_run_says_so(runs_dir: Path) -> None:
    run = runs.create(digits_experiment(epochs=1, batch_size=128), runs_dir)
    train(run, Reporter(run))
    for point in run.checkpoints():
        point.state.write_bytes(b"garbage")
    with pytest.raises(UserError) as refused:
        train(run, Reporter(run))
    assert_one_line(str(refused.value), "checkpoints", "duplicate")


def test_a_run_is_not_resumed_on_other_images(runs_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import dataclasses

    run = runs.create(digits_experiment(epochs=1, batch_size=128), runs_dir)
    train(run, Reporter(run))
    other = dataclasses.replace(datasets.load("digits"), fingerprint="0123456789abcdef")
    changed = dataclasses.replace(datasets.source("digits"), load=lambda root, progress: other)
    monkeypatch.setitem(datasets.SOURCES, "digits", changed)
    with pytest.raises(UserError) as refused:
        train(run, Reporter(run))
    assert_one_line(str(refused.value), "Digits", "no longer")


def test_a_batch_depends_on_seed_epoch_and_number_alone() -> None:
    digits = datasets.load("digits")
    training, _ = digits.training_splits(0.1, 0)
    recipe = make_recipe(batch_size=100, flip=True, shift=2, mixup=0.3)
    preprocessing = digits.preprocessing((8, 8))
    whole = list(epoch_batches(training, 10, preprocessing, recipe, 3))
    later = list(epoch_batches(training, 10, preprocessing, recipe, 3, first=5))
    assert len(whole) == 12
    for mine, theirs in zip(whole[5:], later, strict=True):
        assert np.array_equal(mine[0], theirs[0])
        assert np.array_equal(mine[1], theirs[1])


def test_time_at_work_leaves_out_the_time_between_the_sittings(runs_dir: Path) -> None:
    run = runs.create(digits_experiment(epochs=1, batch_size=128), runs_dir)
    train(run, Reporter(run))
    before = run.history()[-1]["worked"]  # as its checkpoint has it, from which the second sitting goes on
    actions_before = run.history()
    status = run.status().model_copy(update={"started": run.status().started - 10_000})
    run.write_status(status)
    train(run, Reporter(run))
    assert before <= run.status().worked < before + 60
    assert run.history() == actions_before
