"""What a sweep searches: lists of values and ranges of settings, and their combinations."""

from __future__ import annotations

import math
import random
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, islice, product
from math import prod
from typing import Any

from pydantic import BaseModel, ConfigDict

from cnnlab.errors import UserError
from cnnlab.experiments.experiment import Experiment
from cnnlab.experiments.recipe import BY_EPOCH, CHOICES, FLAT_FIELDS, idle_settings, settings_of

MOST_COMBINATIONS = 500
BETWEEN = ".."
LOG_FROM = 10.0
DIGITS = 4


class Range(BaseModel):
    """Any value from `low` to `high`, on a logarithmic scale where `log`; only whole numbers where `whole`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    low: float
    high: float
    log: bool = False
    whole: bool = False

    def at(self, share: float) -> float | int:
        """The value at a share of the way from the lowest to the highest."""
        if self.log:
            value = math.exp(math.log(self.low) + share * (math.log(self.high) - math.log(self.low)))
        else:
            value = self.low + share * (self.high - self.low)
        return self.written(value)

    def written(self, value: float) -> float | int:
        """A value of the range in so many digits as one writes."""
        return round(value) if self.whole else min(max(float(f"{value:.{DIGITS}g}"), self.low), self.high)

    def __str__(self) -> str:
        return f"{self.low:g} to {self.high:g}{', on a logarithmic scale' if self.log else ''}"


Values = Sequence[Any] | Range
Lists = Mapping[str, Sequence[Any]]


def read_values(texts: Mapping[str, str], experiment: Experiment) -> dict[str, Values]:
    """What is to be searched, from its texts: "0.1,0.01" is a list, "0.0001..0.1" a range.

    A range is logarithmic where its ends are above 0 and the higher is ten times the lower or more. UserError where a
    range is none, or its setting is not a number.
    """
    return {name: read_one(name, text, experiment) for name, text in texts.items()}


def read_one(name: str, text: str, experiment: Experiment) -> Values:
    if BETWEEN not in text:
        return [part.strip() for part in text.split(";" if name in BY_EPOCH else ",") if part.strip()]
    kind = FLAT_FIELDS[name].annotation if name in FLAT_FIELDS else type(experiment.options.get(name))
    if kind not in (int, float):
        raise UserError(f"{name}={text}: {name.replace('_', ' ')} is no number, so it has no range; list its values.")
    try:
        low, high = map(float, text.split(BETWEEN))
    except ValueError:
        low = high = math.nan
    if not low < high < math.inf:
        raise UserError(f"{name}={text}: a range is written LOW..HIGH, two numbers of which the first is lower.")
    whole = kind is int
    if whole and not (low.is_integer() and high.is_integer()):
        raise UserError(f"{name}={text}: {name.replace('_', ' ')} takes whole numbers, so its range ends with such.")
    return Range(low=low, high=high, log=low > 0 and high >= LOG_FROM * low, whole=whole)


def lists_of(values: Mapping[str, Values]) -> dict[str, Sequence[Any]] | None:
    """The values, where all of them are lists; None where one is a range."""
    lists = {name: choices for name, choices in values.items() if not isinstance(choices, Range)}
    return lists if len(lists) == len(values) else None


def check(values: Mapping[str, Values]) -> None:
    """UserError where nothing is searched, or a setting has no values."""
    empty = [name for name, choices in values.items() if not isinstance(choices, Range) and not choices]
    if not values or empty:
        raise UserError(
            f"The sweep needs values for {empty[0] if empty else 'a setting'}, such as learning_rate=0.1,0.01."
        )


def count_of(values: Mapping[str, Values], settings: Mapping[str, Any]) -> int | None:
    """How many different combinations there are; None where a range has them without end."""
    lists = lists_of(values)
    return None if lists is None else sum(map(size, grids(lists, settings)))


def combinations(
    values: Lists, sample: int | None = None, seed: int = 0, settings: Mapping[str, Any] | None = None
) -> list[dict[str, Any]]:
    """Every combination of the values, or so many of them drawn at random without repetition, in the grid's order.

    With the `settings` that they change, a setting is left out of the combinations whose optimizer or schedule does not
    take it. Raises UserError where a setting has no values or there would be too many runs.
    """
    check(values)
    parts = grids(values, settings)
    count = sum(map(size, parts))
    if sample is None and count > MOST_COMBINATIONS:
        raise UserError(f"These are {count:,} runs; draw a sample of at most {MOST_COMBINATIONS}.")
    if sample is not None and not 1 <= sample <= min(count, MOST_COMBINATIONS):
        raise UserError(f"A sample of {sample}: choose from 1 to {min(count, MOST_COMBINATIONS)}.")
    places = range(count) if sample is None else sorted(islice(drawn(count, seed), sample))
    return [at_place(parts, place) for place in places]


def shuffled(values: Lists, count: int, seed: int, settings: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The first so many combinations in an order drawn at random; more of them begin with the same."""
    parts = grids(values, settings)
    return [at_place(parts, place) for place in islice(drawn(sum(map(size, parts)), seed), count)]


