"""A classification report as somebody else has printed it, to be held against ours."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ReportLine:
    """A line of a classification report: a class, or an average over the classes."""

    label: str
    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True)
class ClassificationReport:
    """A classification report as printed, to two digits."""

    architecture: str
    dataset: str
    source: str
    classes: tuple[ReportLine, ...]
    accuracy: float
    macro: ReportLine
    weighted: ReportLine
