"""A trained network in use: images in, class probabilities out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnlab.datasets.images import MIDDLE, Pixels, read_image, resize
from cnnlab.datasets.preprocessing import Framing, Preprocessing
from cnnlab.errors import UserError
from cnnlab.runs.run import MODEL_FILE, Checkpoint, CheckpointChoice, Data, Run

PREDICTION_BATCH = 256
MOST_FILES = 2_000
THUMBNAIL = 256


Probabilities = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Classifier:
    """A network with trained weights. `load_classifier` makes one.

    `model` is the keras.Model; `function`, compiled, takes uint8 inputs (count, height, width, 3) to probabilities.
    """

    run: Run
    checkpoint: Checkpoint
    data: Data
    model: Any
    function: Any

    def probabilities(self, images: Sequence[Pixels] | Pixels) -> Probabilities:
        """Class probabilities (count, classes) of RGB images of any size."""
        parts = [
            self.function(self.data.preprocessing.fit_all(images[start : start + PREDICTION_BATCH])).numpy()
            for start in range(0, len(images), PREDICTION_BATCH)
        ]
        return np.concatenate(parts) if parts else np.empty((0, len(self.data.classes)), np.float32)


def load_classifier(run: Run, which: CheckpointChoice | Checkpoint = "best") -> Classifier:
    """A run's network with the weights of a checkpoint; loads TensorFlow, which takes seconds the first time.

    Raises UserError where the run has no checkpoint or it cannot be read.
    """
    checkpoint = which if isinstance(which, Checkpoint) else run.checkpoint(which)
    if run.imported:
        return imported_classifier(run, checkpoint)
    data, network = run.data, run.network

    from cnnlab.keras.model import keras_model

    model = keras_model(network)
    while True:
        try:
            model.load_weights(checkpoint.weights)
            break
        except (OSError, ValueError, KeyError) as error:
            newer = checkpoint if isinstance(which, Checkpoint) else run.checkpoint(which)
            if newer == checkpoint:
                raise UserError(f"Run {run.id}: the weights in {checkpoint.weights} are damaged: {error}.") from error
            checkpoint = newer  # a training at work has just replaced the one that was being read
    return Classifier(
        run, checkpoint, data, model, answering(data, lambda given: model(given, training=False)[network.outputs[0]])
    )


def imported_classifier(run: Run, checkpoint: Checkpoint) -> Classifier:
    """A model file from elsewhere; UserError where it cannot be loaded in safe mode."""
    from cnnlab.inference.model_file import load

    model = load(run.folder / MODEL_FILE, run.id)
    return Classifier(run, checkpoint, run.data, model, answering(run.data, lambda given: model(given, training=False)))


def answering(data: Data, ask: Callable[[Any], Any]) -> Any:
    """uint8 inputs (count, height, width, 3) to probabilities, compiled."""
    from cnnlab.keras.backend import tf

    @tf.function(input_signature=[tf.TensorSpec((None, *data.preprocessing.input_size, 3), tf.uint8)])  # type: ignore[untyped-decorator]
    def function(images: Any) -> Any:
        return ask(data.preprocessing.normalize(images))

    return function


@dataclass(frozen=True, eq=False)
class Prediction:
    """An image that was asked about: its name and size, a copy small enough to keep, what each network saw of it (of
    several crops the middle one), by which ways it got there, and what it answered (classes,)."""

    name: str
    height: int
    width: int
    shown: Pixels
    inputs: tuple[Pixels, ...]
    ways: tuple[tuple[Preprocessing, ...], ...]
    probabilities: tuple[Probabilities, ...] = ()


@dataclass(frozen=True)
class Rejected:
    """A file that is no image to ask about, and a sentence that says why."""

    name: str
    reason: str


def classify(
    files: Iterable[tuple[str, Callable[[], bytes]]],
    classifiers: Sequence[Classifier],
    most: int = MOST_FILES,
    framing: Framing | None = None,
    place: float = MIDDLE,
) -> Iterator[Prediction | Rejected]:
    """Ask every network about every file, in order: what it saw and said, or why the file is none to ask about.

    An image that is not square is framed in this way, or as each network was trained; a single crop lies at `place`.
    Of an image no more is kept than what is answered, so memory stays flat however many and however large they are.
    """
    ways = tuple(one.data.preprocessing.framed(framing, place) for one in classifiers)
    waiting: list[Asked | Rejected] = []
    for number, (name, read) in enumerate(files):
        if number >= most:
            waiting.append(
                Rejected(name, f"Only {most:,} images are classified at a time; give the rest in a second go.")
            )
            break
        try:
            image = read_image(read(), name)
            copies = [np.stack([way.fit(image) for way in several]) for several in ways]
            inputs = tuple(several[0] for several in copies)
            waiting.append(
                Asked(Prediction(name, image.shape[0], image.shape[1], thumbnail(image), inputs, ways), copies)
            )
        except UserError as error:
            waiting.append(Rejected(name, str(error)))
        if len(waiting) == PREDICTION_BATCH:
            yield from answered(waiting, classifiers)
            waiting = []
    yield from answered(waiting, classifiers)


@dataclass(frozen=True, eq=False)
class Asked:
    """An image that no network has answered yet, and what each is given of it: (copies, height, width, 3)."""

    image: Prediction
    copies: list[Pixels]


def answered(waiting: Sequence[Asked | Rejected], classifiers: Sequence[Classifier]) -> Iterator[Prediction | Rejected]:
    """The images with what each network says, averaged over the copies that it is given."""
    images = [one for one in waiting if isinstance(one, Asked)]
    said = []
    for number, classifier in enumerate(classifiers if images else ()):
        copies = [asked.copies[number] for asked in images]
        found = classifier.function(np.concatenate(copies)).numpy()
        said.append(found.reshape(len(images), len(copies[0]), -1).mean(axis=1))
    rows = zip(*said, strict=True)
    for one in waiting:
        yield replace(one.image, probabilities=tuple(next(rows))) if isinstance(one, Asked) else one


def thumbnail(image: Pixels) -> Pixels:
    """The image, made smaller where a side is longer than 256 pixels."""
    scale = THUMBNAIL / max(image.shape[:2])
    if scale >= 1:
        return image
    return resize(image, max(round(image.shape[0] * scale), 1), max(round(image.shape[1] * scale), 1))


def top_classes(probabilities: Probabilities, classes: Sequence[str], count: int) -> list[tuple[str, float]]:
    """The most probable classes of one image with their probabilities, most probable first."""
    order = np.argsort(-probabilities, kind="stable")[:count]
    return [(classes[index], float(probabilities[index])) for index in order]
