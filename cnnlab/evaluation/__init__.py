"""How good a trained network is on images it did not learn from.

An evaluation is of one checkpoint, on one split, with one test-time augmentation (the image as it is, or an
average over several copies of it). It is computed once and kept with the run: the figures, and what the network said
of each image.
"""

from cnnlab.evaluation.images import Predictions
from cnnlab.evaluation.measures import Evaluation
from cnnlab.evaluation.store import Key, evaluate, evaluations, kept_evaluation, kept_predictions
from cnnlab.inference.tta import TTA_TITLES, Tta
from cnnlab.runs.data import split_of

__all__ = [
    "TTA_TITLES",
    "Evaluation",
    "Key",
    "Predictions",
    "Tta",
    "evaluate",
    "evaluations",
    "kept_evaluation",
    "kept_predictions",
    "split_of",
]
