"""What a run says of itself while it works, and how it ended."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

State = Literal["starting", "preparing", "running", "completed", "stopped", "failed", "interrupted"]
"""`interrupted` is never written: it is a run that was at work and whose process is gone."""

ACTIVE: tuple[State, ...] = ("starting", "preparing", "running")


class Status(BaseModel):
    """A run's status file. Times are Unix seconds; `step` counts from the start of the run."""

    model_config = ConfigDict(extra="forbid")

    state: State = "starting"
    message: str = ""
    fraction: float | None = None
    step: int = 0
    steps_per_epoch: int = 0
    epochs: int = 0
    training_images: int = 0
    validation_images: int = 0
    images_per_second: float | None = None
    seconds_left: float | None = None
    started: float = 0.0
    ended: float | None = None

    @property
    def steps(self) -> int:
        return self.steps_per_epoch * self.epochs
