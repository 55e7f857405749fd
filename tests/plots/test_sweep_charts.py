"""Charts of sweeps."""

from __future__ import annotations

import pytest

from cnnlab.plots.sweeps import Axis, TrialLine, importance_bars, parallel_coordinates, trial_curves

SGD = {"Optimizer": "sgd", "Learning rate": 0.001, "Momentum": 0.9}
TRIALS = (
    TrialLine("Trial 1", "ended", {1: 0.5}, {"Optimizer": "adam", "Learning rate": 0.01}),
    TrialLine(
        "Trial 2", "best", {1: 0.6, 2: 0.8, 3: 0.9}, {"Optimizer": "sgd", "Learning rate": 0.001, "Momentum": 0.9}
    ),
    TrialLine("Trial <3>", "at work", {}, SGD),
)
AXES = (
    Axis("Optimizer", ["sgd", "adam"]),
    Axis("Learning rate", (), 0.001, 0.1, log=True),
    Axis("Momentum", [0.5, 0.9]),
)


def test_a_curve_ends_where_its_trial_was_stopped_and_the_best_lies_on_top() -> None:
    curves = trial_curves(TRIALS, (1,), 3).data
    assert [(list(curve.x), list(curve.y)) for curve in curves] == [([1], [0.5]), ([1, 2, 3], [0.6, 0.8, 0.9])]
    assert [curve.name for curve in curves] == ["Stopped early", "The best"]
    assert list(curves[1].marker.size) == [0, 0, 9], "a mark where the line ends, and nowhere else"


def test_a_line_has_no_point_on_the_axis_of_a_setting_that_its_trial_does_not_have() -> None:
    lines = parallel_coordinates(TRIALS, AXES, "light").data
    assert [list(line.y) for line in lines] == [[0.0, 0.5, None, 0.0], [1.0, 0.0, 1.0, 1.0]]
    assert "Momentum: –" in lines[0].hovertemplate


def test_values_stand_in_their_order_and_ranges_on_their_scale() -> None:
    assert Axis("Learning rate", (), 1e-4, 1e-1, log=True).place(1e-3) == pytest.approx(1 / 3)
    assert [Axis("Batch size", [128, 32, 64]).place(value) for value in (32, 64, 128)] == [0, 0.5, 1]
    assert [text for _, text in AXES[1].ticks()] == ["0.001", "0.01", "0.1"]
    assert Axis("Seed", ["0"]).place("0") == 0.5


def test_the_most_telling_setting_stands_on_top() -> None:
    figure = importance_bars({"Learning rate": 0.8, "Batch <size>": 0.2})
    assert list(figure.data[0].y) == ["Learning rate", "Batch &lt;size&gt;"]
    assert figure.layout.yaxis.autorange == "reversed"
