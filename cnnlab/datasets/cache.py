"""Decoded data sets on disk: NumPy arrays written once, then memory-mapped.

A data set becomes a folder `<data root>/decoded/<key>/` with four arrays and a `dataset.json`. The folder is written
under another name and renamed when it is complete, so a half-written one is never taken for a data set.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError

from cnnlab.datasets.dataset import Dataset
from cnnlab.datasets.images import Fitting, Pixels
from cnnlab.errors import UserError
from cnnlab.storage.leftovers import sweep, written_aside
from cnnlab.storage.process import locked_folder

ARRAYS = ("train_images", "train_labels", "test_images", "test_labels")
CACHE_FORMAT = 1
DECODED_VARIABLE = "CNNLAB_DECODED"


class DatasetSummary(BaseModel):
    """What `dataset.json` holds."""

    model_config = ConfigDict(extra="forbid")

    format: int
    name: str
    title: str
    classes: tuple[str, ...]
    mean: tuple[float, float, float]
    deviation: tuple[float, float, float]
    fingerprint: str
    held_out: int = 0
    fitting: Fitting = "crop"
    signature: str


def chunks(array: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """An array in parts that fit in memory; the pages of a memory-mapped one are let go after each."""
    for start in range(0, len(array), 1024):
        yield array[start : start + 1024]
        mapping = getattr(array.base, "_mmap", None) or getattr(array, "_mmap", None)
        if mapping is not None and hasattr(mmap, "MADV_DONTNEED"):
            mapping.madvise(mmap.MADV_DONTNEED)


def channel_statistics(images: Pixels) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    """Mean and standard deviation per channel, for values from 0 to 255, in bounded memory."""
    count, total, squares = 0, np.zeros(3), np.zeros(3)
    for part in chunks(images):
        chunk = part.reshape(-1, 3).astype(np.float64)
        count, total, squares = count + len(chunk), total + chunk.sum(0), squares + (chunk**2).sum(0)
    mean = total / count
    deviation = np.sqrt(np.maximum(squares / count - mean**2, 1e-6))
    r, g, b = (round(float(value), 4) for value in mean)
    dr, dg, db = (round(float(value), 4) for value in deviation)
    return (r, g, b), (dr, dg, db)


def make_dataset(
    name: str,
    title: str,
    classes: tuple[str, ...],
    train: tuple[Pixels, NDArray[np.int64]],
    test: tuple[Pixels, NDArray[np.int64]],
    held_out: int = 0,
    fitting: Fitting = "crop",
) -> Dataset:
    """A data set in memory from (images, labels) of its two parts; `held_out` as Dataset has it."""
    mean, deviation = channel_statistics(train[0][: len(train[0]) - held_out])
    digest = hashlib.sha256()
    for array in (*train, *test):
        for chunk in chunks(array):
            digest.update(np.ascontiguousarray(chunk).data)
    return Dataset(name, title, classes, *train, *test, mean, deviation, digest.hexdigest()[:16], held_out, fitting)


def write_images(path: Path, count: int | None, size: int, chunks: Iterable[Pixels]) -> Pixels:
    """Write images (size x size x 3) as they come to a .npy file, and give it memory-mapped: memory stays flat.

    `count` is how many will come, None where that is seen at the end: NumPy leaves room in a header for it to grow.
    """
    written = 0
    with path.open("wb") as file:
        write_header(file, count or 0, size)
        for chunk in chunks:
            file.write(np.ascontiguousarray(chunk).data)
            written += len(chunk)
        file.seek(0)
        write_header(file, written, size)
    return np.load(path, mmap_mode="r" if written else None)  # type: ignore[no-any-return]


def write_header(file: BinaryIO, count: int, size: int) -> None:
    np.lib.format.write_array_header_1_0(
        file, {"descr": "|u1", "fortran_order": False, "shape": (count, size, size, 3)}
    )


def load(folder: Path, signature: str) -> Dataset | None:
    """The data set in a decoded folder, memory-mapped; None if there is none, or not whole, or of other files."""
    try:
        summary = DatasetSummary.model_validate_json((folder / "dataset.json").read_bytes())
        arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in ARRAYS}
    except (OSError, EOFError, ValueError, ValidationError):
        return None
    whole = all(len(arrays[f"{part}_images"]) == len(arrays[f"{part}_labels"]) for part in ("train", "test"))
    if summary.format != CACHE_FORMAT or summary.signature != signature or not whole:
        return None
    return Dataset(**summary.model_dump(exclude={"format", "signature"}), **arrays)


def save(decode: Callable[[Path], Dataset], folder: Path, signature: str) -> None:
    """Decode into a new folder that takes this one's place when it is whole; UserError where the disk does not take it.

    `decode` may write arrays of the data set into the folder that it is given; the others are written here.
    """
    sweep(folder.parent)
    try:
        with written_aside(folder) as partial:
            partial.mkdir(parents=True)
            dataset = decode(partial)
            for name in ARRAYS:
                path = partial / f"{name}.npy"
                if not path.exists():
                    np.save(path, getattr(dataset, name))
            summary = DatasetSummary(
                format=CACHE_FORMAT,
                name=dataset.name,
                title=dataset.title,
                classes=dataset.classes,
                mean=dataset.mean,
                deviation=dataset.deviation,
                fingerprint=dataset.fingerprint,
                held_out=dataset.held_out,
                fitting=dataset.fitting,
                signature=signature,
            )
            (partial / "dataset.json").write_text(summary.model_dump_json(indent=1))
    except OSError as error:
        if load(folder, signature) is None:  # another process may have put the same folder there first
            raise UserError(f"The decoded images cannot be written to {folder.parent}: {error}.") from error


def on_own_disk(folder: Path) -> Path:
    """Where decoded images stand: in `folder`, or of the same name where CNNLAB_DECODED says.

    On a cluster the data root may be a network's, over which nothing is memory-mapped; that is a disk of the node.
    """
    own = os.environ.get(DECODED_VARIABLE)
    return Path(own).expanduser() / folder.name if own else folder


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Make what will be in `folder` while no other process of this computer does; the others wait for it."""
    try:
        with locked_folder(folder.parent):
            yield
    except OSError as error:
        raise UserError(f"The decoded images cannot be written to {folder.parent}: {error}.") from error


