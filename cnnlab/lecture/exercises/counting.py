"""Shapes, parameters and multiply-adds: counted from a layer in its place."""

from __future__ import annotations

from dataclasses import replace
from math import prod

from cnnlab.errors import UserError
from cnnlab.lecture.course.block import Drawn
from cnnlab.lecture.course.language import Fact, Phrase
from cnnlab.lecture.exercises.question import Question, Reason, distinct
from cnnlab.network import Builder, Node
from cnnlab.network.layers import (
    AveragePooling2D,
    BatchNormalization,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    MaxPooling2D,
    Padding,
    Shape,
)

LAYERS = ("conv", "depthwise", "max_pool", "average_pool", "dense", "batch_norm")
PADDINGS: tuple[Padding, ...] = ("same", "valid")
Pooling = MaxPooling2D | AveragePooling2D


def node_of(drawn: Drawn) -> Node:
    """The layer that a block means: one of a network, or one of its own on an input of its own."""
    if drawn.has("network"):
        network = drawn.network()
        return network[drawn.layer(network)]
    kind = drawn.word("layer", LAYERS)
    if kind == "dense":
        x = Builder("exercise")
        made = x.dense(x.input((drawn.number("inputs"),)), drawn.number("units"), name="layer")
        return x.build(made)[made.name]
    build = Builder("exercise")
    given = build.input(drawn.shape("input"))
    match kind:
        case "batch_norm":
            made = build.batch_norm(given, name="layer")
        case "max_pool" | "average_pool":
            kernel, stride, padding = drawn.number("kernel"), drawn.number("stride"), drawn.word("padding", PADDINGS)
            if kind == "max_pool":
                made = build.max_pool(given, kernel, stride=stride, padding=padding, name="layer")
            else:
                made = build.average_pool(given, kernel, stride=stride, padding=padding, name="layer")
        case "depthwise":
            made = build.depthwise_conv(given, drawn.number("kernel"), name="layer")
        case _:
            made = build.conv(
                given,
                drawn.number("filters"),
                drawn.number("kernel"),
                stride=drawn.number("stride", 1),
                padding=drawn.word("padding", PADDINGS, "same"),
                name="layer",
            )
    return build.build(made)[made.name]


def described(node: Node) -> Phrase:
    """The layer in words."""
    layer = node.layer
    match layer:
        case Conv2D():
            facts: tuple[tuple[str, Fact], ...] = (
                ("kernel", layer.kernel),
                ("filters", layer.filters),
                ("stride", layer.stride),
                ("padding", Phrase(f"padding_{layer.padding}")),
            )
            return Phrase("layer_conv", facts)
        case DepthwiseConv2D():
            return Phrase("layer_depthwise", (("kernel", layer.kernel),))
        case MaxPooling2D() | AveragePooling2D():
            name = "layer_max_pool" if isinstance(layer, MaxPooling2D) else "layer_average_pool"
            return Phrase(
                name,
                (
                    ("kernel", layer.kernel),
                    ("stride", layer.stride),
                    ("padding", Phrase(f"padding_{layer.padding}")),
                ),
            )
        case Dense():
            return Phrase("layer_dense", (("units", layer.units),))
        case BatchNormalization():
            return Phrase("layer_batch_norm")
    raise UserError(f"there are no questions about a {layer.type}")


def facts_of(node: Node) -> dict[str, Fact]:
    return {"input": node.input_shapes[0], "layer": described(node)}


def shape(drawn: Drawn) -> Question:
    """What shape comes out: of a convolution or a pooling."""
    node = node_of(drawn)
    given, made = node.input_shapes[0], node.output_shape
    if len(made) != 3:
        raise UserError("a question about a shape needs feature maps: a convolution or a pooling")
    match node.layer:
        case Conv2D():
            reasons = shapes_of_conv(node.layer, given)
            because = "shape_conv"
        case MaxPooling2D() | AveragePooling2D():
            reasons = shapes_of_pooling(node.layer, given)
            because = "shape_pool"
        case _:
            raise UserError("a question about a shape needs a convolution or a pooling")
    height, width, channels = made
    facts: dict[str, Fact] = {**facts_of(node), "height": height, "width": width, "channels": channels, "answer": made}
    facts |= {"given_height": given[0], "given_channels": given[2]}
    facts |= {"padding_rule": Phrase(f"rule_{node.layer.padding}", window(node.layer.kernel, node.layer.stride, given))}
    return Question("shape", "shape", because, facts, made, distinct(made, reasons))


def window(kernel: int, stride: int, given: Shape) -> tuple[tuple[str, Fact], ...]:
    valid, same = (given[0] - kernel) // stride + 1, -(-given[0] // stride)
    return (
        ("kernel", kernel),
        ("stride", stride),
        ("given", given[0]),
        ("valid_height", valid),
        ("same_height", same),
    )


