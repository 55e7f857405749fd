"""The arithmetic of 1x1 convolutions: what a bottleneck saves, inside one convolution and inside an inception module.

Lin, Chen and Yan, "Network in Network", ICLR 2014 (arXiv:1312.4400), introduced the 1x1 convolution as a layer; Szegedy
et al., "Going Deeper with Convolutions", CVPR 2015 (arXiv:1409.4842), Figure 2, put it before the costly ones. Every
count comes from the layers themselves. As everywhere, biases count as parameters and not as multiply-adds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields, replace
from fractions import Fraction
from typing import Any, Literal, get_args

from cnnlab import architectures
from cnnlab.analysis import receptive_fields
from cnnlab.architectures.googlenet import INCEPTIONS
from cnnlab.errors import UserError
from cnnlab.layers import Conv2D, Padding, Shape

Measure = Literal["parameters", "multiply_adds"]
MEASURES: tuple[Measure, ...] = get_args(Measure)

MOST_PIXELS = 4096  # these limits keep every count below 2^63, which tables and charts can hold
MOST_CHANNELS = 8192
MOST_KERNEL = 31
MOST_POINTS = 400


@dataclass(frozen=True, slots=True)
class Cost:
    """Parameters, and multiply-adds for one image."""

    parameters: int = 0
    multiply_adds: int = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.parameters + other.parameters, self.multiply_adds + other.multiply_adds)

    def __sub__(self, other: Cost) -> Cost:
        return Cost(self.parameters - other.parameters, self.multiply_adds - other.multiply_adds)

    def of(self, measure: Measure) -> int:
        return self.parameters if measure == "parameters" else self.multiply_adds

    def factor(self, other: Cost, measure: Measure) -> float | None:
        """How many times `other` this is; None where one of the two costs nothing."""
        return self.of(measure) / other.of(measure) if self.of(measure) and other.of(measure) else None


@dataclass(frozen=True, slots=True)
class Path:
    """Convolutions one after the other on an input of that shape; without any, the input passes through."""

    input_shape: Shape
    layers: tuple[Conv2D, ...]

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """The input's shape, then the output's of each layer."""
        shapes = [self.input_shape]
        for layer in self.layers:
            shapes.append(layer.output_shape(shapes[-1]))
        return tuple(shapes)

    @property
    def output_shape(self) -> Shape:
        return self.shapes[-1]

    @property
    def costs(self) -> tuple[Cost, ...]:
        """What each layer costs."""
        return tuple(
            Cost(sum(weight.size for weight in layer.weights(shape)), layer.multiply_adds(shape))
            for layer, shape in zip(self.layers, self.shapes[:-1], strict=True)
        )

    @property
    def cost(self) -> Cost:
        return together(self.costs)


def together(costs: Iterable[Cost]) -> Cost:
    return sum(costs, Cost())


@dataclass(frozen=True, slots=True)
class BreakEven:
    """Where the reduced path costs what the direct one does: at the width `numerator / denominator`."""

    numerator: int
    denominator: int

    @property
    def width(self) -> Fraction:
        return Fraction(self.numerator, self.denominator)

    @property
    def widest(self) -> int:
        """The widest bottleneck that is cheaper than the direct path; 0 where none is."""
        return (self.numerator - 1) // self.denominator


@dataclass(frozen=True, slots=True)
class Bottleneck:
    """A convolution on height x width x channels, and the detour through a 1x1 convolution with `bottleneck` filters.

    The stride is 1 and the padding that of the `kernel` x `kernel` convolution; the 1x1 keeps height and width.
    Raises UserError for numbers out of their range and for a window that does not fit.
    """

    height: int
    width: int
    channels: int
    kernel: int
    filters: int
    bottleneck: int
    padding: Padding = "valid"

    def __post_init__(self) -> None:
        check("height", self.height, MOST_PIXELS)
        check("width", self.width, MOST_PIXELS)
        check("channels", self.channels, MOST_CHANNELS)
        check("kernel", self.kernel, MOST_KERNEL)
        check("filters", self.filters, MOST_CHANNELS)
        check("bottleneck", self.bottleneck, MOST_CHANNELS)
        if self.padding not in get_args(Padding):
            raise UserError(f"padding is {self.padding!r}; it is one of {', '.join(get_args(Padding))}.")
        if self.padding == "valid" and self.kernel > min(self.height, self.width):
            raise UserError(
                f"A {self.kernel}×{self.kernel} window does not fit into {self.height}×{self.width} without padding: "
                f"take a kernel up to {min(self.height, self.width)}, a larger input, or padding same."
            )

    @property
    def input_shape(self) -> Shape:
        return (self.height, self.width, self.channels)

    @property
    def _convolution(self) -> Conv2D:
        return Conv2D(self.filters, self.kernel, padding=self.padding)

    @property
    def direct(self) -> Path:
        return Path(self.input_shape, (self._convolution,))

    @property
    def reduced(self) -> Path:
        return Path(self.input_shape, (Conv2D(self.bottleneck, 1), self._convolution))

    def at(self, bottleneck: int) -> Bottleneck:
        """The same with another width of the bottleneck."""
        return replace(self, bottleneck=bottleneck)

    def break_even(self, measure: Measure) -> BreakEven:
        """Derived from two points, for the reduced path's cost is a straight line over the width B.

        With C channels, F filters, K the kernel, H x W the input and H' x W' the output, the direct path has
        K²CF + F parameters and the reduced one B (C + 1 + K²F) + F, so that
            B* = K²CF / (C + 1 + K²F)                    for parameters,
            B* = H'W'K²CF / (HWC + H'W'K²F)              for multiply-adds.
        Both are below C: a bottleneck that saves anything is narrower than its input.
        """
        one, two = (self.at(width).reduced.cost.of(measure) for width in (1, 2))
        slope = two - one
        return BreakEven(self.direct.cost.of(measure) - (one - slope), slope)

    def curve(self) -> tuple[tuple[int, Cost], ...]:
        """The reduced path's cost at every width from 1 to the input's channels, or to the bottleneck's if wider.

        Of more than `MOST_POINTS` widths every n-th, and the last.
        """
        last = max(self.channels, self.bottleneck)
        widths = {*range(1, last + 1, -(-last // MOST_POINTS)), self.bottleneck, last}
        return tuple((width, self.at(width).reduced.cost) for width in sorted(widths))


def check(name: str, value: object, most: int) -> None:
    """UserError unless it is a whole number from 1 to `most`."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise UserError(f"{name} is {value!r}; it takes a whole number from 1 to {most:,}.")
    if not 1 <= value <= most:
        raise UserError(f"{name} is {value:,}; it takes a whole number from 1 to {most:,}.")


