"""Records to Plotly figures: pure functions. Colours and fonts are the theme's, but for what has a fixed colour."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import plotly.graph_objects as go

Measure = Literal["loss", "accuracy"]
Records = Sequence[dict[str, Any]]

MAX_POINTS = 400
STAGE_COLOURS = ("#56B4E9", "#2D8CCB", "#009E73", "#E69F00", "#CC79A7", "#8C6BB1", "#D55E00", "#999999")
TRAINING, VALIDATION = "#E69F00", "#2D8CCB"
MARGIN = {"l": 8, "r": 8, "t": 40, "b": 8}


def learning_curves(measure: Measure, history: Records, steps: Records, epochs: int, best: int | None) -> go.Figure:
    """Loss or accuracy over the epochs: training thin and within the epochs, validation solid with the best marked.

    `history` and `steps` are a run's records; `epochs` fixes the axis so that the chart grows into it.
    """
    shown = thin(steps, MAX_POINTS, measure)
    number = ".1%" if measure == "accuracy" else ".4f"
    figure = go.Figure()
    figure.add_scatter(
        x=[record["epoch"] for record in shown],
        y=[record[measure] for record in shown],
        name="Training, within the epoch",
        mode="lines",
        line={"color": TRAINING, "width": 1.2},
        hovertemplate=f"epoch %{{x:.2f}}: %{{y:{number}}}<extra>training</extra>",
    )
    figure.add_scatter(
        x=[record["epoch"] for record in history],
        y=[record[f"validation_{measure}"] for record in history],
        name="Validation",
        mode="lines+markers",
        line={"color": VALIDATION, "width": 2.5},
        marker={"size": 6},
        hovertemplate=f"epoch %{{x}}: %{{y:{number}}}<extra>validation</extra>",
    )
    marked = [record for record in history if record["epoch"] == best]
    figure.add_scatter(
        x=[record["epoch"] for record in marked],
        y=[record[f"validation_{measure}"] for record in marked],
        name="Best epoch",
        mode="markers",
        marker={"symbol": "star", "size": 15, "color": VALIDATION, "line": {"width": 1.5, "color": "#FFFFFF"}},
        hovertemplate=f"best epoch %{{x}}: %{{y:{number}}}<extra></extra>",
    )
    if not steps and not history:
        figure.add_annotation(
            text="Fills as soon as the first step is trained", showarrow=False, xref="paper", yref="paper", x=0.5, y=0.5
        )
    title = "Accuracy" if measure == "accuracy" else "Loss (cross-entropy)"
    figure.update_layout(
        title={"text": title, "x": 0, "font": {"size": 15}},
        height=350,
        margin=MARGIN,
        uirevision="keep",
        hovermode="closest",
        legend={"orientation": "h", "x": 0, "y": -0.2, "yanchor": "top"},
        xaxis={"title": "Epoch", "range": [0, epochs * 1.02], "tickformat": "d", "nticks": min(epochs, 12) + 1},
        yaxis={"range": [0, 1.02], "tickformat": ".0%"} if measure == "accuracy" else {"rangemode": "tozero"},
    )
    return figure


def thin(records: Records, most: int, measure: Measure) -> Records:
    """At most `most` records of training steps: neighbours are averaged, each group standing at its last epoch."""
    if len(records) <= most:
        return records
    size = -(-len(records) // most)
    groups = [records[start : start + size] for start in range(0, len(records), size)]
    return [
        {"epoch": group[-1]["epoch"], measure: sum(record[measure] for record in group) / len(group)}
        for group in groups
    ]


def probability_bars(top: Sequence[tuple[str, float]]) -> go.Figure:
    """The top classes of one image as horizontal bars, the most probable on top."""
    names = [name for name, _ in top][::-1]
    values = [value for _, value in top][::-1]
    figure = go.Figure()
    figure.add_bar(
        x=values,
        y=names,
        orientation="h",
        text=[f"{value:.1%}" for value in values],
        textposition="outside",
        cliponaxis=False,
        marker={"color": [VALIDATION if index == len(values) - 1 else "#9FB4C6" for index in range(len(values))]},
        hovertemplate="%{y}: %{x:.2%}<extra></extra>",
    )
    figure.update_layout(
        height=34 + 27 * len(top),
        margin={"l": 0, "r": 48, "t": 4, "b": 4},
        xaxis={"range": [0, 1], "visible": False, "fixedrange": True},
        yaxis={"fixedrange": True, "type": "category", "ticksuffix": "  "},
        bargap=0.35,
    )
    return figure


def confusion_matrix(counts: Sequence[Sequence[int]], classes: Sequence[str]) -> go.Figure:
    """True classes down, predicted classes across; coloured by the share of the true class."""
    shares = [[value / max(sum(row), 1) for value in row] for row in counts]
    figure = go.Figure()
    figure.add_heatmap(
        z=shares,
        x=list(classes),
        y=list(classes),
        text=[[str(value) for value in row] for row in counts],
        texttemplate="%{text}",
        colorscale=[[0, "rgba(0,114,178,0)"], [1, "rgba(0,114,178,1)"]],
        zmin=0,
        zmax=1,
        showscale=False,
        hovertemplate="true %{y}, predicted %{x}: %{text} images, %{z:.1%} of the true class<extra></extra>",
    )
    figure.update_layout(
        height=60 + 36 * len(classes),
        margin=MARGIN,
        xaxis={"title": "Predicted class", "type": "category", "side": "bottom"},
        yaxis={"title": "True class", "type": "category", "autorange": "reversed"},
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
            y=[label for label, _ in shares],
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
        margin={**MARGIN, "t": 36},
        xaxis={"title": unit[0].upper() + unit[1:], "tickformat": ".0%" if relative else "~s"},
        yaxis={"autorange": "reversed", "type": "category", "ticksuffix": "  "},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "traceorder": "normal"},
    )
    return figure


def stage_order(stage: str) -> tuple[int, int]:
    """Resolutions from fine to coarse, dense layers last."""
    return (0, int(stage.removeprefix("1/"))) if stage.startswith("1/") else (1, 0)


def bubbles(points: Sequence[dict[str, Any]], measure: str) -> go.Figure:
    """Accuracy over multiply-adds, the area of a bubble its parameters.

    `points`: label, multiply_adds, parameters, accuracy (0 to 1), source, own (one's own run or the literature's).
    """
    figure = go.Figure()
    largest = max((point["parameters"] for point in points), default=1)
    for own, name, colour in ((False, "Literature", "#999999"), (True, "Your best run", VALIDATION)):
        chosen = [point for point in points if point["own"] == own]
        if not chosen:
            continue
        figure.add_scatter(
            x=[point["multiply_adds"] for point in chosen],
            y=[point["accuracy"] for point in chosen],
            text=[point["label"] for point in chosen],
            customdata=[[point["parameters"], point["source"]] for point in chosen],
            name=name,
            mode="markers+text",
            textposition="top center",
            marker={
                "color": colour,
                "opacity": 0.75,
                "size": [10 + 50 * (point["parameters"] / largest) ** 0.5 for point in chosen],
                "line": {"width": 1, "color": "#FFFFFF"},
            },
            hovertemplate="%{text}: %{y:.1%}, %{x:,} multiply-adds, %{customdata[0]:,} parameters<br>%{customdata[1]}"
            "<extra></extra>",
        )
    figure.update_layout(
        height=420,
        margin=MARGIN,
        xaxis={"title": "Multiply-adds per image", "type": "log", "tickformat": "~s"},
        yaxis={"title": measure, "tickformat": ".0%"},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    )
    return figure
