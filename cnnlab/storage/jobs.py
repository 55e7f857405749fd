"""Work in a process of its own that is no training: an evaluation, the preparation of a data set.

A job has a folder. While it works, request.json there says what it is asked to do, progress.json how far it is,
process.json who works, and log.txt what it printed. A page asks for it, looks at it, may cancel it, and may be gone
meanwhile.

`python -m cnnlab.storage.jobs FOLDER` is the process of every job. What can be asked for are the classes of
`REQUEST_CLASSES` and nothing else.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
import traceback
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, ValidationError

from cnnlab.errors import UserError
from cnnlab.storage import process
from cnnlab.storage.files import write_text
from cnnlab.storage.leftovers import sweep
from cnnlab.storage.progress import Progress

REQUEST_FILE = "request.json"
PROGRESS_FILE = "progress.json"
PROGRESS_SECONDS = 0.3
SPEED_SECONDS = 10.0
LEAST_SECONDS_OF_WORK = 2.0
LEAST_REPORTS = 5
JOB_FILES = (REQUEST_FILE, PROGRESS_FILE, process.PROCESS_FILE, "log.txt", "lock")
REQUEST_CLASSES = {
    "prepare": "cnnlab.datasets.job:PrepareRequest",
    "import": "cnnlab.datasets.job:ImportRequest",
    "reference": "cnnlab.inference.reference:ReferenceRequest",
    "evaluate": "cnnlab.evaluation.job:EvaluationRequest",
    "silence": "cnnlab.evaluation.silencing:SilencingRequest",
    "evaluate-many": "cnnlab.evaluation.job:EvaluationsRequest",
    "calibrate": "cnnlab.training.calibration:CalibrationRequest",
    "export": "cnnlab.zoo.export:ExportRequest",
    "fetch": "cnnlab.zoo.pretrained:FetchRequest",
    "check-cluster": "cnnlab.cluster.check:ClusterCheckRequest",
}
"""The kinds of request and where their classes stand; by name, as this room knows no other."""


class Request(BaseModel, ABC):
    """What a job is asked to do; each kind is a class in its own room, with arguments that are checked."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: ClassVar[str]
    what: ClassVar[str]
    """How the work is called where it fails: "The evaluation"."""

    @abstractmethod
    def work(self, progress: Progress) -> object:
        """Do it, and say meanwhile how far it is."""


def written(request: Request) -> str:
    return json.dumps({"kind": request.kind, "arguments": request.model_dump(mode="json")})


def request_in(folder: Path) -> Request:
    """What is asked for in a job's folder; UserError where that is missing, damaged, or nothing that is known."""
    try:
        found = json.loads((folder / REQUEST_FILE).read_bytes())
        module, _, name = REQUEST_CLASSES[found["kind"]].partition(":")
        kind: type[Request] = getattr(importlib.import_module(module), name)
        return kind.model_validate(found["arguments"])
    except (OSError, ValueError, KeyError, TypeError) as error:  # pydantic's ValidationError is a ValueError
        raise UserError(
            f"{folder / REQUEST_FILE} is missing or damaged: it holds the kind ({', '.join(REQUEST_CLASSES)}) and the "
            "arguments of a job. Ask for the job anew."
        ) from error


class JobProgress(BaseModel):
    """How far a job is: a message, and the share done where it is known; `failed` where it ended without a result.

    `left` is how many seconds it still took when that was said, at the moment `told`.
    """

    model_config = ConfigDict(extra="ignore")

    message: str = "Starting"
    fraction: float | None = None
    failed: bool = False
    left: float | None = None
    told: float = 0.0

    def seconds_left(self, now: float) -> float | None:
        """How long it still takes; None where that is not known, or was known and is over."""
        if self.left is None or self.failed:
            return None
        left = self.left - (now - self.told)
        return left if left > 0 else None


