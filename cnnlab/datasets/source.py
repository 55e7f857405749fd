"""What is known of a data set before any of it is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cnnlab.datasets.dataset import Dataset

Progress = Callable[[str, float | None], None]
"""Told what is being done and how much of it is done, from 0 to 1 where that is known."""


def silent(message: str, fraction: float | None = None) -> None:
    """A progress that nobody watches."""


@dataclass(frozen=True)
class Source:
    """A data set one can choose. `find` says what is on disk under a data root (None: nothing, it would have to be
    downloaded); `load` gives the data set, decoding or downloading it first where needed."""

    name: str
    title: str
    summary: str
    classes: tuple[str, ...]
    image_size: int
    train_images: int
    test_images: int
    find: Callable[[Path], str | None]
    load: Callable[[Path, Progress], Dataset]
    download: str = ""
