"""What a network repeats, found from the network itself: the functions that a person would write its script with.

Two things are looked for, until nothing more is found. A unit is a layer with weights and the normalization and
activation beside it: CONV, BN, ACT. A block is what the network groups, a module or the layers whose names begin alike
("conv2_block1"), where one tensor enters, one leaves, and another block has the same layers, wired and named alike.
Whatever differs between the places where a function is called becomes a parameter.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import takewhile

from cnnlab.network import Network
from cnnlab.network.layers import (
    Activation,
    Add,
    AnyLayer,
    BatchNormalization,
    Concatenate,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    InputLayer,
    LocalResponseNormalization,
)

LEAST_SAVED, LEAST_SAVED_BY_A_JOIN = 5, -2
"""Lines that a function must save; a block whose branches meet is worth its name also where it saves none."""
LEAST_MULTIPLES = 3
"""Different values of which each is so many times another's, before that is no chance."""
NUMBERED = re.compile(r"(?:^|_)[A-Za-z]+_?\d+[a-z]?$")
"""How the name of a block ends: conv2_block1, inception_3a."""
WORDS = {
    Conv2D: "conv",
    DepthwiseConv2D: "depthwise",
    Dense: "dense",
    BatchNormalization: "bn",
    Activation: "act",
    LocalResponseNormalization: "lrn",
}
KERAS_WORDS = {
    "stride": "strides",
    "kernel": "kernel_size",
    "multiplier": "depth_multiplier",
    "before": "channels",
    "after": "channels",
}
"""What Keras calls a setting that is called otherwise here."""

Setting = int | float | bool | str


class Code(str):
    """A value in a script that is written as it stands: the name of a parameter."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


@dataclass(frozen=True)
class Parameter:
    """Of a function; without a default it is given by position."""

    name: str
    default: Setting | None = None


@dataclass(frozen=True, eq=False)
class Function:
    """What is repeated. The names in its `body` are what follows the name that it is called with; `numbered` where a
    number ends them too. `entry` is what its steps call the tensor that enters."""

    name: str
    title: str
    parameters: tuple[Parameter, ...]
    body: tuple[ScriptStep, ...]
    entry: str
    numbered: bool


@dataclass(frozen=True, eq=False)
class ScriptStep:
    """A line of a script: a layer, or a call of a function. It gives the tensor of the layer `output`.

    `settings` are the layer's, or the function's arguments by parameter.
    """

    name: str
    output: str
    inputs: tuple[str, ...]
    module: str
    what: AnyLayer | Function
    settings: dict[str, Setting]
    joins: bool
    number: str = ""


def program(network: Network) -> tuple[list[Function], list[ScriptStep]]:
    """The functions of a network, each before those that call it, and the steps of the network itself."""
    steps = [
        ScriptStep(
            node.name, node.name, node.inputs, node.module, node.layer, settings_of(node.layer), node.layer.joins
        )
        for node in network.layers
    ]
    functions: list[Function] = []
    for find in (best_units, best_block):
        while spans := find(steps, network.outputs):
            function, steps = folded(steps, spans, functions)
            functions.append(function)
    return functions, steps


def settings_of(layer: AnyLayer) -> dict[str, Setting]:
    return {field.name: getattr(layer, field.name) for field in fields(layer)}


@dataclass(frozen=True)
class Span:
    """Steps from `first` to before `last` that a function may stand for; their names begin with `name`."""

    first: int
    last: int
    name: str
    unit: bool = False


def best_units(steps: Sequence[ScriptStep], outputs: Sequence[str]) -> list[Span]:
    """The unit that saves most, with its activation behind or, as in DenseNet, before the weights."""
    used = uses(steps, outputs)
    ways = [list(units(steps, used, before)) for before in (False, True)]
    classes = [alike(steps, found) for found in ways]
    covered = [sum(len(one) * length(one) for one in found if saved(one) > 0) for found in classes]
    better = max(classes[covered[1] > covered[0]], key=saved, default=[])
    return better if better and saved(better) > 0 else []


def length(spans: Sequence[Span]) -> int:
    return spans[0].last - spans[0].first


def saved(spans: Sequence[Span]) -> int:
    """Lines: those of all places, less the function's and a call for each place."""
    return len(spans) * length(spans) - length(spans) - 3 - len(spans)


