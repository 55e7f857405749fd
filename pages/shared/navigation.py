"""The pages of the app and the way to them."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.shared.address import arrive


def navigation() -> Any:
    """The menu on top; gives the page that was asked for.

    Where the window is too narrow for all, the last stand behind "more": those that are asked for least stand there.
    """
    return st.navigation(
        [
            st.Page("pages/home.py", title="Home", default=True),
            st.Page("pages/learn.py", title="Learn"),
            st.Page("pages/architectures.py", title="Architectures"),
            st.Page("pages/design.py", title="Design"),
            st.Page("pages/compare.py", title="Compare"),
            st.Page("pages/one_by_one.py", title="1×1 convolutions"),
            st.Page("pages/microscope.py", title="Microscope"),
            st.Page("pages/datasets.py", title="Data sets"),
            st.Page("pages/train.py", title="Train"),
            st.Page("pages/runs.py", title="Runs"),
            st.Page("pages/sweeps.py", title="Sweeps"),
            st.Page("pages/sweep.py", title="Sweep", visibility="hidden"),
            st.Page("pages/run.py", title="Run", visibility="hidden"),
            st.Page("pages/compare_runs.py", title="Compare runs", visibility="hidden"),
            st.Page("pages/evaluate.py", title="Evaluate"),
            st.Page("pages/predict.py", title="Predict"),
            st.Page("pages/results.py", title="Results"),
            st.Page("pages/machines.py", title="Machines"),
            st.Page("pages/generalization.py", title="Generalization"),
        ],
        position="top",
    )


def enter_through_app() -> None:
    """Every page's first line: make sure that app.py runs around it, and read the address.

    Where the very first visit after the server's start follows a link to a page, Streamlit takes the folder `pages` for
    an app of its older kind, runs the page without app.py, and goes on so for everybody. A call of `st.navigation` ends
    that, and the rerun comes in by the front door.
    """
    if "entered" not in st.session_state:
        navigation()
        st.rerun()
    arrive(st.session_state["entered"])
