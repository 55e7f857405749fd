"""Trained networks, loaded once for everybody."""

import streamlit as st

from cnnlab.prediction import Classifier, load_classifier
from cnnlab.runs.run import Run


def classifier(run: Run) -> Classifier:
    """The network of a run with its best weights so far; loading TensorFlow takes seconds the first time."""
    return _classifier(run, run.checkpoint("best").info.step)


@st.cache_resource(max_entries=4, show_spinner=False, hash_funcs={Run: lambda run: str(run.folder)})
def _classifier(run: Run, step: int) -> Classifier:
    return load_classifier(run)
