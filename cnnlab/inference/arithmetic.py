"""How one value of a layer is computed: what it reads, its weights, its products, its sum.

Computed in numpy with double precision from the values and weights that TensorFlow holds; `Computed.stored` is what
TensorFlow made of them.
"""

from __future__ import annotations

from typing import assert_never

import numpy as np

from cnnlab.errors import UserError
from cnnlab.inference.activations import ActivationModel, Activations
from cnnlab.inference.computation import (
    Activated,
    Addend,
    Computation,
    Computed,
    LargestOf,
    MeanOf,
    NormalizedPixel,
    Numbers,
    Passed,
    Patch,
    Place,
    ResponseNormalized,
    Standardized,
    SumOf,
    WeightedSum,
)
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
    shape_text,
)
from cnnlab.network.origin import part_of

ORIGIN: Place = (0, 0)
MOST_NAMED = 12


def arithmetic(
    model: ActivationModel, seen: Activations, layer: str, channel: int, at: Place | None = None
) -> Computed:
    """How a value of a layer is computed; `at` is its row and column, none for a vector.

    UserError where there is no such layer, channel or place.
    """
    node = checked(model.network, layer, channel, at)
    at = at if len(node.output_shape) == 3 else None
    hushed = layer in seen.silenced and channel in (seen.silenced[layer] or (channel,))
    return Computed(node, channel, at, how(model, seen, node, channel, at), value_at(seen, layer, channel, at), hushed)


def layer_named(network: Network, name: str) -> Node:
    """The layer; UserError where the network has none of that name."""
    names = [node.name for node in network.layers]
    if name not in names:
        more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
        raise UserError(
            f"There is no layer {name!r} in {network.name}; there are {', '.join(names[:MOST_NAMED])}{more}."
        )
    return network[name]


def checked(network: Network, layer: str, channel: int, at: Place | None) -> Node:
    """The layer; UserError where the network has none of that name, or it has no such channel or place."""
    node = layer_named(network, layer)
    *sides, count = node.output_shape
    if not 0 <= channel < count:
        raise UserError(f"{layer} has no channel {channel}; it has 0 to {count - 1}.")
    if sides and at is None:
        raise UserError(f"{layer} gives maps of {shape_text(tuple(sides))}; say which row and column of them.")
    if not sides and at not in (None, ORIGIN):
        raise UserError(f"{layer} gives a vector of {count} values, which has no rows and columns.")
    if sides and at and not all(0 <= place < side for place, side in zip(at, sides, strict=True)):
        raise UserError(
            f"{layer} has no row {at[0]}, column {at[1]}; it has rows 0 to {sides[0] - 1} and columns 0 to "
            f"{sides[1] - 1}."
        )
    return node


def how(model: ActivationModel, seen: Activations, node: Node, channel: int, at: Place | None) -> Computation:
    match node.layer:
        case InputLayer():
            return normalized_pixel(model, seen, node, channel, at or ORIGIN)
        case Conv2D() | DepthwiseConv2D() | Dense() as layer:
            return weighted_sum(model, seen, node, layer, channel, at or ORIGIN)
        case MaxPooling2D():
            return LargestOf(patch_of(seen, node, at or ORIGIN, range(channel, channel + 1)))
        case AveragePooling2D() | GlobalAveragePooling2D():
            return MeanOf(patch_of(seen, node, at or ORIGIN, range(channel, channel + 1)))
        case ZeroPadding2D(top, _, left, _, before, _):
            row, column = at or ORIGIN
            return passed(seen, node.inputs[0], channel - before, (row - top, column - left))
        case BatchNormalization(_, epsilon):
            names = ("gamma", "beta", "moving_mean", "moving_variance")
            variables = model.variables(node.name)
            gamma, beta, mean, variance = (float(variables[name][channel]) for name in names)
            given = value_at(seen, node.inputs[0], channel, at)
            return Standardized(node.inputs[0], given, gamma, beta, mean, variance, epsilon)
        case LocalResponseNormalization(radius, bias, alpha, beta):
            values = column_at(seen, node.inputs[0], at)
            beside = range(max(channel - radius, 0), min(channel + radius + 1, len(values)))
            return ResponseNormalized(
                node.inputs[0],
                float(values[channel]),
                beside,
                values[beside.start : beside.stop],
                bias,
                alpha,
                beta,
            )
        case Activation(activation):
            values = column_at(seen, node.inputs[0], at)
            scores = values if activation == "softmax" else None
            return Activated(node.inputs[0], float(values[channel]), activation, channel, scores)
        case Dropout(rate):
            return Passed(node.inputs[0], channel, at, value_at(seen, node.inputs[0], channel, at), rate)
        case Flatten():
            return flattened(seen, node, channel)
        case Concatenate():
            return passed(seen, *part_of(node.inputs, node.input_shapes, channel), at)
        case Add():
            return SumOf(tuple(Addend(name, value_at(seen, name, channel, at)) for name in node.inputs))
        case _:
            assert_never(node.layer)


