"""Attributions as pictures: blue against the class, orange for it, and nothing where nothing speaks.

Signed values get a diverging scale (Okabe and Ito's blue and vermillion, told apart by the colour-blind) with zero in
its middle, others one from dark to bright (viridis). Both are the same on a light page and on a dark one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cnnlab.datasets.images import Pixels
from cnnlab.inference.attribution import SCALE, Map
from cnnlab.inference.attribution_checks import at_size
from cnnlab.inference.saliency import Attribution

AGAINST, ZERO, FOR = (0, 114, 178), (242, 242, 242), (213, 94, 0)
DIVERGING = np.array([AGAINST, ZERO, FOR], np.float32)
CLIPPED = 99.0
"""The per cent of the values that the scale spans; the few beyond have its ends' colours."""
GAP = 12
LEAST_END = 1e-12
STRIP = (224, 10)


def ends(attribution: Attribution) -> tuple[float, float]:
    """The values at the ends of the scale; of signed values the one is the other's negative."""
    size = max(float(np.percentile(np.abs(attribution.values), CLIPPED)), LEAST_END)
    return (-size, size) if attribution.signed else (0.0, size)


def shaded(shares: NDArray[np.float32], stops: NDArray[np.float32]) -> NDArray[np.float32]:
    """The colours (..., 3) at shares from 0 to 1 of a scale."""
    place = np.clip(shares, 0, 1) * (len(stops) - 1)
    left = np.clip(place.astype(int), 0, len(stops) - 2)
    part = (place - left)[..., None].astype(np.float32)
    colours: NDArray[np.float32] = stops[left] * (1 - part) + stops[left + 1] * part
    return colours


def as_shares(attribution: Attribution, values: Map) -> NDArray[np.float32]:
    low, high = ends(attribution)
    found: NDArray[np.float32] = np.clip((values - low) / (high - low), 0, 1).astype(np.float32)
    return found


def scale_of(attribution: Attribution) -> NDArray[np.float32]:
    return DIVERGING if attribution.signed else SCALE


def picture(attribution: Attribution) -> Pixels:
    """The values alone, each a pixel."""
    return shaded(as_shares(attribution, attribution.values), scale_of(attribution)).astype(np.uint8)


def laid_over(attribution: Attribution, inputs: Pixels, opacity: float) -> Pixels:
    """The values over the grey image they explain: the stronger, the less is seen of it; nothing of zero is."""
    values = at_size(attribution.values, *inputs.shape[:2])
    shares = as_shares(attribution, values)
    strength = np.abs(2 * shares - 1) if attribution.signed else shares
    grey = inputs.astype(np.float32).mean(axis=-1, keepdims=True).repeat(3, axis=-1)
    cover = opacity * strength[..., None]
    colours = np.where(shares[..., None] < 0.5, DIVERGING[0], DIVERGING[2])
    if not attribution.signed:
        colours = shaded(shares, SCALE)
    mixed: Pixels = (grey * (1 - cover) + colours * cover).round().astype(np.uint8)
    return mixed


def scale_strip(attribution: Attribution) -> Pixels:
    """The scale itself, from its low end to its high one."""
    shares = np.broadcast_to(np.linspace(0, 1, STRIP[0], dtype=np.float32), STRIP[::-1])
    return shaded(shares, scale_of(attribution)).astype(np.uint8)


def beside(inputs: Pixels, attribution: Attribution, opacity: float, side: int) -> Image.Image:
    """What the network sees, the attribution over it, and the attribution alone, in one image; each `side` high."""
    parts = [inputs, laid_over(attribution, inputs, opacity), picture(attribution)]
    width = round(side * inputs.shape[1] / inputs.shape[0])
    whole = Image.new("RGBA", (len(parts) * (width + GAP) - GAP, side))
    for place, part in enumerate(parts):
        large = Image.fromarray(part).resize((width, side), Image.Resampling.NEAREST)
        whole.paste(large, (place * (width + GAP), 0))
    return whole
