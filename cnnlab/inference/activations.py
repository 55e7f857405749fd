"""What every layer of a network computes for one image, by one compiled call; channels can be silenced.

The values are TensorFlow's own: each layer of the keras.Model is called with what the layers before it gave.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnlab.datasets.images import Pixels
from cnnlab.datasets.preprocessing import Preprocessing
from cnnlab.errors import UserError
from cnnlab.inference.classifier import Classifier, Probabilities
from cnnlab.network import Network, Node
from cnnlab.network.layers import InputLayer, shape_text

Values = NDArray[np.float32]
Silenced = Mapping[str, Collection[int] | None]
"""Channels that give zeros, by layer; None stands for all of a layer's."""
UNTRAINED_SEED = 0
MIDDLE_GREY = 127.5


@dataclass(frozen=True, eq=False)
class Activations:
    """An image `inputs` (height, width, 3) as a network was given it, and what each layer made of it.

    `values` are by layer: (height, width, channels) for feature maps, (features,) for vectors; the first is the image
    normalized. Those of `silenced` channels are zeros.
    """

    network: Network
    inputs: Pixels
    values: Mapping[str, Values]
    silenced: Silenced = field(default_factory=dict)

    @property
    def probabilities(self) -> Probabilities:
        """What the main output gives: (classes,)."""
        return self.values[self.network.outputs[0]]


@dataclass(frozen=True, eq=False)
class ActivationModel:
    """A network with weights, to be asked for all that its layers compute. `of_classifier` and `untrained` make one.

    `model` is the keras.Model with the network's layers under their names.
    """

    network: Network
    model: Any
    preprocessing: Preprocessing
    classes: tuple[str, ...]

    def activations(self, inputs: Pixels, silenced: Silenced | None = None) -> Activations:
        """What each layer computes for an image in the network's input size, with these channels giving zeros.

        UserError where a layer or a channel to silence is not there.
        """
        from cnnlab.keras.backend import tf

        wanted = {layer: channels for layer, channels in (silenced or {}).items() if channels is None or len(channels)}
        given = tf.constant(inputs[None])
        found = self._with_silence(given, tf.constant(self.kept(wanted))) if wanted else self._plain(given)
        return Activations(self.network, inputs, {name: value.numpy()[0] for name, value in found.items()}, wanted)

    def kept(self, silenced: Silenced) -> NDArray[np.bool_]:
        """For every channel of every layer, one after another, whether it keeps its values."""
        kept = np.ones(self._places[-1], np.bool_)
        places = dict(zip((node.name for node in self.network.layers), self._places, strict=False))
        for name, channels in silenced.items():
            if name not in places:
                raise UserError(f"There is no layer {name!r} to silence in {self.network.name}.")
            if name in self.network.outputs:
                raise UserError(f"{name} gives the probabilities; silence a layer before it.")
            count = self.network[name].output_shape[-1]
            wrong = [channel for channel in channels or () if not 0 <= channel < count]
            if wrong:
                raise UserError(f"{name} has no channel {wrong[0]}; it has 0 to {count - 1}.")
            kept[places[name] + np.arange(count) if channels is None else places[name] + np.array([*channels])] = False
        return kept

    def weights(self, layer: str) -> dict[str, Values]:
        """The weights of a layer by their names (kernel, bias, gamma ...), in Keras's shapes."""
        return {name: np.asarray(variable) for name, variable in self.variables(layer).items()}

    def variables(self, layer: str) -> dict[str, Any]:
        """The same as TensorFlow's variables, to copy only a part of a large one."""
        kept = self.network[layer].weights
        if not kept:
            return {}
        variables = self.model.get_layer(layer).weights
        return {weight.name: variable.value for weight, variable in zip(kept, variables, strict=True)}

    @cached_property
    def broken(self) -> tuple[str, ...]:
        """The layers whose weights are not all finite numbers. Their values need not show it: TensorFlow's ReLU may
        make a zero of NaN, and its max pooling the lowest number."""
        from cnnlab.keras.backend import tf

        return tuple(
            node.name
            for node in self.network.layers
            if not all(bool(tf.reduce_all(tf.math.is_finite(one))) for one in self.variables(node.name).values())
        )

    @cached_property
    def _places(self) -> list[int]:
        """Where each layer's channels begin among those of all, and how many there are at all."""
        return [0, *np.cumsum([node.output_shape[-1] for node in self.network.layers]).tolist()]

    @cached_property
    def _plain(self) -> Any:
        return self._traced()

    @cached_property
    def _with_silence(self) -> Any:
        from cnnlab.keras.backend import tf

        return self._traced(tf.TensorSpec((self._places[-1],), tf.bool))

    def _traced(self, *more: Any) -> Any:
        """`_compute`, compiled once for all images: TensorFlow warns of functions that are compiled again and again."""
        from cnnlab.keras.backend import tf

        images = tf.TensorSpec((None, *self.preprocessing.input_size, 3), tf.uint8)
        return tf.function(self._compute, input_signature=[images, *more], autograph=False).get_concrete_function()

    def _compute(self, images: Any, kept: Any = None) -> dict[str, Any]:
        """Every layer's output, in order; those that are not kept are zeros."""
        from cnnlab.keras.backend import tf

        found: dict[str, Any] = {}
        for node, place in zip(self.network.layers, self._places, strict=False):
            value = self.output_of(node, images, found)
            if kept is not None and node.name not in self.network.outputs:
                count = node.output_shape[-1]
                value = tf.where(kept[place : place + count], value, tf.zeros_like(value))
            found[node.name] = value
        return found

    def output_of(self, node: Node, images: Any, found: Mapping[str, Any]) -> Any:
        """What one layer makes of what those before it gave; the input layer of uint8 images. For graphs."""
        from cnnlab.keras.backend import tf

        if isinstance(node.layer, InputLayer):
            value = self.preprocessing.normalize(images)
            if node.layer.shape[-1] == 1:
                value = tf.reduce_mean(value, axis=-1, keepdims=True)
        else:
            given = [found[name] for name in node.inputs]
            value = self.model.get_layer(node.name)(given if node.layer.joins else given[0])
        return tf.cast(value, tf.float32)


