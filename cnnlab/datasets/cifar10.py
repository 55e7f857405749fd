"""CIFAR-10: 60,000 photographs of 32x32 pixels in ten classes (Krizhevsky, 2009).

Taken from image folders (`cifar10/train/<class>/*`, `cifar10/test/<class>/*`) or from the original python batches
(`cifar-10-batches-py/data_batch_1` ...) under the data root; where there is neither, the batches are downloaded.
Folders of JPEG files have lost something of the original pixels: what is measured on them is "CIFAR-10 (JPEG)".
"""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnlab.datasets.cache import cached, make_dataset
from cnnlab.datasets.dataset import Dataset
from cnnlab.datasets.download import Download, extract, fetch
from cnnlab.datasets.images import Pixels, read_image
from cnnlab.datasets.source import Source
from cnnlab.errors import UserError
from cnnlab.storage.progress import Progress

CIFAR10_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
CIFAR_SIZE = 32
BATCHES = tuple(f"data_batch_{n}" for n in range(1, 6)), ("test_batch",)
BATCHES_FOLDER = "cifar-10-batches-py"
CIFAR10_ARCHIVE = Download(
    "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
    "sha256:6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
    170_498_071,
)
JPEG_SUFFIXES = (".jpg", ".jpeg")


def image_folder(root: Path) -> Path | None:
    folder = root / "cifar10"
    return folder if (folder / "train").is_dir() and (folder / "test").is_dir() else None


def batches_folder(root: Path) -> Path | None:
    for folder in (root / "cifar10" / BATCHES_FOLDER, root / BATCHES_FOLDER, root / "cifar10"):
        if (folder / "test_batch").is_file():
            return folder
    return None


def find(root: Path) -> str | None:
    if folder := image_folder(root):
        return f"image folders in {folder}"
    if folder := batches_folder(root):
        return f"python batches in {folder}"
    return None


def load(root: Path, progress: Progress) -> Dataset:
    """CIFAR-10 from whatever stands under the data root, downloaded if nothing does.

    Raises UserError where files are missing or broken, or the download fails.
    """
    if folder := image_folder(root):
        source = folder
        folders = [source / part / name for part in ("train", "test") for name in CIFAR10_CLASSES]
        return cached(root / "decoded" / "cifar10-images", folders, lambda _: from_images(source, progress))
    batches = batches_folder(root) or download(root, progress)
    files = [batches / name for names in BATCHES for name in names]
    return cached(root / "decoded" / "cifar10-batches", files, lambda _: from_batches(batches, progress))


def from_images(folder: Path, progress: Progress) -> Dataset:
    progress("Decoding CIFAR-10", None)
    listed = [
        [(path, label) for label, name in enumerate(CIFAR10_CLASSES) for path in image_files(folder / part / name)]
        for part in ("train", "test")
    ]
    total = sum(len(files) for files in listed)
    parts, jpeg, done = [], False, 0
    for part, files in zip(("train", "test"), listed, strict=True):
        images = np.empty((len(files), CIFAR_SIZE, CIFAR_SIZE, 3), np.uint8)
        for row, (path, _) in enumerate(files):
            if row % 500 == 0:
                progress(f"Decoding CIFAR-10, {part} images", (done + row) / total)
            image = read_image(path.read_bytes(), str(path))
            if image.shape != (CIFAR_SIZE, CIFAR_SIZE, 3):
                height, width = image.shape[:2]
                raise UserError(
                    f"{path} has {width}×{height} pixels; the images of CIFAR-10 have {CIFAR_SIZE}×{CIFAR_SIZE}."
                )
            images[row] = image
        jpeg = jpeg or files[0][0].suffix.lower() in JPEG_SUFFIXES
        parts.append((images, np.array([label for _, label in files], np.int64)))
        done += len(files)
    progress("Measuring the images of CIFAR-10", None)
    title = "CIFAR-10 (JPEG)" if jpeg else "CIFAR-10"
    return make_dataset("cifar10", title, CIFAR10_CLASSES, parts[0], parts[1])


def image_files(folder: Path) -> list[Path]:
    files = sorted(path for path in folder.glob("*") if path.is_file() and not path.name.startswith("."))
    if not files:
        raise UserError(
            f"{folder} holds no images; CIFAR-10 needs one folder for each of {', '.join(CIFAR10_CLASSES)}."
        )
    return files


def from_batches(folder: Path, progress: Progress) -> Dataset:
    progress("Decoding CIFAR-10", None)
    train, test = (join([read_batch(folder / name) for name in names]) for names in BATCHES)
    return make_dataset("cifar10", "CIFAR-10", CIFAR10_CLASSES, train, test)


def join(batches: list[tuple[Pixels, NDArray[np.int64]]]) -> tuple[Pixels, NDArray[np.int64]]:
    return np.concatenate([images for images, _ in batches]), np.concatenate([labels for _, labels in batches])


class ArrayUnpickler(pickle.Unpickler):
    """Reads NumPy arrays and plain values from a pickle, and nothing that could run code."""

    ALLOWED = frozenset({"_reconstruct", "ndarray", "dtype", "encode"})

    def find_class(self, module: str, name: str) -> Any:
        if name in self.ALLOWED and module.split(".", maxsplit=1)[0] in ("numpy", "_codecs"):
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"it asks for {module}.{name}")


def read_batch(
    path: Path, key: bytes = b"labels", classes: int = len(CIFAR10_CLASSES)
) -> tuple[Pixels, NDArray[np.int64]]:
    """Images (count, 32, 32, 3) and labels of one original batch file: rows of 3,072 bytes, channel by channel."""
    try:
        batch = ArrayUnpickler(io.BytesIO(path.read_bytes()), encoding="bytes").load()
        rows = np.asarray(batch[b"data"], np.uint8).reshape(-1, 3, CIFAR_SIZE, CIFAR_SIZE)
        labels = np.asarray(batch[key], np.int64)
    except Exception as error:  # a damaged pickle raises whatever it likes
        raise UserError(f"{path} is not a CIFAR-{classes} batch: {type(error).__name__}: {error}.") from error
    if labels.shape != (len(rows),) or not np.isin(labels, range(classes)).all():
        raise UserError(
            f"{path} is not a CIFAR-{classes} batch: it needs a label from 0 to {classes - 1} for each of its "
            f"{len(rows)} images."
        )
    return np.ascontiguousarray(rows.transpose(0, 2, 3, 1)), labels


def download(root: Path, progress: Progress) -> Path:
    try:
        archive = fetch(CIFAR10_ARCHIVE, root, progress)
    except UserError as error:
        raise UserError(
            f"CIFAR-10 is not under {root}. {error} "
            f"Without a network, put its image folders at {root / 'cifar10'} (train/<class>/*, test/<class>/*) "
            f"or its python batches at {root / BATCHES_FOLDER}."
        ) from error
    extract(archive, root, [f"{BATCHES_FOLDER}/{name}" for names in BATCHES for name in names])
    archive.unlink()
    return root / BATCHES_FOLDER


CIFAR10 = Source(
    name="cifar10",
    title="CIFAR-10",
    summary="60,000 photographs of 32×32 pixels: airplanes, automobiles, birds, cats, deer, dogs, frogs, horses, "
    "ships and trucks.",
    classes=len(CIFAR10_CLASSES),
    image_size=CIFAR_SIZE,
    train_images=50_000,
    test_images=10_000,
    find=find,
    load=load,
    downloads=(CIFAR10_ARCHIVE,),
    home="https://www.cs.toronto.edu/~kriz/cifar.html",
)
