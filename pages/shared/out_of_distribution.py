"""The out-of-distribution score on a page: the warning, and the offer where it is missing."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from cnnlab import text
from cnnlab.inference.classifier import Classifier
from cnnlab.inference.reference import reference_job
from pages.shared.parts import data_link, describe_run, split_here
from pages.shared.working import job_or_offer


def warn(models: Sequence[Classifier], scores: Sequence[float | None]) -> None:
    """Say of one image which of the networks has not been trained on anything like it."""
    outside = [(model, score) for model, score in zip(models, scores, strict=True) if score is not None and score > 1]
    if not outside:
        return
    score = max(score for _, score in outside)
    names = "; ".join(text.markdown(describe_run(model.run)) for model, _ in outside) if len(models) > 1 else ""
    st.warning(
        "This image is unlike the training images: do not trust the answer"
        + (f" of {names}. " if names else ". ")
        + f"Its out-of-distribution score is {score:.3g}; above 1 lie only 1 % of the validation images.",
        icon=":material/help:",
    )


def offer_reference(model: Classifier) -> None:
    """What is missing for the score, and the way to it."""
    if model.run.imported:
        st.info(
            "Its training images are not known here, so there is no out-of-distribution score.",
            icon=":material/info:",
        )
    elif split_here(model.run, "train") is None:
        st.info(
            "There is no out-of-distribution score yet: it needs the training images once, and they are not "
            "on this machine.",
            icon=":material/info:",
        )
        data_link(model.run)
    else:
        question = (
            "There is no out-of-distribution score yet. The network looks once at up to 2,000 "
            "training images, for a minute or so; a training does that at its end."
        )
        job_or_offer(
            reference_job(model.run, model.checkpoint), question, "Prepare", ":material/image_search:", "secondary"
        )
