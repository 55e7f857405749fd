"""What a network's training images look like to it: for the out-of-distribution score and the nearest images.

An image's features are what flows into the last dense layer, scaled to length 1. The out-of-distribution score has
two parts:

- in features, the distance to the tenth nearest of up to 2,000 training images (Sun et al., "Out-of-distribution
  detection with deep nearest neighbors", 2022, arXiv:2204.06507);
- in pixels, how many standard deviations its brightness, colour and contrast lie from those of the training images
  (`pixel_statistics.py`): noise, drawings and colour photographs may fall right among the features of what a network
  knows.

Each part is divided by the value that half a percent of the validation images exceed; the score is the larger, scaled
so that 1 % of the validation images score above 1. They are called out of distribution: a false alarm by design.

A training computes this at its end from its best checkpoint and keeps it in the run's folder, `reference.npz`; the
shipped networks have theirs. `python -m cnnlab.inference.reference RUN_FOLDER` makes it anew; it needs the data set.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from cnnlab.datasets import Progress, Split, silent
from cnnlab.datasets.dataset import Indices
from cnnlab.datasets.images import Pixels
from cnnlab.errors import UserError
from cnnlab.inference.classifier import Classifier
from cnnlab.inference.pixel_statistics import Statistics, pixel_statistics
from cnnlab.network.layers import Dense, GlobalAveragePooling2D
from cnnlab.network.paths import leads_to
from cnnlab.runs.data import split_of
from cnnlab.runs.run import Checkpoint, Run
from cnnlab.storage import jobs
from cnnlab.storage.jobs import Job
from cnnlab.storage.leftovers import written_aside

Features = NDArray[np.float32]
Scores = NDArray[np.float32]
REFERENCE_FILE = "reference.npz"
JOB_FOLDER = "reference-job"
MOST_IMAGES, MOST_JUDGED = 2_000, 2_000
LEAST_IMAGES = 500
MOST_NUMBERS = 800_000
"""Images times features that are kept: half a megabyte, as each is stored in a byte."""
REFERENCE_BATCH = 256
NEAREST_IMAGE = 10
FALSE_ALARMS = 0.01
LEAST_DEVIATION = 0.02
SEED = 0


@dataclass(frozen=True, eq=False)
class Reference:
    """Training images as a network sees them at the checkpoint of `step`.

    `features` (images, features) have length 1; `rows` and `labels` name the images. `mean` and `deviation` are those
    of the pixel statistics. `feature_limit`, `pixel_limit` and `limit` scale the score; `judged` is how
    many validation images they come from.
    """

    step: int
    features: Features
    rows: Indices
    labels: NDArray[np.int64]
    mean: Statistics
    deviation: Statistics
    judged: int = 0
    feature_limit: float = 1.0
    pixel_limit: float = 1.0
    limit: float = 1.0

    def nearest_images(self, features: Features, count: int) -> tuple[NDArray[np.int64], Features]:
        """Places of the nearest training images and their distances, nearest first: both (images, count)."""
        count = min(count, len(self.features))
        squared = np.maximum(2 - 2 * features @ self.features.T, 0)
        places = np.argpartition(squared, count - 1, axis=1)[:, :count]
        distances = np.sqrt(np.take_along_axis(squared, places, axis=1))
        order = np.argsort(distances, axis=1)
        return np.take_along_axis(places, order, axis=1), np.take_along_axis(distances, order, axis=1)

    def feature_distances(self, features: Features) -> Scores:
        """The distance to the tenth nearest training image, for each image."""
        parts = [
            self.nearest_images(features[at : at + REFERENCE_BATCH], NEAREST_IMAGE)[1][:, -1]
            for at in range(0, len(features), REFERENCE_BATCH)
        ]
        return np.concatenate(parts) if parts else np.empty(0, np.float32)

    def pixel_distances(self, inputs: Pixels) -> Scores:
        """How many standard deviations the pixel statistics lie from the training images' mean, for each image."""
        away = (pixel_statistics(inputs) - self.mean) / self.deviation
        distances: Scores = np.sqrt(np.square(away).mean(axis=1))
        return distances

    def parts(self, features: Features, inputs: Pixels) -> tuple[Scores, Scores]:
        """The two parts of the score: by features and by pixels."""
        scale = np.float32(self.limit)
        return (
            self.feature_distances(features) / np.float32(self.feature_limit) / scale,
            self.pixel_distances(inputs) / np.float32(self.pixel_limit) / scale,
        )

    def ood_scores(self, features: Features, inputs: Pixels) -> Scores:
        """The out-of-distribution score of images by their features and the network's inputs; above 1 is outside."""
        scores: Scores = np.maximum(*self.parts(features, inputs))
        return scores

    def calibrated(self, features: Features, inputs: Pixels) -> Reference:
        """The same, with the limits that these validation images give."""
        by_features, by_pixels = self.feature_distances(features), self.pixel_distances(inputs)
        each = 1 - FALSE_ALARMS / 2
        feature_limit, pixel_limit = (float(np.quantile(part, each)) for part in (by_features, by_pixels))
        both = np.maximum(by_features / max(feature_limit, 1e-6), by_pixels / max(pixel_limit, 1e-6))
        return replace(
            self,
            judged=len(features),
            feature_limit=max(feature_limit, 1e-6),
            pixel_limit=max(pixel_limit, 1e-6),
            limit=float(np.quantile(both, 1 - FALSE_ALARMS)),
        )


