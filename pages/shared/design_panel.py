"""The panel beside the picture on Design: what is done to what is selected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from typing import Any, Literal

import streamlit as st

from cnnlab import text
from cnnlab.architectures.options import Option, Value
from cnnlab.design import edits, everywhere
from cnnlab.design.blocks import BLOCKS, fragment_of, manner_of
from cnnlab.design.fragment import ends_of
from cnnlab.design.settings import KINDS, made, setting_options
from cnnlab.design.sketch import Sketch
from cnnlab.errors import UserError
from cnnlab.network import Network
from cnnlab.network.layers import BatchNormalization, Dropout, InputLayer, shape_text
from pages.shared.address import address_segments, key_of, write
from pages.shared.designing import MODULE_END, edit, entries, layers_in, selection, shown
from pages.shared.parts import option_control

PANELS = ["Change", "Insert", "Move", "All at once"]
PLACES = {
    "after": "After it",
    "before": "Before it",
    "Concatenate": "Beside it, concatenated",
    "Add": "Beside it, added",
}
ALL, SELECTED = "All layers", "Selected"


def show_panel(network: Network) -> None:
    """The list of what is selected, and one of the ways to change it."""
    there = entries(network)
    key = key_of("select")
    st.session_state[key] = selection(network)
    keys: list[str] = st.multiselect(
        "Selected",
        list(there),
        format_func=lambda one: text.plain(there[one]),
        placeholder="Point at the picture, or choose here",
        key=key,
        on_change=lambda: write({"select": list(st.session_state[key])}),
    )
    panel = address_segments("Do", PANELS, "do", label_visibility="collapsed", width="stretch")
    names = layers_in(network, keys)
    match panel:
        case "Change":
            change_panel(network, keys, names)
        case "Insert":
            insert_panel(network, keys, names)
        case "Move":
            move_panel(network, keys, names)
        case _:
            everywhere_panel(names)


def change_panel(network: Network, keys: Sequence[str], names: list[str]) -> None:
    if not names:
        st.caption(
            "Press a module or a layer on the picture. With Ctrl you select more, with Shift all up to it; press a "
            "module again to open it."
        )
        return
    what = shown(keys)
    with st.container(horizontal=True):
        st.button(
            "Remove",
            icon=":material/delete:",
            shortcut="Delete",
            on_click=edit,
            args=(f"remove {what}", lambda net: edits.remove(net, names)),
            help="What reads it then reads what it read.",
        )
        st.button(
            "Duplicate",
            icon=":material/content_copy:",
            on_click=edit,
            args=(f"duplicate {what}", lambda net: edits.duplicate(net, names), True),
            help="Once more, behind itself.",
        )
        st.button(
            "Shortcut",
            icon=":material/redo:",
            on_click=edit,
            args=(f"shortcut around {what}", lambda net: edits.shortcut(net, names)),
            help="A residual connection around it: what it reads is added to what it gives (He et al., 2016).",
        )
    kinds = {type(network[name].layer) for name in names}
    if len(kinds) == 1:
        settings_form(network, names)
    if len(names) == 1:
        wiring_form(network, names[0])
    else:
        module_form(network, keys, names)


def settings_form(network: Network, names: list[str]) -> None:
    """The settings of layers of one kind; each is changed in all of them as soon as it is."""
    first = network[names[0]]
    if isinstance(first.layer, InputLayer):
        input_form(network)
        return
    values = asdict(first.layer)
    options = setting_options(type(first.layer))
    if len(names) > 1 and options:
        st.caption(f"{len(names)} layers of the kind {first.layer.type}; a setting is changed in all of them.")
    for start in range(0, len(options), 2):
        for option, place in zip(options[start : start + 2], st.columns(2), strict=False):
            with place:
                setting(option, names, values[option.name])


def setting(option: Option, names: list[str], value: Value) -> None:
    """One setting as a control that shows what the layers have."""
    key = key_of(f"{names[0]}.{len(names)}.{option.name}")
    st.session_state[key] = value

    def moved() -> None:
        given = st.session_state[key]
        if given is not None:
            words = f"{option.title.lower()} {given} in {shown(names)}"
            edit(words, lambda net: edits.change(net, names, {option.name: given}))

    settings: dict[str, Any] = {"help": option.description, "key": key, "on_change": moved}
    if option.choices:
        st.selectbox(option.title, list(option.choices), **settings)
    elif option.type is bool:
        st.checkbox(option.title, **settings)
    elif option.type is int:
        st.number_input(option.title, min_value=0 if option.minimum == 0 else 1, step=1, **settings)
    else:
        st.number_input(option.title, min_value=0.0, max_value=option.maximum, step=0.05, format="%g", **settings)


def input_form(network: Network) -> None:
    key = key_of("input size")
    st.session_state[key] = network.input_shape[0]

    def moved() -> None:
        if side := st.session_state[key]:
            edit(f"images of {side}×{side}", lambda net: edits.resize_input(net, int(side)))

    st.number_input("Image size", 1, 1024, step=1, key=key, on_change=moved, help="Height and width, in pixels.")


def wiring_form(network: Network, name: str) -> None:
    """A layer's name, and what it reads."""
    node = network[name]
    named, wired = key_of(f"{name} name"), key_of(f"{name} reads")
    st.session_state[named] = name

    def rename() -> None:
        new = st.session_state[named].strip()
        if new and new != name:
            edit(f"rename {name} to {new}", lambda net: edits.rename_layer(net, name, new), True)

    st.text_input("Name", key=named, on_change=rename, max_chars=80)
    if isinstance(node.layer, InputLayer):
        return
    st.session_state[wired] = list(node.inputs)
    prune = st.checkbox("Rewiring takes out what is read no more", key=key_of("prune"))

    def rewire() -> None:
        given = list(st.session_state[wired])
        words = f"{name} reads {shown(given)}"
        edit(words, lambda net: edits.reconnect(net, name, given, prune))

    st.multiselect(
        "Reads",
        [one.name for one in network.layers if one.name != name],
        format_func=lambda one: text.plain(f"{one}, {shape_text(network[one].output_shape)}"),
        key=wired,
        on_change=rewire,
        help="The layers whose output flows into it.",
    )


