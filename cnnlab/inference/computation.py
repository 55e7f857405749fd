"""The ways to compute one value of a layer: a closed set of frozen dataclasses, each with its `value`.

    Conv2D, DepthwiseConv2D, Dense             WeightedSum
    MaxPooling2D                               LargestOf
    AveragePooling2D, GlobalAveragePooling2D   MeanOf
    BatchNormalization                         Standardized
    LocalResponseNormalization                 ResponseNormalized
    Activation                                 Activated
    Add                                        SumOf
    Concatenate, Flatten, ZeroPadding2D,
    Dropout                                    Passed
    InputLayer                                 NormalizedPixel

`arithmetic.py` makes them. A vector is read as a map of one place: a dense layer is a 1x1 convolution of it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnnlab.network import Node
from cnnlab.network.layers import ActivationName

Place = tuple[int, int]
"""Row and column on a layer's maps."""
Numbers = NDArray[np.float64]
ROUNDING = 1e-5


@dataclass(frozen=True, eq=False)
class Patch:
    """The values that are read of a layer: (rows, columns, channels), zeros where `padding` (rows, columns) holds.

    `top` and `left` are where it begins on the layer's maps, negative in the padding; `channels` are those read.
    """

    layer: str
    top: int
    left: int
    channels: range
    values: Numbers
    padding: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class WeightedSum:
    """Inputs times weights, both (rows, columns, channels), summed; a bias where the layer has one; the activation.

    `scores` are the sums with bias of all the layer's channels at this place where the activation is a softmax.
    """

    patch: Patch
    weights: Numbers
    bias: float | None
    activation: ActivationName
    channel: int
    scores: Numbers | None = None

    @property
    def products(self) -> Numbers:
        return self.patch.values * self.weights

    @property
    def by_channel(self) -> Numbers:
        """The sum of the products of each input channel."""
        return np.asarray(self.products.sum((0, 1)))

    @property
    def total(self) -> float:
        """The sum of all products."""
        return float(self.products.sum())

    @property
    def size(self) -> float:
        """What the sum could be at most, were all signs equal: rounding is in proportion to it."""
        return float(np.abs(self.products).sum()) + abs(self.bias or 0.0)

    @property
    def before(self) -> float:
        """What the activation is given."""
        return self.total + (self.bias or 0.0)

    @property
    def value(self) -> float:
        return activated(self.activation, self.before, self.scores, self.channel)


@dataclass(frozen=True, eq=False)
class LargestOf:
    """The largest of a window's real values."""

    patch: Patch

    @property
    def winner(self) -> Place:
        """Where in the window it stands, the first of equals; numbers come before NaN."""
        values = np.where(np.isnan(self.patch.values[..., 0]), -np.inf, self.patch.values[..., 0])
        row, column = max(np.argwhere(~self.patch.padding).tolist(), key=lambda place: float(values[tuple(place)]))
        return (row, column)

    @property
    def value(self) -> float:
        return float(self.patch.values[(*self.winner, 0)])


@dataclass(frozen=True, eq=False)
class MeanOf:
    """The mean of a window's real values: zeros of the padding do not count."""

    patch: Patch

    @property
    def count(self) -> int:
        return int((~self.patch.padding).sum())

    @property
    def total(self) -> float:
        return float(self.patch.values.sum())

    @property
    def value(self) -> float:
        return self.total / self.count


@dataclass(frozen=True)
class Standardized:
    """gamma (given - mean) / sqrt(variance + epsilon) + beta, with the statistics that training kept."""

    layer: str
    given: float
    gamma: float
    beta: float
    mean: float
    variance: float
    epsilon: float

    @property
    def deviation(self) -> float:
        return math.sqrt(self.variance + self.epsilon) if self.variance > -self.epsilon else math.nan

    @property
    def standardized(self) -> float:
        """With mean 0 and deviation 1 over what training saw."""
        return (self.given - self.mean) / self.deviation

    @property
    def value(self) -> float:
        return self.gamma * self.standardized + self.beta


@dataclass(frozen=True, eq=False)
class ResponseNormalized:
    """given / (bias + alpha * sum of squares) ** beta, over the `channels` beside it at the same place."""

    layer: str
    given: float
    channels: range
    beside: Numbers
    bias: float
    alpha: float
    beta: float

    @property
    def squares(self) -> float:
        return float((self.beside**2).sum())

    @property
    def divisor(self) -> float:
        return float((self.bias + self.alpha * self.squares) ** self.beta)

    @property
    def value(self) -> float:
        return self.given / self.divisor


@dataclass(frozen=True, eq=False)
class Activated:
    """An activation of what the layer before gave; of a softmax, `scores` are all channels at this place."""

    layer: str
    given: float
    activation: ActivationName
    channel: int
    scores: Numbers | None = None

    @property
    def value(self) -> float:
        return activated(self.activation, self.given, self.scores, self.channel)


@dataclass(frozen=True)
class Addend:
    """A value that goes into a sum, and the layer that gave it."""

    layer: str
    given: float


@dataclass(frozen=True)
class SumOf:
    """The sum of the values of several layers at the same place."""

    addends: tuple[Addend, ...]

    @property
    def value(self) -> float:
        return sum(one.given for one in self.addends)


@dataclass(frozen=True)
class Passed:
    """A value of `layer` as it is, from its `channel` and place; none where it is a zero of the padding.

    `rate` is the share that dropout would set to zero while training.
    """

    layer: str
    channel: int
    at: Place | None
    given: float | None
    rate: float | None = None

    @property
    def value(self) -> float:
        return 0.0 if self.given is None else self.given


@dataclass(frozen=True)
class NormalizedPixel:
    """(pixel - mean) / deviation, in each colour; a grey network takes the mean of the three."""

    pixel: tuple[int, ...]
    mean: tuple[float, ...]
    deviation: tuple[float, ...]

    @property
    def normalized(self) -> tuple[float, ...]:
        colours = zip(self.pixel, self.mean, self.deviation, strict=True)
        return tuple((one - mean) / deviation for one, mean, deviation in colours)

    @property
    def value(self) -> float:
        return sum(self.normalized) / len(self.normalized)


Computation = (
    WeightedSum | LargestOf | MeanOf | Standardized | ResponseNormalized | Activated | SumOf | Passed | NormalizedPixel
)


@dataclass(frozen=True, eq=False)
class Computed:
    """One value of a layer: which, how it is computed, and what TensorFlow `stored`; zero where it is `silenced`."""

    node: Node
    channel: int
    at: Place | None
    how: Computation
    stored: float
    silenced: bool

    @property
    def agrees(self) -> bool:
        """Whether this is what TensorFlow stored, but for float32's rounding; it is not where the value is silenced.

        It need not be where NaN is met: TensorFlow's ReLU may make a zero of it, and its max pooling the lowest number.
        """
        if math.isnan(self.how.value):
            return math.isnan(self.stored)
        size = self.how.size if isinstance(self.how, WeightedSum) else abs(self.how.value)
        return abs(self.how.value - self.stored) <= ROUNDING * max(size, 1.0)


def activated(activation: ActivationName, before: float, scores: Numbers | None, channel: int) -> float:
    """What an activation makes of a value; of a softmax, `scores` are those of all channels."""
    if scores is not None:
        raised = np.exp(scores - scores.max())
        return float(raised[channel] / raised.sum())
    match activation:
        case "relu":
            return before if math.isnan(before) else max(before, 0.0)
        case "relu6":
            return before if math.isnan(before) else min(max(before, 0.0), 6.0)
        case "elu":
            return before if before > 0 else math.expm1(before)
        case "tanh":
            return math.tanh(before)
        case _:
            return before
