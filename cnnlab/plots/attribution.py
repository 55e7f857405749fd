"""The checks of an attribution as figures: what goes or comes with its parts, and what random weights leave of it."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from cnnlab.plots.colours import BLUE, GREY, ORANGE
from cnnlab.text import chart

MARGINS = {"l": 8, "r": 8, "t": 12, "b": 8}
BELOW = {"orientation": "h", "x": 0, "y": 0, "yref": "container", "yanchor": "bottom", "traceorder": "normal"}
HEIGHT = 300


def removal(shares: Sequence[float], ordered: Sequence[float], random: Sequence[float], verb: str) -> go.Figure:
    """The class's probability against the share of the image that was `verb`, "removed" or "inserted"."""
    figure = go.Figure()
    for values, name, colour, dash in (
        (ordered, "Strongest first", BLUE, "solid"),
        (random, "Random order", GREY, "dash"),
    ):
        figure.add_scatter(
            x=list(shares),
            y=list(values),
            name=name,
            mode="lines",
            line={"color": colour, "dash": dash, "width": 2},
            hovertemplate=f"%{{x:.0%}} {verb}: probability %{{y:.3f}}<extra>{name}</extra>",
        )
    figure.update_layout(
        height=HEIGHT,
        margin=MARGINS,
        legend=BELOW,
        xaxis={"title": f"Share of the image {verb}", "tickformat": ".0%", "range": [0, 1]},
        yaxis={"title": "Probability of the class", "rangemode": "tozero"},
    )
    return figure


def randomized(
    layers: Sequence[int], lowest: Sequence[str], similarity: Sequence[float], without_sign: Sequence[float], all_: int
) -> go.Figure:
    """Rank correlation with the original picture against how many layers, from the top, have random weights."""
    signed = any(abs(one - other) > 1e-9 for one, other in zip(similarity, without_sign, strict=True))
    figure = go.Figure()
    names = [chart(name) for name in lowest]
    lines = [(similarity, "Values", BLUE, "circle", "solid")]
    if signed:
        lines.append((without_sign, "Without their sign", ORANGE, "square", "dash"))
    for values, name, colour, symbol, dash in lines:
        figure.add_scatter(
            x=[0, *layers],
            y=[1.0, *values],
            name=name,
            mode="lines+markers",
            line={"color": colour, "width": 2, "dash": dash},
            marker={"symbol": symbol, "size": 8},
            customdata=["none", *names],
            hovertemplate="%{x} layers, down to %{customdata}: %{y:.2f}<extra>" + name + "</extra>",
        )
    figure.update_layout(
        height=HEIGHT,
        margin=MARGINS,
        legend=BELOW,
        showlegend=signed,
        xaxis={"title": "Layers with random weights, from the top", "range": [-0.02 * all_, all_ * 1.02]},
        yaxis={
            "title": "Rank correlation with the picture",
            "range": [min(-0.1, *similarity, *without_sign) - 0.05, 1.05],
        },
    )
    return figure