class Remaining:
    """How long work still takes, by the speed of the last seconds.

    What comes before its second share does not count, such as loading TensorFlow and compiling; and of a few stages of
    unlike length, as an export has, nothing follows.
    """

    def __init__(self) -> None:
        self.done = -1.0
        self.reports: deque[tuple[float, float]] = deque()

    def after(self, now: float, fraction: float | None) -> float | None:
        """Seconds left once so much is done; None while there is too little to say it by."""
        if fraction is None or fraction < self.done:  # another piece of work
            self.reports.clear()
            self.done = -1.0 if fraction is None else fraction
            return None
        if fraction > self.done:
            if self.done >= 0:
                self.reports.append((now, fraction))
            self.done = fraction
        if not self.reports:
            return None
        while len(self.reports) > LEAST_REPORTS and now - self.reports[0][0] > SPEED_SECONDS:
            self.reports.popleft()
        began, before = self.reports[0]
        if len(self.reports) < LEAST_REPORTS or now - began < LEAST_SECONDS_OF_WORK:
            return None
        return (1 - fraction) * (now - began) / (fraction - before)


@dataclass(frozen=True)
class Job:
    """Work in `folder`; without a request it can be looked at and cancelled."""

    folder: Path
    request: Request | None = None

    def start(self) -> None:
        """Start it, unless it is at work already; UserError where the folder takes no files."""
        if self.request is None:
            raise ValueError(f"nothing is asked for in {self.folder}")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with process.locked(self.folder / "lock"):
                if not process.is_alive(self.folder):
                    self.write_progress(JobProgress(told=time.time()))
                    write_text(self.folder / REQUEST_FILE, written(self.request))
                    arguments = ["-m", "cnnlab.storage.jobs", str(self.folder)]
                    process.spawn(arguments, self.folder / "log.txt", self.folder)
        except OSError as error:
            raise UserError(f"Nothing can be written to {self.folder}: {error.strerror}.") from error

    def progress(self) -> JobProgress | None:
        """How far it is; None where it was not asked for, has been cancelled, or is done."""
        found = self._written()
        if found is None or found.failed or process.is_alive(self.folder):
            return found
        if (found := self._written()) is None or found.failed:  # it may have ended between the two looks
            return found
        return JobProgress(message="It ended without a word: killed, or the machine went down.", failed=True)

    def _written(self) -> JobProgress | None:
        try:
            return JobProgress.model_validate_json((self.folder / PROGRESS_FILE).read_bytes())
        except (OSError, ValidationError):
            return None

    def cancel(self) -> None:
        """End it and forget it."""
        process.end(self.folder)
        self.clear()

    def clear(self) -> None:
        """Remove what only a job at work needs, and its folder if that was all."""
        for name in JOB_FILES:
            (self.folder / name).unlink(missing_ok=True)
        with suppress(OSError):
            self.folder.rmdir()

    def write_progress(self, progress: JobProgress) -> None:
        write_text(self.folder / PROGRESS_FILE, progress.model_dump_json(), lasting=False)


def work(folder: Path, do: Callable[[Progress], object], what: str) -> int:
    """The job's own process: do the work, given a function to report its progress with; its exit code.

    What ends it stands in progress.json: one sentence, `what` failed.
    """
    job = Job(folder)
    folder.mkdir(parents=True, exist_ok=True)
    process.record_process(folder, os.getpid())
    sweep(folder)
    reported, remaining = 0.0, Remaining()

    def report(message: str, fraction: float | None = None) -> None:
        nonlocal reported
        if time.monotonic() - reported > PROGRESS_SECONDS:
            reported = time.monotonic()
            left = remaining.after(reported, fraction)
            with suppress(OSError):  # a full disk is reported when the result is written
                job.write_progress(JobProgress(message=message, fraction=fraction, left=left, told=time.time()))

    def fail(message: str) -> None:
        with suppress(OSError):
            job.write_progress(JobProgress(message=message, failed=True, told=time.time()))

    try:
        do(report)
    except UserError as error:
        fail(str(error))
        return 2
    except MemoryError:
        fail(f"{what} ran out of memory.")
        return 1
    except Exception as error:  # our defect: the log has it whole
        traceback.print_exc()
        fail(f"{what} failed: {type(error).__name__}: {error}")
        return 1
    job.clear()
    return 0


def main(folder: Path) -> int:
    """The process of a job: do what is asked for in its folder; the exit code."""
    try:
        request = request_in(folder)
    except UserError as error:
        with suppress(OSError):
            Job(folder).write_progress(JobProgress(message=str(error), failed=True, told=time.time()))
        return 2
    return work(folder, request.work, request.what)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
