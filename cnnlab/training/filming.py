"""Films a training: asks the network, after chosen epochs, about the same few images (`cnnlab.runs.film`).

It draws no random number of TensorFlow's or Keras's and changes no weight, so a training is the same with it and
without. What goes wrong here ends the film, not the training.
"""

from __future__ import annotations

import time
import traceback
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cnnlab.datasets import Split
from cnnlab.datasets.dataset import Indices
from cnnlab.datasets.images import Pixels, resize
from cnnlab.network import Network, Node, families
from cnnlab.network.layers import (
    BatchNormalization,
    Conv2D,
    DepthwiseConv2D,
    Dropout,
    InputLayer,
)
from cnnlab.network.paths import leads_to
from cnnlab.runs import film
from cnnlab.runs.film import OWN, Frame, Maps, Scene
from cnnlab.runs.run import Data, Run

if TYPE_CHECKING:
    from cnnlab.training.trainer import Trainer

SHARE = 0.01
LEAST_SECONDS = 10.0
MOST_IMAGES = 6
MOST_LAYERS = 3
MOST_CHANNELS = 8
MOST_FILTERS = 64
MOST_FILTER_SIDE = 11
MAP_SIDE = 32
SHOWN_SIDE = 96
PLAIN = (InputLayer, Dropout, BatchNormalization)
DRAW = 0xF17
"""Beside the run's seed: which of the validation images are drawn."""


class Filming:
    """Films one training, or nothing where its recipe says so."""

    def __init__(self, run: Run, trainer: Trainer, data: Data, validation: Split) -> None:
        self.run, self.trainer, self.data, self.validation = run, trainer, data, validation
        self.on = trainer.recipe.film
        self.spent = 0.0

    def begin(self, epoch: int, place: float) -> None:
        """Choose what is filmed; of a training that begins, take the frame before its first step."""
        if not self.on:
            return
        try:
            self.images, labels = self._chosen()
            self.layers = chosen_layers(self.trainer.network)
            channels = tuple(node.output_shape[-1] for node in self.layers)
            small = np.stack([shrunk(image) for image in self.images])
            names = tuple(node.name for node in self.layers)
            film.write_scene(self.run, Scene(small, labels, names, channels))
            film.forget_after(self.run, place)
            if not place:
                self._take(epoch, None)
        except Exception as error:
            self._give_up(error)

    def after_epoch(self, epoch: int, last: int, confusion: NDArray[np.int64], worked: float) -> None:
        """Take a frame where one is due; `confusion` is that of the validation that the epoch ended with.

        A film may take a hundredth of the seconds `worked`, and ten seconds of any training; what would take longer is
        left out.
        """
        if not self.on or not film.is_filmed(epoch, last) or self.spent > max(LEAST_SECONDS, SHARE * worked):
            return
        try:
            self._take(epoch, confusion.astype(np.uint32))
        except Exception as error:
            self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        """A full disk, no memory, our own defect: the training goes on without its film."""
        self.on = False
        traceback.print_exc()
        print(f"The film of the training ends here: {type(error).__name__}: {error}", flush=True)

    def _chosen(self) -> tuple[Pixels, NDArray[np.int64]]:
        """Fitted images (count, height, width, 3) and their labels, the person's own last."""
        positions = chosen_positions(self.validation, self.trainer.recipe.seed)
        images, labels = self.validation.batch(positions)
        fitted = self.data.preprocessing.fit_all(images)
        own = film.own_image(self.run)
        if own is None:
            return fitted, labels
        return np.concatenate([fitted, self.data.preprocessing.fit(own)[None]]), np.append(labels, OWN)

    def _take(self, epoch: int, confusion: NDArray[np.uint32] | None) -> None:
        began = time.monotonic()
        names = [node.name for node in self.layers]
        with self.trainer.averaged():
            probabilities, answers = self.trainer.answers(self.images, names)
            filters = self._filters()
        maps, ranges = zip(*map(as_bytes, answers), strict=True) if answers else ((), ())
        spans = np.array(ranges, np.float32).reshape(-1, 2)
        film.write_frame(self.run, Frame(epoch, probabilities, filters, tuple(maps), spans, confusion))
        self.spent += time.monotonic() - began

    def _filters(self) -> Pixels:
        """The kernels of the first convolution over the image's colours, grey is 0, each on its own scale."""
        found = first_convolution(self.trainer.network)
        if found is None:
            return np.zeros((0, 1, 1, 3), np.uint8)
        kernel = self.trainer.model.get_layer(found.name).kernel.numpy()[..., :MOST_FILTERS]
        kernel = np.moveaxis(np.nan_to_num(kernel.astype(np.float32)), -1, 0)
        largest = np.abs(kernel).max(axis=(1, 2, 3), keepdims=True)
        scaled: Pixels = np.clip(127.5 + 127.5 * kernel / np.maximum(largest, 1e-12), 0, 255).astype(np.uint8)
        return scaled


