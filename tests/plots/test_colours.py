"""Whatever a chart shows is seen, on the light page and on the dark one: WCAG's 3:1 for marks, 4.5:1 for text."""

from __future__ import annotations

import itertools
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import pytest

from cnnlab import plots
from cnnlab.evaluation.measures import Bin
from cnnlab.experiments.recipe import make_recipe
from cnnlab.lecture import reduction, reduction_plots
from cnnlab.network.diagram import DIAGRAM_INK as LINES
from cnnlab.network.families import FAMILIES
from cnnlab.plots import attribution as explained
from cnnlab.plots import evaluation as judged
from cnnlab.plots import runs as run_plots
from cnnlab.plots import training as trained
from cnnlab.plots.colours import (
    BACKGROUND,
    FAINT_TO_STRONG,
    INK,
    SEEN_TO_STRONG,
    SERIES,
    SOFT_INK,
    SYMBOLS,
    Theme,
    contrast,
    oklab,
    over,
    scale,
    text_on,
)

MARKS, TEXT = 3.0, 4.5
THEMES: tuple[Theme, ...] = ("light", "dark")
CONFIG = tomllib.loads((Path(__file__).resolve().parents[2] / ".streamlit" / "config.toml").read_text())["theme"]
HISTORY = [
    {
        "epoch": epoch,
        "step": 10 * epoch,
        "worked": 5.0 * epoch,
        "loss": 1 / epoch,
        "accuracy": 1 - 0.5 / epoch,
        "validation_loss": 1.2 / epoch,
        "validation_accuracy": 1 - 0.6 / epoch,
        "validation_top5": 1 - 0.2 / epoch,
    }
    for epoch in (1, 2, 3)
]
STEPS = [{"epoch": step / 10, "step": step, "worked": step, "loss": 1.0, "accuracy": 0.5} for step in range(30)]
CONFUSION = [[950, 50, 0], [3, 996, 1], [400, 100, 500]]
CLASSES = ("cat", "dog", "frog")
TITLES = [f"run {number}" for number in range(len(SERIES))]
SWEEP = {"rate": [0.1 * (number % 3) for number in range(len(SERIES))]}


def figures(theme: Theme) -> Iterator[tuple[str, go.Figure]]:
    """Every figure that cnnlab draws, of something small."""
    yield "probabilities", plots.probability_bars([("cat", 0.9), ("dog", 0.1)])
    parts = {"Training": [3, 4], "Validation": [1, 1], "Test": [2, 1]}
    yield "balance", plots.class_balance(("cat", "dog"), parts)
    stages = [(f"1/{2**power}", 10) for power in range(7)]
    yield "stages", plots.stacked([("VGG16", [*stages, ("dense layers", 20)])], "parameters")
    point = {
        "label": "VGG16",
        "multiply_adds": 1e9,
        "parameters": 1e8,
        "source": "paper",
        "accuracy": 0.7,
        "year": 2015,
    }
    yield "accuracies", plots.bubbles([{**point, "whose": whose} for whose in plots.WHOSE], "Rank-1 accuracy")
    yield "curves", trained.learning_curves("accuracy", HISTORY, STEPS, 3, 3, smoothing=0.5)
    yield "steps", trained.step_curve("loss", "Loss", STEPS, 3)
    yield "schedule", trained.schedule(make_recipe())
    yield "runs", run_plots.run_curves([(title, HISTORY) for title in TITLES], "loss", training=True)
    yield "losses", run_plots.training_losses([(title, HISTORY) for title in TITLES])
    row = {"Trained on": "true labels", "Training accuracy": 1.0, "Validation accuracy": 0.8, "Test accuracy": 0.8}
    yield "generalization", run_plots.fit_and_generalization([row])
    reached = [0.5 + 0.04 * number for number in range(len(SERIES))]
    yield "settings", run_plots.setting_strips(SWEEP, reached, TITLES)
    points = [{"title": title, "accuracy": 0.5, "minutes": 3.0} for title in TITLES]
    yield "price", run_plots.reached_over(points, "minutes", "Minutes", levels={"the lecture": 0.6})
    yield "ingredients", run_plots.ingredients(["first", "second"], [0.8, 0.9], [0.79, None])
    yield "confusion", judged.confusion_matrix(CONFUSION, CLASSES, theme=theme)
    yield "reliability", judged.reliability_diagram([Bin(low=0.5, high=1.0, images=9, confidence=0.8, accuracy=0.7)])
    yield "answered", judged.answered([(0.0, 1.0, 0.8), (0.5, 0.5, 0.9)])
    yield "deletion", explained.removal([0, 0.5, 1], [0.9, 0.2, 0.1], [0.9, 0.6, 0.1], "removed")
    yield "randomized", explained.randomized([1, 5], ["fc", "conv"], [0.1, 0.0], [0.3, 0.2], 5)
    case = reduction.Bottleneck(28, 28, 192, 5, 32, 16)
    yield "widths", reduction_plots.width_curve(case, "parameters")
    module = next(iter(reduction.googlenet_modules().values()))
    yield "branches", reduction_plots.branch_bars(module, "parameters")


