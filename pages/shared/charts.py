"""How a figure stands on a page: in ink that is read in both themes, under the same few buttons."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go
import streamlit as st

from cnnlab.plots.colours import SOFT_INK, Theme

BUTTONS = {"displaylogo": False, "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"]}
NO_BUTTONS = {"displayModeBar": False}
FURTHER = ", ".join(f".{axis}{number}tick text, .{axis}{number}title" for axis in "xy" for number in (2, 3, 4))
PALE = f".xtick text, .ytick text, .xtitle, .ytitle, {FURTHER}, .colorbar text, .annotation-text, .bartext-outside"
CHART_NAMES = (
    ".js-plotly-plot .textpoint text"  # of points; in the confusion matrix they have the colour that fits their cell
)
CHART_STYLE = f"""<style>
/* Streamlit draws these texts too pale for a light page; here, because a change of the theme runs no page anew */
.js-plotly-plot :is({PALE}), {CHART_NAMES}:not([class*="st-key-confusion"] *) {{
  fill: light-dark({SOFT_INK["light"]}, {SOFT_INK["dark"]}) !important
}}
</style>"""


def style_charts() -> None:
    """For all pages: once around them."""
    st.html(CHART_STYLE)


def theme() -> Theme:
    """The theme in which the page was opened."""
    return "dark" if st.context.theme.type == "dark" else "light"


def show_chart(figure: go.Figure, key: str, place: Any = st, buttons: bool = True, **settings: Any) -> Any:
    """The figure at this place."""
    return place.plotly_chart(figure, key=key, config=BUTTONS if buttons else NO_BUTTONS, **settings)