def drawn(count: int, seed: int) -> Iterator[int]:
    """The numbers below `count` in a random order, each once."""
    source, seen = random.Random(seed), set[int]()  # noqa: S311
    while len(seen) < count:
        place = source.randrange(count)
        if place not in seen:
            seen.add(place)
            yield place


def at_random(values: Mapping[str, Values], seed: int, number: int, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a trial drawn at random, each setting on its own: a function of seed and number alone."""
    source = random.Random(f"{seed}/{number}")  # noqa: S311
    shares = {name: source.random() for name in values}
    return taken(values, settings, lambda name, choices: pick(choices, shares[name]))


def pick(choices: Values, share: float) -> Any:
    """The value at a share of a list or range."""
    return choices.at(share) if isinstance(choices, Range) else choices[int(share * len(choices))]


def taken(values: Mapping[str, Values], settings: Mapping[str, Any], choose: Any) -> dict[str, Any]:
    """A value of each setting as `choose(name, choices)` gives it, without those that its optimizer or schedule does
    not take; the choices of those two come first."""
    chosen = {name: choose(name, values[name]) for name in CHOICES if name in values}
    idle = idle_settings({**settings, **known(chosen, settings)})
    for name, choices in values.items():
        if name not in chosen and name not in idle:
            chosen[name] = choose(name, choices)
    return {name: chosen[name] for name in values if name in chosen}


def corners(values: Mapping[str, Values], experiment: Experiment) -> Iterator[dict[str, Any]]:
    """Combinations in which each value of a list and both ends of each range stand once, beside the first of the
    others: what is wrong with one of them is said before the first trial."""
    settings = settings_of(experiment.recipe)
    for tried, choices in values.items():
        for share in ends_of(choices):
            shares = dict.fromkeys(values, 0.0) | {tried: share}
            yield taken(values, settings, lambda name, choices, shares=shares: pick(choices, shares[name]))


def ends_of(choices: Values) -> list[float]:
    """The shares at which `pick` gives each value of a list, or both ends of a range."""
    if isinstance(choices, Range):
        return [0.0, 1.0]
    return [(place + 0.5) / len(choices) for place in range(len(choices))]


def size(values: Lists) -> int:
    return prod(map(len, values.values()))


def at_place(parts: Sequence[Lists], place: int) -> dict[str, Any]:
    """The combination at a place among those of several grids, one after the other."""
    ends = list(accumulate(map(size, parts)))
    number = bisect_right(ends, place)
    return combination(parts[number], place - ends[number] + size(parts[number]))


def grids(values: Lists, settings: Mapping[str, Any] | None) -> list[Lists]:
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


def left_out(values: Mapping[str, Values], settings: Mapping[str, Any]) -> str:
    """What combinations leave out, in a sentence; empty where each has every setting."""
    lists = {name: [choices] if isinstance(choices, Range) else choices for name, choices in values.items()}
    parts, every = grids(lists, settings), size(lists)
    words = []
    for setting in values:
        for choice in CHOICES:
            without = {part[choice][0] for part in parts if choice in part and setting not in part}
            having = {part[choice][0] for part in parts if choice in part and setting in part}
            if names := [str(name) for name in dict.fromkeys(lists.get(choice, ())) if name in without - having]:
                words.append(f"{' and '.join(names)} take{'s' * (len(names) == 1)} no {setting.replace('_', ' ')}")
    if not words:
        return ""
    count = sum(map(size, parts))
    instead = "" if lists_of(values) is None else f": {count:,} combinations instead of {every:,}"
    return f"{', '.join(words)}; it is left out there{instead}."


def combination(values: Lists, place: int) -> dict[str, Any]:
    """The combination at a place of the order in which the last setting changes fastest."""
    chosen: dict[str, Any] = {}
    for name, choices in reversed(list(values.items())):
        place, index = divmod(place, len(choices))
        chosen[name] = choices[index]
    return {name: chosen[name] for name in values}


def typed(value: Any) -> Any:
    """A value of a list as a number, where its text is one."""
    for kind in (int, float):
        try:
            return kind(value) if isinstance(value, str) else value
        except ValueError:
            continue
    return value


def titled(changes: Mapping[str, Any]) -> str:
    return ", ".join(f"{setting} {value}" for setting, value in changes.items())
