"""A sweep as Plotly figures: its trials over the epochs, their settings side by side, which settings matter."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import plotly.graph_objects as go

from cnnlab import units
from cnnlab.plots import LEGEND, MARGIN, VALIDATION, accuracy_range
from cnnlab.plots.colours import BACKGROUND, GREEN, GREY, ORANGE, SEEN_TO_STRONG, Theme, scale, shade
from cnnlab.plots.runs import in_order
from cnnlab.text import chart

Fate = Literal["best", "completed", "at work", "ended"]
FATES: dict[Fate, tuple[str, str, str, float]] = {
    "ended": ("Stopped early", GREY, "x", 1.3),
    "completed": ("Trained to the end", VALIDATION, "circle", 1.6),
    "at work": ("At work or waiting", GREEN, "diamond", 1.6),
    "best": ("The best", ORANGE, "star", 3.2),
}
"""Of each fate: what it is called, its colour, the mark where its line ends, and how wide that is."""
MOST_TITLE, MOST_TICK = 80, 16
AXIS_HEIGHT = 400
MANY_TICKS, MOST_DTICKS = 8, 15


@dataclass(frozen=True)
class TrialLine:
    """A trial as charts show it: its validation accuracy by epoch, the settings that it tries by their titles."""

    title: str
    fate: Fate
    accuracies: Mapping[int, float]
    settings: Mapping[str, Any]

    @property
    def best(self) -> float | None:
        return max(self.accuracies.values(), default=None)


@dataclass(frozen=True)
class Axis:
    """An axis of parallel coordinates: a list of values, or a range whose ends are `low` and `high`."""

    title: str
    values: Sequence[Any] = ()
    low: float = 0.0
    high: float = 1.0
    log: bool = False
    percent: bool = False

    def place(self, value: Any) -> float:
        """How far up a value stands, from 0 to 1."""
        if self.values:
            order = in_order(self.values)
            return order.index(value) / max(len(order) - 1, 1) if len(order) > 1 else 0.5
        if self.high <= self.low:
            return 0.5
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return float((value - self.low) / (self.high - self.low))

    def ticks(self) -> list[tuple[float, str]]:
        """Where values are written, and how."""
        if self.values:
            order = in_order(self.values)
            step = math.ceil(len(order) / MANY_TICKS)
            return [(self.place(one), chart(units.setting(one), MOST_TICK)) for one in order[::step]]
        middle = math.sqrt(self.low * self.high) if self.log else (self.low + self.high) / 2
        ends = dict.fromkeys((self.low, middle, self.high))
        return [(self.place(one), f"{one:.1%}" if self.percent else f"{one:.3g}") for one in ends]


def trial_curves(trials: Sequence[TrialLine], rungs: Sequence[int], epochs: int) -> go.Figure:
    """Validation accuracy of all trials by epoch; a line ends where its trial was stopped, the best stands out."""
    figure = go.Figure()
    for rung in rungs:
        figure.add_vline(x=rung, line={"color": GREY, "width": 1, "dash": "dot"})
    shown: set[Fate] = set()
    order = list(FATES)
    for trial in sorted(trials, key=lambda one: order.index(one.fate)):
        if not trial.accuracies:
            continue
        name, colour, symbol, width = FATES[trial.fate]
        values = list(trial.accuracies.values())
        figure.add_scatter(
            x=list(trial.accuracies),
            y=values,
            mode="lines+markers",
            name=name,
            legendgroup=name,
            showlegend=trial.fate not in shown,
            line={"color": colour, "width": width},
            marker={"symbol": symbol, "size": [0] * (len(values) - 1) + [9], "color": colour, "line": {"width": 0}},
            cliponaxis=False,
            hovertemplate=f"{chart(trial.title, MOST_TITLE)}<br>epoch %{{x}}: %{{y:.1%}}<extra></extra>",
        )
        shown.add(trial.fate)
    reached = [value for trial in trials for value in trial.accuracies.values()]
    figure.update_layout(
        height=400,
        margin={**MARGIN, "t": 16},
        uirevision="keep",
        legend=LEGEND,
        hovermode="closest",
        xaxis={"title": "Epoch", "range": [0.5, epochs + 0.5], "dtick": 1 if epochs <= MOST_DTICKS else None},
        yaxis={"title": "Validation accuracy", "tickformat": ".1~%", "range": accuracy_range(reached)},
    )
    return figure


def parallel_coordinates(trials: Sequence[TrialLine], axes: Sequence[Axis], theme: Theme) -> go.Figure:
    """Each trial as a line over one axis a setting, up to the accuracy that it reached, whose colour it has.

    A line leaves out the settings that its trial does not have.
    """
    known = sorted((trial for trial in trials if trial.best is not None), key=lambda trial: trial.best or 0.0)
    reached = [trial.best or 0.0 for trial in known]
    last = Axis("Best validation accuracy", (), min(reached), max(reached), percent=True)
    colours = scale(SEEN_TO_STRONG[theme])
    every = [*axes, last]
    figure = go.Figure()
    for number in range(len(every)):
        figure.add_vline(x=number, line={"color": GREY, "width": 1})
    for trial in known:
        best = trial.best or 0.0
        is_best = trial.fate == "best"
        places = [axis.place(trial.settings[axis.title]) if axis.title in trial.settings else None for axis in axes]
        words = [f"{axis.title}: {units.setting(trial.settings.get(axis.title, '–'))}" for axis in axes]
        figure.add_scatter(
            x=list(range(len(every))),
            y=[*places, last.place(best)],
            connectgaps=True,
            mode="lines+markers",
            showlegend=False,
            line={"color": ORANGE if is_best else shade(colours, last.place(best)), "width": 4 if is_best else 1.8},
            marker={"size": 7},
            cliponaxis=False,
            hovertemplate="<br>".join(chart(one, MOST_TITLE) for one in (trial.title, *words, f"reached {best:.1%}"))
            + "<extra></extra>",
        )
    figure.add_annotation(
        x=len(every) - 1,
        y=last.place(reached[-1]),
        text="the best",
        showarrow=False,
        xanchor="left",
        xshift=8,
        font={"color": ORANGE, "size": 13},
    )
    for number, axis in enumerate(every):
        for place, written in axis.ticks():
            figure.add_annotation(
                x=number,
                y=place,
                text=written,
                showarrow=False,
                xanchor="right",
                xshift=-8,
                font={"size": 12},
                bgcolor=BACKGROUND[theme],
                opacity=0.9,
            )
    figure.update_layout(
        height=AXIS_HEIGHT,
        margin={**MARGIN, "l": 70, "r": 70, "t": 16},
        uirevision="keep",
        hovermode="closest",
        xaxis={
            "tickvals": list(range(len(every))),
            "ticktext": [chart(axis.title, 28) for axis in every],
            "showgrid": False,
            "zeroline": False,
            "fixedrange": True,
        },
        yaxis={"visible": False, "range": [-0.06, 1.06], "fixedrange": True},
    )
    return figure


def importance_bars(shares: Mapping[str, float]) -> go.Figure:
    """How much each setting matters, by its title, the most telling on top."""
    figure = go.Figure()
    figure.add_bar(
        x=list(shares.values()),
        y=[chart(title) for title in shares],
        orientation="h",
        marker={"color": VALIDATION},
        text=[f"{share:.0%}" for share in shares.values()],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{y}: %{x:.1%}<extra></extra>",
    )
    figure.update_layout(
        height=70 + 36 * len(shares),
        margin={**MARGIN, "t": 8, "r": 48},
        uirevision="keep",
        xaxis={"tickformat": ".0%", "range": [0, 1], "title": "Share of what the settings explain"},
        yaxis={"autorange": "reversed", "type": "category", "ticksuffix": "  "},
    )
    return figure
