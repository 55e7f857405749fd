"""What is designed on the page Design: the network with its steps, what is selected, and how both are changed.

The address says where one began (`from`) and what has come of it (`design`, packed); the steps between live with the
visitor's session.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

import streamlit as st

from cnnlab import text
from cnnlab.architectures import ARCHITECTURES
from cnnlab.design import History, edits, store
from cnnlab.design.beginnings import NOTHING, from_nothing
from cnnlab.design.sharing import packed, unpacked
from cnnlab.design.store import OF_DESIGN
from cnnlab.errors import UserError
from cnnlab.experiments.design import DESIGN_NAME
from cnnlab.network import Network
from cnnlab.network.modules import modules
from cnnlab.zoo import catalogue
from pages.shared.address import asked, asked_all, go, key_of, write
from pages.shared.errors import show_error
from pages.shared.parts import runs_folder

DESIGNED, REFUSED, SAVED = "network on the page Design", "why an edit could not be", "design that was saved"
FIRST = "minigooglenet"
MODULE_END = "/"
"""What stands behind a module's name where layers and modules are listed together; no layer's name has it."""
Edit = Callable[[Network], Network]


@dataclass(frozen=True)
class Designed:
    """The design of a visit: its steps, and the text of what one began with ("" for a file)."""

    visit: str
    history: History
    began: str

    @property
    def network(self) -> Network:
        return self.history.now


def current() -> Designed:
    """The design of this visit: by the address, or the one that was left where that says nothing."""
    kept: Designed | None = st.session_state.get(DESIGNED)
    visit = key_of("design")
    if kept and kept.visit == visit:
        return kept
    wanted, began = asked("design"), asked("from")
    if kept and not wanted and not began:
        go(design=address_of(kept), **{"from": kept.began or None})
    made = arrived(visit, wanted, began or (None if wanted else FIRST), kept)
    st.session_state[DESIGNED] = made
    return made


def arrived(visit: str, wanted: str | None, began: str | None, kept: Designed | None) -> Designed:
    """What an address asks for; what it asks in vain is said, and the page's own beginning is shown."""
    if kept and kept.began == (began or "") and address_of(kept) == wanted:
        return replace(kept, visit=visit)
    history: History | None = None
    if began:
        try:
            history = History.of(beginning(began))
        except UserError as error:
            show_error(error)
            began = None
    if wanted:
        try:
            network = unpacked(wanted)
            history = history.done("what the address holds", network) if history else History.of(network)
        except UserError as error:
            show_error(error)
    if history is None:
        began = FIRST
        history = History.of(beginning(FIRST))
    return Designed(visit, history, began or "")


def beginning(name: str) -> Network:
    """A network to begin with, under a name of its own unless it is a design already."""
    if name == NOTHING:
        return from_nothing(name=store.free_name("network"))
    network = catalogue.candidate(name, runs_folder()).network()
    return network if name.startswith(OF_DESIGN) else named_anew(network)


def named_anew(network: Network) -> Network:
    """The network under a name that no kept design has."""
    base = re.sub(r"[^A-Za-z0-9_.-]+", "-", network.name)[:60].strip("-._") or "network"
    known = ARCHITECTURES.get(base)
    return edits.rename(network, store.free_name(known.name if known else base))


def address_of(designed: Designed) -> str | None:
    """What the address says of a design: nothing where it is what one began with, or too large."""
    if designed.began and not designed.history.place:
        return None
    return packed(designed.network)


def keep(history: History) -> None:
    """The design is this from now on, on the page and in the address. For callbacks."""
    designed = replace(st.session_state[DESIGNED], history=history)
    st.session_state[DESIGNED] = designed
    write({"design": address_of(designed)})


def begin(network: Network, began: str) -> None:
    """Start over with another network."""
    st.session_state[DESIGNED] = designed = Designed("", History.of(network), began)
    go(design=address_of(designed), select=None, open=None, **{"from": began or None})


def edit(words: str, change: Edit, then_select: bool = False) -> None:
    """Do one thing to the design; where it cannot be done the design stays, and the page says why. For callbacks."""
    history: History = st.session_state[DESIGNED].history
    try:
        made = change(history.now)
    except UserError as error:
        st.session_state[REFUSED] = str(error)
        return
    keep(history.done(words, made))
    if then_select:
        before = {node.name for node in history.now.layers}
        select_layers(made, [node.name for node in made.layers if node.name not in before])


def undo() -> None:
    keep(st.session_state[DESIGNED].history.undone())


def redo() -> None:
    keep(st.session_state[DESIGNED].history.redone())


def show_refusal() -> None:
    """Why the last edit could not be done, once."""
    if said := st.session_state.pop(REFUSED, None):
        show_error(f"{said} The design stays as it was.", ":material/block:")


# What is selected: keys of modules (`inception_3a/`) and of layers


def entries(network: Network) -> dict[str, str]:
    """All that can be selected, with titles: each module before its layers."""
    found = {}
    for module, nodes in modules(network):
        if len(nodes) > 1:
            found[module + MODULE_END] = f"{module}, a module of {len(nodes)} layers"
        for node in nodes:
            found[node.name] = f"{node.name}: {node.layer.caption}"
    return found


def layers_in(network: Network, keys: Collection[str]) -> list[str]:
    """The layers that entries stand for, in the network's order."""
    chosen = set(keys)
    return [node.name for node in network.layers if node.name in chosen or node.module + MODULE_END in chosen]


def selection(network: Network) -> list[str]:
    """The entries that are selected, as far as the network still has them."""
    key = key_of("select")
    there = entries(network)
    kept = st.session_state.get(key, list(asked_all("select")))
    return [one for one in kept if one in there]


def select(keys: Sequence[str]) -> None:
    """Select these entries alone. For callbacks."""
    st.session_state[key_of("select")] = list(keys)
    write({"select": list(keys)})


def select_layers(network: Network, names: Sequence[str]) -> None:
    """Select these layers, as modules where they are whole ones."""
    wanted = set(names)
    keys: list[str] = []
    for module, nodes in modules(network):
        inside = [node.name for node in nodes if node.name in wanted]
        keys += [module + MODULE_END] if len(inside) == len(nodes) > 1 else inside
    select(keys)


def pressed(network: Network, name: str, is_module: bool, how: str) -> None:
    """A part of the picture was pressed: alone, besides others, or as the end of a range."""
    key = name + MODULE_END if is_module else name
    now = selection(network)
    if how == "toggle":
        select([one for one in now if one != key] if key in now else [*now, key])
    elif how == "range" and now:
        order = [node.name for node in network.layers]
        ends = [order.index(one) for one in layers_in(network, [now[-1], key])]
        select_layers(network, order[min(ends) : max(ends) + 1])
    else:
        select([key])


def shown(names: Sequence[str]) -> str:
    """Layers or modules in words, for what an edit did."""
    listed = [text.plain(one.removesuffix(MODULE_END)) for one in names]
    return ", ".join(listed) if len(listed) < 4 else f"{listed[0]} and {len(listed) - 1} more"


def is_taken(name: str, began: str) -> bool:
    """Whether another design is kept under a name; what one began with, or saved here, is one's own."""
    own = {began.removeprefix(OF_DESIGN).partition("@")[0], *st.session_state.get(SAVED, ())}
    return bool(DESIGN_NAME.fullmatch(name)) and name not in own and bool(store.versions(name))
