"""A network as a value: an immutable graph of named layers, and the builder that architecture functions draw with."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property
from math import prod
from typing import Any

from pydantic import ValidationError

from cnnlab.errors import UserError
from cnnlab.network.layers import (
    Activation,
    ActivationName,
    Add,
    AnyLayer,
    AveragePooling2D,
    BatchNormalization,
    Concatenate,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    Dropout,
    Flatten,
    GlobalAveragePooling2D,
    InputLayer,
    LocalResponseNormalization,
    MaxPooling2D,
    Padding,
    Shape,
    Weight,
    ZeroPadding2D,
)
from cnnlab.network.record import NetworkRecord, first_of, no_number, read_layer

MOST_VALUES = 10**12
"""Of one layer's output; a network whose layers give more is a slip of the hand."""


@dataclass(frozen=True)
class Node:
    """A layer in its place: its name, what flows into it, and the module of the paper it belongs to."""

    name: str
    layer: AnyLayer
    inputs: tuple[str, ...]
    input_shapes: tuple[Shape, ...]
    module: str

    @cached_property
    def output_shape(self) -> Shape:
        return self.layer.output_shape(*self.input_shapes)

    @cached_property
    def weights(self) -> tuple[Weight, ...]:
        return self.layer.weights(*self.input_shapes)

    @cached_property
    def multiply_adds(self) -> int:
        """Multiply-accumulates for one image."""
        return self.layer.multiply_adds(*self.input_shapes)

    @property
    def parameters(self) -> int:
        return sum(weight.size for weight in self.weights)

    @property
    def trainable(self) -> int:
        return sum(weight.size for weight in self.weights if weight.trainable)

    @property
    def non_trainable(self) -> int:
        return self.parameters - self.trainable


@dataclass(frozen=True)
class Network:
    """An immutable network: `layers` in an order in which each comes after its inputs, `outputs` by layer name.

    Two networks drawn the same way are equal and hash alike; `Network.from_json(network.to_json())` is the network.
    """

    name: str
    layers: tuple[Node, ...]
    outputs: tuple[str, ...]

    def __getitem__(self, name: str) -> Node:
        return self._by_name[name]

    @cached_property
    def _by_name(self) -> dict[str, Node]:
        return {node.name: node for node in self.layers}

    @property
    def input_shape(self) -> Shape:
        """(height, width, channels) of one image."""
        return self.layers[0].output_shape

    @property
    def classes(self) -> int:
        return self[self.outputs[0]].output_shape[-1]

    @property
    def parameters(self) -> int:
        return sum(node.parameters for node in self.layers)

    @property
    def trainable(self) -> int:
        return sum(node.trainable for node in self.layers)

    @property
    def non_trainable(self) -> int:
        return sum(node.non_trainable for node in self.layers)

    @property
    def multiply_adds(self) -> int:
        """Multiply-accumulates for one image (one is 2 FLOP)."""
        return sum(node.multiply_adds for node in self.layers)

    def to_data(self) -> dict[str, Any]:
        """The network as what JSON knows: names, lists, numbers."""
        layers = [
            {
                "name": node.name,
                "type": node.layer.type,
                "settings": {name: listed(value) for name, value in asdict(node.layer).items()},
                "inputs": list(node.inputs),
                "module": node.module,
            }
            for node in self.layers
        ]
        return {"name": self.name, "layers": layers, "outputs": list(self.outputs)}

    def to_json(self) -> str:
        return json.dumps(self.to_data(), indent=1)

    @classmethod
    def from_json(cls, text: str | bytes) -> Network:
        """The network that `to_json` wrote; UserError for anything that does not describe one."""
        try:
            return cls.from_data(json.loads(text, parse_constant=no_number))
        except (ValueError, RecursionError) as error:
            raise UserError(f"This is not a cnnlab network: it is not JSON: {error}.") from error

    @classmethod
    def from_data(cls, data: Any) -> Network:
        """The network that `to_data` gave; UserError, naming the layer where one is wrong."""
        try:
            written = NetworkRecord.model_validate(data)
        except ValidationError as error:
            raise UserError(f"This is not a cnnlab network: {first_of(error)}.") from error
        builder = Builder(written.name)
        tensors: dict[str, Tensor] = {}
        for item in written.layers:
            layer = read_layer(item)
            if missing := [name for name in item.inputs if name not in tensors]:
                raise UserError(
                    f"Layer {item.name!r} reads {missing[0]!r}, and no layer of that name stands before it."
                )
            with builder.module(item.module):
                made = builder.add(layer, [tensors[name] for name in item.inputs], item.name)
            if prod(made.shape) > MOST_VALUES:
                raise UserError(f"Layer {item.name!r} gives more than {MOST_VALUES:,} values for one image.")
            tensors[item.name] = made
        if missing := [name for name in written.outputs if name not in tensors]:
            raise UserError(f"The output {missing[0]!r} is no layer of {written.name}.")
        return builder.build(*(tensors[name] for name in written.outputs))


def listed(value: Any) -> Any:
    """A tuple as JSON gives it back."""
    return list(value) if isinstance(value, tuple) else value


@dataclass(frozen=True, slots=True)
class Tensor:
    """What flows along an edge while a network is drawn: the layer it comes from and its shape."""

    name: str
    shape: Shape