def own_copy(folder: Path, fingerprint: str) -> Path:
    """A decoded folder on this computer's own disk: itself, or the copy where CNNLAB_DECODED says, made once."""
    copy = on_own_disk(folder.with_name(f"{folder.name}-{fingerprint}"))
    if copy.parent == folder.parent:
        return folder
    if not copy.exists():
        with alone_in(copy):
            if not copy.exists():
                with written_aside(copy) as partial:
                    shutil.copytree(folder, partial)
    return copy


def signature_of(sources: Iterable[Path]) -> str:
    """Tells whether files or folders have changed since: a digest of their names, sizes and times of change."""
    digest = hashlib.sha256()
    for path in sources:
        state = path.stat() if path.exists() else None
        size = state.st_size if state and path.is_file() else 0
        digest.update(f"{path.name} {size} {state.st_mtime_ns if state else 0}\n".encode())
    return digest.hexdigest()[:16]


def cached(folder: Path, sources: Iterable[Path], decode: Callable[[Path], Dataset]) -> Dataset:
    """The data set in `folder`, decoded and written there first if it is not there whole, or of other sources."""
    signature, folder = signature_of(sources), on_own_disk(folder)
    dataset = load(folder, signature)
    if dataset is None:
        with alone_in(folder):
            dataset = load(folder, signature)
            if dataset is None:
                save(decode, folder, signature)
        dataset = load(folder, signature)
    if dataset is None:
        raise UserError(f"The decoded images in {folder} cannot be read back.")
    return dataset
