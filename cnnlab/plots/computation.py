"""How one value of a layer came about, as figures: distributions, curves, maps, terms, shares. Pure functions.

Blue is what a layer reads, orange what it gives; what becomes zero is grey.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from PIL import Image
from plotly.subplots import make_subplots

from cnnlab.network.layers import ActivationName
from cnnlab.plots import LEGEND
from cnnlab.plots.colours import BLUE, GREEN, GREY, NO_NUMBER, ORANGE, PINK, PURPLE, TEAL, VERMILLION, text_on
from cnnlab.plots.film import VIRIDIS
from cnnlab.text import chart

Reals = NDArray[np.float32] | NDArray[np.float64]
READ, GIVEN, LOST, CHOSEN = BLUE, ORANGE, GREY, VERMILLION
BANDS = (BLUE, ORANGE, GREEN, PINK, PURPLE, TEAL)
MARGINS = {"l": 8, "r": 8, "t": 12, "b": 8}
TITLED = {**MARGINS, "t": 32}
HEIGHT, LOW = 300, 130
LINE = 22
BINS = 40
AIR = 0.06
POINTS = 201
MOST_NAME = 44
FOUR_DIGITS = ".4~g"


@dataclass(frozen=True)
class ShownMap:
    """Values in rows and columns under a title; `at` is the place that is marked, `lost` are cells left empty."""

    title: str
    values: Reals
    at: tuple[int, int] | None = None
    lost: NDArray[np.bool_] | None = None


def bins(values: Reals, around: Sequence[float] = ()) -> NDArray[np.float64]:
    """Edges of at most 40 bins over all finite values; zero is an edge where it lies among them."""
    given = (np.asarray(values, np.float64).ravel(), np.asarray(around, np.float64))
    every: NDArray[np.float64] = np.concatenate(given)
    finite: NDArray[np.float64] = every[np.isfinite(every)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    width = (high - low) / (BINS - 2)
    if width <= abs(high) * 1e-12:  # one value only
        width = (abs(high) or 1.0) / BINS
    first, last = math.floor(low / width), math.floor(high / width) + 1
    edges = np.arange(first, last + 1, dtype=np.float64) * width
    return np.asarray(edges, np.float64)


def counts(values: Reals, edges: NDArray[np.float64]) -> NDArray[np.int64]:
    finite = np.ravel(values).astype(np.float64)
    found: NDArray[np.int64] = np.histogram(finite[np.isfinite(finite)], edges)[0]
    return found


def add_histogram(
    figure: go.Figure, values: Reals, edges: NDArray[np.float64], name: str, colour: Any, **place: Any
) -> None:
    figure.add_bar(
        x=(edges[:-1] + edges[1:]) / 2,
        y=counts(values, edges),
        width=edges[1] - edges[0],
        name=name,
        marker={"color": colour, "line": {"width": 0}},
        opacity=0.75,
        customdata=np.stack([edges[:-1], edges[1:]], axis=1),
        hovertemplate=f"%{{customdata[0]:{FOUR_DIGITS}}} to %{{customdata[1]:{FOUR_DIGITS}}}: %{{y:,}}"
        f"<extra>{name}</extra>",
        **place,
    )


def distributions(before: Reals, after: Reals, given: float, result: float) -> go.Figure:
    """A channel's values before and after, in the same bins, with one of them marked in both."""
    edges = bins(np.concatenate([np.ravel(before), np.ravel(after)]))
    figure = go.Figure()
    sides = ((before, given, "before", READ, "solid"), (after, result, "after", GIVEN, "dash"))
    highest = max(int(counts(values, edges).max()) for values, *_ in sides)
    for values, one, name, colour, dash in sides:
        add_histogram(figure, values, edges, name, colour)
        figure.add_scatter(
            x=[one, one],
            y=[0, highest * 1.1],
            mode="lines",
            name=f"this value {name}",
            line={"color": colour, "width": 2, "dash": dash},
            hovertemplate=f"%{{x:{FOUR_DIGITS}}}<extra>this value {name}</extra>",
        )
    figure.update_layout(
        barmode="overlay",
        bargap=0,
        height=HEIGHT,
        margin=MARGINS,
        legend=LEGEND,
        xaxis={"title": "Value"},
        yaxis={"title": "Values of the map"},
    )
    return figure


