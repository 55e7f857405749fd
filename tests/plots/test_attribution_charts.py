"""The checks of an attribution as figures."""

from __future__ import annotations

from cnnlab.plots.attribution import randomized, removal


def test_what_random_weights_leave_of_a_picture_is_seen_whole_also_where_it_is_negative() -> None:
    figure = randomized([1, 5], ["fc", "conv"], [0.1, 0.0], [-0.3, -0.6], 5)
    assert figure.layout.yaxis.range[0] < -0.6
    assert [trace.name for trace in figure.data] == ["Values", "Without their sign"]
    assert list(figure.data[0].y) == [1.0, 0.1, 0.0], "it begins with the picture itself"
    assert len(randomized([1], ["fc"], [0.4], [0.4], 1).data) == 1, "without signs there is one line"


def test_deletion_is_drawn_beside_a_random_order_from_none_to_all() -> None:
    figure = removal([0, 0.5, 1], [0.9, 0.2, 0.1], [0.9, 0.6, 0.1], "removed")
    assert [trace.name for trace in figure.data] == ["Strongest first", "Random order"]
    assert list(figure.layout.xaxis.range) == [0, 1]
    assert figure.layout.xaxis.title.text == "Share of the image removed"