def of_classifier(classifier: Classifier) -> ActivationModel:
    """A trained network's; UserError where it was imported as a file that holds a layer cnnlab does not know."""
    data, run = classifier.data, classifier.run
    if run.imported:
        from cnnlab.keras.reading import network_of

        network = network_of(classifier.model, data.preprocessing.input_size)
    else:
        network = run.network
    return ActivationModel(network, classifier.model, data.preprocessing, data.classes)


def untrained(network: Network) -> ActivationModel:
    """A network as it is before training: weights drawn with fixed seeds, pixels scaled to -1 to 1.

    UserError where it takes no images.
    """
    if len(network.input_shape) != 3 or network.input_shape[-1] not in (1, 3):
        raise UserError(
            f"{network.name} takes {shape_text(network.input_shape)}; an image has 3 channels, or 1 where it is grey."
        )

    from cnnlab.keras.model import keras_model

    size = (network.input_shape[0], network.input_shape[1])
    grey = (MIDDLE_GREY, MIDDLE_GREY, MIDDLE_GREY)
    classes = tuple(f"class {number}" for number in range(network.classes))
    scaled = Preprocessing(image_size=size, input_size=size, mean=grey, deviation=grey)
    return ActivationModel(network, keras_model(network, seeded_kinds()), scaled, classes)


def seeded_kinds() -> dict[str, Any]:
    """Keras's layers with weights drawn by a fixed seed each; no random state but their own is touched."""
    from cnnlab.keras.backend import keras

    seeds = count(UNTRAINED_SEED)

    def seeded(kind: Any, weights: str) -> Any:
        def made(*settings: Any, **named: Any) -> Any:
            return kind(*settings, **{weights: keras.initializers.GlorotUniform(seed=next(seeds))}, **named)

        return made

    return {
        "Conv2D": seeded(keras.layers.Conv2D, "kernel_initializer"),
        "DepthwiseConv2D": seeded(keras.layers.DepthwiseConv2D, "depthwise_initializer"),
        "Dense": seeded(keras.layers.Dense, "kernel_initializer"),
    }
