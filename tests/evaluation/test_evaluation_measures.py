"""Figures that sum up what a network said, on predictions small enough to do by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnlab.evaluation.images import Predictions
from cnnlab.evaluation.measures import by_similarity, by_threshold, contest, measures, reliability


def predictions(rows: list[tuple[int, float, int]], classes: int = 3) -> Predictions:
    """(predicted class, its probability, true class) for each image; the rest is shared by the other classes."""
    probabilities = np.array(
        [
            [sure if place == guess else (1 - sure) / (classes - 1) for place in range(classes)]
            for guess, sure, _ in rows
        ],
        np.float32,
    )
    return Predictions(probabilities, np.array([true for _, _, true in rows]), np.arange(len(rows)))


FOUR = predictions([(0, 0.9, 0), (0, 0.9, 1), (1, 0.6, 1), (2, 0.5, 0)])


def test_the_most_confident_mistakes_and_the_least_confident_hits_come_first() -> None:
    assert FOUR.mistakes().tolist() == [1, 3]
    assert FOUR.doubtful_hits().tolist() == [2, 0]
    assert FOUR.cell(1, 0).tolist() == [1]
    assert FOUR.cell(2, 2).tolist() == []


def test_the_calibration_error_is_the_weighted_distance_of_confidence_and_accuracy() -> None:
    found = measures(FOUR, ("a", "b", "c"))
    # two images 90 % sure, half of them right: 0.4 apart; one 60 % sure and right: 0.4; one 50 % sure and wrong: 0.5
    assert found["calibration_error"] == pytest.approx((2 * 0.4 + 0.4 + 0.5) / 4, abs=1e-6)
    assert found["accuracy"] == 0.5
    assert found["confusion"] == [[1, 0, 1], [1, 1, 0], [0, 0, 0]]


def test_a_network_that_is_as_sure_as_it_is_right_has_no_calibration_error() -> None:
    rows = [(0, 0.8, 0)] * 8 + [(0, 0.8, 1)] * 2
    assert measures(predictions(rows), ("a", "b", "c"))["calibration_error"] == pytest.approx(0, abs=1e-6)


@given(st.lists(st.tuples(st.integers(0, 2), st.floats(0.34, 1.0), st.integers(0, 2)), min_size=1, max_size=60))
def test_the_bins_hold_every_image_once_and_their_accuracies_add_up(rows: list[tuple[int, float, int]]) -> None:
    found = predictions(rows)
    bins = reliability(found)
    assert sum(one.images for one in bins) == len(rows)
    assert sum(one.images * one.accuracy for one in bins) == pytest.approx(found.right.sum())
    assert all(one.low - 1e-6 <= one.confidence <= one.high + 1e-6 for one in bins)


def test_a_network_that_may_keep_silent_answers_less_and_is_right_more_often() -> None:
    rows = [(round(threshold, 2), share, accuracy) for threshold, share, accuracy in by_threshold(FOUR)]
    assert rows[0] == (0.0, 1.0, 0.5)
    assert rows[55] == (0.55, 0.75, pytest.approx(2 / 3))
    assert rows[95] == (0.95, 0.0, None)
    assert [share for _, share, _ in rows] == sorted((share for _, share, _ in rows), reverse=True)


def test_classes_taken_for_each_other_stand_together() -> None:
    confusion = [[50, 0, 0, 50, 0], [0, 60, 0, 0, 40], [0, 0, 100, 0, 0], [50, 0, 0, 50, 0], [0, 40, 0, 0, 60]]
    order = by_similarity(confusion)
    assert sorted(order) == list(range(5))
    assert abs(order.index(0) - order.index(3)) == 1
    assert abs(order.index(1) - order.index(4)) == 1
    assert by_similarity([[1, 2], [3, 4]]) == [0, 1]


def test_mcnemars_exact_test_counts_only_the_images_on_which_two_differ() -> None:
    first = np.array([True] * 90 + [True] * 9 + [False] * 1)
    second = np.array([True] * 90 + [False] * 9 + [True] * 1)
    result = contest(first, second)
    assert (result.both, result.first_only, result.second_only, result.neither) == (90, 9, 1, 0)
    assert result.p_value == pytest.approx(2 * (1 + 10) / 2**10)  # two-sided: at most 1 of 10 coins
    assert contest(first, first).p_value == 1.0
