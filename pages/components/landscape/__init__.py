"""A network as a landscape: to point at, to open, to search, to move and to zoom, by mouse and by keyboard."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import streamlit as st

from cnnlab import text
from cnnlab.experiments.design import file_name
from cnnlab.network import Network, diagram
from cnnlab.network.diagram import AtWork
from cnnlab.network.landscape import parts
from cnnlab.network.scene import scene
from pages.components.mounting import component
from pages.shared.address import asked_all, key_of, unknown, write


def show_landscape(
    network: Network,
    name: str,
    at_work: Callable[[Sequence[str]], AtWork] | None = None,
    chosen: str | None = None,
    choose: Callable[[str], None] | None = None,
    side: str = "a",
    select: Callable[[str, bool, str], None] | None = None,
    selected: Collection[str] = (),
) -> None:
    """Its picture with the modules open that the address lists under `name`, and the same as a file.

    `at_work` gives what stands on it while it works on an image, by the modules that are open. `chosen` is the layer
    that other parts of the page show; `choose` is called with the one that is pressed.
    Where there is `select`, a press selects, and a second one opens: it is called with the name of the module or
    layer, whether it is a module, and how ("only", "toggle" with Ctrl, "range" with Shift); `selected` are the layers
    that are.
    """
    known, wanted = parts(network), asked_all(name)
    opened = [module for module in wanted if module in known]
    if missing := [module for module in wanted if module not in known]:
        unknown("the open modules", ", ".join(missing))
    key = key_of(f"{name} landscape {side}")

    def turn() -> None:
        modules = st.session_state[key]["opened"]["modules"]
        write({name: [module for module in modules if module in known] or None})

    def press() -> None:
        if select is not None:
            pressed = st.session_state[key]["pressed"]
            place = next((one for one in data["boxes"] if one["name"] == pressed["layer"]), None)
            if place is not None:
                select(place["module"] if place["opens"] else place["last"], place["opens"], pressed["how"])
            return
        layer = st.session_state[key]["pressed"]["layer"]
        if choose is not None and layer in {node.name for node in network.layers}:
            choose(layer)

    working = at_work(opened) if at_work else None
    data = {**scene(network, opened, working), "side": side, "shown": chosen, "selects": select is not None}
    marked = {text.plain(name) for name in selected}
    data["selected"] = [one["name"] for one in data["boxes"] if all(name in marked for name, _ in one["layers"])]
    component("landscape")(key=key, data=data, on_opened_change=turn, on_pressed_change=press)
    st.download_button(
        "Diagram, SVG",
        lambda: diagram.svg(network, opened, working),
        file_name(network.name).replace(".json", ".svg"),
        "image/svg+xml",
        icon=":material/download:",
        on_click="ignore",
        key=key_of(f"{name} svg {side}"),
    )
