"""Commands that train, judge and use networks."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from cnnlab import runs, units
from cnnlab.cli.output import pairs, print_json, print_table
from cnnlab.errors import UserError
from cnnlab.runs.config import plan
from cnnlab.runs.run import Run
from cnnlab.runs.status import ACTIVE, Status
from cnnlab.training.recipe import Recipe, make_recipe

POLL_SECONDS = 0.25
RUN_COLUMNS = ("id", "state", "best validation accuracy", "epochs", "duration")


def run_training(options: argparse.Namespace) -> int:
    given = {name: getattr(options, name) for name in Recipe.model_fields}
    recipe = make_recipe(**{name: value for name, value in given.items() if value is not None})
    experiment = plan(options.architecture, options.dataset, pairs(options.set), recipe)
    run = runs.create(experiment, runs.runs_folder(options.runs_dir))
    runs.start(run)
    code = 0 if options.detach else follow(run)
    print(run.id)
    return code


def follow(run: Run) -> int:
    """Show a run's progress until it ends; Ctrl-C asks it to stop and waits for its checkpoint."""
    columns = (BarColumn(), TextColumn("{task.percentage:>3.0f}%"), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True, highlight=False)) as bar:
        task = bar.add_task("Starting", total=None)
        while True:
            try:
                status = run.status()
                bar.update(
                    task,
                    description=described(run, status),
                    completed=status.step,
                    total=status.steps or None,
                )
                if status.state not in ACTIVE:
                    break
                time.sleep(POLL_SECONDS)
            except KeyboardInterrupt:
                run.request_stop()
    if status.state in ("failed", "interrupted"):
        print(f"cnnlab: {run.id} {status.state}: {status.message}", file=sys.stderr)
        return 2
    return 0


def described(run: Run, status: Status) -> str:
    if status.state == "running":
        epoch = min(status.step // status.steps_per_epoch + 1, status.epochs)
        words = [f"epoch {epoch}/{status.epochs}"]
        if status.images_per_second:
            words.append(f"{status.images_per_second:.0f} images/s")
        if status.seconds_left is not None:
            words.append(f"{units.duration(status.seconds_left)} left")
        if best := run.best_epoch():
            words.append(f"best validation accuracy {units.percent(best['validation_accuracy'])}")
        return ", ".join(words)
    return status.message or status.state


def show_runs(options: argparse.Namespace) -> int:
    summaries = [runs.summary(run) for run in runs.listing(runs.runs_folder(options.runs_dir))]
    if options.json:
        print_json(summaries)
        return 0
    print_table(
        RUN_COLUMNS,
        [
            (
                item["id"],
                item["state"],
                units.percent(item["best_validation_accuracy"]),
                f"{item['epochs_done']}/{item['epochs']}",
                units.duration(item["seconds"]),
            )
            for item in summaries
        ],
        right=(2, 3, 4),
    )
    return 0


def stop_run(options: argparse.Namespace) -> int:
    run = runs.find(options.run, runs.runs_folder(options.runs_dir))
    if run.status().state not in ACTIVE:
        raise UserError(f"Run {run.id} is not at work: it is {run.status().state}.")
    run.request_stop()
    print(run.id)
    return 0


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
