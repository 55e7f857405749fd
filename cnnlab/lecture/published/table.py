"""A published table as data, and its comparison, figure by figure, with the network that it describes."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from cnnlab import architectures
from cnnlab.architectures.options import Value
from cnnlab.network import Network, Node
from cnnlab.network.layers import shape_text
from cnnlab.units import count

LECTURE = 'lecture "CNN Architectures II", Instituto Metrópole Digital'

Measured = int | tuple[int, ...] | str
PublishedMeasure = Callable[[Network, tuple[Node, ...]], Measured]
"""What a figure is about: an amount, several whole numbers (a shape, filters), or a word, taken from some layers."""

AMOUNT = re.compile(r"\d[\d,]*(?:\.\d+)?")
WHOLE = re.compile(r"\d+")


@dataclass(frozen=True)
class Figure:
    """One printed figure: its row and column, its text as printed, and where the same stands in our network.

    `part` names a layer or a module, or is empty for the whole network. `unit` is what the printed amount counts in
    (10^6 for 138 millions). `note` says, in one sentence, why our figure differs by more than rounding.
    """

    row: str
    quantity: str
    printed: str
    measure: PublishedMeasure
    part: str = ""
    unit: int = 1
    note: str = ""
    architecture: str = ""


@dataclass(frozen=True)
class PublishedTable:
    """A table of the lecture or of a paper.

    `lecture` is the part of the lecture to which it belongs, `options` are those with which `architectures` draw the
    network that it describes, and `convention` says how its figures are counted where that is not plain. A figure
    that names no architecture belongs to the first.
    """

    title: str
    source: str
    lecture: str
    architectures: tuple[str, ...]
    options: tuple[tuple[str, Value], ...]
    figures: tuple[Figure, ...]
    convention: str = ""


@dataclass(frozen=True)
class FigureComparison:
    """A printed figure beside ours.

    `computed` is our figure in the unit and precision of the printed one, `exact` with every digit. `deviation` is
    (ours - printed) / printed, a share, or None for what is no amount. The two agree where they are equal or where
    rounding ours can give the printed figure; where they do not, `note` says why, as far as it is known.
    """

    architecture: str
    row: str
    quantity: str
    printed: str
    computed: str
    exact: str
    deviation: float | None
    agrees: bool
    note: str


def compare(table: PublishedTable, architecture: str | None = None) -> list[FigureComparison]:
    """Every figure of the table beside ours, in the order of the table; with `architecture`, only that one's."""
    chosen = [name for name in table.architectures if architecture in (None, name)]
    networks = {name: architectures.build(name, dict(table.options)) for name in chosen}
    lines = []
    for figure in table.figures:
        name = figure.architecture or table.architectures[0]
        if name not in networks:
            continue
        network = networks[name]
        nodes = tuple(node for node in network.layers if figure.part in ("", node.name, node.module))
        computed, exact, deviation, agrees = beside(figure, figure.measure(network, nodes))
        lines.append(
            FigureComparison(
                architecture=name,
                row=figure.row,
                quantity=figure.quantity,
                printed=figure.printed,
                computed=computed,
                exact=exact,
                deviation=deviation,
                agrees=agrees,
                note=figure.note,
            )
        )
    return lines


def beside(figure: Figure, ours: Measured) -> tuple[str, str, float | None, bool]:
    """Our measure as the printed figure would write it, with every digit, its deviation, and whether they agree."""
    match ours:
        case int():
            return amount_beside(figure, ours)
        case str():
            agrees = "".join(figure.printed.split()) == "".join(ours.split())
            return figure.printed if agrees else ours, ours, None, agrees
        case _:
            printed = [int(number) for number in WHOLE.findall(figure.printed)]
            numbers = (1,) * (len(printed) - len(ours)) + ours  # a vector of 1024 may be printed as 1×1×1024
            text = figure.printed if printed == list(numbers) else shape_text(ours)
            if len(printed) == len(numbers):
                following = iter(numbers)
                text = WHOLE.sub(lambda _: str(next(following)), figure.printed)
            return text, shape_text(ours), None, printed == list(numbers)


def amount_beside(figure: Figure, ours: int) -> tuple[str, str, float, bool]:
    found = AMOUNT.search(figure.printed)
    if found is None:
        raise ValueError(f"{figure.row}, {figure.quantity}: {figure.printed!r} holds no number")
    number = found[0]
    decimals = len(number.partition(".")[2])
    printed, scaled = float(number.replace(",", "")), ours / figure.unit
    agrees = abs(scaled - printed) <= 0.5 * 10**-decimals * (1 + 1e-9)
    grouping = "," if "," in number else ""
    rounded = (Decimal(ours) / figure.unit).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    text = figure.printed if agrees else figure.printed.replace(number, f"{rounded:{grouping}f}", 1)
    deviation = (scaled - printed) / printed if printed else float(scaled != 0)
    return text, count(ours), deviation, agrees
