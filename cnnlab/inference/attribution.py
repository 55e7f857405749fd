"""Explain a trained network: where it looks for a class, what each layer answers, what its first filters are.

A network that averages its last feature maps before one dense layer has exact class activation maps (Zhou et al., 2016,
arXiv:1512.04150): a class's score is the mean of its map. Any other gets Grad-CAM (Selvaraju et al., 2017,
arXiv:1610.02391): the maps weighted by the gradient of the score, its positive part.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cnnlab.datasets.images import Pixels
from cnnlab.errors import UserError
from cnnlab.inference.classifier import Classifier
from cnnlab.network import Network
from cnnlab.network.layers import (
    Activation,
    BatchNormalization,
    Conv2D,
    Dense,
    Dropout,
    GlobalAveragePooling2D,
    InputLayer,
)
from cnnlab.network.paths import last_map_node, leads_to

Map = NDArray[np.float32]
MOST_FILTERS = 64
# Colours from low to high (viridis, sampled), dark to bright in grey as well.
SCALE = np.array([(68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98), (253, 231, 37)], np.float32)


@dataclass(frozen=True, eq=False)
class Explainer:
    """What explains the answers of a classifier: class maps, activations, filters."""

    classifier: Classifier

    @cached_property
    def network(self) -> Network:
        return self.classifier.run.network

    @cached_property
    def layers(self) -> list[str]:
        """The layers whose answer is a feature map, in order."""
        return [
            node.name
            for node in self.network.layers
            if len(node.output_shape) == 3 and not isinstance(node.layer, InputLayer | Dropout | BatchNormalization)
        ]

    @cached_property
    def exact(self) -> bool:
        """Whether a class's score is the mean of its map."""
        return isinstance(last_map_node(self.network).layer, GlobalAveragePooling2D) and len(self.weighted) <= 1

    @cached_property
    def weighted(self) -> list[str]:
        """The dense layers after the last feature maps."""
        nodes = self.network.layers
        return [node.name for node in nodes if isinstance(node.layer, Dense) and leads_to(self.network, node.name)]

    @cached_property
    def _maps(self) -> Any:
        """The feature maps before the end, and the class scores before softmax, as a keras.Model's outputs."""
        from cnnlab.keras.backend import keras

        model = self.classifier.model
        maps = model.get_layer(last_map_node(self.network).name).input
        return keras.Model(model.inputs, [maps, self._scores(model)])

    def _scores(self, model: Any) -> Any:
        from cnnlab.keras.backend import keras

        node = self.network[self.network.outputs[0]]
        layer = model.get_layer(node.name)
        if isinstance(node.layer, Activation):
            return layer.input
        scores = keras.layers.Dense(self.network.classes, use_bias=layer.use_bias, name="class_scores")
        output = scores(layer.input)
        scores.set_weights(layer.get_weights())
        return output

    def class_map(self, inputs: Pixels, label: int) -> tuple[Map, float]:
        """Where the network finds the class: a map (rows, columns) over its input (height, width, 3), and the class's
        score before softmax.

        An exact map's mean, plus the dense layer's bias, is the score; a Grad-CAM is not negative.
        """
        return self.exact_map(inputs, label) if self.exact else self.grad_cam(inputs, label)

    def exact_map(self, inputs: Pixels, label: int) -> tuple[Map, float]:
        """The class activation map, and the score; for a network of which `exact` holds."""
        from cnnlab.keras.backend import tf

        given = self.classifier.data.preprocessing.normalize(tf.constant(inputs[None]))
        maps, scores = self._maps(given, training=False)
        maps = maps.numpy()[0].astype(np.float32)
        if not self.weighted:
            return maps[..., label], float(scores.numpy()[0, label])
        kernel = self.classifier.model.get_layer(self.weighted[0]).get_weights()[0]
        return maps @ kernel[:, label], float(scores.numpy()[0, label])

    def grad_cam(self, inputs: Pixels, label: int) -> tuple[Map, float]:
        """The Grad-CAM of the last feature maps, and the score; UserError where the score does not depend on them."""
        from cnnlab.keras.backend import tf

        given = self.classifier.data.preprocessing.normalize(tf.constant(inputs[None]))
        with tf.GradientTape() as tape:
            maps, scores = self._maps(given, training=False)
            score = scores[:, label]
        gradient = tape.gradient(score, maps)
        if gradient is None:
            raise UserError("This network's score does not depend on its last feature maps.")
        weights = tf.reduce_mean(gradient, axis=(1, 2), keepdims=True)
        heat = tf.nn.relu(tf.reduce_sum(weights * maps, axis=-1)).numpy()[0]
        return heat.astype(np.float32), float(score.numpy()[0])

    def activations(self, inputs: Pixels, name: str) -> Map:
        """What a layer answers to an input (height, width, 3): (rows, columns, channels)."""
        from cnnlab.keras.backend import keras, tf

        model = self.classifier.model
        if name not in self.layers:
            raise UserError(f"{name!r} is not a layer with feature maps; there are {', '.join(self.layers)}.")
        part = keras.Model(model.inputs, model.get_layer(name).output)
        given = self.classifier.data.preprocessing.normalize(tf.constant(inputs[None]))
        answer = part(given, training=False)
        found: Map = answer.numpy()[0].astype(np.float32)
        return found

    def first_filters(self) -> list[Pixels]:
        """The kernels of the first convolution as small RGB images, each on its own scale; grey is 0."""
        name = next(node.name for node in self.network.layers if isinstance(node.layer, Conv2D))
        kernel = self.classifier.model.get_layer(name).get_weights()[0]  # rows, columns, 3, filters
        filters = []
        for one in np.moveaxis(kernel, -1, 0)[:MOST_FILTERS]:
            largest = max(float(np.abs(one).max()), 1e-12)
            filters.append(np.clip(127.5 + 127.5 * one / largest, 0, 255).astype(np.uint8))
        return filters


def colored(values: Map) -> Pixels:
    """A map as an RGB image, from its least value to its greatest."""
    low, high = float(values.min()), float(values.max())
    place = (values - low) / max(high - low, 1e-12) * (len(SCALE) - 1)
    left = np.clip(place.astype(int), 0, len(SCALE) - 2)
    share = (place - left)[..., None]
    shades: Pixels = (SCALE[left] * (1 - share) + SCALE[left + 1] * share).astype(np.uint8)
    return shades


def overlaid(image: Pixels, values: Map, strength: float = 0.5) -> Pixels:
    """A class map, smoothly enlarged, laid over what the network saw."""
    height, width = image.shape[:2]
    low, high = float(values.min()), float(values.max())
    scaled = ((values - low) / max(high - low, 1e-12)).astype(np.float32)
    large = np.asarray(Image.fromarray(scaled).resize((width, height), Image.Resampling.BICUBIC))
    mixed: Pixels = (image * (1 - strength) + colored(np.clip(large, 0, 1)) * strength).astype(np.uint8)
    return mixed
