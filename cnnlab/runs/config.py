"""What a run was asked to do; written before it starts, and changed only where a run is extended."""

from __future__ import annotations

import platform
import shlex
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from cnnlab import __version__
from cnnlab.errors import UserError
from cnnlab.experiments.experiment import Experiment
from cnnlab.resources import CHECKOUT

RUN_FORMAT = 2
"""1: the network is drawn by an architecture. 2: it may also be a design of its own,
and an architecture's options are called so; they were `switches` before, which is still read."""
RECORDED_PACKAGES = ("tensorflow", "keras", "numpy", "pillow", "opencv-python-headless", "scikit-learn")


class Parent(BaseModel):
    """The run and the epoch that a run goes on from."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    run: str
    epoch: float


class TrialOf(BaseModel):
    """The sweep that a run is a trial of, and which of its trials it is, from 1."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    sweep: str
    number: int


class Format(BaseModel):
    """The version of a config's format, whatever else it holds."""

    format: int = RUN_FORMAT


class RunConfig(BaseModel):
    """An experiment with what is needed to tell later how it came about."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    format: int = RUN_FORMAT
    id: str
    created: str
    experiment: Experiment
    versions: dict[str, str]
    machine: str
    hardware: dict[str, Any] = {}
    commit: str | None = None
    command: str = ""
    preset: str | None = None
    group: str | None = None
    parent: Parent | None = None
    trial: TrialOf | None = None


def versions() -> dict[str, str]:
    packages = {name: version(name) for name in RECORDED_PACKAGES}
    return {"cnnlab": __version__, "python": platform.python_version(), **packages}


def git_commit() -> str | None:
    """The commit of this checkout, with "+changes" where files differ from it; None outside a checkout."""
    if CHECKOUT is None:
        return None
    try:
        commit, changes = (
            subprocess.run(
                ["git", "-C", str(CHECKOUT), *words],  # noqa: S607
                capture_output=True,
                text=True,
                timeout=5,
                check=True,
            ).stdout.strip()
            for words in (["rev-parse", "HEAD"], ["status", "--porcelain", "--untracked-files=no"])
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return f"{commit}+changes" if changes else commit


def command_line() -> str:
    """What was called, for the record."""
    return shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]) if sys.argv else ""


def read_config(content: bytes, name: str) -> RunConfig:
    """A run's config from its file's bytes; UserError that says whether it is damaged or of a newer cnnlab."""
    try:
        written = Format.model_validate_json(content).format
        if written > RUN_FORMAT:
            raise UserError(
                f"Run {name} was written by a newer cnnlab (format {written}, this one reads up to {RUN_FORMAT}); "
                "open it with that one."
            )
        return RunConfig.model_validate_json(content)
    except ValidationError as error:
        raise UserError(f"Run {name}: config.json is damaged.") from error
