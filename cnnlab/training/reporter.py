"""What a training process tells the world: its status, its history, and how fast it goes."""

from __future__ import annotations

import time
from collections import deque
from typing import Any

from cnnlab.runs.files import append_record, write_text
from cnnlab.runs.run import Run
from cnnlab.runs.status import State, Status

STATUS_SECONDS = 0.5
STEPS_SECONDS = 0.25
WINDOW_SECONDS = 15.0


class Reporter:
    """Writes a run's status.json, history.jsonl and steps.jsonl, none of them more often than anyone can read."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.status = Status(started=time.time())
        self._written = 0.0

    def say(self, state: State, message: str = "", **changes: Any) -> None:
        """Change the status and write it at once."""
        self.status = self.status.model_copy(update={"state": state, "message": message, "fraction": None, **changes})
        self._write()

    def progress(self, message: str, fraction: float | None) -> None:
        """Tell how far the preparation is."""
        self.status = self.status.model_copy(update={"message": message, "fraction": fraction})
        self._write_sometimes()

    def _write(self) -> None:
        self._written = time.monotonic()
        write_text(self.run.folder / "status.json", self.status.model_dump_json())

    def _write_sometimes(self) -> None:
        if time.monotonic() - self._written >= STATUS_SECONDS:
            self._write()

    def begin_epoch(self) -> None:
        """Forget the times before a pause that was no training, such as a validation."""
        self._moments: deque[tuple[float, int]] = deque([(time.monotonic(), 0)])
        self._losses: list[float] = []
        self._right = 0
        self._seen = 0
        self._noted = 0.0

    def step(self, step: int, loss: float, right: int, images: int, validation_seconds: float) -> None:
        """Tell of a finished training step."""
        now = time.monotonic()
        self._moments.append((now, images))
        while len(self._moments) > 2 and now - self._moments[0][0] > WINDOW_SECONDS:
            self._moments.popleft()
        self._losses.append(loss)
        self._right, self._seen = self._right + right, self._seen + images
        if now - self._noted >= STEPS_SECONDS:
            self._note(step)
        status = self.status
        rate = self.rate()
        batch_images = (status.steps - step) * images
        epochs_left = status.epochs - step // status.steps_per_epoch
        left = batch_images / rate + epochs_left * validation_seconds if rate else None
        self.status = status.model_copy(update={"step": step, "images_per_second": rate, "seconds_left": left})
        self._write_sometimes()

    def rate(self) -> float | None:
        """Images per second over the last few seconds of training."""
        (began, _), *later = self._moments
        seconds = self._moments[-1][0] - began
        return sum(images for _, images in later) / seconds if seconds > 0 else None

    def _note(self, step: int) -> None:
        record = {
            "step": step,
            "epoch": step / self.status.steps_per_epoch,
            "loss": sum(self._losses) / len(self._losses),
            "accuracy": self._right / self._seen,
        }
        append_record(self.run.folder / "steps.jsonl", record)
        self._losses, self._right, self._seen, self._noted = [], 0, 0, time.monotonic()

    def end_epoch(self, record: dict[str, Any]) -> None:
        append_record(self.run.folder / "history.jsonl", record)
        self._write()
