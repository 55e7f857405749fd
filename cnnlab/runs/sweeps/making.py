"""How the trials of a sweep come about."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from cnnlab import runs
from cnnlab.datasets.images import Pixels
from cnnlab.errors import UserError
from cnnlab.experiments.experiment import replan
from cnnlab.runs import film, queue
from cnnlab.runs.config import TrialOf
from cnnlab.runs.run import Labels, Run
from cnnlab.runs.sweeps.record import Sweep
from cnnlab.runs.sweeps.search import next_changes
from cnnlab.runs.sweeps.space import titled
from cnnlab.runs.sweeps.trial import TRIALS_FILE, Trial, TrialRecord
from cnnlab.storage.files import append_record


def make_trials(sweep: Sweep, trials: Sequence[Trial], promoted: int, own_image: Pixels | None) -> bool:
    """Make the trials that are still to come: all at once, or, where each is chosen by what the others reached, as many
    as train at a time."""
    record = sweep.record
    missing = record.trials - len(trials)
    if record.search == "bayes":
        at_work = sum(trial.at_work for trial in trials) + promoted
        missing = min(missing, queue.read(sweep.runs_folder).limit(sweep.launcher) - at_work)
    for _ in range(missing):
        make_trial(sweep, own_image)
    return missing > 0


def make_trial(sweep: Sweep, own_image: Pixels | None) -> None:
    """Make the next trial and queue it; one that cannot be trained is noted and takes its place in the budget."""
    before = sweep.trials()
    number = len(before) + 1
    changes = next_changes(sweep, number, before)
    record = sweep.record
    name = sweep.run_name(number)
    line = TrialRecord(number=number, run=name, changes=changes, time=time.time())
    run = Run(sweep.runs_folder / name)
    try:
        planned = replan(record.experiment, changes)
    except UserError as error:
        append_record(sweep.folder / TRIALS_FILE, {**line, "problem": str(error)})
        return
    if not (run.folder / "config.json").exists():  # else it was made, and a kill kept it from being noted
        if not (run.folder / "history.jsonl").exists():  # what was begun and not finished by a kill
            shutil.rmtree(run.folder, ignore_errors=True)
        runs.create(
            planned,
            sweep.runs_folder,
            preset=record.preset,
            group=record.name,
            trial=TrialOf(sweep=sweep.id, number=number),
            name=name,
            labels=Labels(name=titled(changes)[:200]),
            source=Run(Path(record.source)) if record.source else None,
        )
    film_own_image(run, before, own_image)
    append_record(sweep.folder / TRIALS_FILE, line)
    if run.status().state == "starting":
        queue.enqueue(run, place=record.place)


def film_own_image(run: Run, before: Sequence[Trial], own_image: Pixels | None) -> None:
    """Have a trial film the person's own image, as the first trial does."""
    if own_image is not None:
        film.keep_own_image(run, own_image)
    elif before:
        with suppress(OSError):
            film.take_along(before[0].run, run, None)
