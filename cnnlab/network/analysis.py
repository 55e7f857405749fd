"""What a network amounts to: one row per layer, totals, and the same as text, CSV and JSON."""

from __future__ import annotations

import csv
import io
from math import prod
from typing import Any, Literal, NamedTuple, TypedDict

from cnnlab.network import Network, Node
from cnnlab.network.layers import Shape, shape_text
from cnnlab.text import cell

BYTES_PER_VALUE = 4  # float32


class Row(TypedDict):
    """One layer: `output_shape` without the batch axis, `kernel` as "3×3 / 2" (size / stride).

    `receptive_field` is how many input pixels, in height, one output value depends on, padding included;
    `receptive_stride` how many pixels lie between neighbouring values; `activation_bytes` what the output of one image
    takes as float32.
    """

    name: str
    type: str
    module: str
    output_shape: list[int]
    kernel: str
    parameters: int
    trainable: int
    non_trainable: int
    multiply_adds: int
    receptive_field: int
    receptive_stride: int
    activation_bytes: int


class NetworkTotals(TypedDict):
    """Sums over all layers; `weight_bytes` at four bytes a weight."""

    parameters: int
    trainable: int
    non_trainable: int
    multiply_adds: int
    weight_bytes: int


def kernel_text(node: Node) -> str:
    """Window and stride, "3×3 / 1", of the layers that have one."""
    return node.layer.window(*node.input_shapes).text if node.layer.has_window else ""


def rows(network: Network) -> list[Row]:
    fields = receptive_fields(network)
    return [
        Row(
            name=node.name,
            type=node.layer.type,
            module=node.module,
            output_shape=list(node.output_shape),
            kernel=kernel_text(node),
            parameters=node.parameters,
            trainable=node.trainable,
            non_trainable=node.non_trainable,
            multiply_adds=node.multiply_adds,
            receptive_field=fields[node.name][0],
            receptive_stride=fields[node.name][1],
            activation_bytes=prod(node.output_shape) * BYTES_PER_VALUE,
        )
        for node in network.layers
    ]


class ReceptiveField(NamedTuple):
    """Along one axis of the input, in pixels: how many a value depends on, how far those of neighbouring values lie
    apart, and where that of the first value begins; negative where it begins in the padding."""

    size: int
    stride: int
    start: int


def receptive_fields(network: Network) -> dict[str, tuple[int, int]]:
    """Receptive field and stride, in input pixels in height, by layer."""
    return {name: (field.size, field.stride) for name, field in receptive_fields_along(network, 0).items()}


def receptive_fields_along(network: Network, axis: Literal[0, 1]) -> dict[str, ReceptiveField]:
    """The receptive field of each layer in height (axis 0) or width (axis 1).

    A window of k with stride s on a map of field r and stride j gives r + (k - 1) j and j s, and begins j p before
    where p is its padding (Araujo, Norris and Sim, "Computing Receptive Fields of Convolutional Neural Networks",
    Distill 2019). A layer that reads the whole map is a window as large as the map; of several inputs the largest field
    counts, and the first beginning.
    """
    fields: dict[str, ReceptiveField] = {}
    for node in network.layers:
        if not node.inputs:
            fields[node.name] = ReceptiveField(1, 1, 0)
            continue
        read = [fields[name] for name in node.inputs]
        jump = max(field.stride for field in read)
        shapes = node.input_shapes if axis == 0 else tuple(map(turned, node.input_shapes))
        kernel, stride = node.layer.window(*shapes)
        fields[node.name] = ReceptiveField(
            size=max(field.size for field in read) + (kernel - 1) * jump,
            stride=jump * stride,
            start=min(field.start for field in read) - node.layer.border(*node.input_shapes)[axis] * jump,
        )
    return fields


def turned(shape: Shape) -> Shape:
    """Maps with height and width exchanged."""
    return (shape[1], shape[0], *shape[2:]) if len(shape) == 3 else shape


class ActivationMemory(TypedDict):
    """Bytes of activations for one image, float32.

    `training` is every layer's output, kept for the backward pass. `inference` is the most that is alive at once when
    the layers run in their order and an output is dropped after its last use.
    """

    training: int
    inference: int


def activation_memory(network: Network) -> ActivationMemory:
    sizes = {node.name: prod(node.output_shape) * BYTES_PER_VALUE for node in network.layers}
    last_use = {name: step for step, node in enumerate(network.layers) for name in (node.name, *node.inputs)}
    last_use |= dict.fromkeys(network.outputs, len(network.layers))
    alive, peak = 0, 0
    for step, node in enumerate(network.layers):
        alive += sizes[node.name]
        peak = max(peak, alive)
        alive -= sum(sizes[name] for name in {node.name, *node.inputs} if last_use[name] == step)
    return ActivationMemory(training=sum(sizes.values()), inference=peak)


def weight_layers(network: Network) -> int:
    """Depth as the papers count it: the convolutions and dense layers on the longest way from input to main output."""
    depth: dict[str, int] = {}
    for node in network.layers:
        depth[node.name] = max((depth[name] for name in node.inputs), default=0) + node.layer.weighted
    return depth[network.outputs[0]]


def totals(network: Network) -> NetworkTotals:
    return NetworkTotals(
        parameters=network.parameters,
        trainable=network.trainable,
        non_trainable=network.non_trainable,
        multiply_adds=network.multiply_adds,
        weight_bytes=network.parameters * BYTES_PER_VALUE,
    )


def table_json(network: Network) -> dict[str, Any]:
    return {"architecture": network.name, "rows": rows(network), "totals": totals(network)}


def table_csv(network: Network) -> str:
    """The rows as CSV with a header line; shapes as 32×32×64."""
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=list(Row.__annotations__), lineterminator="\n")
    writer.writeheader()
    for row in rows(network):
        line = {**row, "output_shape": shape_text(tuple(row["output_shape"]))}
        writer.writerow({name: cell(value) for name, value in line.items()})
    return out.getvalue()
