"""The families of layer kinds that a person tells apart by colour: the same in tables, diagrams and charts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Family:
    """A family of layers; colours are Okabe and Ito's, which colour-blind people can tell apart."""

    title: str
    colour: str
    text: str


CONVOLUTION = Family("Convolution", "#0072B2", "#FFFFFF")
DENSE = Family("Dense", "#D55E00", "#FFFFFF")
POOLING = Family("Pooling", "#009E73", "#FFFFFF")
NORMALIZATION = Family("Normalization", "#56B4E9", "#10161D")
ACTIVATION = Family("Activation", "#E69F00", "#10161D")
JOIN = Family("Concatenation, sum", "#CC79A7", "#10161D")
OTHER = Family("Input, padding, dropout, flatten", "#B8C0C8", "#10161D")

FAMILIES = (CONVOLUTION, DENSE, POOLING, NORMALIZATION, ACTIVATION, JOIN, OTHER)
