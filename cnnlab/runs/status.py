"""What a run says of itself while it works, and how it ended."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

State = Literal[
    "queued",
    "submitted",
    "starting",
    "preparing",
    "running",
    "paused",
    "completed",
    "stopped",
    "failed",
    "interrupted",
]
"""`submitted` is a run that its launcher has and whose training has not begun. `interrupted` is never written: it is a
run that was submitted or at work, and is gone."""

ACTIVE: tuple[State, ...] = ("submitted", "starting", "preparing", "running")
"""A run that takes a place among those at work at a time."""
NOT_BEGUN: tuple[State, ...] = ("queued", "submitted")
"""A run whose training has not begun: there is nothing to save or to finish, so it can only be taken out."""
RESUMABLE: tuple[State, ...] = ("paused", "stopped", "failed", "interrupted")
WAITING_SECONDS = 60.0
STEPS_MISSED = 20


class Status(BaseModel):
    """A run's status file. Times are Unix seconds; `step` counts from the start of the run.

    `worked` is the time at work in all sittings, without the time between them; `updated` is when the process last
    wrote this; `memory` is the process's, in bytes.
    """

    model_config = ConfigDict(extra="ignore")

    state: State = "starting"
    message: str = ""
    fraction: float | None = None
    step: int = 0
    steps_per_epoch: int = 0
    epochs: int = 0
    training_images: int = 0
    validation_images: int = 0
    images_per_second: float | None = None
    learning_rate: float | None = None
    memory: int | None = None
    seconds_left: float | None = None
    started: float = 0.0
    worked: float = 0.0
    updated: float = 0.0
    ended: float | None = None

    @property
    def steps(self) -> int:
        return self.steps_per_epoch * self.epochs

    def seconds_worked(self, now: float) -> float:
        """Time at work, up to this moment while it works."""
        going_on = self.state in ACTIVE and self.state != "submitted" and self.updated
        return self.worked + (max(now - self.updated, 0.0) if going_on else 0.0)

    def silence(self, now: float) -> float | None:
        """Seconds without a word from a training that should have spoken by now: it hangs; None where all is well."""
        if self.state != "running" or not self.updated:
            return None
        images = self.training_images / self.steps_per_epoch if self.steps_per_epoch else 0
        step = images / self.images_per_second if self.images_per_second else 0.0
        silent = now - self.updated
        return silent if silent > WAITING_SECONDS + STEPS_MISSED * step else None
