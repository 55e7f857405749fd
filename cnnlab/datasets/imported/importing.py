"""Import one's own images: sort them, decode them to one size, and keep a report of what was taken and what was not.

Images that show the same pixels are taken once: of two parts the test part keeps it, so that nothing is tested on what
was learned. Where the folders name no test or validation part, a fifth and a tenth of each class are held out, by a
fixed seed. Memory stays flat: images go to disk as they are decoded.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from cnnlab.datasets import cache
from cnnlab.datasets.dataset import Dataset
from cnnlab.datasets.images import Fitting, Pixels, fit_image, read_image
from cnnlab.datasets.imported.container import TooMuchError, opened
from cnnlab.datasets.imported.sorting import Arrangement, Part, Sorted, arrange, printable, printable_path
from cnnlab.errors import UserError
from cnnlab.limits import Limits
from cnnlab.storage.progress import Progress, silent

SIGNATURE = "own"
REPORT_FILE = "import.json"
SMALLEST_SIDE = 8
LEAST_PER_CLASS = 5
TEST_SHARE, VALIDATION_SHARE = 0.2, 0.1
IMPORT_SPLIT_SEED = 0
CHUNK, WORKERS = 256, 4
MOST_NAMED = 10_000
SIZES = (8, 256)
ORDER: tuple[Part | None, ...] = ("test", "validation", "train", None)


class LeftOut(BaseModel):
    """A file that was not taken, and why."""

    file: str
    reason: str


class ImportReport(BaseModel):
    """What an import took and what it left out. `taken` counts images by part and class; of the files left out the
    first 10,000 are named; `merged` are folders whose images went to a class of another spelling."""

    model_config = ConfigDict(extra="ignore")

    source: str
    size: int
    fitting: Fitting
    files: int
    taken: dict[Part, dict[str, int]]
    held_out: list[Part]
    left_out: list[LeftOut]
    left_out_count: int
    merged: list[tuple[str, str]]


def import_images(
    path: Path,
    folder: Path,
    name: str,
    title: str,
    size: int = 64,
    fitting: Fitting = "crop",
    progress: Progress = silent,
    limits: Limits | None = None,
) -> ImportReport:
    """Make a data set in `folder` of the images in a folder or zip archive, each resized to `size` x `size` pixels.

    Raises UserError where there is nothing to learn from: no images, fewer than two classes or more than the limit,
    fewer than five images in a class.
    """
    if not SIZES[0] <= size <= SIZES[1]:
        raise UserError(f"Images can be kept at {SIZES[0]} to {SIZES[1]} pixels, not {size}.")
    limits = limits or Limits.from_environment()
    reports: list[ImportReport] = []

    def decode(partial: Path) -> Dataset:
        with opened(path, limits) as files:
            progress(f"{len(files):,} files found", None)
            arrangement = arrange(files)
            check_classes({one.label for one in arrangement.files}, limits, path)
            images, taken = decoded(arrangement, partial, size, fitting, progress)
            total = len(files)
        dataset, report = assembled(images, taken, partial, name, printable(title), fitting)
        (partial / "all.npy").unlink()
        reports.append(
            ImportReport(
                source=printable(path.name),
                size=size,
                fitting=fitting,
                files=total,
                left_out=[LeftOut(file=file, reason=reason) for file, reason in arrangement.left_out[:MOST_NAMED]],
                left_out_count=len(arrangement.left_out),
                merged=arrangement.merged,
                **report,
            )
        )
        (partial / REPORT_FILE).write_text(reports[0].model_dump_json(indent=1), encoding="utf-8")
        return dataset

    cache.save(decode, folder, SIGNATURE)
    return reports[0]


def check_classes(labels: set[str], limits: Limits, path: Path) -> None:
    if len(labels) < 2:
        shown = f"only {', '.join(sorted(labels))}" if labels else "none"
        raise UserError(
            f"{path.name}: a data set needs images in at least two folders, one for each class; there is {shown}. "
            "Expected: cats/1.jpg and dogs/2.jpg, or train/cats/1.jpg beside val and test."
        )
    if len(labels) > limits.classes:
        raise UserError(f"{path.name}: {len(labels):,} classes; CNNLAB_MAX_CLASSES allows {limits.classes:,}.")


def decoded(
    arrangement: Arrangement, partial: Path, size: int, fitting: Fitting, progress: Progress
) -> tuple[Pixels, list[Sorted]]:
    """The images (count, size, size, 3) on disk, the test part first, and the files they come from."""
    files = sorted(arrangement.files, key=lambda one: (ORDER.index(one.part), one.label.casefold(), one.file.parts))
    taken: list[Sorted] = []
    seen: dict[bytes, Sorted] = {}

    def read(one: Sorted) -> tuple[Pixels, bytes] | str:
        try:
            image = read_image(one.file.read(), one.file.parts[-1])
        except TooMuchError:
            raise
        except UserError as error:
            return str(error).rstrip(".")
        if min(image.shape[:2]) < SMALLEST_SIDE:
            return f"it has {image.shape[1]}×{image.shape[0]} pixels; at least {SMALLEST_SIDE} a side are needed"
        digest = hashlib.sha256(np.ascontiguousarray(image).data)
        digest.update(str(image.shape).encode())
        return fit_image(image, size, size, fitting), digest.digest()

    def images() -> Iterator[Pixels]:
        with ThreadPoolExecutor(WORKERS) as threads:
            for start in range(0, len(files), CHUNK):
                progress(f"Decoding {start:,} of {len(files):,} images", start / len(files))
                some = files[start : start + CHUNK]
                kept = []
                for one, result in zip(some, threads.map(read, some), strict=True):
                    reason = result if isinstance(result, str) else duplicate_of(one, seen.setdefault(result[1], one))
                    if reason or isinstance(result, str):
                        arrangement.left_out.append((printable_path(one.file.parts), reason))
                    else:
                        kept.append(result[0])
                        taken.append(one)
                if kept:
                    yield np.stack(kept)

    return cache.write_images(partial / "all.npy", None, size, images()), taken


def duplicate_of(one: Sorted, first: Sorted) -> str:
    """Why an image that was seen before is left out; nothing where it is the first of its kind."""
    if first is one:
        return ""
    other = printable_path(first.file.parts)
    if first.label != one.label:
        return f"it shows the same as {other}, of another class"
    return f"it shows the same as {other}" + (f", of the {first.part} part" if first.part != one.part else "")


def assembled(
    images: Pixels, taken: Sequence[Sorted], partial: Path, name: str, title: str, fitting: Fitting
) -> tuple[Dataset, dict[str, object]]:
    """The data set of the images taken, in its parts, and what the report says of it."""
    parts, held_out = assigned(taken)
    labels = [one.label for one in taken]
    classes = tuple(sorted({label for label, part in zip(labels, parts, strict=True) if part == "train"}, key=sort_key))
    per_class = Counter(labels)
    for label in sorted(per_class):
        if label not in classes or per_class[label] < LEAST_PER_CLASS:
            raise UserError(
                f"Class {label} has {per_class[label]} usable images, "
                f"{sum(one == label and part == 'train' for one, part in zip(labels, parts, strict=True))} of them to "
                f"train on; each class needs at least {LEAST_PER_CLASS} different images, some of them to train on."
            )
    numbers = {label: number for number, label in enumerate(classes)}
    codes = np.array([numbers[label] for label in labels], np.int64)
    places = {part: np.array([at for at, own in enumerate(parts) if own == part], np.int64) for part in ORDER if part}
    for rows in places.values():
        rows[:] = rows[np.argsort(codes[rows], kind="stable")]
    learned = np.concatenate([places["train"], places["validation"]])
    arrays = []
    for stem, rows in (("train", learned), ("test", places["test"])):
        chunks = (images[rows[start : start + CHUNK]] for start in range(0, len(rows), CHUNK))
        path = partial / f"{stem}_images.npy"
        arrays.append((cache.write_images(path, len(rows), images.shape[1], chunks), codes[rows]))
    dataset = cache.make_dataset(
        name, title, classes, arrays[0], arrays[1], held_out=len(places["validation"]), fitting=fitting
    )
    counts = {
        part: dict(zip(classes, np.bincount(codes[rows], minlength=len(classes)).tolist(), strict=True))
        for part, rows in places.items()
    }
    return dataset, {"taken": counts, "held_out": held_out}


def assigned(taken: Sequence[Sorted]) -> tuple[list[Part], list[Part]]:
    """The part of each image, and which parts had to be held out of the training images here."""
    parts: list[Part] = [one.part or "train" for one in taken]
    given = set(parts)
    wanted: tuple[tuple[Part, float], ...] = (("test", TEST_SHARE), ("validation", VALIDATION_SHARE))
    missing = [(part, share) for part, share in wanted if part not in given]
    by_class: dict[str, list[int]] = {}
    for place, one in enumerate(taken):
        if parts[place] == "train":
            by_class.setdefault(one.label, []).append(place)
    for number, label in enumerate(sorted(by_class)):
        order: NDArray[np.int64] = np.random.default_rng((IMPORT_SPLIT_SEED, number)).permutation(by_class[label])
        start = 0
        for part, share in missing:
            count = max(round(len(order) * share), 1)
            for place in order[start : start + count]:
                parts[place] = part
            start += count
    return parts, [part for part, _ in missing]


def sort_key(label: str) -> tuple[int, int | str]:
    """Numbers in their order, then names."""
    return (0, int(label)) if label.isascii() and label.isdigit() else (1, label.casefold())
