"""Some classes of a data set as a data set of its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cnnlab.datasets import cache
from cnnlab.datasets.dataset import Dataset, Indices
from cnnlab.datasets.imported.importing import CHUNK, REPORT_FILE, SIGNATURE, ImportReport
from cnnlab.datasets.imported.sorting import printable
from cnnlab.errors import UserError
from cnnlab.storage.progress import Progress, silent

LEAST_CLASSES = 2


def make_subset(
    dataset: Dataset, classes: Sequence[str], folder: Path, name: str, title: str, progress: Progress = silent
) -> ImportReport:
    """Keep the images of these classes, in the parts where they stand, as an imported data set in `folder`.

    Raises UserError where a class is unknown or fewer than two are named.
    """
    chosen = list(dict.fromkeys(classes))
    if unknown := [one for one in chosen if one not in dataset.classes]:
        raise UserError(f"{dataset.title} has no class {unknown[0]!r}; it has {', '.join(dataset.classes[:20])} …")
    if len(chosen) < LEAST_CLASSES:
        raise UserError(f"A data set needs at least two classes; {len(chosen)} named.")
    numbers = np.full(len(dataset.classes), -1, np.int64)
    numbers[[dataset.classes.index(one) for one in chosen]] = np.arange(len(chosen))
    border = len(dataset.train_labels) - dataset.held_out
    reports: list[ImportReport] = []

    def rows_of(labels: np.ndarray) -> Indices:
        return np.flatnonzero(numbers[np.asarray(labels)] >= 0)

    def decode(partial: Path) -> Dataset:
        arrays = []
        for part, images, labels in (
            ("train", dataset.train_images, dataset.train_labels),
            ("test", dataset.test_images, dataset.test_labels),
        ):
            progress(f"Taking the {part} images", None)
            rows = rows_of(labels)
            chunks = (images[rows[at : at + CHUNK]] for at in range(0, len(rows), CHUNK))
            kept = cache.write_images(partial / f"{part}_images.npy", len(rows), images.shape[1], chunks)
            arrays.append((kept, numbers[np.asarray(labels)[rows]]))
        held_out = int((rows_of(dataset.train_labels) >= border).sum())
        made = cache.make_dataset(
            name, printable(title), tuple(chosen), arrays[0], arrays[1], held_out=held_out, fitting=dataset.fitting
        )
        learned = made.train_labels[: len(made.train_labels) - held_out]
        parts = {"train": learned, "validation": made.train_labels[len(learned) :], "test": made.test_labels}
        report = ImportReport(
            source=f"{len(chosen)} classes of {dataset.title}",
            size=dataset.image_size[0],
            fitting=dataset.fitting,
            files=len(made.train_labels) + len(made.test_labels),
            taken={
                part: dict(zip(chosen, np.bincount(labels, minlength=len(chosen)).tolist(), strict=True))
                for part, labels in parts.items()
            },
            held_out=[],
            left_out=[],
            left_out_count=0,
            merged=[],
        )
        (partial / REPORT_FILE).write_text(report.model_dump_json(indent=1), encoding="utf-8")
        reports.append(report)
        return made

    cache.save(decode, folder, SIGNATURE)
    return reports[0]
