"""A network made fully convolutional, for images of any size (Simonyan and Zisserman, 2015, section 3.2)."""

from __future__ import annotations

from typing import Any

from cnnlab.errors import UserError
from cnnlab.network import Builder, Network, Tensor
from cnnlab.network.layers import AveragePooling2D, Conv2D, Dense, Flatten, GlobalAveragePooling2D, InputLayer, Shape
from cnnlab.network.paths import leads_to


def fully_convolutional(network: Network, height: int, width: int) -> Network:
    """The way to the first output on inputs of another size: dense layers become convolutions as large as the map that
    they read, the average of the map becomes one of windows of its size, and the output is a map of classes."""
    builder = Builder(network.name)
    tensors: dict[str, Tensor] = {}
    for node in network.layers:
        if not leads_to(network, node.name):
            continue
        inputs = [tensors[name] for name in node.inputs]
        match node.layer:
            case InputLayer(shape):
                layer: Any = InputLayer((height, width, shape[-1]))
            case Flatten():
                tensors[node.name] = inputs[0]
                continue
            case Dense(units, activation, use_bias):
                layer = Conv2D(units, map_read(network, node.inputs[0]), 1, "valid", activation, use_bias)
            case GlobalAveragePooling2D():
                layer = AveragePooling2D(square(node.input_shapes[0]), 1, "valid")
            case _:
                layer = node.layer
        tensors[node.name] = builder.add(layer, inputs, node.name)
    return builder.build(tensors[network.outputs[0]])


def square(shape: Shape) -> int:
    """The side of a feature map; UserError where it is not square."""
    if shape[0] != shape[1]:
        raise UserError(f"Dense evaluation needs square feature maps, not {shape[0]}×{shape[1]}.")
    return shape[0]


def map_read(network: Network, name: str) -> int:
    """The side of the map that a dense layer reads through the layer of this name: 1 behind another dense layer."""
    node = network[name]
    while not isinstance(node.layer, Flatten | Dense | GlobalAveragePooling2D):
        node = network[node.inputs[0]]
    if isinstance(node.layer, Flatten):
        return square(node.input_shapes[0])
    return 1
