"""Work in a process of its own that is no training: an evaluation, the preparation of a data set.

A job has a folder. While it works, progress.json there says how far it is, process.json who works, and log.txt what it
printed. A page asks for it, looks at it, may cancel it, and may be gone meanwhile.
"""

from __future__ import annotations

import os
import signal
import time
import traceback
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from cnnlab.errors import UserError
from cnnlab.storage import process
from cnnlab.storage.files import write_text
from cnnlab.storage.leftovers import sweep

PROGRESS_FILE = "progress.json"
PROGRESS_SECONDS = 0.3
SPEED_SECONDS = 10.0
LEAST_SECONDS = 2.0
LEAST_REPORTS = 5
FILES = (PROGRESS_FILE, process.PROCESS_FILE, "log.txt", "lock")


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
        if len(self.reports) < LEAST_REPORTS or now - began < LEAST_SECONDS:
            return None
        return (1 - fraction) * (now - began) / (fraction - before)


@dataclass(frozen=True)
class Job:
    """`python -m <arguments>`, working in `folder`."""

    folder: Path
    arguments: tuple[str, ...]

    def start(self) -> None:
        """Start it, unless it is at work already; UserError where the folder takes no files."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with process.locked(self.folder / "lock"):
                if not process.is_alive(self.folder):
                    self.say(JobProgress(told=time.time()))
                    process.spawn(["-m", *self.arguments], self.folder / "log.txt", self.folder)
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
        with suppress(OSError, ValidationError):
            record = process.ProcessRecord.model_validate_json((self.folder / process.PROCESS_FILE).read_bytes())
            if process.is_alive(self.folder):
                os.kill(record.pid, signal.SIGKILL)
        self.clear()

    def clear(self) -> None:
        """Remove what only a job at work needs, and its folder if that was all."""
        for name in FILES:
            (self.folder / name).unlink(missing_ok=True)
        with suppress(OSError):
            self.folder.rmdir()

    def say(self, progress: JobProgress) -> None:
        write_text(self.folder / PROGRESS_FILE, progress.model_dump_json(), lasting=False)


def work(folder: Path, do: Callable[[Callable[[str, float | None], None]], object], what: str) -> int:
    """The job's own process: do the work, told a progress to report to; its exit code.

    What ends it stands in progress.json: one sentence, `what` failed.
    """
    job = Job(folder, ())
    folder.mkdir(parents=True, exist_ok=True)
    process.record_process(folder, os.getpid())
    sweep(folder)
    told, remaining = 0.0, Remaining()

    def tell(message: str, fraction: float | None = None) -> None:
        nonlocal told
        if time.monotonic() - told > PROGRESS_SECONDS:
            told = time.monotonic()
            left = remaining.after(told, fraction)
            with suppress(OSError):  # a full disk is told of when the result is written
                job.say(JobProgress(message=message, fraction=fraction, left=left, told=time.time()))

    def fail(message: str) -> None:
        with suppress(OSError):
            job.say(JobProgress(message=message, failed=True, told=time.time()))

    try:
        do(tell)
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
