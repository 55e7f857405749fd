"""How good a trained network is on images it did not learn from.

An evaluation is of one checkpoint, on one split, by one view (`views.py`: the image as it is, or an average over
several views of it). It is computed once and kept with the run: the figures, and what the network said of each image.
"""

from cnnlab.evaluation.images import Predictions
from cnnlab.evaluation.measures import Evaluation
from cnnlab.evaluation.store import Key, evaluate, evaluations, kept_evaluation, kept_predictions
from cnnlab.inference.tta import VIEWS, View
from cnnlab.runs.data import split_of

__all__ = [
    "VIEWS",
    "Evaluation",
    "Key",
    "Predictions",
    "View",
    "evaluate",
    "evaluations",
    "kept_evaluation",
    "kept_predictions",
    "split_of",
]
