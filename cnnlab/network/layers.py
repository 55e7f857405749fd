"""The layer kinds a network is drawn with: a closed set of frozen dataclasses, without TensorFlow.

Each kind carries the name of the Keras layer it stands for, and everything that the tables, diagrams and comparisons
say of it stands here: the shape it gives, the weights it holds, the multiply-adds it costs, the window it reads
through, its caption, its family, and whether the papers count it as a weight layer. CONTRIBUTING.md names the few other
places that know each kind; what is missing there fails in a test.

Shapes leave the batch axis out: (height, width, channels) for feature maps, (features,) for vectors.

Conventions, the same everywhere in cnnlab: one multiply-accumulate is counted once (2 FLOP); biases, normalization,
activations and pooling are not counted, which is how the literature counts convolutional networks.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from math import prod
from typing import Annotated, ClassVar, Literal, NamedTuple

from pydantic import ConfigDict, Field

from cnnlab.errors import UserError
from cnnlab.network import families
from cnnlab.network.families import Family

MOST_UNITS = 1_000_000
Positive = Annotated[int, Field(gt=0, le=MOST_UNITS)]
Border = Annotated[int, Field(ge=0, le=MOST_UNITS)]
Above = Annotated[float, Field(gt=0, allow_inf_nan=False)]
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


class Window(NamedTuple):
    """What one output value reads of its input along an axis: `kernel` values, `stride` apart from its neighbour's."""

    kernel: int
    stride: int

    @property
    def text(self) -> str:
        """3×3 / 2 (size / stride)."""
        return f"{self.kernel}×{self.kernel} / {self.stride}"


POINT = Window(1, 1)
"""The window of a layer that computes each value from the one at its place."""


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


@dataclass(frozen=True, slots=True)
class ZeroPadding2D(Layer):
    """A border of zeros around feature maps."""

    family: ClassVar[Family] = families.OTHER
    top: Border
    bottom: Border
    left: Border
    right: Border

    def output_shape(self, *inputs: Shape) -> Shape:
        height, width, channels = feature_maps(*inputs)
        return (height + self.top + self.bottom, width + self.left + self.right, channels)

    def window(self, *inputs: Shape) -> Window:
        return POINT

    def border(self, *inputs: Shape) -> tuple[int, int]:
        return (self.top, self.left)

    @property
    def summary(self) -> str:
        return ""

    @property
    def caption(self) -> str:
        return f"zeros {self.top}, {self.bottom}, {self.left}, {self.right}"


@dataclass(frozen=True, slots=True)
class BatchNormalization(Pointwise):
    """Batch normalization over the last axis.

    The moving statistics follow with momentum 0.9: Keras's 0.99 lags behind in runs of a few hundred steps.
    """

    family: ClassVar[Family] = families.NORMALIZATION
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    epsilon: Above = 1e-3

    def weights(self, *inputs: Shape) -> tuple[Weight, ...]:
        shape = (inputs[0][-1],)
        return (
            Weight("gamma", shape),
            Weight("beta", shape),
            Weight("moving_mean", shape, trainable=False),
            Weight("moving_variance", shape, trainable=False),
        )


@dataclass(frozen=True, slots=True)
class LocalResponseNormalization(Pointwise):
    """Each value divided by a power of the sum of squares over the channels beside it.

    Krizhevsky, Sutskever and Hinton (2012), section 3.3: x / (bias + alpha * sum of squares over 2 * radius + 1
    channels) ** beta, with their constants.
    """

    family: ClassVar[Family] = families.NORMALIZATION
    radius: Positive = 2
    bias: Above = 2.0
    alpha: Above = 1e-4
    beta: Above = 0.75

    @property
    def notation(self) -> str:
        return "LRN"


@dataclass(frozen=True, slots=True)
class Activation(Pointwise):
    family: ClassVar[Family] = families.ACTIVATION
    activation: ActivationName

    @property
    def caption(self) -> str:
        return self.activation


@dataclass(frozen=True, slots=True)
class Dropout(Pointwise):
    """Sets a share `rate` of the inputs to zero while training."""

    family: ClassVar[Family] = families.OTHER
    rate: Annotated[float, Field(ge=0, lt=1)]

    @property
    def caption(self) -> str:
        return f"dropout {self.rate:g}"


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


AnyLayer = (
    InputLayer
    | Conv2D
    | DepthwiseConv2D
    | Dense
    | MaxPooling2D
    | AveragePooling2D
    | GlobalAveragePooling2D
    | ZeroPadding2D
    | BatchNormalization
    | LocalResponseNormalization
    | Activation
    | Dropout
    | Flatten
    | Concatenate
    | Add
)


def feature_maps(*inputs: Shape) -> tuple[int, int, int]:
    """The single input as (height, width, channels); UserError for anything else."""
    if len(inputs) != 1 or len(inputs[0]) != 3:
        raise UserError("takes feature maps (height × width × channels), got " + ", ".join(map(shape_text, inputs)))
    height, width, channels = inputs[0]
    return height, width, channels


def bias_weights(count: int, used: bool) -> tuple[Weight, ...]:
    return (Weight("bias", (count,)),) if used else ()


def stride_text(stride: int) -> str:
    return f" / {stride}" if stride > 1 else ""


def whole_map(*inputs: Shape) -> Window:
    """A window as large as the map that is read."""
    return Window(inputs[0][0], 1)


def slide(height: int, width: int, kernel: int, stride: int, padding: Padding) -> tuple[int, int]:
    """Output height and width of a sliding window (TensorFlow's conventions for "same" and "valid")."""
    if padding == "same":
        return -(-height // stride), -(-width // stride)
    if min(height, width) < kernel:
        raise UserError(
            f"its {kernel}×{kernel} window does not fit into the {height}×{width} map that reaches it; "
            "the network needs a larger input"
        )
    return (height - kernel) // stride + 1, (width - kernel) // stride + 1


def border(*inputs: Shape, kernel: int, stride: int, padding: Padding) -> tuple[int, int]:
    """Rows and columns that padding puts before the map: the smaller half of what it adds (TensorFlow's convention)."""
    height, width, _ = feature_maps(*inputs)
    rows, columns = slide(height, width, kernel, stride, padding)
    if padding == "valid":
        return (0, 0)
    return max((rows - 1) * stride + kernel - height, 0) // 2, max((columns - 1) * stride + kernel - width, 0) // 2
