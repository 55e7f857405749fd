"""The rules that stop trainings early, as facts about which trials go on."""

from __future__ import annotations

import pytest

from cnnlab.runs.sweeps.rules import SoFar, Stopping, promotions, verdict

ASHA = Stopping(rule="asha", min_epochs=1, factor=3)
HALVING = Stopping(rule="halving", min_epochs=1, factor=3)
MEDIAN = Stopping(rule="median", min_epochs=2)


def at(number: int, *accuracies: float, epochs: int = 9, promoted: int = 0, over: bool = False) -> SoFar:
    """A trial with these validation accuracies after its epochs."""
    return SoFar(number, epochs, dict(enumerate(accuracies, 1)), promoted, over)


def waiting(*accuracies: float) -> list[SoFar]:
    """Trials that wait at the first rung with these accuracies."""
    return [at(number, accuracy) for number, accuracy in enumerate(accuracies, 1)]


def test_rungs_lie_factor_times_as_far_from_each_other_and_before_the_end() -> None:
    assert ASHA.rungs(27) == (1, 3, 9)
    assert ASHA.rungs(28) == (1, 3, 9, 27)
    assert Stopping(rule="halving", min_epochs=2, factor=4).rungs(100) == (2, 8, 32)
    assert Stopping(rule="asha", min_epochs=10).rungs(10) == ()
    assert MEDIAN.rungs(27) == Stopping().rungs(27) == ()


def test_asha_lets_the_best_third_of_those_that_came_by_now_go_on() -> None:
    trials = waiting(0.5, 0.9, 0.7, 0.8, 0.6, 0.4)
    assert [one.trial for one in promotions(ASHA, trials, all_made=False)] == [2, 4]
    assert {one.threshold for one in promotions(ASHA, trials, all_made=False)} == {0.8}
    assert promotions(ASHA, waiting(0.5, 0.9), all_made=False) == [], "a third of two is none"
    assert verdict(ASHA, waiting(0.5, 0.9, 0.7), 2, all_made=False).action == "promote"  # type: ignore[union-attr]
    paused = verdict(ASHA, waiting(0.5, 0.9, 0.7), 3, all_made=False)
    assert paused
    assert (paused.action, paused.epoch, paused.value, paused.threshold) == ("pause", 1, 0.7, 0.9)


def test_who_has_gone_on_keeps_its_place_among_the_best() -> None:
    trials = [at(1, 0.9, 0.9, promoted=1), at(2, 0.8), at(3, 0.7)]
    assert promotions(ASHA, trials, all_made=False) == []
    more = [*trials, at(4, 0.1), at(5, 0.1), at(6, 0.1)]
    assert [one.trial for one in promotions(ASHA, more, all_made=False)] == [2], "looked at again as others come"


def test_the_highest_rung_comes_first_and_equals_in_the_order_they_were_made() -> None:
    high = [at(number, 0.5, 0.6, accuracy, promoted=1) for number, accuracy in ((1, 0.7), (2, 0.8), (3, 0.6))]
    low = [at(number, 0.5) for number in range(4, 19)]
    found = [(one.epoch, one.trial) for one in promotions(ASHA, [*high, *low], all_made=False)]
    assert found == [(3, 2), (1, 4), (1, 5), (1, 6)]


def test_successive_halving_waits_until_all_have_come_who_are_to_come() -> None:
    accuracies = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
    trials = waiting(*accuracies)
    assert promotions(HALVING, trials, all_made=False) == []
    assert promotions(HALVING, [*trials[:-1], at(9)], all_made=True) == []
    assert [one.trial for one in promotions(HALVING, trials, all_made=True)] == [9, 8, 7]
    failed = [*trials[:-1], at(9, over=True)]
    assert [one.trial for one in promotions(HALVING, failed, all_made=True)] == [8, 7], "nobody waits for the fallen"
    second = [at(number, accuracies[number - 1], 0.9, promoted=1) for number in range(7, 10)]
    assert promotions(HALVING, [*trials[:6], *second], all_made=True) == [], "those of the second rung are under way"


def test_what_a_trial_reached_at_a_rung_is_its_best_up_to_there_and_not_what_came_later() -> None:
    risen = at(1, 0.6, 0.3, 0.2, promoted=1)
    assert (risen.best(1), risen.best(3)) == (0.6, 0.6)
    late = at(2, 0.1, 0.9, promoted=1)
    trials = [risen, late, at(3, 0.5)]
    assert promotions(ASHA, trials, all_made=False) == []
    assert [one.trial for one in promotions(ASHA, [*trials, at(4, 0.2), at(5, 0.2), at(6, 0.2)], False)] == [3]


def test_a_sweep_ends_with_its_best_setting_trained_to_the_end() -> None:
    two = waiting(0.5, 0.6)
    assert promotions(ASHA, two, all_made=False) == [], "more are to come"
    assert promotions(ASHA, [two[0], at(2, promoted=0)], all_made=True) == [], "the other is under way"
    (last,) = promotions(ASHA, two, all_made=True)
    assert (last.trial, last.threshold) == (2, None)
    done = [two[0], at(2, *[0.6] * 9, promoted=3, over=True)]
    assert promotions(ASHA, done, all_made=True) == []


def test_the_median_stops_who_is_below_the_others_average_once_three_have_come_as_far() -> None:
    others = [at(number, 0.5, accuracy) for number, accuracy in ((1, 0.6), (2, 0.7), (3, 0.9))]
    stopped = verdict(MEDIAN, [*others, at(4, 0.2, 0.55)], 4, all_made=True)
    assert stopped
    assert (stopped.action, stopped.value, stopped.threshold) == ("stop", 0.55, pytest.approx(0.6))
    assert verdict(MEDIAN, [*others, at(4, 0.2, 0.61)], 4, all_made=True) is None
    assert verdict(MEDIAN, [*others, at(4, 0.2)], 4, all_made=True) is None, "not before its first epochs are over"
    assert verdict(MEDIAN, [*others[:2], at(4, 0.2, 0.2)], 4, all_made=True) is None, "two are no company"


def test_nobody_is_judged_at_the_end_or_after_a_person_let_it_go_on() -> None:
    trials = waiting(0.9, 0.8, 0.7)
    for rule in (ASHA, HALVING, MEDIAN):
        assert verdict(rule, [*trials, at(4, *[0.1] * 9)], 4, all_made=True) is None
        assert verdict(rule, [*trials, at(4, 0.1, 0.1, 0.1, promoted=9)], 4, all_made=True) is None
    assert verdict(Stopping(), [*trials, at(4, 0.1)], 4, all_made=True) is None
    assert verdict(ASHA, [*trials, at(4, 0.1, 0.1)], 4, all_made=True) is None, "two epochs are no rung"
