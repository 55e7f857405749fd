"""Commands that judge and use trained networks."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from cnnlab import runs
from cnnlab.cli.former import with_former
from cnnlab.cli.output import checkpoint_of, echo, print_json, print_table
from cnnlab.datasets.unpacking import file_bytes, on_disk
from cnnlab.errors import UserError
from cnnlab.runs.run import Run
from cnnlab.zoo import catalogue as networks

MOST_PORT = 65_535


def network_of(options: argparse.Namespace) -> Run:
    """The network that is named, to use it."""
    return networks.find(options.run, runs.runs_folder(options.runs_dir))


def import_model_file(options: argparse.Namespace) -> int:
    from cnnlab.zoo.imported import import_model

    classes = file_bytes(Path(options.classes)).decode(errors="replace").splitlines() if options.classes else ()
    path = Path(options.file)
    if not path.is_file():
        raise UserError(f"There is no file {path}.")
    print(import_model(path, options.name, classes, options.values, options.size).id)
    return 0


def fetch_pretrained(options: argparse.Namespace) -> int:
    from cnnlab.cli.data import Bar
    from cnnlab.zoo.pretrained import obtain, pretrained

    wanted = pretrained(options.name)
    with Bar() as progress:
        obtain(wanted, progress)
    print(wanted.name)
    return 0


def evaluate_run(options: argparse.Namespace) -> int:
    from cnnlab.evaluation import evaluate, export, kept_predictions, split_of
    from cnnlab.inference.classifier import load_classifier
    from cnnlab.lecture.results import lecture_report

    run = network_of(options)
    classifier = load_classifier(run, checkpoint_of(options.checkpoint))
    evaluation = evaluate(classifier, options.split, options.tta)
    if options.html or options.csv:
        predictions = kept_predictions(run, evaluation)
        if options.csv:
            write_file(options.csv, export.images_csv(evaluation, predictions))
        if options.html:
            mistakes = split_of(run, options.split).batch(predictions.mistakes()[: export.SHOWN_MISTAKES])[0]
            write_file(
                options.html,
                export.html_report(run, evaluation, predictions, mistakes, lecture_report(run, evaluation)),
            )
    if options.json:
        print_json(with_former(evaluation.model_dump(), "view", "tta"))
        return 0
    print(f"{run.id}, checkpoint after epoch {evaluation.epoch:g}")
    measured = f"{evaluation.dataset}, {evaluation.split} split, {evaluation.images:,} images"
    echo(f"{measured}, test-time augmentation {evaluation.tta}")
    print(
        f"rank-1 {evaluation.accuracy:.2%}, "
        + ("" if evaluation.rank5 is None else f"rank-5 {evaluation.rank5:.2%}, ")
        + f"loss {evaluation.loss:.4f}, "
        f"calibration error {evaluation.calibration_error:.2%}\n"
    )
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
    from cnnlab.inference.classifier import Prediction, classify, load_classifier, top_classes
    from cnnlab.inference.reference import ood_function

    if options.top < 1:
        raise UserError(f"--top takes a number from 1, not {options.top}.")
    run = network_of(options)
    classifier = load_classifier(run, checkpoint_of(options.checkpoint))
    judge = ood_function(classifier)
    answers: list[dict[str, Any]] = []
    rejected: dict[str, str] = {}
    place = place_of(options.place)
    for one in classify(on_disk(options.images), [classifier], sys.maxsize, options.fit, place):
        if isinstance(one, Prediction):
            top = top_classes(one.probabilities[0], classifier.data.classes, options.top)
            score = {"ood_score": float(judge(one.inputs[0][None])[0])} if judge else {}
            answers.append(
                {"image": one.name, "top": [{"class": label, "probability": p} for label, p in top], **score}
            )
        else:
            rejected[one.name] = one.reason
    if options.json:
        record = {"run": run.id, "predictions": answers, "rejected": rejected}
        print_json(with_former(record, "refused", "rejected"))
    else:
        for answer in answers:
            words = ", ".join(f"{item['class']} {item['probability']:.1%}" for item in answer["top"])
            score = answer.get("ood_score", 0.0)
            doubt = f" (out-of-distribution score {score:.3g}: unlike the training images)" if score > 1 else ""
            echo(f"{answer['image']}: {words}{doubt}")
    for message in rejected.values():
        echo(f"cnnlab: {message}", error=True)
    return 2 if rejected else 0


def place_of(given: float) -> float:
    """Where a crop lies; UserError where it is outside the image."""
    if not 0 <= given <= 1:
        raise UserError(f"--place takes a number from 0 (left or top) to 1 (right or bottom), not {given:g}.")
    return given


def write_file(name: str, text: str) -> None:
    try:
        Path(name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"{name} cannot be written: {error.strerror}.") from error


def export_run(options: argparse.Namespace) -> int:
    from cnnlab.inference.classifier import load_classifier
    from cnnlab.zoo.export import export

    run = network_of(options)
    target = Path(options.output or f"{run.id}-{options.format}.zip")
    difference = export(load_classifier(run, checkpoint_of(options.checkpoint)), options.format, target)
    echo(f"{target}: checked, probabilities differ from Keras's by at most {difference:.1g}")
    return 0


def serve_run(options: argparse.Namespace) -> int:
    from cnnlab.inference.classifier import load_classifier
    from cnnlab.inference.serving import serve

    if not 1 <= options.port <= MOST_PORT:
        raise UserError(f"--port takes a number from 1 to {MOST_PORT}, not {options.port}.")
    run = network_of(options)
    classifier = load_classifier(run, checkpoint_of(options.checkpoint))
    print(f"{run.id} answers at http://{options.host}:{options.port}/predict", flush=True)
    serve(classifier, options.host, options.port, options.allow_host, options.fit)
    return 0
