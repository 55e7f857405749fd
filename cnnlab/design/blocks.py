"""Modules of the lecture and of what came after it, drawn to be put into any network.

Each is drawn in the manner of the network that it goes into: with its activation, and with batch normalization where
that network has it, in its order.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from cnnlab.design.fragment import Fragment, drawn
from cnnlab.network import Builder, Network, Tensor
from cnnlab.network.layers import Activation, AnyLayer, BatchNormalization, Conv2D, Shape

Order = Literal["conv-bn-act", "conv-act-bn", "conv-act"]
Function = Literal["relu", "elu"]
Filters = Annotated[int, Field(ge=1, le=16_384)]
Side = Annotated[int, Field(ge=1, le=31)]


@dataclass(frozen=True)
class Manner:
    """How a network does its convolutions: with which activation, and where it normalizes."""

    activation: Function
    order: Order

    def conv(self, net: Builder, x: Tensor, filters: int, kernel: int, stride: int = 1, *, name: str) -> Tensor:
        if self.order == "conv-act":
            return net.conv(x, filters, kernel, stride=stride, activation=self.activation, name=name)
        x = net.conv(x, filters, kernel, stride=stride, name=f"{name}_conv")
        if self.order == "conv-bn-act":
            x = net.batch_norm(x, name=f"{name}_bn")
        x = net.activation(x, self.activation, name=f"{name}_act")
        return net.batch_norm(x, name=f"{name}_bn") if self.order == "conv-act-bn" else x

    @property
    def words(self) -> str:
        function = self.activation.upper().replace("RELU", "ReLU")
        return {
            "conv-bn-act": f"CONV, BN, {function}",
            "conv-act-bn": f"CONV, {function}, BN",
            "conv-act": f"CONV, {function}",
        }[self.order]


def manner_of(network: Network) -> Manner:
    """What most convolutions of a network do."""
    functions: Counter[Function] = Counter()
    normalized = after = 0
    for node in network.layers:
        match getattr(node.layer, "activation", "linear"):
            case "relu":
                functions["relu"] += 1
            case "elu":
                functions["elu"] += 1
        if isinstance(node.layer, BatchNormalization):
            before = network[node.inputs[0]].layer
            normalized += 1
            after += isinstance(before, Activation) or (isinstance(before, Conv2D) and before.activation != "linear")
    activation = functions.most_common(1)[0][0] if functions else "relu"
    convolutions = sum(isinstance(node.layer, Conv2D) for node in network.layers)
    if convolutions and normalized * 2 < convolutions:
        return Manner(activation, "conv-act")
    return Manner(activation, "conv-act-bn" if after * 2 > normalized else "conv-bn-act")


@dataclass(frozen=True)
class ConvolutionBlock:
    """Convolutions one after the other, as VGG stacks them."""

    title: ClassVar[str] = "Convolution block"
    word: ClassVar[str] = "block"
    filters: Filters = 64
    kernel: Side = 3
    stride: Annotated[int, Field(ge=1, le=8)] = 1
    repeats: Annotated[int, Field(ge=1, le=16, title="Convolutions", description="How many of them.")] = 1

    def draw(self, net: Builder, x: Tensor, name: str, manner: Manner) -> Tensor:
        for number in range(self.repeats):
            own = f"{name}_{number + 1}" if self.repeats > 1 else f"{name}_{self.kernel}x{self.kernel}"
            x = manner.conv(net, x, self.filters, self.kernel, 1 if number else self.stride, name=own)
        return x


@dataclass(frozen=True)
class InceptionModule:
    """Four branches side by side (Szegedy et al., 2015, Figure 2b); the numbers are those of its Table 1."""

    title: ClassVar[str] = "Inception module"
    word: ClassVar[str] = "inception"
    one: Annotated[Filters, Field(title="1×1")] = 64
    reduce3: Annotated[Filters, Field(title="3×3 reduce")] = 96
    three: Annotated[Filters, Field(title="3×3")] = 128
    reduce5: Annotated[Filters, Field(title="5×5 reduce")] = 16
    five: Annotated[Filters, Field(title="5×5")] = 32
    pool: Annotated[Filters, Field(title="Pool proj")] = 32

    def draw(self, net: Builder, x: Tensor, name: str, manner: Manner) -> Tensor:
        one = manner.conv(net, x, self.one, 1, name=f"{name}_1x1")
        three = manner.conv(net, x, self.reduce3, 1, name=f"{name}_3x3_reduce")
        three = manner.conv(net, three, self.three, 3, name=f"{name}_3x3")
        five = manner.conv(net, x, self.reduce5, 1, name=f"{name}_5x5_reduce")
        five = manner.conv(net, five, self.five, 5, name=f"{name}_5x5")
        pooled = net.max_pool(x, 3, stride=1, padding="same", name=f"{name}_pool")
        pooled = manner.conv(net, pooled, self.pool, 1, name=f"{name}_pool_proj")
        return net.concat([one, three, five, pooled], name=f"{name}_concat")


@dataclass(frozen=True)
class SmallInceptionModule:
    """1x1 filters beside 3x3 filters (Zhang et al., 2017, Figure 3)."""

    title: ClassVar[str] = "MiniGoogLeNet module"
    word: ClassVar[str] = "inception"
    one: Annotated[Filters, Field(title="1×1")] = 32
    three: Annotated[Filters, Field(title="3×3")] = 32

    def draw(self, net: Builder, x: Tensor, name: str, manner: Manner) -> Tensor:
        one = manner.conv(net, x, self.one, 1, name=f"{name}_1x1")
        three = manner.conv(net, x, self.three, 3, name=f"{name}_3x3")
        return net.concat([one, three], name=f"{name}_concat")


@dataclass(frozen=True)
class DownsampleModule:
    """3x3 filters with stride 2 beside a 3x3 max pooling with stride 2 (Zhang et al., 2017, Figure 3)."""

    title: ClassVar[str] = "Downsample module"
    word: ClassVar[str] = "downsample"
    three: Annotated[Filters, Field(title="3×3")] = 80

    def draw(self, net: Builder, x: Tensor, name: str, manner: Manner) -> Tensor:
        three = manner.conv(net, x, self.three, 3, stride=2, name=f"{name}_3x3")
        pool = net.max_pool(x, 3, stride=2, padding="same", name=f"{name}_pool")
        return net.concat([three, pool], name=f"{name}_concat")


@dataclass(frozen=True)
class ResidualBlock:
    """Two 3x3 convolutions and a shortcut (He et al., 2016, Figure 2), projected where the shape changes."""

    title: ClassVar[str] = "Residual block"
    word: ClassVar[str] = "residual"
    filters: Filters = 64
    stride: Annotated[int, Field(ge=1, le=8)] = 1

    def draw(self, net: Builder, x: Tensor, name: str, manner: Manner) -> Tensor:
        y = net.conv(x, self.filters, 3, stride=self.stride, use_bias=False, name=f"{name}_conv1")
        y = net.activation(net.batch_norm(y, name=f"{name}_bn1"), manner.activation, name=f"{name}_act1")
        y = net.conv(y, self.filters, 3, use_bias=False, name=f"{name}_conv2")
        y = net.batch_norm(y, name=f"{name}_bn2")
        if x.shape != y.shape:
            x = net.conv(x, self.filters, 1, stride=self.stride, use_bias=False, name=f"{name}_projection")
            x = net.batch_norm(x, name=f"{name}_projection_bn")
        return net.activation(net.sum([y, x], name=f"{name}_add"), manner.activation, name=f"{name}_act2")


@dataclass(frozen=True)
class Reduction:
    """A 1x1 convolution that makes channels fewer, so that what comes behind it costs less (Lin et al., 2014)."""

    title: ClassVar[str] = "1×1 bottleneck"
    word: ClassVar[str] = "reduce"
    filters: Filters = 16

    def draw(self, net: Builder, x: Tensor, name: str, manner: Manner) -> Tensor:
        return manner.conv(net, x, self.filters, 1, name=name)


AnyBlock = ConvolutionBlock | InceptionModule | SmallInceptionModule | DownsampleModule | ResidualBlock | Reduction
BLOCKS: dict[str, type[AnyBlock]] = {
    "conv": ConvolutionBlock,
    "inception": InceptionModule,
    "mini-inception": SmallInceptionModule,
    "downsample": DownsampleModule,
    "residual": ResidualBlock,
    "reduce": Reduction,
}


def fragment_of(what: AnyBlock | AnyLayer, shape: Shape, manner: Manner, name: str = "") -> Fragment:
    """A block or a single layer as what can be put behind values of this shape; UserError where it cannot take them."""
    net = Builder("The module")
    begin = net.input(shape, "\0")
    if isinstance(what, AnyBlock):
        with net.module(name or what.word):
            end = what.draw(net, begin, name or what.word, manner)
    else:
        end = net.add(what, [begin], name or word_of(what))
    return drawn(net.build(end))


def word_of(layer: AnyLayer) -> str:
    """What to call a new layer: conv, max_pooling, dropout."""
    short = {"Conv2D": "conv", "DepthwiseConv2D": "depthwise", "BatchNormalization": "bn", "Activation": "act"}
    name = short.get(layer.type, layer.type.removesuffix("2D"))
    return "".join(f"_{one.lower()}" if one.isupper() and place else one.lower() for place, one in enumerate(name))
