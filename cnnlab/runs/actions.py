"""What a person can do with a run: pause, stop, resume, extend, restart, duplicate, delete.

Each raises UserError, in one line, where the run's state does not allow it.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cnnlab import runs
from cnnlab.errors import UserError
from cnnlab.experiments.experiment import replan
from cnnlab.runs import film, launchers, queue
from cnnlab.runs.config import RUN_FORMAT, Parent
from cnnlab.runs.initial import begins_like
from cnnlab.runs.place import Place
from cnnlab.runs.records import Record
from cnnlab.runs.run import Checkpoint, CheckpointChoice, Request, Run
from cnnlab.runs.status import ACTIVE
from cnnlab.runs.sweeps.record import release
from cnnlab.storage.files import write_text

TRASH_FOLDER = ".trash"
FIXED_ON_RESTART = ("architecture", "dataset", "seed", "validation_fraction", "label_noise", "pixels")


def send_request(run: Run, request: Request) -> None:
    """Pause or stop a run: one at work saves a checkpoint and ends.

    One whose training has not begun is taken out at once, whatever is asked: it has nothing to save and no epoch to
    finish. `paused` or `stopped`, it can be resumed.
    """
    status = run.status()
    if status.state == "queued":
        queue.withdraw(run)
        state = "paused" if request == "pause" else "stopped"
        run.write_status(
            status.model_copy(update={"state": state, "message": "Taken out of the queue.", "ended": time.time()})
        )
        run.log_event(state, "Taken out of the queue.")
        return
    if status.state == "submitted" and end_submitted(run, request):
        return
    if status.state not in ACTIVE:
        raise UserError(f"Run {run.id} is not at work: it is {status.state}.")
    run.send_request(request)


def end_submitted(run: Run, request: Request) -> bool:
    """End a run whose training has not begun, which loses nothing; False where it has begun by now."""
    with queue.changing(run.folder.parent):  # nobody submits it meanwhile
        status = run.status()
        if status.state != "submitted":
            return False
        run.launcher.end(run.folder)
        state = "paused" if request == "pause" else "stopped"
        message = "Ended before its training began."
        run.write_status(status.model_copy(update={"state": state, "message": message, "ended": time.time()}))
        run.log_event(state, message)
        return True


def resume(run: Run, place: Place | None = None) -> None:
    """Go on where the run's last checkpoint stands, or from the beginning where it has none.

    Where a place is given, it goes on there, however it began. A trial that the rule of its sweep has ended goes on to
    its end.
    """
    release(run)
    queue.enqueue(run, front=True, place=place)


def extend(run: Run, epochs: int, place: Place | None = None) -> None:
    """Train so many epochs more; the schedule stretches over the new total.

    A run at work or waiting goes by the old total until it ends, so it is refused.
    """
    status = run.status()
    if status.state in (*ACTIVE, "queued"):
        raise UserError(f"Run {run.id} is {status.state}; stop or pause it before extending it.")
    if epochs < 1:
        raise UserError(f"{epochs} more epochs: choose at least 1.")
    if not run.checkpoints():
        raise UserError(f"Run {run.id} has no checkpoint to go on from.")
    before = run.config.experiment.recipe.epochs
    experiment = replan(run.config.experiment, {"epochs": before + epochs})
    config = run.config.model_copy(update={"experiment": experiment, "format": RUN_FORMAT})
    try:
        write_text(run.folder / "config.json", config.model_dump_json(indent=1))
        changes = {"state": "stopped", "epochs": before + epochs, "message": ""}
        run.write_status(status.model_copy(update=changes))
        run.log_event("extended", f"From {before} to {before + epochs} epochs.")
    except OSError as error:
        raise UserError(f"Run {run.id} cannot be changed: {error.strerror}.") from error
    queue.enqueue(Run(run.folder), front=True, place=place)


def restart(run: Run, which: CheckpointChoice, changes: Mapping[str, Any], place: Place | None = None) -> Run:
    """A new run that goes on from a checkpoint with other settings, such as a lower learning rate.

    It takes the history up to there along. The split and the images must stay what they were, and the optimizer's
    state is kept unless the optimizer changes.
    """
    point = run.checkpoint(which)
    fixed = [name for name in changes if name in FIXED_ON_RESTART or name in run.config.experiment.options]
    if fixed:
        raise UserError(f"{fixed[0].replace('_', ' ')} cannot change in the middle of a training; duplicate the run.")
    if point.info.batch and "batch_size" in changes:
        raise UserError("The batch size can only change at an epoch's end, and this checkpoint lies within one.")
    experiment = replan(run.config.experiment, changes)
    if experiment.recipe.epochs <= point.info.epoch:
        raise UserError(
            f"The checkpoint stands after epoch {point.info.epoch:g} and the recipe ends with epoch "
            f"{experiment.recipe.epochs}; give more epochs."
        )
    parent = Parent(run=run.id, epoch=point.info.epoch)
    config, source = run.config, run if begins_like(run, experiment.initial) else None
    made = runs.create(
        experiment, run.folder.parent, preset=config.preset, group=config.group, parent=parent, source=source
    )
    try:
        take_along(run, point, made)
        film.take_along(run, made, point.info.epoch)
    except OSError as error:
        raise UserError(f"The checkpoint cannot be copied: {error.strerror}.") from error
    queue.enqueue(made, place=place or launchers.known_place(run.folder))
    return made


def take_along(run: Run, point: Checkpoint, made: Run) -> None:
    """Copy a checkpoint and what led to it; steps are counted anew where the batch size has changed."""
    batch_sizes = [one.config.experiment.recipe.batch_size for one in (run, made)]
    training_images = run.status().training_images
    steps_per_epoch = training_images // batch_sizes[1]

    def renumbered(step: int, epoch: float) -> int:
        return step if batch_sizes[0] == batch_sizes[1] else round(epoch * steps_per_epoch)

    info = point.info.model_copy(update={"step": renumbered(point.info.step, point.info.epoch)})
    folder = made.folder / "checkpoints" / f"step-{info.step:08d}"
    shutil.copytree(point.folder, folder)
    write_text(folder / "checkpoint.json", info.model_dump_json())
    shutil.copyfile(run.folder / "data.json", made.folder / "data.json")
    written: dict[str, Sequence[Record]] = {"history.jsonl": run.history(), "steps.jsonl": run.steps()}
    for name, records in written.items():
        lines = [
            {**record, "step": renumbered(record["step"], record["epoch"])}
            for record in records
            if record["epoch"] <= info.epoch
        ]
        write_text(made.folder / name, "".join(f"{json.dumps(line)}\n" for line in lines))


def duplicate(run: Run, changes: Mapping[str, Any], folder: Path | None = None, place: Place | None = None) -> Run:
    """A new run with the same settings but for the changes, from the beginning; in `folder`, or beside the first."""
    experiment = replan(run.config.experiment, changes)
    preset = run.config.preset if not changes else None
    source = run if begins_like(run, experiment.initial) else None
    made = runs.create(experiment, folder or run.folder.parent, preset=preset, group=run.config.group, source=source)
    try:
        film.take_along(run, made, None)
    except OSError as error:
        raise UserError(f"The image that the run films cannot be copied: {error.strerror}.") from error
    queue.enqueue(made, place=place or launchers.known_place(run.folder))
    return made


# The trash


def delete(run: Run) -> None:
    """Move a run to the trash; one at work must be stopped first, one that waits leaves the queue."""
    state = run.status().state
    if state in ACTIVE:
        raise UserError(f"Run {run.id} is {state}; stop it before deleting it.")
    queue.withdraw(run)
    trash = run.folder.parent / TRASH_FOLDER
    try:
        trash.mkdir(exist_ok=True)
        if (trash / run.id).exists():
            shutil.rmtree(trash / run.id)
        run.folder.rename(trash / run.id)
    except OSError as error:
        raise UserError(f"Run {run.id} cannot be moved to the trash: {error.strerror}.") from error


def trashed(folder: Path) -> list[Run]:
    """The runs in the trash, the damaged ones too, newest first."""
    thrown = runs.summaries(folder / TRASH_FOLDER)
    return [Run(folder / TRASH_FOLDER / item["id"]) for item in thrown]


def restore(run: Run) -> Run:
    """Take a run out of the trash."""
    target = run.folder.parent.parent / run.id
    if target.exists():
        raise UserError(f"There is a run {run.id} already.")
    run.folder.rename(target)
    restored = Run(target)
    status = restored.status()
    if status.state == "queued":
        restored.write_status(
            status.model_copy(update={"state": "stopped", "message": "It was taken out of the queue."})
        )
    return restored


def empty_trash(folder: Path) -> int:
    """Delete what is in the trash for good; how many runs that were."""
    count = len(trashed(folder))
    shutil.rmtree(folder / TRASH_FOLDER, ignore_errors=True)
    return count
