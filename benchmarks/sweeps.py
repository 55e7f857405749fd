"""What stopping early costs and saves: `python benchmarks/sweeps.py`, written into `benchmarks/sweeps.md`.

The full grid of 27 settings of MiniVGGNet on scikit-learn's digits, and the same 27 as a sweep that stops early, with
the same seed and the same plan for each trial. Both are sweeps as a person starts them: real trainings in processes of
their own, one after the other, through the queue and its dispatcher, on one processor. The trainings are deterministic,
so that the first epochs of a trial must be the same, to the last digit, whether it was stopped and resumed or not.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT))

from cnnlab import runs, units  # noqa: E402
from cnnlab.experiments.experiment import Experiment, plan  # noqa: E402
from cnnlab.experiments.recipe import make_recipe  # noqa: E402
from cnnlab.runs import queue  # noqa: E402
from cnnlab.runs.sweeps import going  # noqa: E402
from cnnlab.runs.sweeps.overview import Overview, described, overview  # noqa: E402
from cnnlab.runs.sweeps.record import Trial  # noqa: E402
from cnnlab.runs.sweeps.rules import Stopping  # noqa: E402
from cnnlab.runs.sweeps.space import titled  # noqa: E402

VALUES = {
    "learning_rate": ["0.0001", "0.001", "0.01"],
    "batch_size": ["32", "64", "128"],
    "dropout": ["0", "0.25", "0.5"],
}
MOST_POINTS, MOST_SHARE = 0.5, 0.4
PATIENCE_SECONDS, KILL_SECONDS = 3600.0, 20.0


@dataclass(frozen=True)
class Measured:
    """A sweep that has ended, the seconds that it took, and how often its dispatcher was killed meanwhile."""

    shown: Overview
    seconds: float
    kills: int

    @property
    def best(self) -> Trial:
        if self.shown.best is None:
            raise SystemExit("No trial has finished an epoch.")
        return self.shown.best

    @property
    def accuracy(self) -> float:
        return self.best.best["validation_accuracy"] if self.best.best else 0.0

    @property
    def sittings(self) -> int:
        """How often a training process was begun."""
        begun = ("started", "resumed")
        return sum(event.get("event") in begun for one in self.shown.trials for event in one.run.events())


def experiment_of(epochs: int) -> Experiment:
    """MiniVGGNet on the digits at their own 8x8 pixels; three in ten training images validate, so that one of them is
    a quarter of a point."""
    recipe = make_recipe(epochs=epochs, validation_fraction=0.3, deterministic=True, film=False)
    return plan("minivggnet", "digits", {"input_size": 8}, recipe)


def measured(experiment: Experiment, stopping: Stopping, folder: Path) -> Measured:
    """Run a sweep of all 27 to its end. The dispatcher of one that stops early is killed again and again; nothing is
    done about that but what an open page does."""
    began = killed = time.monotonic()
    kills = 0
    sweep = going.start(experiment, VALUES, folder, stopping=stopping)
    while sweep.state().finished is None:
        now = time.monotonic()
        if now - began > PATIENCE_SECONDS:
            raise SystemExit(f"{sweep.folder} has not ended: {overview(sweep).state}")
        if stopping.rule != "none" and now - killed > KILL_SECONDS:
            killed, kills = now, kills + kill_dispatcher(folder)
        time.sleep(0.5)
        queue.resume_queue(folder)
    found = Measured(overview(sweep), time.monotonic() - began, kills)
    print(f"{described(stopping, experiment.recipe.epochs)} {found.shown.spent} {found.seconds:.0f} s", flush=True)
    return found


def kill_dispatcher(folder: Path) -> int:
    """SIGKILL to the dispatcher of a runs folder; how many there were."""
    command = ["-m", "cnnlab.runs.dispatcher", str(folder)]
    found = [one for one in psutil.process_iter(["cmdline"]) if (one.info["cmdline"] or [])[-3:] == command]
    for one in found:
        one.kill()
    return len(found)


def same_beginnings(grid: Measured, stopped: Measured) -> int:
    """How many epochs of the stopped sweep's trials were the same in the full one's; SystemExit where one was not."""
    whole = {titled(trial.changes): trial for trial in grid.shown.trials}
    count = 0
    for trial in stopped.shown.trials:
        for mine, other in zip(trial.history, whole[titled(trial.changes)].history, strict=False):
            figures = ("loss", "accuracy", "validation_loss", "validation_accuracy")
            if any(mine.get(figure) != other.get(figure) for figure in figures):
                raise SystemExit(f"Epoch {mine['epoch']} of {titled(trial.changes)} differs between the sweeps.")
            count += 1
    return count


def rungs_of(one: Measured, stopping: Stopping, epochs: int) -> str:
    ends = [*stopping.rungs(epochs), epochs]
    return ", ".join(f"{sum(trial.epoch >= end for trial in one.shown.trials)} to epoch {end}" for end in ends)


def report(grid: Measured, stopped: list[tuple[Stopping, Measured]], epochs: int, wall: float) -> str:
    lines = [
        "# Sweeps that stop early",
        "",
        "Written by `python benchmarks/sweeps.py`. MiniVGGNet on scikit-learn's digits (8x8 pixels), 27 settings: "
        + "; ".join(f"{name.replace('_', ' ')} {', '.join(values)}" for name, values in VALUES.items())
        + f". Each trial is planned with {epochs} epochs, Adam, a linear schedule, seed 0, and 30% of the training "
        "images to validate. Real trainings through the queue, one after the other, on one processor of "
        f"{platform.machine()} ({os.cpu_count()} processors), {wall / 60:.0f} minutes in all.",
        "",
        "| | best validation accuracy | its setting | epochs | of the grid's | trained how far | processes | time |",
        "| --- | ---: | --- | ---: | ---: | --- | ---: | ---: |",
    ]
    for name, rule, one in [("full grid", Stopping(), grid), *((described(r, epochs), r, m) for r, m in stopped)]:
        lines.append(
            f"| {name.rstrip('.')} | {one.accuracy:.2%} | {titled(one.best.changes)} | {one.shown.epochs_trained} "
            f"| {one.shown.epochs_trained / grid.shown.epochs_trained:.0%} | {rungs_of(one, rule, epochs)} "
            f"| {one.sittings} | {units.duration(one.seconds)} |"
        )
    lines.append("")
    for rule, one in stopped:
        points = 100 * (grid.accuracy - one.accuracy)
        share = one.shown.epochs_trained / grid.shown.epochs_trained
        held = points <= MOST_POINTS and share <= MOST_SHARE
        lines.append(
            f"{rule.rule}: {points:.2f} points below the full grid's best, with {share:.0%} of its epochs. "
            f"{'Held' if held else 'Missed'}: at most {MOST_POINTS} points, at most {MOST_SHARE:.0%}. "
            f"{same_beginnings(grid, one)} of its {one.shown.epochs_trained} epochs were the grid's to the last digit. "
            f"Its dispatcher was killed {one.kills} times on the way: {len(one.shown.trials)} of 27 trials are there, "
            f"{sum(trial.epoch > 0 for trial in one.shown.trials)} of them trained."
        )
        lines.append("")
    lines += [
        "An epoch takes a fraction of a second here, so that what a rule saves is partly eaten up by starting a "
        "process for each sitting; where an epoch takes minutes, the share of the epochs is the share of the time.",
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--epochs", type=int, default=27, help="of each trial (default 27)")
    options.add_argument("--min-epochs", type=int, default=1, help="before the first judgement (default 1)")
    options.add_argument("--factor", type=int, default=3, help="one in so many goes on (default 3)")
    options.add_argument("--rules", nargs="+", default=["asha", "halving"], help="which (default asha halving)")
    options.add_argument("--output", type=Path, default=PROJECT / "benchmarks" / "sweeps.md")
    options.add_argument("--keep", type=Path, help="a folder to keep the runs in")
    given = options.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # the trainings inherit it
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as temporary:
        folder = runs.runs_folder(str(given.keep or Path(temporary) / "runs"))
        experiment = experiment_of(given.epochs)
        grid = measured(experiment, Stopping(), folder)
        stopped = []
        for name in given.rules:
            rule = Stopping.model_validate({"rule": name, "min_epochs": given.min_epochs, "factor": given.factor})
            stopped.append((rule, measured(experiment, rule, folder)))
        text = report(grid, stopped, given.epochs, time.monotonic() - began)
    given.output.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
