"""Test-time augmentation: the probabilities of several copies of an image, averaged.

`multi-crop` and `dense` follow VGG (Simonyan and Zisserman, arXiv:1409.1556, section 3.2): the image is enlarged, and
the network is applied to crops of a 5x5 grid and their mirror images, or, made fully convolutional, to the whole
enlarged image and its mirror image, its class maps averaged over all positions.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np

from cnnlab.datasets.images import Pixels, resize
from cnnlab.inference.classifier import Classifier, Probabilities
from cnnlab.network import Network
from cnnlab.network.dense import fully_convolutional
from cnnlab.network.paths import last_map

Tta = Literal["plain", "mirror", "shifts", "multi-crop", "dense"]

TTA_TITLES: dict[Tta, str] = {
    "plain": "The image as it is",
    "mirror": "It and its mirror image",
    "shifts": "Mirrored and shifted by a sixteenth, 18 copies",
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


def dense_function(classifier: Classifier, height: int, width: int) -> Any:
    """uint8 images (count, height, width, 3) to probabilities averaged over all positions, as one compiled function."""
    from cnnlab.keras.backend import tf
    from cnnlab.keras.model import keras_model

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


class TtaPredictor:
    """Class probabilities of stored images with one test-time augmentation."""

    def __init__(self, classifier: Classifier, tta: Tta) -> None:
        self.classifier, self.tta = classifier, tta
        network = classifier.run.network
        self.height, self.width = network.input_shape[:2]
        if tta in ("multi-crop", "dense"):
            self.large = enlarged_size(network)
            self.dense = dense_function(classifier, *self.large) if tta == "dense" else None

    def probabilities(self, images: Pixels) -> Probabilities:
        """(count, classes) of images (count, height, width, 3) as the data set stores them."""
        if self.tta == "plain":
            return self.classifier.probabilities(images)
        if self.tta in ("mirror", "shifts"):
            inputs = self.classifier.data.preprocessing.fit_all(images)
            copies = [inputs] if self.tta == "mirror" else list(shifted(inputs))
            return self.average(both for copy in copies for both in (copy, mirrored(copy)))
        large = np.stack([resize(image, *self.large) for image in images])
        if self.dense is None:
            copies = list(crops(large, self.height, self.width))
            return self.average(both for copy in copies for both in (copy, mirrored(copy)))
        averaged: Probabilities = (self.dense(large).numpy() + self.dense(mirrored(large)).numpy()) / np.float32(2)
        return averaged

    def average(self, copies: Iterator[Pixels]) -> Probabilities:
        total: Any = 0.0
        count = 0
        for copy in copies:
            total = total + self.classifier.function(np.ascontiguousarray(copy)).numpy()
            count += 1
        averaged: Probabilities = total / np.float32(count)
        return averaged
