"""The figures and pictures of a layer's channels."""

import numpy as np
import pytest

from cnnlab import architectures
from cnnlab.inference.maps import (
    NOT_FINITE,
    branch_shares,
    channel_figures,
    channel_order,
    small_maps,
    small_size,
)
from cnnlab.network.branches import branches

NAN = float("nan")


def layer(*maps: list[list[float]]) -> np.ndarray:
    """Maps as a layer gives them: (height, width, channels)."""
    return np.array(maps, np.float32).transpose(1, 2, 0)


VALUES = layer([[0, 0], [0, 0]], [[1, 3], [0, 0]], [[-4, 2], [1, 2]], [[5, NAN], [1, 0]], [[2, 2], [2, 2]])


def test_the_figures_of_channels_are_those_of_their_values() -> None:
    found = channel_figures(VALUES)
    np.testing.assert_array_equal(found.mean, [0, 1, 0.25, NAN, 2])
    np.testing.assert_array_equal(found.zeros, [1, 0.5, 0, 0.25, 0])
    np.testing.assert_array_equal(found.low, [0, 0, -4, 0, 2])
    np.testing.assert_array_equal(found.high, [0, 3, 2, 5, 2])
    np.testing.assert_array_equal(found.not_finite, [0, 0, 0, 1, 0])
    assert found.dead == 1


def test_a_channel_of_nothing_but_nan_has_no_range_and_infinity_is_counted_with_nan() -> None:
    found = channel_figures(layer([[NAN, NAN]], [[np.inf, 1]], [[0, 2]]))
    np.testing.assert_array_equal(found.low, [NAN, 1, 0])
    np.testing.assert_array_equal(found.high, [NAN, 1, 2])
    np.testing.assert_array_equal(found.not_finite, [2, 1, 0])


def test_a_vector_is_a_row_of_channels_of_one_value() -> None:
    found = channel_figures(np.array([0, 0.5, -1], np.float32))
    np.testing.assert_array_equal(found.mean, [0, 0.5, -1])
    assert found.dead == 1


@pytest.mark.parametrize(
    ("sort", "order"), [("number", [0, 1, 2, 3, 4]), ("mean", [4, 1, 2, 0, 3]), ("zeros", [0, 1, 3, 2, 4])]
)
def test_channels_are_sorted_and_nan_stands_last(sort: str, order: list[int]) -> None:
    assert channel_order(channel_figures(VALUES), sort) == order  # type: ignore[arg-type]


def test_within_branches_each_branch_is_sorted_for_itself() -> None:
    network = architectures.build("minigooglenet")
    found = branches(network, "inception1a_concat")
    values = np.random.default_rng(0).normal(size=(28, 28, 64)).astype(np.float32)
    figures = channel_figures(values)
    order = channel_order(figures, "mean", found)
    assert sorted(order[:32]) == list(range(32))
    for part in (order[:32], order[32:]):
        assert (np.diff(figures.mean[part]) <= 0).all()


def test_branches_share_the_activation_without_its_signs() -> None:
    found = branches(architectures.build("minigooglenet"), "inception1a_concat")
    values = np.ones((28, 28, 64), np.float32)
    values[..., :32] = -3
    assert branch_shares(values, found) == [0.75, 0.25]
    assert branch_shares(np.zeros_like(values), found) == [None, None]
    values[0, 0, 0] = NAN
    assert branch_shares(values, found) == [None, None]


def test_a_picture_goes_from_the_lowest_value_to_the_highest_and_marks_what_is_not_finite() -> None:
    pictures = small_maps(VALUES, [2, 0, 3], channel_figures(VALUES))
    assert pictures.tolist() == [
        [[0, 254], [212, 254]],
        [[0, 0], [0, 0]],
        [[254, NOT_FINITE], [51, 0]],
    ]


def test_a_large_map_is_made_smaller_by_means_and_loses_no_nan() -> None:
    assert small_size(224, 224) == (112, 112, 2)
    assert small_size(128, 128) == (128, 128, 1)
    assert small_size(227, 100) == (114, 50, 2)
    values = np.zeros((225, 225, 2), np.float32)
    values[0, 0, 0], values[224, 224, 0] = 4, NAN
    values[10, 10, 1] = 8
    pictures = small_maps(values, [0, 1], channel_figures(values))
    assert pictures.shape == (2, 113, 113)
    assert (pictures[0, 0, 0], pictures[0, -1, -1]) == (64, NOT_FINITE)
    assert (pictures[1, 5, 5], pictures[1].sum()) == (64, 64)
