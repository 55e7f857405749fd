"""The families of layer kinds that a person tells apart by colour: the same in tables, diagrams and charts."""

from __future__ import annotations

from dataclasses import dataclass

from cnnlab.layers import (
    Activation,
    AnyLayer,
    AveragePooling2D,
    BatchNormalization,
    Concatenate,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePooling2D,
    InputLayer,
    LocalResponseNormalization,
    MaxPooling2D,
)


@dataclass(frozen=True)
class Kind:
    """A family of layers; colours are Okabe and Ito's, which colour-blind people can tell apart."""

    title: str
    colour: str
    text: str


CONVOLUTION = Kind("Convolution", "#0072B2", "#FFFFFF")
DENSE = Kind("Dense", "#D55E00", "#FFFFFF")
POOLING = Kind("Pooling", "#009E73", "#FFFFFF")
NORMALIZATION = Kind("Normalization", "#56B4E9", "#10161D")
ACTIVATION = Kind("Activation", "#E69F00", "#10161D")
JOIN = Kind("Concatenation", "#CC79A7", "#10161D")
OTHER = Kind("Input, dropout, flatten", "#B8C0C8", "#10161D")

KINDS = (CONVOLUTION, DENSE, POOLING, NORMALIZATION, ACTIVATION, JOIN, OTHER)


def kind(layer: AnyLayer) -> Kind:
    match layer:
        case Conv2D():
            return CONVOLUTION
        case Dense():
            return DENSE
        case MaxPooling2D() | AveragePooling2D() | GlobalAveragePooling2D():
            return POOLING
        case BatchNormalization() | LocalResponseNormalization():
            return NORMALIZATION
        case Activation():
            return ACTIVATION
        case Concatenate():
            return JOIN
        case InputLayer() | Dropout() | Flatten():
            return OTHER
