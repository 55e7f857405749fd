"""Runs side by side: the settings in which they differ, and what each reached."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import inf
from typing import Any

from cnnlab.errors import UserError
from cnnlab.runs.records import best_of
from cnnlab.runs.run import Run

TESTED = ("test", "plain")


@dataclass(frozen=True)
class RunComparison:
    """`settings`: of each setting that differs, the value in each run (None where a run has no such setting).

    `figures`: of each run id, title, preset, group, best_validation_accuracy, best_epoch, final_validation_accuracy,
    final_accuracy, final_loss, final_validation_loss, test_accuracy (of the kept evaluation), epochs, seconds at
    work, parameters and multiply_adds per image; None for what is not known.
    """

    settings: dict[str, list[Any]]
    figures: list[dict[str, Any]]


def comparison(runs: Sequence[Run]) -> RunComparison:
    """The comparison of these runs, in their order."""
    every = [run.config.experiment.settings() for run in runs]
    names = list(dict.fromkeys(name for settings in every for name in settings))
    values = {name: [settings.get(name) for settings in every] for name in names}
    return RunComparison(
        settings={name: row for name, row in values.items() if any(value != row[0] for value in row)},
        figures=[figures_of(run) for run in runs],
    )


def figures_of(run: Run) -> dict[str, Any]:
    """What a run reached, and what its network costs."""
    from cnnlab.evaluation import evaluations, kept_evaluation

    history = run.history()
    best = best_of(history)
    last = history[-1] if history else None
    kept = kept_evaluation(run) or next((one for one in evaluations(run) if (one.split, one.tta) == TESTED), None)
    costs: tuple[int, int] | tuple[None, None] = (None, None)
    with suppress(UserError):
        costs = (run.network.parameters, run.network.multiply_adds)
    return {
        "id": run.id,
        "title": run.labels().name or run.id,
        "preset": run.config.preset,
        "group": run.config.group,
        "best_validation_accuracy": best["validation_accuracy"] if best else None,
        "best_epoch": best["epoch"] if best else None,
        "final_validation_accuracy": last["validation_accuracy"] if last else None,
        "final_accuracy": last["accuracy"] if last else None,
        "final_loss": last["loss"] if last else None,
        "final_validation_loss": last["validation_loss"] if last else None,
        "test_accuracy": kept.accuracy if kept else None,
        "epochs": last["epoch"] if last else 0,
        "seconds": run.status().seconds_worked(time.time()),
        "parameters": costs[0],
        "multiply_adds": costs[1],
    }


def by_influence(settings: Mapping[str, Sequence[Any]], accuracies: Sequence[float | None]) -> list[str]:
    """The settings, first those whose values explain most of the differences in accuracy (adjusted R squared).

    A setting that is different in every run explains everything and so nothing: such come last.
    """
    known = [place for place, accuracy in enumerate(accuracies) if accuracy is not None]
    reached = [accuracies[place] or 0.0 for place in known]

    def explained(name: str) -> float:
        groups: dict[str, list[float]] = {}
        for place, accuracy in zip(known, reached, strict=True):
            groups.setdefault(repr(settings[name][place]), []).append(accuracy)
        free = len(known) - len(groups)
        if free < 1 or not (total := squares(reached)):
            return -inf
        return 1 - sum(map(squares, groups.values())) / free * (len(known) - 1) / total

    return sorted(settings, key=explained, reverse=True)


def squares(values: Sequence[float]) -> float:
    """The sum of the squared distances to the mean."""
    mean = sum(values) / len(values)
    return sum((value - mean) ** 2 for value in values)
