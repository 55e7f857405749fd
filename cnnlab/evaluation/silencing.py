"""What silencing channels costs a network: its accuracy over a split with all on and with these silenced.

Each result is kept with the run, `silencing/<split>-<step>-<digest>/effect.json`.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import ClassVar

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from cnnlab.datasets import Progress, SplitName, silent
from cnnlab.errors import UserError
from cnnlab.inference.activations import of_classifier
from cnnlab.inference.classifier import Classifier
from cnnlab.inference.probe import Probe
from cnnlab.inference.silencing import both_answers, silenced_of, texts_of
from cnnlab.runs.data import split_of
from cnnlab.runs.run import Run
from cnnlab.storage import jobs
from cnnlab.storage.files import write_text
from cnnlab.storage.jobs import Job

EFFECT_FILE = "effect.json"
MOST_LOSING = 10


@dataclass(frozen=True)
class ClassLoss:
    """A class with so many images, and how many of them are recognised with all on and with channels silenced."""

    name: str
    images: int
    before: int
    after: int

    @property
    def share_before(self) -> float:
        return self.before / self.images

    @property
    def share_after(self) -> float:
        return self.after / self.images

    @property
    def lost(self) -> float:
        """The share of its images that are recognised no more."""
        return (self.before - self.after) / self.images


class SilencingEffect(BaseModel):
    """The images of a split that a network recognises with all on and with `silenced` (as `texts_of` writes it), class
    by class. `changed` counts the images whose answer is another."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    run: str
    split: SplitName
    dataset: str
    step: int
    epoch: float
    silenced: tuple[str, ...]
    classes: tuple[str, ...]
    counts: tuple[int, ...]
    before: tuple[int, ...]
    after: tuple[int, ...]
    changed: int
    seconds: float

    @property
    def images(self) -> int:
        return sum(self.counts)

    @property
    def accuracy_before(self) -> float:
        return sum(self.before) / self.images

    @property
    def accuracy_after(self) -> float:
        return sum(self.after) / self.images

    @property
    def losing(self) -> list[ClassLoss]:
        """The ten classes that lose most, worst first; none that loses nothing."""
        rows = zip(self.classes, self.counts, self.before, self.after, strict=True)
        found = [ClassLoss(*row) for row in rows if row[1] and row[2] > row[3]]
        return sorted(found, key=lambda one: (-one.lost, one.name))[:MOST_LOSING]


@dataclass(frozen=True)
class SilencingKey:
    """Which effect of a run: over which split, of the checkpoint at which step, of what silenced."""

    split: SplitName
    step: int
    silenced: tuple[str, ...]

    def folder(self, run: Run) -> Path:
        digest = sha256("\n".join(sorted(self.silenced)).encode()).hexdigest()[:16]
        return run.folder / "silencing" / f"{self.split}-{self.step:08d}-{digest}"


def silencing_effect(
    classifier: Classifier, split: SplitName, silenced: Sequence[str], progress: Progress = silent
) -> SilencingEffect:
    """Ask about every image of a split with all on and with channels silenced, and keep the counts with the run.

    UserError where nothing is silenced or what is to be is not there, and where the data set is not here or is another.
    """
    began = time.monotonic()
    wanted = silenced_of(silenced)
    if not wanted:
        raise UserError("Nothing is silenced: name at least one layer, as LAYER or LAYER:CHANNELS.")
    run, point = classifier.run, classifier.checkpoint.info
    function = both_answers(of_classifier(classifier), wanted)
    images, size = split_of(run, split), Probe(classifier).batch
    fit, many = classifier.data.preprocessing.fit_all, len(classifier.data.classes)
    counts, before, after = (np.zeros(many, np.int64) for _ in range(3))
    changed = 0
    for start in range(0, len(images), size):
        progress(f"{start:,} of {len(images):,} images", start / len(images))
        pixels, labels = images.batch(slice(start, start + size))
        plain, hushed = (said.numpy().argmax(axis=1) for said in function(fit(pixels)))
        counts += np.bincount(labels, minlength=many)
        before += np.bincount(labels[plain == labels], minlength=many)
        after += np.bincount(labels[hushed == labels], minlength=many)
        changed += int((plain != hushed).sum())
    found = SilencingEffect(
        run=run.id,
        split=split,
        dataset=classifier.data.title,
        step=point.step,
        epoch=point.epoch,
        silenced=texts_of(wanted),
        classes=classifier.data.classes,
        counts=tuple(counts.tolist()),
        before=tuple(before.tolist()),
        after=tuple(after.tolist()),
        changed=changed,
        seconds=time.monotonic() - began,
    )
    folder = SilencingKey(split, point.step, found.silenced).folder(run)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_text(folder / EFFECT_FILE, found.model_dump_json())
    except OSError as error:
        raise UserError(f"The effect cannot be kept with run {run.id}: {error.strerror}.") from error
    return found


def kept_effect(run: Run, key: SilencingKey) -> SilencingEffect | None:
    """What was computed before; None where it was not, or its file is damaged."""
    try:
        return SilencingEffect.model_validate_json((key.folder(run) / EFFECT_FILE).read_bytes())
    except (OSError, ValidationError):
        return None


class SilencingRequest(jobs.Request):
    """The effect of silencing channels of a run's checkpoint over a split."""

    kind: ClassVar[str] = "silence"
    what: ClassVar[str] = "The comparison"

    run: Path
    split: SplitName
    step: int
    silenced: tuple[str, ...]

    def work(self, progress: Progress) -> object:
        progress("Loading TensorFlow and the network", None)
        from cnnlab.inference.classifier import load_classifier

        run = Run(self.run)
        return silencing_effect(load_classifier(run, run.checkpoint_at(self.step)), self.split, self.silenced, progress)


def silencing_job(run: Run, key: SilencingKey) -> Job:
    """The job that computes it, in the result's own folder."""
    wanted = SilencingRequest(run=run.folder, split=key.split, step=key.step, silenced=key.silenced)
    return Job(key.folder(run), wanted)
