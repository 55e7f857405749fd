"""Records of history, steps and events: what is written is what the types say, and what is missing hurts nobody."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cnnlab.plots import runs as run_plots
from cnnlab.plots import training as plots
from cnnlab.runs.records import EpochRecord, Event, StepRecord, average_speed, best_of
from cnnlab.runs.run import Run
from cnnlab.zoo.shipped import shipped
from cnnlab.zoo.studies import studies

EARLIEST = {
    "epoch": 1,
    "step": 10,
    "loss": 1.5,
    "accuracy": 0.4,
    "validation_loss": 1.2,
    "validation_accuracy": 0.5,
}


def written(folder: Path, *lines: dict[str, object]) -> Run:
    (folder / "history.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return Run(folder)


def test_runs_that_come_along_hold_what_the_types_say() -> None:
    for run in (*shipped().values(), *(run for study in studies().values() for run in study.runs)):
        for records, kind in ((run.history(), EpochRecord), (run.steps(), StepRecord), (run.events(), Event)):
            for record in records:
                assert kind.__required_keys__ <= set(record) <= set(kind.__annotations__), f"{run.id}: {record}"


@pytest.mark.slow
def test_a_training_writes_what_the_types_say(trained_run: Run) -> None:
    assert all(set(record) == set(EpochRecord.__annotations__) for record in trained_run.history())
    assert all(set(record) == set(StepRecord.__annotations__) for record in trained_run.steps())
    assert all(set(record) == set(Event.__annotations__) for record in trained_run.events())
    assert trained_run.history()
    assert trained_run.steps()
    assert trained_run.events()


def test_a_line_with_no_more_than_is_required_is_read_and_drawn(tmp_path: Path) -> None:
    history = written(tmp_path, EARLIEST).history()
    assert best_of(history) == EARLIEST
    assert average_speed(history) is None
    for measure in plots.CURVE_MEASURES:
        for across in plots.ACROSS:
            plots.learning_curves(measure, history, [], 3, 1, across)
            run_plots.run_curves([("early", history)], measure, across, training=True)


@pytest.mark.parametrize("missing", sorted(EpochRecord.__required_keys__))
def test_a_line_that_lacks_what_is_required_is_skipped(tmp_path: Path, missing: str) -> None:
    torn = {name: value for name, value in EARLIEST.items() if name != missing} | {"learning_rate": 0.1}
    whole = EARLIEST | {"epoch": 2, "step": 20}
    assert written(tmp_path, torn, whole).history() == [whole]


def test_a_figure_that_was_no_number_leaves_a_gap(tmp_path: Path) -> None:
    nothing = dict.fromkeys(EpochRecord.__optional_keys__)
    history = written(
        tmp_path, EARLIEST | nothing, EARLIEST | {"epoch": 2, "step": 20, "validation_top5": 0.8}
    ).history()
    assert len(history) == 2
    curves = {trace.name: list(trace.y) for trace in plots.learning_curves("accuracy", history, [], 3, 2).data}
    assert curves["Validation, rank-5"] == pytest.approx([float("nan"), 0.8], nan_ok=True)
    assert average_speed(history) is None
