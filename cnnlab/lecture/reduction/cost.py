"""What a path of convolutions costs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

from cnnlab.errors import UserError
from cnnlab.network.layers import Conv2D, Shape

CostMeasure = Literal["parameters", "multiply_adds"]
COST_MEASURES: tuple[CostMeasure, ...] = get_args(CostMeasure)

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

    def of(self, measure: CostMeasure) -> int:
        return self.parameters if measure == "parameters" else self.multiply_adds

    def factor(self, other: Cost, measure: CostMeasure) -> float | None:
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


def check(name: str, value: object, most: int) -> None:
    """UserError unless it is a whole number from 1 to `most`."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise UserError(f"{name} is {value!r}; it takes a whole number from 1 to {most:,}.")
    if not 1 <= value <= most:
        raise UserError(f"{name} is {value:,}; it takes a whole number from 1 to {most:,}.")
