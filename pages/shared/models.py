"""Trained networks, loaded once for everybody."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st

from cnnlab.datasets.images import Pixels
from cnnlab.inference import reference
from cnnlab.inference.classifier import Classifier, Prediction, load_classifier
from cnnlab.inference.reference import Reference
from cnnlab.runs.run import Run


def classifier(run: Run) -> Classifier:
    """The network of a run with its best weights so far; loading TensorFlow takes seconds the first time."""
    return _classifier(run, run.checkpoint("best").info.step)


@st.cache_resource(max_entries=4, show_spinner=False, hash_funcs={Run: lambda run: str(run.folder)})
def _classifier(run: Run, step: int) -> Classifier:
    return load_classifier(run)


def reference_of(run: Run) -> Reference | None:
    """The reference of a run's best checkpoint, where there is one."""
    checkpoint = run.checkpoint("best")
    path = run.folder / reference.REFERENCE_FILE
    return _reference(run, checkpoint.info.step, path.stat().st_mtime) if path.exists() else None


@st.cache_resource(max_entries=8, show_spinner=False, hash_funcs={Run: lambda run: str(run.folder)})
def _reference(run: Run, step: int, written: float) -> Reference | None:
    return reference.kept_reference(run, run.checkpoint("best"))


def ood_scores(model: Classifier, predictions: Sequence[Prediction], place: int) -> reference.Scores | None:
    """The out-of-distribution score of each image for the network at a place; None where it has no reference."""
    found = reference_of(model.run)
    if found is None or found.step != model.checkpoint.info.step or not predictions:
        return None
    inputs = np.stack([one.inputs[place] for one in predictions])
    return found.ood_scores(features(model, inputs), inputs)


def features(model: Classifier, inputs: Pixels) -> reference.Features:
    """What a network sees in inputs (count, height, width, 3), by a function that is compiled once."""
    function = _feature_function(model.run, model.checkpoint.info.step, model)
    parts = [
        function(inputs[at : at + reference.REFERENCE_BATCH]).numpy()
        for at in range(0, len(inputs), reference.REFERENCE_BATCH)
    ]
    return np.concatenate(parts)


@st.cache_resource(max_entries=4, show_spinner=False, hash_funcs={Run: lambda run: str(run.folder)})
def _feature_function(run: Run, step: int, _model: Classifier) -> Any:
    return reference.feature_function(_model)
