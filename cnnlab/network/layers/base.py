"""What every kind of layer answers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from math import prod
from typing import ClassVar, Literal

from pydantic import ConfigDict

from cnnlab.network.families import Family
from cnnlab.network.layers.shapes import POINT, Shape, Window

ActivationName = Literal["linear", "relu", "relu6", "elu", "tanh", "softmax"]


@dataclass(frozen=True, slots=True)
class Weight:
    """One weight tensor of a layer, in Keras's order and shape."""

    name: str
    shape: Shape
    trainable: bool = True

    @property
    def size(self) -> int:
        return prod(self.shape)


@dataclass(frozen=True, slots=True)
class Layer(ABC):
    """What every kind answers. Only what most kinds share has a default: no weights, no cost, no weight layer."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")
    family: ClassVar[Family]
    weighted: ClassVar[bool] = False
    """Whether the papers count it among the weight layers that make up a network's depth."""
    joins: ClassVar[bool] = False
    """Whether it takes several inputs."""
    has_window: ClassVar[bool] = False
    """Whether a table names its window: convolutions and pooling."""

    @abstractmethod
    def output_shape(self, *inputs: Shape) -> Shape:
        """Shape of the output for these input shapes; UserError if the layer cannot take them."""

    @abstractmethod
    def window(self, *inputs: Shape) -> Window:
        """The window through which it reads, along one axis of its input."""

    @property
    @abstractmethod
    def summary(self) -> str:
        """The layer in a few words, "3×3 conv, 64"; nothing for kinds that only accompany others."""

    @property
    def caption(self) -> str:
        """The layer in a few words, whatever it is."""
        return self.summary or self.type

    @property
    def notation(self) -> str:
        """The layer as VGG's Table 1 writes it, conv3-64; nothing for what such a table leaves out."""
        return ""

    def weights(self, *inputs: Shape) -> tuple[Weight, ...]:
        return ()

    def multiply_adds(self, *inputs: Shape) -> int:
        """Multiply-accumulates for one image."""
        return 0

    def border(self, *inputs: Shape) -> tuple[int, int]:
        """How many rows above its input and columns to its left the first window covers: zeros, by padding."""
        return (0, 0)

    @property
    def type(self) -> str:
        """The name of the Keras layer class."""
        return type(self).__name__


@dataclass(frozen=True, slots=True)
class Pointwise(Layer):
    """A kind that keeps the shape of its one input and computes each value from the one at its place."""

    def output_shape(self, *inputs: Shape) -> Shape:
        return inputs[0]

    def window(self, *inputs: Shape) -> Window:
        return POINT

    @property
    def summary(self) -> str:
        return ""
