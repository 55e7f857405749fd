"""All runs: the queue and what is at work on top, every run below to search, sort, open, compare and delete."""

from datetime import datetime
from pathlib import Path

import pandas as pd
import streamlit as st

from cnnlab import runs, text, units
from cnnlab.runs import RunSummary, actions, queue
from cnnlab.runs.place import LOCAL, PLACES
from cnnlab.runs.run import Run
from cnnlab.runs.status import ACTIVE, State, Status
from cnnlab.runs.sweeps.record import listing, name_of
from cnnlab.zoo.shipped import shipped
from pages.shared.actions import attempt, show_refusal
from pages.shared.address import address_select, address_text, asked, unknown
from pages.shared.navigation import enter_through_app
from pages.shared.parts import STATES, SUBMITTED, dataset_title_of, runs_folder, state_badge
from pages.shared.placing import limits
from pages.shared.tables import DURATION, NOTHING, percent_of

enter_through_app()

RUNS_REFRESH_SECONDS = 2.0
SHOWN_WAITING = 100
MOST_LISTED_TAG = 60
SHOWN_DAMAGED = 5
RUN_WIDTH = 260


def left_text(status: Status) -> str:
    if status.state == "submitted":
        return SUBMITTED
    if status.state != "running":
        return text.message(status.message or "Starting")
    epoch = min(status.step // status.steps_per_epoch + 1, status.epochs)
    left = "" if status.seconds_left is None else f", {units.duration(status.seconds_left)} left"
    return f"Epoch {epoch} of {status.epochs}{left}"


def show_working(run: Run) -> None:
    status = run.status()
    with st.container(horizontal=True, vertical_alignment="center"):
        state_badge(status.state)
        st.page_link("pages/run.py", label=text.markdown(run.labels().name or run.id), query_params={"run": run.id})
        if status.steps:
            st.progress(min(status.step / status.steps, 1.0), text=left_text(status))


def show_waiting(run: Run, place: int, last: bool) -> None:
    name = run.id
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        for icon, target, off in (("arrow_upward", place - 1, place == 1), ("arrow_downward", place + 1, last)):
            st.button(
                "",
                icon=f":material/{icon}:",
                key=f"{icon} {name}",
                type="tertiary",
                disabled=off,
                help="Earlier" if target < place else "Later",
                on_click=attempt,
                args=(queue.move, run, target),
            )
        st.button(
            "",
            icon=":material/close:",
            key=f"out {name}",
            type="tertiary",
            help="Take out of the queue",
            on_click=attempt,
            args=(actions.send_request, run, "stop"),
        )
        st.page_link(
            "pages/run.py", label=f"{place}. {text.markdown(run.labels().name or name)}", query_params={"run": name}
        )


@st.fragment(run_every=RUNS_REFRESH_SECONDS)
def at_work(folder: Path, busy: list[str], waiting: list[str]) -> None:
    """What trains now and what waits, live."""
    now = queue.read(folder)
    working = [run for run in (Run(folder / name) for name in busy_now(now, busy)) if run.status().state in ACTIVE]
    if {run.id for run in working} != set(busy) or now.waiting != waiting:
        st.rerun()
    for run in working:
        show_working(run)
    with st.expander(
        f"{len(now.waiting)} waiting", icon=":material/schedule:", key="waiting", on_change="rerun"
    ) as line:
        if line.open:
            for place, name in enumerate(now.waiting[:SHOWN_WAITING], 1):
                show_waiting(Run(folder / name), place, place == len(now.waiting))
            limits(folder, now)


def busy_now(now: queue.Queue, busy: list[str]) -> list[str]:
    return list(dict.fromkeys([*now.working, *busy]))


def show_shipped() -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("Shipped with cnnlab:", width="content")
        for name, run in shipped().items():
            st.page_link("pages/run.py", label=text.markdown(run.labels().name), query_params={"run": name})


def is_meant(item: RunSummary, words: str, states: list[State], group: str) -> bool:
    """Whether a run is among those looked for."""
    names = [item["id"], item["name"], *item["tags"], item["group"] or "", item["preset"] or ""]
    return (
        (not states or item["state"] in states)
        and (not group or item["group"] == group)
        and all(word in " ".join(names).lower() for word in words.lower().split())
    )


def table_of(shown: list[RunSummary]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "State": [f"{item['state']}, damaged" if item["problems"] else item["state"] for item in shown],
            "Run": [text.table(item["name"] or item["id"]) for item in shown],
            "Network": [text.table(item["network"]) for item in shown],
            "Data set": [text.table(dataset_title_of(item["dataset"])) for item in shown],
            "Where": [text.table(PLACES.get(item["place"], item["place"])) for item in shown],
            "Validation accuracy": [percent_of(item["best_validation_accuracy"]) for item in shown],
            "Epochs": [f"{item['epochs_done']} of {item['epochs']}" for item in shown],
            "At work": pd.to_timedelta([round(item["seconds"] or 0) for item in shown], unit="s"),
            "Started": [datetime.fromisoformat(item["created"]) for item in shown],
            "Group": [item["group"] and text.table(item["group"]) for item in shown],
            "Tags": [[text.table(tag, MOST_LISTED_TAG) for tag in item["tags"]] for item in shown],
        }
    )