class Builder:
    """Draws a network in Keras's functional style: every method adds one named layer and returns its output.

    `width` multiplies the filters of every convolution but those told to be `exact`, as MobileNet's width multiplier
    does.
    """

    def __init__(self, name: str, width: float = 1.0) -> None:
        self._name = name
        self._width = width
        self._nodes: dict[str, Node] = {}
        self._module = ""

    def __getitem__(self, name: str) -> Tensor:
        return Tensor(name, self._nodes[name].output_shape)

    @contextmanager
    def module(self, name: str) -> Iterator[None]:
        """Layers added inside belong to this module of the paper ("block1", "inception 3a")."""
        outer, self._module = self._module, name
        yield
        self._module = outer

    def add(self, layer: AnyLayer, inputs: Sequence[Tensor], name: str) -> Tensor:
        """Add a layer; UserError, naming the layer, where its name is taken or the shapes do not fit."""
        if name in self._nodes:
            raise UserError(f"{self._name} has two layers named {name}.")
        if not inputs and not isinstance(layer, InputLayer):
            raise UserError(f"{self._name}: nothing flows into {name} ({layer.type}).")
        most = 0 if isinstance(layer, InputLayer) else None if layer.joins else 1
        if most is not None and len(inputs) > most:
            accepted = "one input" if most else "no input"
            raise UserError(f"{self._name}: {name} ({layer.type}) takes {accepted}, not {len(inputs)}.")
        node = Node(
            name=name,
            layer=layer,
            inputs=tuple(tensor.name for tensor in inputs),
            input_shapes=tuple(tensor.shape for tensor in inputs),
            module=self._module or name,
        )
        try:
            shape = node.output_shape
        except UserError as error:
            raise UserError(f"{self._name} breaks at {name} ({layer.type}): {error}.") from error
        self._nodes[name] = node
        return Tensor(name, shape)

    def input(self, shape: Shape, name: str = "input") -> Tensor:
        return self.add(InputLayer(shape), [], name)

    def conv(
        self,
        x: Tensor,
        filters: int,
        kernel: int,
        *,
        name: str,
        stride: int = 1,
        padding: Padding = "same",
        activation: ActivationName = "linear",
        use_bias: bool = True,
        exact: bool = False,
    ) -> Tensor:
        made = filters if exact else max(1, round(filters * self._width))
        return self.add(Conv2D(made, kernel, stride, padding, activation, use_bias), [x], name)

    def depthwise_conv(
        self,
        x: Tensor,
        kernel: int,
        *,
        name: str,
        stride: int = 1,
        padding: Padding = "same",
        multiplier: int = 1,
        activation: ActivationName = "linear",
        use_bias: bool = True,
    ) -> Tensor:
        return self.add(DepthwiseConv2D(kernel, stride, padding, multiplier, activation, use_bias), [x], name)

    def dense(
        self, x: Tensor, units: int, *, name: str, activation: ActivationName = "linear", use_bias: bool = True
    ) -> Tensor:
        return self.add(Dense(units, activation, use_bias), [x], name)

    def max_pool(
        self, x: Tensor, kernel: int, *, name: str, stride: int | None = None, padding: Padding = "valid"
    ) -> Tensor:
        return self.add(MaxPooling2D(kernel, stride or kernel, padding), [x], name)

    def average_pool(self, x: Tensor, kernel: int, *, name: str, stride: int, padding: Padding = "valid") -> Tensor:
        return self.add(AveragePooling2D(kernel, stride, padding), [x], name)

    def global_average_pool(self, x: Tensor, *, name: str) -> Tensor:
        return self.add(GlobalAveragePooling2D(), [x], name)

    def zero_pad(self, x: Tensor, top: int, bottom: int, left: int, right: int, *, name: str) -> Tensor:
        return self.add(ZeroPadding2D(top, bottom, left, right), [x], name)

    def zero_channels(self, x: Tensor, before: int, after: int, *, name: str) -> Tensor:
        """Channels of zeros before and after those of x."""
        return self.add(ZeroPadding2D(0, 0, 0, 0, before, after), [x], name)

    def batch_norm(self, x: Tensor, *, name: str) -> Tensor:
        return self.add(BatchNormalization(), [x], name)

    def local_response_norm(self, x: Tensor, *, name: str) -> Tensor:
        return self.add(LocalResponseNormalization(), [x], name)

    def activation(self, x: Tensor, activation: ActivationName, *, name: str) -> Tensor:
        return self.add(Activation(activation), [x], name)

    def dropout(self, x: Tensor, rate: float, *, name: str) -> Tensor:
        """Dropout; a rate of 0 adds no layer."""
        return self.add(Dropout(rate), [x], name) if rate else x

    def flatten(self, x: Tensor, *, name: str = "flatten") -> Tensor:
        return self.add(Flatten(), [x], name)

    def concat(self, xs: Sequence[Tensor], *, name: str) -> Tensor:
        return self.add(Concatenate(), xs, name)

    def sum(self, xs: Sequence[Tensor], *, name: str) -> Tensor:
        """The sum of tensors of one shape: the end of a residual block."""
        return self.add(Add(), xs, name)

    def build(self, *outputs: Tensor) -> Network:
        """The finished network; the first output is the main one."""
        if not outputs:
            raise UserError(f"{self._name} has no output.")
        return Network(self._name, tuple(self._nodes.values()), tuple(tensor.name for tensor in outputs))
