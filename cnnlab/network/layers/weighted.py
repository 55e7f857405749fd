"""Layers that multiply and add: convolutions and dense layers."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import ClassVar

from cnnlab.errors import UserError
from cnnlab.network import families
from cnnlab.network.families import Family
from cnnlab.network.layers.base import ActivationName, Layer, Weight
from cnnlab.network.layers.shapes import (
    POINT,
    Padding,
    Positive,
    Shape,
    Window,
    border,
    feature_maps,
    shape_text,
    slide,
)


@dataclass(frozen=True, slots=True)
class Conv2D(Layer):
    """A square convolution: `filters` maps of `kernel`x`kernel`xC weights, each with a bias if `use_bias`."""

    family: ClassVar[Family] = families.CONVOLUTION
    weighted: ClassVar[bool] = True
    has_window: ClassVar[bool] = True
    filters: Positive
    kernel: Positive
    stride: Positive = 1
    padding: Padding = "same"
    activation: ActivationName = "linear"
    use_bias: bool = True

    def output_shape(self, *inputs: Shape) -> Shape:
        height, width, _ = feature_maps(*inputs)
        return (*slide(height, width, self.kernel, self.stride, self.padding), self.filters)

    def window(self, *inputs: Shape) -> Window:
        return Window(self.kernel, self.stride)

    def border(self, *inputs: Shape) -> tuple[int, int]:
        return border(*inputs, kernel=self.kernel, stride=self.stride, padding=self.padding)

    @property
    def summary(self) -> str:
        return f"{self.kernel}×{self.kernel} conv, {self.filters}" + stride_text(self.stride)

    @property
    def notation(self) -> str:
        return f"conv{self.kernel}-{self.filters}"

    def weights(self, *inputs: Shape) -> tuple[Weight, ...]:
        kernel = Weight("kernel", (self.kernel, self.kernel, inputs[0][-1], self.filters))
        return (kernel, *bias_weights(self.filters, self.use_bias))

    def multiply_adds(self, *inputs: Shape) -> int:
        height, width, filters = self.output_shape(*inputs)
        return height * width * filters * self.kernel**2 * inputs[0][-1]


@dataclass(frozen=True, slots=True)
class DepthwiseConv2D(Layer):
    """A square convolution of each channel by itself, with `multiplier` kernels a channel (Howard et al., 2017)."""

    family: ClassVar[Family] = families.CONVOLUTION
    weighted: ClassVar[bool] = True
    has_window: ClassVar[bool] = True
    kernel: Positive
    stride: Positive = 1
    padding: Padding = "same"
    multiplier: Positive = 1
    activation: ActivationName = "linear"
    use_bias: bool = True

    def output_shape(self, *inputs: Shape) -> Shape:
        height, width, channels = feature_maps(*inputs)
        return (*slide(height, width, self.kernel, self.stride, self.padding), channels * self.multiplier)

    def window(self, *inputs: Shape) -> Window:
        return Window(self.kernel, self.stride)

    def border(self, *inputs: Shape) -> tuple[int, int]:
        return border(*inputs, kernel=self.kernel, stride=self.stride, padding=self.padding)

    @property
    def summary(self) -> str:
        times = f", ×{self.multiplier}" if self.multiplier > 1 else ""
        return f"{self.kernel}×{self.kernel} depthwise conv{times}" + stride_text(self.stride)

    @property
    def notation(self) -> str:
        return f"dwconv{self.kernel}"

    def weights(self, *inputs: Shape) -> tuple[Weight, ...]:
        channels = inputs[0][-1]
        kernel = Weight("kernel", (self.kernel, self.kernel, channels, self.multiplier))
        return (kernel, *bias_weights(channels * self.multiplier, self.use_bias))

    def multiply_adds(self, *inputs: Shape) -> int:
        return prod(self.output_shape(*inputs)) * self.kernel**2


@dataclass(frozen=True, slots=True)
class Dense(Layer):
    """A fully connected layer, with biases if `use_bias`."""

    family: ClassVar[Family] = families.DENSE
    weighted: ClassVar[bool] = True
    units: Positive
    activation: ActivationName = "linear"
    use_bias: bool = True

    def output_shape(self, *inputs: Shape) -> Shape:
        if len(inputs[0]) != 1:
            raise UserError(f"takes a vector, got {shape_text(inputs[0])}: flatten or pool it first")
        return (self.units,)

    def window(self, *inputs: Shape) -> Window:
        return POINT

    @property
    def summary(self) -> str:
        return f"dense, {self.units}"

    @property
    def notation(self) -> str:
        return f"FC-{self.units}"

    def weights(self, *inputs: Shape) -> tuple[Weight, ...]:
        return (Weight("kernel", (inputs[0][-1], self.units)), *bias_weights(self.units, self.use_bias))

    def multiply_adds(self, *inputs: Shape) -> int:
        return inputs[0][-1] * self.units


def bias_weights(count: int, used: bool) -> tuple[Weight, ...]:
    return (Weight("bias", (count,)),) if used else ()


def stride_text(stride: int) -> str:
    return f" / {stride}" if stride > 1 else ""
