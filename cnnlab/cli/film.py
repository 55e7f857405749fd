"""The command that shows what a run filmed of its training."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from cnnlab import runs, units
from cnnlab.cli.output import echo, print_json, print_table
from cnnlab.errors import UserError
from cnnlab.plots.film import followed_classes, picture
from cnnlab.runs.film import IMAGES_FILE, OWN, Frame, Scene, damaged_files, frame_files, frames, read_scene
from cnnlab.runs.run import Run
from cnnlab.zoo import catalogue as networks

FORMATS = {".gif": "GIF", ".webp": "WEBP"}
LEAST_SECONDS, MOST_SECONDS = 0.02, 10.0
HELD = 6
"""How many times as long the last epoch is seen."""


def film_run(options: argparse.Namespace) -> int:
    run = networks.find(options.run, runs.runs_folder(options.runs_dir))
    scene = read_scene(run)
    kept = list(frames(run, scene)) if scene else []
    if scene is None or not kept:
        raise UserError(why_none(run))
    if options.output is not None:
        write_film(run, scene, kept, options)
        return 0
    classes = run.data.classes
    names = ["your own" if label == OWN else classes[label] for label in scene.labels]
    accuracies = {record["epoch"]: record["validation_accuracy"] for record in run.history()}
    if options.json:
        epochs = [{"epoch": one.epoch, "validation_accuracy": accuracies.get(one.epoch)} for one in kept]
        print_json({"run": run.id, "images": names, "layers": scene.layers, "epochs": epochs})
        return 0
    echo(f"{run.id}: {len(kept)} epochs, {len(names)} images ({', '.join(names)})")
    rows = [(str(one.epoch), units.percent(accuracies.get(one.epoch))) for one in kept]
    print_table(("epoch", "validation accuracy"), rows, right=(0, 1))
    return 0


def why_none(run: Run) -> str:
    if run.imported:
        return f"{run.id} was imported as a file, so nobody filmed its training."
    if frame_files(run):
        images = f"film/{IMAGES_FILE} is missing or damaged"
        lost = images if IMAGES_FILE in damaged_files(run) else "none of its frames can be read"
        return f"The film of run {run.id} cannot be shown: {lost}."
    return f"Run {run.id} has no film: it was trained with --film false or by an earlier version, or has not begun."


def write_film(run: Run, scene: Scene, kept: list[Frame], options: argparse.Namespace) -> None:
    """Write the frames as one picture that moves; UserError where it cannot be."""
    target = Path(options.output)
    form = FORMATS.get(target.suffix.lower())
    if form is None:
        raise UserError(f"--output {options.output}: the picture is written as .gif or .webp.")
    if not 1 <= options.image <= len(scene.images):
        raise UserError(f"--image {options.image}: the run films {len(scene.images)} images; give a number from 1.")
    if not LEAST_SECONDS <= options.seconds <= MOST_SECONDS:
        raise UserError(f"--seconds {options.seconds:g}: give {LEAST_SECONDS:g} to {MOST_SECONDS:g}.")
    title, classes, history = run.config.experiment.title, run.data.classes, run.history()
    number = options.image - 1
    followed = followed_classes(np.stack([one.probabilities[number] for one in kept]), int(scene.labels[number]))
    pictures = [picture(title, scene, one, number, followed, classes, history) for one in kept]
    span = round(options.seconds * 1000)
    spans = [*([span] * (len(pictures) - 1)), HELD * span]
    try:
        pictures[0].save(
            target, form, save_all=True, append_images=pictures[1:], duration=spans, loop=0, optimize=False
        )
    except OSError as error:
        raise UserError(f"{target} cannot be written: {error.strerror}.") from error
    echo(f"{target}: {len(pictures)} epochs, {units.size(target.stat().st_size)}")
