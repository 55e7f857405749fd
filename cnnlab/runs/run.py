"""A run directory and all that can be read from it. It is the only channel between a training and everyone else.

config.json      what was asked for: experiment, versions, machine
network.json     the network, as a value
data.json        what it was trained on, and how pixels become inputs
status.json      state, progress, message; replaced as a whole
labels.json      what people call it: name, tags, note
history.jsonl    one line per epoch
steps.jsonl      training figures within the epochs, at most a few lines a second
events.jsonl     started, checkpoint, paused, resumed, ...: one line each
checkpoints/     step-00000120/ with weights, the state to go on from, and checkpoint.json
film/            what the network was at chosen epochs, see `film.py`
initial/         weights of another run that this one starts from
evaluations/     one folder per evaluated checkpoint, split and test-time augmentation
silencing/       what silencing parts of the network costs over a split, one folder per question
reference.npz    training images as the best checkpoint sees them, for the out-of-distribution score
launcher.json    where it executes, and what it asks of that place
process.json, heartbeat, request, lock, reserve, log.txt
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeVar, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cnnlab.datasets.preprocessing import Preprocessing
from cnnlab.errors import UserError
from cnnlab.experiments.design import file_name, imported_name
from cnnlab.network import Network
from cnnlab.runs.config import RunConfig, read_config
from cnnlab.runs.launchers import MOST_AGAIN, Launcher, launcher_of
from cnnlab.runs.place import record_of
from cnnlab.runs.records import EPOCH_FIGURES, EVENT_FIGURES, STEP_FIGURES, EpochRecord, Event, StepRecord, best_of
from cnnlab.runs.status import ACTIVE, Status
from cnnlab.storage import files, process
from cnnlab.storage.leftovers import remove, sweep

CheckpointChoice = Literal["best", "last"] | int
"""The best epoch's, the latest, or the one at the end of epoch N."""

Request = Literal["stop", "stop-after-epoch", "pause"]
QUEUE_SECONDS = 30.0
WEIGHTS_FILE = "model.weights.h5"
MODEL_FILE = "model.keras"
STATE_FILE = "state.npz"
REQUESTS: tuple[Request, ...] = ("stop", "stop-after-epoch", "pause")
OUT_OF_MEMORY = ("bad_alloc", "out of memory", "MemoryError", "Cannot allocate memory")
OUT_OF_ROOM = ("No space left on device", "Disk quota exceeded", "File too large")
Model = TypeVar("Model", bound=BaseModel)


class Data(BaseModel):
    """What a run learned from: the data set as it was found, and the way from its pixels to the network's input.

    `threads` is how many a step was computed on; a deterministic run keeps to it.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    title: str
    classes: tuple[str, ...]
    fingerprint: str
    preprocessing: Preprocessing
    threads: int = 0


class Labels(BaseModel):
    """What people call a run."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str = Field("", max_length=200)
    tags: tuple[str, ...] = ()
    note: str = Field("", max_length=20_000)


class EpochTotals(BaseModel):
    """Sums over the steps of an epoch so far."""

    model_config = ConfigDict(extra="ignore")

    loss: float = 0.0
    right: float = 0.0
    seen: int = 0
    norm: float = 0.0
    steps: int = 0


