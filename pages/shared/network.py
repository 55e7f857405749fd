"""Any network on a page: chosen to be trained, shown as what it is, given as a file."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from cnnlab import runs, text, units
from cnnlab.architectures import ARCHITECTURES
from cnnlab.architectures.options import Value
from cnnlab.design import store
from cnnlab.design.store import OF_DESIGN
from cnnlab.errors import UserError
from cnnlab.experiments.design import file_name, title_of
from cnnlab.keras.script import keras_script
from cnnlab.network import Network, analysis
from cnnlab.network.file import MOST_BYTES, network_in
from cnnlab.zoo import catalogue
from pages.components.landscape import show_landscape
from pages.shared.parts import architecture_choice

FILE = "file"
"""Stands in an address for a network that is uploaded."""


def network_titles(wanted: str | None) -> dict[str, str]:
    """What can be trained, by what stands for it in the address, with titles: architectures, a file, designs that are
    kept; also the run's network that is wanted."""
    titles = {name: architecture_choice(name) for name in ARCHITECTURES} | {FILE: "A network file"}
    titles |= design_titles()
    if wanted and wanted.startswith(catalogue.OF_RUN):
        try:
            run = catalogue.run_named(wanted, runs.runs_folder())
        except UserError:  # the select box says that it is not there
            run = None
        if run:
            titles[wanted] = f"That of {run.labels().name or run.id}"
    return titles


def design_titles() -> dict[str, str]:
    """The designs that are kept, by their texts in the catalogue."""
    return {OF_DESIGN + name: f"{title_of(name)}, a design" for name in store.names()}


def chosen_network(choice: str) -> str | Network | None:
    """What `plan` takes for a choice; None while its file is still to be given. UserError where that holds none."""
    if choice.startswith(OF_DESIGN):
        return store.find(choice).network
    if choice != FILE:
        run = catalogue.run_named(choice, runs.runs_folder())
        return choice if run is None else run.network
    given = st.file_uploader(
        "Network file",
        type=["json"],
        max_upload_size=MOST_BYTES // 1_000_000,
        key="network file",
        help="A network as JSON. Every architecture and every run gives out its own: change it, and train it here.",
    )
    return None if given is None else network_in(given.getvalue(), text.plain(given.name))


def show_network(network: Network, options: Mapping[str, Value] | None = None) -> None:
    """Its totals, its picture, and its files to take away; `options` are those that an architecture drew it with."""
    st.markdown(
        f"{units.count(len(network.layers))} layers, {units.short(network.parameters)} parameters, "
        f"{units.short(network.multiply_adds)} multiply-adds an image. Training keeps "
        f"{units.size(analysis.activation_memory(network)['training'])} of activations for each image of a batch."
    )
    show_landscape(network, "open")
    with st.container(horizontal=True):
        offer_json(network)
        st.download_button(
            "Keras script",
            lambda: keras_script(network, options),
            file_name(network.name).replace(".json", ".py"),
            "text/x-python",
            icon=":material/download:",
            on_click="ignore",
        )


def design_link(network: str) -> None:
    """The way to Design, to change a network that the catalogue knows by this text."""
    st.page_link(
        "pages/design.py",
        label="Design: change it, and see what that costs",
        icon=":material/design_services:",
        query_params={"from": network},
    )


def offer_json(network: Network) -> None:
    """The network as a file, to change it and train it."""
    st.download_button(
        "Network, JSON",
        network.to_json,
        file_name(network.name),
        "application/json",
        icon=":material/download:",
        on_click="ignore",
        help="Change it on Design or in an editor, and train it: choose “A network file” on Train.",
    )
