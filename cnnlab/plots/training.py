"""The records of a training as Plotly figures: learning curves, curves of the steps, the schedule."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import Any, Literal, get_args

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from cnnlab.experiments.recipe import Recipe
from cnnlab.plots import ABOVE_ALL, LEGEND, MARGIN, TRAINING, VALIDATION
from cnnlab.runs.records import EpochRecord, Record, StepRecord

CurveMeasure = Literal["accuracy", "loss"]
CURVE_MEASURES: tuple[CurveMeasure, ...] = get_args(CurveMeasure)
Across = Literal["epoch", "step", "time"]
ACROSS: dict[Across, str] = {"epoch": "Epoch", "step": "Step", "time": "Minutes at work"}
Records = Sequence[Record]
Numbers = NDArray[np.float64]


MAX_POINTS = 400
SCHEDULE_POINTS = 200
RANK5_INTERESTING = 0.97


def learning_curves(
    measure: CurveMeasure,
    history: Sequence[EpochRecord],
    steps: Sequence[StepRecord],
    epochs: int,
    best: int | None,
    across: Across = "epoch",
    smoothing: float = 0.0,
    logarithmic: bool = False,
) -> go.Figure:
    """Loss or accuracy: training thin and within the epochs, validation solid with the best epoch marked.

    `history` and `steps` are a run's records, `across` what they are drawn over; `epochs` fixes the axis so that the
    chart grows into it. `smoothing` is the decay of a moving average over the training's points, drawn over the raw.
    """
    number = ".1%" if measure == "accuracy" else ".4f"
    figure = go.Figure()
    places, values = thinned(steps, across, measure)
    raw = {"color": TRAINING, "width": 1.2}
    figure.add_scatter(
        x=places,
        y=values,
        name="Training, within the epoch",
        mode="lines",
        line=raw,
        opacity=0.3 if smoothing else 1,
        showlegend=not smoothing,
        hovertemplate=f"{across} %{{x:.4~g}}: %{{y:{number}}}<extra>training</extra>",
    )
    if smoothing:
        figure.add_scatter(
            x=places,
            y=moving_average(values, smoothing),
            name="Training, smoothed",
            mode="lines",
            line={**raw, "width": 1.8},
            hovertemplate=f"{across} %{{x:.4~g}}: %{{y:{number}}}<extra>training, smoothed</extra>",
        )
    for key, dash, name in validated_measures(measure, history):
        figure.add_scatter(
            x=along(history, across),
            y=column(history, key),
            name=name,
            mode="lines+markers",
            line={"color": VALIDATION, "width": 2.5, "dash": dash},
            marker={"size": 6 if len(history) <= 60 else 3},
            hovertemplate=f"{across} %{{x:.4~g}}: %{{y:{number}}}<extra>{name}</extra>",
        )
    marked = [record for record in history if record["epoch"] == best]
    figure.add_scatter(
        x=along(marked, across),
        y=column(marked, f"validation_{measure}"),
        name="Best epoch",
        mode="markers",
        marker={"symbol": "star", "size": 15, "color": VALIDATION, "line": {"width": 1.5, "color": "#FFFFFF"}},
        text=[f"best epoch {record['epoch']}" for record in marked],
        hovertemplate=f"%{{text}}: %{{y:{number}}}<extra></extra>",
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
        uirevision=f"{across} {logarithmic}",
        hovermode="closest",
        legend=LEGEND,
        xaxis=axis_of(across, epochs),
        yaxis=value_axis(measure, logarithmic),
    )
    return figure


def validated_measures(measure: CurveMeasure, history: Sequence[EpochRecord]) -> list[tuple[str, str, str]]:
    """Key, dash and name of the validation's curves; rank-5 beside rank-1 where there are so many classes."""
    curves = [(f"validation_{measure}", "solid", "Validation")]
    if measure == "accuracy" and (column(history, "validation_top5") < RANK5_INTERESTING).any():
        curves.append(("validation_top5", "dot", "Validation, rank-5"))
    return curves