def uses(steps: Sequence[ScriptStep], outputs: Sequence[str]) -> Counter[str]:
    """How often each tensor is read, by layers or as an output."""
    return Counter([*(name for step in steps for name in step.inputs), *outputs])


def units(steps: Sequence[ScriptStep], used: Counter[str], before: bool) -> Iterator[Span]:
    """Chains of one layer with weights and the normalization and activation behind it, or `before` it."""
    first = 0
    while first < len(steps):
        last = first + 1
        while last < len(steps) and goes_on(steps[last - 1], steps[last], used):
            last += 1
        chain = steps[first:last]
        weighted = [place for place, step in enumerate(chain) if is_weighted(step)]
        for place in weighted:
            start, end = place, place + 1
            while before and start > 0 and is_beside(chain[start - 1]):
                start -= 1
            while not before and end < len(chain) and is_beside(chain[end]):
                end += 1
            names = [step.name for step in chain[start:end]]
            if end - start > 1 and (name := common(names)):
                yield Span(first + start, first + end, name, unit=True)
        first = last


def goes_on(one: ScriptStep, other: ScriptStep, used: Counter[str]) -> bool:
    return other.inputs == (one.output,) and used[one.output] == 1 and one.module == other.module


def is_weighted(step: ScriptStep) -> bool:
    return isinstance(step.what, Conv2D | DepthwiseConv2D | Dense)


def is_beside(step: ScriptStep) -> bool:
    if isinstance(step.what, Activation):
        return step.what.activation != "softmax"
    return isinstance(step.what, BatchNormalization | LocalResponseNormalization)


def common(names: Sequence[str]) -> str:
    """What all names begin with, in whole words."""
    words = zip(*(name.split("_") for name in names), strict=False)
    return "_".join(column[0] for column in takewhile(lambda column: len(set(column)) == 1, words))


def best_block(steps: Sequence[ScriptStep], outputs: Sequence[str]) -> list[Span]:
    """The shortest block that is repeated and worth a function; of equals the most frequent."""
    worth = [
        spans
        for spans in alike(steps, list(blocks(steps, outputs)))
        if len(spans) > 1 and saved(spans) >= (LEAST_SAVED_BY_A_JOIN if meets(steps, spans[0]) else LEAST_SAVED)
    ]
    return min(worth, key=lambda spans: (length(spans), -len(spans)), default=[])


def meets(steps: Sequence[ScriptStep], span: Span) -> bool:
    return any(step.joins and not isinstance(step.what, Function) for step in steps[span.first : span.last])


def blocks(steps: Sequence[ScriptStep], outputs: Sequence[str]) -> Iterator[Span]:
    """What the network groups: where one tensor enters, and the last leaves alone."""
    used = uses(steps, outputs)
    places: dict[tuple[str, bool], list[int]] = defaultdict(list)
    for place, step in enumerate(steps):
        if step.inputs:
            places[step.module, True].append(place)
            words = step.name.split("_")
            for count in range(1, len(words) + 1):
                prefix = "_".join(words[:count])
                if NUMBERED.search(prefix) and prefix != step.module:
                    places[prefix, False].append(place)
    for (name, _), found in places.items():
        first, last = found[0], found[-1] + 1
        inside = steps[first:last]
        made = {step.output for step in inside}
        entering = {source for step in inside for source in step.inputs} - made
        inner = Counter(source for step in inside for source in step.inputs)
        alone = all(used[step.output] == inner[step.output] for step in inside[:-1])
        named = all(step.name == name or step.name.startswith(f"{name}_") for step in inside)
        if last - first == len(found) > 1 and len(entering) == 1 and alone and named:
            yield Span(first, last, name)


