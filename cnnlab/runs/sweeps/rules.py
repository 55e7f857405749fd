"""The rules by which a sweep stops trainings early: pure functions of the validation accuracies of its trials.

Successive halving (Jamieson and Talwalkar, 2016, arXiv:1502.07943; Li et al., 2018, arXiv:1603.06560): all trials are
trained to a first rung of `min_epochs`; the best of them, one in `factor`, go on to the next rung, `factor` times as
far, and so on. Its asynchronous form, ASHA (Li et al., 2020, arXiv:1810.05934, Algorithm 2), waits for nobody: whoever
is among the best one in `factor` of those that reached a rung by now goes on. The others pause there and are looked at
again whenever another reaches the rung, so a trial is never lost for having come early.

Median stopping (Golovin et al., 2017, "Google Vizier", section 3.2.2): a trial ends where its best accuracy so far is
below the median of what the others had on average up to the same epoch.

What a trial has reached at an epoch is the best validation accuracy up to there: that is what the sweep looks for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean, median
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

RuleName = Literal["none", "asha", "halving", "median"]
RULES: tuple[RuleName, ...] = get_args(RuleName)
RULE_TITLES: dict[RuleName, str] = {
    "none": "None",
    "asha": "ASHA",
    "halving": "Successive halving",
    "median": "Median",
}
RULE_TEXTS: dict[RuleName, str] = {
    "none": "All are trained to the end.",
    "asha": "As halving, but a trial among the best of those that came by now goes on at once.",
    "halving": "All are trained a little, the best of them go on further, and so on.",
    "median": "A trial below the median of what the others had on average is stopped.",
}
LEAST_OTHERS = 3
"""So many others must have come as far before one is stopped for being below their median."""

Action = Literal["promote", "pause", "stop"]


class Stopping(BaseModel):
    """The rule that stops early, the epochs that each trial gets before it is judged, and of how many one goes on."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    rule: RuleName = "none"
    min_epochs: int = Field(1, ge=1, le=10_000)
    factor: int = Field(3, ge=2, le=16)

    @property
    def by_rungs(self) -> bool:
        return self.rule in ("asha", "halving")

    def rungs(self, epochs: int) -> tuple[int, ...]:
        """The epochs at which trials of so many epochs are judged, if it is done at rungs."""
        found, rung = [], self.min_epochs
        while self.by_rungs and rung < epochs:
            found.append(rung)
            rung *= self.factor
        return tuple(found)


@dataclass(frozen=True)
class SoFar:
    """What a rule sees of a trial.

    `accuracies` is the validation accuracy by epoch, `epochs` how many are planned, `promoted` the highest rung from
    which it was let go on, 0 none, `epochs` where a person let it go all the way. `over` is whether it trains no
    further whatever others do: it has completed or failed, was stopped for good, or is gone.
    """

    number: int
    epochs: int
    accuracies: Mapping[int, float]
    promoted: int = 0
    over: bool = False

    @property
    def epoch(self) -> int:
        """Epochs done."""
        return max(self.accuracies, default=0)

    def reached(self, epoch: int) -> bool:
        """Whether it has come so far."""
        return self.epoch >= epoch

    def best(self, epoch: int) -> float:
        """The best validation accuracy up to an epoch."""
        return max((value for at, value in self.accuracies.items() if at <= epoch), default=0.0)

    def average(self, epoch: int) -> float:
        """The mean validation accuracy up to an epoch."""
        return mean(value for at, value in self.accuracies.items() if at <= epoch)


@dataclass(frozen=True)
class Verdict:
    """What becomes of a trial after an epoch: its value there against the threshold, None where nobody could pass."""

    trial: int
    epoch: int
    action: Action
    value: float
    threshold: float | None

    def explained(self, stopping: Stopping) -> str:
        """The verdict in a sentence."""
        return explained(self.action, stopping.rule, self.epoch, self.value, self.threshold, stopping.factor)


def ranked(trials: Sequence[SoFar], rung: int) -> list[SoFar]:
    """The trials that reached a rung, the best first; of equals, the one made first."""
    there = [trial for trial in trials if trial.reached(rung)]
    return sorted(there, key=lambda trial: (-trial.best(rung), trial.number))


def is_settled(stopping: Stopping, trials: Sequence[SoFar], rung: int, all_made: bool) -> bool:
    """Whether a rung may be judged: at once by ASHA, when all who are to come there have come by successive halving."""
    if stopping.rule == "asha":
        return True
    before = rung // stopping.factor if rung > stopping.min_epochs else 0
    bound = [trial for trial in trials if trial.promoted >= before and trial.epochs >= rung]
    return all_made and all(trial.reached(rung) or trial.over for trial in bound)


