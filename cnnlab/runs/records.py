"""The lines of a run's history.jsonl, steps.jsonl and events.jsonl.

A line has all that is required here, else it is skipped; what is not may be missing in runs of earlier versions, and a
figure is None where it was not known or no finite number.
"""

# No `from __future__ import annotations`: with it, Python 3.11 does not see which keys are required.

from collections.abc import Sequence
from typing import NotRequired, TypedDict


class EpochRecord(TypedDict):
    """A finished epoch, the first is 1; `step` is the last one in it, `worked` the seconds at work from the beginning
    of the run, `time` when it was written (Unix seconds)."""

    epoch: int
    step: int
    loss: float
    accuracy: float
    validation_loss: float
    validation_accuracy: float
    validation_top5: NotRequired[float | None]
    learning_rate: NotRequired[float | None]
    gradient_norm: NotRequired[float | None]
    seconds: NotRequired[float | None]
    images_per_second: NotRequired[float | None]
    memory: NotRequired[int | None]
    worked: NotRequired[float | None]
    time: NotRequired[float | None]


class StepRecord(TypedDict):
    """The steps since the record before, averaged; `epoch` is how many are done, with a fraction."""

    step: int
    epoch: float
    loss: float
    accuracy: float
    learning_rate: NotRequired[float | None]
    gradient_norm: NotRequired[float | None]
    images_per_second: NotRequired[float | None]
    worked: NotRequired[float | None]


class Event(TypedDict):
    """What happened to a run, and when (Unix seconds)."""

    time: float
    event: NotRequired[str]
    message: NotRequired[str]


Record = EpochRecord | StepRecord

EPOCH_FIGURES = tuple(sorted(EpochRecord.__required_keys__))
STEP_FIGURES = tuple(sorted(StepRecord.__required_keys__))
EVENT_FIGURES = tuple(sorted(Event.__required_keys__))


def best_of(history: Sequence[EpochRecord]) -> EpochRecord | None:
    """The record with the highest validation accuracy; of equals, the one with the lowest validation loss."""
    return max(history, key=lambda record: (record["validation_accuracy"], -record["validation_loss"]), default=None)


def average_speed(history: Sequence[EpochRecord]) -> float | None:
    """Images per second over all epochs whose speed is known: of equally many images each, so the harmonic mean."""
    speeds = [speed for record in history if isinstance(speed := record.get("images_per_second"), float) and speed > 0]
    return len(speeds) / sum(1 / speed for speed in speeds) if speeds else None
