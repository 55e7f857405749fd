"""One network at one image, as the parts of the microscope show it together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from cnnlab.inference.activations import ActivationModel, Activations

Unit = tuple[int, int]
"""A place on a layer's maps: row, column; (0, 0) for a vector."""


@dataclass(frozen=True, eq=False)
class View:
    """`side` is "a", or "b" for the second of two beside each other: part of every component's key and address name.
    `version` changes whenever a value does. `silenced` is as in the address: `layer` or `layer:3`."""

    side: str
    title: str
    model: ActivationModel
    seen: Activations
    version: str
    silenced: Sequence[str] = ()
    linked: bool = False
    """Whether layer, channel and place are chosen for both sides at once, which show one network."""

    def name(self, name: str) -> str:
        """What a choice of this side is called in the address."""
        return name if self.side == "a" or self.linked else f"{name}-{self.side}"


def version_of(network: str, step: int, inputs: bytes, silenced: Sequence[str]) -> str:
    """The version of a network's checkpoint at an image with channels silenced."""
    return sha256(repr((network, step, sha256(inputs).hexdigest(), tuple(silenced))).encode()).hexdigest()[:16]
