"""The film of a training: what a run keeps, at chosen epochs, of the same few images.

film/images.npz        which images and layers are filmed
film/epoch-00012.npz   a frame: probabilities, first filters, activation maps, confusion matrix after epoch 12
film/own.png           an image of the person's own, where one was given

Each file is written aside and renamed, so a kill leaves whole frames. A frame that cannot be read is left out; the
others stand.
"""

from __future__ import annotations

import re
import shutil
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cnnlab.datasets.images import Pixels, read_image
from cnnlab.errors import UserError
from cnnlab.runs.run import Run
from cnnlab.storage.leftovers import written_aside

FILM_FOLDER = "film"
IMAGES_FILE = "images.npz"
OWN_IMAGE_FILE = "own.png"
OWN = -1
"""The label of the person's own image, which nobody told."""
MOST_FRAMES = 60
OWN_SIDE = 512
FRAME_NAME = re.compile(r"epoch-(\d{5,})\.npz")
UNREADABLE = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error)

Maps = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Scene:
    """What is filmed: small copies of the images (count, height, width, 3), their labels, the layers' names and how
    many channels each has."""

    images: Pixels
    labels: NDArray[np.int64]
    layers: tuple[str, ...]
    channels: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Frame:
    """What the network was after an epoch; 0 is before the first.

    `probabilities` (images, classes); `filters` of the first convolution (count, height, width, 3), grey is 0, each on
    its own scale; `maps` by layer (images, channels, height, width), 0 to 255 from the layer's least to its greatest
    value in `ranges` (layers, 2); `confusion` (true, predicted) of the validation images, None before the first epoch.
    """

    epoch: int
    probabilities: NDArray[np.float32]
    filters: Pixels
    maps: tuple[Maps, ...]
    ranges: NDArray[np.float32]
    confusion: NDArray[np.uint32] | None


def spacing(epoch: int) -> int:
    """Every how many epochs one is kept once so many are over: it doubles where more than 60 would be kept.

    It depends on nothing that is still to come, so an extended run keeps what a longer one would have kept.
    """
    step = 1
    while epoch > MOST_FRAMES * step:
        step *= 2
    return step


def is_filmed(epoch: int, last: int) -> bool:
    """Whether a frame is taken after this epoch, in a training that is to end with epoch `last`."""
    return epoch % spacing(epoch) == 0 or epoch == last


def frame_files(run: Run) -> dict[int, Path]:
    """The frames on disk by their epoch, in order; whether they are whole is not looked at."""
    found = {}
    for path in (run.folder / FILM_FOLDER).glob("epoch-*.npz"):
        if named := FRAME_NAME.fullmatch(path.name):
            found[int(named[1])] = path
    return dict(sorted(found.items()))


def write_scene(run: Run, scene: Scene) -> None:
    folder = run.folder / FILM_FOLDER
    folder.mkdir(exist_ok=True)
    with written_aside(folder / IMAGES_FILE) as partial, partial.open("wb") as file:
        np.savez_compressed(
            file,
            images=scene.images,
            labels=scene.labels,
            layers=np.array(scene.layers, dtype=np.str_),
            channels=np.array(scene.channels, np.int64),
        )


def write_frame(run: Run, frame: Frame) -> None:
    """Keep a frame, and give up those that the spacing at its epoch leaves out."""
    parts = {
        "probabilities": frame.probabilities,
        "filters": frame.filters,
        "ranges": frame.ranges,
        **{f"maps-{number}": maps for number, maps in enumerate(frame.maps)},
        **({"confusion": frame.confusion} if frame.confusion is not None else {}),
    }
    path = run.folder / FILM_FOLDER / f"epoch-{frame.epoch:05d}.npz"
    with written_aside(path) as partial, partial.open("wb") as file:
        np.savez_compressed(file, **parts)  # type: ignore[arg-type]  # its stub takes a flag of that type too
    step = spacing(frame.epoch)
    for epoch, other in frame_files(run).items():
        if epoch % step and epoch != frame.epoch:
            other.unlink(missing_ok=True)


def forget_after(run: Run, epoch: float) -> None:
    """Remove the frames of epochs that are trained once more."""
    for filmed, path in frame_files(run).items():
        if filmed > epoch:
            path.unlink(missing_ok=True)


def read_scene(run: Run) -> Scene | None:
    """What is filmed; None where the run has no film, or the file is damaged."""
    try:
        with np.load(run.folder / FILM_FOLDER / IMAGES_FILE) as saved:
            layers = tuple(str(name) for name in saved["layers"])
            channels = tuple(int(count) for count in saved["channels"])
            scene = Scene(saved["images"], saved["labels"], layers, channels)
    except UNREADABLE:
        return None
    fits = scene.images.ndim == 4 and len(scene.images) == len(scene.labels) and len(layers) == len(channels)
    return scene if fits else None


def read_frame(path: Path, scene: Scene) -> Frame | None:
    """A frame of a film; None where the file is damaged or is of other images."""
    named = FRAME_NAME.fullmatch(path.name)
    try:
        with np.load(path) as saved:
            frame = Frame(
                int(named[1]) if named else 0,
                saved["probabilities"],
                saved["filters"],
                tuple(saved[f"maps-{number}"] for number in range(len(scene.layers))),
                saved["ranges"],
                saved["confusion"] if "confusion" in saved.files else None,
            )
    except UNREADABLE:
        return None
    counts = {len(frame.probabilities), *(len(maps) for maps in frame.maps)}
    return frame if counts == {len(scene.images)} and len(frame.ranges) == len(scene.layers) else None


def frames(run: Run, scene: Scene) -> Iterator[Frame]:
    """The frames that can be read, in the order of their epochs."""
    for path in frame_files(run).values():
        if frame := read_frame(path, scene):
            yield frame


def damaged_files(run: Run) -> list[str]:
    """The names of the film's files that cannot be read, by their beginning and their end alone."""
    files = frame_files(run)
    if not files:
        return []
    paths = [run.folder / FILM_FOLDER / IMAGES_FILE, *files.values()]
    return [path.name for path in paths if not zipfile.is_zipfile(path)]


# The person's own image


def keep_own_image(run: Run, pixels: Pixels) -> None:
    """Have a run that has not begun film this image too; UserError where it cannot be kept."""
    image = Image.fromarray(pixels)
    image.thumbnail((OWN_SIDE, OWN_SIDE))
    folder = run.folder / FILM_FOLDER
    try:
        folder.mkdir(exist_ok=True)
        with written_aside(folder / OWN_IMAGE_FILE) as partial:
            image.save(partial, "PNG")
    except OSError as error:
        raise UserError(f"The image cannot be kept with run {run.id}: {error.strerror}.") from error


def own_image(run: Run) -> Pixels | None:
    """The person's own image, where the run films one."""
    path = run.folder / FILM_FOLDER / OWN_IMAGE_FILE
    return read_image(path.read_bytes(), path.name) if path.exists() else None


def take_along(run: Run, made: Run, epoch: float | None) -> None:
    """Copy what a run filmed up to an epoch to one that goes on from there; to one that begins anew (None) only the
    person's image."""
    source, target = run.folder / FILM_FOLDER, made.folder / FILM_FOLDER
    kept = [path for filmed, path in frame_files(run).items() if epoch is not None and filmed <= epoch]
    wanted = [source / OWN_IMAGE_FILE, *([source / IMAGES_FILE, *kept] if kept else ())]
    for path in wanted:
        if path.exists():
            target.mkdir(exist_ok=True)
            shutil.copyfile(path, target / path.name)
