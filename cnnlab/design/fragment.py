"""A piece of a network that can be put in somewhere: layers with one way in and one way out."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from cnnlab.design.sketch import LooseLayer, Sketch, fresh, readers_of
from cnnlab.errors import UserError
from cnnlab.network import Network
from cnnlab.network.layers import InputLayer

SOURCE = ""
"""What stands in a fragment for the layer that it will be put behind."""


@dataclass(frozen=True)
class Fragment:
    """Layers that read each other or `SOURCE`; what flows out is what `end` gives."""

    layers: tuple[LooseLayer, ...]
    end: str

    def renamed(self, sketch: Sketch) -> Fragment:
        """With names that a sketch does not have yet: a module and its layers change theirs together."""
        taken = {one.name for one in sketch.layers}
        modules = {one.module for one in sketch.layers}
        new_module: dict[str, str] = {}
        for one in self.layers:
            if one.module not in new_module:
                new_module[one.module] = fresh(one.module, modules | set(new_module.values()) | taken)
        names: dict[str, str] = {SOURCE: SOURCE}
        for one in self.layers:
            wanted = one.name
            if one.name.startswith(one.module):
                wanted = new_module[one.module] + one.name.removeprefix(one.module)
            names[one.name] = fresh(wanted, taken | set(names.values()))
        layers = (
            LooseLayer(names[one.name], one.layer, tuple(names[name] for name in one.inputs), new_module[one.module])
            for one in self.layers
        )
        return Fragment(tuple(layers), names[self.end])

    def behind(self, source: str) -> list[LooseLayer]:
        """Its layers, reading this one."""
        return [
            replace(one, inputs=tuple(source if name == SOURCE else name for name in one.inputs)) for one in self.layers
        ]


def drawn(network: Network) -> Fragment:
    """The fragment that a builder drew behind an input, which is left out."""
    begin = next(node.name for node in network.layers if isinstance(node.layer, InputLayer))
    layers = (
        LooseLayer(
            node.name,
            node.layer,
            tuple(SOURCE if name == begin else name for name in node.inputs),
            node.module,
        )
        for node in network.layers
        if node.name != begin
    )
    return Fragment(tuple(layers), network.outputs[0])


def ends_of(sketch: Sketch, names: Collection[str]) -> tuple[str, str]:
    """The one layer that these read from outside, and the one among them whose values leave; UserError where there
    are several, or none."""
    inside = [one for one in sketch.layers if one.name in names]
    if not inside:
        raise UserError("Nothing is selected; choose a layer or a module.")
    readers = readers_of(sketch.layers)
    sources = list(dict.fromkeys(name for one in inside for name in one.inputs if name not in names))
    ends = [
        one.name
        for one in inside
        if one.name in sketch.outputs or any(reader not in names for reader in readers.get(one.name, ()))
    ]
    if any(isinstance(one.layer, InputLayer) for one in inside):
        raise UserError("The input stays where it is; choose what comes behind it.")
    if len(sources) != 1:
        raise UserError(f"What is selected reads {' and '.join(sources)}; it must read one layer to go as a piece.")
    if len(ends) != 1:
        raise UserError(f"Values leave what is selected at {' and '.join(ends)}; they must at one layer alone.")
    return sources[0], ends[0]


def extracted(sketch: Sketch, names: Collection[str]) -> Fragment:
    """A piece of a sketch as a fragment; the sketch keeps it."""
    source, end = ends_of(sketch, names)
    layers = (
        replace(one, inputs=tuple(SOURCE if name == source else name for name in one.inputs))
        for one in sketch.layers
        if one.name in names
    )
    return Fragment(tuple(layers), end)
