"""What is said of an accuracy that somebody reports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cnnlab.architectures.options import Value

Metric = Literal["rank-1 accuracy", "rank-5 accuracy"]


@dataclass(frozen=True)
class PublishedAccuracy:
    """One reported accuracy.

    `value` is a share of the images, 1 - error where an error is printed; `printed` is the figure itself. `options`
    are those that the network needs to be the one that was measured.
    """

    architecture: str
    dataset: str
    split: str
    metric: Metric
    value: float
    printed: str
    conditions: str
    source: str
    options: tuple[tuple[str, Value], ...] = ()


def from_error(printed: str) -> float:
    """The accuracy, as a share, that leaves this error in percent."""
    return round(1 - float(printed) / 100, 6)
