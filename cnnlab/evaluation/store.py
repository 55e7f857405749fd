"""Evaluations as they are kept with a run: `evaluations/<split>-<step>-<tta>/` with evaluation.json, the figures, and
predictions.npz, what the network said of each image. Both files are written together, or neither is.
"""

from __future__ import annotations

import time
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from cnnlab.datasets import Progress, Split, SplitName, silent
from cnnlab.errors import UserError
from cnnlab.evaluation.images import Predictions
from cnnlab.evaluation.measures import Evaluation, measures
from cnnlab.inference.classifier import Classifier
from cnnlab.inference.tta import Tta, TtaPredictor
from cnnlab.runs.data import split_of
from cnnlab.runs.run import CheckpointChoice, Run
from cnnlab.storage.files import write_text
from cnnlab.storage.leftovers import written_aside

EVALUATION_CHUNK = 512
EVALUATION_FILE = "evaluation.json"
PREDICTIONS_FILE = "predictions.npz"


@dataclass(frozen=True)
class Key:
    """Which evaluation of a run: of which split, of the checkpoint at which step, with which test-time augmentation."""

    split: SplitName
    step: int
    tta: Tta = "plain"

    def folder(self, run: Run) -> Path:
        return run.folder / "evaluations" / f"{self.split}-{self.step:08d}-{self.tta}"


def evaluate(
    classifier: Classifier, split: SplitName = "test", tta: Tta = "plain", progress: Progress = silent
) -> Evaluation:
    """Classify every image of a split once, and keep the figures and the predictions with the run."""
    began = time.monotonic()
    predictions = predict_all(classifier, split_of(classifier.run, split), tta, progress)
    point = classifier.checkpoint.info
    evaluation = Evaluation(
        run=classifier.run.id,
        split=split,
        tta=tta,
        dataset=classifier.data.title,
        step=point.step,
        epoch=point.epoch,
        seconds=time.monotonic() - began,
        **measures(predictions, classifier.data.classes),
    )
    try:
        keep(classifier.run, evaluation, predictions)
    except OSError as error:
        raise UserError(f"The evaluation cannot be kept with run {classifier.run.id}: {error.strerror}.") from error
    return evaluation


def predict_all(classifier: Classifier, split: Split, tta: Tta = "plain", progress: Progress = silent) -> Predictions:
    """What the network says of each image of a split."""
    predictor = TtaPredictor(classifier, tta)
    parts = []
    for start in range(0, len(split), EVALUATION_CHUNK):
        progress(f"{start:,} of {len(split):,} images", start / len(split))
        parts.append(predictor.probabilities(split.batch(slice(start, start + EVALUATION_CHUNK))[0]))
    return Predictions(np.concatenate(parts), np.asarray(split.labels)[split.indices], split.indices)


def keep(run: Run, evaluation: Evaluation, predictions: Predictions) -> None:
    folder = Key(evaluation.split, evaluation.step, evaluation.tta).folder(run)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / EVALUATION_FILE).unlink(missing_ok=True)
    with written_aside(folder / PREDICTIONS_FILE) as partial, partial.open("wb") as file:
        np.savez_compressed(
            file, probabilities=predictions.probabilities, labels=predictions.labels, rows=predictions.rows
        )
    write_text(folder / EVALUATION_FILE, evaluation.model_dump_json())


def read(folder: Path) -> Evaluation | None:
    try:
        return Evaluation.model_validate_json((folder / EVALUATION_FILE).read_bytes())
    except (OSError, ValidationError):
        return None


def kept_evaluation(
    run: Run, split: SplitName = "test", which: CheckpointChoice = "best", tta: Tta = "plain"
) -> Evaluation | None:
    """The evaluation kept with a run, of the checkpoint that is its best (last, ...) today."""
    try:
        return read(Key(split, run.checkpoint(which).info.step, tta).folder(run))
    except UserError:
        return None


def evaluations(run: Run) -> list[Evaluation]:
    """All evaluations kept with a run."""
    folders = sorted((run.folder / "evaluations").glob("*-????????-*"))
    return [found for found in map(read, folders) if found]


def kept_predictions(run: Run, evaluation: Evaluation) -> Predictions:
    """What the network said of each image; UserError where the file is missing or damaged."""
    path = Key(evaluation.split, evaluation.step, evaluation.tta).folder(run) / PREDICTIONS_FILE
    try:
        with np.load(path, allow_pickle=False) as arrays:
            found = Predictions(arrays["probabilities"], arrays["labels"], arrays["rows"])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise UserError(f"Run {run.id}: the predictions of this evaluation are damaged; evaluate it anew.") from error
    if found.probabilities.shape != (evaluation.images, len(evaluation.classes)):
        raise UserError(f"Run {run.id}: the predictions of this evaluation are damaged; evaluate it anew.")
    return found