def module_form(network: Network, keys: Sequence[str], names: list[str]) -> None:
    """The name of the module that these layers are, or may become."""
    module = network[names[0]].module
    whole = list(keys) == [module + MODULE_END]
    key = key_of("module name")
    st.session_state[key] = module if whole else ""

    def moved() -> None:
        if new := st.session_state[key].strip():
            edit(f"module {new}", lambda net: edits.group(net, names, new))

    label = "Module's name" if whole else "Make them a module named"
    st.text_input(label, key=key, on_change=moved, max_chars=80, placeholder="as tables and picture show it")
    inside = [network[name] for name in names]
    st.caption(
        f"{len(names)} layers, {sum(node.parameters for node in inside):,} parameters, "
        f"{sum(node.multiply_adds for node in inside):,} multiply-adds."
    )


def insert_panel(network: Network, keys: Sequence[str], names: list[str]) -> None:
    choices = {name: block.title for name, block in BLOCKS.items()} | {name: f"{name} layer" for name in KINDS}
    chosen = st.selectbox("What", list(choices), format_func=choices.__getitem__, key=key_of("insert what"))
    kind: Any = BLOCKS.get(chosen) or KINDS[chosen]
    values: dict[str, Value] = {}
    options = setting_options(kind)
    for start in range(0, len(options), 3):
        for option, place in zip(options[start : start + 3], st.columns(3), strict=False):
            with place:
                key = key_of(f"insert {chosen} {option.name}")
                values[option.name] = option_control(bounded(option), key, option.default, bind=False)
    where = st.selectbox(
        "Where",
        list(PLACES),
        1 if chosen == "reduce" else 0,
        format_func=PLACES.__getitem__,
        key=key_of(f"insert where {chosen}"),
        help="Before it: read by it alone. Beside it: one more branch, which reads what it reads.",
    )
    manner = manner_of(network)

    def insert(net: Network) -> Network:
        what = made(kind, values)
        if not names:
            raise UserError("Select a layer or a module first; the new one is put beside or behind it.")
        sketch = Sketch.of(net)
        source = edits.end_of(sketch, names) if where == "after" else ends_of(sketch, names)[0]
        fragment = fragment_of(what, net[source].output_shape, manner)
        if where in ("after", "before"):
            return edits.insert(net, names, fragment, "after" if where == "after" else "before")
        return edits.beside(net, names, fragment, "Add" if where == "Add" else "Concatenate")

    words = f"insert {choices[chosen]} {PLACES[where].lower().replace('it', shown(keys), 1)}"
    st.button(
        "Insert", icon=":material/add:", disabled=not names, on_click=edit, args=(words, insert, True), width="stretch"
    )
    if chosen in BLOCKS and chosen != "residual":
        st.caption(f"Its convolutions are as most here: {manner.words}.")


