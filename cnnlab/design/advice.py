"""What could be better about a network: each with a reason, a number, and where it can, the network after it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

from cnnlab import units
from cnnlab.design.blocks import Reduction, fragment_of, manner_of
from cnnlab.design.edits import change, insert, remove
from cnnlab.design.sketch import Sketch
from cnnlab.errors import UserError
from cnnlab.network import Network, Node, analysis
from cnnlab.network.layers import (
    Activation,
    BatchNormalization,
    Conv2D,
    Dense,
    Flatten,
    GlobalAveragePooling2D,
)
from cnnlab.network.paths import last_map_node

LEAST_SHARE = 0.05
"""Of all multiply-adds: what a reduction must save to be worth a word."""
MOST_IN_ONE = 0.5
"""Of all parameters: what one layer may hold without a word."""


@dataclass(frozen=True)
class Advice:
    """`layer` is where, `text` what and why; `deed` names what `better` is, the network once that is done."""

    layer: str
    text: str
    deed: str = ""
    better: Network | None = None


def advice(network: Network) -> list[Advice]:
    """All that is to be said, the parts of the network in their order of weight."""
    found: list[Advice] = []
    for ask in (whole_image, large_dense, reduction, costly_bottlenecks, empty_windows, idle_biases):
        with suppress(UserError):  # what cannot be changed so is no advice
            found += ask(network)
    return found


def whole_image(network: Network) -> Iterator[Advice]:
    """The receptive field of the last maps against the image."""
    end = last_map_node(network)
    source = end.inputs[0]
    size, _ = analysis.receptive_fields(network)[source]
    height = network.input_shape[0]
    if size < height:
        yield Advice(
            source,
            f"The receptive field does not reach the image: one value of {source} depends on {size}×{size} of "
            f"{height}×{height} pixels. More layers, larger windows or an earlier stride would widen it.",
        )


def large_dense(network: Network) -> Iterator[Advice]:
    """A dense layer that reads flattened maps and holds most of the parameters."""
    for node in network.layers:
        if not isinstance(node.layer, Dense) or node.parameters <= MOST_IN_ONE * network.parameters:
            continue
        before = network[node.inputs[0]]
        while not isinstance(before.layer, Flatten) and before.inputs and not before.parameters:
            before = network[before.inputs[0]]
        if not isinstance(before.layer, Flatten) or len(before.input_shapes[0]) != 3:
            continue
        sketch = Sketch.of(network)
        pooled = sketch.with_layers(
            replace(one, layer=GlobalAveragePooling2D()) if one.name == before.name else one for one in sketch.layers
        ).built()
        saved = network.parameters - pooled.parameters
        yield Advice(
            node.name,
            f"{node.name} holds {node.parameters / network.parameters:.0%} of the parameters. Global average pooling "
            f"instead of {before.name} would save {units.count(saved)} of them (Lin et al., 2014, section 3.2).",
            "Pool globally",
            pooled,
        )


def reduction(network: Network) -> Iterator[Advice]:
    """The one convolution before which a 1x1 reduction would save most."""
    best: tuple[int, str, int, Network] | None = None
    manner = manner_of(network)
    wide = sorted(
        (node for node in network.layers if isinstance(node.layer, Conv2D) and node.layer.kernel > 1),
        key=lambda node: -node.multiply_adds,
    )
    for node in wide[:3]:
        channels = node.input_shapes[0][-1]
        filters = max(channels // 4, 1)
        if channels < 32 or is_reduced(network, node):
            continue
        fragment = fragment_of(Reduction(filters), node.input_shapes[0], manner, f"{node.name}_reduce")
        made = insert(network, [node.name], fragment, "before")
        saved = network.multiply_adds - made.multiply_adds
        if best is None or saved > best[0]:
            best = saved, node.name, filters, made
    if best and best[0] >= LEAST_SHARE * network.multiply_adds:
        saved, name, filters, made = best
        yield Advice(
            name,
            f"A 1×1 convolution with {filters} filters before {name} would save {units.short(saved)} of "
            f"{units.short(network.multiply_adds)} multiply-adds and "
            f"{units.count(network.parameters - made.parameters)} parameters (Szegedy et al., 2015, section 4).",
            "Reduce here",
            made,
        )


def is_reduced(network: Network, node: Node) -> bool:
    """Whether a 1x1 convolution stands before it, with nothing but normalization and activation between."""
    return reducer_of(network, node) is not None


def reducer_of(network: Network, node: Node) -> Node | None:
    before = network[node.inputs[0]]
    while isinstance(before.layer, BatchNormalization | Activation):
        before = network[before.inputs[0]]
    narrow = isinstance(before.layer, Conv2D) and before.layer.kernel == 1 and before.layer.stride == 1
    return before if narrow else None


def costly_bottlenecks(network: Network) -> Iterator[Advice]:
    """1x1 convolutions before a larger one that cost more than they save: wider than their break-even."""
    readers: dict[str, list[str]] = {}
    for node in network.layers:
        for name in node.inputs:
            readers.setdefault(name, []).append(node.name)
    for node in network.layers:
        if not isinstance(node.layer, Conv2D) or node.layer.kernel == 1:
            continue
        reducer = reducer_of(network, node)
        if reducer is None:
            continue
        between, name = [], node.inputs[0]
        while name != reducer.name:
            between.append(name)
            name = network[name].inputs[0]
        if any(len(readers[one]) > 1 for one in (*between, reducer.name)):
            continue
        channels, area = reducer.input_shapes[0][-1], node.layer.kernel**2
        inner = reducer.output_shape[0] * reducer.output_shape[1]
        outer = node.output_shape[0] * node.output_shape[1]
        filters = node.output_shape[-1]
        most = outer * area * channels * filters / (inner * channels + outer * area * filters)
        if reducer.output_shape[-1] < most:
            continue
        made = remove(network, [reducer.name, *between])
        if made.multiply_adds < network.multiply_adds:
            yield Advice(
                reducer.name,
                f"{reducer.name} is wider than its break-even: {reducer.output_shape[-1]} filters before {node.name}, "
                f"where fewer than {most:.0f} would save multiply-adds. Without it the network costs "
                f"{units.short(network.multiply_adds - made.multiply_adds)} fewer.",
                "Take it out",
                made,
            )


def empty_windows(network: Network) -> Iterator[Advice]:
    """Windows larger than the maps that they slide over."""
    for node in network.layers:
        kernel = getattr(node.layer, "kernel", 1)
        if kernel > 1 and node.input_shapes and node.input_shapes[0][:2] == (1, 1):
            yield Advice(
                node.name,
                f"{node.name} reads maps of 1×1 through a window of {kernel}×{kernel}: {kernel**2 - 1} of each "
                f"kernel's {kernel**2} places only ever see zeros. Stride less before it, or take a larger input.",
            )
            return


def idle_biases(network: Network) -> Iterator[Advice]:
    """Biases right before batch normalization, which takes them away again (Ioffe and Szegedy, 2015, section 3.2)."""
    readers: dict[str, list[Node]] = {}
    for node in network.layers:
        for name in node.inputs:
            readers.setdefault(name, []).append(node)
    names = [
        node.name
        for node in network.layers
        if isinstance(node.layer, Conv2D | Dense)
        and node.layer.use_bias
        and node.layer.activation == "linear"
        and node.name not in network.outputs
        and all(isinstance(one.layer, BatchNormalization) for one in readers[node.name])
    ]
    if names:
        made = change(network, names, {"use_bias": False})
        yield Advice(
            names[0],
            f"{len(names)} layers have biases that batch normalization takes away again; without them there are "
            f"{units.count(network.parameters - made.parameters)} fewer parameters (Ioffe and Szegedy, 2015, "
            "section 3.2).",
            "Drop these biases",
            made,
        )
