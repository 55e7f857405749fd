"""One convolution, and the detour through a 1x1 bottleneck."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from typing import Any, get_args

from cnnlab.errors import UserError
from cnnlab.lecture.reduction.cost import (
    COST_MEASURES,
    MOST_CHANNELS,
    MOST_KERNEL,
    MOST_PIXELS,
    MOST_POINTS,
    Cost,
    CostMeasure,
    Path,
    check,
)
from cnnlab.network.layers import Conv2D, Padding, Shape


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

    def break_even(self, measure: CostMeasure) -> BreakEven:
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
    points = {measure: case.break_even(measure) for measure in COST_MEASURES}
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
        "factor": {measure: direct.cost.factor(reduced.cost, measure) for measure in COST_MEASURES},
        "break_even": {
            measure: {"bottleneck": float(point.width), "widest_cheaper": point.widest}
            for measure, point in points.items()
        },
    }
