"""What changes over a training: the learning rate at any moment, counted in epochs, and the images' size by epoch."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BeforeValidator, Field

ScheduleName = Literal["constant", "steps", "linear", "cosine", "one-cycle", "cyclic"]

SCHEDULES: dict[ScheduleName, str] = {
    "constant": "Constant",
    "steps": "Steps by epoch",
    "linear": "Linear to the lowest rate",
    "cosine": "Cosine to the lowest rate",
    "one-cycle": "One cycle: up, then down",
    "cyclic": "Cyclic triangles",
}

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


def rate_at(
    schedule: ScheduleName,
    epoch: float,
    epochs: int,
    highest: float,
    lowest: float = 0.0,
    milestones: Sequence[Milestone] = (),
    cycle_epochs: float = 8,
    warmup_epochs: float = 0,
) -> float:
    """Learning rate after `epoch` of `epochs` epochs, of which a step sees the moment before it.

    `steps` changes where the milestones say; `linear` and `cosine` fall from `highest` to `lowest` at the end;
    `one-cycle` rises from a 25th of `highest` over the first 30% and falls to `lowest` along cosines (Smith and Topin,
    2018, arXiv:1708.07120); `cyclic` swings between `lowest` and `highest` in triangles of `cycle_epochs` (Smith, 2017,
    arXiv:1506.01186). A warm-up rises from 0 to the schedule's first rate, and the schedule has the rest of the
    epochs; milestones count from the training's beginning all the same.
    """
    if epoch < warmup_epochs:
        return rate_at(schedule, 0, epochs, highest, lowest, milestones, cycle_epochs) * epoch / warmup_epochs
    passed, length = epoch - warmup_epochs, epochs - warmup_epochs
    done = min(passed / length, 1.0)
    match schedule:
        case "constant":
            return highest
        case "steps":
            return valid_from(milestones, epoch) or highest
        case "linear":
            return highest + (lowest - highest) * done
        case "cosine":
            return along_cosine(highest, lowest, done)
        case "one-cycle":
            if done < ONE_CYCLE_RISE:
                return along_cosine(highest * ONE_CYCLE_START, highest, done / ONE_CYCLE_RISE)
            return along_cosine(highest, lowest, (done - ONE_CYCLE_RISE) / (1 - ONE_CYCLE_RISE))
        case "cyclic":
            return lowest + (highest - lowest) * (1 - abs(2 * (passed / cycle_epochs % 1) - 1))


def along_cosine(start: float, end: float, done: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * done)) / 2
