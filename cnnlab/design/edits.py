"""Edits of a network: each takes one and returns a new one, or says in one sentence where and why that cannot be.

Layers are meant by their names; a module is the set of its layers' names, `layers_of`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, Literal

from cnnlab.design.fragment import Fragment, ends_of, extracted
from cnnlab.design.sketch import LooseLayer, Sketch, check_name, fresh, readers_of, reading
from cnnlab.errors import UserError
from cnnlab.network import Network
from cnnlab.network.layers import Add, BatchNormalization, Concatenate, Conv2D, InputLayer, shape_text
from cnnlab.network.record import LayerRecord, read_layer

Place = Literal["after", "before"]
Join = Literal["Concatenate", "Add"]
JOINS: dict[Join, Concatenate | Add] = {"Concatenate": Concatenate(), "Add": Add()}


def layers_of(network: Network, module: str) -> tuple[str, ...]:
    """The names of a module's layers; UserError where there is no such module."""
    found = tuple(node.name for node in network.layers if node.module == module)
    if not found:
        raise UserError(f"{network.name} has no module {module!r}.")
    return found


def known(network: Network, names: Collection[str]) -> tuple[str, ...]:
    """These layers in the network's order; UserError where one is not there."""
    there = {node.name for node in network.layers}
    if missing := [name for name in names if name not in there]:
        raise UserError(f"{network.name} has no layer {missing[0]!r}.")
    return tuple(node.name for node in network.layers if node.name in set(names))


def insert(network: Network, names: Collection[str], fragment: Fragment, place: Place = "after") -> Network:
    """A fragment behind these layers, read by all that read them; or before them, read by them alone."""
    sketch = Sketch.of(network)
    names = known(network, names)
    if place == "after":
        return put_behind(sketch, end_of(sketch, names), fragment).built()
    source, _ = ends_of(sketch, names)
    piece = fragment.renamed(sketch)
    layers = reading(sketch.layers, {source: piece.end}, names)
    at = min(number for number, one in enumerate(layers) if one.name in names)
    return sketch.with_layers([*layers[:at], *piece.behind(source), *layers[at:]]).built()


def end_of(sketch: Sketch, names: Collection[str]) -> str:
    """The one of these layers whose values leave; the input is one too."""
    if len(names) == 1:
        return next(iter(names))
    return ends_of(sketch, names)[1]


def put_behind(sketch: Sketch, source: str, fragment: Fragment) -> Sketch:
    """A fragment behind a layer; whatever read the layer reads the fragment's end."""
    piece = fragment.renamed(sketch)
    layers = reading(sketch.layers, {source: piece.end})
    at = 1 + next(number for number, one in enumerate(layers) if one.name == source)
    outputs = [piece.end if name == source else name for name in sketch.outputs]
    return sketch.with_layers([*layers[:at], *piece.behind(source), *layers[at:]], outputs)


def beside(network: Network, names: Collection[str], fragment: Fragment, join: Join = "Concatenate") -> Network:
    """A fragment as one more branch beside these layers: it reads what they read, and a join takes both.

    A join of that kind that alone reads these layers takes the branch too; else a new one is made.
    """
    sketch = Sketch.of(network)
    names = known(network, names)
    source, end = ends_of(sketch, names)
    piece = fragment.renamed(sketch)
    at = 1 + max(number for number, one in enumerate(sketch.layers) if one.name in names)
    layers = [*sketch.layers[:at], *piece.behind(source), *sketch.layers[at:]]
    return joined(sketch.with_layers(layers), end, piece.end, join).built()


def joined(sketch: Sketch, end: str, other: str, join: Join) -> Sketch:
    """Both layers joined: by the join that alone reads the first, or by a new one behind the later of them."""
    kind = JOINS[join]
    by_name = {one.name: one for one in sketch.layers}
    readers = readers_of(sketch.layers).get(end, [])
    if len(readers) == 1 and end not in sketch.outputs and by_name[readers[0]].layer == kind:
        wider = replace(by_name[readers[0]], inputs=(*by_name[readers[0]].inputs, other))
        return sketch.with_layers(wider if one.name == wider.name else one for one in sketch.layers)
    module = by_name[end].module
    word = "concat" if join == "Concatenate" else "add"
    name = fresh(f"{module}_{word}", by_name)
    layers = reading(sketch.layers, {end: name}, set(readers))
    at = 1 + max(number for number, one in enumerate(layers) if one.name in (end, other))
    outputs = [name if one == end else one for one in sketch.outputs]
    return sketch.with_layers([*layers[:at], LooseLayer(name, kind, (end, other), module), *layers[at:]], outputs)


