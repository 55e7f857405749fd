"""Network to keras.Model: the only translator."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, assert_never

from cnnlab.keras import lrn as keras_lrn
from cnnlab.keras.backend import keras
from cnnlab.network import Network, Node
from cnnlab.network.layers import (
    Activation,
    Add,
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
    ZeroPadding2D,
)


def keras_model(network: Network, kinds: Mapping[str, Any] | None = None) -> Any:
    """The keras.Model of a network: the same layer names, freshly initialised weights (Glorot uniform).

    It gives a dict: each output under its layer's name. `kinds` are layers to take in place of Keras's own, by the name
    of those.
    """
    layers = SimpleNamespace(**{**vars(keras.layers), **(kinds or {})})
    tensors: dict[str, Any] = {}
    for node in network.layers:
        inputs = [tensors[name] for name in node.inputs]
        tensors[node.name] = translate(node, inputs, layers)
    outputs = {name: tensors[name] for name in network.outputs}
    return keras.Model(tensors[network.layers[0].name], outputs, name=network.name)


def translate(node: Node, inputs: list[Any], layers: Any) -> Any:
    """The Keras tensor that a layer gives for its Keras inputs."""
    name = node.name
    match node.layer:
        case InputLayer(shape):
            return layers.Input(shape, name=name)
        case Conv2D(filters, kernel, stride, padding, activation, use_bias):
            convolution = layers.Conv2D(
                filters, kernel, stride, padding, activation=activation, use_bias=use_bias, name=name
            )
            return convolution(*inputs)
        case DepthwiseConv2D(kernel, stride, padding, multiplier, activation, use_bias):
            convolution = layers.DepthwiseConv2D(
                kernel, stride, padding, multiplier, activation=activation, use_bias=use_bias, name=name
            )
            return convolution(*inputs)
        case Dense(units, activation, use_bias):
            return layers.Dense(units, activation, use_bias, name=name, dtype=precision(activation))(*inputs)
        case MaxPooling2D(kernel, stride, padding):
            return layers.MaxPooling2D(kernel, stride, padding, name=name)(*inputs)
        case AveragePooling2D(kernel, stride, padding):
            return layers.AveragePooling2D(kernel, stride, padding, name=name)(*inputs)
        case GlobalAveragePooling2D():
            return layers.GlobalAveragePooling2D(name=name)(*inputs)
        case ZeroPadding2D(before=before, after=after) if node.layer.pads_channels:
            # Told that channels come first, Keras pads the last two axes: here those of width and channels.
            return layers.ZeroPadding2D(((0, 0), (before, after)), data_format="channels_first", name=name)(*inputs)
        case ZeroPadding2D(top, bottom, left, right):
            return layers.ZeroPadding2D(((top, bottom), (left, right)), name=name)(*inputs)
        case BatchNormalization(momentum, epsilon):
            return layers.BatchNormalization(momentum=momentum, epsilon=epsilon, name=name)(*inputs)
        case LocalResponseNormalization(radius, bias, alpha, beta):
            lrn = keras_lrn.KerasLocalResponseNormalization(radius, bias, alpha, beta, name=name, dtype="float32")
            return lrn(*inputs)  # TensorFlow has it in no bfloat16
        case Activation(activation):
            return layers.Activation(activation, name=name, dtype=precision(activation))(*inputs)
        case Dropout(rate):
            return layers.Dropout(rate, name=name)(*inputs)
        case Flatten():
            return layers.Flatten(name=name)(*inputs)
        case Concatenate():
            return layers.Concatenate(name=name)(inputs)
        case Add():
            return layers.Add(name=name)(inputs)
        case _:
            assert_never(node.layer)


def precision(activation: str) -> str | None:
    """Probabilities are computed in float32 also where the rest of the network is not."""
    return "float32" if activation == "softmax" else None
