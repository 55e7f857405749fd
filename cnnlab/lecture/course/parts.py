"""What a chapter shows besides prose, as values: the page draws them, and the handout prints the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import plotly.graph_objects as go
from PIL import Image

from cnnlab.network import Network

TableCell = str | int | float


@dataclass(frozen=True, eq=False)
class TablePart:
    """A table; numbers stand to the right. `marked` are the rows that stand out."""

    head: tuple[str, ...]
    rows: tuple[tuple[TableCell, ...], ...]
    marked: frozenset[int] = frozenset()


@dataclass(frozen=True, eq=False)
class ChartPart:
    figure: go.Figure


@dataclass(frozen=True, eq=False)
class PicturesPart:
    """Pictures side by side, `side` pixels wide, each with a line under it."""

    images: tuple[Image.Image, ...]
    captions: tuple[str, ...]
    side: int = 150


@dataclass(frozen=True, eq=False)
class CodePart:
    code: str
    syntax: str | None = "python"


@dataclass(frozen=True, eq=False)
class FormulaPart:
    latex: str


@dataclass(frozen=True, eq=False)
class TextPart:
    """A sentence or two of Markdown."""

    markdown: str


@dataclass(frozen=True, eq=False)
class LandscapePart:
    """A network's picture: to point at and to open on the page, as it stands on paper."""

    network: Network


@dataclass(frozen=True, eq=False)
class LinkPart:
    """A way to another page of the app, or elsewhere where `page` is an address."""

    page: str
    label: str
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class PredictionsPart:
    """What trained networks say of pictures that come with cnnlab; asked when one presses the button."""

    runs: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class MapsPart:
    """The feature maps of a trained network's layers for a picture that comes with cnnlab; asked on a button."""

    run: str
    layers: tuple[str, ...]
    picture: str


@dataclass(frozen=True, eq=False)
class LivingPart:
    """The network at work that Home shows."""


@dataclass(frozen=True, eq=False)
class DataPart:
    """Ten pictures of each class of a data set that is on this machine; else pictures that come with cnnlab."""

    dataset: str


Part = (
    TablePart
    | ChartPart
    | PicturesPart
    | CodePart
    | FormulaPart
    | TextPart
    | LandscapePart
    | LinkPart
    | PredictionsPart
    | MapsPart
    | LivingPart
    | DataPart
)
