"""What flows together in a concatenation: its branches, and which channels each of them gives."""

from __future__ import annotations

from dataclasses import dataclass

from cnnlab.network import Network, Node
from cnnlab.network.families import Family
from cnnlab.network.layers import Concatenate


@dataclass(frozen=True)
class JoinedBranch:
    """One input of a concatenation: `count` channels from `first` on.

    `layers` are those of the module that lead to this branch alone, in order; `name` says what they compute,
    "1×1 conv, 16 → 5×5 conv, 32", or is the layer's that is concatenated where they compute nothing of their own.
    """

    name: str
    source: str
    layers: tuple[str, ...]
    family: Family
    first: int
    count: int


def branches(network: Network, layer: str) -> tuple[JoinedBranch, ...]:
    """The branches of a Concatenate in the order of its channels; none for a layer of another kind."""
    node = network[layer]
    if not isinstance(node.layer, Concatenate):
        return ()
    leading = [_leading(network, source, node.module) for source in node.inputs]
    found: list[JoinedBranch] = []
    first = 0
    for place, (source, shape) in enumerate(zip(node.inputs, node.input_shapes, strict=True)):
        others = {name for other, names in enumerate(leading) if other != place for name in names}
        own = [one for one in network.layers if one.name in leading[place] and one.name not in others]
        telling = [one for one in own if one.layer.summary]
        name = " → ".join(one.layer.summary for one in telling) or source
        family = (telling[-1] if telling else network[source]).layer.family
        found.append(JoinedBranch(name, source, tuple(one.name for one in own), family, first, shape[-1]))
        first += shape[-1]
    return tuple(found)


def module_of(network: Network, layer: str) -> tuple[Node, ...]:
    """The layers of the module that a layer belongs to, in order."""
    module = network[layer].module
    return tuple(node for node in network.layers if node.module == module)


def joined_in(network: Network, layer: str) -> str | None:
    """The Concatenate that matters to a layer: itself, or the one that its module ends in."""
    last = module_of(network, layer)[-1]
    return next((one.name for one in (network[layer], last) if isinstance(one.layer, Concatenate)), None)


def _leading(network: Network, source: str, module: str) -> set[str]:
    """The layers of a module that lead to one of them, itself among them; none if it stands outside."""
    found: set[str] = set()
    waiting = [source]
    while waiting:
        node = network[waiting.pop()]
        if node.module == module and node.name not in found:
            found.add(node.name)
            waiting += node.inputs
    return found
