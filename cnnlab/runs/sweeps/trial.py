"""A trial of a sweep: its run, what it tries, and what was decided of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NotRequired, TypedDict

from cnnlab.runs.records import EpochRecord, best_of
from cnnlab.runs.run import Run
from cnnlab.runs.status import ACTIVE, State, Status
from cnnlab.runs.sweeps.rules import RuleName, SoFar, explained

TRIALS_FILE, DECISIONS_FILE = "trials.jsonl", "decisions.jsonl"
AT_WORK: tuple[State, ...] = (*ACTIVE, "queued")
DecisionAction = Literal["promote", "pause", "stop", "release", "resume"]
"""What a rule decided; `release` is a person's word that a trial is to go on whatever the rule says, `resume` that it
was queued again after its training had been interrupted."""


class TrialRecord(TypedDict):
    """A line of trials.jsonl; `problem` says why a trial has no run."""

    number: int
    run: str
    changes: dict[str, Any]
    time: float
    problem: NotRequired[str]


class Decision(TypedDict):
    """A line of decisions.jsonl: what became of a trial after an epoch. `threshold` is None where there was none."""

    trial: int
    epoch: int
    action: DecisionAction
    rule: RuleName
    factor: int
    value: float | None
    threshold: float | None
    time: float


def said(decision: Decision) -> str:
    """A decision in a sentence."""
    one = decision
    return explained(one["action"], one["rule"], one["epoch"], one["value"], one["threshold"], one["factor"])


DECISION_FIGURES = ("epoch", "time", "trial")
TRIAL_FIGURES = ("number", "time")


@dataclass(frozen=True)
class Trial:
    """A trial: its run, the settings that it tries, and what was decided of it."""

    number: int
    run: Run
    changes: Mapping[str, Any]
    decisions: Sequence[Decision]
    problem: str = ""

    @cached_property
    def status(self) -> Status | None:
        """None where its run is gone, or was never made."""
        if self.problem or not (self.run.folder / "config.json").exists():
            return None
        return self.run.status()

    @property
    def state(self) -> str:
        """The state of its run, or what else there is to say."""
        return self.status.state if self.status else "not made" if self.problem else "deleted"

    @property
    def at_work(self) -> bool:
        """Whether it trains, or waits in the queue."""
        return self.status is not None and self.status.state in AT_WORK

    @cached_property
    def history(self) -> Sequence[EpochRecord]:
        return self.run.history() if self.status else ()

    @property
    def best(self) -> EpochRecord | None:
        return best_of(self.history)

    @property
    def epoch(self) -> int:
        """Epochs done."""
        return self.history[-1]["epoch"] if self.history else 0

    @property
    def judged(self) -> Sequence[Decision]:
        """The decisions on whether it goes on."""
        return [one for one in self.decisions if one["action"] != "resume"]

    @property
    def waits(self) -> bool:
        """Whether the rule has paused it at a rung."""
        return bool(self.judged) and self.judged[-1]["action"] == "pause" and self.epoch == self.judged[-1]["epoch"]

    @property
    def is_stopped(self) -> bool:
        """Whether the rule has ended it for good."""
        return bool(self.judged) and self.judged[-1]["action"] == "stop"

    @property
    def resumes(self) -> int:
        """How often it was queued again after an interruption."""
        return sum(one["action"] == "resume" for one in self.decisions)

    def so_far(self, held: bool, resumable: bool) -> SoFar:
        """What a rule sees of it; `held` by the pause of the sweep, `resumable` where an interruption is no end."""
        state = self.status.state if self.status else ""
        released = any(one["action"] == "release" for one in self.judged)
        promoted = max((one["epoch"] for one in self.judged if one["action"] == "promote"), default=0)
        epochs = self.status.epochs if self.status else 0
        interrupted = state == "interrupted" and resumable and not self.is_stopped
        paused = (state in ("paused", "stopped") and self.waits) or (state == "paused" and held)
        return SoFar(
            number=self.number,
            epochs=epochs,
            accuracies={record["epoch"]: record["validation_accuracy"] for record in self.history},
            promoted=epochs if released else promoted,
            over=not (self.at_work or interrupted or paused),
        )
