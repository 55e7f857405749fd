"""All runs, newest first."""

from datetime import datetime

import streamlit as st

from cnnlab import runs, units
from cnnlab.runs.status import ACTIVE
from pages.shared.navigation import enter_through_app
from pages.shared.parts import architecture_title, dataset_title, runs_folder, state_badge

enter_through_app()

WIDTHS = [1.7, 3.4, 1.6, 1.2, 1.4, 1, 1.2]
HEADINGS = ("State", "Run", "Network", "Data set", "Best validation accuracy", "Epochs", "Duration")
PAGE = 25

st.title("Runs", anchor=False)
st.write("Every training on this machine, newest first. Open one for its curves, its evaluation and its log.")

found = runs.listing(runs_folder())
if not found:
    st.info("There are no runs yet. Train a network, and it appears here.", icon=":material/info:")
    st.page_link("pages/train.py", label="Train", icon=":material/arrow_forward:", icon_position="right")
    st.stop()


@st.fragment(run_every=2.0 if any(run.status().state in ACTIVE for run in found) else None)
def listing() -> None:
    shown = st.session_state.setdefault("runs shown", PAGE)
    everything = runs.listing(runs_folder())
    for column, heading in zip(st.columns(WIDTHS), HEADINGS, strict=True):
        column.caption(heading)
    for run in everything[:shown]:
        item = runs.summary(run)
        state, link, network, dataset, accuracy, epochs, duration = st.columns(WIDTHS, vertical_alignment="center")
        with state:
            state_badge(item["state"])
        began = datetime.fromisoformat(item["created"]).astimezone()
        link.page_link(
            "pages/run.py", label=run.id, query_params={"run": run.id}, help=f"Started {began:%d %b %Y, %H:%M}"
        )
        network.write(architecture_title(item["architecture"]))
        dataset.write(dataset_title(run))
        accuracy.write(units.percent(item["best_validation_accuracy"]))
        epochs.write(f"{item['epochs_done']} / {item['epochs']}")
        duration.write(units.duration(item["seconds"]))
    if len(everything) > shown and st.button(f"Show more ({len(everything) - shown} older)"):
        st.session_state["runs shown"] = shown + PAGE
        st.rerun(scope="fragment")


listing()
