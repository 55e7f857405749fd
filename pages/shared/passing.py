"""How a value is passed on from other layers: sums, means, joined channels, flattened maps, borders, dropout."""

from __future__ import annotations

from math import ceil, prod, sqrt

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cnnlab import units
from cnnlab.inference.activations import Values
from cnnlab.inference.computation import Computed, MeanOf, Passed, SumOf
from cnnlab.inference.dropout import drawn
from cnnlab.network.layers import ZeroPadding2D, shape_text
from cnnlab.plots import computation as plots
from cnnlab.plots.colours import VERMILLION
from cnnlab.plots.computation import ShownMap, Term
from cnnlab.plots.formulas import dropped, formula, result
from pages.shared.address import address_number, address_segments
from pages.shared.numbers import channel_values, numbers_beside, show_formula, show_numbers, way_to
from pages.shared.view import View

MOST_MAPS = 3
MOST_WAYS = 4
MOST_ENTRIES = 64
"""Of a vector, around the one that is looked at."""
MOST_DRAWS = 1_000_000
USES = {"use": "Off, as in use", "training": "On, as in training"}


def show_sum(view: View, computed: Computed, how: SumOf) -> None:
    """The inputs and their sum: as maps, or as bars where there are no maps or too many."""
    name, channel, at = computed.node.name, computed.channel, computed.at
    if at is not None and len(how.addends) <= MOST_MAPS:
        shown = [ShownMap(one.layer, channel_values(view, one.layer, channel), at) for one in how.addends]
        figure = plots.maps([*shown, ShownMap("their sum", channel_values(view, name, channel), at)])
    else:
        bars = [Term(one.layer, one.given, units.digits(one.given)) for one in how.addends]
        whole = Term("sum", result(computed), units.digits(result(computed)), VERMILLION)
        figure = plots.terms([*bars, whole], "Value")
    with numbers_beside(view, computed, "sum", figure):
        show_numbers([*((one.layer, one.given) for one in how.addends), ("Sum y", result(computed))])
        show_formula(formula(computed))
    st.caption("The values of all inputs in the same channel at the same place are added.")
    for one in how.addends[:MOST_WAYS]:
        way_to(view, computed, one.layer, channel, at)


def show_mean(view: View, computed: Computed, how: MeanOf) -> None:
    """A map and its mean."""
    values = channel_values(view, how.patch.layer, computed.channel)
    figure = plots.maps([ShownMap(f"{how.patch.layer}, channel {computed.channel}", values)])
    with numbers_beside(view, computed, "mean", figure):
        show_numbers(
            [
                ("Values n", how.count),
                ("Their sum", how.total),
                ("Smallest", float(values.min())),
                ("Largest", float(values.max())),
                ("Mean y", result(computed)),
            ]
        )
        show_formula(formula(computed))
    st.caption("Global average pooling makes one number of each map: the mean of all its values.")
    way_to(view, computed, how.patch.layer, computed.channel, None)


def show_concatenation(view: View, computed: Computed, how: Passed) -> None:
    """From which of the joined layers the channel comes."""
    node = computed.node
    sizes = [shape[-1] for shape in node.input_shapes]
    place = node.inputs.index(how.layer)
    with numbers_beside(view, computed, "concatenation", plots.bands(node.inputs, sizes, computed.channel)):
        show_numbers(
            [
                ("Channel of the whole", computed.channel),
                ("comes from", f"{how.layer}, input {place + 1} of {len(sizes)}"),
                ("its channel", how.channel),
                ("Channels before that input", sum(sizes[:place])),
                ("Value", result(computed)),
            ]
        )
    st.caption("The channels of all inputs stand one after another; no value changes.")
    way_to(view, computed, how.layer, how.channel, how.at)


