"""Networks as people may edit them: any edit, anywhere, one after the other."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from hypothesis import strategies as st

from cnnlab import architectures
from cnnlab.design import edits, everywhere
from cnnlab.design.beginnings import from_nothing
from cnnlab.design.blocks import BLOCKS, fragment_of, manner_of
from cnnlab.design.settings import KINDS, made, setting_options
from cnnlab.design.sketch import Sketch
from cnnlab.network import Network
from cnnlab.network.layers import BatchNormalization, Dropout

Edit = Callable[[Network], Network]
SMALL = {
    "minivggnet": {"input_size": 16, "width": 0.25},
    "minigooglenet": {"input_size": 16, "width": 0.1},
    "nin": {"input_size": 16, "width": 0.1},
    "deepergooglenet": {"input_size": 16, "width": 0.05, "auxiliary_heads": False},
}


def beginnings() -> list[Network]:
    found = [from_nothing(16, 10)]
    for name, wanted in SMALL.items():
        known = architectures.ARCHITECTURES[name].defaults
        found.append(architectures.build(name, {key: value for key, value in wanted.items() if key in known}))
    return found


def put(net: Network, names: list[str], what: Any, place: str) -> Network:
    """An insertion as the page does it."""
    sketch = Sketch.of(net)
    source = edits.end_of(sketch, names) if place == "after" else edits.ends_of(sketch, names)[0]
    fragment = fragment_of(what, net[source].output_shape, manner_of(net))
    if place in ("after", "before"):
        return edits.insert(net, names, fragment, "after" if place == "after" else "before")
    return edits.beside(net, names, fragment, "Add" if place == "Add" else "Concatenate")


@st.composite
def edit(draw: st.DrawFn, net: Network) -> Edit:
    """One edit of this network; it may well be one that cannot be done."""
    layers = [node.name for node in net.layers]
    layer = st.sampled_from(layers)
    part = draw(layer)
    names = list(edits.layers_of(net, net[part].module)) if draw(st.booleans()) else [part]
    kind = draw(st.sampled_from(("remove", "duplicate", "move", "shift", "wire", "set", "put", "shortcut", "all")))
    match kind:
        case "remove":
            return lambda one: edits.remove(one, names)
        case "duplicate":
            return lambda one: edits.duplicate(one, names)
        case "move":
            return partial(edits.move, names=names, after=draw(layer))
        case "shift":
            return partial(edits.shift, names=names, step=draw(st.sampled_from((-1, 1))))
        case "wire":
            inputs = draw(st.lists(layer, min_size=1, max_size=3))
            return partial(edits.reconnect, name=part, inputs=inputs, prune=draw(st.booleans()))
        case "set":
            options = setting_options(type(net[part].layer))
            if not options:
                return lambda one: edits.rename_layer(one, part, "renamed")
            option = draw(st.sampled_from(options))
            value = draw(st.sampled_from(option.choices) if option.choices else st.sampled_from((0, 1, 2, 3, 24, True)))
            return lambda one: edits.change(one, [part], {option.name: value})
        case "put":
            sort: Any = draw(st.sampled_from((*BLOCKS.values(), *KINDS.values())))
            values = {one.name: one.default for one in setting_options(sort)}
            values |= {name: 8 for name in ("filters", "one", "three", "five", "pool", "units") if name in values}
            place = draw(st.sampled_from(("after", "before", "Concatenate", "Add")))
            return lambda one: put(one, names, made(sort, values), place)
        case "shortcut":
            return lambda one: edits.shortcut(one, names)
    deeds: tuple[Edit, ...] = (
        lambda one: everywhere.replace_activation(one, "elu"),
        lambda one: everywhere.replace_activation(one, "relu"),
        lambda one: everywhere.order_normalization(one, "conv-act-bn"),
        lambda one: everywhere.order_normalization(one, "conv-bn-act"),
        lambda one: everywhere.scale_filters(one, 0.5, names),
        lambda one: everywhere.without_kind(one, Dropout),
        lambda one: everywhere.without_kind(one, BatchNormalization, names),
    )
    return draw(st.sampled_from(deeds))
