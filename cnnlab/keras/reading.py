"""keras.Model to Network: a model from elsewhere as a value, where its layers are of kinds that cnnlab knows."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from cnnlab.errors import UserError
from cnnlab.keras.backend import keras
from cnnlab.keras.lrn import KerasLocalResponseNormalization
from cnnlab.network import Builder, Network, Tensor
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
    ZeroPadding2D,
)
from cnnlab.text import plain

ACTIVATIONS: dict[Any, ActivationName] = {
    keras.activations.linear: "linear",
    keras.activations.relu: "relu",
    keras.activations.relu6: "relu6",
    keras.activations.elu: "elu",
    keras.activations.tanh: "tanh",
    keras.activations.softmax: "softmax",
}
MODULE = re.compile(r"\w*?(?:block|stage|inception|mixed|fire|downsample)_?\d+[a-z]?(?=_)")
"""How the names of the layers of one module begin: conv2_block1, inception_3a."""


def network_of(model: Any, input_size: tuple[int, int]) -> Network:
    """The network of a functional or sequential keras.Model with one input and one output, under its layers' names.

    Images have `input_size` (height, width). UserError that names the layer where one is of another kind, or set as
    cnnlab's are not.
    """
    builder = Builder(model.name)
    tensors: dict[str, Tensor] = {}
    for layer, inputs in layers_in_order(model):
        try:
            kind = read(layer, input_size)
            with builder.module(module_of(layer.name)):
                made = builder.add(kind, [tensors[one.name] for one in inputs], layer.name)
            weights = kind.weights(*(tensors[one.name].shape for one in inputs))
            if [weight.shape for weight in weights] != [tuple(one.shape) for one in layer.weights]:
                raise UserError("its weights are kept in another form")
        except UserError as error:
            raise UserError(
                f"The layers of {plain(model.name)} cannot be shown, because of {layer.name!r} "
                f"({type(layer).__name__}): "
                f"{str(error).rstrip('.')}."
            ) from error
        tensors[layer.name] = made
    return builder.build(made)


def module_of(name: str) -> str:
    """The module that a layer's name tells; nothing where it tells none."""
    found = MODULE.match(name)
    return found.group() if found else ""


def layers_in_order(model: Any) -> list[tuple[Any, list[Any]]]:
    """What a model consists of, each after its inputs and with them; one branch after the other."""
    read_by: dict[Any, tuple[int, list[Any]]] = {}
    waiting = [history(model.outputs[0])]
    while waiting:
        operation, call = waiting.pop()
        known, _ = read_by.get(operation, (call, []))
        if known != call:
            raise UserError(
                f"The layers of {plain(model.name)} cannot be shown: {operation.name!r} is used more than once."
            )
        if operation not in read_by:
            inputs = [history(tensor) for tensor in operation._inbound_nodes[call].input_tensors]
            read_by[operation] = call, [one for one, _ in inputs]
            waiting += inputs
    order: dict[Any, list[Any]] = {}
    open_ones = [history(model.outputs[0])[0]]
    while open_ones:
        operation = open_ones[-1]
        missing = [one for one in read_by[operation][1] if one not in order]
        if missing:
            open_ones.append(missing[0])
        else:
            order[open_ones.pop()] = read_by[operation][1]
    return list(order.items())


def history(tensor: Any) -> tuple[Any, int]:
    """The layer that gives a Keras tensor, and which of its calls."""
    operation, call, _ = tensor._keras_history
    return operation, call


def read(layer: Any, input_size: tuple[int, int]) -> AnyLayer:
    """A Keras layer as ours; UserError that says why it is not one."""
    if isinstance(layer, keras.layers.InputLayer):
        return InputLayer((*input_size, layer.batch_shape[-1]))
    if not isinstance(layer, keras.layers.Layer):
        raise UserError("it is an operation, not a layer")
    reader = READERS.get(type(layer))
    if reader is None:
        known = ", ".join(kind.__name__ for kind in READERS)
        raise UserError(f"cnnlab does not know this kind; it knows {known}")
    return reader(layer)


def demand(layer: Any, **accepted: Any) -> None:
    """UserError where a layer has another value for one of these settings."""
    for name, value in accepted.items():
        if getattr(layer, name) != value:
            raise UserError(f"it has {name}={getattr(layer, name)!r}; {value!r} is accepted")


def square(layer: Any, name: str) -> int:
    """The one number of a setting in height and width."""
    height, width = getattr(layer, name)
    if height != width:
        raise UserError(f"it has {name}={getattr(layer, name)!r}; the same in height and width is accepted")
    return int(height)


def activation_of(layer: Any) -> ActivationName:
    try:
        return ACTIVATIONS[layer.activation]
    except (KeyError, TypeError) as error:
        name = getattr(layer.activation, "__name__", type(layer.activation).__name__)
        raise UserError(f"it has the activation {name}; {', '.join(ACTIVATIONS.values())} are accepted") from error


