"""An inception module with its reductions against one without."""

from __future__ import annotations

from dataclasses import dataclass, fields

from cnnlab import architectures
from cnnlab.architectures.googlenet import INCEPTIONS
from cnnlab.lecture.reduction.cost import MOST_CHANNELS, MOST_PIXELS, Cost, Path, check, together
from cnnlab.network.layers import Conv2D, Shape


@dataclass(frozen=True, slots=True)
class Branch:
    """One of an inception module's four branches, without and with its 1x1 convolution."""

    name: str
    naive: Path
    reduced: Path


@dataclass(frozen=True, slots=True)
class Inception:
    """An inception module on its input: the six numbers of GoogLeNet's Table 1, in its order.

    The naive version (Figure 2a) has the 1x1, 3x3 and 5x5 convolutions directly on the input, and the pooled input goes
    to the output as it is: n1 + n3 + n5 + channels maps. The reduced one (Figure 2b) has 1x1 convolutions before the
    3x3 and the 5x5 and after the pooling: n1 + n3 + n5 + pool maps. All stride 1, padding same.
    """

    height: int
    width: int
    channels: int
    n1: int
    r3: int
    n3: int
    r5: int
    n5: int
    pool: int

    def __post_init__(self) -> None:
        for field in fields(self):
            most = MOST_PIXELS if field.name in ("height", "width") else MOST_CHANNELS
            check(INCEPTION_WORDS[field.name], getattr(self, field.name), most)

    @property
    def input_shape(self) -> Shape:
        return (self.height, self.width, self.channels)

    @property
    def branches(self) -> tuple[Branch, ...]:
        def path(*layers: Conv2D) -> Path:
            return Path(self.input_shape, layers)

        one, three, five = Conv2D(self.n1, 1), Conv2D(self.n3, 3), Conv2D(self.n5, 5)
        return (
            Branch("1×1", path(one), path(one)),
            Branch("3×3", path(three), path(Conv2D(self.r3, 1), three)),
            Branch("5×5", path(five), path(Conv2D(self.r5, 1), five)),
            Branch("pooling", path(), path(Conv2D(self.pool, 1))),
        )

    @property
    def naive(self) -> Cost:
        return together(branch.naive.cost for branch in self.branches)

    @property
    def reduced(self) -> Cost:
        return together(branch.reduced.cost for branch in self.branches)

    @property
    def naive_channels(self) -> int:
        return sum(branch.naive.output_shape[-1] for branch in self.branches)

    @property
    def reduced_channels(self) -> int:
        return sum(branch.reduced.output_shape[-1] for branch in self.branches)


INCEPTION_WORDS = {
    "height": "height",
    "width": "width",
    "channels": "channels",
    "n1": "#1×1",
    "r3": "#3×3 reduce",
    "n3": "#3×3",
    "r5": "#5×5 reduce",
    "n5": "#5×5",
    "pool": "pool proj",
}


def googlenet_modules() -> dict[str, Inception]:
    """GoogLeNet's nine inception modules at 224x224x3, each on the input that it has there."""
    network = architectures.build("googlenet")
    modules = {}
    for name, numbers in INCEPTIONS.items():
        height, width, channels = network[f"inception_{name}_1x1"].input_shapes[0]
        modules[name] = Inception(height, width, channels, *numbers)
    return modules