def straight_line(slope: float, offset: float, over: tuple[float, float], given: float, result: float) -> go.Figure:
    """What a value becomes that is multiplied and shifted, over a part of the axis, and this value on it."""
    x = np.array([min(over[0], given), max(over[1], given)])
    figure = go.Figure()
    hover = f"%{{x:{FOUR_DIGITS}}} gives %{{y:{FOUR_DIGITS}}}<extra></extra>"
    figure.add_scatter(
        x=x, y=slope * x + offset, mode="lines", line={"color": GIVEN, "width": 2.5}, name="y", hovertemplate=hover
    )
    figure.add_scatter(
        x=[given],
        y=[result],
        mode="markers",
        name="this value",
        marker={"color": CHOSEN, "size": 12, "line": {"color": "#FFFFFF", "width": 2}},
        hovertemplate=hover,
    )
    figure.update_layout(
        height=HEIGHT, margin=MARGINS, legend=LEGEND, xaxis={"title": "Input x"}, yaxis={"title": "Output y"}
    )
    return figure


def function_of(activation: ActivationName, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """What an activation that looks at one value alone makes of each of these."""
    match activation:
        case "relu":
            return np.maximum(x, 0.0)
        case "relu6":
            return np.clip(x, 0.0, 6.0)
        case "elu":
            return np.where(x > 0, x, np.expm1(np.minimum(x, 0.0)))
        case "tanh":
            return np.tanh(x)
        case _:
            return x


def curve(activation: ActivationName, inputs: Reals, given: float, result: float, what: str) -> go.Figure:
    """An activation's curve with a value's point on it; below, what the layer was given, `what` says of which values.

    What becomes zero is grey; what ELU, ReLU6 and tanh bend or cut is orange.
    """
    edges = bins(inputs, [given, 0.0])
    x = np.linspace(min(edges[0], -edges[-1] * AIR), max(edges[-1], -edges[0] * AIR), POINTS)
    figure = make_subplots(2, 1, shared_xaxes=True, row_heights=[0.6, 0.4], vertical_spacing=0.05)
    hover = f"%{{x:{FOUR_DIGITS}}} gives %{{y:{FOUR_DIGITS}}}<extra></extra>"
    figure.add_scatter(
        x=x,
        y=function_of(activation, x),
        mode="lines",
        line={"color": GIVEN, "width": 2.5},
        hovertemplate=hover,
        showlegend=False,
        row=1,
        col=1,
    )
    if math.isfinite(given) and math.isfinite(result):
        figure.add_scatter(
            x=[given, given, 0],
            y=[0, result, result],
            mode="lines",
            line={"color": GREY, "width": 1, "dash": "dot"},
            hoverinfo="skip",
            showlegend=False,
            row=1,
            col=1,
        )
        figure.add_scatter(
            x=[given],
            y=[result],
            mode="markers",
            name="this value",
            marker={"color": CHOSEN, "size": 12, "line": {"color": "#FFFFFF", "width": 2}},
            hovertemplate=hover,
            row=1,
            col=1,
        )
    below = {"elu": ("bent to between −1 and 0", GIVEN)}.get(activation, ("becomes 0", LOST))
    values = np.asarray(inputs, np.float64).ravel()
    match activation:
        case "relu" | "elu":
            parts = [(values[values <= 0], *below), (values[values > 0], "kept", READ)]
        case "relu6":
            inside = (values > 0) & (values < 6)
            parts = [(values[values <= 0], *below), (values[inside], "kept", READ)]
            parts.append((values[values >= 6], "becomes 6", GIVEN))
        case "tanh":
            parts = [(values, "bent to between −1 and 1", GIVEN)]
        case _:
            parts = [(values, "kept", READ)]
    for part, name, colour in parts:
        add_histogram(figure, part, edges, name, colour, row=2, col=1)
    figure.update_layout(barmode="overlay", bargap=0, height=HEIGHT + 80, margin=MARGINS, legend=LEGEND)
    figure.update_xaxes(title="Input x", row=2, col=1)
    figure.update_yaxes(title="Output y", row=1, col=1)
    figure.update_yaxes(title=what, row=2, col=1)
    return figure


def maps(shown: Sequence[ShownMap], inside: tuple[int, int, int, int] | None = None) -> go.Figure:
    """Maps beside each other in one colour scale, their places marked.

    `inside` is a part of the first (top, left, rows, columns) with a dashed line around it.
    """
    figure = make_subplots(
        1, len(shown), subplot_titles=[chart(one.title, MOST_NAME) for one in shown], horizontal_spacing=0.06
    )
    figure.update_annotations(font_size=13)
    for column, one in enumerate(shown, start=1):
        place: dict[str, Any] = {"row": 1, "col": column}
        lost = np.zeros(one.values.shape, np.bool_) if one.lost is None else one.lost
        finite = np.isfinite(one.values)
        figure.add_heatmap(
            z=np.where(finite & ~lost, one.values, np.nan),
            coloraxis="coloraxis",
            hoverongaps=False,
            hovertemplate=f"row %{{y}}, column %{{x}}: %{{z:{FOUR_DIGITS}}}<extra></extra>",
            **place,
        )
        if np.any(~finite & ~lost):
            figure.add_heatmap(
                z=np.where(~finite & ~lost, 0.0, np.nan),
                colorscale=[[0, NO_NUMBER], [1, NO_NUMBER]],
                showscale=False,
                hoverongaps=False,
                hovertemplate="row %{y}, column %{x}: NaN or ∞<extra></extra>",
                **place,
            )
        if one.at is not None:
            frame(figure, (*one.at, 1, 1), "solid", **place)
        if inside and column == 1:
            frame(figure, inside, "dash", **place)
        figure.update_yaxes(autorange="reversed", scaleanchor=f"x{column if column > 1 else ''}", **place)
    figure.update_xaxes(visible=False, constrain="domain")
    figure.update_yaxes(visible=False, constrain="domain")
    figure.update_layout(
        height=HEIGHT,
        margin=TITLED,
        plot_bgcolor="rgba(0, 0, 0, 0)",
        coloraxis={"colorscale": list(VIRIDIS), "colorbar": {"thickness": 12, "tickformat": FOUR_DIGITS}},
    )
    return figure


def frame(figure: go.Figure, part: tuple[int, int, int, int], dash: str, **place: Any) -> None:
    """A line around a part of a map (top, left, rows, columns), seen on dark and on bright cells."""
    top, left, rows, columns = part
    for colour, width in (("#000000", 5), ("#FFFFFF", 2)):
        figure.add_shape(
            type="rect",
            x0=left - 0.5,
            x1=left + columns - 0.5,
            y0=top - 0.5,
            y1=top + rows - 0.5,
            line={"color": colour, "width": width, "dash": dash},
            **place,
        )


def picture(pixels: NDArray[np.uint8], at: tuple[int, int]) -> go.Figure:
    """The image that a network is given, one pixel of it marked."""
    kept = BytesIO()
    Image.fromarray(pixels).save(kept, "PNG")
    figure = go.Figure()
    figure.add_image(
        source="data:image/png;base64," + base64.b64encode(kept.getvalue()).decode(),
        hovertemplate="row %{y}, column %{x}: %{z}<extra></extra>",
    )
    frame(figure, (*at, 1, 1), "solid")
    figure.update_xaxes(visible=False, constrain="domain")
    figure.update_yaxes(visible=False, constrain="domain")
    figure.update_layout(height=HEIGHT, margin=MARGINS, plot_bgcolor="rgba(0, 0, 0, 0)")
    return figure


def neighbours(channels: range, before: Reals, after: Reals, chosen: int) -> go.Figure:
    """What local response normalization reads and gives at one place: the channels beside the chosen one."""
    figure = make_subplots(1, 2, subplot_titles=("Before and after", "Squares that are summed"))
    figure.update_annotations(font_size=13)
    numbers = list(channels)
    for values, name, colour, column in (
        (before, "before", READ, 1),
        (after, "after", GIVEN, 1),
        (np.square(before), "square", GREY, 2),
    ):
        figure.add_bar(
            x=numbers,
            y=values,
            name=name,
            marker={"color": colour, "opacity": [1.0 if number == chosen else 0.6 for number in numbers]},
            hovertemplate=f"channel %{{x}}: %{{y:{FOUR_DIGITS}}}<extra>{name}</extra>",
            showlegend=column == 1,
            row=1,
            col=column,
        )
    figure.update_layout(barmode="group", height=HEIGHT, margin=TITLED, legend=LEGEND)
    figure.update_xaxes(
        title="Channel", tickvals=numbers, ticktext=[f"<b>{one}</b>" if one == chosen else str(one) for one in numbers]
    )
    return figure


def bands(names: Sequence[str], sizes: Sequence[int], chosen: int) -> go.Figure:
    """The channels of layers that are joined, one band for each, with the chosen channel marked."""
    figure = go.Figure()
    first = 0
    for number, (name, size) in enumerate(zip(names, sizes, strict=True)):
        colour, shown = BANDS[number % len(BANDS)], chart(name, MOST_NAME)
        figure.add_bar(
            x=[size],
            y=[""],
            base=[first],
            orientation="h",
            marker={"color": colour, "line": {"color": "rgba(128, 128, 128, 0.9)", "width": 1}},
            text=[shown],
            textposition="inside",
            insidetextanchor="middle",
            textfont={"color": text_on(colour)},
            hovertemplate=f"{shown}: its {size:,} channels are {first:,} to {first + size - 1:,}<extra></extra>",
        )
        first += size
    figure.add_vline(
        x=chosen + 0.5,
        line={"color": CHOSEN, "width": 3},
        annotation={"text": f"channel {chosen}", "yref": "paper", "y": 1.28, "showarrow": False},
    )
    figure.update_layout(
        barmode="overlay",
        height=LOW,
        margin=TITLED,
        showlegend=False,
        xaxis={"title": "Channel of the whole", "range": [0, first], "rangemode": "tozero"},
        yaxis={"visible": False},
    )
    return figure


@dataclass(frozen=True)
class Term:
    """A part of a sum: its name, its value, what its bar says, and what kind of part it is."""

    name: str
    value: float
    text: str
    colour: str = READ


def terms(shown: Sequence[Term], what: str) -> go.Figure:
    """Parts of a whole as bars, from top to bottom; what each says stands at the right, `what` they are below."""
    places = list(range(len(shown)))[::-1]
    rows = {"tickvals": places, "range": [-0.6, len(shown) - 0.4], "showgrid": False, "zeroline": False}
    figure = go.Figure()
    figure.add_bar(
        x=[one.value for one in shown],
        y=places,
        orientation="h",
        marker={"color": [one.colour for one in shown]},
        customdata=[f"{chart(one.name)}: {chart(one.text)}" for one in shown],
        hovertemplate="%{customdata}<extra></extra>",
    )
    figure.add_scatter(x=[None], y=[None], yaxis="y2", showlegend=False, hoverinfo="skip")
    figure.update_layout(
        height=LINE * len(shown) + 60,
        margin=MARGINS,
        bargap=0.25,
        showlegend=False,
        xaxis={"title": what, "zeroline": True, "zerolinewidth": 2, "tickformat": FOUR_DIGITS, "nticks": 5},
        yaxis={**rows, "ticktext": [chart(one.name, MOST_NAME) for one in shown]},
        yaxis2={**rows, "ticktext": [chart(one.text) for one in shown], "overlaying": "y", "side": "right"},
    )
    return figure


def strip(values: Reals, first: int, chosen: int) -> go.Figure:
    """Entries of a vector that stand beside each other, from the number `first` on, the chosen one marked."""
    numbers = np.arange(first, first + len(values))
    figure = go.Figure()
    figure.add_bar(
        x=numbers,
        y=values,
        marker={"color": [CHOSEN if number == chosen else READ for number in numbers]},
        hovertemplate=f"entry %{{x:,}}: %{{y:{FOUR_DIGITS}}}<extra></extra>",
    )
    figure.update_layout(
        height=HEIGHT - 100,
        margin=MARGINS,
        bargap=0.1,
        xaxis={"title": "Entry of the vector", "tickformat": ",d"},
        yaxis={"title": "Value"},
    )
    return figure