def shapes_of_conv(layer: Conv2D, given: Shape) -> list[Reason]:
    made = layer.output_shape(given)
    found = []
    if layer.padding == "same" and layer.kernel > 1:
        found.append(Reason(replace(layer, padding="valid").output_shape(given), "forgot_padding"))
    elif layer.padding == "valid":
        found.append(Reason(replace(layer, padding="same").output_shape(given), "no_padding"))
        found.append(Reason((given[0] - layer.kernel, given[1] - layer.kernel, layer.filters), "one_position_less"))
    if layer.stride > 1:
        found.append(Reason(replace(layer, stride=1).output_shape(given), "forgot_stride"))
    found.append(Reason((*made[:2], given[2]), "depth_is_filters"))
    found.append(Reason((*made[:2], given[2] * layer.filters), "depth_not_product"))
    found.append(Reason((*made[:2], given[2] + layer.filters), "depth_not_sum"))
    return found


def shapes_of_pooling(layer: Pooling, given: Shape) -> list[Reason]:
    made = layer.output_shape(given)
    found = [
        Reason((*made[:2], max(1, given[2] // layer.stride)), "pooling_keeps_depth"),
        Reason((*made[:2], given[2] * layer.stride), "pooling_keeps_depth"),
        Reason((*made[:2], 1), "pooling_each_map"),
        Reason(given, "pooling_shrinks"),
    ]
    if layer.padding == "same":
        found.append(Reason(replace(layer, padding="valid").output_shape(given), "forgot_padding"))
    else:
        found.append(Reason(replace(layer, padding="same").output_shape(given), "no_padding"))
    return found


def parameters(drawn: Drawn) -> Question:
    """How many parameters a layer has."""
    node = node_of(drawn)
    layer, given, count = node.layer, node.input_shapes[0], node.parameters
    facts: dict[str, Fact] = {**facts_of(node), "answer": count, "inputs": given[-1]}
    reasons: list[Reason] = []
    match layer:
        case Conv2D():
            k, c, f = layer.kernel, given[2], layer.filters
            facts |= {"kernel": k, "channels": c, "filters": f, "weights": k * k * c * f}
            reasons = [
                Reason(k * k * c * f, "forgot_bias"),
                Reason(k * k * f + f, "forgot_channels"),
                Reason(k * k * f, "forgot_channels_and_bias"),
                Reason(k * c * f + f, "one_side"),
                Reason(k * k * c + 1, "one_filter"),
                Reason(k * k * c * f + 1, "one_bias"),
                Reason(k * k * c * f + c, "bias_of_inputs"),
                Reason(node.multiply_adds, "counted_multiply_adds"),
                Reason(prod(node.output_shape) * (k * k * c + 1), "weights_are_shared"),
            ]
            because = "parameters_conv"
        case DepthwiseConv2D():
            k, c = layer.kernel, given[2]
            facts |= {"kernel": k, "channels": c, "weights": k * k * c}
            reasons = [
                Reason(k * k * c, "forgot_bias"),
                Reason(k * k * c * c + c, "depthwise_is_alone"),
                Reason(k * k + 1, "forgot_channels"),
            ]
            because = "parameters_depthwise"
        case Dense():
            n, u = given[0], layer.units
            facts |= {"units": u, "weights": n * u}
            reasons = [
                Reason(n * u, "forgot_bias_dense"),
                Reason(n * u + n, "bias_of_inputs_dense"),
                Reason(n * u + 1, "one_bias"),
                Reason(n + u, "dense_is_product"),
            ]
            because = "parameters_dense"
        case BatchNormalization():
            c = given[-1]
            facts |= {"channels": c}
            reasons = [
                Reason(2 * c, "forgot_moving"),
                Reason(c, "one_a_channel"),
                Reason(4 * prod(given), "normalizes_channels"),
                Reason(0, "batch_norm_learns"),
            ]
            because = "parameters_batch_norm"
        case MaxPooling2D() | AveragePooling2D():
            k, c = layer.kernel, given[2]
            reasons = [Reason(value, "pooling_learns_nothing") for value in (k * k, k * k * c, k * k * c + c, c)]
            because = "parameters_pool"
        case _:
            raise UserError(f"there are no questions about the parameters of a {layer.type}")
    return Question("number", "parameters", because, facts, count, distinct(count, reasons))


def multiply_adds(drawn: Drawn) -> Question:
    """How many multiply-accumulates a convolution takes for one image."""
    node = node_of(drawn)
    layer, given, count = node.layer, node.input_shapes[0], node.multiply_adds
    if not isinstance(layer, Conv2D):
        raise UserError("a question about multiply-adds needs a convolution")
    height, width, filters = node.output_shape
    facts: dict[str, Fact] = {
        **facts_of(node),
        "answer": count,
        "height": height,
        "width": width,
        "kernel": layer.kernel,
        "channels": given[2],
        "filters": filters,
        "output": node.output_shape,
    }
    reasons = [
        Reason(node.parameters, "counted_parameters"),
        Reason(layer.kernel**2 * given[2] * filters, "forgot_positions"),
        Reason(height * width * layer.kernel**2 * filters, "forgot_channels_multiply_adds"),
        Reason(height * width * layer.kernel**2 * given[2], "forgot_filters"),
        Reason(height * width * layer.kernel * given[2] * filters, "one_side"),
        Reason(given[0] * given[1] * layer.kernel**2 * given[2] * filters, "positions_of_output"),
        Reason(2 * count, "counted_flop"),
        Reason(count + prod(node.output_shape), "biases_not_counted"),
    ]
    return Question("number", "multiply_adds", "multiply_adds", facts, count, distinct(count, reasons))