def plain(colour: str, background: str) -> str:
    """A colour of Plotly as it is seen over a background."""
    found = re.fullmatch(r"rgba\((\d+), (\d+), (\d+), ([\d.]+)\)", colour)
    if found is None:
        return colour
    red, green, blue = map(int, found.groups()[:3])
    return over(f"#{red:02X}{green:02X}{blue:02X}", float(found[4]), background)


def listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else [one for one in value or [] if isinstance(one, str)]


def weakest(trace: Any, background: str) -> float:
    """The contrast of what is seen worst in a trace; of a mark with an edge the better of the two counts."""
    found = []
    marker, line = trace.to_plotly_json().get("marker", {}), trace.to_plotly_json().get("line", {})
    edge = max((contrast(one, background) for one in listed(marker.get("line", {}).get("color"))), default=0.0)
    if marker.get("opacity", 1) and not str(marker.get("symbol", "")).startswith("line"):
        found += [max(contrast(plain(one, background), background), edge) for one in listed(marker.get("color"))]
    elif edge:
        found.append(edge)
    found += [contrast(plain(one, background), background) for one in listed(line.get("color"))]
    return min(found, default=21.0)


@pytest.mark.parametrize("theme", THEMES)
def test_every_mark_of_every_chart_is_seen(theme: Theme) -> None:
    too_weak = {
        name: round(seen, 2)
        for name, figure in figures(theme)
        for trace in figure.data
        if (seen := weakest(trace, BACKGROUND[theme])) < MARKS
    }
    assert not too_weak


@pytest.mark.parametrize("theme", THEMES)
def test_the_number_on_every_cell_of_a_confusion_matrix_is_read(theme: Theme) -> None:
    figure = judged.confusion_matrix(CONFUSION, CLASSES, theme=theme)
    colours = [colour for _, colour in figure.data[0].colorscale]
    table = {(x, y): text for trace in figure.data[2:] for x, y, text in zip(trace.x, trace.y, trace.text, strict=True)}
    assert sorted(table.values()) == sorted(f"{count:,}" for row in CONFUSION for count in row if count)
    for trace in figure.data[2:]:
        for x, y in zip(trace.x, trace.y, strict=True):
            share = CONFUSION[y][x] / sum(CONFUSION[y])
            cell = judged.shade(colours, share)
            assert contrast(trace.textfont.color, cell) >= TEXT, f"{share:.0%}: {trace.textfont.color} on {cell}"


@pytest.mark.parametrize("theme", THEMES)
def test_of_many_classes_a_single_mistake_is_seen(theme: Theme) -> None:
    classes = [f"class {number}" for number in range(judged.MOST_LABELLED_CLASSES + 1)]
    counts = [[50 if row == column else int(row == 0) for column in range(len(classes))] for row in range(len(classes))]
    figure = judged.confusion_matrix(counts, classes, theme=theme)
    least = figure.data[0].colorscale[0][1]
    assert contrast(least, BACKGROUND[theme]) >= MARKS


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("ends", [FAINT_TO_STRONG, SEEN_TO_STRONG])
def test_a_scale_goes_away_from_the_page_in_steps_that_look_equal(theme: Theme, ends: dict[Theme, Any]) -> None:
    colours = scale(ends[theme])
    steps = [oklab(after)[0] - oklab(before)[0] for before, after in itertools.pairwise(colours)]
    assert max(steps) - min(steps) < 0.01
    seen = [contrast(colour, BACKGROUND[theme]) for colour in colours]
    assert seen == sorted(seen)
    assert all(contrast(text_on(colour), colour) >= TEXT for colour in colours)


@pytest.mark.parametrize("theme", THEMES)
def test_text_is_read_in_both_themes(theme: Theme) -> None:
    assert contrast(INK[theme], BACKGROUND[theme]) >= TEXT
    assert contrast(SOFT_INK[theme], BACKGROUND[theme]) >= TEXT
    for family in FAMILIES:
        assert contrast(family.text, family.colour) >= TEXT, family.title
        tinted = over(family.colour, 0x40 / 255, BACKGROUND[theme])  # the cells of the table of layers
        assert contrast(INK[theme], tinted) >= TEXT, family.title
    assert contrast(LINES, BACKGROUND[theme]) >= MARKS


def test_the_themes_are_those_of_the_app() -> None:
    for theme in THEMES:
        assert CONFIG[theme]["backgroundColor"] == BACKGROUND[theme]
        assert CONFIG[theme]["textColor"] == INK[theme]
    for colour in CONFIG["chartCategoricalColors"]:
        assert min(contrast(colour, background) for background in BACKGROUND.values()) >= MARKS, colour


def test_ten_runs_are_told_apart_without_colour() -> None:
    figure = run_plots.run_curves([(title, HISTORY) for title in TITLES], "loss")
    assert len({trace.marker.symbol for trace in figure.data}) == len(TITLES) == len(SYMBOLS)
