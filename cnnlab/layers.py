"""The layer kinds a network is drawn with: a closed set of frozen dataclasses, without TensorFlow.

Each kind carries the name of the Keras layer it stands for and knows three facts about itself: the shape it gives,
the weights it holds, and the multiply-adds it costs. Shapes leave the batch axis out: (height, width, channels) for
feature maps, (features,) for vectors.

Conventions, the same everywhere in cnnlab: one multiply-accumulate is counted once (2 FLOP); biases, normalization,
activations and pooling are not counted, which is how the literature counts convolutional networks.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field

from cnnlab.errors import UserError

Positive = Annotated[int, Field(gt=0)]
Shape = tuple[Positive, ...]
Padding = Literal["same", "valid"]
ActivationName = Literal["linear", "relu", "elu", "softmax"]


def shape_text(shape: Shape) -> str:
    """A shape as the field writes it: 28×28×192, or 512 for a vector."""
    return "×".join(str(n) for n in shape)


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
class Layer:
    """What every kind answers; the defaults are those of a layer that keeps the shape and holds no weights."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    def output_shape(self, *inputs: Shape) -> Shape:
        """Shape of the output for these input shapes; UserError if the layer cannot take them."""
        return inputs[0]

    def weights(self, *inputs: Shape) -> tuple[Weight, ...]:
        return ()

    def multiply_adds(self, *inputs: Shape) -> int:
        """Multiply-accumulates for one image."""
        return 0

    @property
    def type(self) -> str:
        """The name of the Keras layer class."""
        return type(self).__name__


@dataclass(frozen=True, slots=True)
class InputLayer(Layer):
    shape: Shape

    def output_shape(self, *inputs: Shape) -> Shape:
        return self.shape


@dataclass(frozen=True, slots=True)
class Conv2D(Layer):
    """A square convolution with bias, `filters` maps of `kernel`x`kernel`xC weights."""

    filters: Positive
    kernel: Positive
    stride: Positive = 1
    padding: Padding = "same"
    activation: ActivationName = "linear"

    def output_shape(self, *inputs: Shape) -> Shape:
        height, width, _ = feature_maps(*inputs)
        return (*window(height, width, self.kernel, self.stride, self.padding), self.filters)

    def weights(self, *inputs: Shape) -> tuple[Weight, ...]:
        channels = inputs[0][-1]
        kernel = Weight("kernel", (self.kernel, self.kernel, channels, self.filters))
        return (kernel, Weight("bias", (self.filters,)))

    def multiply_adds(self, *inputs: Shape) -> int:
        height, width, filters = self.output_shape(*inputs)
        return height * width * filters * self.kernel**2 * inputs[0][-1]


@dataclass(frozen=True, slots=True)
class Dense(Layer):
    """A fully connected layer with bias."""

    units: Positive
    activation: ActivationName = "linear"

    def output_shape(self, *inputs: Shape) -> Shape:
        if len(inputs[0]) != 1:
            raise UserError(f"takes a vector, got {shape_text(inputs[0])}: flatten or pool it first")
        return (self.units,)

    def weights(self, *inputs: Shape) -> tuple[Weight, ...]:
        return (Weight("kernel", (inputs[0][-1], self.units)), Weight("bias", (self.units,)))

    def multiply_adds(self, *inputs: Shape) -> int:
        return inputs[0][-1] * self.units


@dataclass(frozen=True, slots=True)
class MaxPooling2D(Layer):
    kernel: Positive
    stride: Positive
    padding: Padding = "valid"

    def output_shape(self, *inputs: Shape) -> Shape:
        height, width, channels = feature_maps(*inputs)
        return (*window(height, width, self.kernel, self.stride, self.padding), channels)


@dataclass(frozen=True, slots=True)
class AveragePooling2D(Layer):
    kernel: Positive
    stride: Positive
    padding: Padding = "valid"

    def output_shape(self, *inputs: Shape) -> Shape:
        height, width, channels = feature_maps(*inputs)
        return (*window(height, width, self.kernel, self.stride, self.padding), channels)


@dataclass(frozen=True, slots=True)
class GlobalAveragePooling2D(Layer):
    def output_shape(self, *inputs: Shape) -> Shape:
        return (feature_maps(*inputs)[-1],)


@dataclass(frozen=True, slots=True)
class BatchNormalization(Layer):
    """Batch normalization over the last axis.

    The moving statistics follow with momentum 0.9: Keras's 0.99 lags behind in runs of a few hundred steps.
    """

    momentum: float = 0.9
    epsilon: float = 1e-3

    def weights(self, *inputs: Shape) -> tuple[Weight, ...]:
        shape = (inputs[0][-1],)
        return (
            Weight("gamma", shape),
            Weight("beta", shape),
            Weight("moving_mean", shape, trainable=False),
            Weight("moving_variance", shape, trainable=False),
        )


@dataclass(frozen=True, slots=True)
class LocalResponseNormalization(Layer):
    """Each value divided by a power of the sum of squares over the channels beside it.

    Krizhevsky, Sutskever and Hinton (2012), section 3.3: x / (bias + alpha * sum of squares over 2 * radius + 1
    channels) ** beta, with their constants.
    """

    radius: Positive = 2
    bias: float = 2.0
    alpha: float = 1e-4
    beta: float = 0.75


@dataclass(frozen=True, slots=True)
class Activation(Layer):
    activation: ActivationName


@dataclass(frozen=True, slots=True)
class Dropout(Layer):
    """Sets a share `rate` of the inputs to zero while training."""

    rate: Annotated[float, Field(ge=0, lt=1)]


@dataclass(frozen=True, slots=True)
class Flatten(Layer):
    def output_shape(self, *inputs: Shape) -> Shape:
        return (prod(inputs[0]),)


@dataclass(frozen=True, slots=True)
class Concatenate(Layer):
    """Joins feature maps of equal height and width along the channels."""

    def output_shape(self, *inputs: Shape) -> Shape:
        if len({shape[:-1] for shape in inputs}) != 1:
            raise UserError("takes maps of one height and width, got " + ", ".join(map(shape_text, inputs)))
        return (*inputs[0][:-1], sum(shape[-1] for shape in inputs))


AnyLayer = (
    InputLayer
    | Conv2D
    | Dense
    | MaxPooling2D
    | AveragePooling2D
    | GlobalAveragePooling2D
    | BatchNormalization
    | LocalResponseNormalization
    | Activation
    | Dropout
    | Flatten
    | Concatenate
)


def feature_maps(*inputs: Shape) -> tuple[int, int, int]:
    """The single input as (height, width, channels); UserError for anything else."""
    if len(inputs) != 1 or len(inputs[0]) != 3:
        raise UserError("takes feature maps (height × width × channels), got " + ", ".join(map(shape_text, inputs)))
    height, width, channels = inputs[0]
    return height, width, channels


def window(height: int, width: int, kernel: int, stride: int, padding: Padding) -> tuple[int, int]:
    """Output height and width of a sliding window (TensorFlow's conventions for "same" and "valid")."""
    if padding == "same":
        return -(-height // stride), -(-width // stride)
    if min(height, width) < kernel:
        raise UserError(
            f"its {kernel}×{kernel} window does not fit into the {height}×{width} map that reaches it; "
            "the network needs a larger input"
        )
    return (height - kernel) // stride + 1, (width - kernel) // stride + 1
