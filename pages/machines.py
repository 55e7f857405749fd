"""Where there is room to train: this computer, the cluster's nodes, what of them is free, and which runs are where."""

import time
from collections import Counter
from pathlib import Path

import pandas as pd
import streamlit as st

from cnnlab import text, units
from cnnlab.cluster import NO_CLUSTER, ClusterError
from cnnlab.cluster.check import ClusterCheck, check_job, last_check, name_of
from cnnlab.cluster.client import ClusterNode
from cnnlab.runs import queue
from cnnlab.runs.machines import ClusterView, PlacedRun, placed_runs, this_computer, view
from cnnlab.runs.place import LOCAL, PLACES, RAY
from cnnlab.runs.status import ACTIVE
from pages.shared.errors import show_error
from pages.shared.navigation import enter_through_app
from pages.shared.parts import runs_folder
from pages.shared.placing import cluster_address, limits
from pages.shared.tables import NOTHING
from pages.shared.working import job_or_offer

enter_through_app()

REFRESH_SECONDS = 3.0
GB = 1e9
MOST_HEIGHT = 420
NAME_WIDTH = 300


def show_here(placed: list[PlacedRun]) -> None:
    """This computer in four figures."""
    here = this_computer()
    st.subheader(f"This computer, {text.markdown(here.host)}", anchor=False)
    with st.container(horizontal=True):
        st.metric("Processors", f"{here.cores}", help=text.message(here.processor), border=True)
        st.metric(
            "Load", f"{here.busy:.1f}", help="How many processes want a processor, over the last minute.", border=True
        )
        st.metric(
            "Memory free", units.size(here.memory_free), help=f"Of {units.size(here.memory)} in all.", border=True
        )
        st.metric("GPUs", f"{len(here.gpus)}", help=text.message(", ".join(here.gpus) or "None."), border=True)
        at_work = sum(one.place == LOCAL and is_busy(one) for one in placed)
        st.metric("Trainings here", f"{at_work}", border=True)


def is_busy(one: PlacedRun) -> bool:
    return one.state in ACTIVE


def node_table(cluster: ClusterView, placed: list[PlacedRun]) -> pd.DataFrame:
    """A row a node: what it has, what of it is taken, and how many of the runs listed are there."""
    there = Counter(one.node for one in placed)
    return pd.DataFrame(
        {
            "Node": [text.table(name_of(node) + (", head" if node.head else "")) for node in cluster.nodes],
            "Address": [text.table(node.address) for node in cluster.nodes],
            "Processors": [node.cpus[1] if node.alive else None for node in cluster.nodes],
            "Processors taken": [taken(node.cpus) if node.alive else None for node in cluster.nodes],
            "GPUs": [node.gpus[1] if node.alive else None for node in cluster.nodes],
            "GPUs taken": [taken(node.gpus) if node.alive else None for node in cluster.nodes],
            "Memory": [node.memory[1] / GB if node.alive else None for node in cluster.nodes],
            "Runs": [there[name_of(node)] if node.alive else None for node in cluster.nodes],
            "State": [state_of(node) for node in cluster.nodes],
        }
    )


def taken(pair: tuple[float, float]) -> float:
    return 100 * pair[0] / pair[1] if pair[1] else 0.0


def state_of(node: ClusterNode) -> str:
    if node.alive:
        return "there"
    return text.table(f"gone: {node.why_gone}" if node.why_gone else "gone", text.MOST_MESSAGE)