def show_flatten(view: View, computed: Computed, how: Passed) -> None:
    """From which row, column and channel an entry comes, and which entries stand beside it."""
    shape, entry = computed.node.input_shapes[0], computed.channel
    values = view.seen.values[computed.node.name]
    channels = shape[-1]
    rows: list[tuple[str, float | int | str]] = [("Entry of the vector", entry), ("comes from", how.layer)]
    if how.at is None:
        first = max(entry - MOST_ENTRIES // 2, 0)
        figure = plots.strip(values[first : first + MOST_ENTRIES], first, entry)
    else:
        figure = plots.maps(
            [ShownMap(f"{how.layer}, channel {how.channel}", channel_values(view, how.layer, how.channel), how.at)]
        )
        rows += [("Row", how.at[0]), ("Column", how.at[1])]
    with numbers_beside(view, computed, "flatten", figure):
        show_numbers([*rows, ("Channel", how.channel), ("Value", result(computed))])
        if how.at is not None:
            row, column = how.at
            show_formula(
                rf"{entry} = ({row} \cdot {shape[1]} + {column}) \cdot {channels} + {how.channel}".replace(",", "{,}")
            )
    if how.at is None:
        st.caption("What it reads is a vector already; nothing changes.")
    else:
        st.caption(
            f"{shape_text(shape)} values become a vector of {prod(shape):,}: row by row, column by column, the "
            f"{channels:,} channels of a place beside each other. No value changes."
        )
    way_to(view, computed, how.layer, how.channel, how.at)


def show_padding(view: View, computed: Computed, how: Passed, layer: ZeroPadding2D) -> None:
    """From where a value comes, or that it is a zero of the border."""
    at = computed.at or (0, 0)
    rows, columns, _ = computed.node.input_shapes[0]
    values = channel_values(view, computed.node.name, computed.channel)
    figure = plots.maps(
        [ShownMap(f"{computed.node.name}, channel {computed.channel}", values, at)],
        inside=(layer.top, layer.left, rows, columns),
    )
    with numbers_beside(view, computed, "padding", figure):
        if how.given is None or how.at is None:
            where = "a channel of zeros" if layer.pads_channels else "the border: a zero"
            source: list[tuple[str, float | int | str]] = [("comes from", where)]
        else:
            source = [("comes from", how.layer), ("its row", how.at[0]), ("its column", how.at[1])]
        show_numbers([("Row", at[0]), ("Column", at[1]), *source, ("Value", result(computed))])
    st.caption(
        f"Channels of zeros, {layer.before} before and {layer.after} after those that there are: so a shortcut "
        "without weights reaches a wider block."
        if layer.pads_channels
        else f"A border of zeros: {layer.top} above, {layer.bottom} below, {layer.left} on the left, {layer.right} on "
        "the right. The dashed line is around what is read."
    )
    if how.given is not None:
        way_to(view, computed, how.layer, how.channel, how.at)


def show_dropout(view: View, computed: Computed, how: Passed, rate: float) -> None:
    """Off as in every prediction, or on as in training: one draw of it."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        use = address_segments("Dropout", list(USES), view.name("dropout"), "use", format_func=USES.__getitem__)
        draw = 1
        if use == "training":
            draw = address_number("Draw", view.name("draw"), 1, st, 1, MOST_DRAWS, step=1, width=140)
    before = view.seen.values[how.layer]
    after, kept = before, np.ones(before.shape, np.bool_)
    if use == "training":
        after, kept = drawn(before, rate, draw)
    place = (*(computed.at or ()), computed.channel)
    lost = int((~kept).sum())
    given = float(before[place])
    output = float(after[place]) if use == "training" else result(computed)
    with numbers_beside(view, computed, "dropout", plots.maps(before_and_after(computed, before, after, ~kept))):
        rows: list[tuple[str, float | int | str]] = [("Rate p", rate), ("Input x", given)]
        if use == "training":
            rows += [
                ("Factor 1 / (1 − p)", 1 / (1 - rate)),
                ("Set to zero in all", f"{lost:,} of {kept.size:,} ({units.percent(lost / kept.size)})"),
                ("This value", "kept" if kept[place] else "set to zero"),
            ]
        show_numbers([*rows, ("Output y", output)])
        if use == "training":
            show_formula(dropped(given, bool(kept[place]), rate))
    if use == "training":
        st.caption(
            f"One draw as in training, by its number: each value is set to zero with probability {rate:g}; those left "
            "are scaled up, so that their expected sum stays. Empty cells are set to zero. Only this picture changes: "
            "every prediction, and all other values on this page, have dropout off."
        )
    else:
        st.caption("Dropout works in training only. In use, and so for all predictions, it is off: y = x.")
    way_to(view, computed, how.layer, how.channel, how.at)


def before_and_after(computed: Computed, before: Values, after: Values, lost: NDArray[np.bool_]) -> list[ShownMap]:
    """A channel's map before and after, without what is lost; a vector as rows of units."""
    channel, at = computed.channel, computed.at
    if at is not None:
        return [
            ShownMap("before", before[..., channel], at),
            ShownMap("after", after[..., channel], at, lost[..., channel]),
        ]
    width = ceil(sqrt(before.size))
    spare = np.arange(ceil(before.size / width) * width).reshape(-1, width) >= before.size
    place = (channel // width, channel % width)
    return [
        ShownMap(f"before, rows of {width}", in_rows(before, width), place, spare),
        ShownMap(f"after, rows of {width}", in_rows(after, width), place, spare | (in_rows(lost, width) > 0)),
    ]


def in_rows(vector: Values | NDArray[np.bool_], width: int) -> Values:
    """A vector in rows, the last filled up with zeros."""
    filled = np.zeros(ceil(vector.size / width) * width, np.float32)
    filled[: vector.size] = vector
    return filled.reshape(-1, width)
