"""Where the names of points stand in a chart, so that each can be read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

FONT = 12.0
LINE = 1.3
"""Plotly's distance of two lines, in heights of the font."""
LETTER = 0.58
"""The width of a letter, in heights of the font, with something to spare."""
AROUND = (
    "top center",
    "bottom center",
    "middle right",
    "middle left",
    "top right",
    "bottom right",
    "top left",
    "bottom left",
)
MOST_LINES = 20


@dataclass(frozen=True)
class Spot:
    """A point in pixels, y downwards, with its mark's radius; `beside` is where its name would rather stand."""

    x: float
    y: float
    radius: float
    name: str
    beside: str


@dataclass(frozen=True)
class Name:
    """What Plotly writes at a point, and its `textposition`; nothing where the same name stands there already."""

    text: str
    position: str


Box = tuple[float, float, float, float]


def placed(spots: Sequence[Spot], width: float, height: float) -> list[Name]:
    """The names of the points, each in the first place beside its own that neither names nor marks have taken.

    Where all around are taken, it is moved away by empty lines. In a chart wider than `width` the places are as free.
    """
    taken: list[Box] = []
    there: set[tuple[int, int, str]] = set()
    found = []
    for spot in spots:
        key = (round(spot.x), round(spot.y), spot.name)
        if key in there:
            found.append(Name("", spot.beside))
            continue
        there.add(key)
        marks = [mark(other) for other in spots if other is not spot]
        free = [(name, box) for name, box in places(spot) if not any(overlap(box, other) for other in taken)]
        inside = [(name, box) for name, box in free if within(box, width, height)]
        clear = [(name, box) for name, box in inside if not any(overlap(box, other) for other in marks)]
        name, box = next(iter(clear or inside or free or places(spot)))
        taken.append(box)
        found.append(name)
    return found


def places(spot: Spot) -> Iterator[tuple[Name, Box]]:
    """The places for a name, the best first, and the room that it takes there."""
    for position in (spot.beside, *AROUND):
        yield Name(spot.name, position), box_of(spot, position, 0)
    for lines in range(1, MOST_LINES):
        yield Name(spot.name + "<br>" * lines, "top center"), box_of(spot, "top center", lines)
        yield Name("<br>" * lines + spot.name, "bottom center"), box_of(spot, "bottom center", lines)


def box_of(spot: Spot, position: str, lines: int) -> Box:
    """Left, top, right and bottom of a name, as Plotly places it, with so many empty lines between it and its point."""
    vertical, horizontal = position.split()
    reach = spot.radius / 0.8 + 1
    wide = len(spot.name) * LETTER * FONT
    left = {"right": spot.x + reach, "left": spot.x - reach - wide, "center": spot.x - wide / 2}[horizontal]
    away = reach + lines * LINE * FONT
    top = {"top": spot.y - away - FONT, "bottom": spot.y + away, "middle": spot.y - FONT / 2}[vertical]
    spare = (LINE - 1) * FONT / 2
    return left, top - spare, left + wide, top + FONT + spare


def mark(spot: Spot) -> Box:
    return spot.x - spot.radius, spot.y - spot.radius, spot.x + spot.radius, spot.y + spot.radius


def overlap(one: Box, other: Box) -> bool:
    return min(one[2], other[2]) > max(one[0], other[0]) and min(one[3], other[3]) > max(one[1], other[1])


def within(box: Box, width: float, height: float) -> bool:
    return box[0] >= 0 and box[1] >= 0 and box[2] <= width and box[3] <= height
