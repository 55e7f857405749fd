"""Several networks side by side, and two of them layer by layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal, TypedDict

from cnnlab import architectures
from cnnlab.architectures.options import Value, validate
from cnnlab.complaints import once
from cnnlab.errors import UserError
from cnnlab.network import Network, Node, analysis
from cnnlab.network.layers import shape_text
from cnnlab.network.modules import modules

OPTIMIZER_COPIES = 3  # weights, their gradients, and one state of the optimizer (momentum)
DENSE_STAGE = "dense layers"


@dataclass(frozen=True)
class Candidate:
    """An architecture with the options that were moved. As text, in addresses and on the command line:
    `vgg16` or `vgg16:input_size=64,classes=10`.

    Or any other network: `design`, which has no options, with a name and a title that its finder gives it.
    """

    name: str
    options: tuple[tuple[str, Value], ...] = ()
    design: Network | None = None
    title: str = ""

    @classmethod
    def parse(cls, text: str, extra: Mapping[str, str] | None = None) -> Candidate:
        """The candidate of a text; only what differs from the defaults is kept. UserError where it names nothing."""
        name, _, settings = text.partition(":")
        chosen = architectures.architecture(name)
        pairs = [part for part in settings.split(",") if part]
        for part in pairs:
            if "=" not in part:
                raise UserError(f"{text!r}: options are written name:key=value,key=value, not {part!r}.")
        own = once([(key, value) for key, _, value in (part.partition("=") for part in pairs)], repr(text))
        given = {**(extra or {}), **own}
        return cls.of(name, validate(name, chosen.function, given))

    @classmethod
    def of(cls, name: str, values: Mapping[str, Value]) -> Candidate:
        defaults = architectures.architecture(name).defaults
        return cls(name, tuple((key, value) for key, value in values.items() if value != defaults[key]))

    @property
    def text(self) -> str:
        settings = ",".join(f"{key}={value}" for key, value in self.options)
        return f"{self.name}:{settings}" if settings else self.name

    @property
    def values(self) -> dict[str, Value]:
        return dict(self.options)

    @property
    def label(self) -> str:
        """What a chart calls it: MiniVGGNet, or MiniVGGNet (classes 100)."""
        if self.design is not None:
            return self.title or self.name
        title = architectures.architecture(self.name).title
        moved = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in self.options)
        return f"{title} ({moved})" if moved else title

    def network(self) -> Network:
        if self.design is not None:
            return self.design
        return architectures.build(self.name, self.values)


class NetworkComparison(TypedDict):
    """One network's line. Bytes are float32; the memory figures are for `batch` images.

    Training memory is every layer's output plus weights, gradients and momentum; inference memory the most that is
    alive at once plus the weights. The receptive field is that of the last feature map.
    """

    label: str
    input_shape: list[int]
    classes: int
    weight_layers: int
    parameters: int
    multiply_adds: int
    weight_bytes: int
    training_bytes: int
    inference_bytes: int
    receptive_field: int


def compare(candidates: Sequence[Candidate], batch: int = 1) -> list[NetworkComparison]:
    return [compare_one(candidate, batch) for candidate in candidates]


def compare_one(candidate: Candidate, batch: int) -> NetworkComparison:
    network = candidate.network()
    weights = network.parameters * analysis.BYTES_PER_VALUE
    memory = analysis.activation_memory(network)
    fields = analysis.receptive_fields(network)
    maps = [node.name for node in network.layers if len(node.output_shape) == 3]
    return NetworkComparison(
        label=candidate.label,
        input_shape=list(network.input_shape),
        classes=network.classes,
        weight_layers=analysis.weight_layers(network),
        parameters=network.parameters,
        multiply_adds=network.multiply_adds,
        weight_bytes=weights,
        training_bytes=memory["training"] * batch + weights * OPTIMIZER_COPIES,
        inference_bytes=memory["inference"] * batch + weights,
        receptive_field=fields[maps[-1]][0],
    )


class Stage(TypedDict):
    """What the layers at one resolution hold and cost."""

    stage: str
    parameters: int
    multiply_adds: int


def stages(network: Network) -> list[Stage]:
    """Parameters and multiply-adds by resolution, "1/4" for maps a quarter as high as the input, dense layers last.

    The same stages for every network, so that they can be stacked beside each other.
    """
    found: dict[str, Stage] = {}
    for node in network.layers:
        name = stage_of(node, network.input_shape[0])
        stage = found.setdefault(name, Stage(stage=name, parameters=0, multiply_adds=0))
        stage["parameters"] += node.parameters
        stage["multiply_adds"] += node.multiply_adds
    return list(found.values())


def stage_of(node: Node, input_height: int) -> str:
    if len(node.output_shape) == 1:
        return DENSE_STAGE
    factor = 1
    while factor * 2 <= input_height / node.output_shape[0] * 1.2:  # odd sizes are rounded on the way down
        factor *= 2
    return "1/1" if factor == 1 else f"1/{factor}"


Change = Literal["same", "changed", "only left", "only right"]


class Difference(TypedDict):
    """Two layers that stand at the same place of two networks, or one that has no counterpart."""

    change: Change
    left: str
    left_parameters: int | None
    right: str
    right_parameters: int | None


def difference(left: Network, right: Network) -> list[Difference]:
    """Two networks layer by layer, aligned on the longest runs of equal layers.

    Equal are layers of the same kind, settings and output shape; their names may differ.
    """
    one_key, other_key = (
        [(node.layer, node.output_shape, node.parameters) for node in network.layers] for network in (left, right)
    )
    found: list[Difference] = []
    matcher = SequenceMatcher(None, one_key, other_key, autojunk=False)
    for tag, start, end, other_start, other_end in matcher.get_opcodes():
        lefts, rights = left.layers[start:end], right.layers[other_start:other_end]
        for index in range(max(len(lefts), len(rights))):
            one = lefts[index] if index < len(lefts) else None
            two = rights[index] if index < len(rights) else None
            found.append(
                Difference(
                    change="same" if tag == "equal" else change(one, two),
                    left=described(one),
                    left_parameters=one.parameters if one else None,
                    right=described(two),
                    right_parameters=two.parameters if two else None,
                )
            )
    return found


def change(left: Node | None, right: Node | None) -> Change:
    if left is None:
        return "only right"
    return "only left" if right is None else "changed"


def described(node: Node | None) -> str:
    if node is None:
        return ""
    kernel = f" {text}" if (text := analysis.kernel_text(node)) else ""
    return f"{node.name}: {node.layer.type}{kernel}, {shape_text(node.output_shape)}"


def configuration_column(network: Network) -> dict[str, str]:
    """A network as a column of VGG's Table 1: for each module its layers in the paper's words, conv3-64, FC-4096."""
    column = {}
    for module, nodes in modules(network):
        words = [node.layer.notation for node in nodes if node.layer.notation]
        if words:
            column[module] = "\n".join(words)
    return column
