"""An evaluation in a process of its own: asked for on a page, it goes on without it.

While it works, the evaluation's folder also holds process.json (who works), progress.json (how far it is) and log.txt;
the figures appear there when they are complete, so a killed job leaves nothing half done.
"""

from __future__ import annotations

import os
import shutil
import signal
import time
import traceback
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from cnnlab.errors import UserError
from cnnlab.evaluation.store import EVALUATION_FILE, Key, evaluate
from cnnlab.runs import process
from cnnlab.runs.files import write_text
from cnnlab.runs.run import Run

PROGRESS_FILE = "progress.json"
PROGRESS_SECONDS = 0.3
JOB_FILES = (PROGRESS_FILE, process.PROCESS_FILE, "log.txt", "lock")


class Progress(BaseModel):
    """How far a job is: a message, and the share done where it is known; `failed` where it ended without figures."""

    model_config = ConfigDict(extra="ignore")

    message: str = "Starting"
    fraction: float | None = None
    failed: bool = False


@dataclass(frozen=True)
class Job:
    """The evaluation of `key` of a run, under way or not."""

    run: Run
    key: Key

    @property
    def folder(self) -> Path:
        return self.key.folder(self.run)

    @property
    def done(self) -> bool:
        return (self.folder / EVALUATION_FILE).exists()

    def start(self) -> None:
        """Start it, unless it is at work already; UserError where the run's folder takes no files."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with process.locked(self.folder / "lock"):
                if process.is_alive(self.folder):
                    return
                write_text(self.folder / PROGRESS_FILE, Progress().model_dump_json())
                arguments = ["-m", "cnnlab.evaluation", str(self.run.folder), *map(str, self.words)]
                process.spawn(arguments, self.folder / "log.txt", self.folder)
        except OSError as error:
            raise UserError(f"The evaluation of run {self.run.id} cannot be started: {error.strerror}.") from error

    @property
    def words(self) -> tuple[str, int, str]:
        return self.key.split, self.key.step, self.key.view

    def progress(self) -> Progress | None:
        """How far it is; None where it was not asked for, has been cancelled, or is done."""
        if self.done:
            return None
        try:
            found = Progress.model_validate_json((self.folder / PROGRESS_FILE).read_bytes())
        except (OSError, ValidationError):
            return None
        if not found.failed and not process.is_alive(self.folder) and not self.done:
            words = "The evaluation ended without a word: killed, or the machine went down. Start it again."
            return Progress(message=words, failed=True)
        return found

    def cancel(self) -> None:
        """End it and forget it; nothing of it is kept."""
        with suppress(OSError, ValidationError):
            record = process.ProcessRecord.model_validate_json((self.folder / process.PROCESS_FILE).read_bytes())
            if process.is_alive(self.folder):
                os.kill(record.pid, signal.SIGKILL)
        if not self.done:
            shutil.rmtree(self.folder, ignore_errors=True)


def jobs(run: Run) -> list[Job]:
    """The evaluations of a run that are under way or have failed."""
    found = []
    for folder in sorted((run.folder / "evaluations").glob(f"*/{PROGRESS_FILE}")):
        split, step, view = folder.parent.name.split("-", 2)
        job = Job(run, Key(split, int(step), view))  # type: ignore[arg-type]
        if not job.done:
            found.append(job)
    return found


def work(run_folder: str, split: str, step: str, view: str) -> int:
    """The process itself."""
    job = Job(Run(Path(run_folder)), Key(split, int(step), view))  # type: ignore[arg-type]
    process.record_process(job.folder, os.getpid())
    told = 0.0

    def tell(message: str, fraction: float | None = None) -> None:
        nonlocal told
        if time.monotonic() - told > PROGRESS_SECONDS:
            told = time.monotonic()
            say(job, Progress(message=message, fraction=fraction))

    try:
        say(job, Progress(message="Loading TensorFlow and the network"))
        from cnnlab.prediction import load_classifier

        point = next((point for point in job.run.checkpoints() if point.info.step == job.key.step), None)
        if point is None:
            raise UserError(f"Run {job.run.id} no longer has the checkpoint of step {job.key.step:,}.")
        evaluate(load_classifier(job.run, point), job.key.split, job.key.view, tell)
    except UserError as error:
        say(job, Progress(message=str(error), failed=True))
        return 2
    except MemoryError:
        say(job, Progress(message="The evaluation ran out of memory.", failed=True))
        return 1
    except Exception as error:  # our defect: the log has it whole
        traceback.print_exc()
        say(job, Progress(message=f"The evaluation failed: {type(error).__name__}: {error}", failed=True))
        return 1
    for name in JOB_FILES:
        (job.folder / name).unlink(missing_ok=True)
    return 0


def say(job: Job, progress: Progress) -> None:
    with suppress(OSError):  # a full disk is told of when the figures are written
        write_text(job.folder / PROGRESS_FILE, progress.model_dump_json(), lasting=False)