def shortcut(network: Network, names: Collection[str]) -> Network:
    """A residual connection around these layers (He et al., 2016): their input is added to what they give.

    Where the shapes differ, a 1x1 convolution with batch normalization fits the input to it, their projection.
    """
    sketch = Sketch.of(network)
    names = known(network, names)
    source, end = ends_of(sketch, names)
    before, after = network[source].output_shape, network[end].output_shape
    if before == after:
        return joined(sketch, end, source, "Add").built()
    if len(before) != 3 or len(after) != 3 or before[0] < after[0]:
        raise UserError(
            f"{source} gives {shape_text(before)} and {end} gives {shape_text(after)}: no convolution fits the one to "
            "the other, so there is no shortcut around them."
        )
    stride = -(-before[0] // after[0])
    module = network[end].module
    taken = {node.name for node in network.layers}
    conv, norm = fresh(f"{module}_projection", taken), fresh(f"{module}_projection_bn", taken)
    layers = (
        LooseLayer(conv, Conv2D(after[-1], 1, stride, use_bias=False), (source,), module),
        LooseLayer(norm, BatchNormalization(), (conv,), module),
    )
    at = 1 + max(number for number, one in enumerate(sketch.layers) if one.name in names)
    wider = sketch.with_layers([*sketch.layers[:at], *layers, *sketch.layers[at:]])
    return joined(wider, end, norm, "Add").built()


def remove(network: Network, names: Collection[str]) -> Network:
    """The network without these layers: what read them reads what they read.

    A branch that is gone as a whole leaves its join, and a join that is left with one branch falls away.
    """
    return removed(Sketch.of(network), known(network, names)).built()


def removed(sketch: Sketch, names: Collection[str]) -> Sketch:
    gone = set(names)
    if any(one.name in gone and isinstance(one.layer, InputLayer) for one in sketch.layers):
        raise UserError("The input cannot be taken out; change its size instead.")
    instead: dict[str, tuple[str, ...]] = {}

    def sources(inputs: Sequence[str]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(source for name in inputs for source in instead.get(name, (name,))))

    for one in sketch.layers:
        if one.name in gone:
            instead[one.name] = sources(one.inputs)
    kept = [one for one in sketch.layers if one.name not in gone]
    forks = {
        source
        for one in kept
        for name in one.inputs
        if name not in gone or not one.layer.joins
        for source in instead.get(name, (name,))
    }
    left: list[LooseLayer] = []
    for one in kept:
        if one.layer.joins and gone.intersection(one.inputs):
            # Of its branches those that are gone as a whole end at a fork, which other layers read too.
            branches = [
                source for name in one.inputs for source in sources([name]) if name not in gone or source not in forks
            ]
            read = tuple(dict.fromkeys(branches)) or sources(one.inputs)
            if len(read) == 1:
                instead |= {
                    name: tuple(read[0] if old == one.name else old for old in olds) for name, olds in instead.items()
                }
                instead[one.name] = read
                continue
        else:
            read = tuple(source for name in one.inputs for source in instead.get(name, (name,)))
        left.append(replace(one, inputs=read))
    return sketch.with_layers(left, outputs_left(sketch, left, instead))


def outputs_left(sketch: Sketch, kept: Sequence[LooseLayer], instead: Mapping[str, tuple[str, ...]]) -> list[str]:
    """The outputs once layers are gone; one that is gone with all that led to it alone is none any more."""
    readers = readers_of(kept)
    left = []
    for number, output in enumerate(sketch.outputs):
        sources = instead.get(output, (output,))
        if len(sources) != 1 or (output in instead and (sources[0] in readers or sources[0] in sketch.outputs)):
            if number == 0:
                raise UserError(f"{output} is what the network gives; without it nothing would lead to an output.")
            continue
        left.append(sources[0])
    return left


def duplicate(network: Network, names: Collection[str]) -> Network:
    """These layers once more, behind themselves, under new names."""
    sketch = Sketch.of(network)
    piece = extracted(sketch, known(network, names))
    return put_behind(sketch, piece.end, piece).built()


def move(network: Network, names: Collection[str], after: str) -> Network:
    """These layers taken out where they stand and put behind another layer."""
    sketch = Sketch.of(network)
    names = known(network, names)
    known(network, [after])
    if after in names:
        raise UserError(f"{after} is among what is to be moved; choose a layer outside it.")
    piece = extracted(sketch, names)
    left = removed(sketch, names)
    if after not in {one.name for one in left.layers}:
        raise UserError(f"{after} falls away with what is moved; choose another place.")
    return put_behind(left, after, piece).built()


def reconnect(network: Network, name: str, inputs: Sequence[str], prune: bool = False) -> Network:
    """A layer that reads others; where `prune`, what then leads to no output is taken out."""
    sketch = Sketch.of(network)
    known(network, [name, *inputs])
    layers = (replace(one, inputs=tuple(inputs)) if one.name == name else one for one in sketch.layers)
    changed = sketch.with_layers(layers)
    return (changed.without_idle() if prune else changed).built()


def change(network: Network, names: Collection[str], settings: Mapping[str, Any]) -> Network:
    """These layers with other settings; UserError, naming the layer, where one does not have or accept them."""
    chosen = set(known(network, names))

    def changed(one: LooseLayer) -> LooseLayer:
        if one.name not in chosen:
            return one
        record = LayerRecord(
            name=one.name, type=one.layer.type, settings={**asdict(one.layer), **settings}, inputs=one.inputs
        )
        return replace(one, layer=read_layer(record))

    sketch = Sketch.of(network)
    return sketch.with_layers(changed(one) for one in sketch.layers).built()


def resize_input(network: Network, side: int) -> Network:
    """The network for square images of another size."""
    begin = network.layers[0]
    return change(network, [begin.name], {"shape": [side, side, *begin.output_shape[2:]]})


def rename_layer(network: Network, name: str, new: str) -> Network:
    sketch = Sketch.of(network)
    known(network, [name])
    check_name(new)
    layers = (replace(one, name=new if one.name == name else one.name) for one in sketch.layers)
    outputs = [new if one == name else one for one in sketch.outputs]
    return sketch.with_layers(reading(layers, {name: new}), outputs).built()


def group(network: Network, names: Collection[str], module: str) -> Network:
    """These layers as a module of that name, which tables and pictures show as one."""
    chosen = set(known(network, names))
    check_name(module, "A module")
    sketch = Sketch.of(network)
    return sketch.with_layers(
        replace(one, module=module) if one.name in chosen else one for one in sketch.layers
    ).built()


def rename(network: Network, name: str) -> Network:
    return replace(network, name=check_name(name, "A network"))


def shift(network: Network, names: Collection[str], step: Literal[-1, 1]) -> Network:
    """These layers a place earlier or later: past the module next to them, or the layer where they are within one."""
    sketch = Sketch.of(network)
    names = known(network, names)
    source, end = ends_of(sketch, names)
    modules = {network[name].module for name in names}
    within = len(modules) == 1 and len(names) < len(layers_of(network, next(iter(modules))))

    def part(name: str) -> tuple[str, ...]:
        return (name,) if within else layers_of(network, network[name].module)

    if step < 0:
        if not network[source].inputs:
            raise UserError(f"{names[0]} comes right behind the input; there is nothing to move it past.")
        return move(network, names, ends_of(sketch, part(source))[0])
    readers = readers_of(sketch.layers).get(end, [])
    if not readers:
        raise UserError(f"{end} is what the network gives; there is nothing to move it past.")
    return move(network, names, end_of(sketch, part(readers[0])))
