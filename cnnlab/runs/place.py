"""Where a run executes, as its folder says it: which launcher has it, what it asked for, and as which job.

`launcher.json` is written when a place is chosen and each time the run is given to its launcher, so its time of change
says when that was.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from cnnlab.cluster import GB, NO_CLUSTER, WHATEVER, Resources, configured
from cnnlab.cluster.client import Client
from cnnlab.errors import UserError
from cnnlab.storage.files import write_text

LAUNCHER_FILE = "launcher.json"
LOCAL, RAY = "local", "ray"
PLACES = {LOCAL: "this computer", RAY: "the Ray cluster"}
JOB_VARIABLE = "CNNLAB_JOB"
"""Which job a training process is; none where it is a process of this computer."""


@dataclass(frozen=True)
class Place:
    """Where a run is to be trained; `address` is the cluster's, where it is one."""

    launcher: str = LOCAL
    resources: Resources = WHATEVER
    address: str = ""


class LauncherRecord(BaseModel):
    """Which launcher a run has, with what it asks of it.

    `job` is what Ray calls its present job; `again` how often it was queued again by itself since a person last began
    it.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    launcher: str = LOCAL
    resources: Resources = WHATEVER
    address: str = ""
    job: str = ""
    again: int = 0

    @property
    def place(self) -> Place:
        return Place(self.launcher, self.resources, self.address)


def place_of(on: str | None, cpus: int | None = None, gpus: int | None = None, memory: float | None = None) -> Place:
    """The place that a person named, `memory` in GB; UserError where there is none such."""
    if on not in (None, *PLACES):
        raise UserError(f"There is no place {on!r} to train; there are {', '.join(PLACES)}.")
    for name, value, most in (("cpus", cpus, 1024), ("gpus", gpus, 64), ("memory", memory, 100_000)):
        if value is not None and not 0 <= value <= most:
            raise UserError(f"{name} {value:g}: choose from 0 to {most:,}.")
    wanted = Resources(cpus=cpus or 0, gpus=gpus or 0, memory=round((memory or 0) * GB))
    if on != RAY:
        if wanted.gpus or wanted.memory:
            raise UserError("GPUs and memory are asked of a cluster: a training on this computer takes what is there.")
        return Place(LOCAL, wanted)
    address = configured()
    if address is None:
        raise UserError(NO_CLUSTER)
    return Place(RAY, wanted.model_copy(update={"cpus": wanted.cpus or 1}), address)


def reached(place: Place) -> Place:
    """The same place, once it is known to answer; ClusterError where it does not."""
    if place.launcher == RAY:
        Client(place.address).version()
    return place


def record_of(folder: Path) -> LauncherRecord:
    """What is written of a run's launcher; the local one where nothing was, as by earlier versions."""
    try:
        return LauncherRecord.model_validate_json((folder / LAUNCHER_FILE).read_bytes())
    except (OSError, ValidationError):
        return LauncherRecord()


def write_record(folder: Path, record: LauncherRecord) -> None:
    write_text(folder / LAUNCHER_FILE, record.model_dump_json())


def update_record(folder: Path, changes: Mapping[str, object]) -> LauncherRecord:
    """Change some of what is written; the record as it stands then."""
    record = record_of(folder).model_copy(update=changes)
    write_record(folder, record)
    return record


def given_elsewhere(folder: Path) -> bool:
    """Whether the run was given to another process than this one since this was asked to train it."""
    return record_of(folder).job != os.environ.get(JOB_VARIABLE, "")


def submitted(folder: Path) -> float:
    """When a run was last given to its launcher; 0 where it never was."""
    try:
        return (folder / LAUNCHER_FILE).stat().st_mtime
    except OSError:
        return 0.0