class CheckpointInfo(BaseModel):
    """Where in the training a checkpoint was taken; no validation figures in the middle of an epoch.

    `batch` counts the batches done of the epoch under way, `totals` sums them up; `record` is the history's line of
    the epoch that ended here; `kept` marks one that the recipe asked to keep.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    step: int
    epoch: float
    batch: int = 0
    validation_accuracy: float | None = None
    validation_loss: float | None = None
    optimizer: str | None = None
    worked: float = 0.0
    totals: EpochTotals = EpochTotals()
    record: Mapping[str, Any] | None = None
    kept: bool = False

    @property
    def quality(self) -> tuple[float, float]:
        """What makes one checkpoint better than another: validation accuracy, then the lower validation loss."""
        if self.validation_accuracy is None or self.validation_loss is None:
            return (-1.0, 0.0)
        return (self.validation_accuracy, -self.validation_loss)


@dataclass(frozen=True)
class Checkpoint:
    """A folder with `model.weights.h5`, to use the network, and `state.npz`, to train on."""

    folder: Path
    info: CheckpointInfo

    @property
    def weights(self) -> Path:
        return self.folder / WEIGHTS_FILE

    @property
    def state(self) -> Path:
        return self.folder / STATE_FILE


@dataclass(frozen=True)
class Run:
    """A run on disk. Everything is read anew at each question, but for what never changes."""

    folder: Path

    @property
    def id(self) -> str:
        return self.folder.name

    @cached_property
    def config(self) -> RunConfig:
        """UserError if the file is missing, damaged, or of a newer cnnlab."""
        try:
            config = read_config((self.folder / "config.json").read_bytes(), self.id)
        except OSError as error:
            raise UserError(f"Run {self.id}: config.json is missing.") from error
        if not self.imported:
            return config
        name = imported_name(config.experiment.architecture)  # earlier versions recorded the model's own name
        return config.model_copy(update={"experiment": config.experiment.model_copy(update={"architecture": name})})

    @cached_property
    def network(self) -> Network:
        try:
            return Network.from_json((self.folder / "network.json").read_text())
        except (OSError, ValueError) as error:
            if self.imported:
                raise UserError(
                    f"{self.id} was imported as a file: cnnlab can ask it, but does not know its layers."
                ) from error
            raise UserError(f"Run {self.id}: network.json is missing or damaged.") from error

    def command(self) -> str:
        """The command that trains the same from a terminal; before it, where the network is a design, the one that
        writes that into a file."""
        experiment = self.config.experiment
        if experiment.design is None:
            return experiment.command()
        return (
            f"python -m cnnlab network {self.id} > {file_name(str(experiment.design['name']))}\n{experiment.command()}"
        )

    @property
    def imported(self) -> bool:
        """Whether it is a model file from elsewhere rather than a network of ours."""
        return (self.folder / MODEL_FILE).exists()

    @cached_property
    def data(self) -> Data:
        """ValueError while the run has not yet opened its data set."""
        return self.read(Data, "data.json")

    def read(self, model: type[Model], name: str) -> Model:
        """One of its files; UserError where it is missing or damaged."""
        try:
            return model.model_validate_json((self.folder / name).read_bytes())
        except (OSError, ValidationError) as error:
            raise UserError(f"Run {self.id}: {name} is missing or damaged.") from error

    def labels(self) -> Labels:
        try:
            return self.read(Labels, "labels.json")
        except UserError:
            return Labels()

    def relabel(self, **changes: Any) -> None:
        """Change the name, the tags or the note; UserError where they are too long or cannot be written."""
        try:
            labels = Labels.model_validate({**self.labels().model_dump(), **changes})
            files.write_text(self.folder / "labels.json", labels.model_dump_json())
        except ValidationError as error:
            raise UserError(f"Run {self.id}: {error.errors()[0]['msg'].lower()}.") from error
        except OSError as error:
            raise UserError(f"Run {self.id} cannot be changed: {error.strerror}.") from error

    # Its state

    @property
    def launcher(self) -> Launcher:
        """What executes it."""
        return launcher_of(self.folder)

    def status(self) -> Status:
        """The status as it is true now: a run at work that its launcher no longer has is interrupted."""
        status = self.written_status()
        if status is None:
            return Status(state="interrupted", message="Its status file is missing or damaged.")
        begun = (self.folder / process.PROCESS_FILE).exists()
        if status.state == "starting" and not begun and time.time() - status.updated < QUEUE_SECONDS:
            return status  # between its creation and its place in the queue
        if status.state in ACTIVE and not self.launcher.is_alive(self.folder):
            status = self.written_status() or status  # it may have ended between the two looks
            if status.state in ACTIVE:
                status = status.model_copy(update=self._interruption())
        return status

    def written_status(self) -> Status | None:
        """What its file says; None where that is missing or damaged."""
        try:
            return Status.model_validate_json((self.folder / "status.json").read_bytes())
        except (OSError, ValidationError):
            return None

    def write_status(self, status: Status, lasting: bool = True) -> None:
        """Write the status; one that is soon written again need not outlast a power cut."""
        files.write_text(self.folder / "status.json", status.model_dump_json(), lasting)

    def write_status_in_place(self, status: Status) -> None:
        """Write the status over the one that is there, which takes no more room: the last resort on a full disk."""
        path = self.folder / "status.json"
        content = status.model_dump_json().encode()
        with path.open("r+b") as file:
            file.write(content)
            file.truncate()

    def fail(self, message: str) -> None:
        """The last word of a run that could not even begin; on a full disk it takes the room kept for it."""
        files.release_reserve(self.folder)
        status = (self.written_status() or Status()).model_copy(
            update={"state": "failed", "message": message, "ended": time.time(), "seconds_left": None}
        )
        try:
            self.write_status(status)
        except OSError:
            with suppress(OSError):
                self.write_status_in_place(status)

    def _interruption(self) -> dict[str, Any]:
        usable = "It can be resumed from its last checkpoint." if self.checkpoints() else "It had no checkpoint yet."
        try:
            ended = (self.folder / process.HEARTBEAT_FILE).stat().st_mtime
        except OSError:
            ended = None
        log = self.log(40)
        begun = (self.folder / process.PROCESS_FILE).exists()
        if not begun and (said := self.launcher.note(self.folder)):
            reason = said
        elif any(sign in log for sign in OUT_OF_MEMORY):
            reason = "The training ran out of memory; a smaller batch size needs less."
        elif any(sign in log for sign in OUT_OF_ROOM) or (not log and free_bytes(self.folder) < files.RESERVE_BYTES):
            reason = f"The disk of {self.folder} is full: make room."
        elif not log and not begun:
            reason = "Its training was never begun."
        else:
            reason = (
                "The training process ended without a word: killed, as for want of memory, or the machine went down."
            )
        if (times := record_of(self.folder).again) >= MOST_AGAIN:
            usable += f" It was queued again {times} times, the most that a run is by itself."
        return {"state": "interrupted", "message": f"{reason} {usable}", "ended": ended, "seconds_left": None}

    # What it has done

    # The casts hold: a line that lacks one of the figures that its type requires is skipped.

    def history(self) -> list[EpochRecord]:
        """One record per finished epoch."""
        return cast("list[EpochRecord]", files.read_records(self.folder / "history.jsonl", "epoch", EPOCH_FIGURES))

    def steps(self) -> list[StepRecord]:
        """Records within the epochs, each averaged since the one before."""
        return cast("list[StepRecord]", files.read_records(self.folder / "steps.jsonl", "step", STEP_FIGURES))

    def events(self) -> list[Event]:
        """What happened, in order."""
        return cast("list[Event]", files.read_records(self.folder / "events.jsonl", None, EVENT_FIGURES))

    def log_event(self, event: str, message: str = "") -> None:
        """Add an event."""
        files.append_record(self.folder / "events.jsonl", Event(time=time.time(), event=event, message=message))

    def best_epoch(self) -> EpochRecord | None:
        return best_of(self.history())

    def log(self, lines: int = 20) -> str:
        return files.tail(self.folder / "log.txt", lines)

    def checkpoints(self) -> list[Checkpoint]:
        """The complete checkpoints, oldest first."""
        found = []
        for folder in sorted((self.folder / "checkpoints").glob("step-????????")):
            try:
                info = CheckpointInfo.model_validate_json((folder / "checkpoint.json").read_bytes())
            except (OSError, ValidationError):
                continue
            if (folder / WEIGHTS_FILE).exists():
                found.append(Checkpoint(folder, info))
        return found

    def checkpoint(self, which: CheckpointChoice = "best") -> Checkpoint:
        """The checkpoint of highest validation accuracy (the latest, where none was validated), the latest, or the one
        at the end of an epoch.

        One whose weights are cut off is passed over where another is whole. Raises UserError where the run has none
        such.
        """
        found = self.checkpoints()
        checkpoints = [point for point in found if files.is_whole(point.weights)] or found
        if not checkpoints:
            raise UserError(f"Run {self.id} has no checkpoint yet; one is saved at the end of each epoch.")
        if which == "last":
            return checkpoints[-1]
        if which == "best":
            return max(checkpoints, key=lambda point: (*point.info.quality, point.info.step))
        for point in checkpoints:
            if point.info.epoch == which:
                return point
        there = ", ".join(f"{point.info.epoch:g}" for point in checkpoints)
        raise UserError(f"Run {self.id} has no checkpoint after epoch {which}; it has one after {there}.")

    def checkpoint_at(self, step: int) -> Checkpoint:
        """The checkpoint taken at a step; UserError where it is gone."""
        for point in self.checkpoints():
            if point.info.step == step:
                return point
        raise UserError(f"Run {self.id} no longer has the checkpoint of step {step:,}.")

    # Requests to its training

    def send_request(self, request: Request) -> None:
        """Send the training a request; it looks after every step."""
        try:
            files.write_text(self.folder / "request", request)
        except OSError as error:
            raise UserError(f"Run {self.id} cannot be asked to {request}: {error.strerror}.") from error

    def request(self) -> Request | None:
        """What the training has been asked for."""
        try:
            asked = (self.folder / "request").read_text()
        except OSError:
            return None
        return next((request for request in REQUESTS if request == asked), "stop")

    def withdraw_request(self) -> None:
        with suppress(FileNotFoundError):
            (self.folder / "request").unlink()

    def delete_checkpoints_except(self, kept: list[Checkpoint]) -> None:
        folders = {point.folder for point in kept}
        for point in self.checkpoints():
            if point.folder not in folders and not point.info.kept:
                shutil.rmtree(point.folder, ignore_errors=True)

    def clean_up(self) -> None:
        """Remove what killed processes left here; for the training that holds the run's lock, so all checkpoints half
        written are left over, whoever wrote them."""
        sweep(self.folder, depth=2)
        for path in (self.folder / "checkpoints").glob(".step-*.partial"):
            remove(path)


def free_bytes(folder: Path) -> int:
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return files.RESERVE_BYTES
