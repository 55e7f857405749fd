"""Evaluations in a process of their own. Its figures appear when they are complete: a killed one leaves nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cnnlab.datasets import Progress
from cnnlab.evaluation.store import Key, evaluate
from cnnlab.runs.run import Run
from cnnlab.storage import jobs
from cnnlab.storage.jobs import Job

MANY = "many"


def evaluation_job(run: Run, key: Key) -> Job:
    """The job that makes this evaluation, in the evaluation's own folder."""
    arguments = ("cnnlab.evaluation", str(run.folder), key.split, str(key.step), key.view)
    return Job(key.folder(run), arguments)


def evaluations_job(runs: Sequence[Run], folder: Path) -> Job:
    """The job that evaluates the best checkpoint of each run on its test images, one after the other."""
    return Job(folder, ("cnnlab.evaluation", str(folder), MANY, *(str(run.folder) for run in runs)))


def work_all(folder: str, *run_folders: str) -> int:
    """The process of many."""

    def do(progress: Progress) -> None:
        progress("Loading TensorFlow", None)
        from cnnlab.inference.classifier import load_classifier

        for place, path in enumerate(run_folders):
            done = f"{place + 1} of {len(run_folders)} networks"

            def tell(message: str, fraction: float | None, place: int = place, done: str = done) -> None:
                progress(f"{done}, {message}", (place + (fraction or 0)) / len(run_folders))

            evaluate(load_classifier(Run(Path(path))), "test", progress=tell)

    return jobs.work(Path(folder), do, "The evaluation")


def work(run_folder: str, split: str, step: str, view: str) -> int:
    """The process itself."""
    run, key = Run(Path(run_folder)), Key(split, int(step), view)  # type: ignore[arg-type]

    def do(progress: Progress) -> None:
        progress("Loading TensorFlow and the network", None)
        from cnnlab.inference.classifier import load_classifier

        evaluate(load_classifier(run, run.checkpoint_at(key.step)), key.split, key.view, progress)

    return jobs.work(key.folder(run), do, "The evaluation")
