"""Trained networks, loaded once for everybody."""

from typing import Any

import numpy as np
import streamlit as st

from cnnlab import neighbours
from cnnlab.images import Pixels
from cnnlab.neighbours import Neighbourhood
from cnnlab.prediction import Classifier, load_classifier
from cnnlab.runs.run import Run


def classifier(run: Run) -> Classifier:
    """The network of a run with its best weights so far; loading TensorFlow takes seconds the first time."""
    return _classifier(run, run.checkpoint("best").info.step)


@st.cache_resource(max_entries=4, show_spinner=False, hash_funcs={Run: lambda run: str(run.folder)})
def _classifier(run: Run, step: int) -> Classifier:
    return load_classifier(run)


def neighbourhood(run: Run) -> Neighbourhood | None:
    """The training images around a run's best checkpoint, once prepared."""
    checkpoint = run.checkpoint("best")
    path = neighbours.path_of(run, checkpoint)
    return _neighbourhood(run, checkpoint.info.step, path.stat().st_mtime) if path.exists() else None


@st.cache_resource(max_entries=2, show_spinner=False, hash_funcs={Run: lambda run: str(run.folder)})
def _neighbourhood(run: Run, step: int, written: float) -> Neighbourhood | None:
    return neighbours.kept(run, run.checkpoint("best"))


def features(model: Classifier, inputs: Pixels) -> neighbours.Features:
    """What a network sees in inputs (count, height, width, 3), by a function that is compiled once."""
    function = _feature_function(model.run, model.checkpoint.info.step, model)
    parts = [function(inputs[at : at + neighbours.BATCH]).numpy() for at in range(0, len(inputs), neighbours.BATCH)]
    return np.concatenate(parts)


@st.cache_resource(max_entries=4, show_spinner=False, hash_funcs={Run: lambda run: str(run.folder)})
def _feature_function(run: Run, step: int, _model: Classifier) -> Any:
    return neighbours.feature_function(_model)
