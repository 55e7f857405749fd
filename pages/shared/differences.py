"""Two views beside each other: how what they say differs, and where their maps do."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from cnnlab import text, units
from cnnlab.datasets.images import Pixels
from cnnlab.inference.activations import Values
from cnnlab.inference.attribution_pictures import DIVERGING, shaded
from pages.shared.pictures import picture_grid
from pages.shared.view import View

SHOWN_CLASSES, SHOWN_CHANNELS = 5, 8
MAP_PIXELS = 104


def show_differences(first: View, second: View, layer: str, channel: int) -> None:
    """Probabilities side by side, and signed maps where both show the same layer, one channel of it first."""
    with st.container(border=True):
        st.markdown("**The difference**: the second less the first")
        show_probabilities(first, second)
        if not second.linked:
            st.caption("The networks differ, so their layers are not subtracted from one another.")
            return
        before, after = first.seen.values[layer], second.seen.values[layer]
        if before.ndim == 3:
            show_map_differences(layer, channel, before, after)


def show_probabilities(first: View, second: View) -> None:
    """The classes that either finds most probable."""
    views = (first, second)
    if first.model.classes != second.model.classes:
        for view in views:
            said = view.seen.probabilities
            top = np.argsort(-np.nan_to_num(said), kind="stable")[:SHOWN_CLASSES]
            words = ", ".join(
                f"{text.markdown(view.model.classes[one])} {units.percent(float(said[one]))}" for one in top
            )
            st.markdown(f"{text.markdown(view.title)}: {words}")
        st.caption("They tell other classes apart, so no class can be compared.")
        return
    before, after = (np.asarray(view.seen.probabilities, np.float64) for view in views)
    largest = np.nan_to_num(np.maximum(before, after))
    rows = np.argsort(-largest, kind="stable")[:SHOWN_CLASSES]
    st.dataframe(
        pd.DataFrame(
            {
                "Class": [text.table(first.model.classes[one]) for one in rows],
                "First": [units.percent(float(before[one])) for one in rows],
                "Second": [units.percent(float(after[one])) for one in rows],
                "Difference (points)": [f"{100 * (after[one] - before[one]):+.1f}".replace("-", "−") for one in rows],
            }
        ),
        hide_index=True,
        height="content",
        column_config={
            name: st.column_config.TextColumn(alignment="right") for name in ("First", "Second", "Difference (points)")
        },
    )


def show_map_differences(layer: str, channel: int, before: Values, after: Values) -> None:
    """The chosen channel's difference, and those of the channels that differ most, on one scale."""
    apart = np.nan_to_num(after.astype(np.float64) - before)
    sizes = np.abs(apart).mean(axis=(0, 1))
    most = [int(one) for one in np.argsort(-sizes, kind="stable") if one != channel][: SHOWN_CHANNELS - 1]
    shown = [channel, *most]
    end = max(float(np.abs(apart[..., shown]).max()), 1e-12)
    picture_grid(
        [in_colours(apart[..., one], end) for one in shown],
        [f"{'**' * (one == channel)}channel {one}{'**' * (one == channel)}, mean {sizes[one]:.3g}" for one in shown],
        MAP_PIXELS,
    )
    st.caption(
        f"{text.markdown(layer)}: the chosen channel, then those that differ most; the mean is of sizes without sign. "
        f"Blue: less in the second, orange: more, white: the same; the scale ends at ±{end:.3g}."
    )


def in_colours(values: np.ndarray, end: float) -> Pixels:
    return shaded(((values / end + 1) / 2).astype(np.float32), DIVERGING).astype(np.uint8)
