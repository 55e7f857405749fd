"""Which parts of an image a class owes its place to: occlusion, integrated gradients, SmoothGrad.

They ask the network alone, whatever its layers, so they work for an imported file too. Images are in pixel values from
0 to 255; normalization is part of what is asked. What each method differentiates, or watches, is what its paper does:

- occlusion (Zeiler and Fergus, 2014, arXiv:1311.2901, section 4.2) watches the class's probability, after softmax;
- integrated gradients (Sundararajan et al., 2017, arXiv:1703.01365) differentiate the network's output, a function to
  [0, 1]: the probability too, so that attributions sum to a difference of probabilities;
- SmoothGrad (Smilkov et al., 2017, arXiv:1706.03825) differentiates the class's score before softmax, as do Grad-CAM
  and CAM. Where an imported file does not end in a softmax that can be taken off, its output is the score.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from cnnlab.datasets.images import Pixels
from cnnlab.errors import UserError
from cnnlab.inference.attribution import Explainer, Map
from cnnlab.inference.probe import Images, Probe, Progress, unwatched

AttributionMethod = Literal["cam", "grad-cam", "occlusion", "integrated-gradients", "smoothgrad", "edges"]
METHODS: tuple[AttributionMethod, ...] = get_args(AttributionMethod)
METHOD_TITLES: dict[AttributionMethod, str] = {
    "cam": "CAM",
    "grad-cam": "Grad-CAM",
    "occlusion": "Occlusion",
    "integrated-gradients": "Integrated gradients",
    "smoothgrad": "SmoothGrad",
    "edges": "Edges (control)",
}
SIGNED: tuple[AttributionMethod, ...] = ("cam", "occlusion", "integrated-gradients")
"""Methods whose values speak for the class where positive, and against it where negative."""
PATCHES_A_SIDE, SHIFTS_A_SIDE = 4, 16
FIRST_STEPS, MOST_STEPS = 16, 512
QUICK_STEPS, QUICK_SAMPLES = 32, 16
COMPLETE_WITHIN = 0.01
ROUNDING = 1e-6
"""A difference of probabilities below this is float32's own."""
NOISE, NOISY_SAMPLES = 0.15, 50


@dataclass(frozen=True)
class Completeness:
    """Whether integrated gradients sum to what they explain: the probability's difference to the black image's."""

    total: float
    difference: float
    steps: int

    @property
    def error(self) -> float:
        """The gap as a share of the difference."""
        return abs(self.total - self.difference) / max(abs(self.difference), ROUNDING)

    @property
    def holds(self) -> bool:
        return self.error <= COMPLETE_WITHIN or abs(self.total - self.difference) <= ROUNDING


@dataclass(frozen=True, eq=False)
class Attribution:
    """A method's picture for a class: `values` (rows, columns) over the input, which may have more pixels.

    `output` is what it explains, a probability or, where `of_score`, a score before softmax.
    """

    method: AttributionMethod
    label: int
    values: Map
    output: float
    of_score: bool
    completeness: Completeness | None = None

    @property
    def signed(self) -> bool:
        return self.method in SIGNED


def refusal_of(probe: Probe, method: AttributionMethod) -> str | None:
    """Why a method cannot be used with this network, in a sentence; None where it can."""
    if method not in ("cam", "grad-cam"):
        return None
    if probe.network is None:
        return (
            f"{METHOD_TITLES[method]} needs to know the layers, and this network was imported as a file; occlusion, "
            "integrated gradients and SmoothGrad need none of them."
        )
    explainer = Explainer(probe.classifier)
    try:
        exact = explainer.exact
    except UserError as error:
        return str(error)
    if method == "cam" and not exact:
        return (
            "A class activation map needs global average pooling before at most one dense layer, which this network "
            "does not have; Grad-CAM is its generalization and works here."
        )
    return None


def attribute(
    probe: Probe,
    inputs: Pixels,
    label: int,
    method: AttributionMethod,
    progress: Progress = unwatched,
    quick: bool = False,
) -> Attribution:
    """A method's picture of what speaks for a class in an input (height, width, 3).

    `quick` takes 32 steps at most, or 16 samples, for checks that repeat it. UserError where
    the method does not apply to the network, there is no such class, or the network answers no number.
    """
    if refusal := refusal_of(probe, method):
        raise UserError(refusal)
    probability = probe.probability(inputs, label)
    match method:
        case "cam" | "grad-cam":
            explainer = Explainer(probe.classifier)
            found = explainer.exact_map(inputs, label) if method == "cam" else explainer.grad_cam(inputs, label)
            return Attribution(method, label, found[0], found[1], True)
        case "occlusion":
            return Attribution(method, label, occlusion(probe, inputs, label, progress), probability, False)
        case "integrated-gradients":
            most = QUICK_STEPS if quick else MOST_STEPS
            gradients, completeness = integrated_gradients(probe, inputs, label, progress, most)
            values = gradients.sum(axis=-1).astype(np.float32)
            return Attribution(method, label, values, probability, False, completeness)
        case "smoothgrad":
            samples = QUICK_SAMPLES if quick else NOISY_SAMPLES
            smooth = smooth_gradient(probe, inputs, label, samples=samples, progress=progress)
            return Attribution(method, label, np.abs(smooth).sum(axis=-1).astype(np.float32), probability, True)
        case "edges":
            return Attribution(method, label, edges(inputs), probability, False)


