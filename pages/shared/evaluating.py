"""An evaluation on a page: asked for, under way, or there."""

from __future__ import annotations

import streamlit as st

from cnnlab import datasets
from cnnlab.evaluation import Evaluation, Key
from cnnlab.evaluation.job import evaluation_job
from cnnlab.evaluation.store import read
from cnnlab.runs.run import CheckpointChoice, Run
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