def alike(steps: Sequence[ScriptStep], spans: Sequence[Span]) -> list[list[Span]]:
    """Those that one function can stand for: the same layers and calls, wired and named alike."""
    found: dict[object, list[Span]] = {}
    for span in spans:
        inside = steps[span.first : span.last]
        order = {step.output: place for place, step in enumerate(inside)}
        endings, _ = endings_of(inside, span)
        key = tuple(
            (
                step.what if isinstance(step.what, Function) else type(step.what),
                ending,
                tuple(order.get(source, -1) for source in step.inputs),
            )
            for step, ending in zip(inside, endings, strict=True)
        )
        found.setdefault(key, []).append(span)
    return list(found.values())


def endings_of(inside: Sequence[ScriptStep], span: Span) -> tuple[list[str], str]:
    """What follows the common beginning of the names; of a unit without the number in which all of them end."""
    endings = [step.name.removeprefix(span.name) for step in inside]
    if not span.unit:
        return endings, ""
    numbers = {found[0] if (found := re.search(r"(?<=[a-z])\d+$", ending)) else "" for ending in endings}
    number = numbers.pop() if len(numbers) == 1 else ""
    return [ending.removesuffix(number) for ending in endings], number


def folded(
    steps: Sequence[ScriptStep], spans: Sequence[Span], known: Sequence[Function]
) -> tuple[Function, list[ScriptStep]]:
    """The function for these places, and the steps with a call in the place of each."""
    places = [steps[span.first : span.last] for span in spans]
    endings, number = endings_of(places[0], spans[0])
    numbers = [endings_of(inside, span)[1] for inside, span in zip(places, spans, strict=True)]
    numbered = bool(number)
    parameters, body_settings, arguments = parametrized(places, endings)
    entry = next(source for step in places[0] for source in step.inputs)
    body = tuple(
        ScriptStep(ending, step.output, step.inputs, spans[0].name, step.what, settings, step.joins, step.number)
        for step, ending, settings in zip(places[0], endings, body_settings, strict=True)
    )
    name = function_name(places[0], spans, entry)
    taken = {function.name for function in known}
    name = next(one for one in (name, *(f"{name}_{count}" for count in range(2, 100))) if one not in taken)
    function = Function(name, title_of(places[0], spans), parameters, body, entry, numbered)
    left: list[ScriptStep] = []
    done = 0
    ordered = sorted(zip(spans, places, arguments, numbers, strict=True), key=lambda one: one[0].first)
    for span, inside, given, ending in ordered:
        made = {step.output for step in inside}
        entering = next(source for step in inside for source in step.inputs if source not in made)
        left += steps[done : span.first]
        joins = any(step.joins for step in inside)
        left.append(
            ScriptStep(span.name, inside[-1].output, (entering,), inside[0].module, function, given, joins, ending)
        )
        done = span.last
    return function, [*left, *steps[done:]]


def parametrized(
    places: Sequence[Sequence[ScriptStep]], endings: Sequence[str]
) -> tuple[tuple[Parameter, ...], list[dict[str, Setting]], list[dict[str, Setting]]]:
    """The parameters of a function, the settings of its body with them, and the arguments at each place."""
    vectors: dict[tuple[int, str], tuple[Setting, ...]] = {}
    for place, step in enumerate(places[0]):
        for field in step.settings:
            values = tuple(inside[place].settings[field] for inside in places)
            if len(set(values)) > 1:
                vectors[place, field] = values
    chosen: dict[tuple[int, str], str] = {}
    own: dict[tuple[int, str], tuple[Setting, ...]] = {}
    for key in sorted(vectors, key=lambda one: sum(value for value in vectors[one] if isinstance(value, int))):
        written = next(told_by(key, vectors[key], own), "")
        if not written:
            own[key] = vectors[key]
        chosen[key] = written
    names = parameter_names([key for key in vectors if key in own], endings)
    texts = {key: chosen[key].format(*(names[one] for one in own)) if chosen[key] else names[key] for key in vectors}
    settings: list[dict[str, Setting]] = [
        {field: Code(texts[place, field]) if (place, field) in texts else value for field, value in given.items()}
        for place, given in enumerate(step.settings for step in places[0])
    ]
    parameters = tuple(Parameter(name, default_of(field, own[place, field])) for (place, field), name in names.items())
    arguments = [{name: own[key][number] for key, name in names.items()} for number in range(len(places))]
    return parameters, settings, arguments


