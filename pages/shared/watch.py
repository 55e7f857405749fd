"""A word, on whichever page one is, when a run ends; and a queue that goes on after a restart of the machine."""

from __future__ import annotations

import streamlit as st

from cnnlab import text
from cnnlab.runs import queue
from cnnlab.runs.run import Run
from cnnlab.runs.status import ACTIVE, State
from pages.shared.parts import runs_folder

ENDED_SECONDS = 4.0
ICONS = {"completed": ":material/check:", "failed": ":material/error:", "interrupted": ":material/power_off:"}


@st.fragment(run_every=ENDED_SECONDS)
def watch_runs() -> None:
    """Look at the runs that were at work or waiting when last seen, and notify of those that have ended."""
    folder = runs_folder()
    queue.resume_queue(folder)
    now = queue.read(folder)
    seen: dict[str, State] = st.session_state.setdefault("watched", {})
    for name in {*seen, *now.working, *now.waiting}:
        run = Run(folder / name)
        state = run.status().state
        if state in (*ACTIVE, "queued"):
            seen[name] = state
        elif seen.pop(name, None):
            notify(run, state)


def notify(run: Run, state: State) -> None:
    best = run.best_epoch()
    words = f", best validation accuracy {best['validation_accuracy']:.1%}" if best else ""
    st.toast(f"{text.markdown(run.labels().name or run.id)} {state}{words}.", icon=ICONS.get(state), duration=10)
