"""A network by the modules of its paper: block1, inception_3a, classifier."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from itertools import groupby
from typing import TypedDict

from cnnlab.network import Network, Node, analysis

MOST_CONTENTS = 8
"""Entries in a table."""
WIDTH = re.compile(r", | / ")
"""What stands between a layer's kind and its width or stride, in its summary."""


def modules(network: Network) -> list[tuple[str, list[Node]]]:
    """The layers by module, in the order drawn; a module may go on after another that it leads through."""
    found: dict[str, list[Node]] = {}
    for node in network.layers:
        found.setdefault(node.module, []).append(node)
    return list(found.items())


def contents(nodes: Iterable[Node], most: int) -> list[str]:
    """What a module computes, equal neighbours counted: "2 × 3×3 conv, 64".

    What would be more than `most` entries is counted wherever it stands, and then without widths: "9 × 1×1 conv".
    """
    telling = [node.layer.summary for node in nodes if node.layer.summary]
    counted = [(text, len(list(same))) for text, same in groupby(telling)]
    if len(counted) > most:
        counted = list(Counter(telling).items())
    if len(counted) > most:
        counted = list(Counter(WIDTH.split(text)[0] for text in telling).items())
    return [f"{count} × {text}" if count > 1 else text for text, count in counted]


class ModuleRow(TypedDict):
    """A module as a paper's table has it: the output of its last layer, the sums over all of its layers."""

    name: str
    contents: str
    output_shape: list[int]
    parameters: int
    multiply_adds: int
    receptive_field: int
    receptive_stride: int
    activation_bytes: int


def module_rows(network: Network) -> list[ModuleRow]:
    layers = {row["name"]: row for row in analysis.rows(network)}
    found = []
    for module, nodes in modules(network):
        inside = [layers[node.name] for node in nodes]
        found.append(
            ModuleRow(
                name=module,
                contents=", ".join(contents(nodes, MOST_CONTENTS)),
                output_shape=inside[-1]["output_shape"],
                parameters=sum(row["parameters"] for row in inside),
                multiply_adds=sum(row["multiply_adds"] for row in inside),
                receptive_field=inside[-1]["receptive_field"],
                receptive_stride=inside[-1]["receptive_stride"],
                activation_bytes=sum(row["activation_bytes"] for row in inside),
            )
        )
    return found