def passing(stopping: Stopping, trials: Sequence[SoFar], rung: int, all_made: bool) -> list[SoFar]:
    """The trials that may go on from a rung, those that have gone on among them."""
    if not is_settled(stopping, trials, rung, all_made):
        return []
    there = ranked(trials, rung)
    return there[: len(there) // stopping.factor]


def verdict(stopping: Stopping, trials: Sequence[SoFar], number: int, all_made: bool) -> Verdict | None:
    """What becomes of a trial at work after the epoch that it has just finished; None where nothing is judged there.

    `trials` are all of the sweep, this one among them; `all_made` is whether no more will be made.
    """
    trial = next(one for one in trials if one.number == number)
    epoch = trial.epoch
    if not 0 < epoch < trial.epochs or trial.promoted >= trial.epochs:
        return None
    if stopping.rule == "median":
        return by_median(stopping, trials, trial)
    if epoch not in stopping.rungs(trial.epochs) or trial.promoted >= epoch:
        return None
    for one in promotions(stopping, trials, all_made):
        if one.trial == number:
            return one
    found = passing(stopping, trials, epoch, all_made)
    return Verdict(number, epoch, "pause", trial.best(epoch), found[-1].best(epoch) if found else None)


def by_median(stopping: Stopping, trials: Sequence[SoFar], trial: SoFar) -> Verdict | None:
    epoch = trial.epoch
    others = [one.average(epoch) for one in trials if one.number != trial.number and one.reached(epoch)]
    if epoch < stopping.min_epochs or len(others) < LEAST_OTHERS:
        return None
    threshold, value = median(others), trial.best(epoch)
    return Verdict(trial.number, epoch, "stop", value, threshold) if value < threshold else None


def promotions(stopping: Stopping, trials: Sequence[SoFar], all_made: bool) -> list[Verdict]:
    """The trials waiting at a rung that may go on now, those of the highest rung first, the best first.

    Where nothing else is left to do and no trial has gone all the way, the best of the highest rung does: a sweep ends
    with its best setting trained to the end. Trials at work, or that may go on, are something left to do.
    """
    found = []
    last = max((trial.epochs for trial in trials), default=0)
    rungs = stopping.rungs(last)
    for rung in reversed(rungs):
        passed = passing(stopping, trials, rung, all_made)
        waiting = [trial for trial in passed if trial.epoch == rung and trial.promoted < rung and not trial.over]
        threshold = passed[-1].best(rung) if passed else None
        found += [Verdict(trial.number, rung, "promote", trial.best(rung), threshold) for trial in waiting]
    if found or not rungs or not all_made:
        return found
    if any(not trial.over and is_under_way(stopping, trial) for trial in trials):
        return []
    return furthest(stopping, trials, rungs)


def is_under_way(stopping: Stopping, trial: SoFar) -> bool:
    """Whether a trial that is not over is somewhere between rungs, not waiting at one."""
    return trial.epoch not in stopping.rungs(trial.epochs) or trial.promoted >= trial.epoch


def furthest(stopping: Stopping, trials: Sequence[SoFar], rungs: Sequence[int]) -> list[Verdict]:
    """The best of the highest rung that any reached, where nobody went all the way and it can still go on."""
    if any(trial.reached(trial.epochs) for trial in trials):
        return []
    for rung in reversed(rungs):
        there = [trial for trial in ranked(trials, rung) if trial.epoch == rung and not trial.over]
        if there:
            return [Verdict(there[0].number, rung, "promote", there[0].best(rung), None)]
    return []


def left_behind(stopping: Stopping, trials: Sequence[SoFar], number: int) -> Verdict:
    """Of a trial that waits at a rung when its sweep has ended: against what it fell behind."""
    trial = next(one for one in trials if one.number == number)
    found = passing(stopping, trials, trial.epoch, all_made=True)
    threshold = found[-1].best(trial.epoch) if found else None
    return Verdict(number, trial.epoch, "stop", trial.best(trial.epoch), threshold)


def explained(
    action: str, rule: RuleName, epoch: int, value: float | None, threshold: float | None, factor: int
) -> str:
    """A decision in a sentence."""
    if action == "resume":
        return f"Queued again after epoch {epoch}: its training had been interrupted."
    if action == "release":
        return f"Goes on from epoch {epoch} by hand, whatever the rule says."
    if value is None:
        return f"{action.capitalize()} after epoch {epoch}."
    reached = f"{value:.1%} after epoch {epoch}"
    if rule == "median":
        return f"Stopped: {reached} is below the median of the others' averages, {threshold or 0.0:.1%}."
    best = f"the best one in {factor}"
    if action == "promote":
        why = "is the best of all that can go on" if threshold is None else f"is among {best}, {threshold:.1%} or more"
        return f"Goes on: {reached} {why}."
    if action == "stop":
        against = f"{best}, {threshold:.1%} or more" if threshold is not None else "those that went on"
        return f"Stopped: when the sweep ended, {reached} was not among {against}."
    if threshold is not None:
        return f"Paused: {reached} is not among {best}, {threshold:.1%} or more."
    return f"Paused: {reached} waits for others to come as far."
