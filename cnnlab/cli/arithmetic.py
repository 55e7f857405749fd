"""The arithmetic of one value, as a terminal shows it and as JSON."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any, assert_never

import numpy as np

from cnnlab.cli.output import echo, print_table
from cnnlab.inference.computation import (
    Activated,
    Computation,
    Computed,
    LargestOf,
    MeanOf,
    NormalizedPixel,
    Numbers,
    Passed,
    Patch,
    Place,
    ResponseNormalized,
    Standardized,
    SumOf,
    WeightedSum,
)
from cnnlab.units import digits

MOST_TERMS = 20
RESULTS: dict[type, tuple[str, ...]] = {
    WeightedSum: ("products", "by_channel", "total", "before"),
    LargestOf: ("winner",),
    MeanOf: ("count", "total"),
    Standardized: ("deviation", "standardized"),
    ResponseNormalized: ("squares", "divisor"),
    NormalizedPixel: ("normalized",),
}
"""What JSON says of a computation besides what goes into it."""


def arithmetic_record(found: Computed) -> dict[str, Any]:
    how = found.how
    results = {name: getattr(how, name) for name in RESULTS.get(type(how), ())}
    record = {
        "layer": found.node.name,
        "type": found.node.layer.type,
        "channel": found.channel,
        "at": found.at,
        "computation": type(how).__name__,
        **asdict(how),
        **results,
        "value": how.value,
        "stored": found.stored,
        "silenced": found.silenced,
    }
    return {name: jsonable(value) for name, value in record.items()}


def jsonable(value: Any) -> Any:
    """Arrays and ranges as lists; null for what is no number."""
    if isinstance(value, np.ndarray):
        return jsonable(value.tolist())
    if isinstance(value, dict):
        return {name: jsonable(item) for name, item in value.items()}
    if isinstance(value, list | tuple | range):
        return [jsonable(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def print_arithmetic(found: Computed) -> None:
    echo(f"{found.node.name}, channel {found.channel}{place_text(found.at)}: {found.node.layer.caption}")
    print_computation(found.how)
    stored = f"TensorFlow: {digits(found.stored)}"
    if found.silenced:
        print(f"{stored}, since the channel is silenced")
    elif not found.agrees:
        print(f"{stored}, which is what it makes of NaN or infinite values")
    else:
        print(stored)


def print_computation(how: Computation) -> None:
    """The arithmetic, each step with its result."""
    match how:
        case WeightedSum():
            print_weighted_sum(how)
        case LargestOf():
            echo(patch_text(how.patch))
            print_window(("input",), how.patch, how.patch.values[..., :1])
            row, column = how.winner
            print(f"largest, in row {how.patch.top + row}, column {how.patch.left + column}: {digits(how.value)}")
        case MeanOf():
            echo(patch_text(how.patch))
            print_window(("input",), how.patch, how.patch.values[..., :1])
            print(f"{digits(how.total)} / {how.count} values = {digits(how.value)}")
        case Standardized():
            print_standardized(how)
        case ResponseNormalized():
            echo(f"{digits(how.given)} from {how.layer}, and beside it at the same place:")
            beside = zip(how.channels, how.beside.tolist(), strict=True)
            print_table(("channel", "input"), [(str(one), digits(value)) for one, value in beside], right=(0, 1))
            print(
                f"{digits(how.given)} / ({how.bias:g} + {how.alpha:g} × {digits(how.squares)}) ^ {how.beta:g} = "
                f"{digits(how.given)} / {digits(how.divisor)} = {digits(how.value)}"
            )
        case Activated():
            echo(f"{digits(how.given)} from {how.layer}")
            print_activation(how.activation, how.given, how.scores, how.channel, how.value)
        case SumOf():
            for one in how.addends:
                echo(f"{digits(one.given)} from {one.layer}")
            print(" + ".join(digits(one.given) for one in how.addends) + f" = {digits(how.value)}")
        case Passed():
            if how.given is None:
                print("0, of the border of zeros")
            else:
                echo(f"{digits(how.given)} from {how.layer}, channel {how.channel}{place_text(how.at)}, as it is")
            if how.rate is not None:
                print(
                    f"while training, {how.rate:g} of the values are set to 0 and the rest divided by {1 - how.rate:g}"
                )
        case NormalizedPixel():
            for pixel, mean, deviation, value in zip(how.pixel, how.mean, how.deviation, how.normalized, strict=True):
                print(f"({pixel} - {digits(mean)}) / {digits(deviation)} = {digits(value)}")
            if len(how.pixel) > 1:
                print(f"mean {digits(how.value)}")
        case _:
            assert_never(how)


def print_weighted_sum(how: WeightedSum) -> None:
    echo(patch_text(how.patch))
    sums = how.by_channel
    order = np.argsort(-np.abs(sums), kind="stable")
    shown, rest = order[:MOST_TERMS], order[MOST_TERMS:]
    channels, inputs, weights = how.patch.channels, how.patch.values[0, 0], how.weights[0, 0]
    if how.patch.padding.size == 1:
        print_table(
            ("input channel", "input", "weight", "product"),
            [
                (str(channels[one]), digits(inputs[one]), digits(weights[one]), digits(sums[one]))
                for one in shown.tolist()
            ],
            right=(0, 1, 2, 3),
        )
    elif len(sums) > 1:
        print_table(
            ("input channel", "sum of products"),
            [(str(channels[one]), digits(sums[one])) for one in shown.tolist()],
            right=(0, 1),
        )
    if rest.size:
        print(f"{rest.size:,} other input channels: {digits(sums[rest].sum())}")
    if how.patch.padding.size > 1:
        most = int(order[0])
        print(f"\nInput channel {how.patch.channels[most]}:")
        terms = np.stack([part[..., most] for part in (how.patch.values, how.weights, how.products)], -1)
        print_window(("input", "weight", "product"), how.patch, terms)
    bias = "" if how.bias is None else f" + bias {digits(how.bias)} = {digits(how.before)}"
    print(f"\nsum of all products {digits(how.total)}{bias}")
    print_activation(how.activation, how.before, how.scores, how.channel, how.value)


def print_window(names: tuple[str, ...], patch: Patch, values: Numbers) -> None:
    """A line for every place of a window, as far as a terminal may hold them."""
    places = list(np.ndindex(patch.padding.shape))
    rows = []
    for row, column in places[: MOST_TERMS * MOST_TERMS]:
        kept = "padding" if patch.padding[row, column] else ""
        numbers = [digits(value) for value in values[row, column].tolist()]
        rows.append((str(patch.top + row), str(patch.left + column), *numbers, kept))
    print_table(("row", "column", *names, ""), rows, right=tuple(range(len(names) + 2)))
    if len(places) > len(rows):
        print(f"and {len(places) - len(rows):,} more")


def print_standardized(how: Standardized) -> None:
    echo(f"{digits(how.given)} from {how.layer}")
    print(
        f"({digits(how.given)} - mean {digits(how.mean)}) / sqrt(variance {digits(how.variance)} + {how.epsilon:g}) = "
        f"{digits(how.standardized)}"
    )
    print(f"{digits(how.standardized)} × gamma {digits(how.gamma)} + beta {digits(how.beta)} = {digits(how.value)}")


def print_activation(activation: str, given: float, scores: Numbers | None, channel: int, value: float) -> None:
    if scores is not None:
        largest = float(scores.max())
        total = float(np.exp(scores - largest).sum())
        print(
            f"softmax: exp({digits(given)} - {digits(largest)}) / {digits(total)}, the sum of that over "
            f"{len(scores):,} channels = {digits(value)}"
        )
    elif activation != "linear":
        print(f"{activation}({digits(given)}) = {digits(value)}")


def patch_text(patch: Patch) -> str:
    """What is read, in a line."""
    rows, columns, count = patch.values.shape
    first, last = patch.channels[0], patch.channels[-1]
    channels = f"channel {first}" if count == 1 else f"channels {first} to {last}"
    where = "" if rows == columns == 1 else f", rows {patch.top} to {patch.top + rows - 1}"
    where += "" if rows == columns == 1 else f", columns {patch.left} to {patch.left + columns - 1}"
    return f"reads {patch.layer}, {channels}{where}"


def place_text(at: Place | None) -> str:
    return "" if at is None else f", row {at[0]}, column {at[1]}"
