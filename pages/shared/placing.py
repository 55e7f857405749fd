"""Where to train, as controls: this computer or the cluster, and what is asked of it."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from cnnlab.cluster import configured
from cnnlab.errors import UserError
from cnnlab.runs import queue
from cnnlab.runs.place import LOCAL, PLACES, RAY, Place, place_of
from pages.shared.errors import show_error

PLACE_TITLES = {name: title[0].upper() + title[1:] for name, title in PLACES.items()}
MOST_ASKED = 64
LIMIT_WIDTH = 200


def cluster_address() -> str | None:
    """The cluster's address; None where there is none, or it is no address, which is said then."""
    try:
        return configured()
    except UserError as error:
        show_error(error)
        return None


def place_choice(key: str, first: str = LOCAL) -> Place:
    """The place chosen; `first` is the one that the controls open with."""
    names = list(PLACES)
    on = st.selectbox("Where", names, names.index(first), format_func=PLACE_TITLES.__getitem__, key=f"{key} where")
    far = on == RAY
    left, middle, right = st.columns(3)
    cpus = left.number_input(
        "Processors",
        value=1 if far else 0,
        min_value=1 if far else 0,
        max_value=MOST_ASKED,
        key=f"{key} cpus {on}",
        help="How many it may use; the cluster keeps them free for it." if far else "How many it may use; 0: all.",
    )
    if not far:
        return place_of(LOCAL, int(cpus))
    gpus = middle.number_input("GPUs", value=0, min_value=0, max_value=MOST_ASKED, key=f"{key} gpus")
    memory = right.number_input(
        "Memory (GB)", value=0.0, min_value=0.0, step=1.0, key=f"{key} memory", help="0: whatever the node has."
    )
    return place_of(RAY, int(cpus), int(gpus), float(memory))


def options_of(place: Place | None) -> str:
    """The same on the command line; "" where nothing is asked."""
    if place is None or place == Place():
        return ""
    wanted = place.resources
    words = [f" --on {place.launcher}"] if place.launcher != LOCAL else []
    words += [f" --cpus {wanted.cpus}"] if wanted.cpus else []
    words += [f" --gpus {wanted.gpus}"] if wanted.gpus else []
    words += [f" --memory {wanted.memory / 1e9:g}"] if wanted.memory else []
    return "".join(words)


def limits(folder: Path, now: queue.Queue) -> None:
    """How many trainings may work at a time, at each place."""
    with st.container(horizontal=True):
        here = st.number_input(
            "Trainings at a time",
            value=now.parallel,
            min_value=1,
            max_value=queue.MOST_PARALLEL,
            width=LIMIT_WIDTH,
            help="The processors are shared out evenly among them; each gets its share when it starts.",
        )
        there = now.on_cluster
        if cluster_address():
            there = st.number_input(
                "On the cluster at a time",
                value=now.on_cluster,
                min_value=1,
                max_value=queue.MOST_ON_CLUSTER,
                width=LIMIT_WIDTH,
                help="So many are given to the cluster, which begins each as soon as it has the room.",
            )
    if (here, there) != (now.parallel, now.on_cluster):
        try:
            queue.set_parallel(folder, int(here))
            queue.set_parallel(folder, int(there), RAY)
        except UserError as error:
            show_error(error)
        else:
            st.rerun()
