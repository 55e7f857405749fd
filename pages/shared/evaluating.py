"""An evaluation on a page: asked for, under way, or there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st

from cnnlab import datasets, text
from cnnlab.evaluation import Evaluation, Key
from cnnlab.evaluation.job import evaluation_job
from cnnlab.evaluation.store import read
from cnnlab.runs.run import CheckpointChoice, Run
from pages.shared.address import address_select, go
from pages.shared.parts import data_link
from pages.shared.working import job_or_offer


def evaluation_or_offer(run: Run, key: Key, question: str) -> Evaluation | None:
    """The evaluation where it is there; else how far it is, or the button that asks for it."""
    if kept := read(key.folder(run)):
        return kept
    if datasets.ready(run.config.experiment.dataset) is None:
        st.info("The images to evaluate it on are not on this machine yet.", icon=":material/info:")
        data_link(run)
        return None
    job_or_offer(evaluation_job(run, key), question, "Evaluate", ":material/fact_check:")
    return None


def headline(kept: Evaluation) -> None:
    """The figures that sum an evaluation up."""
    with st.container(horizontal=True):
        st.metric(
            "Rank-1 accuracy", f"{kept.accuracy:.2%}", help=f"On {kept.images:,} {kept.split} images.", border=True
        )
        if kept.rank5 is not None:
            st.metric(
                "Rank-5 accuracy",
                f"{kept.rank5:.2%}",
                help="The true class is among the five most probable.",
                border=True,
            )
        st.metric("Loss", f"{kept.loss:.4f}", help="Mean cross-entropy, in nats.", border=True)
        st.metric(
            "Calibration error",
            f"{kept.calibration_error:.2%}",
            help="Expected calibration error: how far confidence and accuracy lie apart, over 15 bins of confidence "
            "(Guo et al., 2017).",
            border=True,
        )


def checkpoint_choices(run: Run) -> dict[str, CheckpointChoice]:
    """The checkpoints of a run by what to call them in an address."""
    choices: dict[str, CheckpointChoice] = {"best": "best", "last": "last"}
    for point in run.checkpoints():
        if point.info.epoch == int(point.info.epoch):
            choices[str(int(point.info.epoch))] = int(point.info.epoch)
    return choices


def checkpoint_title(run: Run, name: str) -> str:
    epoch = f"epoch {run.checkpoint(checkpoint_choices(run)[name]).info.epoch:g}"
    return f"{name.capitalize()}, {epoch}" if name in ("best", "last") else epoch.capitalize()


ANY_CLASS = "(none)"
"""What stands for no class in the boxes below; as an address it may be left out."""


def chosen_cell(kept: Evaluation, points: Sequence[Any]) -> tuple[int, int] | None:
    """The cell of the confusion matrix to show, as (true, predicted): clicked, or chosen in two boxes by keyboard.

    It stands in the address as `true` and `predicted`.
    """
    clicked = tuple(int(place) for place in points[0]["customdata"][:2]) if points else None
    if clicked != st.session_state.get("clicked cell") and clicked is not None:
        st.session_state["clicked cell"] = clicked
        true, predicted = (kept.classes[place] for place in clicked)
        go(true=true, predicted=predicted)
    st.session_state["clicked cell"] = clicked
    left, right = st.columns(2)
    with left:
        true = address_select("True class", [ANY_CLASS, *kept.classes], "true", text.plain, default=ANY_CLASS)
    if true == ANY_CLASS:
        pair = worst_pair(kept)
        st.caption(
            "Click a cell, or choose a class, to see its images."
            + (f" The most frequent mistake: {pair}." if pair else "")
        )
        return None
    row = kept.confusion[kept.classes.index(true)]
    order = [kept.classes[int(place)] for place in np.argsort(-np.asarray(row), kind="stable")]

    def title(name: str) -> str:
        number = row[kept.classes.index(name)]
        return f"{text.plain(name)}, {number:,} image{'' if number == 1 else 's'}"

    with right:
        predicted = address_select("Taken for", order, "predicted", title)
    return kept.classes.index(true), kept.classes.index(predicted)


def worst_pair(kept: Evaluation) -> str:
    """The two classes that are taken for each other most: "cat taken for dog, 68 images"; nothing without a mistake."""
    mistakes = np.array(kept.confusion)
    np.fill_diagonal(mistakes, 0)
    true, guess = np.unravel_index(int(mistakes.argmax()), mistakes.shape)
    number = int(mistakes[true, guess])
    names = (text.markdown(kept.classes[int(place)]) for place in (true, guess))
    return f"{' taken for '.join(names)}, {number:,} image{'' if number == 1 else 's'}" if number else ""
