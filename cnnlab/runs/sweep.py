"""Several values of several settings, trained one after the other and compared as one group."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cnnlab import runs
from cnnlab.errors import UserError
from cnnlab.experiments.experiment import Experiment, replan
from cnnlab.runs import queue
from cnnlab.runs.run import Labels, Run

MOST_COMBINATIONS = 500


def combinations(values: Mapping[str, Sequence[Any]], sample: int | None = None, seed: int = 0) -> list[dict[str, Any]]:
    """Every combination of the values, or so many of them drawn at random without repetition.

    Raises UserError where a setting has no values or there would be too many runs.
    """
    empty = [name for name, choices in values.items() if not choices]
    if not values or empty:
        raise UserError(
            f"The sweep needs values for {empty[0] if empty else 'a setting'}, such as learning_rate=0.1,0.01."
        )
    count = 1
    for choices in values.values():
        count *= len(choices)
    if sample is None and count > MOST_COMBINATIONS:
        raise UserError(f"These are {count:,} runs; draw a sample of at most {MOST_COMBINATIONS}.")
    if sample is not None and not 1 <= sample <= min(count, MOST_COMBINATIONS):
        raise UserError(f"A sample of {sample}: choose from 1 to {min(count, MOST_COMBINATIONS)}.")
    if sample is None:
        places: Sequence[int] = range(count)
    else:
        places = sorted(random.Random(seed).sample(range(count), sample))  # noqa: S311
    return [combination(values, place) for place in places]


def combination(values: Mapping[str, Sequence[Any]], place: int) -> dict[str, Any]:
    """The combination at a place of the order in which the last setting changes fastest."""
    chosen: dict[str, Any] = {}
    for name, choices in reversed(list(values.items())):
        place, index = divmod(place, len(choices))
        chosen[name] = choices[index]
    return {name: chosen[name] for name in values}


def titled(changes: Mapping[str, Any]) -> str:
    return ", ".join(f"{setting} {value}" for setting, value in changes.items())


def sweep(
    experiment: Experiment,
    values: Mapping[str, Sequence[Any]],
    folder: Path,
    *,
    sample: int | None = None,
    seed: int = 0,
    group: str | None = None,
    preset: str | None = None,
    source: Run | None = None,
) -> list[Run]:
    """Queue a run for each combination; all are checked before the first is made. `source` is that of `runs.create`."""
    tried = combinations(values, sample, seed)
    planned = [replan(experiment, changes) for changes in tried]
    seen: dict[str, dict[str, Any]] = {}
    for one, changes in zip(planned, tried, strict=True):
        if (before := seen.setdefault(one.model_dump_json(), changes)) is not changes:
            raise UserError(f"The sweep has the same training twice: {titled(before)} and {titled(changes)}.")
    name = group or f"sweep-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    titles = [titled(changes) for changes in tried]
    made = [
        runs.create(one, folder, group=name, preset=preset, labels=Labels(name=title[:200]), source=source)
        for one, title in zip(planned, titles, strict=True)
    ]
    for run in made:
        queue.enqueue(run)
    return made
