"""Learning-rate schedules, against their papers and the lecture's tables."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnlab.experiments.presets import PRESETS, preset_experiment
from cnnlab.experiments.recipe import Recipe, make_recipe
from cnnlab.experiments.schedule import SCHEDULES, pairs_text, rate_at, read_milestones


def rates_by_epoch(recipe: Recipe) -> list[float]:
    """The rate in the middle of each epoch."""
    return [recipe.learning_rate_at(epoch + 0.5) for epoch in range(recipe.epochs)]


LECTURE_TABLES = {  # experiment: (optimizer, with 4a to 4e, rows of (first epoch, last epoch, learning rate))
    "experiment-01": ("sgd", False, [(1, 25, 1e-2), (26, 35, 1e-3), (36, 65, 1e-4)]),
    "experiment-02": ("adam", False, [(1, 20, 1e-3), (21, 30, 1e-4), (31, 40, 1e-5)]),
    "experiment-03": ("adam", True, [(1, 40, 1e-3), (41, 60, 1e-4), (61, 70, 1e-5)]),
}


@pytest.mark.parametrize("name", LECTURE_TABLES)
def test_the_lectures_experiments_are_exactly_as_tabled(name: str) -> None:
    optimizer, inception_4, rows = LECTURE_TABLES[name]
    experiment = preset_experiment(name, {})
    recipe = experiment.recipe
    wanted = [rate for first, last, rate in rows for _ in range(first, last + 1)]
    assert rates_by_epoch(recipe) == pytest.approx(wanted)
    assert recipe.learning_rate_at(rows[1][0] - 1) == rows[1][2]  # from the very first step of the epoch
    assert (experiment.architecture, experiment.dataset) == ("deepergooglenet", "tiny-imagenet")
    assert (recipe.optimizer, experiment.options["inception_4"]) == (optimizer, inception_4)


def test_the_lectures_sgd_run_keeps_a_checkpoint_every_5_epochs() -> None:
    recipe = preset_experiment("deepergooglenet-sgd", {}).recipe
    assert (recipe.optimizer, recipe.learning_rate, recipe.momentum, recipe.nesterov) == ("sgd", 1e-3, 0.9, False)
    assert (recipe.epochs, recipe.checkpoint_every, set(rates_by_epoch(recipe))) == (40, 5, {1e-3})


def test_the_extensions_change_one_thing_each_of_experiment_03() -> None:
    basis = preset_experiment("experiment-03", {})
    changed = {"deepergooglenet-conv-act-bn": ("order", "conv-act-bn"), "deepergooglenet-elu": ("activation", "elu")}
    for name, (option, value) in changed.items():
        experiment = preset_experiment(name, {})
        assert experiment.options == {**basis.options, option: value}
        assert experiment.recipe == basis.recipe


def test_googlenet_trains_with_its_heads_at_three_tenths() -> None:
    experiment = preset_experiment("googlenet", {})
    assert (experiment.options["auxiliary_heads"], experiment.recipe.auxiliary_weight) == (True, 0.3)
    rates = rates_by_epoch(experiment.recipe)
    assert rates[8] / rates[7] == pytest.approx(0.96, rel=1e-4)


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("epochs", [1, 2, 3, 10, 200])
def test_every_recipe_scales_to_a_budget(name: str, epochs: int) -> None:
    whole, scaled = PRESETS[name].experiment().recipe, PRESETS[name].experiment(epochs).recipe
    assert scaled.epochs == epochs
    for share in (0.0, 0.999):
        if epochs >= 10:
            before, after = whole.learning_rate_at(share * whole.epochs), scaled.learning_rate_at(share * epochs)
            assert after == pytest.approx(before, rel=1e-6)


def test_scaled_tables_keep_their_proportions() -> None:
    scaled = PRESETS["experiment-01"].experiment(13).recipe
    assert pairs_text(scaled.milestones) == "6:0.001,8:0.0001"


def test_linear_falls_evenly() -> None:
    assert [rate_at("linear", epoch, 4, 1.0) for epoch in range(4)] == [1, 0.75, 0.5, 0.25]
    assert rate_at("linear", 4, 4, 1.0, 0.2) == pytest.approx(0.2)


def test_cosine_is_half_way_in_the_middle() -> None:
    """Loshchilov and Hutter, 2017 (arXiv:1608.03983), equation 5, one cycle."""
    assert rate_at("cosine", 0, 10, 0.5) == 0.5
    assert rate_at("cosine", 5, 10, 0.5, 0.1) == pytest.approx(0.3)
    assert rate_at("cosine", 10, 10, 0.5) == pytest.approx(0)


def test_one_cycle_rises_and_falls() -> None:
    rates = [rate_at("one-cycle", epoch / 10, 10, 1.0) for epoch in range(101)]
    assert rates[0] == pytest.approx(1 / 25)
    assert max(rates) == rates[30] == pytest.approx(1)
    assert rates[-1] == pytest.approx(0)
    assert rates[:31] == sorted(rates[:31])
    assert rates[30:] == sorted(rates[30:], reverse=True)


def test_cyclic_swings_in_triangles() -> None:
    rates = [rate_at("cyclic", epoch, 100, 1e-2, 1e-7, cycle_epochs=4) for epoch in range(9)]
    assert rates == pytest.approx([1e-7, 5e-3, 1e-2, 5e-3, 1e-7, 5e-3, 1e-2, 5e-3, 1e-7], rel=1e-4)


@pytest.mark.parametrize("schedule", [name for name in SCHEDULES if name != "steps"])
def test_a_warm_up_rises_from_zero_to_where_the_schedule_begins(schedule: str) -> None:
    recipe = make_recipe(schedule=schedule, epochs=10, warmup_epochs=2, learning_rate=0.1, lowest_learning_rate=0.01)
    assert recipe.learning_rate_at(0) == 0
    assert recipe.learning_rate_at(1) == pytest.approx(recipe.learning_rate_at(2) / 2)
    assert recipe.learning_rate_at(2 - 1e-9) == pytest.approx(recipe.learning_rate_at(2), rel=1e-6)


@given(
    schedule=st.sampled_from([name for name in SCHEDULES if name != "steps"]),
    epochs=st.integers(1, 300),
    share=st.floats(0, 1),
    lowest=st.floats(0, 0.1),
)
def test_no_schedule_leaves_its_bounds(schedule: str, epochs: int, share: float, lowest: float) -> None:
    rate = rate_at(schedule, share * epochs, epochs, 0.1, lowest)  # type: ignore[arg-type]
    assert min(lowest, 0.1 / 25) - 1e-12 <= rate <= 0.1 + 1e-12


def test_milestones_survive_being_written() -> None:
    pairs = ((26, 1e-3), (36, 1e-4))
    assert read_milestones(pairs_text(pairs)) == pairs