def read_shape(text: str) -> tuple[int, int, int]:
    """Height, width and channels from "28x28x192" or "28×28×192"; UserError for anything else."""
    found = re.fullmatch(r"\s*([0-9]{1,9})\s*[xX×]\s*([0-9]{1,9})\s*[xX×]\s*([0-9]{1,9})\s*", text)
    if not found:
        raise UserError(f"The input is {text[:40]!r}; it takes height x width x channels, as in 28x28x192.")
    height, width, channels = map(int, found.groups())
    return height, width, channels


def report(case: Bottleneck) -> dict[str, Any]:
    """Both paths, the factor saved and the break-even, as JSON holds it."""
    direct, reduced = case.direct, case.reduced
    points = {measure: case.break_even(measure) for measure in MEASURES}
    return {
        "input": list(case.input_shape),
        "kernel": case.kernel,
        "filters": case.filters,
        "bottleneck": case.bottleneck,
        "padding": case.padding,
        "output": list(direct.output_shape),
        "direct": asdict(direct.cost),
        "reduced": {
            **asdict(reduced.cost),
            "layers": [
                {"kernel": layer.kernel, "filters": layer.filters, "output": list(shape), **asdict(cost)}
                for layer, shape, cost in zip(reduced.layers, reduced.shapes[1:], reduced.costs, strict=True)
            ],
        },
        "factor": {measure: direct.cost.factor(reduced.cost, measure) for measure in MEASURES},
        "break_even": {
            measure: {"bottleneck": float(point.width), "widest_cheaper": point.widest}
            for measure, point in points.items()
        },
    }


@dataclass(frozen=True, slots=True)
class Branch:
    """One of an inception module's four branches, without and with its 1x1 convolution."""

    name: str
    naive: Path
    reduced: Path


