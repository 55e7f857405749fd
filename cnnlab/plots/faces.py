"""What stands on a network's landscape while it works on an image: real feature maps, and the most probable classes."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from functools import cache

import numpy as np
from PIL import Image, ImageColor

from cnnlab.inference.activations import Activations, Values
from cnnlab.network.diagram import Answer, AtWork
from cnnlab.network.landscape import landscape
from cnnlab.plots.colours import NO_NUMBER
from cnnlab.plots.film import VIRIDIS, table

MOST_SIDE = 128
"""Of a map on a face: no face is drawn larger than that."""
MOST_CLASSES, MOST_OF_HEAD = 5, 1


def at_work(
    seen: Activations, opened: Sequence[str], classes: Sequence[str], layer: str | None = None, channel: int = 0
) -> AtWork:
    """A map on every volume's face: of the chosen `layer` its `channel`, of the others that with the largest mean.

    The input's face is the image.
    """
    network = seen.network
    first = network.layers[0].name
    faces = {}
    for box in landscape(network, opened).boxes:
        last = box.nodes[-1].name
        values = seen.values[last]
        if values.ndim != 3:
            continue
        if last == first:
            faces[box.name] = as_address(Image.fromarray(seen.inputs))
        else:
            shown = channel if last == layer and channel < values.shape[-1] else strongest(values)
            faces[box.name] = as_address(coloured(values[..., shown]))
    return AtWork(faces, answers_of(seen, classes))


def answers_of(seen: Activations, classes: Sequence[str]) -> tuple[Answer, ...]:
    """The most probable classes of the main output, and the most probable one of each other."""
    outputs = seen.network.outputs
    found = []
    for name in outputs:
        said = np.nan_to_num(seen.values[name].ravel(), nan=-1)
        order = np.argsort(-said, kind="stable")[: MOST_CLASSES if name == outputs[0] else MOST_OF_HEAD]
        found.append(
            Answer(
                name if len(outputs) > 1 else "",
                tuple((classes[place], float(seen.values[name].ravel()[place])) for place in order),
            )
        )
    return tuple(found)


def strongest(values: Values) -> int:
    """The channel with the largest mean, of maps (height, width, channels) or a vector; a mean of NaN counts as 0."""
    with np.errstate(invalid="ignore"):
        return int(np.nan_to_num(values.reshape(-1, values.shape[-1]).mean(axis=0)).argmax())


def coloured(values: Values) -> Image.Image:
    """A map (height, width) in viridis from its least value, or 0 where none is below, to its greatest; no larger than
    a face."""
    factor = -(-max(values.shape) // MOST_SIDE)
    values = values[::factor, ::factor]
    finite = np.isfinite(values)
    known = values[finite]
    low = min(float(known.min(initial=0.0)), 0.0)
    high = float(known.max(initial=low))
    scaled = (np.where(finite, values, low) - low) / max(high - low, 1e-12)
    indices = np.where(finite, 1 + (scaled * 254).round(), 0).astype(np.uint8)
    picture = Image.fromarray(indices).convert("P")
    picture.putpalette(palette())
    return picture


@cache
def palette() -> bytes:
    """256 colours: that of what is no number, then viridis."""
    colours = table(VIRIDIS).copy()
    colours[0] = ImageColor.getrgb(NO_NUMBER)
    return colours.tobytes()


def as_address(picture: Image.Image) -> str:
    """A picture as a PNG in a data address."""
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
