"""Imported data sets, as they stand under the data root: `own/<name>/`, decoded, with the report of their import."""

from __future__ import annotations

import re
import shutil
import unicodedata
from functools import partial
from pathlib import Path

from pydantic import ValidationError

from cnnlab.datasets import cache
from cnnlab.datasets.dataset import Dataset
from cnnlab.datasets.imported.importing import REPORT_FILE, SIGNATURE, ImportReport
from cnnlab.datasets.source import Source
from cnnlab.errors import UserError
from cnnlab.storage.progress import Progress

IMPORTED_FOLDER = "own"


def slug(title: str) -> str:
    """The name of a data set by its title: letters, digits and hyphens; UserError where nothing is left."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60]
    if not name:
        raise UserError(f"{title!r} cannot be the name of a data set: use some of the letters a to z or digits.")
    return name


def imported_summary(root: Path, name: str) -> cache.DatasetSummary | None:
    """What is known of an imported data set without reading its images."""
    try:
        return cache.DatasetSummary.model_validate_json((root / IMPORTED_FOLDER / name / "dataset.json").read_bytes())
    except (OSError, ValidationError):
        return None


def imported_sources(root: Path) -> dict[str, Source]:
    """The imported data sets under a data root, by name."""
    found = {}
    for path in sorted((root / IMPORTED_FOLDER).glob("*/dataset.json")):
        name = path.parent.name
        summary, report = imported_summary(root, name), read_report(root, name)
        if summary is None or report is None or "." in name:  # a dot: an import that is not complete
            continue
        count = {part: sum(classes.values()) for part, classes in report.taken.items()}
        found[name] = Source(
            name=name,
            title=summary.title,
            summary=f"{sum(count.values()):,} images from {report.source} in {len(summary.classes)} classes, kept at "
            f"{report.size}×{report.size} pixels.",
            classes=len(summary.classes),
            image_size=report.size,
            train_images=count["train"] + count["validation"],
            test_images=count["test"],
            find=partial(find, name),
            load=partial(load, name),
            held_out=summary.held_out,
            imported=True,
        )
    return found


def find(name: str, root: Path) -> str | None:
    folder = root / IMPORTED_FOLDER / name
    return f"imported to {folder}" if (folder / "dataset.json").exists() else None


def load(name: str, root: Path, progress: Progress) -> Dataset:
    summary = imported_summary(root, name)
    folder = root / IMPORTED_FOLDER / name
    dataset = cache.load(cache.own_copy(folder, summary.fingerprint), SIGNATURE) if summary else None
    if dataset is None:
        raise UserError(f"The imported data set {name} is damaged; remove it and import it again.")
    return dataset


def read_report(root: Path, name: str) -> ImportReport | None:
    try:
        return ImportReport.model_validate_json((root / IMPORTED_FOLDER / name / REPORT_FILE).read_bytes())
    except (OSError, ValidationError):
        return None


def remove(root: Path, name: str) -> None:
    """Delete an imported data set; runs trained on it keep everything but its images. UserError where it cannot be."""
    if imported_summary(root, name) is None:
        raise UserError(f"There is no imported data set {name!r}.")
    try:
        shutil.rmtree(root / IMPORTED_FOLDER / name)
    except OSError as error:
        raise UserError(f"The data set {name} cannot be removed: {error.strerror}.") from error
