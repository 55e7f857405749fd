"""What is known of a data set before any of it is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cnnlab.datasets.dataset import Dataset, validation_count
from cnnlab.datasets.download import Download
from cnnlab.storage.progress import Progress


def as_ever(root: Path) -> Mapping[str, Any]:
    return {}


@dataclass(frozen=True)
class Source:
    """A data set one can choose. `find` says what is on disk under a data root (None: nothing); `load` gives the data
    set, decoding or downloading it first where needed.

    `classes` is their number. `held_out` of the training images are the data set's own validation part; `downloads` is
    what would be fetched where nothing is found, empty where one has to put the files there oneself, as `tree`.
    `imported` marks a data set made from one's own images. `differing` gives the fields that are otherwise where not
    all of the data set is on disk. `home` is the address of its own page.
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
    downloads: tuple[Download, ...] = ()
    held_out: int = 0
    tree: str = "train/<class>/* and test/<class>/*"
    folder: str = ""
    imported: bool = False
    differing: Callable[[Path], Mapping[str, Any]] = as_ever
    home: str = ""

    def here(self, root: Path) -> Source:
        """The data set as it is under a data root."""
        return replace(self, **self.differing(root))

    @property
    def download(self) -> str:
        """What would be downloaded, for people: "163 MB from www.cs.toronto.edu"."""
        if not self.downloads:
            return ""
        size = sum(wanted.size for wanted in self.downloads)
        return f"{size / 1e6:.0f} MB from {urlsplit(self.downloads[0].address).hostname}"

    @property
    def place(self) -> str:
        """The folder under the data root where one's own files go."""
        return self.folder or self.name

    def training_counts(self, validation_fraction: float) -> tuple[int, int]:
        """How many images are trained on and how many held out for validation."""
        held_out = self.held_out or validation_count(self.train_images, validation_fraction)
        return self.train_images - held_out, held_out
