"""What is silenced in a network: read from texts and written as such, and what of a module goes silent together.

A silenced channel gives zeros to all that read it. Where a batch normalization or an activation stands between a
convolution and the next, that is not the same as taking its filter out: the normalization makes a constant of the
zeros. Branches and reductions are therefore silenced at their ends.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from cnnlab import units
from cnnlab.errors import UserError
from cnnlab.inference.activations import ActivationModel, Silenced
from cnnlab.network import Network, Node
from cnnlab.network.branches import branches, joined_in, module_of
from cnnlab.network.layers import Conv2D, Pointwise

CHANNELS = re.compile(r"\d{1,5}(-\d{1,5})?(,\d{1,5}(-\d{1,5})?)*", re.ASCII)


@dataclass(frozen=True)
class Silenceable:
    """What can be silenced by one click: its name, and the layer that goes silent as a whole."""

    title: str
    layer: str


def silenced_of(texts: Iterable[str]) -> dict[str, list[int] | None]:
    """What to silence from texts, `layer`, `layer:3` or `layer:3,5,8-15`; UserError where channels are no numbers."""
    found: dict[str, list[int] | None] = {}
    for text in texts:
        layer, colon, numbers = text.rpartition(":")
        if not colon:
            found[text] = None
            continue
        if not CHANNELS.fullmatch(numbers):
            raise UserError(f"{text!r}: what to silence is written LAYER or LAYER:CHANNELS, such as conv1:3,5,8-15.")
        before = found.get(layer, [])
        if before is not None:
            found[layer] = sorted({*before, *numbers_of(numbers)})
    return found


def numbers_of(text: str) -> Iterable[int]:
    """The numbers of `3,5,8-15`."""
    for part in text.split(","):
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)


def texts_of(silenced: Silenced) -> tuple[str, ...]:
    """The same as texts, one for each channel or whole layer."""
    return tuple(
        text
        for layer, channels in silenced.items()
        for text in ([layer] if channels is None else [f"{layer}:{channel}" for channel in sorted(channels)])
    )


def title_of(text: str, network: Network) -> str:
    """What a text of `texts_of` silences, in words."""
    (layer, channels), *_ = silenced_of([text]).items()
    if channels is None:
        count = network[layer].output_shape[-1]
        return f"{layer}, all {units.count(count)} channels" if count > 1 else f"{layer}, its only channel"
    return f"{layer}, channel {channels[0]}"


def silenceable(network: Network, layer: str) -> list[Silenceable]:
    """The branches and the 1x1 reductions of the module that a layer belongs to."""
    joined = joined_in(network, layer)
    found = [
        Silenceable(f"Branch {branch.name}", branch.source)
        for branch in (branches(network, joined) if joined else ())
        if branch.source in branch.layers
    ]
    known = {one.layer for one in found}
    return found + [one for one in reductions(network, layer) if one.layer not in known]


def reductions(network: Network, layer: str) -> list[Silenceable]:
    """The 1x1 convolutions in a layer's module that give fewer channels than they read to a larger convolution."""
    found = []
    for node in module_of(network, layer):
        if not is_reduction(node):
            continue
        end = unit_end(network, node.name)
        read = next((one for one in network.layers if end in one.inputs), None)
        if read is not None and isinstance(read.layer, Conv2D) and read.layer.kernel > 1:
            title = f"Reduction {node.input_shapes[0][-1]} → {node.output_shape[-1]} before {read.layer.summary}"
            found.append(Silenceable(title, end))
    return found


def is_reduction(node: Node) -> bool:
    layer = node.layer
    return isinstance(layer, Conv2D) and layer.kernel == 1 and layer.filters < node.input_shapes[0][-1]


def unit_end(network: Network, name: str) -> str:
    """The last of the layers that only normalize, activate or drop what this one gives."""
    readers = [node for node in network.layers if name in node.inputs]
    if len(readers) == 1 and isinstance(readers[0].layer, Pointwise) and readers[0].name not in network.outputs:
        return unit_end(network, readers[0].name)
    return name


def both_answers(model: ActivationModel, silenced: Silenced) -> Any:
    """uint8 inputs (count, height, width, 3) to the probabilities (count, classes) of the main output as the network is
    and with channels silenced, as one compiled function; layers before the first silenced one are computed once.

    UserError where a layer or a channel to silence is not there.
    """
    from cnnlab.keras.backend import tf

    model.kept(silenced)  # says what is not there
    network = model.network

    def compute(images: Any) -> tuple[Any, Any]:
        plain: dict[str, Any] = {}
        hushed: dict[str, Any] = {}
        for node in network.layers:
            name = node.name
            plain[name] = hushed[name] = model.output_of(node, images, plain)
            if any(hushed[given] is not plain[given] for given in node.inputs):
                hushed[name] = model.output_of(node, images, hushed)
            if name in silenced:
                channels = silenced[name]
                zeros = [channels is None or channel in channels for channel in range(node.output_shape[-1])]
                hushed[name] = tf.where(tf.constant(zeros), tf.zeros_like(hushed[name]), hushed[name])
        return plain[network.outputs[0]], hushed[network.outputs[0]]

    images = tf.TensorSpec((None, *model.preprocessing.input_size, 3), tf.uint8)
    return tf.function(compute, input_signature=[images], autograph=False).get_concrete_function()
