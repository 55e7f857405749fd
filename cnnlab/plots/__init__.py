"""Records to Plotly figures: pure functions. Colours and fonts are the theme's, but for what has a fixed colour.

The curves of a training are in `cnnlab/plots/training.py`, the figures of many in `cnnlab/plots/runs.py`, those of
evaluations in `cnnlab/plots/evaluation.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import isnan, log10, sqrt
from typing import Literal, TypedDict

import plotly.graph_objects as go

from cnnlab.plots.colours import BLUE, DEEP_BLUE, GREEN, GREY, OLIVE, ORANGE, PINK, PURPLE, VERMILLION, channels
from cnnlab.plots.labels import Spot, placed
from cnnlab.text import chart

STAGE_COLOURS = (DEEP_BLUE, ORANGE, GREEN, PURPLE, PINK, OLIVE, VERMILLION, GREY)
MOST_CLASSES = 40
MOST_TICK = 30
TRAINING, VALIDATION = ORANGE, BLUE
MARGIN = {"l": 8, "r": 8, "t": 40, "b": 8}
LEGEND = {"orientation": "h", "x": 0, "y": 0, "yref": "container", "yanchor": "bottom", "traceorder": "normal"}
"""At the foot of the chart, in room of its own: neither under the buttons on top nor over the title of an axis."""
ABOVE_ALL = 1.02
"""Where an axis of accuracies ends: at 100 %, and a hair above, so that a line there is whole."""
NARROWEST = 0.04
WHOSE = {
    "As printed": (GREY, "circle", "bottom center"),
    "Shipped with cnnlab": (ORANGE, "diamond", "top center"),
    "Your best run": (BLUE, "square", "middle right"),
}
"""Whose accuracy it is: its colour, its shape, and where its name stands."""
FILL = 0.3
BUBBLES_WIDTH, BUBBLES_HEIGHT = 560.0, 288.0
"""The room between the axes of the chart of bubbles, in pixels, in a narrow window; in a wider one names are further
apart, never nearer."""


def accuracy_range(values: Iterable[float | None]) -> list[float]:
    """The part of an axis that holds these accuracies with some air, never beyond 100 % or below 0 %."""
    known = [value for value in values if value is not None and not isnan(value)]
    if not known:
        return [0.0, ABOVE_ALL]
    low, high = min(known), max(known)
    air = max((high - low) * 0.12, NARROWEST / 2)
    return [max(low - air, 0.0), min(high + air, ABOVE_ALL)]


def probability_bars(top: Sequence[tuple[str, float]]) -> go.Figure:
    """The top classes of one image as horizontal bars, the most probable on top."""
    names = [chart(name) for name, _ in top][::-1]
    values = [value for _, value in top][::-1]
    figure = go.Figure()
    figure.add_bar(
        x=values,
        y=names,
        orientation="h",
        text=[f"{value:.1%}" for value in values],
        textposition="outside",
        cliponaxis=False,
        marker={"color": [VALIDATION if index == len(values) - 1 else GREY for index in range(len(values))]},
        hovertemplate="%{y}: %{x:.2%}<extra></extra>",
    )
    figure.update_layout(
        height=34 + 27 * len(top),
        margin={"l": 0, "r": 48, "t": 4, "b": 4},
        xaxis={"range": [0, 1], "visible": False, "fixedrange": True},
        yaxis={"fixedrange": True, "type": "category", "ticksuffix": "  ", **short_ticks([name for name, _ in top])},
        bargap=0.35,
    )
    return figure


def short_ticks(names: Sequence[str]) -> dict[str, list[str]]:
    """Labels of a category axis that leave room for the chart where names are long; the hover says them whole."""
    if max(map(len, names), default=0) <= MOST_TICK:
        return {}
    return {"tickvals": [chart(name) for name in names], "ticktext": [chart(name, MOST_TICK) for name in names]}


def class_balance(classes: Sequence[str], counts: dict[str, list[int]]) -> go.Figure:
    """Images of each class, by part; of many classes the largest first, without names."""
    order: list[int] = list(range(len(classes)))
    many = len(classes) > MOST_CLASSES
    if many:
        order.sort(key=lambda number: -next(iter(counts.values()))[number])
    figure = go.Figure()
    for (part, values), colour in zip(counts.items(), (TRAINING, VALIDATION, GREEN), strict=False):
        figure.add_bar(
            x=[chart(classes[number]) for number in order],
            y=[values[number] for number in order],
            name=part,
            marker={"color": colour},
            hovertemplate="%{x}: %{y:,} images<extra>" + part + "</extra>",
        )
    figure.update_layout(
        height=380,
        margin=MARGIN,
        barmode="stack",
        bargap=0 if many else 0.2,
        xaxis={"title": "Class", "type": "category", "showticklabels": not many, **short_ticks(classes)},
        yaxis={"title": "Images"},
        legend=LEGEND,
    )
    return figure


def stacked(shares: Sequence[tuple[str, Sequence[tuple[str, int]]]], unit: str, relative: bool = False) -> go.Figure:
    """One horizontal bar a network, made of stages: `shares` holds (network, [(stage, count), ...]).

    `relative` gives every bar the same length.
    """
    stages = sorted({stage for _, parts in shares for stage, _ in parts}, key=stage_order)
    figure = go.Figure()
    for stage in stages:
        held = [dict(parts).get(stage, 0) for _, parts in shares]
        figure.add_bar(
            x=held,
            y=[chart(label) for label, _ in shares],
            name=stage,
            orientation="h",
            marker={"color": STAGE_COLOURS[min(stages.index(stage), len(STAGE_COLOURS) - 1)]},
            customdata=[
                [value, value / max(sum(dict(parts).values()), 1)]
                for value, (_, parts) in zip(held, shares, strict=True)
            ],
            hovertemplate=f"%{{y}}, {stage}: %{{customdata[0]:,}} {unit}, %{{customdata[1]:.1%}}<extra></extra>",
        )
    figure.update_layout(
        barmode="stack",
        barnorm="fraction" if relative else "",
        height=150 + 36 * len(shares),
        margin={**MARGIN, "t": 30},
        xaxis={"title": unit[0].upper() + unit[1:], "tickformat": ".0%" if relative else "~s"},
        yaxis={"autorange": "reversed", "type": "category", "ticksuffix": "  "},
        legend=LEGEND,
    )
    return figure


def stage_order(stage: str) -> tuple[int, int]:
    """Resolutions from fine to coarse, dense layers last."""
    return (0, int(stage.removeprefix("1/"))) if stage.startswith("1/") else (1, 0)


def log_range(values: Sequence[int]) -> tuple[float, float]:
    """The ends of a logarithmic axis that holds these values and, beside them, the names of the outermost."""
    logs = [log10(value) for value in values] or [0.0]
    air = max((max(logs) - min(logs)) * 0.12, 0.3)
    return min(logs) - air, max(logs) + air


def dated(point: Bubble) -> str:
    return chart(point["label"]) + (f", {point['year']}" if point["year"] else "")


def diameter(cost: int, largest: int) -> float:
    """Of a bubble, in pixels."""
    return 12 + 40 * sqrt(cost / largest)


class Bubble(TypedDict):
    """What a network costs and what it reaches, 0 to 1; `whose` is a key of WHOSE."""

    label: str
    multiply_adds: int
    parameters: int
    accuracy: float
    source: str
    whose: str
    year: int | None


Cost = Literal["multiply_adds", "parameters"]
COST_TITLES: dict[Cost, str] = {"multiply_adds": "Multiply-adds per image", "parameters": "Parameters"}


def bubbles(points: Sequence[Bubble], measure: str, across: Cost = "multiply_adds") -> go.Figure:
    """Accuracy over one cost, the area of a bubble the other; every name can be read. `year` is that of the paper."""
    area: Cost = "parameters" if across == "multiply_adds" else "multiply_adds"
    figure = go.Figure()
    largest = max((point[area] for point in points), default=1)
    low, high = log_range([point[across] for point in points])
    bottom, top = accuracy_range([point["accuracy"] for point in points])
    spots = [
        Spot(
            x=(log10(point[across]) - low) / (high - low) * BUBBLES_WIDTH,
            y=(top - point["accuracy"]) / (top - bottom) * BUBBLES_HEIGHT,
            radius=diameter(point[area], largest) / 2,
            name=chart(point["label"]),
            beside=WHOSE[point["whose"]][2],
        )
        for point in points
    ]
    names = placed(spots, BUBBLES_WIDTH, BUBBLES_HEIGHT)
    for whose, (colour, symbol, _) in WHOSE.items():
        chosen = [point for point in points if point["whose"] == whose]
        written = [name for name, point in zip(names, points, strict=True) if point["whose"] == whose]
        if not chosen:
            continue
        figure.add_scatter(
            x=[point[across] for point in chosen],
            y=[point["accuracy"] for point in chosen],
            text=[name.text for name in written],
            customdata=[
                [point["parameters"], chart(point["source"]), dated(point), point["multiply_adds"]] for point in chosen
            ],
            name=whose,
            mode="markers+text",
            textposition=[name.position for name in written],
            cliponaxis=False,
            marker={
                "color": "rgba({}, {}, {}, {})".format(*(round(255 * one) for one in channels(colour)), FILL),
                "opacity": 1,
                "symbol": symbol,
                "size": [diameter(point[area], largest) for point in chosen],
                "line": {"width": 2, "color": colour},
            },
            hovertemplate="%{customdata[2]}: %{y:.1%}, %{customdata[3]:,} multiply-adds, %{customdata[0]:,} "
            "parameters<br>%{customdata[1]}<extra></extra>",
        )
    figure.update_layout(
        height=420,
        margin=MARGIN,
        showlegend=True,
        xaxis={
            "title": COST_TITLES[across],
            "type": "log",
            "tickformat": "~s",
            "dtick": "D2",
            "range": [low, high],
        },
        yaxis={"title": chart(measure), "tickformat": ".0%", "range": [bottom, top]},
        legend={**LEGEND, "itemsizing": "constant"},
    )
    return figure
