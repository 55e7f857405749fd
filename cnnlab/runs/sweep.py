"""Several values of several settings, trained one after the other and compared as one group."""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import accumulate, product
from math import prod
from pathlib import Path
from typing import Any

from cnnlab import runs
from cnnlab.datasets.images import Pixels
from cnnlab.errors import UserError
from cnnlab.experiments.experiment import Experiment, replan
from cnnlab.experiments.recipe import CHOICES, idle_settings, settings_of
from cnnlab.runs import film, queue
from cnnlab.runs.place import Place
from cnnlab.runs.run import Labels, Run

MOST_COMBINATIONS = 500


def combinations(
    values: Mapping[str, Sequence[Any]],
    sample: int | None = None,
    seed: int = 0,
    settings: Mapping[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """Every combination of the values, or so many of them drawn at random without repetition.

    With the `settings` that they change, a setting is left out of the combinations whose optimizer or schedule does not
    take it. Raises UserError where a setting has no values or there would be too many runs.
    """
    empty = [name for name, choices in values.items() if not choices]
    if not values or empty:
        raise UserError(
            f"The sweep needs values for {empty[0] if empty else 'a setting'}, such as learning_rate=0.1,0.01."
        )
    parts = grids(values, settings)
    count = sum(map(size, parts))
    if sample is None and count > MOST_COMBINATIONS:
        raise UserError(f"These are {count:,} runs; draw a sample of at most {MOST_COMBINATIONS}.")
    if sample is not None and not 1 <= sample <= min(count, MOST_COMBINATIONS):
        raise UserError(f"A sample of {sample}: choose from 1 to {min(count, MOST_COMBINATIONS)}.")
    if sample is None:
        places: Sequence[int] = range(count)
    else:
        places = sorted(random.Random(seed).sample(range(count), sample))  # noqa: S311
    ends = list(accumulate(map(size, parts)))
    found = []
    for place in places:
        number = bisect_right(ends, place)
        found.append(combination(parts[number], place - ends[number] + size(parts[number])))
    return found


def size(values: Mapping[str, Sequence[Any]]) -> int:
    return prod(map(len, values.values()))


def grids(values: Mapping[str, Sequence[Any]], settings: Mapping[str, Any] | None) -> list[Mapping[str, Sequence[Any]]]:
    """The values as one grid; or as one for each optimizer and schedule, where not all of them take every setting.

    What none of them takes stays, and is refused as it is in a single training.
    """
    if settings is None:
        return [values]
    chosen = {name: values.get(name, [settings[name]]) for name in CHOICES}
    picks = [dict(zip(chosen, pick, strict=True)) for pick in product(*chosen.values())]
    idle = [set(values) & set(idle_settings(known(pick, settings))) for pick in picks]
    by_none = set.intersection(*idle)
    if not any(one - by_none for one in idle):
        return [values]
    return [
        {
            name: [pick[name]] if name in pick else choices
            for name, choices in values.items()
            if name not in one or name in by_none
        }
        for pick, one in zip(picks, idle, strict=True)
    ]


def known(pick: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """An optimizer and a schedule that there are; a name that is none is refused when it comes to its run."""
    return {name: value if value in CHOICES[name] else settings[name] for name, value in pick.items()}


def left_out(values: Mapping[str, Sequence[Any]], settings: Mapping[str, Any]) -> str:
    """What combinations leave out, in a sentence; empty where each has every setting."""
    parts, every = grids(values, settings), size(values)
    words = []
    for setting in values:
        for choice in CHOICES:
            without = {part[choice][0] for part in parts if choice in part and setting not in part}
            having = {part[choice][0] for part in parts if choice in part and setting in part}
            if names := [str(name) for name in dict.fromkeys(values.get(choice, ())) if name in without - having]:
                words.append(f"{' and '.join(names)} take{'s' * (len(names) == 1)} no {setting.replace('_', ' ')}")
    if not words:
        return ""
    count = sum(map(size, parts))
    return f"{', '.join(words)}; it is left out there: {count:,} combinations instead of {every:,}."


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
    own_image: Pixels | None = None,
    place: Place | None = None,
) -> list[Run]:
    """Queue a run for each combination; all are checked before the first is made. `source` is that of `runs.create`,
    `own_image` is filmed by each, `place` is where they are trained."""
    tried = combinations(values, sample, seed, settings_of(experiment.recipe))
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
        if own_image is not None:
            film.keep_own_image(run, own_image)
        queue.enqueue(run, place=place)
    return made
