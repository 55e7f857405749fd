"""How a photograph that is not square is best given to a network.

`python benchmarks/photographs.py > benchmarks/photographs.md`

Needs CIFAR-10 and Tiny ImageNet in CNNLAB_DATA. Two measurements, of every network that comes with cnnlab:

- Photographs made of test images: each stands in a wider or higher picture, whose rest is a blurred, stretched copy of
  it (its colours, no object), in the middle or anywhere along the longer side. The same images for every way.
- The free pictures that come with cnnlab, as they are: few, but real photographs of other origin.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT))

from cnnlab import hardware  # noqa: E402
from cnnlab.datasets.images import Pixels, read_image  # noqa: E402
from cnnlab.datasets.preprocessing import FRAMING_TITLES, Framing  # noqa: E402
from cnnlab.evaluation import split_of  # noqa: E402
from cnnlab.inference.classifier import Classifier, load_classifier  # noqa: E402
from cnnlab.zoo.samples import samples_of  # noqa: E402
from cnnlab.zoo.shipped import shipped  # noqa: E402

IMAGES, SEED = 2_000, 0
SHAPES = ((3, 2), (16, 9))
WAYS: tuple[Framing, ...] = ("squash", "pad", "crop", "crops")


def photograph(image: Pixels, long: int, short: int, upright: bool, place: float) -> Pixels:
    """A picture of `long` to `short` that holds the image, `place` of the way along its longer side."""
    side = image.shape[0]
    length = round(side * long / short)
    whole = Image.fromarray(image)
    size = (side, length) if upright else (length, side)
    canvas = whole.resize(size, Image.Resampling.BILINEAR).filter(ImageFilter.GaussianBlur(side / 4))
    at = round((length - side) * place)
    canvas.paste(whole, (0, at) if upright else (at, 0))
    return np.asarray(canvas)


def right(classifier: Classifier, images: list[Pixels], labels: np.ndarray, way: Framing) -> float:
    """The share of images that are answered rightly."""
    ways = classifier.data.preprocessing.framed(way)
    given = np.array([[one.fit(image) for one in ways] for image in images])
    count, copies = given.shape[:2]
    flat = given.reshape(-1, *given.shape[2:])
    said = np.concatenate([classifier.function(flat[n : n + 256]).numpy() for n in range(0, len(flat), 256)])
    return float((said.reshape(count, copies, -1).mean(1).argmax(1) == labels).mean())


def row(name: str, what: str, count: int, measure: Callable[[Framing], float]) -> str:
    found = {way: measure(way) for way in WAYS}
    best = max(found.values())
    cells = [f"**{value:.1%}**" if value == best else f"{value:.1%}" for value in found.values()]
    return f"| {name} | {what} | {count:,} | {' | '.join(cells)} |"


def main() -> None:
    print("# Photographs that are not square\n")
    print(
        f"`python benchmarks/photographs.py` on {hardware.describe()['processor']}, Python "
        f"{platform.python_version()}. Answered rightly, by how the picture was made square; the best in bold.\n"
    )
    print(f"| network | pictures | how many | {' | '.join(FRAMING_TITLES[way].lower() for way in WAYS)} |")
    print(f"| --- | --- | ---: | {' | '.join('---:' for _ in WAYS)} |")
    for run in shipped().values():
        classifier = load_classifier(run)
        split = split_of(run, "test")
        rng = np.random.default_rng(SEED)
        chosen = np.sort(rng.choice(len(split), IMAGES, replace=False))
        images, labels = split.batch(chosen)
        name = f"{run.network.name}, {classifier.data.title}"
        upright, anywhere = rng.random(IMAGES) < 0.5, rng.random(IMAGES)
        for long, short in SHAPES:
            for where, places in (("in the middle", np.full(IMAGES, 0.5)), ("anywhere", anywhere)):
                made = [
                    photograph(image, long, short, bool(high), float(place))
                    for image, high, place in zip(images, upright, places, strict=True)
                ]
                print(
                    row(
                        name,
                        f"test images in {long}:{short}, {where}",
                        IMAGES,
                        lambda way, made=made: right(classifier, made, labels, way),  # noqa: B023
                    ),
                    flush=True,
                )
        pictures = [(read_image(one.read(), one.file), label) for one, label in samples_of(classifier.data.classes)]
        other = [(image, label) for image, label in pictures if image.shape[0] != image.shape[1]]
        places_of = np.array([classifier.data.classes.index(label) for _, label in other])
        seen = [image for image, _ in other]
        print(
            row(name, "free photographs", len(seen), lambda way: right(classifier, seen, places_of, way)),  # noqa: B023
            flush=True,
        )


if __name__ == "__main__":
    main()
