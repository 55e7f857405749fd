"""From what a network said of each image to the figures that sum it up."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, model_validator

from cnnlab.datasets import SplitName
from cnnlab.evaluation.images import Predictions
from cnnlab.inference.tta import Tta

TINY = 1e-7
BINS = 15
THRESHOLDS = 101
RANKS = 5


class Bin(BaseModel):
    """The images whose confidence lies between two bounds: how sure the network was, and how often right."""

    model_config = ConfigDict(frozen=True)

    low: float
    high: float
    images: int
    confidence: float
    accuracy: float


class Evaluation(BaseModel):
    """The figures of one checkpoint on one split.

    `report` is scikit-learn's classification report; `confusion` counts images by true class (rows) and predicted
    class (columns); `loss` is the mean cross-entropy in nats, a probability below 1e-7 counted as 1e-7. `bins` are 15
    of equal width over the confidence, `calibration_error` their expected calibration error: the mean distance of
    confidence and accuracy, weighted by images (Guo et al., 2017, arXiv:1706.04599).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    run: str
    split: SplitName
    tta: Tta
    dataset: str
    images: int
    step: int
    epoch: float
    accuracy: float
    top5_accuracy: float
    loss: float
    calibration_error: float
    bins: tuple[Bin, ...]
    classes: tuple[str, ...]
    report: dict[str, Any]
    confusion: list[list[int]]
    seconds: float

    @model_validator(mode="before")
    @classmethod
    def read_former_names(cls, record: Any) -> Any:
        """Records of earlier versions call `tta` `view`."""
        if isinstance(record, dict) and "view" in record:
            record = {**record, "tta": record["view"]}
            del record["view"]
        return record

    @property
    def rank5(self) -> float | None:
        """Rank-5 accuracy, where it says anything: among five classes or fewer the true one always is."""
        return self.top5_accuracy if len(self.classes) > RANKS else None

    @property
    def recalls(self) -> dict[str, float]:
        """Of the images of each class, the share that it found."""
        return {name: self.report[name]["recall"] for name in self.classes}


def measures(predictions: Predictions, classes: tuple[str, ...]) -> dict[str, Any]:
    """The fields of an Evaluation that follow from the predictions alone."""
    from sklearn.metrics import classification_report, confusion_matrix

    labels, predicted = predictions.labels, predictions.predicted
    of_label = predictions.probabilities[np.arange(len(labels)), labels]
    rank = (predictions.probabilities > of_label[:, None]).sum(axis=1)
    numbers = list(range(len(classes)))
    bins = reliability(predictions)
    return {
        "images": len(labels),
        "accuracy": float(predictions.right.mean()),
        "top5_accuracy": float((rank < RANKS).mean()),
        "loss": float(-np.log(np.maximum(of_label, TINY)).mean()),
        "bins": bins,
        "calibration_error": sum(one.images * abs(one.confidence - one.accuracy) for one in bins) / len(labels),
        "classes": classes,
        "report": classification_report(
            labels, predicted, labels=numbers, target_names=list(classes), output_dict=True, zero_division=0
        ),
        "confusion": confusion_matrix(labels, predicted, labels=numbers).tolist(),
    }


def reliability(predictions: Predictions) -> tuple[Bin, ...]:
    """Images by confidence in 15 bins of equal width; empty ones are left out."""
    edges = np.linspace(0, 1, BINS + 1)
    places = np.clip(np.digitize(predictions.confidence, edges[1:-1], right=True), 0, BINS - 1)
    bins = []
    for place in np.unique(places):
        inside = places == place
        bins.append(
            Bin(
                low=edges[place],
                high=edges[place + 1],
                images=int(inside.sum()),
                confidence=float(predictions.confidence[inside].mean()),
                accuracy=float(predictions.right[inside].mean()),
            )
        )
    return tuple(bins)


def by_threshold(predictions: Predictions) -> list[tuple[float, float, float | None]]:
    """What is left if the network may keep silent: for each least confidence from 0 to 1 the share of the images that
    it answers, and its accuracy on these (None where it answers none)."""
    order = np.sort(predictions.confidence)
    right_from = np.append(np.cumsum(predictions.right[np.argsort(predictions.confidence)][::-1])[::-1], 0)
    rows: list[tuple[float, float, float | None]] = []
    for threshold in np.linspace(0, 1, THRESHOLDS):
        first = int(np.searchsorted(order, threshold))
        answered = len(order) - first
        accuracy = float(right_from[first] / answered) if answered else None
        rows.append((float(threshold), answered / len(order), accuracy))
    return rows


def by_similarity(confusion: list[list[int]]) -> list[int]:
    """An order of the classes in which those that are taken for each other stand together: the leaves of a hierarchical
    clustering by average linkage, the distance being 1 less the share of images confused either way."""
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import squareform

    counts = np.asarray(confusion, np.float64)
    if len(counts) < 3:
        return list(range(len(counts)))
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    distance = 1 - (shares + shares.T) / 2
    np.fill_diagonal(distance, 0)
    return [int(leaf) for leaf in leaves_list(linkage(squareform(distance), "average", optimal_ordering=True))]


class Contest(BaseModel):
    """Two networks on the same images: how many both, only one, or neither has right; McNemar's exact test."""

    both: int
    first_only: int
    second_only: int
    neither: int
    p_value: float


def contest(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> Contest:
    """McNemar's test, exact: whether the images that only one has right could fall so by tossing a coin for each.

    McNemar, "Note on the sampling error of the difference between correlated proportions or percentages", 1947.
    """
    from scipy.stats import binomtest

    first_only, second_only = int((first & ~second).sum()), int((second & ~first).sum())
    differing = first_only + second_only
    return Contest(
        both=int((first & second).sum()),
        first_only=first_only,
        second_only=second_only,
        neither=int((~first & ~second).sum()),
        p_value=float(binomtest(first_only, differing, 0.5).pvalue) if differing else 1.0,
    )
