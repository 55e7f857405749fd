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
DENSE = Family("Dense", "#D55E00", "#000000")
POOLING = Family("Pooling", "#009E73", "#000000")
NORMALIZATION = Family("Normalization", "#56B4E9", "#000000")
ACTIVATION = Family("Activation", "#E69F00", "#000000")
JOIN = Family("Concatenation, sum", "#CC79A7", "#000000")
OTHER = Family("Input, padding, dropout, flatten", "#B8C0C8", "#000000")

FAMILIES = (CONVOLUTION, DENSE, POOLING, NORMALIZATION, ACTIVATION, JOIN, OTHER)