def idle_columns(shown: list[RunSummary], table: pd.DataFrame) -> list[str]:
    """The columns that say nothing of these runs."""
    idle = [name for name in ("Group", "Tags") if not any(table[name])]
    return idle + ["Where"] * all(item["place"] == LOCAL for item in shown)


def show_table(shown: list[RunSummary], key: str) -> list[str]:
    """The runs as a table; the ids of those chosen in it."""
    table = table_of(shown)
    event = st.dataframe(
        table.drop(columns=idle_columns(shown, table)) if len(table) else table,
        hide_index=True,
        on_select="rerun",
        selection_mode="multi-row",
        key=key,
        height=min(38 + 35 * max(len(shown), 1), 500),
        placeholder=NOTHING,
        column_config={
            "Run": st.column_config.TextColumn(width=RUN_WIDTH),
            "Validation accuracy": st.column_config.NumberColumn(format="%.1f%%", help="Of the best epoch."),
            "At work": DURATION,
            "Started": st.column_config.DatetimeColumn(format="D MMM, HH:mm"),
        },
    )
    return [shown[row]["id"] for row in event.selection.rows if row < len(shown)]


def show_damaged(shown: list[RunSummary]) -> None:
    damaged = [item for item in shown if item["problems"]]
    for item in damaged[:SHOWN_DAMAGED]:
        words = " ".join(item["problems"])
        st.warning(text.markdown(f"{item['name'] or item['id']}: {words}"), icon=":material/heart_broken:")
    if len(damaged) > SHOWN_DAMAGED:
        st.caption(f"{len(damaged) - SHOWN_DAMAGED:,} more are damaged; the page of each says how.")


def show_choice(folder: Path, chosen: list[str], group: str, shown: int, every: int) -> None:
    """How many runs are shown and chosen, and what can be done with those."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"{shown:,} of {every:,} runs, {len(chosen)} chosen", width="content")
        if len(chosen) == 1:
            st.page_link("pages/run.py", label="Open", icon=":material/open_in_new:", query_params={"run": chosen[0]})
        if len(chosen) > 1:
            names = ",".join(chosen)
            st.page_link(
                "pages/compare_runs.py", label="Compare", icon=":material/compare_arrows:", query_params={"runs": names}
            )
        for sweep in [one for one in listing(folder) if group and not chosen and name_of(one) == group]:
            st.page_link(
                "pages/sweep.py",
                label="Open the sweep",
                icon=":material/grid_view:",
                query_params={"sweep": sweep.id},
            )
        if group and not chosen:
            st.page_link(
                "pages/compare_runs.py",
                label="Compare the group",
                icon=":material/compare_arrows:",
                query_params={"group": group},
            )
        if chosen:
            st.button(
                "Delete",
                icon=":material/delete:",
                help="To the trash",
                on_click=delete,
                args=([Run(folder / name) for name in chosen],),
            )


def delete(chosen: list[Run]) -> None:
    for run in chosen:
        attempt(actions.delete, run)


def show_trash(folder: Path) -> None:
    with st.expander("Trash", icon=":material/delete:", key="trash", on_change="rerun") as trash:
        if trash.open:
            thrown = actions.trashed(folder)
            if not thrown:
                st.caption("It is empty.")
            for run in thrown[:50]:
                with st.container(horizontal=True, vertical_alignment="center"):
                    st.caption(text.markdown(run.labels().name or run.id), width="content")
                    st.button("Take back", key=f"back {run.id}", on_click=attempt, args=(actions.restore, run))
            if thrown:
                st.button(
                    f"Delete {len(thrown)} for good",
                    icon=":material/delete_forever:",
                    on_click=empty_trash,
                    args=(folder,),
                )


def empty_trash(folder: Path) -> None:
    actions.empty_trash(folder)


def main() -> None:
    folder = runs_folder()
    st.title("Runs", anchor=False)
    st.write("Every training, newest first. Choose one to open it, or several to lay over each other.")
    show_refusal()
    show_shipped()
    everything = runs.summaries(folder)
    if not everything and not actions.trashed(folder):
        if wanted := asked("group"):
            unknown("the group", wanted)
        st.info("There are no runs yet. Train a network, and it appears here.", icon=":material/info:")
        st.page_link("pages/train.py", label="Train", icon=":material/arrow_forward:", icon_position="right")
        st.stop()
    busy = [item["id"] for item in everything if item["state"] in ACTIVE]
    waiting = queue.read(folder).waiting
    if busy or waiting:
        with st.container(border=True):
            at_work(folder, busy, waiting)
    search, by_state, by_group = st.columns([2, 1, 1])
    words = address_text("Search", "search", search, placeholder="name, tag, network, data set")
    states = by_state.multiselect("State", sorted({item["state"] for item in everything}, key=list(STATES).index))
    groups = sorted({item["group"] for item in everything if item["group"]})
    group = address_select("Group", ["", *groups], "group", lambda one: one or "All", by_group)
    shown = [item for item in everything if is_meant(item, words, states, group)]
    chosen = show_table(shown, f"table {words} {states} {group}")
    show_damaged(shown)
    show_choice(folder, chosen, group, len(shown), len(everything))
    show_trash(folder)


main()
