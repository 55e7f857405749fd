"""The architectures, by name: what each is, where it comes from, and the function that draws it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from cnnlab.architectures.minigooglenet import minigooglenet
from cnnlab.architectures.switches import Switch, Value, switches, validate
from cnnlab.architectures.vgg import minivggnet, vgg16
from cnnlab.errors import UserError
from cnnlab.network import Network


@dataclass(frozen=True)
class Paper:
    """Where an architecture was published."""

    authors: str
    title: str
    venue: str
    url: str
    where: str


@dataclass(frozen=True)
class Architecture:
    """An architecture one can choose: `name` on the command line and in addresses, `title` on the page."""

    name: str
    title: str
    summary: str
    lecture: str
    paper: Paper
    function: Callable[..., Network]

    @property
    def switches(self) -> tuple[Switch, ...]:
        return switches(self.function)

    @property
    def source(self) -> str:
        """The text of the function that draws the network: the code shown is the code run."""
        return inspect.getsource(self.function)

    @property
    def defaults(self) -> dict[str, Value]:
        return {switch.name: switch.default for switch in self.switches}


VGG = Paper(
    "Simonyan and Zisserman",
    "Very Deep Convolutional Networks for Large-Scale Image Recognition",
    "ICLR 2015",
    "https://arxiv.org/abs/1409.1556",
    "Table 1, configuration D",
)
ZHANG = Paper(
    "Zhang, Bengio, Hardt, Recht and Vinyals",
    "Understanding Deep Learning Requires Rethinking Generalization",
    "ICLR 2017",
    "https://arxiv.org/abs/1611.03530",
    'Figure 3, "Inception (small)"',
)

ARCHITECTURES = {
    architecture.name: architecture
    for architecture in (
        Architecture(
            "minivggnet",
            "MiniVGGNet",
            "VGG's recipe cut down to 32×32 images: pairs of 3×3 convolutions, then a pooling, twice.",
            "VGG",
            Paper(VGG.authors, VGG.title, VGG.venue, VGG.url, "its idea, in the lecture's table for CIFAR-10"),
            minivggnet,
        ),
        Architecture(
            "minigooglenet",
            "MiniGoogLeNet",
            "Inception modules of a 1×1 beside a 3×3 convolution, for CIFAR-10, without any large dense layer.",
            "MiniGoogLeNet",
            ZHANG,
            minigooglenet,
        ),
        Architecture(
            "vgg16",
            "VGG16",
            "Sixteen weight layers of nothing but 3×3 convolutions and three dense layers, for ImageNet.",
            "VGG",
            VGG,
            vgg16,
        ),
    )
}


def architecture(name: str) -> Architecture:
    """The architecture of that name; UserError, listing the names, if there is none."""
    if name not in ARCHITECTURES:
        raise UserError(f"There is no architecture {name!r}; there are {', '.join(ARCHITECTURES)}.")
    return ARCHITECTURES[name]


def build(name: str, values: Mapping[str, Value] | None = None) -> Network:
    """The network of that name with these switches; UserError for an unknown name, switch or value."""
    chosen = architecture(name)
    return _build(name, tuple(validate(name, chosen.function, values or {}).items()))


@lru_cache(maxsize=256)
def _build(name: str, values: tuple[tuple[str, Value], ...]) -> Network:
    return ARCHITECTURES[name].function(**dict(values))


def training_input_size(name: str, image_size: int) -> int:
    """The input size to train an architecture with on images of that size, where nobody says otherwise.

    The architecture's own, but a network made for large images is not made to enlarge small ones: VGG16 meets
    CIFAR-10 at 32x32, the least its five poolings take.
    """
    default = int(architecture(name).defaults["input_size"])
    return min(default, max(32, image_size))