def axis_of(across: Across, epochs: int) -> dict[str, Any]:
    if across == "epoch":
        return {"title": "Epoch", "range": [0, epochs * 1.02], "tickformat": "d", "nticks": min(epochs, 12) + 1}
    return {"title": ACROSS[across], "rangemode": "tozero"}


def value_axis(measure: CurveMeasure, logarithmic: bool) -> dict[str, Any]:
    if logarithmic:
        return {"type": "log", "tickformat": ".0%" if measure == "accuracy" else "~g"}
    if measure == "accuracy":
        return {"range": [0, ABOVE_ALL], "tickformat": ".0%"}
    return {"rangemode": "tozero"}


def along(records: Records, across: Across) -> Numbers:
    """Where records stand on the axis; not a number for those written before it was known."""
    if across == "time":
        return column(records, "worked") / 60
    return column(records, across)


def column(records: Records, name: str) -> Numbers:
    """A figure of all records; not a number where one lacks it."""
    return np.array([record.get(name) for record in records], float)


def step_curve(name: str, title: str, steps: Sequence[StepRecord], epochs: int, across: Across = "epoch") -> go.Figure:
    """One figure of the steps, such as the learning rate, on its own."""
    known = [record for record in steps if record.get(name) is not None]
    places, values = thinned(known, across, name)
    figure = go.Figure()
    figure.add_scatter(
        x=places,
        y=values,
        mode="lines",
        line={"color": TRAINING, "width": 1.5},
        hovertemplate=f"{across} %{{x:.4~g}}: %{{y:.4~g}}<extra></extra>",
    )
    figure.update_layout(
        title={"text": title, "x": 0, "font": {"size": 13}},
        height=210,
        margin={**MARGIN, "t": 32},
        uirevision=across,
        showlegend=False,
        xaxis=axis_of(across, epochs),
        yaxis={"rangemode": "tozero", "tickformat": "~g"},
    )
    return figure


def thinned(records: Records, across: Across, name: str, most: int = MAX_POINTS) -> tuple[Numbers, Numbers]:
    """At most `most` points of training steps: neighbours are averaged, each group standing at its last place."""
    if len(records) <= most:
        return along(records, across), column(records, name)
    size = -(-len(records) // most)
    starts = np.arange(0, len(records), size)
    values = np.fromiter(map(itemgetter(name), records), float, len(records))
    means = np.add.reduceat(values, starts) / np.diff([*starts, len(records)])
    ends = np.minimum(starts + size, len(records)) - 1
    return along([records[end] for end in ends], across), means


def moving_average(values: Numbers, decay: float) -> Numbers:
    """An exponential moving average, freed of its pull towards the beginning's zero."""
    smooth, total, weight = [], 0.0, 0.0
    for value in values:
        total, weight = total * decay + value * (1 - decay), weight * decay + 1 - decay
        smooth.append(total / weight)
    return np.array(smooth)


def schedule(recipe: Recipe) -> go.Figure:
    """The learning rate over a recipe's epochs."""
    epochs = [recipe.epochs * place / SCHEDULE_POINTS for place in range(SCHEDULE_POINTS)]
    starts = [moment for start, _ in recipe.milestones for moment in (start - 1 - 1e-6, start - 1)]
    epochs = sorted({*epochs, *starts})
    figure = go.Figure()
    figure.add_scatter(
        x=epochs,
        y=[recipe.learning_rate_at(epoch) for epoch in epochs],
        mode="lines",
        line={"color": VALIDATION, "width": 2.5},
        hovertemplate="after %{x:.1f} epochs: %{y:.3g}<extra></extra>",
    )
    figure.update_layout(
        height=170,
        margin={**MARGIN, "t": 8},
        showlegend=False,
        xaxis={"title": "Epoch", "range": [0, recipe.epochs], "tickformat": "~d", "nticks": min(recipe.epochs, 8) + 1},
        yaxis={
            "title": "Learning rate",
            "tickformat": "~g",
            "type": "log" if recipe.schedule == "steps" else "linear",
            "rangemode": "normal" if recipe.schedule == "steps" else "tozero",
        },
    )
    return figure