def show_cluster(cluster: ClusterView, placed: list[PlacedRun]) -> None:
    living = cluster.living
    st.subheader("The Ray cluster", anchor=False)
    free = sum(node.cpus[1] - node.cpus[0] for node in living)
    waiting = sum(one.place == RAY and not is_busy(one) for one in placed)
    st.caption(
        f"{text.markdown(cluster.address)}, Ray {text.markdown(cluster.version)}: {len(living)} "
        f"node{'' if len(living) == 1 else 's'}, {free:g} of {sum(node.cpus[1] for node in living):g} processors free, "
        f"{waiting} run{'' if waiting == 1 else 's'} waiting for it here."
    )
    table = node_table(cluster, placed)
    st.dataframe(
        table.drop(columns=["GPUs", "GPUs taken"]) if not table["GPUs"].fillna(0).any() else table,
        hide_index=True,
        height=min(38 + 35 * max(len(table), 1), MOST_HEIGHT),
        placeholder=NOTHING,
        column_config={
            "Processors taken": st.column_config.ProgressColumn(
                format="%.0f%%",
                min_value=0,
                max_value=100,
                help="What Ray has promised to jobs, of all that the node offers.",
            ),
            "GPUs taken": st.column_config.ProgressColumn(format="%.0f%%", min_value=0, max_value=100),
            "Memory": st.column_config.NumberColumn("Memory (GB)", format="%.1f"),
        },
    )


def show_runs(placed: list[PlacedRun]) -> None:
    """The runs at work and waiting, by place."""
    st.subheader("Runs by place", anchor=False)
    if not placed:
        st.caption("Nothing trains and nothing waits.")
        return
    counts = Counter((PLACES.get(one.place, one.place), one.state) for one in placed)
    st.caption(
        text.markdown(", ".join(f"{number} {state} on {place}" for (place, state), number in sorted(counts.items())))
    )
    table = pd.DataFrame(
        {
            "State": [one.state for one in placed],
            "Run": [text.table(one.run.labels().name or one.run.id) for one in placed],
            "Where": [text.table(PLACES.get(one.place, one.place)) for one in placed],
            "Node": [text.table(one.node) or None for one in placed],
            "Asks for": [one.asks or None for one in placed],
        }
    )
    event = st.dataframe(
        table,
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        key="placed",
        height=min(38 + 35 * len(table), MOST_HEIGHT),
        placeholder=NOTHING,
        column_config={"Run": st.column_config.TextColumn(width=NAME_WIDTH)},
    )
    for row in event.selection.rows:
        if row < len(placed):
            name = placed[row].run.id
            st.page_link("pages/run.py", label="Open", icon=":material/open_in_new:", query_params={"run": name})


@st.fragment(run_every=REFRESH_SECONDS)
def live(folder: Path, address: str | None) -> None:
    """What is there, free and taken, now."""
    cluster: ClusterView | None = None
    failed: ClusterError | None = None
    try:
        cluster = view(address) if address else None
    except ClusterError as error:
        failed = error
    placed = placed_runs(folder, cluster)
    show_here(placed)
    if failed:
        st.subheader("The Ray cluster", anchor=False)
        show_error(failed, ":material/cloud_off:")
    if cluster:
        show_cluster(cluster, placed)
    show_runs(placed)


def show_check(folder: Path, address: str) -> None:
    """The last check of the cluster, and the button for another."""
    st.subheader("Can it train what is queued here?", anchor=False)
    if found := last_check(address, folder):
        show_findings(found)
    job_or_offer(
        check_job(address, folder),
        f"Each node reads a file that is written here in {text.message(folder)}, writes one that is looked for here, "
        "tries a lock that is held here, and says its clock and its versions. It takes about ten seconds.",
        "Check the cluster",
        ":material/fact_check:",
    )


def show_findings(found: ClusterCheck) -> None:
    ago = units.duration(time.time() - found.time)
    for problem in found.problems:
        st.warning(text.message(problem), icon=":material/error:")
    fine = sum(not node.problems for node in found.nodes)
    words = f"{fine} of {len(found.nodes)} nodes share the folder and its locks, with clocks and versions that agree"
    (st.caption if found.problems else st.success)(f"{words}; looked at {ago} ago.")


def main() -> None:
    folder = runs_folder()
    st.title("Machines", anchor=False)
    st.write("See where there is room to train and which runs are where; check that a cluster can train for you.")
    address = cluster_address()
    live(folder, address)
    if address:
        show_check(folder, address)
    else:
        st.info(text.message(NO_CLUSTER), icon=":material/dns:")
    st.subheader("At most", anchor=False)
    limits(folder, queue.read(folder))


main()
