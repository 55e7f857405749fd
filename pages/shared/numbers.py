"""A picture with its numbers beside it, or below it where the window is narrow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import plotly.graph_objects as go
import streamlit as st

from cnnlab import text, units
from cnnlab.inference.activations import Values
from cnnlab.inference.computation import Computed
from pages.shared.address import key_of, write
from pages.shared.charts import show_chart
from pages.shared.view import Unit, View

BESIDE = "picture-and-numbers"
STYLE = f"""<style>
[class*=st-key-{BESIDE}] > div:first-child {{flex: 3 1 24rem}}
[class*=st-key-{BESIDE}] > div:last-child {{flex: 2 1 16rem}}
table.numbers {{
  border-collapse: collapse; font-size: 0.875rem; font-variant-numeric: tabular-nums; margin-bottom: 0.5rem
}}
table.numbers :is(th, td) {{border: 0; padding: 2px 12px 2px 0; text-align: right; font-weight: 400}}
table.numbers :is(th, td):first-child {{text-align: left}}
table.numbers thead th {{opacity: 0.75}}
table.numbers tr.chosen :is(th, td) {{font-weight: 650}}
[class*=st-key-{BESIDE}] .katex-display {{padding: 0 4px; overflow-x: auto; overflow-y: hidden; font-size: 1.05em}}
</style>"""


@contextmanager
def numbers_beside(view: View, computed: Computed, what: str, figure: go.Figure) -> Iterator[None]:
    """The figure; what is written in the body stands beside it."""
    name = f"{view.side} {computed.node.name} {what}"
    st.html(STYLE)
    with st.container(horizontal=True, key=f"{BESIDE} {name}"):
        with st.container():
            show_chart(figure, f"computation {name}", buttons=False)
        with st.container():
            yield


def show_formula(latex: str) -> None:
    if latex:
        st.latex(latex, width="content")


def show_numbers(rows: Iterable[tuple[str, float | int | str]]) -> None:
    """Names and their values: whole numbers with their thousands, others with four significant digits."""
    show_table((), [(name, shown(value)) for name, value in rows])


def shown(value: float | str) -> str:
    if isinstance(value, str):
        return value
    return units.count(value) if isinstance(value, int) else units.digits(value)


def show_table(head: Sequence[str], rows: Sequence[Sequence[str]], chosen: int | None = None) -> None:
    """A small table, numbers at the right; the chosen row stands out."""
    cells = "".join(f"<th scope='col'>{text.html(one)}</th>" for one in head)
    lines = []
    for number, (name, *values) in enumerate(rows):
        marked = " class='chosen'" if number == chosen else ""
        others = "".join(f"<td>{text.html(one)}</td>" for one in values)
        lines.append(f"<tr{marked}><th scope='row'>{text.html(name)}</th>{others}</tr>")
    header = f"<thead><tr>{cells}</tr></thead>" if head else ""
    st.html(f"<table class='numbers'>{header}<tbody>{''.join(lines)}</tbody></table>")


def channel_values(view: View, layer: str, channel: int) -> Values:
    """A channel's map (rows, columns); of a vector one value, as an array of none but this."""
    found: Values = view.seen.values[layer][..., channel]
    return found


def place_title(layer: str, channel: int, at: Unit | None, unit: str = "unit") -> str:
    """conv5, channel 12, row 3, column 1; of a vector: fc1, unit 4."""
    name = text.markdown(layer)
    return f"{name}, channel {channel}, row {at[0]}, column {at[1]}" if at else f"{name}, {unit} {channel}"


def way_to(view: View, computed: Computed, layer: str, channel: int, at: Unit | None) -> None:
    """A button that looks at the value from which this one comes; without a place, at a whole map."""
    maps = view.seen.values[layer].ndim == 3
    address = {
        view.name("layer"): layer,
        view.name("channel"): str(channel),
        view.name("at"): f"{at[0]},{at[1]}" if at else None,
    }
    st.button(
        f"Look at {place_title(layer, channel, at, 'channel' if maps else 'unit')}",
        icon=":material/arrow_back:",
        key=key_of(f"computation {view.side} {computed.node.name} to {layer}"),
        on_click=lambda: write(address),
        type="tertiary",
    )
