"""Is the picture an explanation? Three checks that do not ask whether it looks good.

Completeness belongs to integrated gradients alone and comes with them (`saliency.py`). Deletion and insertion (Petsiuk
et al., 2018, arXiv:1806.07421) ask whether the parts that a picture marks matter to the network. The randomization test
(Adebayo et al., 2018, arXiv:1810.03292) asks whether it depends on the weights at all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cnnlab.datasets.images import Pixels
from cnnlab.errors import UserError
from cnnlab.inference.attribution import Map
from cnnlab.inference.classifier import Classifier
from cnnlab.inference.probe import Images, Probe, Progress, unwatched
from cnnlab.inference.saliency import AttributionMethod, attribute, flat
from cnnlab.network.paths import leads_to

CELLS_A_SIDE = 16
CURVE_STEPS = 20
RANDOM_ORDERS = 3
STAGES = 6
COARSE_DRAWS = 4
BLURRED_SHARE = 1 / 8
UNCHANGED, CHANGED = 0.7, 0.4
"""Rank correlations: from the first on a picture counts as unchanged, below the second as changed."""
Verdict = Literal["changed", "partly", "unchanged"]
VERDICTS: dict[Verdict, str] = {
    "changed": "The picture depends on the weights: with random weights it becomes another one.",
    "partly": (
        "The picture depends on the weights only in part: much of it stays with random weights, because it shows the "
        "image itself. Trust its rough places, not its outlines."
    ),
    "unchanged": (
        "The picture hardly depends on the weights: with random weights it stays nearly the same, as an edge "
        "detector's does. It shows the image, not what the network has learned, and explains nothing."
    ),
}


@dataclass(frozen=True)
class RemovalCurve:
    """The class's probability while parts of the image go or come, those that the picture marks most first.

    `shares` of the image run from 0 to 1; `random` is the mean over a few random orders.
    """

    shares: tuple[float, ...]
    ordered: tuple[float, ...]
    random: tuple[float, ...]

    @property
    def area(self) -> float:
        return float(np.trapezoid(self.ordered, self.shares))

    @property
    def random_area(self) -> float:
        return float(np.trapezoid(self.random, self.shares))


@dataclass(frozen=True)
class RandomizedStage:
    """The layers down to one are randomized: how many, which is the lowest, and how like the original the picture is.

    `similarity` is Spearman's rank correlation of the values, `without_sign` that of their absolute values.
    """

    layers: int
    lowest: str
    similarity: float
    without_sign: float


@dataclass(frozen=True)
class RandomizationTest:
    """How a picture changes while weights are randomized from the top layer down."""

    stages: tuple[RandomizedStage, ...]

    @property
    def left(self) -> float:
        """The similarity that is left when all weights are random, with or without sign, whichever is larger."""
        return max(abs(self.stages[-1].similarity), abs(self.stages[-1].without_sign))

    @property
    def verdict(self) -> Verdict:
        if self.left >= UNCHANGED:
            return "unchanged"
        return "partly" if self.left >= CHANGED else "changed"


def removal_curves(
    probe: Probe, inputs: Pixels, label: int, values: Map, progress: Progress = unwatched
) -> tuple[RemovalCurve, RemovalCurve]:
    """Deletion and insertion, in the order of a picture (rows, columns) and in random orders.

    Deletion replaces cells of the image by its mean colour, the marked ones first: a good picture's curve falls early,
    so its area is small. Insertion puts them back into the blurred image: its area is large. The image has up to 16x16
    cells, and a random order takes the same cells, since single pixels would disturb a network by their edges alone.
    """
    height, width = inputs.shape[:2]
    rows, columns = min(height, CELLS_A_SIDE), min(width, CELLS_A_SIDE)
    image, gone = inputs.astype(np.float32), flat(inputs)
    deviation = BLURRED_SHARE * min(height, width)
    blurred = cv2.GaussianBlur(image, (0, 0), deviation, borderType=cv2.BORDER_REFLECT)
    cells = cv2.resize(at_size(values, height, width), (columns, rows), interpolation=cv2.INTER_AREA)
    orders = [np.argsort(-cells.ravel(), kind="stable")]
    orders += [np.random.default_rng(seed).permutation(rows * columns) for seed in range(RANDOM_ORDERS)]
    cell_of = (np.arange(height) * rows // height)[:, None] * columns + np.arange(width) * columns // width
    ranks = [np.argsort(order)[cell_of][..., None] for order in orders]
    shares = np.linspace(0, 1, CURVE_STEPS + 1)

    def changed(number: int) -> Images:
        which, step = divmod(number, len(shares))
        insert, order = divmod(which, len(orders))
        first = ranks[order] < round(shares[step] * rows * columns)
        found: Images = np.where(first, image, blurred) if insert else np.where(first, gone, image)
        return found

    count = 2 * len(orders) * len(shares)
    found = probe.probabilities(count, changed, progress)[:, label].astype(np.float64)
    deletion, insertion = found.reshape(2, len(orders), len(shares))
    return curve_of(shares, deletion), curve_of(shares, insertion)


def curve_of(shares: NDArray[np.float64], found: NDArray[np.float64]) -> RemovalCurve:
    """The first row is of the picture's order, the others of random ones."""
    return RemovalCurve(
        tuple(map(float, shares)), tuple(map(float, found[0])), tuple(map(float, found[1:].mean(axis=0)))
    )


