"""Where an entry of a vector comes from: the unit of the layer that computed it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cnnlab.network.graph import Network
from cnnlab.network.layers import (
    Concatenate,
    Flatten,
    GlobalAveragePooling2D,
    Pointwise,
    Shape,
)


@dataclass(frozen=True)
class Origin:
    """A unit of a layer: its channel, and its row and column where the layer gives maps; or the mean of a channel."""

    layer: str
    channel: int
    at: tuple[int, int] | None = None
    mean: bool = False

    @property
    def text(self) -> str:
        """conv5 [3, 1], channel 12; or the mean of a channel; or the unit of a vector."""
        if self.mean:
            return f"{self.layer}, mean of channel {self.channel}"
        if self.at:
            return f"{self.layer} [{self.at[0]}, {self.at[1]}], channel {self.channel}"
        return f"{self.layer}, unit {self.channel}"


def origin(network: Network, layer: str, unit: int) -> Origin:
    """Where entry `unit` of the vector that `layer` gives comes from, back through what keeps or moves entries."""
    node = network[layer]
    match node.layer:
        case Pointwise():
            return origin(network, node.inputs[0], unit)
        case Concatenate():
            name, inside = part_of(node.inputs, node.input_shapes, unit)
            return origin(network, name, inside)
        case Flatten():
            shape = node.input_shapes[0]
            *place, channel = (int(number) for number in np.unravel_index(unit, shape))
            if not place:
                return origin(network, node.inputs[0], channel)
            return Origin(node.inputs[0], channel, (place[0], place[1]))
        case GlobalAveragePooling2D():
            return Origin(node.inputs[0], unit, mean=True)
        case _:
            return Origin(layer, unit)


def part_of(names: tuple[str, ...], shapes: tuple[Shape, ...], channel: int) -> tuple[str, int]:
    """Which of the inputs that are joined gives a channel, and its number there."""
    for name, shape in zip(names, shapes, strict=True):
        if channel < shape[-1]:
            return name, channel
        channel -= shape[-1]
    raise IndexError("a channel beyond those that are joined")
