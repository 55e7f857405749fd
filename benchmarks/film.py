"""What the film of a training costs: `CNNLAB_DATA=... python benchmarks/film.py`, written into `benchmarks/film.md`.

Each network is trained by the recipe that it is shipped with, scaled to a few epochs, on part of its images: a frame
costs the same whatever is learned from, so the share is that of a frame in an epoch over all images, at the speed
measured in the same run. The digits are trained on as they are.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT))

from cnnlab import datasets, hardware, runs  # noqa: E402
from cnnlab.datasets import Split  # noqa: E402
from cnnlab.experiments.experiment import Experiment, plan  # noqa: E402
from cnnlab.experiments.recipe import make_recipe  # noqa: E402
from cnnlab.runs import film  # noqa: E402
from cnnlab.runs.run import Data, Run  # noqa: E402
from cnnlab.training.filming import Filming  # noqa: E402
from cnnlab.training.loop import Loop  # noqa: E402
from cnnlab.training.reporter import Reporter  # noqa: E402

SHIPPED = PROJECT / "shipped"
DIGITS = "minivggnet on the digits"
NETWORKS = (DIGITS, "minivggnet-cifar10", "minigooglenet-cifar10", "deepergooglenet-tiny-imagenet")
EPOCHS = 3
SLOWER = 100
"""So few steps at the full rate make a network diverge, which nothing measured here depends on."""
MOST_FRAMES = film.MOST_FRAMES + 2


def experiment_of(name: str) -> Experiment:
    if name == DIGITS:
        return plan("minivggnet", "digits", {}, make_recipe(epochs=10))
    shipped = Run(SHIPPED / name).config.experiment
    changes = {"mixed_precision": hardware.has_bfloat16(), "learning_rate": shipped.recipe.learning_rate / SLOWER}
    recipe = shipped.recipe.in_epochs(EPOCHS).model_copy(update=changes)
    return plan(shipped.origin, shipped.dataset, shipped.options, recipe)


def some_of(split: Split, count: int) -> Split:
    """So many of its images, of all classes: they may stand in the classes' order."""
    places = np.linspace(0, len(split) - 1, count).round().astype(int)
    return Split(split.name, split.images, split.labels, split.indices[places])


def timed(act: Callable[..., None], spent: list[float]) -> Callable[..., None]:
    def measured(*given: Any) -> None:
        began = time.monotonic()
        act(*given)
        spent.append(time.monotonic() - began)

    return measured


def measure(name: str, images: int) -> dict[str, Any]:
    """Train one network and time its frames within the training."""
    experiment, spent, first = experiment_of(name), [], []
    recipe = experiment.recipe
    dataset = datasets.load(experiment.dataset)
    whole, judged = dataset.training_splits(recipe.validation_fraction, recipe.seed)
    share = min(images / len(whole), 1.0) if name != DIGITS else 1.0
    training, validation = some_of(whole, round(len(whole) * share)), some_of(judged, round(len(judged) * share))
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(sys.stderr):
        run = runs.create(experiment, Path(folder))
        reporter = Reporter(run)
        reporter.write_status(
            "preparing",
            epochs=recipe.epochs,
            steps_per_epoch=recipe.steps_per_epoch(len(training)),
            training_images=len(training),
            validation_images=len(validation),
        )
        height, width, _ = run.network.input_shape
        preprocessing = dataset.preprocessing((height, width)).model_copy(update={"crop": recipe.crop})
        data = Data(title=dataset.title, classes=dataset.classes, fingerprint="", preprocessing=preprocessing)
        loop = Loop(run, reporter, data, training, validation)
        Filming.begin, Filming.after_epoch = timed(Filming.begin, first), timed(Filming.after_epoch, spent)
        loop.prepare()
        while loop.epoch < recipe.epochs:
            loop.run_epoch()
        frames = {epoch: path.stat().st_size for epoch, path in film.frame_files(run).items()}
        seconds = [record["seconds"] for record in run.history()]
    if len(frames) != recipe.epochs + 1:
        sys.exit(f"{name}: the film has {len(frames)} frames.")
    learned = statistics.median(seconds) / share
    return {
        "name": name,
        "images": len(training),
        "epochs": recipe.epochs,
        "epoch": learned,
        "first": first[0],
        "frame": statistics.median(spent),
        "slowest": max(spent),
        "bytes": max(frames.values()),
    }


def row(found: dict[str, Any]) -> str:
    share = found["frame"] / found["epoch"]
    whole = (found["first"] + 60 * found["frame"]) / (60 * found["epoch"])
    return (
        f"| {found['name']} | {found['images']:,} | {found['epoch']:,.1f} s | {1000 * found['first']:,.0f} ms | "
        f"{1000 * found['frame']:,.0f} ms | {1000 * found['slowest']:,.0f} ms | {share:.2%} | {whole:.2%} | "
        f"{found['bytes'] / 1000:,.0f} kB | {MOST_FRAMES * found['bytes'] / 1e6:.1f} MB |"
    )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--images", type=int, default=6_000, help="to learn from, of each network's")
    options.add_argument("--only", choices=NETWORKS, help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.only:
        print(json.dumps(measure(given.only, given.images)))
        return
    machine = hardware.describe().get("processor", platform.machine())
    precision = "mixed precision" if hardware.has_bfloat16() else "float32"
    print(
        "# The film of a training\n\n"
        f"`python benchmarks/film.py --images {given.images}` on {machine}, "
        f"{hardware.cores()} cores, Python {platform.python_version()}, {precision}.\n\n"
        f"Each network by the recipe it is shipped with, scaled to {EPOCHS} epochs, on so many of its training images "
        "at a hundredth of its learning rate; "
        "the epoch is that over all of them, at the speed measured (median). The first frame is taken before the "
        "training and prepares the others. Whole run: 60 epochs with the first frame. The largest film is "
        f"{MOST_FRAMES} frames of the largest size met.\n\n"
        "| network | images | an epoch | first frame | a frame | slowest | of an epoch | whole run | a frame's file "
        "| largest film |\n| --- |" + " ---: |" * 9
    )
    for name in NETWORKS:
        command = [sys.executable, __file__, "--only", name, "--images", str(given.images)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        print(row(json.loads(done.stdout.strip().splitlines()[-1])), flush=True)


if __name__ == "__main__":
    main()
