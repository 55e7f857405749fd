"""A sweep's folder and all that can be read from it. Its trials are ordinary runs, which carry its name.

RUNS/sweeps/SWEEP/
  sweep.json       what was asked for: what is searched and how, the rule that stops early, the budget
  trials.jsonl     one line per trial: its number, its settings, its run
  decisions.jsonl  one line per decision: trial, epoch, rule, value against threshold, time
  state.json       whether it is paused, and whether it has ended
  optuna.journal   of a Bayesian search: the study as Optuna's own tools read it
  .lock            held by whoever changes it

What the trials have reached stands in their own folders and nowhere else: whoever comes by reads it there and decides.
A trial's run is named for its sweep and number, so one that was made and not noted is found again.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NotRequired, TypedDict, cast, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cnnlab.errors import UserError
from cnnlab.experiments.experiment import Experiment
from cnnlab.runs.records import EpochRecord, best_of
from cnnlab.runs.run import Run
from cnnlab.runs.status import ACTIVE, State, Status
from cnnlab.runs.sweeps.rules import RuleName, SoFar, Stopping, explained
from cnnlab.runs.sweeps.space import Range
from cnnlab.storage import process
from cnnlab.storage.files import append_record, read_records, write_text

SWEEPS_FOLDER = "sweeps"
SWEEP_FILE, STATE_FILE, LOCK_FILE = "sweep.json", "state.json", ".lock"
TRIALS_FILE, DECISIONS_FILE = "trials.jsonl", "decisions.jsonl"
SWEEP_FORMAT = 1
MOST_TRIALS = 500
AT_WORK: tuple[State, ...] = (*ACTIVE, "queued")

SearchName = Literal["grid", "random", "bayes"]
SEARCHES: tuple[SearchName, ...] = get_args(SearchName)
DecisionAction = Literal["promote", "pause", "stop", "release", "resume"]
"""What a rule decided; `release` is a person's word that a trial is to go on whatever the rule says, `resume` that it
was queued again after its training had been interrupted."""


class SweepRecord(BaseModel):
    """What a sweep was asked for; only its budget of trials ever changes.

    `source` is the folder of the run whose weights all trials begin with, where they begin with any.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    format: int = SWEEP_FORMAT
    id: str
    name: str
    created: str
    command: str = ""
    experiment: Experiment
    space: dict[str, list[Any] | Range]
    search: SearchName
    stopping: Stopping = Stopping()
    trials: int = Field(ge=1, le=MOST_TRIALS)
    seed: int = 0
    preset: str | None = None
    source: str | None = None


