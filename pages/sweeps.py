"""All sweeps: what each searches, how far it is, the best that it found; the way to start one."""

import pandas as pd
import streamlit as st

from cnnlab import text
from cnnlab.errors import UserError
from cnnlab.runs.sweeps.overview import Overview, overview
from cnnlab.runs.sweeps.record import listing
from cnnlab.runs.sweeps.rules import RULE_TITLES
from pages.shared.errors import show_error
from pages.shared.navigation import enter_through_app
from pages.shared.parts import dataset_title_of, runs_folder
from pages.shared.settings import setting_title
from pages.shared.sweep_choice import NEW_SWEEP
from pages.shared.tables import NOTHING, percent_of

enter_through_app()

SWEEPS_REFRESH_SECONDS = 4.0


def table_of(shown: list[Overview]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "State": [one.state for one in shown],
            "Sweep": [text.table(one.record.name) for one in shown],
            "Network": [text.table(one.record.experiment.title) for one in shown],
            "Data set": [text.table(dataset_title_of(one.record.experiment.dataset)) for one in shown],
            "Searches": [text.table(", ".join(map(setting_title, one.record.space))) for one in shown],
            "Stops early": [RULE_TITLES[one.record.stopping.rule] for one in shown],
            "Trials": [f"{len(one.trials)} of {one.record.trials}" for one in shown],
            "Best validation accuracy": [
                percent_of(one.best.best["validation_accuracy"]) if one.best and one.best.best else None
                for one in shown
            ],
            "Epochs trained": [f"{one.epochs_trained:,} of {one.epochs_of_all:,}" for one in shown],
        }
    )


@st.fragment(run_every=SWEEPS_REFRESH_SECONDS)
def show_table() -> None:
    """The sweeps, newest first; choosing one opens it."""
    shown = []
    for sweep in listing(runs_folder()):
        try:
            shown.append(overview(sweep))
        except UserError as error:
            show_error(error, ":material/heart_broken:")
    if not shown:
        return
    event = st.dataframe(
        table_of(shown),
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        key="sweeps table",
        placeholder=NOTHING,
        column_config={"Best validation accuracy": st.column_config.NumberColumn(format="%.1f%%")},
    )
    for row in event.selection.rows:
        if row < len(shown):
            st.switch_page("pages/sweep.py", query_params={"sweep": shown[row].sweep.id})


def main() -> None:
    st.title("Sweeps", anchor=False)
    st.write(
        "A sweep searches settings in many trainings and stops those early that promise little. Choose one to open it."
    )
    st.page_link(
        "pages/train.py",
        label="Start a sweep",
        icon=":material/add:",
        query_params={"sweep": NEW_SWEEP},
    )
    if not listing(runs_folder()):
        st.info(
            "There are none yet. On the page Train, choose a network, a data set and a recipe, and under “Sweep” the "
            "settings to search.",
            icon=":material/info:",
        )
        return
    show_table()


main()