def told_by(
    key: tuple[int, str], values: tuple[Setting, ...], own: dict[tuple[int, str], tuple[Setting, ...]]
) -> Iterator[str]:
    """A parameter that has these values already, or of which they are a multiple, as a format of the parameters."""
    for count, ((_, field), others) in enumerate(own.items()):
        if base(field) != base(key[1]):
            continue
        if values == others:
            yield f"{{{count}}}"
        pairs = set(zip(values, others, strict=True))
        if len(pairs) >= LEAST_MULTIPLES and all(isinstance(one, int) and isinstance(two, int) for one, two in pairs):
            ratios = {one / two for one, two in pairs if two}  # type: ignore[operator]
            if len(ratios) == 1 and (ratio := ratios.pop()) == int(ratio) > 1:
                yield f"{int(ratio)} * {{{count}}}"


def base(field: str) -> str:
    """What a setting is called as a parameter; that of a function that is called may have more words."""
    field = KERAS_WORDS.get(field, field)
    return next((word for word in ("filters", "kernel_size", "strides") if field.startswith(word)), field)


def parameter_names(keys: Sequence[tuple[int, str]], endings: Sequence[str]) -> dict[tuple[int, str], str]:
    """filters where there is one, filters_1x1 and filters_3x3 where there are several."""
    counted = Counter(base(field) for _, field in keys)
    names: dict[tuple[int, str], str] = {}
    for place, field in keys:
        name = base(field)
        if counted[name] > 1:
            ending = re.sub(r"\W", "_", endings[place].strip("_"))
            name = f"{name}_{ending or place}"
        while name in names.values():
            name += "_"
        names[place, field] = name
    return names


def default_of(field: str, values: Sequence[Setting]) -> Setting | None:
    """A stride of 1; of words and rates the most frequent; other numbers are always given."""
    if base(field) == "strides":
        return 1
    return (
        None if isinstance(values[0], int) and not isinstance(values[0], bool) else Counter(values).most_common(1)[0][0]
    )


def function_name(inside: Sequence[ScriptStep], spans: Sequence[Span], entry: str) -> str:
    """conv_module for CONV, BN, ACT; inception_module, residual_block for what is grouped so."""
    if spans[0].unit:
        kinds = [type(step.what) for step in inside]
        word = next(WORDS[kind] for kind in kinds if kind in (Conv2D, DepthwiseConv2D, Dense))
        return f"{word}_module" if Activation in kinds else "_".join(WORDS[kind] for kind in kinds)  # type: ignore[index]
    words = {re.sub(r"_?\d+[a-z]?$", "", span.name).rpartition("_")[2].lower() for span in spans}
    word = re.sub(r"\W", "_", words.pop()) if len(words) == 1 else "block"
    if word in ("block", "layer"):
        joined = next((step for step in inside if isinstance(step.what, Add | Concatenate)), None)
        called = {step.what.name for step in inside if isinstance(step.what, Function)}
        around = joined is not None and entry in joined.inputs
        if joined is not None and isinstance(joined.what, Add):
            return "residual_block" if around else "projection_block"
        if joined is None and {"conv_module", "depthwise_module"} <= called:
            return "separable_block"
        return "dense_layer" if around else f"{word}_module"
    return f"{word}_module" if word[:1].isalpha() else "block_module"


def title_of(inside: Sequence[ScriptStep], spans: Sequence[Span]) -> str:
    """What a function says of itself."""
    if spans[0].unit:
        words = {"conv": "convolution", "bn": "batch normalization", "act": "activation", "lrn": "LRN"}
        words |= {"depthwise": "depthwise convolution", "dense": "dense layer"}
        told = ", ".join(words[WORDS[type(step.what)]] for step in inside)  # type: ignore[index]
        return f"{told[0].upper()}{told[1:]}; {len(spans)} times."
    names = [span.name for span in sorted(spans, key=lambda span: span.first)]
    return f"{names[0]} to {names[-1]}, {len(names)} times." if len(names) > 2 else f"{names[0]} and {names[1]}."


def is_input(step: ScriptStep) -> bool:
    return isinstance(step.what, InputLayer)