def chosen_positions(validation: Split, seed: int) -> Indices:
    """Where in the validation part the filmed images stand: drawn by the seed, of different classes as far as there
    are."""
    order = np.random.default_rng((seed, DRAW)).permutation(len(validation))
    labels = validation.labels[validation.indices[order]]
    firsts = np.sort(np.unique(labels, return_index=True)[1])
    others = np.setdiff1d(np.arange(len(order)), firsts)
    chosen: Indices = order[np.concatenate([firsts, others])[:MOST_IMAGES]]
    return chosen


def chosen_layers(network: Network) -> list[Node]:
    """The layers whose maps are filmed: from the first to the last on the way to the output, evenly; those after an
    activation or where branches meet, else whatever has maps."""
    with_maps = [
        node
        for node in network.layers
        if len(node.output_shape) == 3 and node.output_shape[0] > 1 and leads_to(network, node.name)
    ]
    good = [node for node in with_maps if is_telling(node)]
    found = good or [node for node in with_maps if not isinstance(node.layer, PLAIN)]
    count = min(MOST_LAYERS, len(found))
    return [found[place] for place in np.linspace(0, len(found) - 1, count).round().astype(int)]


def is_telling(node: Node) -> bool:
    if isinstance(node.layer, Conv2D | DepthwiseConv2D):
        return node.layer.activation != "linear"
    return node.layer.joins or node.layer.family is families.ACTIVATION


def first_convolution(network: Network) -> Node | None:
    """The convolution that sees the image's colours, as far as its kernels can be shown; None where there is none."""
    for node in network.layers:
        if isinstance(node.layer, Conv2D):
            seen = node.input_shapes[0][-1] == 3 and node.layer.kernel <= MOST_FILTER_SIDE
            return node if seen else None
    return None


def as_bytes(answer: NDArray[np.float32]) -> tuple[Maps, tuple[float, float]]:
    """The first channels of maps (images, height, width, channels), at most 32 pixels a side; what 0 and 255 are."""
    part = np.nan_to_num(answer[..., :MOST_CHANNELS])
    factor = -(-max(part.shape[1:3]) // MAP_SIDE)
    if factor > 1:  # means of squares of pixels
        height, width = (max(side // factor, 1) for side in part.shape[1:3])
        cut = part[:, : height * factor, : width * factor]
        part = cut.reshape(len(cut), height, -1, width, cut.shape[2] // width, cut.shape[3]).mean(axis=(2, 4))
    low, high = float(part.min()), float(part.max())
    low = min(low, 0.0) if high > 0 else low
    scaled = (part - low) / max(high - low, 1e-12) * 255
    return np.ascontiguousarray(np.moveaxis(scaled.round().astype(np.uint8), -1, 1)), (low, high)


def shrunk(image: Pixels) -> Pixels:
    """An image as it is shown: no larger than it has to be."""
    height, width = image.shape[:2]
    scale = min(SHOWN_SIDE / max(height, width), 1)
    return resize(image, max(round(height * scale), 1), max(round(width * scale), 1))
