"""A network that a person imports, from a file or a designer: whether it can be trained, and by what name it goes.

An architecture draws networks that are known to work; here everything is asked that its function guarantees.
"""

from __future__ import annotations

import re
from math import prod

from cnnlab.architectures import ARCHITECTURES
from cnnlab.datasets.source import Source
from cnnlab.errors import UserError
from cnnlab.network import Network, Node
from cnnlab.network.layers import Activation, Dense, shape_text

PREFIX = "design-"
"""What a design's recorded name begins with; no architecture has a hyphen in its name, now or later."""
IMPORTED = "imported-"
"""What the recorded name of an imported model begins with, for the same reason."""
DESIGN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}")
"""Names that Keras, TensorFlow and a folder's name can bear."""
MOST_SIDE = 1024
MOST_LAYERS = 2_000
MOST_PARAMETERS = 1_000_000_000
"""With gradients and momentum 12 GB."""
MOST_TRAINED_VALUES = 1_000_000_000
"""Of all layers' outputs for one image: 4 GB, which training keeps."""


def recorded_name(name: str) -> str:
    """What a design of that name goes by in run ids, addresses and records: never by an architecture's name."""
    return PREFIX + slug(name)


def file_name(name: str) -> str:
    """What to call a network's file."""
    return f"{slug(name)}.json"


def slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def imported_name(name: str) -> str:
    """What an imported model of that name goes by in records; it may be called as an architecture, but is none."""
    return name if name.startswith(IMPORTED) else IMPORTED + name


def title_of(name: str, kind: str = "own design") -> str:
    """The name of a design as it is shown; one that is called as an architecture says that it is another."""
    taken = {known.lower() for one in ARCHITECTURES.values() for known in (one.name, one.title)}
    return f"{name} ({kind})" if name.lower() in taken else name


def check(network: Network, source: Source) -> None:
    """UserError, in one sentence, where the network cannot be trained on the data set."""
    check_names(network)
    height, width, *channels = network.input_shape
    if channels != [3] or height != width or height > MOST_SIDE:
        raise UserError(
            f"{network.name} takes input of {shape_text(network.input_shape)}; square RGB images of N×N×3, "
            f"N from 1 to {MOST_SIDE:,}, are accepted."
        )
    check_size(network)
    if len(set(network.outputs)) != len(network.outputs):
        raise UserError(f"{network.name} names an output twice.")
    for name in network.outputs:
        check_output(network[name], source)
    reached = {name for output in network.outputs for name in ways_to(network, output)}
    if idle := [node.name for node in network.layers if node.name not in reached]:
        raise UserError(f"Layer {idle[0]!r} leads to no output of {network.name}; join it in, or take it out.")
    if not network.trainable:
        raise UserError(f"{network.name} has no weights to learn.")


def ways_to(network: Network, output: str) -> set[str]:
    """The layers on the way to an output."""
    found = {output}
    for node in reversed(network.layers):
        if node.name in found:
            found.update(node.inputs)
    return found


def check_names(network: Network) -> None:
    for what, name in (("A network", network.name), *(("A layer", node.name) for node in network.layers)):
        if not DESIGN_NAME.fullmatch(name):
            raise UserError(
                f"{what} named {name!r}: up to 80 of the letters a to z, digits, '_', '-' and '.' are accepted, a "
                "letter or digit first."
            )


def check_size(network: Network) -> None:
    if len(network.layers) > MOST_LAYERS:
        raise UserError(f"{network.name} has {len(network.layers):,} layers; up to {MOST_LAYERS:,} are accepted.")
    if network.parameters > MOST_PARAMETERS:
        raise UserError(
            f"{network.name} has more than {MOST_PARAMETERS:,} parameters, for which training needs over 12 GB; make "
            "its layers narrower."
        )
    if sum(prod(node.output_shape) for node in network.layers) > MOST_TRAINED_VALUES:
        raise UserError(
            f"{network.name} gives more than {MOST_TRAINED_VALUES:,} values for one image, for which training needs "
            "over 4 GB; make its maps smaller."
        )


def check_output(node: Node, source: Source) -> None:
    if node.output_shape != (source.classes,):
        raise UserError(
            f"{source.title} has {source.classes} classes, and the output {node.name!r} gives "
            f"{shape_text(node.output_shape)} values."
        )
    if not isinstance(node.layer, Dense | Activation) or node.layer.activation != "softmax":
        raise UserError(
            f"The output {node.name!r} gives no probabilities: it must be a Dense or Activation layer with softmax."
        )
