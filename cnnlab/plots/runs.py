"""Many trainings as Plotly figures: their curves over each other, what they reached by setting and by cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict, get_args

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from cnnlab import units
from cnnlab.plots import ABOVE_ALL, LEGEND, MARGIN, TRAINING, VALIDATION, accuracy_range
from cnnlab.plots.colours import GREY, SERIES, SYMBOLS
from cnnlab.plots.training import Across, CurveMeasure, along, axis_of, column
from cnnlab.runs.records import EpochRecord
from cnnlab.text import chart

FitAccuracy = Literal["Training accuracy", "Validation accuracy", "Test accuracy"]
FIT_ACCURACIES: tuple[FitAccuracy, ...] = get_args(FitAccuracy)
Fit = TypedDict(
    "Fit",
    {
        "Trained on": str,
        "State": str,
        "Epochs": int,
        "Training accuracy": float | None,
        "Validation accuracy": float | None,
        "Test accuracy": float | None,
    },
)
"""How well a network fits what it was trained on, and how well it does on other images."""
RUN_COLOURS = SERIES
MARKED = 12
HALF_SCREEN, LEGEND_ITEM, LEGEND_CHARACTER, LEGEND_LINE = 560, 50, 6, 19
MOST_LABELLED_RUNS = 6
STRIPS, STRIP_HEIGHT, SPREAD = 3, 230, 0.5
MOST_CHARACTERS, MOST_NAME = 14, 60


def run_curves(
    runs: Sequence[tuple[str, Sequence[EpochRecord]]],
    measure: CurveMeasure,
    across: Across = "epoch",
    training: bool = False,
) -> go.Figure:
    """Histories of several runs over each other, validation solid and training dashed, a colour a run.

    `runs` holds (label, history); `measure` is loss or accuracy.
    """
    figure = go.Figure()
    reached: list[float] = []
    for place, (title, history) in enumerate(runs):
        label = chart(title, MOST_NAME)
        colour = RUN_COLOURS[place % len(RUN_COLOURS)]
        kinds = [("validation_", "solid", "validation"), *([("", "dash", "training")] if training else [])]
        for prefix, dash, kind in kinds:
            values = column(history, f"{prefix}{measure}")
            figure.add_scatter(
                x=along(history, across),
                y=values,
                name=label,
                legendgroup=str(place),
                showlegend=kind == "validation",
                mode="lines+markers" if kind == "validation" else "lines",
                line={"color": colour, "width": 2.2 if kind == "validation" else 1.3, "dash": dash},
                marker={"symbol": SYMBOLS[place % len(SYMBOLS)], "size": 7, "maxdisplayed": MARKED},
                hovertemplate=f"{across} %{{x:.4~g}}: %{{y:.4~g}}<extra>{label}, {kind}</extra>",
            )
            reached += values[~np.isnan(values)].tolist()
    figure.update_layout(
        title={"text": "Accuracy" if measure == "accuracy" else "Loss (cross-entropy)", "x": 0, "font": {"size": 15}},
        height=380 + legend_room([label for label, _ in runs]),
        margin=MARGIN,
        uirevision=across,
        legend=LEGEND,
        xaxis=axis_of(across, max((len(history) for _, history in runs), default=1)),
        yaxis={"tickformat": ".0%", "range": accuracy_range(reached)}
        if measure == "accuracy"
        else {"rangemode": "tozero"},
    )
    return figure


def legend_room(labels: Sequence[str]) -> int:
    """Pixels that a legend takes beyond its first line, in half a laptop's screen."""
    width = sum(LEGEND_ITEM + LEGEND_CHARACTER * len(label) for label in labels)
    return LEGEND_LINE * (width // HALF_SCREEN)


def training_losses(runs: Sequence[tuple[str, Sequence[EpochRecord]]]) -> go.Figure:
    """Training loss of several runs by epoch, as the paper's Figure 1a. `runs` holds (label, history)."""
    figure = go.Figure()
    for place, (title, history) in enumerate(runs):
        label = chart(title, MOST_NAME)
        figure.add_scatter(
            x=along(history, "epoch"),
            y=column(history, "loss"),
            name=label,
            mode="lines+markers",
            marker={"size": 4},
            line={"color": RUN_COLOURS[place % len(RUN_COLOURS)], "width": 2},
            hovertemplate=f"epoch %{{x}}: %{{y:.4f}}<extra>{label}</extra>",
        )
    figure.update_layout(
        title={"text": "Training loss", "x": 0, "font": {"size": 15}},
        height=400,
        margin=MARGIN,
        uirevision="keep",
        legend=LEGEND,
        xaxis={"title": "Epoch", "rangemode": "tozero"},
        yaxis={"rangemode": "tozero"},
    )
    return figure


def fit_and_generalization(rows: Sequence[Fit]) -> go.Figure:
    """Accuracy on the training images beside that on the test images, or the validation ones where not yet tested."""
    names = [chart(row["Trained on"]) for row in rows]
    tested = [row["Validation accuracy"] if row["Test accuracy"] is None else row["Test accuracy"] for row in rows]
    kinds = ["validation" if row["Test accuracy"] is None else "test" for row in rows]
    figure = go.Figure()
    figure.add_bar(
        x=[row["Training accuracy"] for row in rows],
        y=names,
        orientation="h",
        name="Training",
        marker={"color": TRAINING},
        hovertemplate="%{y}: %{x:.1%} of the training labels<extra></extra>",
    )
    figure.add_bar(
        x=tested,
        y=names,
        orientation="h",
        name="Test" if "test" in kinds else "Validation",
        marker={"color": VALIDATION},
        customdata=kinds,
        hovertemplate="%{y}: %{x:.1%} (%{customdata})<extra></extra>",
    )
    figure.update_layout(
        title={"text": "Accuracy: fitted against generalized", "x": 0, "font": {"size": 15}},
        height=400,
        margin=MARGIN,
        barmode="group",
        uirevision="keep",
        legend=LEGEND,
        xaxis={"range": [0, ABOVE_ALL], "tickformat": ".0%"},
        yaxis={"autorange": "reversed", "type": "category", "ticksuffix": "  "},
    )
    return figure


def setting_strips(
    settings: Mapping[str, Sequence[Any]], accuracies: Sequence[float | None], titles: Sequence[str]
) -> go.Figure:
    """What runs reached by the value of each setting: a strip a setting, a dot a run in its colour and its shape.

    `settings` holds the value in each run by the setting's title; a bar marks the mean of those that share one.
    """
    known = [place for place, accuracy in enumerate(accuracies) if accuracy is not None]
    titles = [chart(title, MOST_NAME) for title in titles]
    rows = -(-len(settings) // STRIPS)
    figure = make_subplots(
        rows, min(STRIPS, len(settings)), shared_yaxes=True, horizontal_spacing=0.03, vertical_spacing=0.36 / rows
    )
    for number, (name, values) in enumerate(settings.items()):
        where = {"row": number // STRIPS + 1, "col": number % STRIPS + 1}
        given = [values[place] for place in known]
        order = in_order(given)
        for nth, place in enumerate(known):
            said = chart(units.setting(values[place]))
            away = SPREAD * ((nth + 0.5) / len(known) - 0.5)
            figure.add_scatter(
                x=[order.index(values[place]) + away],
                y=[accuracies[place]],
                mode="markers",
                name=titles[place],
                legendgroup=titles[place],
                showlegend=number == 0,
                cliponaxis=False,
                marker={
                    "size": 10,
                    "color": RUN_COLOURS[place % len(RUN_COLOURS)],
                    "symbol": SYMBOLS[place % len(SYMBOLS)],
                },
                hovertemplate=f"{titles[place]}<br>{chart(name)} {said}: %{{y:.1%}}<extra></extra>",
                **where,
            )
        shared = [value for value in order if given.count(value) > 1]
        means = [np.mean([float(accuracies[place] or 0) for place in known if values[place] == one]) for one in shared]
        figure.add_scatter(
            x=[order.index(value) for value in shared],
            y=means,
            mode="markers",
            name="Mean of the runs with a value",
            legendgroup="mean",
            showlegend=False,
            marker={"symbol": "line-ew", "size": 44, "line": {"width": 2.5, "color": GREY}},
            hovertemplate="mean %{y:.1%}<extra></extra>",
            **where,
        )
        texts = [chart(units.setting(value), MOST_CHARACTERS) for value in order]
        figure.update_xaxes(
            title=chart(name),
            title_standoff=4,
            tickvals=list(range(len(order))),
            ticktext=texts,
            range=[-0.6, len(order) - 0.4],
            **where,
        )
    figure.update_yaxes(tickformat=".0%", range=accuracy_range([accuracies[place] for place in known]))
    figure.update_yaxes(title="Best validation accuracy", col=1)
    figure.update_layout(
        height=90 + STRIP_HEIGHT * rows + legend_room(titles) // 2, margin=MARGIN, uirevision="keep", legend=LEGEND
    )
    return figure


def in_order(values: Sequence[Any]) -> list[Any]:
    """The different values, numbers by size, anything else by name."""
    different = list(dict.fromkeys(values))
    numeric = all(isinstance(value, int | float) for value in different)
    return sorted(different, key=None if numeric else str)


def reached_over(
    points: Sequence[dict[str, Any]],
    key: str,
    title: str,
    measure: str = "Best validation accuracy",
    levels: Mapping[str, float] | None = None,
) -> go.Figure:
    """An accuracy of runs over parameters, multiply-adds or time. `points`: title, accuracy, and `key`; `levels`: lines
    to hold them against, by what they say."""
    figure = go.Figure()
    furthest = max((point[key] for point in points), default=0)
    for place, point in enumerate(points):
        name = chart(point["title"], MOST_NAME)
        figure.add_scatter(
            x=[point[key]],
            y=[point["accuracy"]],
            name=name,
            mode="markers+text" if len(points) <= MOST_LABELLED_RUNS else "markers",
            text=[name],
            textposition="top left" if 2 * point[key] > furthest else "top right",
            cliponaxis=False,
            marker={
                "size": 12,
                "color": RUN_COLOURS[place % len(RUN_COLOURS)],
                "symbol": SYMBOLS[place % len(SYMBOLS)],
            },
            hovertemplate=f"{name}: %{{y:.1%}} at %{{x:,.4~s}}<extra></extra>",
        )
    for words, value in (levels or {}).items():
        text = chart(words)
        figure.add_hline(value, line={"dash": "dot", "width": 1, "color": GREY})
        figure.add_annotation(
            text=text, y=value, x=0, xref="paper", xanchor="left", yanchor="bottom", showarrow=False, font_size=11
        )
    figure.update_layout(
        height=360,
        margin=MARGIN,
        showlegend=False,
        xaxis={"title": title, "tickformat": "~s", "rangemode": "tozero"},
        yaxis={
            "title": measure,
            "tickformat": ".1%",
            "range": accuracy_range([*(point["accuracy"] for point in points), *(levels or {}).values()]),
        },
    )
    return figure


def ingredients(titles: Sequence[str], validation: Sequence[float], test: Sequence[float | None]) -> go.Figure:
    """Accuracies of a study's trainings as dots in a row each, the first on top."""
    figure = go.Figure()
    for name, values, colour in (("Validation", validation, VALIDATION), ("Test", test, TRAINING)):
        figure.add_scatter(
            x=values,
            y=[chart(title) for title in titles],
            name=name,
            mode="markers",
            marker={"size": 11, "color": colour, "symbol": "circle" if name == "Validation" else "diamond"},
            hovertemplate=f"%{{y}}<br>{name} %{{x:.2%}}<extra></extra>",
        )
    figure.update_layout(
        height=110 + 32 * len(titles),
        margin={**MARGIN, "t": 30},
        legend=LEGEND,
        xaxis={"title": "Accuracy", "tickformat": ".1%", "range": accuracy_range([*validation, *test])},
        yaxis={"autorange": "reversed", "automargin": True},
    )
    return figure
