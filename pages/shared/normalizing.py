"""How a value is computed from the one at its place: pixels, normalizations, activations."""

from __future__ import annotations

import numpy as np
import streamlit as st

from cnnlab import units
from cnnlab.inference.activations import Values
from cnnlab.inference.computation import Activated, Computed, NormalizedPixel, ResponseNormalized, Standardized
from cnnlab.plots import computation as plots
from cnnlab.plots.formulas import formula, result
from pages.shared.numbers import channel_values, numbers_beside, show_formula, show_numbers, show_table, way_to
from pages.shared.view import View

COLOURS = ("red", "green", "blue")
DEVIATIONS = 3
"""To either side of the mean, as far as a line is drawn."""


def show_pixel(view: View, computed: Computed, how: NormalizedPixel) -> None:
    """A pixel from 0 to 255 and what the network is given for it."""
    at = computed.at or (0, 0)
    grey = len(how.pixel) > 1
    with numbers_beside(view, computed, "pixel", plots.picture(view.seen.inputs, at)):
        prepared = view.model.preprocessing
        given = how.normalized if grey else view.seen.values[computed.node.name][at]
        columns = zip(COLOURS, view.seen.inputs[at], prepared.mean, prepared.deviation, given, strict=True)
        rows = [
            (name, str(pixel), *(units.digits(float(value)) for value in values)) for name, pixel, *values in columns
        ]
        if grey:
            rows.append(("their mean", "", "", "", units.digits(result(computed))))
        show_table(("", "pixel", "mean", "deviation", "given"), rows, len(rows) - 1 if grey else computed.channel)
        show_formula(formula(computed))
    st.caption(
        "The pixel at the frame, from 0 to 255. The network is given how far it lies from the mean of the training "
        "images, in their standard deviations." + (" A network for grey images takes the three colours' mean." * grey)
    )


def show_batch_normalization(view: View, computed: Computed, how: Standardized) -> None:
    """A channel's distribution before and after, and the four numbers that shift and scale it."""
    before = channel_values(view, how.layer, computed.channel)
    scale = how.gamma / how.deviation
    shift = how.beta - scale * how.mean
    after = channel_values(view, computed.node.name, computed.channel)
    after = scale * before + shift if computed.silenced else after
    if before.size > 1:
        figure = plots.distributions(before, after, how.given, result(computed))
    else:
        reach = DEVIATIONS * how.deviation
        figure = plots.straight_line(scale, shift, (how.mean - reach, how.mean + reach), how.given, result(computed))
    with numbers_beside(view, computed, "batch normalization", figure):
        show_numbers(
            [
                ("Input x", how.given),
                ("Scale γ (gamma)", how.gamma),
                ("Shift β (beta)", how.beta),
                ("Moving mean μ", how.mean),
                ("Moving variance σ²", how.variance),
                ("Epsilon ε", how.epsilon),
                ("Output y", result(computed)),
            ]
        )
        show_formula(formula(computed))
    spread = ""
    if before.size > 1:
        spread = (
            f" Over this map: mean {mean_and_deviation(before)} before, {mean_and_deviation(after)} after "
            "(deviation after ±)."
        )
    st.caption(
        "Mean and variance are those that training kept for this channel, not this image's. γ and β are learned."
        + spread
    )
    way_to(view, computed, how.layer, computed.channel, computed.at)


def mean_and_deviation(values: Values) -> str:
    exact = values.astype(np.float64)
    return f"{units.digits(float(exact.mean()))} ± {units.digits(float(exact.std()))}"


def show_activation(view: View, computed: Computed, how: Activated) -> None:
    """The activation's curve with this value on it, and what becomes of all the others."""
    inputs = channel_values(view, how.layer, computed.channel)
    what = "Values of the map"
    if inputs.size == 1:
        inputs, what = view.seen.values[how.layer], "Units of the layer"
    zeros = int((inputs <= 0).sum())
    rows: list[tuple[str, float | int | str]] = [("Input x", how.given), ("Output y", result(computed))]
    rows.append(("Values", inputs.size))
    match how.activation:
        case "relu":
            rows.append(("of these become 0", f"{zeros:,} ({units.percent(zeros / inputs.size)})"))
            words = "ReLU keeps what is above zero and makes zero of the rest."
        case "relu6":
            full = int((inputs >= 6).sum())
            rows.append(("of these become 0", f"{zeros:,} ({units.percent(zeros / inputs.size)})"))
            rows.append(("of these become 6", f"{full:,} ({units.percent(full / inputs.size)})"))
            words = "ReLU6 keeps what lies between zero and six, and cuts the rest there."
        case "tanh":
            words = "The hyperbolic tangent bends every value to between −1 and 1; far from zero it is almost flat."
        case "elu":
            rows.append(("of these bent", f"{zeros:,} ({units.percent(zeros / inputs.size)})"))
            words = "ELU keeps what is above zero and bends the rest to between −1 and 0."
        case _:
            words = "A linear activation keeps every value as it is."
    with numbers_beside(
        view, computed, "activation", plots.curve(how.activation, inputs, how.given, result(computed), what)
    ):
        show_numbers(rows)
        show_formula(formula(computed))
    st.caption(words)
    way_to(view, computed, how.layer, computed.channel, computed.at)


def show_response_normalization(view: View, computed: Computed, how: ResponseNormalized) -> None:
    """The channels beside this one at the same place, and what their squares divide it by."""
    column = view.seen.values[computed.node.name]
    after = (column[computed.at] if computed.at is not None else column)[how.channels.start : how.channels.stop]
    figure = plots.neighbours(how.channels, how.beside, after, computed.channel)
    with numbers_beside(view, computed, "response normalization", figure):
        show_numbers(
            [
                ("Input x", how.given),
                ("Channels a", f"{how.channels.start} to {how.channels.stop - 1}"),
                ("Sum of their squares Σa²", how.squares),
                ("Bias k", how.bias),
                ("Scale α (alpha)", how.alpha),
                ("Exponent β (beta)", how.beta),
                ("Divisor", how.divisor),
                ("Output y", result(computed)),
            ]
        )
        show_formula(formula(computed))
    st.caption(
        "Each value is divided by a power of the sum of squares over the channels beside it at its own place, so that "
        "strong neighbours damp each other (Krizhevsky et al., 2012)."
    )
    way_to(view, computed, how.layer, computed.channel, computed.at)
