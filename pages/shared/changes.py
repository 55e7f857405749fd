"""What the network says of an image before and after it was touched or channels were silenced, as bars."""

from __future__ import annotations

import numpy as np
import streamlit as st

from cnnlab import text, units
from cnnlab.inference.activations import Values
from cnnlab.inference.classifier import Probabilities
from cnnlab.plots.colours import BLUE, GREY
from pages.shared.view import View

SHOWN = 5
MOST_NAME = 40
STYLE = f"""<style>
table.changes {{width: 100%; border-collapse: collapse; font-size: 0.875rem; font-variant-numeric: tabular-nums}}
table.changes :is(th, td) {{
  border: 0; padding: 1px 8px 3px 0; text-align: right; font-weight: 400; white-space: nowrap
}}
table.changes :is(th, td):first-child {{
  text-align: left; max-width: 9rem; overflow: hidden; text-overflow: ellipsis
}}
table.changes thead th {{opacity: 0.75}}
table.changes td.bars {{width: 45%; min-width: 80px}}
table.changes td.bars div {{height: 7px; min-width: 1px; border-radius: 2px; margin: 1px 0}}
table.changes .before {{background: {GREY}}}
table.changes .after {{background: {BLUE}}}
</style>"""


def show_changes(view: View, before: Values, called: str) -> None:
    """The classes most probable before or now, with the difference in points; `called` names what was before."""
    now = view.seen.probabilities
    lines = []
    for place in most_probable(before, now):
        name = text.html(view.model.classes[place], MOST_NAME)
        was, is_ = float(before[place]), float(now[place])
        bars = "".join(
            f"<div class='{kind}' style='width:{width(value):.1f}%'></div>"
            for kind, value in (("before", was), ("after", is_))
        )
        lines.append(
            f"<tr><th scope='row' title='{name}'>{name}</th><td class='bars' aria-hidden='true'>{bars}</td>"
            f"<td>{share(was)}</td><td>{share(is_)}</td><td>{difference(was, is_)}</td></tr>"
        )
    head = "".join(f"<th scope='col'>{one}</th>" for one in ("Class", "", text.html(called), "Now", "Points"))
    table = f"<table class='changes'><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>"
    st.html(f"{STYLE}{table}")


def most_probable(before: Probabilities, now: Probabilities) -> list[int]:
    """The classes with the largest probabilities, most probable before first; those that come in now after them."""
    first = np.argsort(-np.nan_to_num(before, nan=-1), kind="stable")[:SHOWN].tolist()
    then = np.argsort(-np.nan_to_num(now, nan=-1), kind="stable")[:SHOWN].tolist()
    return list(dict.fromkeys([*first[: SHOWN - 1], *then[: SHOWN - 1], *first, *then]))[: SHOWN + 1]


def width(value: float) -> float:
    return 100 * min(max(value, 0.0), 1.0) if np.isfinite(value) else 0.0


def share(value: float) -> str:
    return units.percent(value) if np.isfinite(value) else "NaN"


def difference(was: float, is_: float) -> str:
    """In points of a percent: +3.2, −41.0, 0."""
    points = round(100 * (is_ - was), 1) if np.isfinite(is_ - was) else None
    if points is None:
        return "–"
    return f"{points:+.1f}".replace("-", "−") if points else "0"
