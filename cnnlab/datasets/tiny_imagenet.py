"""Tiny ImageNet: 64x64 photographs of 200 classes (Stanford CS231n, after ImageNet), in its original layout.

Its test images have no labels, so the lecture's test part, 50 images a class, is held out of the 500 training images
of each, by a fixed seed. The validation part is the official one of 10,000 images, which makes 450/50/50 a class; where
not all of these are there, 50 more a class are held out of the training images: 400/50/50.

As another choice, `tiny-imagenet-official` tests on the official validation images, as published results mostly do, and
holds 50 a class out of the training images to validate on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from cnnlab.datasets.cache import cached, make_dataset, write_images
from cnnlab.datasets.dataset import Dataset
from cnnlab.datasets.images import Pixels, read_image
from cnnlab.datasets.source import Source
from cnnlab.errors import UserError
from cnnlab.storage.progress import Progress

NAME, OFFICIAL = "tiny-imagenet", "tiny-imagenet-official"
TINY_IMAGENET_FOLDER = "tiny-imagenet-200"
HOME = "http://cs231n.stanford.edu/"
ADDRESS = "http://cs231n.stanford.edu/tiny-imagenet-200.zip"
SIZE, CLASSES, IMAGES, HELD_OUT = 64, 200, 500, 50
SPLIT_SEED = 0
OFFICIAL_IMAGES = 10_000
TINY_IMAGENET_CHUNK = 2000
WORKERS = 4
TREE = "wnids.txt, words.txt, the images of train/<wnid>/images and val/images, and val/val_annotations.txt"
Labelled = list[tuple[Path, int]]


def find(root: Path) -> str | None:
    folder = root / TINY_IMAGENET_FOLDER
    return f"image folders in {folder}" if (folder / "train").is_dir() else None


def load(root: Path, progress: Progress, official: bool = False) -> Dataset:
    """Tiny ImageNet from under the data root, decoded once; UserError where files are missing or broken."""
    folder = root / TINY_IMAGENET_FOLDER
    if not folder.is_dir():
        raise UserError(f"Tiny ImageNet is not under {root}. Unpack {ADDRESS} there, so that {folder} holds {TREE}.")
    names = class_names(folder)
    sources = [folder / "wnids.txt", folder / "words.txt", folder / "val" / "images"]
    sources += [folder / "train" / wnid / "images" for wnid in names]
    name = OFFICIAL if official else NAME
    return cached(root / "decoded" / name, sources, lambda partial: decoded(name, folder, names, partial, progress))


def class_names(folder: Path) -> dict[str, str]:
    """Names for people by wnid, in the order of wnids.txt; the first synonym of words.txt that no other class has."""
    try:
        wnids = (folder / "wnids.txt").read_text().split()
        lines = [line.split("\t") for line in (folder / "words.txt").read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{folder} is not whole: it needs {TREE} ({error}).") from error
    synonyms = {line[0]: [word.strip() for word in line[-1].split(",")] for line in lines if len(line) > 1}
    names: dict[str, str] = {}
    for wnid in wnids:
        choices = [*synonyms.get(wnid, []), wnid]
        names[wnid] = next(name for name in choices if name not in names.values())
    return names


def parts_of(name: str, folder: Path, names: dict[str, str]) -> tuple[Labelled, Labelled, Labelled]:
    """The files with their labels for training, validation and test, class after class."""
    train: Labelled = []
    spare: Labelled = []
    test: Labelled = []
    official = official_validation(folder, names)
    if name == OFFICIAL and not official:
        raise UserError(f"{folder / 'val'} holds no validation images with val_annotations.txt to test on.")
    whole = name == NAME and len(official) == HELD_OUT * len(names)
    for label, wnid in enumerate(names):
        files = sorted((folder / "train" / wnid / "images").glob("*.JPEG"))
        if len(files) <= 2 * HELD_OUT:
            raise UserError(
                f"{folder / 'train' / wnid / 'images'} holds {len(files)} images; Tiny ImageNet has {IMAGES} there."
            )
        order = np.random.default_rng((SPLIT_SEED, label)).permutation(len(files))
        labelled = [(files[place], label) for place in order]
        if name == OFFICIAL:
            spare += labelled[:HELD_OUT]
            train += labelled[HELD_OUT:]
            continue
        test += labelled[:HELD_OUT]
        spare += [] if whole else labelled[HELD_OUT : 2 * HELD_OUT]
        train += labelled[HELD_OUT if whole else 2 * HELD_OUT :]
    return train, official if whole else spare, official if name == OFFICIAL else test


def official_validation(folder: Path, names: dict[str, str]) -> Labelled:
    """The official validation images that are there, with their labels."""
    try:
        lines = (folder / "val" / "val_annotations.txt").read_text().splitlines()
    except OSError:
        return []
    labels = {wnid: label for label, wnid in enumerate(names)}
    found = [line.split("\t")[:2] for line in lines]
    files = [(folder / "val" / "images" / name, labels[wnid]) for name, wnid in found if wnid in labels]
    return sorted(((path, label) for path, label in files if path.exists()), key=lambda item: item[1])


def decoded(name: str, folder: Path, names: dict[str, str], partial: Path, progress: Progress) -> Dataset:
    progress("Decoding Tiny ImageNet", None)
    train, validation, test = parts_of(name, folder, names)
    parts = {"train": train + validation, "test": test}
    total, done = len(train) + len(validation) + len(test), 0
    arrays: list[tuple[Pixels, np.ndarray]] = []
    for part, files in parts.items():
        images = write_images(partial / f"{part}_images.npy", len(files), SIZE, read_all(files, total, done, progress))
        arrays.append((images, np.array([label for _, label in files], np.int64)))
        done += len(files)
    progress("Measuring the images of Tiny ImageNet", None)
    title = "Tiny ImageNet, official validation" if name == OFFICIAL else "Tiny ImageNet"
    return make_dataset(name, title, tuple(names.values()), arrays[0], arrays[1], len(validation))


def read_all(files: Sequence[tuple[Path, int]], total: int, done: int, progress: Progress) -> Iterator[Pixels]:
    """The files' images in chunks (count, 64, 64, 3), decoded by a few threads."""

    def read(item: tuple[Path, int]) -> Pixels:
        path = item[0]
        image = read_image(path.read_bytes(), str(path))
        if image.shape != (SIZE, SIZE, 3):
            height, width = image.shape[:2]
            raise UserError(f"{path} has {width}×{height} pixels; the images of Tiny ImageNet have {SIZE}×{SIZE}.")
        return image

    with ThreadPoolExecutor(WORKERS) as threads:
        for start in range(0, len(files), TINY_IMAGENET_CHUNK):
            progress("Decoding Tiny ImageNet", (done + start) / total)
            yield np.stack(list(threads.map(read, files[start : start + TINY_IMAGENET_CHUNK])))


