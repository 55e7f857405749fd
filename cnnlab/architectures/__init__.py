"""The architectures, by name: what each is, where it comes from, and the function that draws it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from cnnlab.architectures.before_and_after import AFTER, BEFORE
from cnnlab.architectures.entry import Architecture, Group, Paper
from cnnlab.architectures.of_the_lecture import OF_THE_LECTURE
from cnnlab.architectures.options import Value, option_model, validate
from cnnlab.errors import UserError
from cnnlab.network import Network

__all__ = [
    "ARCHITECTURES",
    "Architecture",
    "Group",
    "Paper",
    "architecture",
    "build",
    "training_input_size",
]

ARCHITECTURES = {architecture.name: architecture for architecture in (*OF_THE_LECTURE, *BEFORE, *AFTER)}
"""Those of the lecture first, then those before and after."""

for _architecture in ARCHITECTURES.values():
    option_model(_architecture.function)  # made at import, so that the first table is as fast as the others


def architecture(name: str) -> Architecture:
    """The architecture of that name; UserError, listing the names, if there is none."""
    if name not in ARCHITECTURES:
        raise UserError(f"There is no architecture {name!r}; there are {', '.join(ARCHITECTURES)}.")
    return ARCHITECTURES[name]


def build(name: str, values: Mapping[str, Value] | None = None) -> Network:
    """The network of that name with these options; UserError for an unknown name, option or value."""
    chosen = architecture(name)
    return _build(name, tuple(validate(name, chosen.function, values or {}).items()))


@lru_cache(maxsize=256)
def _build(name: str, values: tuple[tuple[str, Value], ...]) -> Network:
    return ARCHITECTURES[name].function(**dict(values))


def training_input_size(name: str, image_size: int) -> int:
    """The input size to train an architecture with on images of that size, where nobody says otherwise.

    The architecture's own, but a network made for large images is not made to enlarge small ones: VGG16 meets
    CIFAR-10 at 32x32, the least its five poolings take, and AlexNet at the 63x63 that its poolings take.
    """
    chosen = architecture(name)
    return min(int(chosen.defaults["input_size"]), max(chosen.smallest_input, image_size))
