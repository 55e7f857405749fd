"""A network between two states: layers without shapes, which may still be put together wrongly.

An edit takes a network apart into a sketch, changes that, and puts it together again. Only then is it asked whether it
is a network: whether every layer finds its inputs, whether their shapes meet, whether all of it leads to an output.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from heapq import heapify, heappop, heappush
from math import prod

from cnnlab.errors import UserError
from cnnlab.experiments.design import DESIGN_NAME, MOST_LAYERS
from cnnlab.network import Builder, Network, Tensor
from cnnlab.network.graph import MOST_VALUES
from cnnlab.network.layers import AnyLayer, InputLayer

SHOWN_IN_LOOP = 4


@dataclass(frozen=True, slots=True)
class LooseLayer:
    """A layer that is not in place yet: it has no shapes. `inputs` are names of other layers."""

    name: str
    layer: AnyLayer
    inputs: tuple[str, ...]
    module: str


@dataclass(frozen=True)
class Sketch:
    """Loose layers in the order in which they are to stand, as far as what they read allows."""

    name: str
    layers: tuple[LooseLayer, ...]
    outputs: tuple[str, ...]

    @classmethod
    def of(cls, network: Network) -> Sketch:
        layers = (LooseLayer(node.name, node.layer, node.inputs, node.module) for node in network.layers)
        return cls(network.name, tuple(layers), network.outputs)

    def with_layers(self, layers: Iterable[LooseLayer], outputs: Iterable[str] | None = None) -> Sketch:
        return replace(self, layers=tuple(layers), outputs=self.outputs if outputs is None else tuple(outputs))

    def without_idle(self) -> Sketch:
        """What leads to an output; the rest is taken out."""
        needed = self.leading(set(self.outputs))
        return self.with_layers(one for one in self.layers if one.name in needed)

    def leading(self, ends: Collection[str]) -> set[str]:
        """These layers and all that they read, directly or not."""
        inputs = {one.name: one.inputs for one in self.layers}
        found: set[str] = set()
        waiting = list(ends)
        while waiting:
            name = waiting.pop()
            if name in inputs and name not in found:
                found.add(name)
                waiting += inputs[name]
        return found

    def built(self) -> Network:
        """The network that it is; UserError, in one sentence that names the place, where it is none."""
        self._check()
        builder = Builder(self.name)
        tensors: dict[str, Tensor] = {}
        for one in self._in_order():
            with builder.module(one.module):
                made = builder.add(one.layer, [tensors[name] for name in one.inputs], one.name)
            if prod(made.shape) > MOST_VALUES:
                raise UserError(f"{one.name} would give more than {MOST_VALUES:,} values for one image.")
            tensors[one.name] = made
        return builder.build(*(tensors[name] for name in self.outputs))

    def _check(self) -> None:
        if len(self.layers) > MOST_LAYERS:
            raise UserError(f"The network would have {len(self.layers):,} layers; up to {MOST_LAYERS:,} are accepted.")
        known: set[str] = set()
        for one in self.layers:
            if one.name in known:
                raise UserError(f"Two layers would be named {one.name!r}; give one of them another name.")
            known.add(one.name)
        for one in self.layers:
            if missing := [name for name in one.inputs if name not in known]:
                raise UserError(f"{one.name} reads {missing[0]!r}, and there is no layer of that name.")
        if not self.outputs or not known.issuperset(self.outputs):
            raise UserError("Nothing would lead to an output: a network needs a layer whose values it gives.")
        if len(begins := [one.name for one in self.layers if isinstance(one.layer, InputLayer)]) != 1:
            said = f"has the inputs {', '.join(begins)}" if begins else "has no input"
            raise UserError(f"The network {said}; it needs exactly one.")
        if begins[0] in self.outputs:
            raise UserError("Nothing but the input would be left; a network needs layers that give an output.")
        needed = self.leading(self.outputs)
        if idle := [one.name for one in self.layers if one.name not in needed]:
            raise UserError(f"{idle[0]} would lead to no output; have a layer read it, or take it out.")

    def _in_order(self) -> list[LooseLayer]:
        """Each after its inputs, otherwise as they stand; UserError where there is a loop."""
        place = {one.name: number for number, one in enumerate(self.layers)}
        waiting = {one.name: len(set(one.inputs)) for one in self.layers}
        readers = readers_of(self.layers)
        ready = [number for number, one in enumerate(self.layers) if not one.inputs]
        heapify(ready)
        order = []
        while ready:
            one = self.layers[heappop(ready)]
            order.append(one)
            for reader in dict.fromkeys(readers.get(one.name, ())):
                waiting[reader] -= 1
                if not waiting[reader]:
                    heappush(ready, place[reader])
        if len(order) < len(self.layers):
            raise UserError(f"{self._loop({one.name for one in order})}: what a layer reads cannot come of itself.")
        return order

    def _loop(self, settled: Collection[str]) -> str:
        """A circle among the layers that could not be put in order, in words."""
        inputs = {one.name: [name for name in one.inputs if name not in settled] for one in self.layers}
        name = next(one.name for one in self.layers if one.name not in settled)
        way: list[str] = []
        while name not in way:
            way.append(name)
            name = inputs[name][0]
        circle = [name, *reversed(way[way.index(name) :])]
        if len(circle) > SHOWN_IN_LOOP + 1:
            circle = [*circle[:SHOWN_IN_LOOP], "…", circle[-1]]
        return f"{' → '.join(circle)} would be a loop"


def readers_of(layers: Iterable[LooseLayer]) -> dict[str, list[str]]:
    """By layer, those that read it."""
    found: dict[str, list[str]] = {}
    for one in layers:
        for name in one.inputs:
            found.setdefault(name, []).append(one.name)
    return found


def fresh(wanted: str, taken: Collection[str]) -> str:
    """The name, or the first of its numbered kin that is free: conv, conv_2, conv_3."""
    if wanted not in taken:
        return wanted
    number = 2
    while f"{wanted}_{number}" in taken:
        number += 1
    return f"{wanted}_{number}"


def check_name(name: str, what: str = "A layer") -> str:
    """The name; UserError where it is none that Keras and files can bear."""
    if not DESIGN_NAME.fullmatch(name):
        raise UserError(
            f"{what} named {name!r}: up to 80 of the letters a to z, digits, '_', '-' and '.' are accepted, a letter "
            "or digit first."
        )
    return name


def reading(
    layers: Iterable[LooseLayer], changed: Mapping[str, str], only: Collection[str] | None = None
) -> list[LooseLayer]:
    """The layers reading others instead, by name; `only` these of them."""
    return [
        replace(one, inputs=tuple(changed.get(name, name) for name in one.inputs))
        if only is None or one.name in only
        else one
        for one in layers
    ]
