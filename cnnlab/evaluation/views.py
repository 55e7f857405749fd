"""Test-time augmentation: the probabilities of several views of an image, averaged.

`multi-crop` and `dense` follow VGG (Simonyan and Zisserman, arXiv:1409.1556, section 3.2): the image is enlarged, and
the network is applied to crops of a 5x5 grid and their mirror images, or, made fully convolutional, to the whole
enlarged image and its mirror image, its class maps averaged over all positions.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np

from cnnlab.errors import UserError
from cnnlab.images import Pixels, resize
from cnnlab.layers import (
    AveragePooling2D,
    Conv2D,
    Dense,
    Flatten,
    GlobalAveragePooling2D,
    InputLayer,
    Shape,
)
from cnnlab.network import Builder, Network, Node, Tensor
from cnnlab.prediction import Classifier, Probabilities

View = Literal["plain", "mirror", "shifts", "multi-crop", "dense"]

VIEWS: dict[View, str] = {
    "plain": "The image as it is",
    "mirror": "It and its mirror image",
    "shifts": "Mirrored and shifted by a sixteenth, 18 views",
    "multi-crop": "50 crops of the enlarged image, as VGG",
    "dense": "All positions of the enlarged image, as VGG",
}
SHIFT = 1 / 16
GRID = 5
ENLARGED_POSITIONS = 2


def mirrored(images: Pixels) -> Pixels:
    return images[:, :, ::-1]


def shifted(images: Pixels) -> Iterator[Pixels]:
    """The images and their shifts by a sixteenth of the side in eight directions, the border reflected."""
    height, width = images.shape[1:3]
    down, right = max(round(height * SHIFT), 1), max(round(width * SHIFT), 1)
    padded = np.pad(images, ((0, 0), (down, down), (right, right), (0, 0)), "reflect")
    for top in (0, down, 2 * down):
        for left in (0, right, 2 * right):
            yield padded[:, top : top + height, left : left + width]


def crops(images: Pixels, height: int, width: int) -> Iterator[Pixels]:
    """Windows on a 5x5 grid from corner to corner."""
    for top in np.linspace(0, images.shape[1] - height, GRID).round().astype(int):
        for left in np.linspace(0, images.shape[2] - width, GRID).round().astype(int):
            yield images[:, top : top + height, left : left + width]


def enlarged_size(network: Network) -> tuple[int, int]:
    """The input's size with two more positions of the last feature map each way."""
    height, width, _ = network.input_shape
    rows, columns = last_map(network)[:2]
    return height + ENLARGED_POSITIONS * -(-height // rows), width + ENLARGED_POSITIONS * -(-width // columns)


def last_map_node(network: Network) -> Node:
    """The layer that flattens or averages the feature maps before the first output; UserError where there is none."""
    for node in network.layers:
        if isinstance(node.layer, Flatten | GlobalAveragePooling2D) and leads_to(network, node.name):
            return node
    raise UserError("This network has no layer that ends its feature maps.")


def last_map(network: Network) -> Shape:
    """The shape of what is flattened or averaged before the first output."""
    return last_map_node(network).input_shapes[0]


def leads_to(network: Network, name: str) -> bool:
    """Whether the layer lies on the way to the first output."""
    wanted, seen = [network.outputs[0]], set()
    while wanted:
        node = network[wanted.pop()]
        if node.name not in seen:
            seen.add(node.name)
            wanted += node.inputs
    return name in seen


def fully_convolutional(network: Network, height: int, width: int) -> Network:
    """The way to the first output on inputs of another size: dense layers become convolutions as large as the map that
    they read, the average of the map becomes one of windows of its size, and the output is a map of classes."""
    builder = Builder(network.name)
    tensors: dict[str, Tensor] = {}
    for node in network.layers:
        if not leads_to(network, node.name):
            continue
        inputs = [tensors[name] for name in node.inputs]
        match node.layer:
            case InputLayer(shape):
                layer: Any = InputLayer((height, width, shape[-1]))
            case Flatten():
                tensors[node.name] = inputs[0]
                continue
            case Dense(units, activation):
                layer = Conv2D(units, map_read(network, node.inputs[0]), 1, "valid", activation)
            case GlobalAveragePooling2D():
                layer = AveragePooling2D(square(node.input_shapes[0]), 1, "valid")
            case _:
                layer = node.layer
        tensors[node.name] = builder.add(layer, inputs, node.name)
    return builder.build(tensors[network.outputs[0]])


def square(shape: Shape) -> int:
    """The side of a feature map; UserError where it is not square."""
    if shape[0] != shape[1]:
        raise UserError(f"Dense evaluation needs square feature maps, not {shape[0]}×{shape[1]}.")
    return shape[0]


def map_read(network: Network, name: str) -> int:
    """The side of the map that a dense layer reads through the layer of this name: 1 behind another dense layer."""
    node = network[name]
    while not isinstance(node.layer, Flatten | Dense | GlobalAveragePooling2D):
        node = network[node.inputs[0]]
    if isinstance(node.layer, Flatten):
        return square(node.input_shapes[0])
    return 1


def dense_function(classifier: Classifier, height: int, width: int) -> Any:
    """uint8 images (count, height, width, 3) to probabilities averaged over all positions, as one compiled function."""
    from cnnlab.backend import tf
    from cnnlab.keras_model import keras_model

    network = fully_convolutional(classifier.run.network, height, width)
    model = keras_model(network)
    for node in network.layers:
        weights = classifier.model.get_layer(node.name).get_weights()
        if weights:
            layer = model.get_layer(node.name)
            layer.set_weights(
                [given.reshape(own.shape) for given, own in zip(weights, layer.get_weights(), strict=True)]
            )

    @tf.function(input_signature=[tf.TensorSpec((None, height, width, 3), tf.uint8)])  # type: ignore[untyped-decorator]
    def function(images: Any) -> Any:
        maps = model(classifier.data.preprocessing.normalize(images), training=False)[network.outputs[0]]
        return tf.reduce_mean(tf.cast(maps, tf.float32), axis=(1, 2))

    return function


class Viewer:
    """Class probabilities of stored images by one view."""

    def __init__(self, classifier: Classifier, view: View) -> None:
        self.classifier, self.view = classifier, view
        network = classifier.run.network
        self.height, self.width = network.input_shape[:2]
        if view in ("multi-crop", "dense"):
            self.large = enlarged_size(network)
            self.dense = dense_function(classifier, *self.large) if view == "dense" else None

    def probabilities(self, images: Pixels) -> Probabilities:
        """(count, classes) of images (count, height, width, 3) as the data set stores them."""
        if self.view == "plain":
            return self.classifier.probabilities(images)
        if self.view in ("mirror", "shifts"):
            inputs = self.classifier.data.preprocessing.fit_all(images)
            views = [inputs] if self.view == "mirror" else list(shifted(inputs))
            return self.average(both for view in views for both in (view, mirrored(view)))
        large = np.stack([resize(image, *self.large) for image in images])
        if self.dense is None:
            views = list(crops(large, self.height, self.width))
            return self.average(both for view in views for both in (view, mirrored(view)))
        averaged: Probabilities = (self.dense(large).numpy() + self.dense(mirrored(large)).numpy()) / np.float32(2)
        return averaged

    def average(self, views: Iterator[Pixels]) -> Probabilities:
        total: Any = 0.0
        count = 0
        for view in views:
            total = total + self.classifier.function(np.ascontiguousarray(view)).numpy()
            count += 1
        averaged: Probabilities = total / np.float32(count)
        return averaged
