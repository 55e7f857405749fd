"""A run directory and all that can be read from it. It is the only channel between a training and everyone else.

config.json      what was asked for: experiment, versions, machine
network.json     the network, as a value
data.json        what it was trained on, and how pixels become inputs
status.json      state, progress, message; replaced as a whole
history.jsonl    one line per epoch
steps.jsonl      training loss and accuracy within the epochs, at most a few lines a second
checkpoints/     step-00000120/ with weights, optimizer state and checkpoint.json
evaluations/     one file per evaluated split
process.json, heartbeat, stop, log.txt
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from cnnlab.errors import UserError
from cnnlab.network import Network
from cnnlab.preprocessing import Preprocessing
from cnnlab.runs import files, process
from cnnlab.runs.config import RunConfig
from cnnlab.runs.status import ACTIVE, Status

CheckpointChoice = Literal["best", "last"]
START_SECONDS = 30.0
WEIGHTS_FILE = "model.weights.h5"
Model = TypeVar("Model", bound=BaseModel)


class Data(BaseModel):
    """What a run learned from: the data set as it was found, and the way from its pixels to the network's input."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    classes: tuple[str, ...]
    fingerprint: str
    preprocessing: Preprocessing


class CheckpointInfo(BaseModel):
    """Where in the training a checkpoint was taken; no validation figures in the middle of an epoch."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    step: int
    epoch: float
    validation_accuracy: float | None = None
    validation_loss: float | None = None

    @property
    def quality(self) -> tuple[float, float]:
        """What makes one checkpoint better than another: validation accuracy, then the lower validation loss."""
        if self.validation_accuracy is None or self.validation_loss is None:
            return (-1.0, 0.0)
        return (self.validation_accuracy, -self.validation_loss)


@dataclass(frozen=True)
class Checkpoint:
    """A folder with `model.weights.h5` and `optimizer.npz`."""

    folder: Path
    info: CheckpointInfo

    @property
    def weights(self) -> Path:
        return self.folder / WEIGHTS_FILE


@dataclass(frozen=True)
class Run:
    """A run on disk. Everything is read anew at each question, but for what never changes."""

    folder: Path

    @property
    def id(self) -> str:
        return self.folder.name

    @cached_property
    def config(self) -> RunConfig:
        """ValueError if the file is missing or not one of ours."""
        return self._read(RunConfig, "config.json")

    @cached_property
    def network(self) -> Network:
        try:
            return Network.from_json((self.folder / "network.json").read_text())
        except (OSError, ValueError) as error:
            raise UserError(f"Run {self.id}: network.json is missing or damaged.") from error

    @cached_property
    def data(self) -> Data:
        """ValueError while the run has not yet opened its data set."""
        return self._read(Data, "data.json")

    def _read(self, model: type[Model], name: str) -> Model:
        try:
            return model.model_validate_json((self.folder / name).read_bytes())
        except (OSError, ValidationError) as error:
            raise UserError(f"Run {self.id}: {name} is missing or damaged.") from error

    def status(self) -> Status:
        """The status as it is true now: a run at work whose process is gone is interrupted."""
        try:
            status = Status.model_validate_json((self.folder / "status.json").read_bytes())
        except (OSError, ValidationError):
            return Status(state="interrupted", message="Its status file is missing or damaged.")
        begun = (self.folder / process.PROCESS_FILE).exists()
        if status.state == "starting" and not begun and time.time() - status.started < START_SECONDS:
            return status  # between its creation and its start
        if status.state in ACTIVE and not process.is_alive(self.folder):
            # it may have ended between the two looks
            status = Status.model_validate_json((self.folder / "status.json").read_bytes())
            if status.state in ACTIVE:
                status = status.model_copy(update=self._interruption())
        return status

    def _interruption(self) -> dict[str, Any]:
        usable = "Its last checkpoint can be used." if self.checkpoints() else "It had not saved a checkpoint yet."
        try:
            ended = (self.folder / process.HEARTBEAT_FILE).stat().st_mtime
        except OSError:
            ended = None
        message = f"The training process ended without a word: killed, or the machine went down. {usable}"
        return {"state": "interrupted", "message": message, "ended": ended, "seconds_left": None}

    def history(self) -> list[dict[str, Any]]:
        """One record per finished epoch: epoch (from 1), loss, accuracy, validation_loss, validation_accuracy,
        learning_rate, seconds, images_per_second."""
        return files.read_records(self.folder / "history.jsonl", "epoch")

    def steps(self) -> list[dict[str, Any]]:
        """Records within the epochs: step, epoch (fractional), loss, accuracy, averaged since the one before."""
        return files.read_records(self.folder / "steps.jsonl", "step")

    def best_epoch(self) -> dict[str, Any] | None:
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
            found.append(Checkpoint(folder, info))
        return found

    def checkpoint(self, which: CheckpointChoice = "best") -> Checkpoint:
        """The checkpoint of highest validation accuracy (the latest, where none was validated), or the latest.

        Raises UserError where the run has none.
        """
        checkpoints = self.checkpoints()
        if not checkpoints:
            raise UserError(f"Run {self.id} has no checkpoint yet; one is saved at the end of each epoch.")
        if which == "last":
            return checkpoints[-1]
        return max(checkpoints, key=lambda point: (*point.info.quality, point.info.step))

    def request_stop(self) -> None:
        """Ask the training to save a checkpoint and end; it looks after every step."""
        (self.folder / "stop").touch()

    def stop_requested(self) -> bool:
        return (self.folder / "stop").exists()

    def delete_checkpoints_except(self, kept: list[Checkpoint]) -> None:
        folders = {point.folder for point in kept}
        for point in self.checkpoints():
            if point.folder not in folders:
                shutil.rmtree(point.folder, ignore_errors=True)


def best_of(history: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """The record with the highest validation accuracy; of equals, the one with the lowest validation loss."""
    return max(history, key=lambda record: (record["validation_accuracy"], -record["validation_loss"]), default=None)
