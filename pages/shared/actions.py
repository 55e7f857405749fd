"""What can be done with a run, as buttons and small forms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from cnnlab.errors import UserError
from cnnlab.experiments.recipe import FLAT_FIELDS
from cnnlab.runs import actions, launchers, queue
from cnnlab.runs.place import LOCAL, RAY, reached
from cnnlab.runs.run import Run
from cnnlab.runs.status import ACTIVE, NOT_BEGUN, RESUMABLE, Status
from pages.shared.errors import show_error
from pages.shared.placing import cluster_address, place_choice
from pages.shared.settings import setting_title

REFUSED = "refused"


def attempt(act: Callable[..., Any], *arguments: Any) -> Any:
    """Do it, and keep the reason for the next drawing of the page where it is refused."""
    try:
        return act(*arguments)
    except UserError as error:
        st.session_state[REFUSED] = str(error)
        return None


def show_refusal() -> None:
    if reason := st.session_state.pop(REFUSED, None):
        show_error(reason)


def action_bar(run: Run, status: Status) -> None:
    """The buttons that the run's state allows, most wanted first."""
    asked = run.request()
    if status.state in ACTIVE and status.state not in NOT_BEGUN:
        words = {"pause": "Pausing", "stop": "Stopping", "stop-after-epoch": "Stopping after this epoch"}
        if asked:
            st.button(words[asked], disabled=True, icon=":material/hourglass_top:")
        if not asked:
            st.button(
                "Pause",
                icon=":material/pause:",
                on_click=attempt,
                args=(actions.send_request, run, "pause"),
                help="Saves a checkpoint and frees the machine; resume when you like.",
            )
        if asked != "stop":
            st.button(
                "Stop",
                icon=":material/stop:",
                on_click=attempt,
                args=(actions.send_request, run, "stop"),
                help="Ends the training after the current step and saves a checkpoint.",
            )
        if not asked:
            st.button(
                "Stop after this epoch",
                icon=":material/flag:",
                on_click=attempt,
                args=(actions.send_request, run, "stop-after-epoch"),
                help="Lets the epoch end, validates, saves, and ends the training.",
            )
    if status.state == "queued":
        st.button(
            "Next in the queue", icon=":material/vertical_align_top:", on_click=attempt, args=(queue.move, run, 1)
        )
    if status.state in NOT_BEGUN:
        st.button(
            "Take out",
            icon=":material/close:",
            on_click=attempt,
            args=(actions.send_request, run, "stop"),
            help="Its training has not begun, so nothing is lost; it can be resumed later.",
        )
    if status.state in RESUMABLE:
        st.button(
            "Resume",
            type="primary",
            icon=":material/play_arrow:",
            on_click=attempt,
            args=(actions.resume, run),
            help="Goes on exactly where the last checkpoint stands.",
        )
        if cluster_address():
            with st.popover("Resume elsewhere", icon=":material/dns:"):
                resume_elsewhere(run)


def resume_elsewhere(run: Run) -> None:
    """Go on at another place than the one where the run was."""
    other = LOCAL if launchers.chosen(run.folder) == RAY else RAY
    place = place_choice("resume", other)
    if st.button("Go on there", type="primary", icon=":material/play_arrow:"):
        attempt(lambda: actions.resume(run, reached(place)))
        st.rerun()


def more_actions(run: Run, status: Status) -> None:
    """Extend, restart, duplicate, name and delete, each behind a button of its own."""
    if status.state not in (*ACTIVE, "queued") and run.checkpoints():
        with st.popover("Extend", icon=":material/more_time:"):
            epochs = st.number_input("More epochs", value=5, min_value=1, step=1, key="more epochs")
            st.caption("The schedule stretches over the new total.")
            st.button("Train on", type="primary", on_click=attempt, args=(actions.extend, run, int(epochs)))
    if run.checkpoints():
        with st.popover("Restart", icon=":material/restart_alt:"):
            restart_form(run)
    with st.popover("Duplicate", icon=":material/content_copy:"):
        changes = changes_form("duplicate")
        if st.button("Train the same again" if not changes else "Train it so", type="primary"):
            go_to(attempt(actions.duplicate, run, changes))
    with st.popover("Name and notes", icon=":material/edit:"):
        label_form(run)
    if status.state not in ACTIVE:
        with st.popover("Delete", icon=":material/delete:"):
            st.write("It goes to the trash, from which the Runs page can take it back.")
            if st.button("Move to the trash", type="primary"):
                attempt(actions.delete, run)
                if not st.session_state.get(REFUSED):
                    st.switch_page("pages/runs.py")


def restart_form(run: Run) -> None:
    st.write("A new run that goes on from a checkpoint with other settings, such as a learning rate lowered by hand.")
    points = {f"after epoch {point.info.epoch:g}": point for point in run.checkpoints()}
    best = run.checkpoint("best")
    names = list(points)
    start = next(place for place, point in enumerate(points.values()) if point == best)
    name = st.selectbox("Checkpoint", names, index=start)
    changes = changes_form("restart")
    chosen = points[name]
    which: Any = "last" if chosen.info.batch else int(chosen.info.epoch)
    if st.button("Restart", type="primary", icon=":material/play_arrow:"):
        go_to(attempt(actions.restart, run, which, changes))


def changes_form(scope: str) -> dict[str, str]:
    """Up to two settings with their new values."""
    changes = {}
    for row in range(2):
        left, right = st.columns(2)
        name = left.selectbox(
            "Setting",
            ["", *FLAT_FIELDS],
            format_func=lambda name: setting_title(name) if name else "–",
            key=f"{scope} setting {row}",
        )
        value = right.text_input("New value", key=f"{scope} value {row}", disabled=not name)
        if name and value.strip():
            changes[name] = value.strip()
    return changes


def label_form(run: Run) -> None:
    labels = run.labels()
    with st.form("labels", border=False):
        name = st.text_input("Name", labels.name, max_chars=200)
        tags = st.text_input("Tags", " ".join(labels.tags), help="Words to filter by, with spaces between them.")
        note = st.text_area("Note", labels.note, max_chars=20_000)
        if st.form_submit_button("Keep", type="primary"):
            attempt(lambda: run.relabel(name=name.strip(), tags=tuple(tags.split()), note=note))
            st.rerun()


def go_to(run: Run | None) -> None:
    """Open a run that was just made."""
    if run:
        st.switch_page("pages/run.py", query_params={"run": run.id})
    st.rerun()
