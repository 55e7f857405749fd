"""A trained network in use: images in, class probabilities out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnlab.errors import UserError
from cnnlab.images import Pixels
from cnnlab.runs.run import Checkpoint, CheckpointChoice, Data, Run

BATCH = 256


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
            self.function(self.data.preprocessing.fit_all(images[start : start + BATCH])).numpy()
            for start in range(0, len(images), BATCH)
        ]
        return np.concatenate(parts) if parts else np.empty((0, len(self.data.classes)), np.float32)


def load_classifier(run: Run, which: CheckpointChoice | Checkpoint = "best") -> Classifier:
    """A run's network with the weights of a checkpoint; loads TensorFlow, which takes seconds the first time.

    Raises UserError where the run has no checkpoint or it cannot be read.
    """
    data, network = run.data, run.network

    from cnnlab.backend import tf
    from cnnlab.keras_model import keras_model

    model = keras_model(network)
    checkpoint = which if isinstance(which, Checkpoint) else run.checkpoint(which)
    while True:
        try:
            model.load_weights(checkpoint.weights)
            break
        except (OSError, ValueError, KeyError) as error:
            newer = checkpoint if isinstance(which, Checkpoint) else run.checkpoint(which)
            if newer == checkpoint:
                raise UserError(f"Run {run.id}: the weights in {checkpoint.weights} are damaged: {error}.") from error
            checkpoint = newer  # a training at work has just replaced the one that was being read

    @tf.function(input_signature=[tf.TensorSpec((None, *network.input_shape), tf.uint8)])  # type: ignore[untyped-decorator]
    def function(images: Any) -> Any:
        return model(data.preprocessing.normalize(images), training=False)[network.outputs[0]]

    return Classifier(run, checkpoint, data, model, function)


def top_classes(probabilities: Probabilities, classes: Sequence[str], count: int) -> list[tuple[str, float]]:
    """The most probable classes of one image with their probabilities, most probable first."""
    order = np.argsort(-probabilities, kind="stable")[:count]
    return [(classes[index], float(probabilities[index])) for index in order]
