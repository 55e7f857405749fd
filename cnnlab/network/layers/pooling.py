"""Pooling: a few values of a channel become one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from cnnlab.network import families
from cnnlab.network.families import Family
from cnnlab.network.layers.base import Layer
from cnnlab.network.layers.shapes import Padding, Positive, Shape, Window, border, feature_maps, slide, whole_map


@dataclass(frozen=True, slots=True)
class Pooling(Layer):
    """A square window that slides over each channel by itself."""

    family: ClassVar[Family] = families.POOLING
    has_window: ClassVar[bool] = True
    word: ClassVar[str]
    kernel: Positive
    stride: Positive
    padding: Padding = "valid"

    def output_shape(self, *inputs: Shape) -> Shape:
        height, width, channels = feature_maps(*inputs)
        return (*slide(height, width, self.kernel, self.stride, self.padding), channels)

    def window(self, *inputs: Shape) -> Window:
        return Window(self.kernel, self.stride)

    def border(self, *inputs: Shape) -> tuple[int, int]:
        return border(*inputs, kernel=self.kernel, stride=self.stride, padding=self.padding)

    @property
    def summary(self) -> str:
        return f"{self.kernel}×{self.kernel} {self.word} pool / {self.stride}"


@dataclass(frozen=True, slots=True)
class MaxPooling2D(Pooling):
    word: ClassVar[str] = "max"

    @property
    def notation(self) -> str:
        return "maxpool"


@dataclass(frozen=True, slots=True)
class AveragePooling2D(Pooling):
    word: ClassVar[str] = "average"


@dataclass(frozen=True, slots=True)
class GlobalAveragePooling2D(Layer):
    family: ClassVar[Family] = families.POOLING

    def output_shape(self, *inputs: Shape) -> Shape:
        return (feature_maps(*inputs)[-1],)

    def window(self, *inputs: Shape) -> Window:
        return whole_map(*inputs)

    @property
    def summary(self) -> str:
        return "global average pool"