def weighted_sum(
    model: ActivationModel,
    seen: Activations,
    node: Node,
    layer: Conv2D | DepthwiseConv2D | Dense,
    channel: int,
    at: Place,
) -> WeightedSum:
    variables = model.variables(node.name)
    bias = float(variables["bias"][channel]) if layer.use_bias else None
    if isinstance(layer, DepthwiseConv2D):
        read, number = divmod(channel, layer.multiplier)
        patch = patch_of(seen, node, at, range(read, read + 1))
        weights = np.asarray(variables["kernel"][..., read : read + 1, number], np.float64)
    else:
        patch = patch_of(seen, node, at, range(node.input_shapes[0][-1]))
        weights = np.asarray(variables["kernel"][..., channel], np.float64).reshape(patch.values.shape)
    scores = scores_of(model, seen, node, at) if layer.activation == "softmax" else None
    return WeightedSum(patch, weights, bias, layer.activation, channel, scores)


def scores_of(model: ActivationModel, seen: Activations, node: Node, at: Place) -> Numbers:
    """What the activation of a layer with weights is given at a place, in all channels."""
    kept = {name: value.astype(np.float64) for name, value in model.weights(node.name).items()}
    patch = patch_of(seen, node, at, range(node.input_shapes[0][-1])).values
    if isinstance(node.layer, DepthwiseConv2D):
        sums = np.einsum("ijc,ijcm->cm", patch, kept["kernel"]).reshape(-1)
    else:
        sums = patch.reshape(-1) @ kept["kernel"].reshape(patch.size, -1)
    return np.asarray(sums + kept.get("bias", 0.0), np.float64)


def patch_of(seen: Activations, node: Node, at: Place, channels: range) -> Patch:
    """What a layer's window at a place reads of its input."""
    source = node.inputs[0]
    values = seen.values[source]
    values = values if values.ndim == 3 else values[None, None]
    if isinstance(node.layer, GlobalAveragePooling2D | Dense):
        top, left, (rows, columns) = 0, 0, values.shape[:2]
    else:
        kernel, stride = node.layer.window(*node.input_shapes)
        above, before = node.layer.border(*node.input_shapes)
        top, left, rows, columns = at[0] * stride - above, at[1] * stride - before, kernel, kernel
    padding = np.ones((rows, columns), np.bool_)
    read = np.zeros((rows, columns, len(channels)))
    inside = values[max(top, 0) : top + rows, max(left, 0) : left + columns, channels.start : channels.stop]
    here = slice(max(-top, 0), max(-top, 0) + inside.shape[0]), slice(max(-left, 0), max(-left, 0) + inside.shape[1])
    read[here], padding[here] = inside, False
    return Patch(source, top, left, channels, read, padding)


def passed(seen: Activations, layer: str, channel: int, at: Place | None) -> Passed:
    """The value of a layer at a place, which may lie in the zeros around its maps or beside them."""
    *sides, channels = seen.values[layer].shape
    inside = at is None or all(0 <= place < side for place, side in zip(at, sides, strict=True))
    inside = inside and 0 <= channel < channels
    return Passed(layer, channel, at, value_at(seen, layer, channel, at) if inside else None)


def flattened(seen: Activations, node: Node, channel: int) -> Passed:
    shape = seen.values[node.inputs[0]].shape
    *place, read = (int(number) for number in np.unravel_index(channel, shape))
    return passed(seen, node.inputs[0], read, (place[0], place[1]) if place else None)


def normalized_pixel(model: ActivationModel, seen: Activations, node: Node, channel: int, at: Place) -> NormalizedPixel:
    used = range(3) if node.output_shape[-1] == 1 else (channel,)
    pixel, given = seen.inputs[at], model.preprocessing
    return NormalizedPixel(
        tuple(int(pixel[colour]) for colour in used),
        tuple(given.mean[colour] for colour in used),
        tuple(given.deviation[colour] for colour in used),
    )


def column_at(seen: Activations, layer: str, at: Place | None) -> Numbers:
    """A layer's values at a place, in all channels."""
    return np.asarray(seen.values[layer][at] if at is not None else seen.values[layer], np.float64)


def value_at(seen: Activations, layer: str, channel: int, at: Place | None) -> float:
    return float(seen.values[layer][(*(at or ()), channel)])
