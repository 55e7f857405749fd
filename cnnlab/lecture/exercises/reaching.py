"""Receptive fields behind a stack or in a network, and the depth of a join."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from cnnlab.lecture.course.block import Drawn, title_of
from cnnlab.lecture.course.language import Fact
from cnnlab.lecture.exercises.counting import Pooling
from cnnlab.lecture.exercises.question import Question, Reason, distinct
from cnnlab.network import Builder, Node
from cnnlab.network.analysis import receptive_fields
from cnnlab.network.layers import Concatenate, Conv2D, Shape


def field(drawn: Drawn) -> Question:
    """How many pixels of the image a value depends on, in height: behind a stack of windows, or in a network."""
    if drawn.has("network"):
        network = drawn.network()
        name = drawn.layer(network)
        path = network.layers[: [node.name for node in network.layers].index(name) + 1]
        windows = [node.layer.window(*node.input_shapes) for node in path if node.layer.has_window]
        size = receptive_fields(network)[name][0]
        asks, facts = "field_network", {"network": title_of(network), "layer": name}
    else:
        line, value = drawn.one("windows")
        windows_read = [one.split("/") for one in value.split()]
        if not all(part.isdigit() for one in windows_read for part in one):
            raise drawn.block.error(f"windows is {value!r}; it takes sizes as in 3 3 3/2", line)
        build = Builder("exercise")
        x = build.input((256, 256, 3))
        for place, one in enumerate(windows_read):
            x = build.conv(x, 1, int(one[0]), stride=int(one[1]) if len(one) > 1 else 1, name=f"layer{place}")
        network = build.build(x)
        windows = [node.layer.window(*node.input_shapes) for node in network.layers[1:]]
        size = receptive_fields(network)[x.name][0]
        asks, facts = "field_stack", {"windows": ", ".join(one.text for one in windows)}
    steps, jump, reached = [], 1, 1
    for kernel, stride in windows:
        reached += (kernel - 1) * jump
        steps.append(f"+ {kernel - 1}·{jump}")
        jump *= stride
    sizes = [kernel for kernel, _ in windows]
    reasons = [
        Reason(sum(sizes), "fields_overlap"),
        Reason(prod(sizes), "fields_add"),
        Reason(1 + sum(size - 1 for size in sizes), "forgot_stride_field"),
        Reason(size - 1, "field_begins_at_one"),
        Reason(size + 1, "field_begins_at_one"),
        Reason(sizes[-1], "last_window"),
        *([Reason(network.input_shape[0], "whole_image")] if asks == "field_network" else []),
    ]
    all_facts: dict[str, Fact] = {**facts, "answer": size, "steps": " ".join(["1", *short(steps)])}
    return Question("number", asks, "field", all_facts, size, distinct(size, reasons))


def short(steps: Sequence[str]) -> list[str]:
    """Steps that count, at most twelve of them."""
    telling = [step for step in steps if not step.startswith("+ 0")]
    return telling if len(telling) <= 12 else [*telling[:10], "+ …", telling[-1]]


def depth(drawn: Drawn) -> Question:
    """How many maps come out of a module whose branches are joined."""
    network = drawn.network()
    line, module = drawn.one("module")
    nodes = [node for node in network.layers if node.module == module]
    join = next((node for node in reversed(nodes) if isinstance(node.layer, Concatenate)), None)
    if join is None:
        raise drawn.block.error(f"{network.name} has no module {module!r} that joins branches", line)
    branches = [shape[-1] for shape in join.input_shapes]
    inside = {node.name for node in nodes}
    given = next(shape for node in nodes for name, shape in pairs(node) if name not in inside)
    convolutions = [node.layer.filters for node in nodes if isinstance(node.layer, Conv2D)]
    made = join.output_shape[-1]
    pooled = [shape[-1] for name, shape in pairs(join) if is_pooled(network[name])]
    captions = "; ".join(node.layer.caption for node in nodes if node.layer.summary)
    reasons = [
        *[Reason(made - one, "forgot_pool_branch") for one in pooled],
        Reason(sum(convolutions), "reduces_stay_inside"),
        Reason(max(branches), "branches_are_joined"),
        Reason(given[-1], "depth_changes"),
        Reason(prod(branches), "joined_not_multiplied"),
        *[Reason(made - one, "forgot_branch", {"branch": one}) for one in branches],
        *[Reason(made - one + max(1, one // 2), "pooling_keeps_depth") for one in pooled],
    ]
    facts: dict[str, Fact] = {
        "network": title_of(network),
        "module": module,
        "input": given,
        "contents": captions,
        "sum": " + ".join(str(one) for one in branches),
        "answer": made,
        "channels": given[-1],
    }
    return Question("number", "depth", "depth", facts, made, distinct(made, reasons))


def pairs(node: Node) -> list[tuple[str, Shape]]:
    """What flows into it, with its shapes."""
    return list(zip(node.inputs, node.input_shapes, strict=True))


def is_pooled(node: Node) -> bool:
    return isinstance(node.layer, Pooling)
