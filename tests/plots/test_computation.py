"""How one value came about, as figures and formulas."""

from __future__ import annotations

import numpy as np
import pytest

from cnnlab.plots.computation import ShownMap, bins, counts, curve, distributions, maps
from cnnlab.plots.formulas import inner, number


@pytest.mark.parametrize(
    ("value", "latex"),
    [
        (0.45214, "0.4521"),
        (-1.2344e-7, r"-1.234 \cdot 10^{-7}"),
        (98_764.0, "98{,}760"),
        (float("nan"), r"\text{NaN}"),
        (float("-inf"), r"-\infty"),
    ],
)
def test_numbers_in_a_formula_are_those_beside_it(value: float, latex: str) -> None:
    assert number(value) == latex
    assert inner(value) == (f"({latex})" if value < 0 else latex)


def test_before_and_after_are_counted_in_the_same_bins() -> None:
    before, after = np.linspace(-3, 1, 500, dtype=np.float32), np.linspace(0, 20, 500, dtype=np.float32)
    figure = distributions(before, after, -1.0, 2.0)
    first, second = (trace for trace in figure.data if trace.type == "bar")
    assert list(first.x) == list(second.x)
    assert sum(first.y) == sum(second.y) == 500, "no value is left out"
    assert [list(trace.x) for trace in figure.data if trace.type == "scatter"] == [[-1.0, -1.0], [2.0, 2.0]]


@pytest.mark.parametrize("values", [[0.0], [5.0, 5.0], [-1e-3, 4e6], [np.nan], [np.inf, 1.0, -2.0], [1000.0, 1000.001]])
def test_every_number_has_a_bin_and_zero_is_an_edge(values: list[float]) -> None:
    given = np.array(values, np.float32)
    edges = bins(given)
    assert len(edges) <= 42
    assert counts(given, edges).sum() == np.isfinite(given).sum()
    assert not edges[0] < 0 < edges[-1] or 0.0 in edges


def test_what_relu_makes_zero_is_told_from_what_it_keeps() -> None:
    figure = curve("relu", np.array([-2.0, -1.0, 0.0, 3.0], np.float32), -1.0, 0.0, "Values of the map")
    amounts = {trace.name: sum(trace.y) for trace in figure.data if trace.type == "bar"}
    assert amounts == {"becomes 0": 3, "kept": 1}
    (point,) = (trace for trace in figure.data if trace.name == "this value")
    assert (point.x[0], point.y[0]) == (-1.0, 0.0)


def test_what_is_no_number_has_a_colour_that_no_value_has() -> None:
    values = np.array([[1.0, np.nan], [np.inf, 2.0]], np.float32)
    whole, broken = maps([ShownMap("map", values)]).data
    assert np.isnan(whole.z).sum() == 2
    assert np.isfinite(broken.z).sum() == 2
    assert len(maps([ShownMap("map", np.ones((2, 2), np.float32))]).data) == 1
    lost = np.array([[False, True], [True, False]])
    (kept,) = maps([ShownMap("after", values, lost=lost)]).data
    assert np.isnan(kept.z).sum() == 2, "what dropout sets to zero is left empty"
