"""What changes over a training: the learning rate at any moment, counted in epochs, and the images' size by epoch.

Form, command line and validation read the records of `SCHEDULES`, so a schedule is added by adding one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field

from cnnlab.experiments.optimizers import one_of

Number = TypeVar("Number", int, float)

ONE_CYCLE_START = 1 / 25
ONE_CYCLE_RISE = 0.3


def read_pairs(value: Any, form: str, number: Callable[[str], float]) -> Any:
    """Pairs from their text, such as "26:0.001,36:0.0001"; anything else as it is."""
    if not isinstance(value, str):
        return value
    pairs = [part.split(":") for part in value.replace(",", " ").split()]
    try:
        read = tuple((int(epoch), number(text)) for epoch, text in pairs)
    except ValueError as error:  # too few or too many parts, or no numbers
        raise ValueError(f"write each change as {form}") from error
    if not all(math.isfinite(one) for _, one in read):
        raise ValueError(f"its numbers are finite; write each change as {form}")
    return read


def read_milestones(value: Any) -> Any:
    return read_pairs(value, "EPOCH:RATE, such as 26:0.001,36:0.0001", float)


def read_sizes(value: Any) -> Any:
    return read_pairs(value, "EPOCH:SIDE, such as 1:32,11:48,21:64", int)


Milestone = tuple[Annotated[int, Field(ge=2)], Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)]]
Milestones = Annotated[tuple[Milestone, ...], BeforeValidator(read_milestones)]
"""(epoch from 1, the learning rate from that epoch on), rising."""
SizeChange = tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=8, le=1024)]]
Sizes = Annotated[tuple[SizeChange, ...], BeforeValidator(read_sizes)]
"""(epoch from 1, the side of the images in pixels from that epoch on), rising."""


def pairs_text(pairs: Sequence[tuple[int, float]]) -> str:
    """The text that `read_pairs` reads."""
    return ",".join(f"{epoch}:{value:g}" for epoch, value in pairs)


def valid_from(pairs: Sequence[tuple[int, Number]], epoch: float) -> Number | None:
    """The value of the pair that holds after so many epochs; None before the first."""
    return next((value for start, value in reversed(pairs) if epoch >= start - 1), None)


@dataclass(frozen=True)
class Moment:
    """What a schedule may look at: where the training stands, in epochs, and the settings.

    `epoch` counts from the training's beginning, `passed` from the end of the warm-up, and `done` is the share of the
    epochs after it.
    """

    epoch: float
    passed: float
    done: float
    highest: float
    lowest: float
    milestones: Sequence[Milestone]
    cycle_epochs: float


@dataclass(frozen=True)
class Schedule:
    """`settings` are those of a recipe that it takes; `rate` is the learning rate at a moment."""

    title: str
    settings: tuple[str, ...]
    rate: Callable[[Moment], float]


def along_cosine(start: float, end: float, done: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * done)) / 2


def one_cycle(now: Moment) -> float:
    """From a 25th of the highest rate up over the first 30%, then down to the lowest, along cosines (Smith and Topin,
    2018, arXiv:1708.07120)."""
    if now.done < ONE_CYCLE_RISE:
        return along_cosine(now.highest * ONE_CYCLE_START, now.highest, now.done / ONE_CYCLE_RISE)
    return along_cosine(now.highest, now.lowest, (now.done - ONE_CYCLE_RISE) / (1 - ONE_CYCLE_RISE))


def cyclic(now: Moment) -> float:
    """Triangles of `cycle_epochs` between the lowest and the highest rate (Smith, 2017, arXiv:1506.01186)."""
    return now.lowest + (now.highest - now.lowest) * (1 - abs(2 * (now.passed / now.cycle_epochs % 1) - 1))


LOWEST = "lowest_learning_rate"
SCHEDULES = {
    "constant": Schedule("Constant", (), lambda now: now.highest),
    "steps": Schedule(
        "Steps by epoch", ("milestones",), lambda now: valid_from(now.milestones, now.epoch) or now.highest
    ),
    "linear": Schedule(
        "Linear to the lowest rate", (LOWEST,), lambda now: now.highest + (now.lowest - now.highest) * now.done
    ),
    "cosine": Schedule(
        "Cosine to the lowest rate", (LOWEST,), lambda now: along_cosine(now.highest, now.lowest, now.done)
    ),
    "one-cycle": Schedule("One cycle: up, then down", (LOWEST,), one_cycle),
    "cyclic": Schedule("Cyclic triangles", (LOWEST, "cycle_epochs"), cyclic),
}
ScheduleName = Annotated[str, AfterValidator(lambda name: one_of(name, SCHEDULES))]


def rate_at(
    schedule: str,
    epoch: float,
    epochs: int,
    highest: float,
    lowest: float = 0.0,
    milestones: Sequence[Milestone] = (),
    cycle_epochs: float = 8,
    warmup_epochs: float = 0,
) -> float:
    """Learning rate after `epoch` of `epochs` epochs, of which a step sees the moment before it.

    A warm-up rises from 0 to the schedule's first rate, and the schedule has the rest of the epochs; milestones count
    from the training's beginning all the same.
    """
    if epoch < warmup_epochs:
        return rate_at(schedule, 0, epochs, highest, lowest, milestones, cycle_epochs) * epoch / warmup_epochs
    passed, length = epoch - warmup_epochs, epochs - warmup_epochs
    done = min(passed / length, 1.0)
    return SCHEDULES[schedule].rate(Moment(epoch, passed, done, highest, lowest, milestones, cycle_epochs))
