"""MNIST (LeCun, Cortes and Burges, 1998) and Fashion-MNIST (Xiao, Rasul and Vollgraf, 2017, arXiv:1708.07747): 70,000
grey images of 28x28 pixels in ten classes, of which 10,000 to test.

Both are read from their original IDX files, gzipped or not, in a folder under the data root; MNIST also from the
mnist.npz that TensorFlow publishes, which is what is downloaded.
"""

from __future__ import annotations

import gzip
import zipfile
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cnnlab.datasets.cache import cached, make_dataset
from cnnlab.datasets.dataset import Dataset
from cnnlab.datasets.download import Download, fetch
from cnnlab.datasets.images import Pixels
from cnnlab.datasets.source import Source
from cnnlab.errors import UserError
from cnnlab.storage.progress import Progress

MNIST_SIZE = 28
MNIST_FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
IMAGES_MAGIC, LABELS_MAGIC = 2051, 2049
MAX_IDX_BYTES = 100_000_000
MNIST_ADDRESS = "https://storage.googleapis.com/tensorflow/tf-keras-datasets"
MNIST_ARCHIVE = "mnist.npz"
MNIST_DOWNLOADS = (
    Download(
        f"{MNIST_ADDRESS}/{MNIST_ARCHIVE}",
        "sha256:731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1",
        11_490_434,
    ),
)
FASHION_DOWNLOADS = (
    Download(f"{MNIST_ADDRESS}/{MNIST_FILES[0]}.gz", "md5:8d4fb7e6c68d591d4c3dfef9ec88bf0d", 26_421_880),
    Download(f"{MNIST_ADDRESS}/{MNIST_FILES[1]}.gz", "md5:25c81989df183df01b3e8a0aad5dffbe", 29_515),
    Download(f"{MNIST_ADDRESS}/{MNIST_FILES[2]}.gz", "md5:bef4ecab320f06d8554ea6380940ec79", 4_422_102),
    Download(f"{MNIST_ADDRESS}/{MNIST_FILES[3]}.gz", "md5:bb300cfdad3c16e7a12a480ee83cd310", 5_148),
)
MNIST_CLASSES = tuple("0123456789")
CLOTHES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)


def files_in(folder: Path) -> list[Path] | None:
    """The four IDX files, or the one archive; None where they are not all there."""
    found = [path for name in MNIST_FILES for path in (folder / name, folder / f"{name}.gz") if path.is_file()]
    if len(found) >= len(MNIST_FILES):
        return [next(path for path in found if path.name.startswith(name)) for name in MNIST_FILES]
    return [folder / MNIST_ARCHIVE] if (folder / MNIST_ARCHIVE).is_file() else None


def find(name: str, root: Path) -> str | None:
    found = files_in(root / name)
    return f"{found[0].name}{' …' if len(found) > 1 else ''} in {root / name}" if found else None


def load(
    name: str, title: str, classes: tuple[str, ...], downloads: tuple[Download, ...], root: Path, progress: Progress
) -> Dataset:
    """From under the data root, downloaded if it is not there; UserError where files are broken or cannot be had."""
    folder = root / name
    if not files_in(folder):
        try:
            for wanted in downloads:
                fetch(wanted, folder, progress)
        except UserError as error:
            raise UserError(
                f"{title} is not in {folder}. {error} Without a network, put {', '.join(MNIST_FILES)} there, "
                "gzipped or not."
            ) from error
    sources = files_in(folder) or []

    def decode(_: Path) -> Dataset:
        progress(f"Decoding {title}", None)
        arrays = from_archive(sources[0]) if len(sources) == 1 else [read_idx(path) for path in sources]
        train, test = (parts(folder, *arrays[place : place + 2]) for place in (0, 2))
        return make_dataset(name, title, classes, train, test)

    return cached(root / "decoded" / name, sources, decode)


def from_archive(path: Path) -> list[NDArray[np.uint8]]:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return [np.asarray(arrays[name], np.uint8) for name in ("x_train", "y_train", "x_test", "y_test")]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(f"{path} is not the MNIST archive: {error}.") from error


def read_idx(path: Path) -> NDArray[np.uint8]:
    """The array of bytes in an IDX file: (images, 28, 28), or labels (images,)."""
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            data = file.read(MAX_IDX_BYTES)
    except (OSError, EOFError) as error:
        raise UserError(f"{path} cannot be read: {error}.") from error
    kind = "images" if "images" in path.name else "labels"
    head = np.frombuffer(data[:16].ljust(16, b"\0"), ">i4")
    shape = (int(head[1]), MNIST_SIZE, MNIST_SIZE) if kind == "images" else (int(head[1]),)
    begin = 16 if kind == "images" else 8
    magic = IMAGES_MAGIC if kind == "images" else LABELS_MAGIC
    if (
        head[0] != magic
        or len(data) - begin != np.prod(shape)
        or (kind == "images" and tuple(head[2:]) != (MNIST_SIZE, MNIST_SIZE))
    ):
        raise UserError(f"{path} is not an IDX file of {kind} of 28×28 pixels, or not whole ({len(data):,} bytes).")
    return np.frombuffer(data, np.uint8, offset=begin).reshape(shape)


def parts(folder: Path, images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> tuple[Pixels, NDArray[np.int64]]:
    """Grey images as RGB, with their labels."""
    if images.shape != (len(labels), MNIST_SIZE, MNIST_SIZE) or not len(labels) or labels.max() > 9:
        raise UserError(f"{folder} needs a label from 0 to 9 for each of its {len(images):,} images.")
    return np.repeat(images[..., None], 3, axis=-1), labels.astype(np.int64)


def source(name: str, title: str, classes: tuple[str, ...], downloads: tuple[Download, ...], summary: str) -> Source:
    return Source(
        name=name,
        title=title,
        summary=summary,
        classes=len(classes),
        image_size=MNIST_SIZE,
        train_images=60_000,
        test_images=10_000,
        find=partial(find, name),
        load=partial(load, name, title, classes, downloads),
        downloads=downloads,
        tree=", ".join(MNIST_FILES),
    )


MNIST = source(
    "mnist", "MNIST", MNIST_CLASSES, MNIST_DOWNLOADS, "70,000 handwritten digits of 28×28 pixels, white on black."
)
FASHION_MNIST = source(
    "fashion_mnist",
    "Fashion-MNIST",
    CLOTHES,
    FASHION_DOWNLOADS,
    "70,000 grey photographs of clothes and shoes, 28×28 pixels: as large as MNIST and harder.",
)