@dataclass(frozen=True, slots=True)
class Inception:
    """An inception module on its input: the six numbers of GoogLeNet's Table 1, in its order.

    The naive version (Figure 2a) has the 1x1, 3x3 and 5x5 convolutions directly on the input, and the pooled input goes
    to the output as it is: n1 + n3 + n5 + channels maps. The reduced one (Figure 2b) has 1x1 convolutions before the
    3x3 and the 5x5 and after the pooling: n1 + n3 + n5 + pool maps. All stride 1, padding same.
    """

    height: int
    width: int
    channels: int
    n1: int
    r3: int
    n3: int
    r5: int
    n5: int
    pool: int

    def __post_init__(self) -> None:
        for field in fields(self):
            most = MOST_PIXELS if field.name in ("height", "width") else MOST_CHANNELS
            check(INCEPTION_WORDS[field.name], getattr(self, field.name), most)

    @property
    def input_shape(self) -> Shape:
        return (self.height, self.width, self.channels)

    @property
    def branches(self) -> tuple[Branch, ...]:
        def path(*layers: Conv2D) -> Path:
            return Path(self.input_shape, layers)

        one, three, five = Conv2D(self.n1, 1), Conv2D(self.n3, 3), Conv2D(self.n5, 5)
        return (
            Branch("1×1", path(one), path(one)),
            Branch("3×3", path(three), path(Conv2D(self.r3, 1), three)),
            Branch("5×5", path(five), path(Conv2D(self.r5, 1), five)),
            Branch("pooling", path(), path(Conv2D(self.pool, 1))),
        )

    @property
    def naive(self) -> Cost:
        return together(branch.naive.cost for branch in self.branches)

    @property
    def reduced(self) -> Cost:
        return together(branch.reduced.cost for branch in self.branches)

    @property
    def naive_channels(self) -> int:
        return sum(branch.naive.output_shape[-1] for branch in self.branches)

    @property
    def reduced_channels(self) -> int:
        return sum(branch.reduced.output_shape[-1] for branch in self.branches)


INCEPTION_WORDS = {
    "height": "height",
    "width": "width",
    "channels": "channels",
    "n1": "#1×1",
    "r3": "#3×3 reduce",
    "n3": "#3×3",
    "r5": "#5×5 reduce",
    "n5": "#5×5",
    "pool": "pool proj",
}


def googlenet_modules() -> dict[str, Inception]:
    """GoogLeNet's nine inception modules at 224x224x3, each on the input that it has there."""
    network = architectures.build("googlenet")
    modules = {}
    for name, numbers in INCEPTIONS.items():
        height, width, channels = network[f"inception_{name}_1x1"].input_shapes[0]
        modules[name] = Inception(height, width, channels, *numbers)
    return modules


@dataclass(frozen=True, slots=True)
class LayerPair:
    """A layer that VGG C and D have under the same name with different windows; each pair is C's, then D's."""

    name: str
    input_shape: Shape
    kernels: tuple[int, int]
    costs: tuple[Cost, Cost]
    receptive_fields: tuple[int, int]


def network_cost(name: str) -> Cost:
    """All layers of an architecture with its switches as published."""
    network = architectures.build(name)
    return Cost(network.parameters, network.multiply_adds)


def vgg_c_against_d() -> tuple[LayerPair, ...]:
    """The layers in which VGG C and D (vgg16) differ: 1x1 in C, 3x3 in D. Receptive fields in pixels of one axis."""
    c, d = architectures.build("vgg_c"), architectures.build("vgg16")
    fields_c, fields_d = receptive_fields(c), receptive_fields(d)
    return tuple(
        LayerPair(
            name=one.name,
            input_shape=one.input_shapes[0],
            kernels=(one.layer.kernel, other.layer.kernel),
            costs=(Cost(one.parameters, one.multiply_adds), Cost(other.parameters, other.multiply_adds)),
            receptive_fields=(fields_c[one.name][0], fields_d[other.name][0]),
        )
        for one, other in zip(c.layers, d.layers, strict=True)
        if isinstance(one.layer, Conv2D) and isinstance(other.layer, Conv2D) and one.layer != other.layer
    )


@dataclass(frozen=True, slots=True)
class PublishedError:
    """Error on ImageNet's validation images, in percent."""

    configuration: str
    name: str
    top1: float
    top5: float


# Simonyan and Zisserman, Table 3 (single test scale): trained at S = 256, tested at Q = 256.
VGG_ERRORS = (
    PublishedError("B", "vgg_b", 28.7, 9.9),
    PublishedError("C", "vgg_c", 28.1, 9.4),
    PublishedError("D", "vgg16", 27.0, 8.8),
)
