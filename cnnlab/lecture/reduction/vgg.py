"""VGG C against D: what 1x1 convolutions that reduce nothing change."""

from __future__ import annotations

from dataclasses import dataclass

from cnnlab import architectures
from cnnlab.lecture.published import accuracies_for
from cnnlab.lecture.reduction.cost import Cost
from cnnlab.network.analysis import receptive_fields
from cnnlab.network.layers import Conv2D, Shape


@dataclass(frozen=True, slots=True)
class LayerPair:
    """A layer that VGG C and D have under the same name with different windows; each pair is C's, then D's."""

    name: str
    input_shape: Shape
    kernels: tuple[int, int]
    costs: tuple[Cost, Cost]
    receptive_fields: tuple[int, int]


def network_cost(name: str) -> Cost:
    """All layers of an architecture with its options as published."""
    network = architectures.build(name)
    return Cost(network.parameters, network.multiply_adds)


def vgg_c_against_d() -> tuple[LayerPair, ...]:
    """The layers in which VGG C and D (vgg16) differ: 1x1 in C, 3x3 in D. Receptive fields in pixels of one axis."""
    c, d = architectures.build("vgg_c"), architectures.build("vgg16")
    fields_c, fields_d = receptive_fields(c), receptive_fields(d)
    return tuple(
        LayerPair(
            name=one.name,
            input_shape=one.input_shapes[0],
            kernels=(one.layer.kernel, other.layer.kernel),
            costs=(Cost(one.parameters, one.multiply_adds), Cost(other.parameters, other.multiply_adds)),
            receptive_fields=(fields_c[one.name][0], fields_d[other.name][0]),
        )
        for one, other in zip(c.layers, d.layers, strict=True)
        if isinstance(one.layer, Conv2D) and isinstance(other.layer, Conv2D) and one.layer != other.layer
    )


@dataclass(frozen=True, slots=True)
class PublishedError:
    """Errors on ImageNet's validation images as printed, in percent."""

    configuration: str
    name: str
    top1: float
    top5: float


def vgg_errors() -> tuple[PublishedError, ...]:
    """VGG B, C and D at a single scale: of each the first lines of Table 3, trained and tested at S = Q = 256."""
    found = []
    for configuration, name in (("B", "vgg_b"), ("C", "vgg_c"), ("D", "vgg16")):
        first = {item.metric: round(100 * (1 - item.value), 1) for item in reversed(accuracies_for(name))}
        found.append(PublishedError(configuration, name, first["rank-1 accuracy"], first["rank-5 accuracy"]))
    return tuple(found)
