"""A network asked many times about one image: probabilities, and gradients by the pixels, in batches of bounded memory.

Nothing is known of its layers but how it ends, so an imported file can be asked too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnlab.datasets.images import Pixels
from cnnlab.errors import UserError
from cnnlab.inference.classifier import Classifier
from cnnlab.network import Network

BATCH_PIXELS, MOST_IN_BATCH = 64 * 64 * 64, 64
Images = NDArray[np.float32]
Progress = Callable[[float], object]
"""Called with the share that is done, from 0 to 1."""


def unwatched(share: float) -> None:
    """For work whose progress nobody looks at."""


@dataclass(frozen=True, eq=False)
class Probe:
    """Asks a classifier for probabilities and gradients, by functions compiled once, in batches of bounded memory."""

    classifier: Classifier

    @cached_property
    def network(self) -> Network | None:
        """The network as a value; None where it was imported as a file."""
        try:
            return self.classifier.run.network
        except UserError:
            return None

    @property
    def batch(self) -> int:
        """How many images are asked at a time: as many as have the pixels of 64 images of 64x64, 64 at most."""
        height, width = self.classifier.data.preprocessing.input_size
        return max(1, min(BATCH_PIXELS // (height * width), MOST_IN_BATCH))

    @cached_property
    def _asked(self) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
        """Normalized images to probabilities, and to scores before softmax."""
        from cnnlab.keras.backend import keras, tf

        model = self.classifier.model
        output = model.get_layer(self.network.outputs[0]).output if self.network is not None else model.outputs[0]
        whole = in_use(keras.Model(model.inputs, output))
        layer = output._keras_history.operation
        softmax = getattr(layer, "activation", None) is keras.activations.softmax
        if not (isinstance(layer, keras.layers.Softmax) or (softmax and hasattr(layer, "input"))):
            return whole, whole
        part = in_use(keras.Model(model.inputs, layer.input))
        if isinstance(layer, keras.layers.Softmax | keras.layers.Activation):
            return whole, part
        if not isinstance(layer, keras.layers.Dense):
            return whole, whole

        def scores(images: Any) -> Any:
            product = tf.matmul(tf.cast(part(images), tf.float32), layer.kernel)
            return product if layer.bias is None else product + layer.bias

        return whole, scores

    @cached_property
    def _compiled(self) -> tuple[Any, Any, Any]:
        """Probabilities of images; the gradient of a class's probability, and of its score, by the pixels."""
        from cnnlab.keras.backend import tf

        preprocessing = self.classifier.data.preprocessing
        probability, score = self._asked
        images = tf.TensorSpec((None, *preprocessing.input_size, 3), tf.float32)

        def gradient_of(ask: Callable[[Any], Any]) -> Any:
            def function(given: Any, label: Any) -> Any:
                with tf.GradientTape() as tape:
                    tape.watch(given)
                    value = tf.cast(tf.gather(ask(preprocessing.normalize(given)), label, axis=1), tf.float32)
                return tape.gradient(value, given, unconnected_gradients=tf.UnconnectedGradients.ZERO)

            return tf.function(function, input_signature=[images, tf.TensorSpec((), tf.int32)], autograph=False)

        def answer(given: Any) -> Any:
            return probability(preprocessing.normalize(given))

        return (
            tf.function(answer, input_signature=[images], autograph=False),
            gradient_of(probability),
            gradient_of(score),
        )

    def probabilities(self, count: int, image: Callable[[int], Images], progress: Progress = unwatched) -> Images:
        """The class probabilities (count, classes) of images that are made one by one when their batch is asked."""
        parts = []
        for start in range(0, count, self.batch):
            stop = min(start + self.batch, count)
            parts.append(self._compiled[0](np.stack([image(n) for n in range(start, stop)])).numpy())
            progress(stop / count)
        return np.concatenate(parts).astype(np.float32)

    def gradient_sum(
        self,
        count: int,
        image: Callable[[int], Images],
        label: int,
        of_score: bool,
        progress: Progress = unwatched,
    ) -> NDArray[np.float64]:
        """The sum (height, width, 3) of the class's gradients at these images."""
        function = self._compiled[2 if of_score else 1]
        total = np.zeros((*self.classifier.data.preprocessing.input_size, 3))
        for start in range(0, count, self.batch):
            stop = min(start + self.batch, count)
            given = np.stack([image(n) for n in range(start, stop)])
            total += function(given, np.int32(label)).numpy().sum(axis=0, dtype=np.float64)
            progress(stop / count)
        return total

    def probability(self, inputs: Pixels, label: int) -> float:
        """The class's probability; UserError where there is no such class, or the answer is not a number."""
        classes = self.classifier.data.classes
        if not 0 <= label < len(classes):
            raise UserError(f"There is no class number {label}; there are 0 to {len(classes) - 1}.")
        found = self.probabilities(1, lambda _: inputs.astype(np.float32))[0]
        if not np.isfinite(found).all():
            raise UserError(
                f"The answer of {self.classifier.run.id} to this image is not a number: its weights hold NaN or "
                "infinity, so there is nothing to explain. Choose another checkpoint or another network."
            )
        return float(found[label])


def in_use(model: Any) -> Callable[[Any], Any]:
    """A keras.Model as it answers, not as it is trained."""
    return lambda images: model(images, training=False)
