"""The training images nearest to an image, as the network sees it, and whether it is unlike all of them.

An image's features are what flows into the last dense layer, brought to length 1. The score of unlikeness is the
distance to the tenth nearest of up to 10,000 training images (Sun et al., "Out-of-distribution detection with deep
nearest neighbors", 2022, arXiv:2204.06507). An image is called unlike the training images where its score is above
that of 99 % of the validation images: so one in a hundred of the network's own kind is called so too.
"""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnlab import jobs
from cnnlab.datasets import Progress, Split, silent
from cnnlab.datasets.dataset import Indices
from cnnlab.errors import UserError
from cnnlab.evaluation.images import split_of
from cnnlab.evaluation.views import leads_to
from cnnlab.images import Pixels
from cnnlab.jobs import Job
from cnnlab.layers import Dense, GlobalAveragePooling2D
from cnnlab.leftovers import partial_of
from cnnlab.prediction import Classifier
from cnnlab.runs.run import Checkpoint, Run

Features = NDArray[np.float32]
MOST_IMAGES, MOST_JUDGED = 10_000, 2_000
BATCH = 256
NEIGHBOUR = 10
QUANTILE = 0.99
SEED = 0


@dataclass(frozen=True, eq=False)
class Neighbourhood:
    """Features of training images (images, features) of length 1, their rows and labels, and the score above which an
    image is unlike them."""

    features: Features
    rows: Indices
    labels: NDArray[np.int64]
    threshold: float

    def nearest(self, features: Features, count: int) -> tuple[NDArray[np.int64], Features]:
        """Places of the nearest training images and their distances, nearest first: both (images, count)."""
        count = min(count, len(self.features))
        squared = np.maximum(2 - 2 * features @ self.features.T, 0)
        places = np.argpartition(squared, count - 1, axis=1)[:, :count]
        distances = np.sqrt(np.take_along_axis(squared, places, axis=1))
        order = np.argsort(distances, axis=1)
        return np.take_along_axis(places, order, axis=1), np.take_along_axis(distances, order, axis=1)

    def unlikeness(self, features: Features) -> Features:
        """The distance to the tenth nearest training image, for each image."""
        parts = [self.nearest(features[at : at + BATCH], NEIGHBOUR)[1][:, -1] for at in range(0, len(features), BATCH)]
        scores: Features = np.concatenate(parts) if parts else np.empty(0, np.float32)
        return scores


def feature_function(classifier: Classifier) -> Any:
    """uint8 inputs (count, height, width, 3) to features (count, features) of length 1, compiled."""
    from cnnlab.backend import keras, tf

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


def features_of(classifier: Classifier, split: Split, positions: Indices, progress: Progress = silent) -> Features:
    """Features of the images at these positions of a split."""
    function = feature_function(classifier)
    parts = []
    for start in range(0, len(positions), BATCH):
        progress(f"{start:,} of {len(positions):,} images", start / len(positions))
        images = split.batch(positions[start : start + BATCH])[0]
        parts.append(function(classifier.data.preprocessing.fit_all(images)).numpy())
    return np.concatenate(parts)


def drawn(split: Split, most: int) -> Indices:
    """Positions of up to so many images of a split, always the same."""
    return np.sort(np.random.default_rng(SEED).permutation(len(split))[:most])


def path_of(run: Run, checkpoint: Checkpoint) -> Path:
    return run.folder / "neighbours" / f"{checkpoint.info.step:08d}.npz"


def prepare(classifier: Classifier, progress: Progress = silent) -> Neighbourhood:
    """Look at the training images through the network, and keep what it sees with the run."""
    training, validation = (split_of(classifier.run, name) for name in ("train", "validation"))
    chosen = drawn(training, MOST_IMAGES)
    rows = training.indices[chosen]
    features = features_of(classifier, training, chosen, progress)
    found = Neighbourhood(features, rows, np.asarray(training.labels)[rows], 0.0)
    judged = features_of(classifier, validation, drawn(validation, MOST_JUDGED))
    threshold = float(np.quantile(found.unlikeness(judged), QUANTILE))
    path = path_of(classifier.run, classifier.checkpoint)
    partial = partial_of(path)
    try:
        path.parent.mkdir(exist_ok=True)
        with partial.open("wb") as file:
            np.savez(
                file,
                features=found.features.astype(np.float16),
                rows=found.rows,
                labels=found.labels,
                threshold=np.float64(threshold),
            )
        partial.replace(path)
    except OSError as error:
        raise UserError(f"Nothing can be kept with run {classifier.run.id}: {error.strerror}.") from error
    finally:
        partial.unlink(missing_ok=True)
    return replace(found, threshold=threshold)


def kept(run: Run, checkpoint: Checkpoint) -> Neighbourhood | None:
    """What `prepare` kept; None where it has not been prepared, or is damaged."""
    try:
        with np.load(path_of(run, checkpoint), allow_pickle=False) as arrays:
            features = arrays["features"].astype(np.float32)
            return Neighbourhood(features, arrays["rows"], arrays["labels"], float(arrays["threshold"]))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error):
        return None


def training_images(run: Run, rows: Indices) -> Pixels:
    """The images at these rows of the training part."""
    return replace(split_of(run, "train"), indices=rows).batch(slice(None))[0]


def preparing(run: Run, checkpoint: Checkpoint) -> Job:
    """The job that prepares a run's neighbourhood."""
    arguments = ("cnnlab.neighbours", str(run.folder), str(checkpoint.info.step))
    return Job(run.folder / "neighbours" / f"job-{checkpoint.info.step:08d}", arguments)


def work(run_folder: str, step: str) -> int:
    """The process itself."""
    run = Run(Path(run_folder))

    def do(progress: Progress) -> None:
        progress("Loading TensorFlow and the network", None)
        from cnnlab.prediction import load_classifier

        prepare(load_classifier(run, run.checkpoint_at(int(step))), progress)

    return jobs.work(run.folder / "neighbours" / f"job-{int(step):08d}", do, "The preparation")


if __name__ == "__main__":
    import sys

    sys.exit(work(*sys.argv[1:3]))
