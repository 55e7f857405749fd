"""Commands about data sets: list them, prepare them, import one's own images."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from cnnlab import datasets
from cnnlab.cli.former import with_former
from cnnlab.cli.output import echo, print_json, print_table
from cnnlab.datasets.imported import import_images, make_subset, remove
from cnnlab.datasets.imported.source import IMPORTED_FOLDER
from cnnlab.datasets.job import free_name
from cnnlab.text import plain

NAMED = 20


def show_datasets(options: argparse.Namespace) -> int:
    root = datasets.data_root()
    rows: list[dict[str, Any]] = [
        {
            "name": source.name,
            "title": source.title,
            "classes": source.classes,
            "image_size": source.image_size,
            "train_images": source.train_images,
            "test_images": source.test_images,
            "found": source.find(root),
            "download": source.download,
            "imported": source.imported,
        }
        for source in datasets.sources().values()
    ]
    if options.json:
        print_json([with_former(row, "own", "imported") for row in rows])
        return 0
    print_table(
        ("name", "classes", "pixels", "train", "test", "on disk"),
        [
            (
                row["name"],
                str(row["classes"]),
                f"{row['image_size']}×{row['image_size']}",
                f"{row['train_images']:,}",
                f"{row['test_images']:,}",
                row["found"] or (f"no; {row['download']}" if row["download"] else "no"),
            )
            for row in rows
        ],
        right=(1, 2, 3, 4),
    )
    return 0


class Bar:
    """A progress bar on stderr, fed like the progress of a job."""

    def __enter__(self) -> Any:
        columns = (BarColumn(), TextColumn("{task.description}", markup=False))
        self.bar = Progress(*columns, console=Console(stderr=True, highlight=False), transient=True).__enter__()
        task = self.bar.add_task("Starting", total=None)

        def report(message: str, fraction: float | None = None) -> None:
            self.bar.update(task, description=plain(message), completed=fraction or 0, total=1 if fraction else None)

        return report

    def __exit__(self, *ended: Any) -> None:
        self.bar.__exit__(*ended)


def prepare_dataset(options: argparse.Namespace) -> int:
    with Bar() as progress:
        dataset = datasets.load(options.name, progress)
    train, test = len(dataset.train_labels), len(dataset.test_labels)
    echo(f"{dataset.title}: {train:,} images to train on, {test:,} to test, {len(dataset.classes)} classes")
    return 0


def import_dataset(options: argparse.Namespace) -> int:
    name = free_name(options.name)
    folder = datasets.data_root() / IMPORTED_FOLDER / name
    with Bar() as progress:
        report = import_images(Path(options.path), folder, name, options.name, options.size, options.fit, progress)
    if options.json:
        print_json(report.model_dump())
        return 0
    for part, classes in report.taken.items():
        held = ", held out here" if part in report.held_out else ""
        print(f"{part}: {sum(classes.values()):,} images in {len(classes)} classes{held}")
    if report.left_out_count:
        print(f"left out: {report.left_out_count:,}", file=sys.stderr)
    for one in report.left_out[:NAMED]:
        echo(f"  {one.file}: {one.reason}", error=True)
    if report.left_out_count > NAMED:
        print(f"  and {report.left_out_count - NAMED:,} more; --json names them all", file=sys.stderr)
    print(name)
    return 0


def subset_dataset(options: argparse.Namespace) -> int:
    name = free_name(options.name)
    with Bar() as progress:
        dataset = datasets.load(options.dataset, progress)
        make_subset(
            dataset, options.classes, datasets.data_root() / IMPORTED_FOLDER / name, name, options.name, progress
        )
    print(name)
    return 0


def remove_dataset(options: argparse.Namespace) -> int:
    remove(datasets.data_root(), options.name)
    print(options.name)
    return 0
