"""What is done with a sweep: start it, go on with it, judge a trial, pause it, resume it, add trials.

Nobody owns a sweep. Whoever comes by (a page, a command, the dispatcher, a training that ends) goes on with it under
its lock: reads what the trials have reached, lets those go on that may, queues again what was interrupted, makes the
trials that are still to come. A training asks for itself after each epoch. Each step leaves the files so that whoever
comes next, after a kill at any point, does what is left; a step that was done twice is done once.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from cnnlab import runs
from cnnlab.datasets.images import Pixels
from cnnlab.errors import UserError
from cnnlab.experiments.experiment import Experiment
from cnnlab.runs import actions, launchers, queue
from cnnlab.runs.config import command_line
from cnnlab.runs.place import LOCAL, Place
from cnnlab.runs.run import Run
from cnnlab.runs.status import RESUMABLE
from cnnlab.runs.sweeps import rules, space
from cnnlab.runs.sweeps.making import make_trials
from cnnlab.runs.sweeps.planning import budget_of, check_plans
from cnnlab.runs.sweeps.record import (
    SWEEPS_FOLDER,
    SearchName,
    Sweep,
    SweepRecord,
    SweepState,
    of_run,
    unfinished,
)
from cnnlab.runs.sweeps.rules import SoFar, Stopping, Verdict
from cnnlab.runs.sweeps.space import Values
from cnnlab.runs.sweeps.trial import Decision, Trial
from cnnlab.storage.files import reason

MOST_RESUMES = 3
"""So often an interrupted trial is queued again by itself."""


# Starting


def start(
    experiment: Experiment,
    values: Mapping[str, Values],
    folder: Path,
    *,
    search: SearchName = "grid",
    trials: int | None = None,
    stopping: Stopping | None = None,
    seed: int = 0,
    name: str | None = None,
    preset: str | None = None,
    source: Run | None = None,
    own_image: Pixels | None = None,
    place: Place | None = None,
) -> Sweep:
    """Start a sweep; all that can be checked beforehand is, before anything is written. UserError where it is refused.

    `trials` is the budget; a grid has all of its combinations. `source` is that of `runs.create`, `own_image` is filmed
    by each trial, `place` is where they are trained.
    """
    budget = budget_of(experiment, values, search, trials)
    check_plans(experiment, values)
    stopping = stopping or Stopping()
    if stopping.by_rungs and not stopping.rungs(experiment.recipe.epochs) and "epochs" not in values:
        raise UserError(
            f"Trials of {experiment.recipe.epochs} epochs are never judged where each has {stopping.min_epochs}; give "
            "fewer epochs before the first judgement, or more in all."
        )
    now = datetime.now(UTC)
    try:
        made = Sweep(runs.new_folder(folder / SWEEPS_FOLDER, f"sweep-{now:%Y%m%d-%H%M%S}"))
        record = SweepRecord(
            id=made.id,
            name=name or made.id,
            created=now.isoformat(timespec="milliseconds"),
            command=command_line(),
            experiment=experiment,
            space={
                one: choices if isinstance(choices, space.Range) else list(choices) for one, choices in values.items()
            },
            search=search,
            stopping=stopping,
            trials=budget,
            seed=seed,
            preset=preset,
            source=str(source.folder) if source else None,
            place=place,
        )
        made.write_record(record)
    except OSError as error:
        raise UserError(f"A sweep cannot be written to {folder}: {reason(error, folder)}.") from error
    go_on(made, own_image)
    queue.resume_queue(folder)
    return made


# Going on


def go_on(sweep: Sweep, own_image: Pixels | None = None) -> bool:
    """Do what can be done by now; whether anything is left to do or to wait for. UserError where it cannot be."""
    with sweep.locked():
        state = sweep.state()
        if state.finished is not None:
            return False
        trials = sweep.trials()
        if state.paused:
            hold(trials, state)
            return any(trial.at_work for trial in trials)
        acted = [resume_held(sweep, trials, state), requeue(sweep, trials)]
        promoted = promote(sweep, trials)
        acted += [bool(promoted), make_trials(sweep, trials, len(promoted), own_image)]
        if any(acted) or any(trial.at_work for trial in trials):
            return True
        finish(sweep, trials, state)
        return False


def tend(folder: Path) -> bool:
    """Go on with every sweep of a runs folder; whether any of them has something left to do."""
    busy = False
    for sweep in unfinished(folder):
        with suppress(UserError, OSError):
            busy = go_on(sweep) or busy
    return busy


def go_on_after(run: Run) -> None:
    """What a training that has ended does for its sweep; whatever fails here, the run is as it is.

    One that was executed elsewhere leaves it to those here: it would start the next ones on its own machine.
    """
    with suppress(UserError, OSError):
        if launchers.chosen(run.folder) == LOCAL and (sweep := of_run(run)):
            go_on(sweep)
            queue.resume_queue(sweep.runs_folder)


def so_far(trials: Sequence[Trial], state: SweepState) -> list[SoFar]:
    """What the rules see of the trials."""
    return [trial.so_far(trial.number in state.held, trial.resumes < MOST_RESUMES) for trial in trials]


def requeue(sweep: Sweep, trials: Sequence[Trial]) -> bool:
    """Queue again what was interrupted, and what a kill kept from its place in the queue."""
    acted = False
    waiting = queue.read(sweep.runs_folder).waiting
    for trial in trials:
        if trial.state == "queued" and trial.run.id not in waiting:
            acted = put_back(trial.run) or acted
        if trial.state == "interrupted" and not (trial.waits or trial.is_stopped) and trial.resumes < MOST_RESUMES:
            with suppress(UserError):
                queue.enqueue(trial.run, front=True)
                sweep.log(trial.number, trial.epoch, "resume")
                acted = True
    return acted


def put_back(run: Run) -> bool:
    """Give a run its place in the queue that says it waits there; False where it has it by now."""
    with queue.changing(run.folder.parent) as now:
        lost = run.status().state == "queued" and run.id not in now.waiting
        if lost:
            now.waiting.append(run.id)
    queue.advance(run.folder.parent)
    return lost


def promote(sweep: Sweep, trials: Sequence[Trial]) -> list[Verdict]:
    """Queue the trials that may go on from where they wait, before all others; those that did."""
    record = sweep.record
    found = rules.promotions(record.stopping, so_far(trials, sweep.state()), len(trials) >= record.trials)
    by_number = {trial.number: trial for trial in trials}
    # One at work has not left yet, or asks for itself in a moment.
    promoted = [verdict for verdict in found if not by_number[verdict.trial].at_work]
    if promoted:
        queue.enqueue(*(by_number[verdict.trial].run for verdict in promoted), front=True)
        for verdict in promoted:
            log(sweep, verdict)
    return promoted


def finish(sweep: Sweep, trials: Sequence[Trial], state: SweepState) -> None:
    """Nothing is left to do: what waits at a rung waits for nothing, and says against what it fell behind."""
    for trial in trials:
        if trial.waits and trial.status and trial.status.state in ("paused", "interrupted"):
            last = rules.left_behind(sweep.stopping, so_far(trials, state), trial.number)
            message = last.explained(sweep.stopping)
            trial.run.write_status(trial.status.model_copy(update={"state": "stopped", "message": message}))
            trial.run.log_event("stopped", message)
    sweep.write_state(SweepState(finished=time.time()))


# Judging


def judge(run: Run) -> Decision | None:
    """What the rule of its sweep says of a run that has just finished an epoch; None where it trains on without a word.

    The decision is written before it is given. A sweep that is gone, damaged or has ended judges nobody.
    """
    with suppress(UserError, OSError):
        sweep = of_run(run)
        if sweep is None or run.config.trial is None or sweep.stopping.rule == "none":
            return None
        with sweep.locked():
            state, record = sweep.state(), sweep.record
            if state.finished is not None:
                return None
            trials = sweep.trials()
            number = run.config.trial.number
            if all(trial.number != number for trial in trials):
                return None
            verdict = rules.verdict(record.stopping, so_far(trials, state), number, len(trials) >= record.trials)
            return log(sweep, verdict) if verdict else None
    return None


def log(sweep: Sweep, verdict: Verdict) -> Decision:
    """Write what a rule says."""
    return sweep.log(verdict.trial, verdict.epoch, verdict.action, verdict.value, verdict.threshold)


# What a person can do with it


def pause(sweep: Sweep) -> None:
    """Pause the trials that are at work or wait in the queue, and make and promote none until it is resumed."""
    with sweep.locked():
        state = sweep.state()
        if state.finished is not None or state.paused:
            raise UserError(f"Sweep {sweep.id} {'has ended' if state.finished is not None else 'is paused already'}.")
        trials = sweep.trials()
        held = tuple(trial.number for trial in trials if trial.at_work)
        state = SweepState(paused=True, held=held)
        sweep.write_state(state)
        hold(trials, state)


def hold(trials: Sequence[Trial], state: SweepState) -> None:
    """Ask the trials that the pause holds to pause, as far as they were not."""
    for trial in trials:
        if trial.number in state.held and trial.at_work and trial.run.request() is None:
            with suppress(UserError):
                actions.send_request(trial.run, "pause")


def resume(sweep: Sweep) -> None:
    """Go on where the pause began."""
    with sweep.locked():
        state = sweep.state()
        if not state.paused:
            ended = "has ended; add trials to it" if state.finished is not None else "is not paused"
            raise UserError(f"Sweep {sweep.id} {ended}.")
        sweep.write_state(state.model_copy(update={"paused": False}))
    go_on(sweep)
    queue.resume_queue(sweep.runs_folder)


def resume_held(sweep: Sweep, trials: Sequence[Trial], state: SweepState) -> bool:
    """Queue again what the pause has paused; one that is still leaving is looked at again later."""
    if not state.held:
        return False
    held = [trial for trial in trials if trial.number in state.held and trial.status]
    leaving = [trial for trial in held if trial.at_work and trial.run.request() == "pause"]
    paused = [trial.run for trial in held if trial.status and trial.status.state in RESUMABLE and not trial.waits]
    if paused:
        queue.enqueue(*paused, front=True)
    sweep.write_state(state.model_copy(update={"held": tuple(trial.number for trial in leaving)}))
    return True


def add_trials(sweep: Sweep, count: int) -> None:
    """Give the sweep so many trials more; UserError where it cannot have them."""
    with sweep.locked():
        record = sweep.record
        if record.search == "grid":
            raise UserError(f"All {record.trials:,} combinations of the grid are trials already; start another sweep.")
        if count < 1:
            raise UserError(f"{count} more trials: choose at least 1.")
        budget_of(record.experiment, record.space, record.search, record.trials + count)
        sweep.write_record(record.model_copy(update={"trials": record.trials + count}))
        sweep.write_state(sweep.state().model_copy(update={"finished": None}))
    go_on(sweep)
    queue.resume_queue(sweep.runs_folder)
