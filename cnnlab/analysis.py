"""What a network amounts to: one row per layer, totals, and the same as text, CSV and JSON."""

from __future__ import annotations

import csv
import io
from typing import Any, TypedDict

from cnnlab.layers import Conv2D, MaxPooling2D, shape_text
from cnnlab.network import Network, Node

BYTES_PER_WEIGHT = 4  # float32


class Row(TypedDict):
    """One layer: `output_shape` without the batch axis, `kernel` as "3×3 / 2" (size / stride)."""

    name: str
    type: str
    module: str
    output_shape: list[int]
    kernel: str
    parameters: int
    trainable: int
    non_trainable: int
    multiply_adds: int


class Totals(TypedDict):
    """Sums over all layers; `weight_bytes` at four bytes a weight."""

    parameters: int
    trainable: int
    non_trainable: int
    multiply_adds: int
    weight_bytes: int


def kernel_text(node: Node) -> str:
    """Window and stride, "3×3 / 1", of the layers that have one."""
    match node.layer:
        case Conv2D(kernel=kernel, stride=stride) | MaxPooling2D(kernel=kernel, stride=stride):
            return f"{kernel}×{kernel} / {stride}"
        case _:
            return ""


def rows(network: Network) -> list[Row]:
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
        )
        for node in network.layers
    ]


def totals(network: Network) -> Totals:
    return Totals(
        parameters=network.parameters,
        trainable=network.trainable,
        non_trainable=network.non_trainable,
        multiply_adds=network.multiply_adds,
        weight_bytes=network.parameters * BYTES_PER_WEIGHT,
    )


def table_json(network: Network) -> dict[str, Any]:
    return {"architecture": network.name, "rows": rows(network), "totals": totals(network)}


def table_csv(network: Network) -> str:
    """The rows as CSV with a header line; shapes as 32×32×64."""
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=list(Row.__annotations__), lineterminator="\n")
    writer.writeheader()
    for row in rows(network):
        writer.writerow({**row, "output_shape": shape_text(tuple(row["output_shape"]))})
    return out.getvalue()
