"""How good a trained network is on images it did not learn from."""

from __future__ import annotations

from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from cnnlab import datasets
from cnnlab.datasets import Progress, Split, SplitName, silent
from cnnlab.datasets.corruption import corrupt
from cnnlab.errors import UserError
from cnnlab.prediction import Classifier
from cnnlab.runs.files import write_text
from cnnlab.runs.run import Run

CHUNK = 1024
TINY = 1e-7


class Evaluation(BaseModel):
    """The figures of one checkpoint on one split.

    `report` is scikit-learn's classification report; `confusion` counts images by true class (rows) and predicted
    class (columns); `loss` is the mean cross-entropy in nats, a probability below 1e-7 counted as 1e-7.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    run: str
    split: SplitName
    dataset: str
    images: int
    step: int
    epoch: float
    accuracy: float
    top5_accuracy: float
    loss: float
    classes: tuple[str, ...]
    report: dict[str, Any]
    confusion: list[list[int]]


def split_of(run: Run, name: SplitName) -> Split:
    """The split of a run's data set, as the run had it; UserError if the data set has changed since."""
    experiment = run.config.experiment
    dataset = datasets.load(experiment.dataset)
    if dataset.fingerprint != run.data.fingerprint:
        raise UserError(
            f"The {dataset.title} images here are not those that run {run.id} was trained on ({run.data.title})."
        )
    recipe = experiment.recipe
    if name == "test":
        return corrupt(dataset.test_split(), dataset, recipe.pixels, recipe.seed)
    train, validation = dataset.training_splits(recipe.validation_fraction, recipe.seed)
    return corrupt(train if name == "train" else validation, dataset, recipe.pixels, recipe.seed)


def evaluate(classifier: Classifier, name: SplitName = "test", progress: Progress = silent) -> Evaluation:
    """Classify every image of a split once, and keep the figures with the run."""
    from sklearn.metrics import classification_report, confusion_matrix

    split = split_of(classifier.run, name)
    parts = []
    for start in range(0, len(split), CHUNK):
        progress(f"{start:,} of {len(split):,} images", start / len(split))
        parts.append(classifier.probabilities(split.batch(slice(start, start + CHUNK))[0]))
    probabilities = np.concatenate(parts)
    labels = split.batch(slice(None))[1]
    predicted = probabilities.argmax(axis=1)
    classes = classifier.data.classes
    of_label = probabilities[np.arange(len(labels)), labels]
    rank = (probabilities > of_label[:, None]).sum(axis=1)
    numbers = list(range(len(classes)))
    evaluation = Evaluation(
        run=classifier.run.id,
        split=name,
        dataset=classifier.data.title,
        images=len(split),
        step=classifier.checkpoint.info.step,
        epoch=classifier.checkpoint.info.epoch,
        accuracy=float((predicted == labels).mean()),
        top5_accuracy=float((rank < 5).mean()),
        loss=float(-np.log(np.maximum(of_label, TINY)).mean()),
        classes=classes,
        report=classification_report(
            labels, predicted, labels=numbers, target_names=list(classes), output_dict=True, zero_division=0
        ),
        confusion=confusion_matrix(labels, predicted, labels=numbers).tolist(),
    )
    folder = classifier.run.folder / "evaluations"
    folder.mkdir(exist_ok=True)
    write_text(folder / f"{name}.json", evaluation.model_dump_json(indent=1))
    return evaluation


def kept_evaluation(run: Run, name: SplitName = "test") -> Evaluation | None:
    """The evaluation kept with a run, unless it is of another checkpoint than today's best."""
    try:
        kept = Evaluation.model_validate_json((run.folder / "evaluations" / f"{name}.json").read_bytes())
        return kept if kept.step == run.checkpoint("best").info.step else None
    except (OSError, ValidationError, UserError):
        return None
