"""The data sets, by name."""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_cache_path

from cnnlab.datasets.cifar10 import CIFAR10
from cnnlab.datasets.dataset import Dataset, Split, SplitName
from cnnlab.datasets.digits import DIGITS
from cnnlab.datasets.source import Progress, Source, silent
from cnnlab.datasets.tiny_imagenet import TINY_IMAGENET
from cnnlab.errors import UserError

__all__ = ["SOURCES", "Dataset", "Progress", "Source", "Split", "SplitName", "data_root", "load", "silent", "source"]

SOURCES = {source.name: source for source in (DIGITS, CIFAR10, TINY_IMAGENET)}


def data_root() -> Path:
    """Where data sets stand: CNNLAB_DATA, or the platform's cache folder."""
    named = os.environ.get("CNNLAB_DATA")
    return Path(named).expanduser().resolve() if named else user_cache_path("cnnlab", appauthor=False)


def source(name: str) -> Source:
    """The data set of that name; UserError, listing the names, if there is none."""
    if name not in SOURCES:
        raise UserError(f"There is no data set {name!r}; there are {', '.join(SOURCES)}.")
    return SOURCES[name]


def load(name: str, progress: Progress = silent) -> Dataset:
    """The data set of that name, decoded or downloaded first where needed; UserError where that fails."""
    return source(name).load(data_root(), progress)
