"""Evaluations in a process of their own. Its figures appear when they are complete: a killed one leaves nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from cnnlab.datasets import Progress, SplitName
from cnnlab.evaluation.store import Key, evaluate
from cnnlab.inference.tta import Tta
from cnnlab.runs.run import Run
from cnnlab.storage import jobs
from cnnlab.storage.jobs import Job


class EvaluationRequest(jobs.Request):
    """One evaluation of a run."""

    kind: ClassVar[str] = "evaluate"
    what: ClassVar[str] = "The evaluation"

    run: Path
    split: SplitName
    step: int
    tta: Tta

    def work(self, progress: Progress) -> object:
        progress("Loading TensorFlow and the network", None)
        from cnnlab.inference.classifier import load_classifier

        run = Run(self.run)
        return evaluate(load_classifier(run, run.checkpoint_at(self.step)), self.split, self.tta, progress)


class EvaluationsRequest(jobs.Request):
    """The best checkpoint of each run on its test images, one after the other."""

    kind: ClassVar[str] = "evaluate-many"
    what: ClassVar[str] = "The evaluation"

    runs: tuple[Path, ...]

    def work(self, progress: Progress) -> None:
        progress("Loading TensorFlow", None)
        from cnnlab.inference.classifier import load_classifier

        for place, path in enumerate(self.runs):
            done = f"{place + 1} of {len(self.runs)} networks"

            def report(message: str, fraction: float | None, place: int = place, done: str = done) -> None:
                progress(f"{done}, {message}", (place + (fraction or 0)) / len(self.runs))

            evaluate(load_classifier(Run(path)), "test", progress=report)


def evaluation_job(run: Run, key: Key) -> Job:
    """The job that makes this evaluation, in the evaluation's own folder."""
    wanted = EvaluationRequest(run=run.folder, split=key.split, step=key.step, tta=key.tta)
    return Job(key.folder(run), wanted)


def evaluations_job(runs: Sequence[Run], folder: Path) -> Job:
    """The job that evaluates the best checkpoint of each run on its test images, one after the other."""
    return Job(folder, EvaluationsRequest(runs=tuple(run.folder for run in runs)))
