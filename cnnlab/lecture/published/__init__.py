"""What the papers and the lecture print, as data with its source, and a comparison with the networks built here."""

from __future__ import annotations

from cnnlab.lecture.published.accuracies import (
    ACCURACIES,
    REPORTS,
    accuracies_for,
    reports_for,
)
from cnnlab.lecture.published.before_and_after import BEFORE_AND_AFTER
from cnnlab.lecture.published.googlenet import DEEPERGOOGLENET_TABLE, GOOGLENET_TABLE
from cnnlab.lecture.published.minigooglenet import MINIGOOGLENET_FIGURE, ZHANG_TABLE_1
from cnnlab.lecture.published.minivggnet import MINIVGGNET_SUMMARY, MINIVGGNET_TABLE
from cnnlab.lecture.published.nin import NIN_MODEL
from cnnlab.lecture.published.reported import PublishedAccuracy
from cnnlab.lecture.published.table import Figure, FigureComparison, PublishedTable, compare
from cnnlab.lecture.published.vgg import VGG16_SUMMARY, VGG_TABLE_1, VGG_TABLE_2

TABLES = (
    VGG_TABLE_1,
    VGG_TABLE_2,
    VGG16_SUMMARY,
    MINIVGGNET_TABLE,
    MINIVGGNET_SUMMARY,
    NIN_MODEL,
    GOOGLENET_TABLE,
    MINIGOOGLENET_FIGURE,
    ZHANG_TABLE_1,
    DEEPERGOOGLENET_TABLE,
    *BEFORE_AND_AFTER,
)


def tables_for(architecture: str) -> list[PublishedTable]:
    """The published tables in which an architecture stands, those of its own lines first."""
    found = [table for table in TABLES if architecture in table.architectures]
    return sorted(found, key=lambda table: len(table.architectures))


__all__ = [
    "ACCURACIES",
    "REPORTS",
    "TABLES",
    "Figure",
    "FigureComparison",
    "PublishedAccuracy",
    "PublishedTable",
    "accuracies_for",
    "compare",
    "reports_for",
    "tables_for",
]