def at_size(values: Map, height: int, width: int) -> Map:
    """A picture enlarged to the input's pixels; itself where it has them."""
    if values.shape == (height, width):
        return values
    large = Image.fromarray(values.astype(np.float32)).resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(large, np.float32)


def randomization(
    classifier: Classifier, explain: Callable[[Probe], Map], draws: int = 1, progress: Progress = unwatched
) -> RandomizationTest:
    """How like its original a picture stays while a copy's weights are randomized from the top layer down.

    Each layer's weights are put into a random order, which keeps their distribution, so that no layer dies or
    overflows, and loses what was learned. `explain` makes the picture of a network. The classifier stays as it is.
    """
    copy = replace(classifier, model=copied(classifier))
    layers = layers_with_weights(copy)
    if not layers:
        raise UserError(f"{classifier.run.id} has no weights, so no picture of it can depend on them.")
    stops = sorted({round(number) for number in np.linspace(1, len(layers), STAGES)})
    trained = [layer.get_weights() for layer in layers]
    probe = Probe(copy)
    original = explain(probe)
    progress(1 / (1 + draws * len(stops)))
    found = np.zeros((draws, len(stops), 2))
    for draw in range(draws):
        generator = np.random.default_rng(draw)
        for layer, weights in zip(layers, trained, strict=True):
            layer.set_weights(weights)
        randomized = 0
        for place, stop in enumerate(stops):
            for layer in layers[randomized:stop]:
                layer.set_weights([shuffled(one, generator) for one in layer.get_weights()])
            randomized = stop
            picture = np.nan_to_num(explain(probe))
            found[draw, place] = rank_correlation(original, picture), rank_correlation(abs(original), abs(picture))
            progress((2 + draw * len(stops) + place) / (1 + draws * len(stops)))
    mean = found.mean(axis=0)
    return RandomizationTest(
        tuple(
            RandomizedStage(stop, layers[stop - 1].name, float(similarity), float(without_sign))
            for stop, (similarity, without_sign) in zip(stops, mean, strict=True)
        )
    )


def randomization_of(
    classifier: Classifier, inputs: Pixels, label: int, method: AttributionMethod, progress: Progress = unwatched
) -> RandomizationTest:
    """The test of a method's picture. Class maps are small, so chance weighs more: they get the mean of a few draws."""
    draws = COARSE_DRAWS if method in ("cam", "grad-cam") else 1
    return randomization(
        classifier, lambda probe: attribute(probe, inputs, label, method, quick=True).values, draws, progress
    )


def copied(classifier: Classifier) -> Any:
    """A keras.Model of the same weights, to be changed."""
    from cnnlab.keras.backend import keras
    from cnnlab.keras.model import keras_model

    network = Probe(classifier).network
    model = keras.models.clone_model(classifier.model) if network is None else keras_model(network)
    model.set_weights(classifier.model.get_weights())
    return model


def layers_with_weights(classifier: Classifier) -> list[Any]:
    """Those that the answer depends on, from the top down."""
    network = Probe(classifier).network
    return [
        layer
        for layer in reversed(classifier.model.layers)
        if layer.weights and (network is None or leads_to(network, layer.name))
    ]


def shuffled(values: NDArray[Any], generator: np.random.Generator) -> NDArray[Any]:
    return generator.permutation(values.ravel()).reshape(values.shape)


def rank_correlation(one: Map, other: Map) -> float:
    """Spearman's, from -1 to 1; 0 where one of them is the same everywhere and so has no order."""
    from scipy.stats import rankdata

    first, second = (rankdata(values, axis=None) for values in (one, other))
    if not (np.ptp(first) and np.ptp(second)):
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])