def convolution(layer: Any) -> Conv2D:
    demand(layer, data_format="channels_last", groups=1, dilation_rate=(1, 1))
    kernel, stride = square(layer, "kernel_size"), square(layer, "strides")
    return Conv2D(layer.filters, kernel, stride, padding_of(layer), activation_of(layer), bool(layer.use_bias))


def depthwise(layer: Any) -> DepthwiseConv2D:
    demand(layer, data_format="channels_last", dilation_rate=(1, 1))
    kernel, stride = square(layer, "kernel_size"), square(layer, "strides")
    activation = activation_of(layer)
    return DepthwiseConv2D(kernel, stride, padding_of(layer), layer.depth_multiplier, activation, bool(layer.use_bias))


def padding_of(layer: Any) -> Padding:
    return "same" if layer.padding == "same" else "valid"


def pooling(kind: type[MaxPooling2D] | type[AveragePooling2D]) -> Callable[[Any], AnyLayer]:
    def reader(layer: Any) -> AnyLayer:
        demand(layer, data_format="channels_last")
        return kind(square(layer, "pool_size"), square(layer, "strides"), padding_of(layer))

    return reader


def global_average(layer: Any) -> AnyLayer:
    demand(layer, data_format="channels_last")
    if not layer.keepdims:
        return GlobalAveragePooling2D()
    _, height, width, _ = layer.input.shape
    if height is None or height != width:
        raise UserError(f"it has keepdims=True on maps of {height}×{width}; known and equal sides are accepted")
    return AveragePooling2D(height, height)  # the same mean, as a map of one value


def zeros(layer: Any) -> ZeroPadding2D:
    (top, bottom), (left, right) = layer.padding
    if layer.data_format == "channels_first" and not (top or bottom):  # how the channels of our maps are padded
        return ZeroPadding2D(0, 0, 0, 0, left, right)
    demand(layer, data_format="channels_last")
    return ZeroPadding2D(top, bottom, left, right)


def batch_normalization(layer: Any) -> BatchNormalization:
    demand(layer, center=True, scale=True)
    on_last_axis(layer)
    return BatchNormalization(layer.momentum, layer.epsilon)


def on_last_axis(layer: Any) -> None:
    """UserError where a layer works along another axis than the channels."""
    axes = layer.axis if isinstance(layer.axis, list | tuple) else [layer.axis]
    last = len(layer.output.shape) - 1
    if [axis % (last + 1) for axis in axes] != [last]:
        raise UserError(f"it has axis={layer.axis!r}; the last, that of the channels, is accepted")


def relu(layer: Any) -> Activation:
    demand(layer, negative_slope=0.0, threshold=0.0)
    if layer.max_value not in (None, 6.0):
        raise UserError(f"it has max_value={layer.max_value!r}; None and 6 are accepted")
    return Activation("relu" if layer.max_value is None else "relu6")


def elu(layer: Any) -> Activation:
    demand(layer, alpha=1.0)
    return Activation("elu")


def softmax(layer: Any) -> Activation:
    on_last_axis(layer)
    return Activation("softmax")


def flat(layer: Any) -> Flatten:
    demand(layer, data_format="channels_last")
    return Flatten()


def reshaped(layer: Any) -> Flatten:
    if len(layer.target_shape) != 1:
        raise UserError(f"it has target_shape={layer.target_shape!r}; a vector is accepted")
    return Flatten()


def concatenation(layer: Any) -> Concatenate:
    on_last_axis(layer)
    return Concatenate()


READERS: dict[type, Callable[[Any], AnyLayer]] = {
    keras.layers.Conv2D: convolution,
    keras.layers.DepthwiseConv2D: depthwise,
    keras.layers.Dense: lambda layer: Dense(layer.units, activation_of(layer), bool(layer.use_bias)),
    keras.layers.MaxPooling2D: pooling(MaxPooling2D),
    keras.layers.AveragePooling2D: pooling(AveragePooling2D),
    keras.layers.GlobalAveragePooling2D: global_average,
    keras.layers.ZeroPadding2D: zeros,
    keras.layers.BatchNormalization: batch_normalization,
    KerasLocalResponseNormalization: lambda layer: LocalResponseNormalization(
        layer.radius, layer.bias, layer.alpha, layer.beta
    ),
    keras.layers.Activation: lambda layer: Activation(activation_of(layer)),
    keras.layers.ReLU: relu,
    keras.layers.ELU: elu,
    keras.layers.Softmax: softmax,
    keras.layers.Dropout: lambda layer: Dropout(layer.rate),
    keras.layers.Flatten: flat,
    keras.layers.Reshape: reshaped,
    keras.layers.Concatenate: concatenation,
    keras.layers.Add: lambda _: Add(),
}
