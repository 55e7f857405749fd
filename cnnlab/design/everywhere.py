"""Edits of many layers at once: of a whole network, or of those that are named."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Literal

from cnnlab.design.edits import remove
from cnnlab.design.sketch import LooseLayer, Sketch, readers_of
from cnnlab.errors import UserError
from cnnlab.network import Network
from cnnlab.network.layers import Activation, BatchNormalization, Conv2D, Dense, DepthwiseConv2D

NormalizationPlace = Literal["conv-bn-act", "conv-act-bn"]
LEAST_FACTOR, MOST_FACTOR = 0.01, 16.0


def chosen_of(network: Network, names: Collection[str] | None) -> set[str]:
    return {node.name for node in network.layers} if names is None else set(names)


def replace_activation(network: Network, new: Literal["relu", "elu"], names: Collection[str] | None = None) -> Network:
    """Every ReLU as ELU (Clevert et al., 2016), or the other way round; also those within convolutions and dense
    layers. A softmax stays."""
    old = "relu" if new == "elu" else "elu"
    chosen = chosen_of(network, names)
    sketch = Sketch.of(network)
    changed = [
        replace(one, layer=replace(one.layer, activation=new))
        if one.name in chosen
        and isinstance(one.layer, Activation | Conv2D | DepthwiseConv2D | Dense)
        and one.layer.activation == old
        else one
        for one in sketch.layers
    ]
    if changed == list(sketch.layers):
        raise UserError(f"No layer there has the activation {old}.")
    return sketch.with_layers(changed).built()


def order_normalization(network: Network, order: NormalizationPlace, names: Collection[str] | None = None) -> Network:
    """Every CONV, BN, ACT as CONV, ACT, BN, or the other way round: pairs of which one alone reads the other."""
    chosen = chosen_of(network, names)
    sketch = Sketch.of(network)
    by_name = {one.name: one for one in sketch.layers}
    readers = readers_of(sketch.layers)
    first, second = (BatchNormalization, Activation) if order == "conv-act-bn" else (Activation, BatchNormalization)
    swapped: dict[str, str] = {}
    for one in sketch.layers:
        if not isinstance(one.layer, first) or not {one.name} <= chosen or one.name in sketch.outputs:
            continue
        read = readers.get(one.name, [])
        if len(read) != 1 or not isinstance(by_name[read[0]].layer, second) or read[0] in sketch.outputs:
            continue
        if isinstance(by_name[one.inputs[0]].layer, Conv2D | DepthwiseConv2D | Dense):
            swapped[one.name] = read[0]
    if not swapped:
        there = "CONV, BN, ACT" if order == "conv-act-bn" else "CONV, ACT, BN"
        raise UserError(f"Nothing there is a {there} whose layers one alone reads.")
    return sketch.with_layers(exchanged(sketch, swapped)).built()


def exchanged(sketch: Sketch, pairs: dict[str, str]) -> list[LooseLayer]:
    """Each pair the other way round, of which the second alone reads the first."""
    by_name = {one.name: one for one in sketch.layers}
    before = {second: first for first, second in pairs.items()}
    made = []
    for one in sketch.layers:
        if one.name in pairs:
            other = by_name[pairs[one.name]]
            made.append(replace(other, inputs=one.inputs))
        elif one.name in before:
            made.append(replace(by_name[before[one.name]], inputs=(one.name,)))
        else:
            made.append(replace(one, inputs=tuple(before.get(name, name) for name in one.inputs)))
    return made


def scale_filters(network: Network, factor: float, names: Collection[str] | None = None) -> Network:
    """So many times the filters in every convolution and units in every dense layer, at least one each.

    What an output gives, one value for each class, stays.
    """
    if not LEAST_FACTOR <= factor <= MOST_FACTOR:
        raise UserError(f"Filters times {factor:g}: choose from {LEAST_FACTOR:g} to {MOST_FACTOR:g}.")
    chosen = chosen_of(network, names) - class_layers(network)
    sketch = Sketch.of(network)

    def scaled(one: LooseLayer) -> LooseLayer:
        if one.name not in chosen:
            return one
        if isinstance(one.layer, Conv2D):
            return replace(one, layer=replace(one.layer, filters=max(1, round(one.layer.filters * factor))))
        if isinstance(one.layer, Dense):
            return replace(one, layer=replace(one.layer, units=max(1, round(one.layer.units * factor))))
        return one

    changed = [scaled(one) for one in sketch.layers]
    if changed == list(sketch.layers):
        raise UserError("No layer there has filters or units to change; what gives the classes stays.")
    return sketch.with_layers(changed).built()


def class_layers(network: Network) -> set[str]:
    """The layers whose filters or units are an output's classes: the last of its way with weights."""
    found = set()
    for output in network.outputs:
        waiting = [output]
        while waiting:
            node = network[waiting.pop()]
            if isinstance(node.layer, Conv2D | Dense):
                found.add(node.name)
            else:
                waiting += node.inputs
    return found


def without_kind(network: Network, kind: type, names: Collection[str] | None = None) -> Network:
    """The network without its layers of a kind: all dropout, all batch normalization."""
    chosen = chosen_of(network, names)
    gone = [node.name for node in network.layers if isinstance(node.layer, kind) and node.name in chosen]
    if not gone:
        raise UserError(f"No layer there is of the kind {kind.__name__}.")
    return remove(network, gone)