def bounded(option: Option) -> Option:
    """With both bounds, which a control needs."""
    least = 0 if option.minimum is None else option.minimum
    most = option.maximum if option.maximum is not None else 100_000
    return Option(
        option.name, option.title, option.description, option.type, option.default, least, most, option.choices
    )


def move_panel(network: Network, keys: Sequence[str], names: list[str]) -> None:
    if not names:
        st.caption("Select what is to be moved first.")
        return
    targets = [node.name for node in network.layers if node.name not in names]
    target = st.selectbox("Behind", targets, format_func=text.plain, key=key_of("move behind"))
    what = shown(keys)
    st.button(
        "Move it there",
        icon=":material/move_down:",
        on_click=edit,
        args=(f"move {what} behind {target}", lambda net: edits.move(net, names, target)),
        width="stretch",
    )
    with st.container(horizontal=True):
        ways: tuple[tuple[str, str, Literal[-1, 1]], ...] = (
            ("Earlier", ":material/arrow_back:", -1),
            ("Later", ":material/arrow_forward:", 1),
        )
        for label, icon, step in ways:
            st.button(
                label,
                icon=icon,
                on_click=edit,
                args=(f"move {what} {label.lower()}", partial(edits.shift, names=names, step=step)),
                help="Past the module or layer next to it.",
            )


def everywhere_panel(names: list[str]) -> None:
    """What is done to many layers by one press."""
    scope = st.segmented_control(
        "In", [ALL, SELECTED], default=ALL, required=True, key=key_of("scope"), disabled=not names
    )
    chosen = names if scope == SELECTED and names else None
    deeds: dict[str, Any] = {
        "ReLU to ELU": lambda net: everywhere.replace_activation(net, "elu", chosen),
        "ELU to ReLU": lambda net: everywhere.replace_activation(net, "relu", chosen),
        "CONV-BN-ACT to CONV-ACT-BN": lambda net: everywhere.order_normalization(net, "conv-act-bn", chosen),
        "CONV-ACT-BN to CONV-BN-ACT": lambda net: everywhere.order_normalization(net, "conv-bn-act", chosen),
        "Halve the filters": lambda net: everywhere.scale_filters(net, 0.5, chosen),
        "Double the filters": lambda net: everywhere.scale_filters(net, 2.0, chosen),
        "Remove dropout": lambda net: everywhere.without_kind(net, Dropout, chosen),
        "Remove batch normalization": lambda net: everywhere.without_kind(net, BatchNormalization, chosen),
    }
    with st.container(horizontal=True):
        for label, deed in deeds.items():
            st.button(label, on_click=edit, args=(label, deed))
    left, right = st.columns([2, 1], vertical_alignment="bottom")
    factor = left.number_input("Filters times", 0.01, 16.0, 0.75, step=0.05, key=key_of("factor"))
    right.button(
        "Scale",
        on_click=edit,
        args=(f"filters times {factor:g}", lambda net: everywhere.scale_filters(net, factor, chosen)),
        width="stretch",
    )
