"""Boxes in columns and lanes: what reads from a box stands to the right of it, and lines pass beside the boxes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Literal

WIRE_HEIGHT = 9.0
"""Half of what a lane takes in which only lines run."""
Point = tuple[float, float]
Link = tuple[str, str]


@dataclass(frozen=True)
class Extent:
    """What a box takes: `above` and `below` the axis of its lane; lines `enter` and `leave` at these distances from
    its left."""

    width: float
    above: float
    below: float
    enter: float
    leave: float


@dataclass(frozen=True)
class LaneLayout:
    """The left of each box and the axis of its lane; the points of each line; the whole, with the main axis at 0."""

    places: Mapping[str, Point]
    lines: Mapping[Link, tuple[Point, ...]]
    width: float
    above: float
    below: float


def arrange(
    boxes: Mapping[str, Extent], links: Sequence[Link], end: str, column_gap: float, lane_gap: float
) -> LaneLayout:
    """Place boxes that are linked without circles; the longest way to `end` runs straight.

    Columns follow the longest way from the beginning, so every link leads to the right. Other branches take lanes
    beside the main one, in their order: those that are drawn before it above, those after it below, and those that
    lead nowhere above. A line over several columns takes a lane in which they are free.
    """
    sources: dict[str, list[str]] = {name: [] for name in boxes}
    targets: dict[str, list[str]] = {name: [] for name in boxes}
    for source, target in links:
        sources[target].append(source)
        targets[source].append(target)
    columns: dict[str, int] = {}
    for name in TopologicalSorter(sources).static_order():
        columns[name] = max((columns[source] + 1 for source in sources[name]), default=0)
    lanes, taken = assign_lanes(list(boxes), sources, targets, columns, end)
    runs = {
        link: choose_run(taken, link, columns, lanes)
        for link in sorted(links, key=lambda link: columns[link[1]] - columns[link[0]])
        if columns[link[1]] - columns[link[0]] > 1
    }
    heights: dict[int, tuple[float, float]] = defaultdict(lambda: (WIRE_HEIGHT, WIRE_HEIGHT))
    for name, box in boxes.items():
        above, below = heights[lanes[name]]
        heights[lanes[name]] = (max(above, box.above), max(below, box.below))
    axes, top = {}, 0.0
    for lane in sorted({*heights, *runs.values(), 0}):
        axes[lane] = top + heights[lane][0]
        top += sum(heights[lane]) + lane_gap
    zero = axes[0]
    axes = {lane: axis - zero for lane, axis in axes.items()}
    widths: dict[int, float] = defaultdict(float)
    for name, box in boxes.items():
        widths[columns[name]] = max(widths[columns[name]], box.width)
    starts, right = {}, 0.0
    for column in range(len(widths)):
        starts[column] = right
        right += widths[column] + column_gap
    places = {
        name: (starts[columns[name]] + (widths[columns[name]] - box.width) / 2, axes[lanes[name]])
        for name, box in boxes.items()
    }
    lines = {}
    for source, target in links:
        (left, from_y), (to_left, to_y) = places[source], places[target]
        first, last = columns[source], columns[target]
        points = [(left + boxes[source].leave, from_y), (starts[first] + widths[first], from_y)]
        if last - first > 1:
            y = axes[runs[source, target]]
            points += [(starts[first + 1], y), (starts[last - 1] + widths[last - 1], y)]
        lines[source, target] = (*points, (starts[last], to_y), (to_left + boxes[target].enter, to_y))
    return LaneLayout(places, lines, max(right - column_gap, 0.0), zero, top - lane_gap - zero)


Owner = tuple[Literal["box", "branch", "line"], str]
Taken = dict[tuple[int, int], Owner]
"""What lies in a lane and column: a box, a branch that keeps its way free, or the line of a box."""


def assign_lanes(
    names: Sequence[str],
    sources: Mapping[str, Sequence[str]],
    targets: Mapping[str, Sequence[str]],
    columns: Mapping[str, int],
    end: str,
) -> tuple[dict[str, int], Taken]:
    """A lane for each box: 0 for those on the longest way to `end`."""
    lanes: dict[str, int] = {}
    taken: Taken = {}
    at: str | None = end
    while at is not None:
        lanes[at] = 0
        taken[0, columns[at]] = ("box", at)
        at = next((one for one in sources[at] if columns[one] == columns[at] - 1), None)
    order = {name: place for place, name in enumerate(names)}
    main = {columns[name]: order[name] for name in lanes}
    for name in sorted(names, key=lambda one: (columns[one], order[one])):
        if name in lanes:
            continue
        branch = [name]
        while following := [one for one in targets[branch[-1]] if one not in lanes and one not in branch]:
            branch.append(min(following, key=lambda one: (columns[one], order[one])))
        before = max((columns[one] for one in sources[name]), default=columns[name] - 1)
        after = min((columns[one] for one in targets[branch[-1]]), default=columns[branch[-1]] + 1)
        span = range(before + 1, max(after, columns[branch[-1]] + 1))
        upwards = not targets[branch[-1]] or order[name] < main.get(columns[name], -1)
        lane = next(lane for lane in away(upwards) if not any((lane, column) in taken for column in span))
        taken |= {(lane, column): ("branch", name) for column in span}
        lanes |= dict.fromkeys(branch, lane)
        taken |= {(lane, columns[one]): ("box", one) for one in branch}
    return lanes, taken


def away(upwards: bool) -> Iterator[int]:
    """Lanes ever farther from the main one, on one side."""
    lane = 0
    while True:
        lane += -1 if upwards else 1
        yield lane


def choose_run(taken: Taken, link: Link, columns: Mapping[str, int], lanes: Mapping[str, int]) -> int:
    """The lane in which a line passes the columns between its ends: that of an end where it is free, else the next."""
    source, target = link
    span = range(columns[source] + 1, columns[target])
    own = {
        owner for end in link for column in span if (owner := taken.get((lanes[end], column))) and owner[0] == "branch"
    }
    line: Owner = ("line", source)
    near = [lanes[target], lanes[source]]
    reach = range(1, len(taken) + 2)
    for lane in [*near, *(near[1] + sign * step for step in reach for sign in (-1, 1))]:
        owners = {taken[lane, column] for column in span if (lane, column) in taken}
        if owners <= {*own, line}:
            taken |= {(lane, column): line for column in span}
            return lane
    raise AssertionError("beyond all lanes there is always a free one")