def flat(inputs: Pixels) -> Images:
    """An image of the input's own mean colour: what covers or replaces a part of it."""
    return np.broadcast_to(inputs.reshape(-1, 3).mean(axis=0, dtype=np.float64), inputs.shape).astype(np.float32)


def occlusion(probe: Probe, inputs: Pixels, label: int, progress: Progress = unwatched) -> Map:
    """By how much the class's probability falls where a patch covers the image, on average over the patches that cover
    a pixel: (height, width).

    The patch is a quarter of the side and moves by a sixteenth. It has the image's own mean colour, where the paper
    takes grey, so that covering nothing changes nothing.
    """
    image, cover = inputs.astype(np.float32), flat(inputs)
    windows = [
        (slice(top, top + rows), slice(left, left + columns))
        for top, rows in patches(inputs.shape[0])
        for left, columns in patches(inputs.shape[1])
    ]

    def covered(number: int) -> Images:
        if number == len(windows):
            return image
        changed = image.copy()
        changed[windows[number]] = cover[windows[number]]
        return changed

    found = probe.probabilities(len(windows) + 1, covered, progress)[:, label].astype(np.float64)
    falls, times = np.zeros(inputs.shape[:2]), np.zeros(inputs.shape[:2])
    for window, value in zip(windows, found[:-1], strict=True):
        falls[window] += found[-1] - value
        times[window] += 1
    return (falls / times).astype(np.float32)


def patches(side: int) -> list[tuple[int, int]]:
    """Where patches begin along a side, and how long they are; the last ends at the border."""
    length, shift = max(side // PATCHES_A_SIDE, 1), max(side // SHIFTS_A_SIDE, 1)
    return [(start, length) for start in sorted({*range(0, side - length + 1, shift), side - length})]


def integrated_gradients(
    probe: Probe, inputs: Pixels, label: int, progress: Progress = unwatched, most_steps: int = MOST_STEPS
) -> tuple[NDArray[np.float64], Completeness]:
    """The probability's gradients along the straight way from the black image, times the way: (height, width, 3).

    The integral is the trapezoidal rule's. Its steps are doubled, keeping what was computed, until the attributions sum
    to the difference of the probabilities within 1 %, or there are `most_steps`.
    """
    image = inputs.astype(np.float32)
    black, own = probe.probabilities(2, lambda number: image * number)[:, label].astype(np.float64)
    total = probe.gradient_sum(2, lambda number: image * number, label, False) / 2
    steps = 1
    shares = np.arange(1, FIRST_STEPS) / FIRST_STEPS
    while True:
        done, added = steps, len(shares)
        total += probe.gradient_sum(
            added,
            lambda number, shares=shares: image * np.float32(shares[number]),  # type: ignore[misc]
            label,
            False,
            lambda share, done=done, added=added: progress(  # type: ignore[misc]
                min((done + share * added) / most_steps, 1.0)
            ),
        )
        steps += added
        found = image * total / steps
        completeness = Completeness(float(found.sum()), float(own - black), steps)
        if completeness.holds or 2 * steps > most_steps:
            progress(1.0)
            return found, completeness
        shares = (np.arange(steps) + 0.5) / steps


def smooth_gradient(
    probe: Probe,
    inputs: Pixels,
    label: int,
    noise: float = NOISE,
    samples: int = NOISY_SAMPLES,
    progress: Progress = unwatched,
) -> NDArray[np.float64]:
    """The mean gradient (height, width, 3) of the class's score by the pixels, at copies of the image with Gaussian
    noise.

    `noise` is its deviation as a share of the image's range; the paper takes 0.1 to 0.2 and 50 samples. The picture
    made of it shows absolute values, as the paper's does. The noise is the same at every call.
    """
    image = inputs.astype(np.float32)
    deviation = noise * float(image.max() - image.min())
    count = samples if deviation else 1

    def noisy(number: int) -> Images:
        draw = np.random.default_rng(number).standard_normal(image.shape, dtype=np.float32)
        return image + np.float32(deviation) * draw

    return probe.gradient_sum(count, noisy, label, True, progress) / count


def edges(inputs: Pixels) -> Map:
    """How steep the brightness is (Sobel). It knows no network: what a check must find unchanged by the weights."""
    import cv2

    grey = inputs.astype(np.float32).mean(axis=-1)
    across, down = (cv2.Sobel(grey, cv2.CV_32F, dx, 1 - dx) for dx in (1, 0))
    steepness: Map = np.hypot(across, down).astype(np.float32)
    return steepness
