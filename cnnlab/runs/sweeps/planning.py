"""What is checked of a sweep before its first trial is made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cnnlab.errors import UserError
from cnnlab.experiments.experiment import Experiment, replan
from cnnlab.experiments.recipe import settings_of
from cnnlab.runs.sweeps import space
from cnnlab.runs.sweeps.record import MOST_TRIALS, SearchName
from cnnlab.runs.sweeps.space import Values, titled


def budget_of(experiment: Experiment, values: Mapping[str, Values], search: SearchName, trials: int | None) -> int:
    """How many trials there will be; UserError where that cannot be."""
    space.check(values)
    count = space.count_of(values, settings_of(experiment.recipe))
    if search == "grid":
        lists = space.lists_of(values)
        if lists is None:
            ranged = next(name for name, choices in values.items() if isinstance(choices, space.Range))
            raise UserError(
                f"A grid takes lists of values, and {ranged.replace('_', ' ')} has a range; list its values, or search "
                "at random or by Bayes."
            )
        if trials is not None and trials != count:
            raise UserError(
                f"A grid has all of its {count:,} combinations; search at random to draw {trials:,} of them."
            )
        return len(space.combinations(lists, settings=settings_of(experiment.recipe)))
    most = MOST_TRIALS if count is None else min(count, MOST_TRIALS)
    if trials is None or not 1 <= trials <= most:
        said = "without a number" if trials is None else f"of {trials:,} trials"
        raise UserError(f"A sweep {said}: choose from 1 to {most} trials.")
    return trials


def check_plans(experiment: Experiment, values: Mapping[str, Values]) -> None:
    """Plan what may be tried: every combination of lists, else each value and each end of a range once.

    UserError where one cannot be trained, or two are the same training.
    """
    lists = space.lists_of(values)
    settings = settings_of(experiment.recipe)
    count = space.count_of(values, settings)
    if lists is None or count is None or count > MOST_TRIALS:
        tried = list(space.corners(values, experiment))
        for name in set(values).difference(*tried):
            replan(experiment, {name: space.pick(values[name], 0.0)})  # nothing takes it, which is refused there
        for changes in tried:
            replan(experiment, changes)
        return
    seen: dict[str, dict[str, Any]] = {}
    for changes in space.combinations(lists, settings=settings):
        before = seen.setdefault(replan(experiment, changes).model_dump_json(), changes)
        if before is not changes:
            raise UserError(f"The sweep has the same training twice: {titled(before)} and {titled(changes)}.")
