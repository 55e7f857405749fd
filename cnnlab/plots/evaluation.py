"""Figures of evaluations: confusion, calibration, what is left when the network may keep silent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
import plotly.graph_objects as go

from cnnlab.plots import ABOVE_ALL, LEGEND, MARGIN, MOST_TICK, TRAINING, VALIDATION, short_ticks
from cnnlab.plots.colours import FAINT_TO_STRONG, GREY, INK, SEEN_TO_STRONG, Theme, scale, shade, text_on
from cnnlab.text import chart

MOST_LABELLED_CLASSES = 30
CELL, LARGEST = 36, 720
SIDE = 380
RIGHT = VALIDATION


class ConfidenceBin(Protocol):
    """Images whose confidence lies between two bounds: how sure the network was of them, and how often right."""

    @property
    def low(self) -> float: ...
    @property
    def high(self) -> float: ...
    @property
    def images(self) -> int: ...
    @property
    def confidence(self) -> float: ...
    @property
    def accuracy(self) -> float: ...


def confusion_matrix(
    counts: Sequence[Sequence[int]],
    classes: Sequence[str],
    order: Sequence[int] | None = None,
    shares: bool = False,
    theme: Theme = "light",
) -> go.Figure:
    """True classes down, predicted classes across, in the given order; coloured by the share of the true class.

    Cells show image counts, or `shares` in percent; empty ones nothing, and of many classes none, where the least that
    is not empty is coloured to be seen. Over each cell that is not empty lies an invisible point whose `customdata` is
    (true class, predicted class), so that it can be chosen.
    """
    places = list(order if order is not None else range(len(classes)))
    table = np.asarray(counts)[np.ix_(places, places)]
    portions = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    names = [chart(classes[place]) for place in places]
    positions = list(range(len(places)))
    labelled = len(places) <= MOST_LABELLED_CLASSES
    colours = scale((FAINT_TO_STRONG if labelled else SEEN_TO_STRONG)[theme])
    most = 1.0 if labelled else 0.5
    figure = go.Figure()
    figure.add_heatmap(
        z=np.where(table > 0, portions, np.nan),
        x=positions,
        y=positions,
        colorscale=colours,
        zmin=0,
        zmax=most,
        colorbar={
            "title": {"text": "Share of the<br>true class", "side": "top"},
            "tickvals": [0, most / 2, most],
            "ticktext": ["0%", f"{most / 2:.0%}", "100%" if labelled else f"{most:.0%} or more"],
            "thickness": 14,
            "len": 0.6,
            "y": 1,
            "yanchor": "top",
            "outlinewidth": 0,
        },
        xgap=1 if labelled else 0,
        ygap=1 if labelled else 0,
        hoverongaps=False,
        hoverinfo="skip",
    )
    rows, columns = np.nonzero(table)
    figure.add_scatter(
        x=columns,
        y=rows,
        mode="markers",
        marker={"symbol": "square", "size": 24 if labelled else 5, "opacity": 0},
        selected={"marker": {"opacity": 0.3, "color": INK[theme]}},
        unselected={"marker": {"opacity": 0}},
        customdata=[[places[row], places[column]] for row, column in zip(rows, columns, strict=True)],
        hovertext=[
            f"true {names[row]}, predicted {names[column]}: {table[row, column]:,} images, "
            f"{portions[row, column]:.1%} of the true class"
            for row, column in zip(rows, columns, strict=True)
        ],
        hoverinfo="text",
        showlegend=False,
    )
    texts = np.array([[text_on(shade(colours, portion / most)) for portion in row] for row in portions])
    for colour in sorted(set(texts[table > 0])) if labelled else ():
        chosen = (table > 0) & (texts == colour)
        figure.add_scatter(
            x=np.nonzero(chosen)[1],
            y=np.nonzero(chosen)[0],
            mode="text",
            text=[f"{portion:.0%}" for portion in portions[chosen]] if shares else [f"{n:,}" for n in table[chosen]],
            textfont={"color": colour},
            unselected={"textfont": {"color": colour}},  # choosing a cell must not fade the others' text
            hoverinfo="skip",
            showlegend=False,
        )
    side = min(90 + CELL * len(places), LARGEST)
    step = -(-len(places) // MOST_LABELLED_CLASSES)
    shown = {
        "tickvals": positions[::step],
        "ticktext": [chart(classes[place], MOST_TICK) for place in places[::step]],
        "showgrid": False,
        "zeroline": False,
    }
    border = [-0.5, len(places) - 0.5]
    figure.update_layout(
        height=side,
        margin={**MARGIN, "t": 30},
        clickmode="event+select",
        dragmode=False if labelled else "zoom",
        xaxis={"title": "Predicted class", "range": border, **shown},
        yaxis={"title": "True class", "range": border[::-1], **shown},
    )
    return figure


def reliability_diagram(bins: Sequence[ConfidenceBin]) -> go.Figure:
    """Accuracy over confidence in bins; a calibrated network lies on the diagonal."""
    figure = go.Figure()
    figure.add_scatter(
        x=[0, 1],
        y=[0, 1],
        mode="lines",
        line={"dash": "dot", "color": GREY},
        name="As sure as right",
        hoverinfo="skip",
    )
    figure.add_bar(
        x=[(one.low + one.high) / 2 for one in bins],
        y=[one.accuracy for one in bins],
        width=[one.high - one.low for one in bins],
        marker={"color": RIGHT},
        name="Accuracy",
        customdata=[[one.images, one.confidence] for one in bins],
        hovertemplate="%{customdata[0]:,} images, confidence %{customdata[1]:.1%}, accuracy %{y:.1%}<extra></extra>",
    )
    figure.update_layout(
        title="Reliability",
        height=SIDE,
        margin=MARGIN,
        xaxis={"title": "Confidence", "range": [0, 1], "tickformat": ".0%"},
        yaxis={"title": "Accuracy", "range": [0, 1], "tickformat": ".0%"},
        legend=LEGEND,
    )
    return figure


def answered(rows: Sequence[tuple[float, float, float | None]]) -> go.Figure:
    """Accuracy and share of images answered, over the least confidence at which the network answers."""
    thresholds = [threshold for threshold, _, _ in rows]
    figure = go.Figure()
    for values, name, colour, dash in (
        ([accuracy for _, _, accuracy in rows], "Accuracy on these", RIGHT, "solid"),
        ([share for _, share, _ in rows], "Images answered", TRAINING, "dash"),
    ):
        figure.add_scatter(
            x=thresholds,
            y=values,
            name=name,
            mode="lines",
            line={"color": colour, "dash": dash},
            hovertemplate="at least %{x:.0%} sure: %{y:.1%}<extra>" + name + "</extra>",
        )
    figure.update_layout(
        title="If it only answers when sure enough",
        height=SIDE,
        margin=MARGIN,
        xaxis={"title": "Least confidence", "range": [0, 1], "tickformat": ".0%"},
        yaxis={"title": "Share of images", "range": [0, ABOVE_ALL], "tickformat": ".0%"},
        legend=LEGEND,
    )
    return figure


def accuracy_by_class(recalls: Mapping[str, float]) -> go.Figure:
    """Recall of each class, the worst on top: of the images of a class, how many it found."""
    rows = sorted(((recall, name) for name, recall in recalls.items()), reverse=True)
    figure = go.Figure()
    figure.add_bar(
        x=[recall for recall, _ in rows],
        y=[chart(name) for _, name in rows],
        orientation="h",
        marker={"color": RIGHT},
        hovertemplate="%{y}: %{x:.1%} of its images recognised<extra></extra>",
    )
    figure.update_layout(
        title="Accuracy of each class",
        height=min(90 + 22 * len(rows), LARGEST),
        margin=MARGIN,
        xaxis={"title": "Images recognised", "range": [0, 1], "tickformat": ".0%"},
        yaxis={"type": "category", "ticksuffix": " ", **short_ticks([name for _, name in rows])},
    )
    return figure
