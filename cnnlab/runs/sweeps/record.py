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
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, cast, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cnnlab.errors import UserError
from cnnlab.experiments.experiment import Experiment
from cnnlab.runs.place import LOCAL, Place
from cnnlab.runs.run import Run
from cnnlab.runs.sweeps.rules import Stopping
from cnnlab.runs.sweeps.space import MOST_COMBINATIONS, Range
from cnnlab.runs.sweeps.trial import (
    DECISION_FIGURES,
    DECISIONS_FILE,
    TRIAL_FIGURES,
    TRIALS_FILE,
    Decision,
    DecisionAction,
    Trial,
    TrialRecord,
)
from cnnlab.storage import process
from cnnlab.storage.files import append_record, read_records, write_text

SWEEPS_FOLDER = "sweeps"
SWEEP_FILE, STATE_FILE, LOCK_FILE = "sweep.json", "state.json", ".lock"
SWEEP_FORMAT = 1
MOST_TRIALS = MOST_COMBINATIONS

SearchName = Literal["grid", "random", "bayes"]
SEARCHES: tuple[SearchName, ...] = get_args(SearchName)


class SweepRecord(BaseModel):
    """What a sweep was asked for; only its budget of trials ever changes.

    `source` is the folder of the run whose weights all trials begin with, where they begin with any; `place` is where
    they are trained, this computer where there is none.
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
    place: Place | None = None


class SweepState(BaseModel):
    """`held` are the trials that the sweep's pause has paused; `finished` is when nothing was left to do."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    paused: bool = False
    held: tuple[int, ...] = ()
    finished: float | None = None


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
    def launcher(self) -> str:
        """The launcher that its trials have."""
        return self.record.place.launcher if self.record.place else LOCAL

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
