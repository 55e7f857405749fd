"""CIFAR-100: 60,000 photographs of 32x32 pixels in 100 classes of 600 (Krizhevsky, 2009), in its original files
`cifar-100-python/train`, `test` and `meta` under the data root, or downloaded."""

from __future__ import annotations

import io
from pathlib import Path

from cnnlab.datasets.cache import cached, make_dataset
from cnnlab.datasets.cifar10 import CIFAR_SIZE, ArrayUnpickler, read_batch
from cnnlab.datasets.dataset import Dataset
from cnnlab.datasets.download import Download, extract, fetch
from cnnlab.datasets.source import Source
from cnnlab.errors import UserError
from cnnlab.storage.progress import Progress

CIFAR100_FOLDER = "cifar-100-python"
CIFAR100_FILES = ("train", "test", "meta")
CIFAR100_CLASSES = 100
CIFAR100_ARCHIVE = Download(
    "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz",
    "sha256:85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7",
    169_001_437,
)


def find(root: Path) -> str | None:
    folder = root / CIFAR100_FOLDER
    return f"original files in {folder}" if all((folder / name).is_file() for name in CIFAR100_FILES) else None


def load(root: Path, progress: Progress) -> Dataset:
    """CIFAR-100 from under the data root, downloaded if it is not there; UserError where that fails."""
    if not find(root):
        try:
            archive = fetch(CIFAR100_ARCHIVE, root, progress)
        except UserError as error:
            raise UserError(
                f"CIFAR-100 is not under {root}. {error} Without a network, unpack it so that "
                f"{root / CIFAR100_FOLDER} holds {', '.join(CIFAR100_FILES)}."
            ) from error
        extract(archive, root, [f"{CIFAR100_FOLDER}/{name}" for name in CIFAR100_FILES])
        archive.unlink()
    files = [root / CIFAR100_FOLDER / name for name in CIFAR100_FILES]

    def decode(_: Path) -> Dataset:
        progress("Decoding CIFAR-100", None)
        names = class_names(files[2])
        train, test = (read_batch(path, b"fine_labels", CIFAR100_CLASSES) for path in files[:2])
        return make_dataset("cifar100", "CIFAR-100", names, train, test)

    return cached(root / "decoded" / "cifar100", files, decode)


def class_names(path: Path) -> tuple[str, ...]:
    try:
        meta = ArrayUnpickler(io.BytesIO(path.read_bytes()), encoding="bytes").load()
        names = tuple(name.decode() for name in meta[b"fine_label_names"])
    except Exception as error:  # a damaged pickle raises whatever it likes
        raise UserError(f"{path} is not CIFAR-100's list of classes: {type(error).__name__}: {error}.") from error
    if len(set(names)) != CIFAR100_CLASSES:
        raise UserError(f"{path} names {len(set(names))} classes; CIFAR-100 has {CIFAR100_CLASSES}.")
    return names


CIFAR100 = Source(
    name="cifar100",
    title="CIFAR-100",
    summary="60,000 photographs of 32×32 pixels in 100 classes: apples to worms.",
    classes=CIFAR100_CLASSES,
    image_size=CIFAR_SIZE,
    train_images=50_000,
    test_images=10_000,
    find=find,
    load=load,
    downloads=(CIFAR100_ARCHIVE,),
    tree=f"{CIFAR100_FOLDER}/train, test and meta",
    folder=CIFAR100_FOLDER,
)
