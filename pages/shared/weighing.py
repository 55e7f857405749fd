"""How a dense layer weighs its inputs, and how a softmax makes shares of scores."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from cnnlab import text, units
from cnnlab.inference.computation import Computed, Numbers, WeightedSum
from cnnlab.network.layers import Activation
from cnnlab.network.origin import origin
from cnnlab.plots import computation as plots
from cnnlab.plots.colours import GREY, ORANGE, PURPLE, VERMILLION
from cnnlab.plots.computation import Term
from cnnlab.plots.formulas import aligned, exponentials, formula, inner, number, result
from pages.shared.numbers import numbers_beside, show_formula, show_numbers, show_table, way_to
from pages.shared.view import View

MOST_EACH = 7
"""Of the contributions in either sign."""
MOST_CLASSES = 10
MOST_CLASS = 60


def show_dense(view: View, computed: Computed, how: WeightedSum) -> None:
    """The inputs that weigh most, in both signs, and what they add up to."""
    products = how.products.ravel()
    softmax, linear = how.activation == "softmax", how.activation == "linear"
    score = "score" if softmax else "sum"
    classes = classes_of(view, computed.node.name)
    with numbers_beside(view, computed, "dense", plots.terms(contributions(view, how, score), "Input × weight")):
        show_numbers(
            [
                *([("Class", classes[computed.channel])] if classes else []),
                ("Inputs", products.size),
                ("of these not 0", int(np.count_nonzero(how.patch.values))),
                ("Positive products", float(products[products > 0].sum())),
                ("Negative products", float(products[products < 0].sum())),
                ("Bias", "none" if how.bias is None else how.bias),
                (score.capitalize(), how.before),
                *([] if softmax or linear else [(f"After {how.activation}", result(computed))]),
            ]
        )
        bias = "" if how.bias is None else f" + {inner(how.bias)}"
        steps = [r"\sum_i w_i x_i" + (" + b" if bias else ""), number(how.total) + bias, number(how.before)]
        show_formula(aligned(steps, "z"))
        if not softmax and not linear:
            show_formula(formula(computed))
    st.caption(
        "Each bar is an input times its weight: blue raises the sum, orange lowers it."
        + (" The sum is the score of this class or unit, of which the softmax below makes a share." if softmax else "")
    )
    strongest = origin(view.model.network, how.patch.layer, int(np.argmax(np.abs(np.nan_to_num(products)))))
    way_to(view, computed, strongest.layer, strongest.channel, strongest.at)
    if how.scores is not None:
        show_shares(view, computed, how.scores)


def contributions(view: View, how: WeightedSum, score: str) -> list[Term]:
    """The largest products in either sign, the sum of the others, the bias and the whole."""
    network, source = view.model.network, how.patch.layer
    values, weights, products = how.patch.values.ravel(), how.weights.ravel(), how.products.ravel()
    order = [int(place) for place in np.argsort(-np.nan_to_num(products), kind="stable")]
    most = [place for place in order[:MOST_EACH] if products[place] > 0]
    least = [place for place in order[-MOST_EACH:] if products[place] < 0]

    def term(place: int, colour: str) -> Term:
        parts = " × ".join(units.digits(float(one)) for one in (values[place], weights[place]))
        product = float(products[place])
        return Term(origin(network, source, place).text, product, f"{parts} = {units.digits(product)}", colour)

    others = np.delete(products, [*most, *least])
    rest = [Term(f"{others.size:,} others", float(others.sum()), units.digits(float(others.sum())), GREY)]
    bias = [Term("bias", how.bias, units.digits(how.bias), PURPLE)] if how.bias is not None else []
    return [
        *(term(place, plots.READ) for place in most),
        *(rest if others.size else []),
        *(term(place, ORANGE) for place in least),
        *bias,
        Term(score, how.before, units.digits(how.before), VERMILLION),
    ]


def show_shares(view: View, computed: Computed, scores: Numbers) -> None:
    """The scores of the most probable classes, their exponentials, and the share of each in the sum of all."""
    name, chosen, at = computed.node.name, computed.channel, computed.at
    stored = view.seen.values[name][at] if at is not None else view.seen.values[name]
    names = unit_names(view, computed)
    raised, total = exponentials(scores)
    order = [int(place) for place in np.argsort(-np.nan_to_num(stored), kind="stable")]
    top = order[:MOST_CLASSES] if chosen in order[:MOST_CLASSES] else [*order[: MOST_CLASSES - 1], chosen]
    bars = [
        Term(
            names[one],
            float(stored[one]),
            units.digits(float(stored[one])),
            VERMILLION if one == chosen else plots.READ,
        )
        for one in top
    ]
    with numbers_beside(view, computed, "softmax", plots.terms(bars, "Share")):
        rows = [
            (
                names[one],
                units.digits(float(scores[one])),
                units.digits(float(raised[one])),
                units.digits(float(stored[one])),
            )
            for one in top
        ]
        if left := [one for one in order if one not in top]:
            sums = float(raised[left].sum()), float(stored[left].sum(dtype=np.float64))
            rows.append((f"{len(left):,} others", "", units.digits(sums[0]), units.digits(sums[1])))
        rows.append(("all", "", units.digits(total), "1"))
        show_table(("", "score z", "exp(z − max)", "share"), rows, top.index(chosen))
    show_formula(formula(computed))
    st.caption(
        "Softmax: e to the power of each score, divided by the sum of all. The largest score, "
        f"{units.digits(float(max(scores)))}, is subtracted first; that changes no share and keeps the powers small."
    )


def unit_names(view: View, computed: Computed) -> Sequence[str]:
    """The classes where the layer gives their probabilities, else the numbers of its units or channels."""
    word = "unit" if computed.at is None else "channel"
    count = computed.node.output_shape[-1]
    return classes_of(view, computed.node.name) or [f"{word} {place}" for place in range(count)]


def classes_of(view: View, layer: str) -> list[str]:
    """The classes whose probabilities a layer gives, or whose scores it gives a softmax behind it; else none."""
    network, classes = view.model.network, view.model.classes
    behind = (node.name for node in network.layers if layer in node.inputs and isinstance(node.layer, Activation))
    if not set(network.outputs) & {layer, *behind} or network[layer].output_shape != (len(classes),):
        return []
    return [text.plain(one, MOST_CLASS) for one in classes]
