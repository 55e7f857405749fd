"""What of a run is damaged, said in sentences, with what can still be done.

The list of runs asks this of thousands, so it reads no more than their small files and the first bytes of weights: an
HDF5 file begins with the address of its end, so one that was cut off is known by its size; a byte changed in its middle
is not seen here, but when it is loaded. `closely` also looks at what only a run's own page needs.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from cnnlab.errors import UserError
from cnnlab.runs.film import IMAGES_FILE, damaged_files
from cnnlab.runs.records import EVENT_FIGURES, STEP_FIGURES
from cnnlab.runs.run import WEIGHTS_FILE, CheckpointInfo, Labels, Run
from cnnlab.runs.status import ACTIVE, Status
from cnnlab.storage import files

ANEW = "Duplicating the run trains the same anew."
NEEDED = ("config.json", "network.json", "data.json")
"""Without one of these nobody can be asked about images."""


@dataclass(frozen=True)
class Problem:
    """`file` of the run is not as it should be: `what` is wrong, and what `can` still be done."""

    file: str
    what: str
    can: str

    def __str__(self) -> str:
        return f"{self.what} {self.can}"


def problems(run: Run, closely: bool = False) -> list[Problem]:
    """What is damaged of a run, the worst first; nothing of one that is whole."""
    return list(found_in(run, closely))


def found_in(run: Run, closely: bool) -> Iterator[Problem]:
    configured = True
    try:
        run.config  # noqa: B018  (read it)
    except UserError as error:
        configured = False
        yield Problem(
            "config.json",
            str(error).removeprefix(f"Run {run.id}: ").replace("config.json is", "Its config.json is"),
            "Its settings are not known, so it can be neither used nor gone on with; its curves and its log can be "
            "looked at, and it can be deleted.",
        )
    status = run.written_status()
    if status is None:
        yield Problem(
            "status.json",
            "Its status.json is missing or damaged, so it is not known how it ended.",
            "Its curves and checkpoints are as they were; resuming it goes on from the last one.",
        )
    if not run.imported and not is_json_object(run.folder / "network.json", "layers"):
        yield Problem("network.json", "Its network.json is missing or damaged: its layers are not known.", ANEW)
    opened = run.folder / "data.json"
    if (opened.exists() or run.checkpoints()) and not reads(lambda: run.data):
        yield Problem(
            "data.json",
            "Its data.json is missing or damaged: how an image becomes the network's input is not known.",
            f"Its curves can be looked at. {ANEW}",
        )
    if (run.folder / "labels.json").exists() and not reads(lambda: run.read(Labels, "labels.json")):
        yield Problem("labels.json", "Its labels.json is damaged: name, tags and note are lost.", "Name it anew.")
    active = status is not None and run.status().state in (*ACTIVE, "queued")
    if lost := missing_epochs(run, status or Status(), active):
        whole = len(run.history())
        yield Problem(
            "history.jsonl",
            f"Its history.jsonl is damaged: of {whole + len(lost)} epochs the figures of {len(lost)} are lost.",
            "Its weights are not touched by that; the curves have gaps, and its best epoch may be another.",
        )
    yield from of_checkpoints(run, status, active)
    if closely and not active:
        yield from of_lines(run)
        yield from of_film(run)
    begins = configured and run.config.experiment.initial and not run.checkpoints()
    if begins and not files.is_whole(run.folder / "initial" / WEIGHTS_FILE):
        yield Problem("initial", "The weights that it is to begin with are missing or cut off.", ANEW)


def of_checkpoints(run: Run, status: Status | None, active: bool) -> Iterator[Problem]:
    """What is wrong with what the training saved; a training at work may be replacing it at this moment."""
    if active:
        return
    sound = sound_checkpoints(run)
    others = f"That after epoch {sound[-1]:g} is whole." if sound else "No other is whole."
    for folder in sorted((run.folder / "checkpoints").glob("step-????????")):
        name, weights, state = f"checkpoints/{folder.name}", folder / WEIGHTS_FILE, folder / "state.npz"
        if not reads(partial(info_in, folder)):
            yield Problem(name, f"The checkpoint {folder.name} is damaged: its checkpoint.json cannot be read.", others)
        elif not files.is_whole(weights):
            yield Problem(name, f"The checkpoint {folder.name} is damaged: its weights are missing or cut off.", others)
        elif not zipfile.is_zipfile(state) and (state.exists() or trained_here(run)):
            yield Problem(
                name,
                f"The checkpoint {folder.name} is damaged: its state.npz is missing or cut off.",
                "Its weights can be used, but not trained on from.",
            )
    if not run.checkpoints() and status is not None and status.state == "completed":
        yield Problem("checkpoints", "It has no checkpoint that can be used, though its training completed.", ANEW)


def trained_here(run: Run) -> bool:
    """Whether a training process of this runs folder wrote it, with all that a training writes."""
    return (run.folder / "log.txt").exists()


def info_in(folder: Path) -> CheckpointInfo:
    return CheckpointInfo.model_validate_json((folder / "checkpoint.json").read_bytes())


def of_lines(run: Run) -> Iterator[Problem]:
    """Lines that cannot be read, but for those that a killed process may have left torn: one for each sitting."""
    sittings = 1 + sum(event.get("event") == "resumed" for event in run.events())
    for name, key, figures, loss in (
        ("steps.jsonl", "step", STEP_FIGURES, "the curves within its epochs have gaps"),
        ("events.jsonl", None, EVENT_FIGURES, "not all that happened to it is known"),
    ):
        path = run.folder / name
        torn = files.unreadable_lines(path, key, figures)
        empty = trained_here(run) and run.history() and not files.read_records(path, key, figures)
        if torn > sittings or empty:
            yield Problem(
                name,
                f"Its {name} is missing or damaged: {loss}.",
                "Its weights and its epochs' figures are not touched.",
            )


def of_film(run: Run) -> Iterator[Problem]:
    """The film is looked at in full: a page of the run shows it, and lists do not ask."""
    lost = damaged_files(run)
    if not lost:
        return
    if IMAGES_FILE in lost:
        what = f"Its film cannot be shown: film/{IMAGES_FILE} is missing or damaged."
    else:
        what = f"Its film is damaged: film/{lost[0]}"
        what += " cannot be read." if len(lost) == 1 else f" and {len(lost) - 1} more of its frames cannot be read."
    yield Problem("film", what, "Nothing else of the run is touched by that.")


def missing_epochs(run: Run, status: Status, active: bool) -> list[int]:
    """The finished epochs of which the history says nothing. Of a run that did not end by itself the last one may be
    unwritten: a resume writes it."""
    there = [record["epoch"] for record in run.history()]
    last = there[-1] if there else 0
    if not active and status.steps_per_epoch:
        finished = status.step // status.steps_per_epoch
        last = max(last, finished if status.state == "completed" else finished - 1)
    return sorted(set(range(1, int(last) + 1)) - set(there))


def epochs_done(run: Run, status: Status) -> int:
    """How many epochs are over, those among them whose figures are lost."""
    lost = missing_epochs(run, status, status.state in (*ACTIVE, "queued"))
    return max([*(int(record["epoch"]) for record in run.history()), *lost], default=0)


def sound_checkpoints(run: Run) -> list[float]:
    """The epochs after which a checkpoint is whole."""
    return [point.info.epoch for point in run.checkpoints() if files.is_whole(point.weights)]


def usable(run: Run, found: list[Problem]) -> bool:
    """Whether it can be asked about images."""
    return not any(one.file in NEEDED for one in found) and bool(run.checkpoints()) and bool(sound_checkpoints(run))


def is_json_object(path: Path, key: str) -> bool:
    try:
        found: Any = orjson.loads(path.read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(found, dict) and key in found


def reads(read: Callable[[], object]) -> bool:
    """Whether it can be read."""
    try:
        read()
    except (OSError, ValueError):  # a UserError and pydantic's among them
        return False
    return True
