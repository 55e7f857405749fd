"""Commands that judge and use trained networks."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from cnnlab import runs
from cnnlab.cli.output import print_json, print_table
from cnnlab.errors import UserError


def evaluate_run(options: argparse.Namespace) -> int:
    from cnnlab.evaluation import evaluate
    from cnnlab.prediction import load_classifier

    run = runs.find(options.run, runs.runs_folder(options.runs_dir))
    evaluation = evaluate(load_classifier(run), options.split)
    if options.json:
        print_json(evaluation.model_dump())
        return 0
    print(f"{run.id}, checkpoint after epoch {evaluation.epoch:g}")
    print(f"{evaluation.dataset}, {evaluation.split} split, {evaluation.images:,} images")
    print(f"rank-1 {evaluation.accuracy:.2%}, rank-5 {evaluation.top5_accuracy:.2%}, loss {evaluation.loss:.4f}\n")
    averages = ("macro avg", "weighted avg")
    print_table(
        ("", "precision", "recall", "f1-score", "support"),
        [
            (
                name,
                *(f"{evaluation.report[name][figure]:.2f}" for figure in ("precision", "recall", "f1-score")),
                f"{evaluation.report[name]['support']:.0f}",
            )
            for name in (*evaluation.classes, *averages)
        ],
        right=(1, 2, 3, 4),
    )
    return 0


def predict_images(options: argparse.Namespace) -> int:
    from cnnlab.images import read_image
    from cnnlab.prediction import load_classifier, top_classes

    if options.top < 1:
        raise UserError(f"--top takes a number from 1, not {options.top}.")
    run = runs.find(options.run, runs.runs_folder(options.runs_dir))
    images, refused = [], {}
    for name in options.images:
        try:
            images.append((name, read_image(read_file(name), name)))
        except UserError as error:
            refused[name] = str(error)
    answers: list[dict[str, Any]] = []
    if images:
        classifier = load_classifier(run)
        probabilities = classifier.probabilities([image for _, image in images])
        for (name, _), row in zip(images, probabilities, strict=True):
            top = top_classes(row, classifier.data.classes, options.top)
            answers.append({"image": name, "top": [{"class": label, "probability": p} for label, p in top]})
    if options.json:
        print_json({"run": run.id, "predictions": answers, "refused": refused})
    else:
        for answer in answers:
            print(
                answer["image"]
                + ": "
                + ", ".join(f"{item['class']} {item['probability']:.1%}" for item in answer["top"])
            )
    for message in refused.values():
        print(f"cnnlab: {message}", file=sys.stderr)
    return 2 if refused else 0


def read_file(name: str) -> bytes:
    try:
        return Path(name).read_bytes()
    except OSError as error:
        raise UserError(f"{name} cannot be read: {error.strerror}.") from error
