"""What is known of a data set before any of it is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cnnlab.datasets.dataset import Dataset, validation_count

Progress = Callable[[str, float | None], None]
"""Told what is being done and how much of it is done, from 0 to 1 where that is known."""


def silent(message: str, fraction: float | None = None) -> None:
    """A progress that nobody watches."""


@dataclass(frozen=True)
class Source:
    """A data set one can choose. `find` says what is on disk under a data root (None: nothing); `load` gives the data
    set, decoding or downloading it first where needed.

    `classes` is their number. `held_out` of the training images are the data set's own validation part; `download` is
    what would be fetched where nothing is found, or empty where one has to put the files there oneself, as `tree`.
    """

    name: str
    title: str
    summary: str
    classes: int
    image_size: int
    train_images: int
    test_images: int
    find: Callable[[Path], str | None]
    load: Callable[[Path, Progress], Dataset]
    download: str = ""
    held_out: int = 0
    tree: str = "train/<class>/* and test/<class>/*"
    folder: str = ""

    @property
    def place(self) -> str:
        """The folder under the data root where one's own files go."""
        return self.folder or self.name

    def training_counts(self, validation_fraction: float) -> tuple[int, int]:
        """How many images are trained on and how many held out for validation."""
        held_out = self.held_out or validation_count(self.train_images, validation_fraction)
        return self.train_images - held_out, held_out
