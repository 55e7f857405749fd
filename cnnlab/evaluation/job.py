"""An evaluation in a process of its own. Its figures appear when they are complete: a killed one leaves nothing."""

from __future__ import annotations

from pathlib import Path

from cnnlab import jobs
from cnnlab.datasets import Progress
from cnnlab.evaluation.store import Key, evaluate
from cnnlab.jobs import Job
from cnnlab.runs.run import Run


def evaluation_job(run: Run, key: Key) -> Job:
    """The job that makes this evaluation, in the evaluation's own folder."""
    arguments = ("cnnlab.evaluation", str(run.folder), key.split, str(key.step), key.view)
    return Job(key.folder(run), arguments)


def work(run_folder: str, split: str, step: str, view: str) -> int:
    """The process itself."""
    run, key = Run(Path(run_folder)), Key(split, int(step), view)  # type: ignore[arg-type]

    def do(progress: Progress) -> None:
        progress("Loading TensorFlow and the network", None)
        from cnnlab.prediction import load_classifier

        evaluate(load_classifier(run, run.checkpoint_at(key.step)), key.split, key.view, progress)

    return jobs.work(key.folder(run), do, "The evaluation")
