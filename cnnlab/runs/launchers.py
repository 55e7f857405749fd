"""Where runs execute. A launcher is the only thing that knows: it takes a run, says whether it lives, and ends it.

Everyone else sees the run's folder. Its `status.json` says `submitted` from the moment when a launcher has the run
until the training process itself writes `starting`, be that seconds or hours later. What the training writes is never
doubted for a launcher's word: a launcher is asked only whether a run that says it is submitted or at work is still so.

`launcher.json` in the folder names the launcher, so each run can have its own.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Protocol

from cnnlab.cluster import WHATEVER, Resources
from cnnlab.errors import UserError
from cnnlab.runs.place import (
    LAUNCHER_FILE,
    LOCAL,
    PLACES,
    RAY,
    LauncherRecord,
    Place,
    record_of,
    submitted,
    write_record,
)
from cnnlab.runs.ray import RayLauncher, starved
from cnnlab.storage import process

START_SECONDS = 30.0
MOST_AGAIN = 3
"""How often a run is queued again by itself where a node took it along."""


class Launcher(Protocol):
    """Executes `python -m cnnlab.training FOLDER`, which keeps the heartbeat in the folder wherever it runs."""

    def submit(self, folder: Path, threads: int = 0) -> None:
        """Have the run trained, at once or when there is room; `threads` is how many processors it may use, 0 all.

        It returns as soon as the run is taken: the queue is locked meanwhile. Raises OSError or UserError where it
        cannot be taken.
        """

    def is_alive(self, folder: Path) -> bool:
        """Whether a run that was submitted still waits to be begun, or is at work."""

    def end(self, folder: Path) -> None:
        """End it at once, whether it has begun or not; a run that is over already is left as it is."""

    def note(self, folder: Path) -> str | None:
        """What it knows, in a sentence, of a run that it has and that says no more itself: why it waits, or is gone."""


class LocalLauncher:
    """A process of this machine, begun at once."""

    def submit(self, folder: Path, threads: int = 0) -> None:
        process.spawn(["-m", "cnnlab.training", str(folder)], folder / "log.txt", folder, threads)

    def is_alive(self, folder: Path) -> bool:
        if (folder / process.PROCESS_FILE).exists():
            return process.is_alive(folder)
        return time.time() - submitted(folder) < START_SECONDS  # between its submission and its process's record

    def end(self, folder: Path) -> None:
        process.end(folder)

    def note(self, folder: Path) -> str | None:
        return None


class UnknownLauncher:
    """One of another version of cnnlab: it cannot be asked, so what the run itself wrote stands."""

    def __init__(self, name: str) -> None:
        self.name = name

    def note(self, folder: Path) -> str:
        return (
            f"It executes under the launcher {self.name!r}, which this version of cnnlab does not know: whether it is "
            "still at work cannot be told here."
        )

    def submit(self, folder: Path, threads: int = 0) -> None:
        raise UserError(
            f"It has the launcher {self.name!r}, which this version of cnnlab does not know; here there are "
            f"{', '.join(LAUNCHERS)}. Use the version that began it, or remove {LAUNCHER_FILE} from its folder to have "
            "it trained on this machine."
        )

    def is_alive(self, folder: Path) -> bool:
        return True

    def end(self, folder: Path) -> None:
        raise UserError(f"Run {folder.name} cannot be ended here. {self.note(folder)} Use the version that began it.")


LAUNCHERS: dict[str, Launcher] = {LOCAL: LocalLauncher(), RAY: RayLauncher()}


def chosen(folder: Path) -> str:
    """The name of the launcher that a run has."""
    return record_of(folder).launcher


def choose(folder: Path, name: str, resources: Resources = WHATEVER, address: str = "") -> None:
    """Have a run executed by this launcher from its next start on; UserError where there is none of that name."""
    if name not in LAUNCHERS:
        raise UserError(f"There is no launcher {name!r}; there are {', '.join(LAUNCHERS)}.")
    write_record(folder, LauncherRecord(launcher=name, resources=resources, address=address))


def move(folder: Path, place: Place) -> None:
    """Have a run executed at a place from its next start on."""
    choose(folder, place.launcher, place.resources, place.address)


def known_place(folder: Path) -> Place | None:
    """Where a run that goes on from this one, or is the same again, is trained: where this one was."""
    return None if is_unknown(folder) else record_of(folder).place


def where(folder: Path) -> str:
    """Where a run executes, for a person; "" where that is this computer, as it is of nearly all."""
    record = record_of(folder)
    if record.launcher != RAY:
        return ""
    begun = process.record_in(folder)
    node = f", node {begun.host}" if begun else ""
    return f"{PLACES[RAY]} with {record.resources}{node}"


def launcher_of(folder: Path) -> Launcher:
    """The launcher that a run has."""
    name = chosen(folder)
    return LAUNCHERS.get(name) or UnknownLauncher(name)


def is_unknown(folder: Path) -> bool:
    """Whether this version does not know a run's launcher."""
    return chosen(folder) not in LAUNCHERS


def is_watched(folder: Path) -> bool:
    """Whether a run executes where machines come and go, so that it is queued again when it is lost."""
    return chosen(folder) == RAY


def next_again(folder: Path) -> int | None:
    """How often a lost run will have been queued again if it is once more; None where it is not to be.

    A job for which nothing was free has lost nothing and costs none of these times.
    """
    if not is_watched(folder):
        return None
    times = record_of(folder).again + (0 if starved(folder) else 1)
    return times if times <= MOST_AGAIN else None