class SweepState(BaseModel):
    """`held` are the trials that the sweep's pause has paused; `finished` is when nothing was left to do."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    paused: bool = False
    held: tuple[int, ...] = ()
    finished: float | None = None


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


@dataclass(frozen=True)
class Sweep:
    """A sweep on disk. Everything is read anew at each question, but for what was asked for."""

    folder: Path

    @property
    def id(self) -> str:
        return self.folder.name

    @property
    def runs_folder(self) -> Path:
        return self.folder.parents[1]

    @cached_property
    def record(self) -> SweepRecord:
        """UserError if the file is missing, damaged, or of a newer cnnlab."""
        try:
            record = SweepRecord.model_validate_json((self.folder / SWEEP_FILE).read_bytes())
        except (OSError, ValidationError) as error:
            raise UserError(f"Sweep {self.id}: {SWEEP_FILE} is missing or damaged.") from error
        if record.format > SWEEP_FORMAT:
            raise UserError(f"Sweep {self.id} was written by a newer cnnlab; open it with that one.")
        return record

    @property
    def stopping(self) -> Stopping:
        return self.record.stopping

    def write_record(self, record: SweepRecord) -> None:
        write_text(self.folder / SWEEP_FILE, record.model_dump_json(indent=1))
        self.__dict__.pop("record", None)

    def state(self) -> SweepState:
        try:
            return SweepState.model_validate_json((self.folder / STATE_FILE).read_bytes())
        except (OSError, ValidationError):
            return SweepState()

    def write_state(self, state: SweepState) -> None:
        write_text(self.folder / STATE_FILE, state.model_dump_json())

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the sweep's lock; UserError where it is gone or takes no files."""
        if not (self.folder / SWEEP_FILE).exists():
            raise UserError(f"Sweep {self.id} is gone.")
        with process.locked(self.folder / LOCK_FILE):
            yield

    def decisions(self) -> list[Decision]:
        """Everything decided, in order."""
        return cast("list[Decision]", read_records(self.folder / DECISIONS_FILE, None, DECISION_FIGURES))

    def log(
        self,
        trial: int,
        epoch: int,
        action: DecisionAction,
        value: float | None = None,
        threshold: float | None = None,
    ) -> Decision:
        """Write a decision."""
        decision = Decision(
            trial=trial,
            epoch=epoch,
            action=action,
            rule=self.stopping.rule,
            factor=self.stopping.factor,
            value=value,
            threshold=threshold,
            time=time.time(),
        )
        append_record(self.folder / DECISIONS_FILE, decision)
        return decision

    def run_name(self, number: int) -> str:
        """The name of the run of a trial."""
        return f"{self.id}-{number:03d}"

    def trials(self) -> list[Trial]:
        """The trials made so far, in order."""
        made = cast("list[TrialRecord]", read_records(self.folder / TRIALS_FILE, "number", TRIAL_FIGURES))
        decisions: dict[int, list[Decision]] = {}
        for one in self.decisions():
            decisions.setdefault(one["trial"], []).append(one)
        return [
            Trial(
                number=one["number"],
                run=Run(self.runs_folder / self.run_name(one["number"])),
                changes=one["changes"],
                decisions=decisions.get(one["number"], []),
                problem=one.get("problem", ""),
            )
            for one in made
        ]


def of_run(run: Run) -> Sweep | None:
    """The sweep that a run is a trial of."""
    trial = run.config.trial
    sweep = Sweep(run.folder.parent / SWEEPS_FOLDER / trial.sweep) if trial else None
    return sweep if sweep and (sweep.folder / SWEEP_FILE).exists() else None


def release(run: Run) -> None:
    """A person resumes a run: if it is a trial that its sweep's rule has paused or stopped, let it go all the way, and
    if the pause of its sweep holds it, hold it no more."""
    with suppress(UserError, OSError):
        sweep = of_run(run)
        if sweep is None or run.config.trial is None:
            return
        with sweep.locked():
            number = run.config.trial.number
            trial = next((one for one in sweep.trials() if one.number == number), None)
            if trial and (trial.waits or trial.is_stopped):
                sweep.log(number, trial.epoch, "release")
            state = sweep.state()
            if number in state.held:
                held = tuple(one for one in state.held if one != number)
                sweep.write_state(state.model_copy(update={"held": held}))


def listing(folder: Path) -> list[Sweep]:
    """All sweeps of a runs folder, the damaged ones too, newest first."""
    found = [Sweep(path.parent) for path in (folder / SWEEPS_FOLDER).glob(f"*/{SWEEP_FILE}")]
    return sorted(found, key=lambda sweep: sweep.id, reverse=True)  # an id is when it was made


def unfinished(folder: Path) -> list[Sweep]:
    """The readable sweeps in which something is left to do; cheap where there are none."""
    found = []
    for sweep in listing(folder):
        with suppress(UserError):
            if sweep.state().finished is None and sweep.record:
                found.append(sweep)
    return found


def find(name: str, folder: Path) -> Sweep:
    """The sweep of that id or name, or of an id that begins so; UserError if there is none or several."""
    every = listing(folder)
    exact = [sweep for sweep in every if sweep.id == name]
    matching = exact or [sweep for sweep in every if sweep.id.startswith(name) or name_of(sweep) == name]
    if len(matching) == 1:
        return matching[0]
    if matching and name:
        raise UserError(f"{name!r} means {len(matching)} sweeps: {', '.join(sweep.id for sweep in matching)}.")
    raise UserError(f"There is no sweep {name!r} in {folder}; `sweep list` names those that there are.")


def name_of(sweep: Sweep) -> str:
    """What a person called it, or its id."""
    try:
        return sweep.record.name
    except UserError:
        return sweep.id
