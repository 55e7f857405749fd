"""How a design begins, what it is called and how it is kept, and the files that come of it."""

from __future__ import annotations

import tempfile
from pathlib import Path

import streamlit as st

from cnnlab import text, units
from cnnlab.architectures import ARCHITECTURES
from cnnlab.design import edits, store
from cnnlab.design.beginnings import NOTHING
from cnnlab.design.function import architecture_function
from cnnlab.design.sharing import packed
from cnnlab.errors import UserError
from cnnlab.experiments.design import slug
from cnnlab.inference import model_file
from cnnlab.keras.script import keras_script
from cnnlab.network import Network
from cnnlab.network.file import network_in
from cnnlab.zoo import catalogue
from pages.shared.address import key_of
from pages.shared.designing import SAVED, Designed, address_of, begin, beginning, edit, is_taken, named_anew
from pages.shared.errors import show_error
from pages.shared.given import MICROSCOPE
from pages.shared.network import design_titles
from pages.shared.parts import architecture_choice, describe_runs, runs_folder

MOST_FILE_MB = 500


def offer_beginnings() -> None:
    """An architecture, a design, a run's network, nothing, or a file."""
    with st.popover("Begin with", icon=":material/restart_alt:"):
        choices = {name: architecture_choice(name) for name in ARCHITECTURES}
        choices |= {NOTHING: "Nothing: an input and a classifier"} | design_titles()
        runs = describe_runs(catalogue.usable(runs_folder(), "own", "shipped"))
        choices |= {catalogue.OF_RUN + name: f"That of {words}" for name, words in runs.items()}
        chosen = st.selectbox(
            "Network", list(choices), format_func=lambda one: text.plain(choices[one]), key="design begin"
        )
        if st.button("Begin", icon=":material/play_arrow:", help="Undo does not come back behind it: save first."):
            try:
                begin(beginning(chosen), chosen)
            except UserError as error:
                show_error(error)
        with st.form("design file", border=False, enter_to_submit=False):
            given = st.file_uploader(
                "Or a file: a network's JSON, or a Keras model",
                type=["json", "keras"],
                max_upload_size=MOST_FILE_MB,
                key="design upload",
            )
            if st.form_submit_button("Begin with the file", icon=":material/upload_file:"):
                try:
                    if given is None:
                        raise UserError("Choose a file first.")
                    begin(network_of_file(text.plain(given.name), given.getvalue()), "")
                except UserError as error:
                    show_error(error)


def network_of_file(name: str, content: bytes) -> Network:
    """The network in a JSON or a Keras file; of a Keras file the layers alone are read, in safe mode."""
    if not name.lower().endswith(".keras"):
        return named_anew(network_in(content, name))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        path.write_bytes(content)
        return named_anew(model_file.network_in_model(path, name))


def offer_name(designed: Designed) -> None:
    """Its name, and the button that keeps it under that."""
    network = designed.network
    key = key_of("design name")
    st.session_state[key] = network.name

    def moved() -> None:
        name = st.session_state[key].strip()

        def renamed(net: Network) -> Network:
            if is_taken(name, designed.began):
                raise UserError(f"There is a design {name!r} already; choose another name, or begin with that one.")
            return edits.rename(net, name)

        edit(f"name it {name}", renamed)

    st.text_input("Name", key=key, on_change=moved, max_chars=80, width=160, label_visibility="collapsed")
    kept = store.versions(network.name)
    if st.button("Save", icon=":material/save:", help=f"It has {len(kept)} versions." if kept else None):
        try:
            made = store.save(network, designed.began)
        except UserError as error:
            show_error(error)
            return
        st.session_state[SAVED] = {*st.session_state.get(SAVED, ()), made.name}
        st.toast(f"Kept as {text.markdown(made.name)}, version {made.version}.", icon=":material/check:")


def offer_files(designed: Designed) -> None:
    """The link, the files, and the pages that look at it."""
    network = designed.network
    with st.popover("Share", icon=":material/ios_share:"):
        if packed(network) is None:
            size = units.size(len(network.to_json()))
            st.caption(f"It is too large for a link ({size} as JSON): save it, or take the file.")
        elif address_of(designed) is None:
            st.caption("The address of this page leads here. It holds the design as soon as you change it.")
        else:
            st.caption("The address of this page holds the whole design: copy it, and it opens here as it is.")
        stem = slug(network.name) or "network"
        for label, make, name, kind in (
            ("Network, JSON", network.to_json, f"{stem}.json", "application/json"),
            ("Keras script", lambda: keras_script(network), f"{stem}.py", "text/x-python"),
            ("Architecture function", lambda: architecture_function(network), f"{stem}_function.py", "text/x-python"),
        ):
            st.download_button(label, make, name, kind, icon=":material/download:", on_click="ignore", width="stretch")
        if store.versions(network.name):
            own = store.OF_DESIGN + network.name
            others = [designed.began] if designed.began and designed.began not in (own, NOTHING) else []
            st.page_link("pages/compare.py", label="Compare what was saved", query_params={"network": [*others, own]})
            st.page_link(MICROSCOPE, label="Look inside it, before training", query_params={"network": own})
        else:
            st.caption("Once it is saved, Compare and the microscope open it too.")