def feature_function(classifier: Classifier) -> Any:
    """uint8 inputs (count, height, width, 3) to features (count, features) of length 1, compiled."""
    from cnnlab.keras.backend import keras, tf

    network = classifier.run.network
    kinds = (Dense, GlobalAveragePooling2D)
    last = next(
        node for node in reversed(network.layers) if isinstance(node.layer, kinds) and leads_to(network, node.name)
    )
    layer = classifier.model.get_layer(last.name)
    part = keras.Model(classifier.model.inputs, layer.input if isinstance(last.layer, Dense) else layer.output)

    @tf.function(input_signature=[tf.TensorSpec((None, *network.input_shape), tf.uint8)])  # type: ignore[untyped-decorator]
    def function(images: Any) -> Any:
        found = part(classifier.data.preprocessing.normalize(images), training=False)
        return tf.math.l2_normalize(tf.cast(found, tf.float32), axis=1)

    return function


def drawn(split: Split, most: int) -> Indices:
    """Positions of up to so many images of a split, each class by its share, always the same."""
    if len(split) <= most:
        return np.arange(len(split))
    labels = np.asarray(split.labels)[split.indices]
    shuffled = np.random.default_rng(SEED).permutation(len(split))
    by_class = shuffled[np.argsort(labels[shuffled], kind="stable")]
    return np.sort(by_class[np.linspace(0, len(split) - 1, most).astype(np.int64)])


