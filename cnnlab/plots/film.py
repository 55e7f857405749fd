"""A frame of a film as one picture, for files that move without a browser; and what both draw from."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from cnnlab import text, units
from cnnlab.datasets.images import Pixels
from cnnlab.plots.colours import BACKGROUND, BLUE, GREEN, INK, SEEN_TO_STRONG, SOFT_INK, channels, scale, shade
from cnnlab.runs.film import OWN, Frame, Scene
from cnnlab.runs.records import EpochRecord

WIDTH, HEIGHT = 960, 540
MARGIN, LEFT, MIDDLE, RIGHT = 20, 20, 320, 660
TOP, SECOND = 52, 300
SIDE = 150
BARS = 6
MOST_CONFUSION_SIDE = 128
MOST_NAME = 22
EMPTY = 240
VIRIDIS = ("#440154", "#3B528B", "#21918C", "#5EC962", "#FDE725")
"""From low to high, dark to bright in grey as well (sampled)."""


def confusion_shares(confusion: NDArray[np.uint32]) -> NDArray[np.uint8]:
    """A confusion matrix as shares of its rows, 255 being a whole one; of more than 128 classes, squares of cells are
    added up to one."""
    classes = len(confusion)
    block = -(-classes // MOST_CONFUSION_SIDE)
    size = -(-classes // block)
    padded = np.zeros((size * block, size * block))
    padded[:classes, :classes] = confusion
    sums = padded.reshape(size, block, size, block).sum(axis=(1, 3))
    shares = sums / np.maximum(sums.sum(axis=1, keepdims=True), 1)
    coloured: NDArray[np.uint8] = np.ceil(shares * 255).astype(np.uint8)
    return coloured


def followed_classes(probabilities: NDArray[np.float32], label: int, most: int = BARS) -> list[int]:
    """The classes of one image to be followed through its film (frames, classes): its own, and those that were most
    probable at some time, in the classes' order."""
    peaks = np.nan_to_num(probabilities).max(axis=0)
    if label != OWN:
        peaks[label] = np.inf
    return sorted(int(number) for number in np.argsort(-peaks, kind="stable")[:most])


def picture(
    title: str,
    scene: Scene,
    frame: Frame,
    number: int,
    followed: Sequence[int],
    classes: Sequence[str],
    history: Sequence[EpochRecord],
) -> Image.Image:
    """What the network was after an epoch, with image `number` of the film and the classes followed: 960 by 540
    pixels."""
    whole = Image.new("RGB", (WIDTH, HEIGHT), BACKGROUND["light"])
    draw = ImageDraw.Draw(whole)
    epoch = "before the first epoch" if not frame.epoch else f"after epoch {frame.epoch}"
    write(draw, LEFT, 14, f"{text.plain(title, 40)}, {epoch}", 18, INK["light"])

    label = int(scene.labels[number])
    write(draw, LEFT, TOP, "your own image" if label == OWN else f"is: {text.plain(classes[label], MOST_NAME)}")
    whole.paste(sized(scene.images[number], SIDE), (LEFT, TOP + 20))
    for row, one in enumerate(followed):
        share, top = float(frame.probabilities[number][one]), SECOND + row * 36
        write(draw, LEFT, top, f"{text.plain(classes[one], MOST_NAME)}, {units.percent(share)}")
        draw.rectangle((LEFT, top + 17, LEFT + 260, top + 27), fill="#E6EBF0")
        if share > 0:
            draw.rectangle((LEFT, top + 17, LEFT + 260 * share, top + 27), fill=GREEN if one == label else BLUE)

    write(draw, MIDDLE, TOP, f"{len(frame.filters)} first filters")
    tiles(whole, list(frame.filters), MIDDLE, TOP + 20, 300, 210)
    top = SECOND
    for name, maps, (low, high) in zip(scene.layers, frame.maps, frame.ranges, strict=True):
        write(draw, MIDDLE, top, f"{text.plain(name, MOST_NAME)}, {low:.3g} to {high:.3g}")
        tiles(whole, [table(VIRIDIS)[one] for one in maps[number]], MIDDLE, top + 17, 300, 36, columns=8)
        top += 74

    write(draw, RIGHT, TOP, f"confusion of {len(classes)} classes, true by row")
    if frame.confusion is None:
        write(draw, RIGHT, TOP + 24, "not judged yet")
    else:
        shares = confusion_shares(frame.confusion)
        cells = table(tuple(scale(SEEN_TO_STRONG["light"])))[shares]
        cells[shares == 0] = EMPTY
        whole.paste(sized(cells, 210), (RIGHT, TOP + 20))
    curve(draw, frame.epoch, history)
    return whole


def curve(draw: ImageDraw.ImageDraw, epoch: int, history: Sequence[EpochRecord]) -> None:
    """Validation accuracy by epoch, with a mark where the film stands."""
    left, right, top, bottom = RIGHT, WIDTH - MARGIN, SECOND + 24, HEIGHT - 40
    last = max([epoch, 1, *(record["epoch"] for record in history)])
    at = {record["epoch"]: record["validation_accuracy"] for record in history}
    now = f", {units.percent(at[epoch])}" if epoch in at else ""
    write(draw, left, SECOND, f"validation accuracy{now}")
    draw.line((left, bottom, right, bottom), fill=SOFT_INK["light"])

    def place(number: float, share: float) -> tuple[float, float]:
        return left + (right - left) * number / last, bottom - (bottom - top) * share

    points = [place(number, share) for number, share in at.items()]
    if len(points) > 1:
        draw.line(points, fill=BLUE, width=2)
    x, _ = place(epoch, 0)
    draw.line((x, top, x, bottom), fill=INK["light"])
    write(draw, left, bottom + 6, "0")
    write(draw, right - 60, bottom + 6, f"epoch {last}")


def write(
    draw: ImageDraw.ImageDraw, left: float, top: float, words: str, size: int = 13, colour: str = SOFT_INK["light"]
) -> None:
    draw.text((left, top), words, fill=colour, font=ImageFont.load_default(size))


@lru_cache
def table(colours: tuple[str, ...]) -> Pixels:
    """The colours of a scale for the bytes 0 to 255 (256, 3)."""
    parts = [[255 * part for part in channels(shade(list(colours), number / 255))] for number in range(256)]
    return np.array(parts).round().astype(np.uint8)


def sized(pixels: Pixels, side: int) -> Image.Image:
    """Pixels as visible squares, the longer side so long."""
    height, width = pixels.shape[:2]
    factor = side / max(height, width)
    shape = (max(round(width * factor), 1), max(round(height * factor), 1))
    return Image.fromarray(pixels).resize(shape, Image.Resampling.NEAREST)


def tiles(
    whole: Image.Image, images: Sequence[Pixels], left: int, top: int, width: int, height: int, columns: int = 0
) -> None:
    """Small images in rows, as large as they fit there."""
    if not len(images):
        return
    if not columns:
        columns = max(round((len(images) * width / height) ** 0.5), 1)
    rows = -(-len(images) // columns)
    side = min(width // columns, height // rows)
    for number, one in enumerate(images):
        row, column = divmod(number, columns)
        whole.paste(sized(one, max(side - 2, 1)), (left + column * side, top + row * side))
