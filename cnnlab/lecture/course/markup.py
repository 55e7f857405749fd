"""Tables as HTML, and charts in the words of a language: the page and the handout show the same."""

from __future__ import annotations

import re

import plotly.graph_objects as go

from cnnlab.lecture.course.language import Language
from cnnlab.lecture.course.parts import TableCell, TablePart
from cnnlab.text import html

NUMBER = re.compile(r"[+-]?\d[\d.,\u202f]*%?")


def table_html(table: TablePart, language: Language) -> str:
    """The table; numbers are right-aligned and grouped as the language does it."""
    columns = range(len(table.head))
    right = [all(is_number(row[column]) for row in table.rows) for column in columns]
    head = "".join(
        f"<th{' class=number' if is_right else ''}>{html(name)}</th>"
        for name, is_right in zip(table.head, right, strict=True)
    )
    rows = "".join(
        f"<tr{' class=marked' if place in table.marked else ''}>{''.join(cell_html(one, language) for one in row)}</tr>"
        for place, row in enumerate(table.rows)
    )
    return f"<div class=course-table><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"


def is_number(value: TableCell) -> bool:
    """Whether it stands to the right."""
    return not isinstance(value, str) or value in ("", "–") or bool(NUMBER.fullmatch(value))


def cell_html(value: TableCell, language: Language) -> str:
    right = " class=number" if is_number(value) else ""
    return f"<td{right}>{html(value if isinstance(value, str) else language.text(value), None)}</td>"


def translated(figure: go.Figure, language: Language) -> go.Figure:
    """The figure with its titles, axes and names in the language, as far as it has words for them."""
    made = go.Figure(figure)
    for trace in made.data:
        if trace.name:
            trace.name = language.term(trace.name)
    if made.layout.title.text:
        made.layout.title.text = language.term(made.layout.title.text)
    for axis in (*made.select_xaxes(), *made.select_yaxes()):
        if axis.title.text:
            axis.title.text = language.term(axis.title.text)
    return made
