"""What several pages show: options as controls, the state of a run, the lecture's thread."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import streamlit as st

from cnnlab import architectures, datasets, runs, text, units
from cnnlab.architectures.options import Option, Value
from cnnlab.datasets import Split, SplitName
from cnnlab.errors import UserError
from cnnlab.evaluation import split_of
from cnnlab.runs.run import Run
from cnnlab.runs.status import State
from cnnlab.zoo import catalogue
from cnnlab.zoo.shipped import is_shipped
from pages.shared.address import address_check, address_number, address_select

MOST_NAME = 40
RUN_HELP = "In percent: the best validation accuracy."
STATES: dict[State, tuple[str, Any]] = {
    "queued": (":material/schedule:", "gray"),
    "submitted": (":material/outbox:", "gray"),
    "starting": (":material/hourglass_top:", "gray"),
    "preparing": (":material/hourglass_top:", "gray"),
    "running": (":material/play_arrow:", "blue"),
    "paused": (":material/pause:", "orange"),
    "completed": (":material/check:", "green"),
    "stopped": (":material/stop:", "violet"),
    "failed": (":material/error:", "red"),
    "interrupted": (":material/power_off:", "red"),
}
SUBMITTED = "Submitted: its training process has not begun yet"


def runs_folder() -> Path:
    return runs.runs_folder()


def state_badge(state: State) -> None:
    icon, colour = STATES[state]
    st.badge(state, icon=icon, color=colour)


def architecture_title(name: str) -> str:
    found = architectures.ARCHITECTURES.get(name)
    return found.title if found else name


def architecture_choice(name: str) -> str:
    """Its title in a list of all: those that the lecture does not speak of say so, with their year."""
    found = architectures.ARCHITECTURES.get(name)
    if found is None or found.group == "The lecture":
        return architecture_title(name)
    return f"{found.title} · {found.group.lower()}, {found.year}"


def dataset_title(run: Run) -> str:
    """The data set of a run as it was found ("CIFAR-10 (JPEG)"), or by its name while it has not been opened."""
    try:
        return run.data.title
    except UserError:
        return dataset_title_of(run.config.experiment.dataset)


def dataset_title_of(name: str) -> str:
    found = datasets.SOURCES.get(name) or datasets.sources().get(name)
    return found.title if found else name


def run_title(run: Run) -> str:
    return f"{run.config.experiment.title} on {dataset_title(run)}"


def usable_networks() -> dict[str, Run]:
    """All that can be asked about images: one's own runs, then those that come with cnnlab or were imported."""
    return catalogue.usable(runs_folder())


def split_here(run: Run, name: SplitName) -> Split | None:
    """A split of a run's data set, if its images are on this machine; nothing is fetched for it."""
    if datasets.ready(run.config.experiment.dataset) is None:
        return None
    try:
        return split_of(run, name)
    except UserError:  # the data set has changed since
        return None


def data_link(run: Run) -> None:
    """The way to a data set whose images are not here, where there is one."""
    if run.config.experiment.dataset not in datasets.sources():
        return
    st.page_link(
        "pages/datasets.py",
        label=f"Get {text.markdown(dataset_title(run))}",
        icon=":material/arrow_forward:",
        icon_position="right",
        query_params={"dataset": run.config.experiment.dataset},
    )


def describe_runs(found: dict[str, Run]) -> dict[str, str]:
    """Each run in the words of `describe_run`; those that would read alike with the end of their id."""
    said = {name: describe_run(run) for name, run in found.items()}
    times = Counter(said.values())
    return {name: words if times[words] == 1 else f"{words} · {stamp(found[name])}" for name, words in said.items()}


def stamp(run: Run) -> str:
    """What a run's id says beside the network and the data set, which stand before it: when it was made; of a trial,
    which of its sweep it is."""
    experiment = run.config.experiment
    if trial := run.config.trial:
        return f"trial {trial.number}"
    return run.id.removeprefix(f"{experiment.architecture}-{experiment.dataset}-")


