"""Layers that arrange values anew or join them: input, border, flatten, concatenation, sum."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import ClassVar

from cnnlab.errors import UserError
from cnnlab.network import families
from cnnlab.network.families import Family
from cnnlab.network.layers.base import Layer
from cnnlab.network.layers.shapes import POINT, Border, Shape, Window, feature_maps, shape_text, whole_map


@dataclass(frozen=True, slots=True)
class InputLayer(Layer):
    family: ClassVar[Family] = families.OTHER
    shape: Shape

    def output_shape(self, *inputs: Shape) -> Shape:
        return self.shape

    def window(self, *inputs: Shape) -> Window:
        return POINT

    @property
    def summary(self) -> str:
        return ""


@dataclass(frozen=True, slots=True)
class ZeroPadding2D(Layer):
    """A border of zeros around feature maps; or channels of zeros, so many before and after those that there are.

    Channels let a shortcut without weights reach a wider block (He et al., 2016, option A). Keras pads either the one
    or the other.
    """

    family: ClassVar[Family] = families.OTHER
    top: Border
    bottom: Border
    left: Border
    right: Border
    before: Border = 0
    after: Border = 0

    @property
    def pads_channels(self) -> bool:
        return bool(self.before or self.after)

    def output_shape(self, *inputs: Shape) -> Shape:
        height, width, channels = feature_maps(*inputs)
        if self.pads_channels and any((self.top, self.bottom, self.left, self.right)):
            raise UserError("pads the maps or their channels, not both at once")
        more = self.before + self.after
        return (height + self.top + self.bottom, width + self.left + self.right, channels + more)

    def window(self, *inputs: Shape) -> Window:
        return POINT

    def border(self, *inputs: Shape) -> tuple[int, int]:
        return (self.top, self.left)

    @property
    def summary(self) -> str:
        return ""

    @property
    def caption(self) -> str:
        if self.pads_channels:
            return f"{self.before + self.after} channels of zeros"
        return f"zeros {self.top}, {self.bottom}, {self.left}, {self.right}"


@dataclass(frozen=True, slots=True)
class Flatten(Layer):
    family: ClassVar[Family] = families.OTHER

    def output_shape(self, *inputs: Shape) -> Shape:
        return (prod(inputs[0]),)

    def window(self, *inputs: Shape) -> Window:
        return whole_map(*inputs)

    @property
    def summary(self) -> str:
        return ""


@dataclass(frozen=True, slots=True)
class Concatenate(Layer):
    """Joins feature maps of equal height and width along the channels."""

    family: ClassVar[Family] = families.JOIN
    joins: ClassVar[bool] = True

    def output_shape(self, *inputs: Shape) -> Shape:
        if len({shape[:-1] for shape in inputs}) != 1:
            raise UserError("takes maps of one height and width, got " + ", ".join(map(shape_text, inputs)))
        return (*inputs[0][:-1], sum(shape[-1] for shape in inputs))

    def window(self, *inputs: Shape) -> Window:
        return POINT

    @property
    def summary(self) -> str:
        return ""


@dataclass(frozen=True, slots=True)
class Add(Layer):
    """The sum of inputs of one shape, as at the end of a residual block (He et al., 2016)."""

    family: ClassVar[Family] = families.JOIN
    joins: ClassVar[bool] = True

    def output_shape(self, *inputs: Shape) -> Shape:
        if len(set(inputs)) != 1 or len(inputs) < 2:
            raise UserError("takes two or more inputs of one shape, got " + ", ".join(map(shape_text, inputs)))
        return inputs[0]

    def window(self, *inputs: Shape) -> Window:
        return POINT

    @property
    def summary(self) -> str:
        return "sum"
