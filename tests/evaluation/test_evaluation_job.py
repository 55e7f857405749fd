"""Evaluations in a process of their own, and what one takes away from them."""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cnnlab.evaluation import Key, evaluate, export, kept_evaluation, kept_predictions, split_of
from cnnlab.evaluation.job import evaluation_job, evaluations_job
from cnnlab.inference.classifier import load_classifier
from cnnlab.runs.run import Run
from cnnlab.storage.jobs import Job
from cnnlab.storage.process import PROCESS_FILE, ProcessRecord, is_alive
from tests.conftest import PATIENCE, Output, assert_one_line, assert_refused


@pytest.fixture
def run(trained_run: Run, tmp_path: Path) -> Run:
    """A copy that was not evaluated."""
    copied = shutil.copytree(
        trained_run.folder, tmp_path / "runs" / trained_run.id, ignore=shutil.ignore_patterns("evaluations")
    )
    return Run(Path(copied))


@pytest.fixture
def job(run: Run) -> Job:
    return evaluation_job(run, Key("test", run.checkpoint("best").info.step))


def wait(happened: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def pid_of(job: Job) -> int:
    return ProcessRecord.model_validate_json((job.folder / PROCESS_FILE).read_bytes()).pid


def test_an_evaluation_goes_on_by_itself_and_leaves_its_figures(run: Run, job: Job) -> None:
    assert job.progress() is None
    job.start()
    first = pid_of(job)
    job.start()  # the second tab
    assert pid_of(job) == first
    now = job.progress()
    assert now is not None
    assert not now.failed
    wait(lambda: kept_evaluation(run))
    wait(lambda: not is_alive(job.folder))
    kept = kept_evaluation(run)
    assert kept is not None
    assert kept.accuracy > 0.9
    wait(lambda: sorted(path.name for path in job.folder.iterdir()) == ["evaluation.json", "predictions.npz"])
    assert job.progress() is None


def test_many_runs_are_evaluated_one_after_the_other(run: Run) -> None:
    other = Run(Path(shutil.copytree(run.folder, run.folder.with_name("other"))))
    job = evaluations_job([run, other], run.folder.parent / ".measuring")
    job.start()
    wait(lambda: kept_evaluation(other))
    wait(lambda: not job.folder.exists())  # it leaves nothing of itself
    assert kept_evaluation(run)


def test_a_killed_evaluation_says_so_and_can_be_started_again(run: Run, job: Job) -> None:
    job.start()
    os.kill(pid_of(job), signal.SIGKILL)
    wait(lambda: not is_alive(job.folder))
    told = job.progress()
    assert told is not None
    assert told.failed
    assert_one_line(told.message, "killed")
    assert kept_evaluation(run) is None
    job.start()
    wait(lambda: kept_evaluation(run))


def test_a_cancelled_evaluation_leaves_nothing(run: Run, job: Job) -> None:
    job.start()
    pid = pid_of(job)
    job.cancel()
    wait(lambda: not Path(f"/proc/{pid}").exists() or "Z" in Path(f"/proc/{pid}/stat").read_text().split()[2])
    assert not job.folder.exists()
    assert job.progress() is None


def test_an_evaluation_that_cannot_be_says_why(run: Run) -> None:
    job = evaluation_job(run, Key("test", 999_999))
    job.start()
    wait(lambda: (told := job.progress()) is not None and told.failed and "999,999" in told.message)


@pytest.fixture
def evaluated(run: Run) -> Run:
    evaluate(load_classifier(run))
    return run


def test_the_tables_hold_what_the_page_shows(evaluated: Run) -> None:
    kept = kept_evaluation(evaluated)
    assert kept is not None
    found = kept_predictions(evaluated, kept)
    report = list(csv.DictReader(io.StringIO(export.report_csv(kept))))
    assert [row["class"] for row in report] == [*"0123456789", "macro avg", "weighted avg"]
    assert float(report[3]["recall"]) == kept.report["3"]["recall"]
    confusion = list(csv.reader(io.StringIO(export.confusion_csv(kept))))
    assert [[int(cell) for cell in row[1:]] for row in confusion[1:]] == kept.confusion
    images = list(csv.DictReader(io.StringIO(export.images_csv(kept, found))))
    assert len(images) == kept.images
    right = np.mean([row["true class"] == row["predicted class"] for row in images])
    assert right == pytest.approx(kept.accuracy)


def test_the_html_report_opens_without_a_network(evaluated: Run) -> None:
    kept = kept_evaluation(evaluated)
    assert kept is not None
    found = kept_predictions(evaluated, kept)
    mistakes = found.mistakes()[: export.SHOWN_MISTAKES]
    page = export.html_report(evaluated, kept, found, split_of(evaluated, "test").batch(mistakes)[0])
    assert f"{kept.accuracy:.2%}" in page
    assert evaluated.config.experiment.command() in page.replace("&#x27;", "'")
    assert page.count('<img src="data:image/png;base64,') == len(mistakes)
    assert not re.search(r"""<(script|link|img)[^>]*(src|href)=["']?(https?:)?//""", page)


def test_the_command_line_evaluates_any_checkpoint_by_any_view_and_writes_files(
    run: Run, tmp_path: Path, call: Callable[..., Output]
) -> None:
    where = ("--runs-dir", str(run.folder.parent))
    page, table = tmp_path / "report.html", tmp_path / "images.csv"
    told = call(
        "evaluate", run.id, "--checkpoint", "last", "--tta", "mirror", "--html", str(page), "--csv", str(table),
        "--json", *where,
    ).json()  # fmt: skip
    assert told["tta"] == "mirror"
    assert told["step"] == run.checkpoint("last").info.step
    assert page.read_text().startswith("<!doctype html>")
    assert len(table.read_text().splitlines()) == told["images"] + 1
    assert_refused(call("evaluate", run.id, "--checkpoint", "99", *where), "99")
    assert_refused(call("evaluate", run.id, "--csv", str(tmp_path / "none" / "x.csv"), *where), "x.csv")
