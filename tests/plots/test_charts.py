"""How charts are laid out: axes that end where accuracies end, legends with room of their own, settings one by one."""

from __future__ import annotations

import pytest

from cnnlab.evaluation.runs import by_influence
from cnnlab.plots import ABOVE_ALL, accuracy_range
from cnnlab.plots import runs as run_plots
from tests.plots.test_colours import HISTORY, TITLES, figures


@pytest.mark.parametrize("values", [[1.0], [0.98, 1.0], [0.2, 0.5], [0.0], [None, 0.5], []])
def test_an_axis_of_accuracies_holds_them_all_and_ends_at_a_hundred_percent(values: list[float | None]) -> None:
    low, high = accuracy_range(values)
    assert 0 <= low < high <= ABOVE_ALL < 1.05
    assert all(low <= value <= high for value in values if value is not None)


def test_no_chart_has_an_axis_of_shares_beyond_a_hundred_percent() -> None:
    for name, figure in figures("light"):
        for axis in (*figure.select_xaxes(), *figure.select_yaxes()):
            if axis.tickformat and axis.tickformat.endswith("%") and axis.type != "log":
                assert axis.range is not None, f"{name}: it would end where Plotly likes"
                assert axis.range[1] <= ABOVE_ALL, name


def test_every_legend_has_room_of_its_own_at_the_foot() -> None:
    shown = 0
    for name, figure in figures("light"):
        named = [trace for trace in figure.data if trace.name and trace.showlegend is not False]
        if len(named) > 1 and figure.layout.showlegend is not False:
            shown += 1
            legend = figure.layout.legend
            assert (legend.yref, legend.y, legend.yanchor) == ("container", 0, "bottom"), name
    assert shown > 5


def test_with_ten_runs_the_chart_grows_by_the_lines_of_its_legend() -> None:
    few, many = (run_plots.run_curves([(title, HISTORY) for title in TITLES[:count]], "loss") for count in (2, 10))
    assert many.layout.height > few.layout.height


def test_each_setting_is_a_strip_with_a_mark_a_run_and_the_mean_of_those_that_share_a_value() -> None:
    settings = {"Learning rate": [0.1, 0.01, 0.1, 0.01], "Mirrored": [True, True, False, False]}
    reached = [0.6, 0.8, 0.7, 0.9]
    figure = run_plots.setting_strips(settings, reached, ["a", "b", "c", "d"])
    assert [axis.title.text for axis in figure.select_xaxes()] == list(settings)
    first, second = figure.select_xaxes()
    assert list(first.ticktext) == ["0.01", "0.1"]
    assert list(second.ticktext) == ["no", "yes"]
    marks = [trace for trace in figure.data if trace.xaxis == "x" and trace.name in "abcd"]
    assert [round(trace.x[0]) for trace in marks] == [1, 0, 1, 0]
    means = [trace.y for trace in figure.data if trace.name.startswith("Mean")]
    assert means[0] == pytest.approx((0.85, 0.65))
    assert means[1] == pytest.approx((0.8, 0.7))


def test_a_run_without_a_figure_and_long_values_do_no_harm() -> None:
    settings = {"Changes of the rate": ["26:0.001,36:0.0001,40:0.00001", None, "–"]}
    figure = run_plots.setting_strips(settings, [0.5, None, 0.6], ["a", "b", "c"])
    (axis,) = figure.select_xaxes()
    assert all(len(text) <= run_plots.MOST_CHARACTERS for text in axis.ticktext)


def test_the_settings_that_explain_most_come_first() -> None:
    settings = {
        "seed": [0, 1, 2, 3],
        "flip": [True, False, True, False],
        "rate": [0.1, 0.1, 0.01, 0.01],
    }
    assert by_influence(settings, [0.61, 0.6, 0.81, 0.8]) == ["rate", "flip", "seed"]
    assert by_influence(settings, [None, None, None, None]) == list(settings)