def official_count(root: Path) -> int | None:
    """How many official validation images are under the data root; None where nothing of the data set is."""
    if find(root) is None:
        return None
    try:
        return sum(path.suffix == ".JPEG" for path in (root / TINY_IMAGENET_FOLDER / "val" / "images").iterdir())
    except OSError:
        return 0


def incomplete(root: Path) -> dict[str, Any]:
    """What differs where not all official validation images are there."""
    if official_count(root) in (None, OFFICIAL_IMAGES):
        return {}
    return {
        "train_images": 90_000,
        "summary": f"{PHOTOGRAPHS} Of each class 400 to train on, 50 to validate and 50 to test, all of them "
        "training images: the official validation images are not all here.",
    }


def incomplete_official(root: Path) -> dict[str, Any]:
    count = official_count(root)
    return {} if count in (None, OFFICIAL_IMAGES) else {"test_images": count}


PHOTOGRAPHS = "Photographs of 64×64 pixels in 200 classes."
TINY_IMAGENET = Source(
    name=NAME,
    title="Tiny ImageNet",
    summary=f"{PHOTOGRAPHS} Of each class 450 to train on and 50 to test, together its 500 training images, and the 50 "
    "official ones to validate.",
    classes=CLASSES,
    image_size=SIZE,
    train_images=100_000,
    test_images=10_000,
    find=find,
    load=load,
    held_out=10_000,
    tree=TREE,
    folder=TINY_IMAGENET_FOLDER,
    differing=incomplete,
    home=HOME,
)
TINY_IMAGENET_OFFICIAL = replace(
    TINY_IMAGENET,
    name=OFFICIAL,
    title="Tiny ImageNet, official validation",
    summary=f"{PHOTOGRAPHS} Of each class 450 to train on and 50 to validate, together its 500 training images, and "
    "the 50 official ones to test, as most published results have it.",
    load=partial(load, official=True),
    differing=incomplete_official,
)
