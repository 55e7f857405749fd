"""Designs that are kept: by name, under the data root, with every version that was saved.

`designs/NAME/0003.json` is the third version of a design: the network, when it was saved, and where it began.
"""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from cnnlab import datasets
from cnnlab.design.sketch import check_name
from cnnlab.errors import UserError
from cnnlab.experiments.design import DESIGN_NAME
from cnnlab.network import Network
from cnnlab.storage import process
from cnnlab.storage.files import reason, write_text

FOLDER = "designs"
VERSION_FILE = re.compile(r"(\d{4,6})\.json")
OF_DESIGN = "design:"
"""What the text of a design begins with, as `catalogue` takes it."""


class DesignRecord(BaseModel):
    """A version of a design in its file; `began` is a text of the catalogue, or empty."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    network: dict[str, Any]
    saved: str = ""
    began: str = ""


@dataclass(frozen=True)
class Design:
    """A design as it is kept."""

    name: str
    version: int
    network: Network
    saved: str
    began: str

    @property
    def text(self) -> str:
        return OF_DESIGN + self.name


def folder() -> Path:
    return datasets.data_root() / FOLDER


def names() -> list[str]:
    """The designs that are kept, in the order of their names."""
    root = folder()
    if not root.is_dir():
        return []
    return sorted(
        (path.name for path in root.iterdir() if DESIGN_NAME.fullmatch(path.name) and versions(path.name)),
        key=str.lower,
    )


def versions(name: str) -> list[int]:
    """The numbers of a design's versions, rising; none where there is no such design."""
    if not DESIGN_NAME.fullmatch(name):
        return []
    try:
        found = [VERSION_FILE.fullmatch(path.name) for path in (folder() / name).iterdir()]
    except OSError:
        return []
    return sorted(int(match[1]) for match in found if match)


def load(name: str, version: int | None = None) -> Design:
    """A design, its last version unless another is named; UserError where it is not there or damaged."""
    there = versions(name)
    if not there:
        kept = ", ".join(names()) or "none yet"
        raise UserError(f"There is no design {name!r}; there are {kept}.")
    wanted = there[-1] if version is None else version
    if wanted not in there:
        raise UserError(f"{name} has no version {wanted}; it has {', '.join(map(str, there))}.")
    path = folder() / name / f"{wanted:04d}.json"
    try:
        record = DesignRecord.model_validate_json(path.read_bytes())
        network = Network.from_data(record.network)
    except (OSError, ValidationError, UserError) as error:
        raise UserError(f"Version {wanted} of the design {name} is damaged: {path} holds no network.") from error
    return Design(name, wanted, network, record.saved, record.began)


def find(text: str) -> Design:
    """The design that a text means: `design:NAME`, or `design:NAME@3` for its third version. UserError where there is
    none."""
    name, at, version = text.removeprefix(OF_DESIGN).partition("@")
    if at and not (version.isascii() and version.isdecimal() and len(version) < 7):
        raise UserError(f"{text!r}: a version is a number, as in {OF_DESIGN}{name}@2.")
    return load(name, int(version) if at else None)


def save(network: Network, began: str = "") -> Design:
    """Keep a network under its name, as a new version where it differs from the last; UserError where that fails."""
    name = check_name(network.name, "A design")
    place = folder() / name
    try:
        place.mkdir(parents=True, exist_ok=True)
        with process.locked(place / "lock"):
            there = versions(name)
            if there:
                try:
                    last = load(name)
                except UserError:  # a damaged version stays as it is, behind the new one
                    last = None
                if last and last.network == network:
                    return last
            number = there[-1] + 1 if there else 1
            record = DesignRecord(
                network=network.to_data(), saved=datetime.now(UTC).isoformat(timespec="seconds"), began=began
            )
            write_text(place / f"{number:04d}.json", json.dumps(record.model_dump(), indent=1))
    except OSError as error:
        raise UserError(f"The design cannot be kept: {reason(error, place)}.") from error
    return load(name)


def remove(name: str) -> None:
    """Delete a design with all of its versions; UserError where there is none."""
    if not versions(name):
        raise UserError(f"There is no design {name!r}.")
    shutil.rmtree(folder() / name, ignore_errors=True)


def free_name(wanted: str) -> str:
    """The name with the first number that no kept design has: googlenet-1."""
    taken = {name.lower() for name in names()}
    number = 1
    while f"{wanted}-{number}".lower() in taken:
        number += 1
    return f"{wanted}-{number}"