def compute(classifier: Classifier, progress: Progress = silent, share: float = 1.0) -> Reference:
    """Look at training and validation images through a network. `share` of the usual number of images, to save time.

    Raises UserError where the data set is not here, or is another.
    """
    training, validation = (split_of(classifier.run, name) for name in ("train", "validation"))
    function, fit = feature_function(classifier), classifier.data.preprocessing.fit_all

    def seen(split: Split, positions: Indices, done: float) -> tuple[Features, Pixels]:
        features, inputs = [], []
        for start in range(0, len(positions), REFERENCE_BATCH):
            progress(f"{start:,} of {len(positions):,} images", done + start / len(positions) / 2)
            inputs.append(fit(split.batch(positions[start : start + REFERENCE_BATCH])[0]))
            features.append(function(inputs[-1]).numpy())
        return np.concatenate(features), np.concatenate(inputs)

    chosen = drawn(training, max(int(MOST_IMAGES * share), NEAREST_IMAGE))
    features, inputs = seen(training, chosen, 0.0)
    statistics = pixel_statistics(inputs)
    kept = min(len(chosen), max(MOST_NUMBERS // features.shape[1], LEAST_IMAGES))
    if kept < len(chosen):
        places = np.sort(np.random.default_rng(SEED).permutation(len(chosen))[:kept])
        chosen, features = chosen[places], features[places]
    rows = training.indices[chosen]
    found = Reference(
        step=classifier.checkpoint.info.step,
        features=unpacked(packed(features)),
        rows=rows,
        labels=np.asarray(training.labels)[rows].astype(np.int64),
        mean=statistics.mean(axis=0),
        deviation=np.maximum(statistics.std(axis=0), LEAST_DEVIATION),
    )
    judged = drawn(validation, max(int(MOST_JUDGED * share), NEAREST_IMAGE))
    return found.calibrated(*seen(validation, judged, 0.5))


def packed(features: Features) -> NDArray[np.int8]:
    """Features in a byte each: every image's are scaled to what a byte holds, as only their direction counts."""
    largest = np.maximum(np.abs(features).max(axis=1, keepdims=True), 1e-12)
    small: NDArray[np.int8] = np.round(features / largest * 127).astype(np.int8)
    return small


def unpacked(small: NDArray[np.int8]) -> Features:
    """Of length 1 again; packed once more they are the same."""
    features = small.astype(np.float32)
    found: Features = features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-6)
    return found


def keep(run: Run, found: Reference) -> None:
    """Write it into the run's folder in one step; OSError where there is no room."""
    with written_aside(run.folder / REFERENCE_FILE) as partial, partial.open("wb") as file:
        np.savez_compressed(
            file,
            step=np.int64(found.step),
            features=packed(found.features),
            rows=found.rows.astype(np.int32),
            labels=found.labels.astype(np.int16),
            mean=found.mean,
            deviation=found.deviation,
            judged=np.int64(found.judged),
            limits=np.array([found.feature_limit, found.pixel_limit, found.limit]),
        )


def prepare(classifier: Classifier, progress: Progress = silent, share: float = 1.0) -> Reference:
    """Compute a run's reference and keep it; UserError where it cannot be done."""
    found = compute(classifier, progress, share)
    try:
        keep(classifier.run, found)
    except OSError as error:
        raise UserError(f"Nothing can be kept with run {classifier.run.id}: {error.strerror}.") from error
    return found


def kept_reference(run: Run, checkpoint: Checkpoint) -> Reference | None:
    """What is kept for this checkpoint; None where there is none, it is of another checkpoint, or it is damaged."""
    try:
        with np.load(run.folder / REFERENCE_FILE, allow_pickle=False) as arrays:
            if int(arrays["step"]) != checkpoint.info.step:
                return None
            feature_limit, pixel_limit, limit = (float(one) for one in arrays["limits"])
            return Reference(
                step=checkpoint.info.step,
                features=unpacked(arrays["features"]),
                rows=arrays["rows"].astype(np.int64),
                labels=arrays["labels"].astype(np.int64),
                mean=arrays["mean"],
                deviation=arrays["deviation"],
                judged=int(arrays["judged"]),
                feature_limit=feature_limit,
                pixel_limit=pixel_limit,
                limit=limit,
            )
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, zlib.error):
        return None


def ood_function(classifier: Classifier) -> Callable[[Pixels], Scores] | None:
    """The network's inputs (count, height, width, 3) to their scores; None where there is no reference."""
    found = kept_reference(classifier.run, classifier.checkpoint)
    if found is None:
        return None
    function = feature_function(classifier)
    return lambda inputs: found.ood_scores(function(inputs).numpy(), inputs)


def training_images(run: Run, rows: Indices) -> Pixels:
    """The images at these rows of the training part."""
    return replace(split_of(run, "train"), indices=rows).batch(slice(None))[0]


class ReferenceRequest(jobs.Request):
    """A run's reference, of one of its checkpoints."""

    kind: ClassVar[str] = "reference"
    what: ClassVar[str] = "The preparation"

    run: Path
    step: int

    def work(self, progress: Progress) -> object:
        progress("Loading TensorFlow and the network", None)
        from cnnlab.inference.classifier import load_classifier

        run = Run(self.run)
        return prepare(load_classifier(run, run.checkpoint_at(self.step)), progress)


def reference_job(run: Run, checkpoint: Checkpoint) -> Job:
    """The job that prepares a run's reference."""
    return Job(run.folder / JOB_FOLDER, ReferenceRequest(run=run.folder, step=checkpoint.info.step))


if __name__ == "__main__":
    import sys

    found = Run(Path(sys.argv[1]).resolve())
    asked = ReferenceRequest(run=found.folder, step=found.checkpoint("best").info.step)
    sys.exit(jobs.work(found.folder / JOB_FOLDER, asked.work, asked.what))
