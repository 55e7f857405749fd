"""A sweep at a moment, as pages and commands show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from cnnlab import units
from cnnlab.runs.records import average_speed
from cnnlab.runs.sweeps.record import SearchName, Sweep, SweepRecord, SweepState
from cnnlab.runs.sweeps.rules import RULE_TEXTS, RULE_TITLES, Stopping
from cnnlab.runs.sweeps.search import importances
from cnnlab.runs.sweeps.trial import Decision, Trial

SEARCH_TITLES: dict[SearchName, str] = {"grid": "Grid", "random": "Random", "bayes": "Bayesian"}


def described(stopping: Stopping, epochs: int) -> str:
    """The rule that stops early, in a sentence, for trials of so many epochs."""
    title = RULE_TITLES[stopping.rule]
    if stopping.by_rungs:
        *others, last = map(str, stopping.rungs(epochs))
        rungs = f"{', '.join(others)} and {last}" if others else last
        return f"{title}: after {rungs} epoch{'' if rungs == '1' else 's'} one in {stopping.factor} goes on."
    if stopping.rule == "median":
        return f"{title}, from epoch {stopping.min_epochs} on: a trial below what the others had on average is stopped."
    return RULE_TEXTS[stopping.rule]


@dataclass(frozen=True)
class Overview:
    """A sweep's record with its trials and decisions, read at one moment."""

    sweep: Sweep
    record: SweepRecord
    now: SweepState
    trials: Sequence[Trial]
    decisions: Sequence[Decision]

    @property
    def state(self) -> str:
        """What it does, in a word."""
        if self.now.finished is not None:
            return "completed"
        if self.now.paused:
            return "pausing" if any(trial.at_work for trial in self.trials) else "paused"
        return "running"

    @property
    def what(self) -> str:
        """What was asked for, in a sentence."""
        record, stopping = self.record, self.record.stopping
        searched = f"{SEARCH_TITLES[record.search]} search"
        epochs = record.experiment.recipe.epochs
        return f"{searched} of {record.trials} trials of {epochs} epochs. {described(stopping, epochs)}"

    @cached_property
    def best(self) -> Trial | None:
        """The trial with the highest validation accuracy; of equals, the one with the lower loss."""
        known = [(trial, line) for trial in self.trials if (line := trial.best)]
        if not known:
            return None
        return max(known, key=lambda one: (one[1]["validation_accuracy"], -one[1]["validation_loss"]))[0]

    @cached_property
    def epochs_trained(self) -> int:
        return sum(trial.epoch for trial in self.trials)

    @cached_property
    def epochs_of_all(self) -> int:
        """What all trials would have been trained to the end."""
        planned = [trial.status.epochs for trial in self.trials if trial.status]
        return sum(planned) + self.record.experiment.recipe.epochs * (self.record.trials - len(self.trials))

    @cached_property
    def seconds_saved(self) -> float:
        """What the epochs not trained would have taken, at the speed at which each trial trained; what it took to begin
        anew after a pause is not counted off."""
        saved = 0.0
        for trial in self.trials:
            speed = average_speed(trial.history)
            if speed and trial.status and not trial.at_work:
                images = trial.status.training_images + trial.status.validation_images
                saved += images / speed * max(trial.status.epochs - trial.epoch, 0)
        return saved

    @property
    def spent(self) -> str:
        """Epochs trained against those of training all to the end."""
        trained, every = self.epochs_trained, self.epochs_of_all
        share = f" ({trained / every:.0%})" if every else ""
        saved = (
            f"; stopping saved about {units.duration(self.seconds_saved)}"
            if self.now.finished is not None and self.seconds_saved >= 1
            else ""
        )
        return f"{trained:,} epochs trained of {every:,} that all trials to the end would take{share}{saved}."

    @cached_property
    def compared_at(self) -> int:
        """The epoch after which the settings' importance is judged: one that trials stopped early have reached too."""
        stopping, epochs = self.record.stopping, self.record.experiment.recipe.epochs
        return epochs if stopping.rule == "none" else min(stopping.min_epochs, epochs)

    @cached_property
    def importances(self) -> Mapping[str, float] | None:
        """How much each setting matters; None where too few trials have come far enough."""
        at = self.compared_at
        reached: list[tuple[Mapping[str, Any], float]] = [
            (trial.changes, max(line["validation_accuracy"] for line in trial.history if line["epoch"] <= at))
            for trial in self.trials
            if trial.epoch >= at or (trial.state == "completed" and trial.history)
        ]
        return importances(self.record.space, reached)


def overview(sweep: Sweep) -> Overview:
    """The sweep as it is now; UserError where its record is damaged."""
    return Overview(sweep, sweep.record, sweep.state(), sweep.trials(), sweep.decisions())