def describe_run(run: Run) -> str:
    """A run's name, or what it is and when it was made; the best validation accuracy; whether it is shipped.

    Short enough to be read in a select box.
    """
    files = (run.folder / name for name in ("history.jsonl", "labels.json", "data.json"))
    return _described(str(run.folder), tuple(path.stat().st_mtime if path.exists() else 0.0 for path in files))


@st.cache_data(max_entries=10_000, show_spinner=False)
def _described(folder: str, written: tuple[float, ...]) -> str:
    run = Run(Path(folder))
    best = run.best_epoch()
    accuracy = f", {units.percent(best['validation_accuracy'])}" if best else ""
    name = run.labels().name
    began = datetime.fromisoformat(run.config.created).astimezone()
    origin = " · shipped" if is_shipped(run) else "" if name else f" · {began:%d %b, %H:%M}"
    return f"{text.plain(name or run_title(run), MOST_NAME)}{accuracy}{origin}"


LECTURE_PARTS: tuple[tuple[str, str, dict[str, str]], ...] = (  # the lecture's parts in its order: where each lives
    ("VGG", "pages/architectures.py", {"architecture": "vgg16"}),
    ("1x1 convolutions", "pages/one_by_one.py", {}),
    ("GoogLeNet", "pages/architectures.py", {"architecture": "googlenet"}),
    ("MiniGoogLeNet", "pages/architectures.py", {"architecture": "minigooglenet"}),
    ("DeeperGoogLeNet", "pages/architectures.py", {"architecture": "deepergooglenet"}),
    ("Training", "pages/train.py", {}),
)


LECTURE_CHAPTERS = {
    "VGG": "vgg",
    "1x1 convolutions": "one-by-one",
    "GoogLeNet": "googlenet",
    "MiniGoogLeNet": "generalization",
    "DeeperGoogLeNet": "deepergooglenet",
    "Training": "cifar10",
}
"""The chapters of Learn, by the lecture's parts."""


def learn_link(chapter: str) -> None:
    """The way to a chapter of the course."""
    st.page_link(
        "pages/learn.py", label="Learn it step by step", icon=":material/school:", query_params={"chapter": chapter}
    )


def lecture_thread(part: str) -> None:
    """Which part of the lecture this is, its chapter, and the way to the next."""
    parts = [name for name, _, _ in LECTURE_PARTS]
    name, page, query = LECTURE_PARTS[(parts.index(part) + 1) % len(LECTURE_PARTS)]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"In the lecture: part {parts.index(part) + 1}, {part}.", width="content")
        learn_link(LECTURE_CHAPTERS[part])
        st.page_link(
            page, label=f"Next: {name}", icon=":material/arrow_forward:", icon_position="right", query_params=query
        )


def option_control(option: Option, key: str, default: Value, bind: bool, width: Any = "stretch") -> Value:
    """The control that fits an option's type; its value is in the address, under `key`, where `bind`."""
    chosen: Value
    words: dict[str, Any] = {"help": option.description}
    if option.type is not bool:
        words["width"] = width
    if option.choices:
        choices = list(option.choices)
        if bind:
            chosen = address_select(option.title, choices, key, str, default=str(default), **words)
        else:
            chosen = st.selectbox(option.title, choices, choices.index(str(default)), key=key, **words)
    elif option.type is bool:
        if bind:
            chosen = address_check(option.title, key, bool(default), **words)
        else:
            chosen = st.checkbox(option.title, bool(default), key=key, **words)
    else:
        number = option.type
        limits, start = (number(option.minimum), number(option.maximum)), number(default)
        words["step"] = 1 if number is int else 0.05
        if bind:
            chosen = address_number(option.title, key, start, st, *limits, **words)
        else:
            chosen = st.number_input(option.title, *limits, start, key=key, **words)
    return chosen
