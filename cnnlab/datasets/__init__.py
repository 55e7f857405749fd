"""The data sets, by name."""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_cache_path

from cnnlab.datasets.cifar10 import CIFAR10
from cnnlab.datasets.cifar100 import CIFAR100
from cnnlab.datasets.dataset import Dataset, Split, SplitName
from cnnlab.datasets.digits import DIGITS
from cnnlab.datasets.imported import imported_sources
from cnnlab.datasets.mnist import FASHION_MNIST, MNIST
from cnnlab.datasets.source import Source
from cnnlab.datasets.tiny_imagenet import TINY_IMAGENET, TINY_IMAGENET_OFFICIAL
from cnnlab.errors import UserError
from cnnlab.storage.progress import Progress, silent

__all__ = [
    "SOURCES",
    "Dataset",
    "Progress",
    "Source",
    "Split",
    "SplitName",
    "data_root",
    "load",
    "ready",
    "silent",
    "source",
    "sources",
]

KNOWN = (DIGITS, MNIST, FASHION_MNIST, CIFAR10, CIFAR100, TINY_IMAGENET, TINY_IMAGENET_OFFICIAL)
SOURCES = {source.name: source for source in KNOWN}


def data_root() -> Path:
    """Where data sets stand: CNNLAB_DATA, or the platform's cache folder."""
    named = os.environ.get("CNNLAB_DATA")
    return Path(named).expanduser().resolve() if named else user_cache_path("cnnlab", appauthor=False)


def sources() -> dict[str, Source]:
    """All data sets by name, as they are here: those that cnnlab knows, then those that were imported."""
    root = data_root()
    return {**{name: source.here(root) for name, source in SOURCES.items()}, **imported_sources(root)}


def source(name: str) -> Source:
    """The data set of that name as it is here; UserError, listing the names, if there is none."""
    if name in SOURCES:
        return SOURCES[name].here(data_root())
    found = sources().get(name)
    if found is None:
        raise UserError(f"There is no data set {name!r}; there are {', '.join(sources())}.")
    return found


class _WorkToDo(Exception):
    """A data set would have to be downloaded or decoded first."""


def ready(name: str) -> Dataset | None:
    """The data set of that name if it can be had at once; None where it must be prepared first, or cannot be had."""

    def refuse(message: str, fraction: float | None = None) -> None:
        raise _WorkToDo

    try:
        return source(name).load(data_root(), refuse)
    except (_WorkToDo, UserError):
        return None


def load(name: str, progress: Progress = silent) -> Dataset:
    """The data set of that name, decoded or downloaded first where needed; UserError where that fails."""
    return source(name).load(data_root(), progress)
