"""Free pictures that come with cnnlab, to ask networks about: `assets/samples/`, with the credits of each.

None of them is in a data set that a shipped network was trained on. `samples.json` names author, licence and source.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from cnnlab.resources import ASSETS

SAMPLES = ASSETS / "samples"


@dataclass(frozen=True)
class Sample:
    """A picture, the classes it shows as several data sets name them, and its credits."""

    file: str
    title: str
    classes: tuple[str, ...]
    author: str
    licence: str
    source: str
    changes: str

    def read(self) -> bytes:
        return (SAMPLES / self.file).read_bytes()

    def label(self, classes: Sequence[str]) -> str | None:
        """The class of these that it shows; None where it shows none."""
        return next((name for name in self.classes if name in classes), None)


@cache
def all_samples() -> tuple[Sample, ...]:
    records = json.loads((SAMPLES / "samples.json").read_text(encoding="utf-8"))
    return tuple(Sample(**{**record, "classes": tuple(record["classes"])}) for record in records)


def samples_of(classes: Sequence[str]) -> list[tuple[Sample, str]]:
    """The pictures of these classes, each with its class."""
    labels = [(sample, sample.label(classes)) for sample in all_samples()]
    return [(sample, label) for sample, label in labels if label is not None]
