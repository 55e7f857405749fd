"""What a training process tells the world: its status, its history, and how fast it goes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import psutil

from cnnlab.runs.records import EpochRecord, Record, StepRecord
from cnnlab.runs.run import Run
from cnnlab.runs.status import State
from cnnlab.storage.files import append_record, make_reserve, release_reserve
from cnnlab.training.loggers import Logger
from cnnlab.training.pace import Pace

STATUS_SECONDS = 0.5
STEPS_SECONDS = 0.25


@dataclass(frozen=True)
class Step:
    """The figures of one training step: sum of the losses, right answers and images of its batch, gradient norm."""

    loss: float
    right: float
    images: int
    norm: float


class Reporter:
    """Writes a run's status.json, history.jsonl, steps.jsonl and events.jsonl, none more often than anyone can read.

    It goes on where an earlier sitting of the same run ended.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self.began = time.monotonic()
        self.worked_before = 0.0
        self.loggers: Sequence[Logger] = ()
        self._process = psutil.Process()
        self._written = 0.0
        self.status = run.status().model_copy(update={"state": "starting", "message": "", "ended": None})
        self.pace = Pace()
        self.begin_epoch()
        make_reserve(run.folder)

    @property
    def worked(self) -> float:
        """Seconds at work in all sittings."""
        return self.worked_before + time.monotonic() - self.began

    def write_status(self, state: State, message: str = "", **changes: Any) -> None:
        """Change the status and write it at once."""
        self.status = self.status.model_copy(update={"state": state, "message": message, "fraction": None, **changes})
        self._write()

    def end(self, state: State, message: str = "") -> None:
        """The last word of this sitting; on a full disk it takes the room kept for it."""
        release_reserve(self.run.folder)
        try:
            self.write_status(state, message, ended=time.time(), seconds_left=None)
        except OSError:
            self.run.write_status_in_place(self.status)
        with suppress(OSError):
            self.run.log_event(state, message)
        for logger in self.loggers:
            logger.finish(state != "failed")

    def progress(self, message: str, fraction: float | None) -> None:
        """Report how far the preparation is."""
        self.status = self.status.model_copy(update={"message": message, "fraction": fraction})
        self._write_sometimes()

    def _write(self, lasting: bool = True) -> None:
        self._written = time.monotonic()
        now = {"worked": self.worked, "updated": time.time(), "memory": self._process.memory_info().rss}
        self.status = self.status.model_copy(update=now)
        self.run.write_status(self.status, lasting)

    def _write_sometimes(self) -> None:
        if time.monotonic() - self._written >= STATUS_SECONDS:
            self._write(lasting=False)

    def begin_epoch(self, anew: bool = False) -> None:
        """Leave out what was no training, such as a validation; `anew` where the images are of another size now."""
        self.pace.start(anew)
        self._steps: list[Step] = []
        self._steps_written = 0.0

    def report_steps(
        self, step: int, done: Sequence[Step], learning_rate: float, steps_left: float, beside_seconds: float
    ) -> None:
        """Report the steps finished since the last time; `step` is the number of the latest, `beside_seconds` what an
        epoch takes beside its steps."""
        now = time.monotonic()
        self.pace.add(now, sum(one.images for one in done))
        self._steps += done
        rate, status = self.pace.rate(), self.status
        if now - self._steps_written >= STEPS_SECONDS:
            self._write_steps(step, learning_rate, rate)
        epochs_left = status.epochs - step // status.steps_per_epoch
        left = self.pace.seconds_left(steps_left * done[-1].images, epochs_left, beside_seconds)
        self.status = status.model_copy(
            update={"step": step, "images_per_second": rate, "seconds_left": left, "learning_rate": learning_rate}
        )
        self._write_sometimes()

    def _write_steps(self, step: int, learning_rate: float, rate: float | None) -> None:
        seen = sum(one.images for one in self._steps)
        record = StepRecord(
            step=step,
            epoch=step / self.status.steps_per_epoch,
            loss=sum(one.loss for one in self._steps) / seen,
            accuracy=sum(one.right for one in self._steps) / seen,
            learning_rate=learning_rate,
            gradient_norm=sum(one.norm for one in self._steps) / len(self._steps),
            images_per_second=rate,
            worked=self.worked,
        )
        append_record(self.run.folder / "steps.jsonl", record)
        for logger in self.loggers:
            logger.step(step, numbers(record))
        self._steps, self._steps_written = [], time.monotonic()

    def end_epoch(self, record: EpochRecord) -> None:
        append_record(self.run.folder / "history.jsonl", record)
        for logger in self.loggers:
            logger.epoch(record["step"], numbers(record))
        self._write()


def numbers(record: Record) -> dict[str, float]:
    """The figures of a record that are known, but for the step that they belong to."""
    return {name: float(value) for name, value in record.items() if isinstance(value, int | float) and name != "step"}
