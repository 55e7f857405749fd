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

from pydantic import BaseModel, ConfigDict, ValidationError

from cnnlab.errors import UserError
from cnnlab.storage import process
from cnnlab.storage.files import write_text

LAUNCHER_FILE = "launcher.json"
LOCAL = "local"
START_SECONDS = 30.0


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


class UnknownLauncher:
    """One of another version of cnnlab: it cannot be asked, so what the run itself wrote stands."""

    def __init__(self, name: str) -> None:
        self.name = name

    @property
    def note(self) -> str:
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
        raise UserError(f"Run {folder.name} cannot be ended here. {self.note} Use the version that began it.")


LAUNCHERS: dict[str, Launcher] = {LOCAL: LocalLauncher()}


class LauncherRecord(BaseModel):
    """Which launcher a run has."""

    model_config = ConfigDict(extra="ignore")

    launcher: str = LOCAL


def chosen(folder: Path) -> str:
    """The name of the launcher that a run has; the local one where none was written, as by earlier versions."""
    try:
        return LauncherRecord.model_validate_json((folder / LAUNCHER_FILE).read_bytes()).launcher
    except (OSError, ValidationError):
        return LOCAL


def choose(folder: Path, name: str) -> None:
    """Have a run executed by this launcher from its next start on; UserError where there is none of that name."""
    if name not in LAUNCHERS:
        raise UserError(f"There is no launcher {name!r}; there are {', '.join(LAUNCHERS)}.")
    write_text(folder / LAUNCHER_FILE, LauncherRecord(launcher=name).model_dump_json())


def launcher_of(folder: Path) -> Launcher:
    """The launcher that a run has."""
    name = chosen(folder)
    return LAUNCHERS.get(name) or UnknownLauncher(name)


def unknown(folder: Path) -> str | None:
    """What there is to know of a run whose launcher this version does not know; None of any other run."""
    launcher = launcher_of(folder)
    return launcher.note if isinstance(launcher, UnknownLauncher) else None


def submitted(folder: Path) -> float:
    """When a run was last given to its launcher; 0 where it never was."""
    try:
        return (folder / LAUNCHER_FILE).stat().st_mtime
    except OSError:
        return 0.0
