"""What commands print: tables, JSON; and the KEY=VALUE texts that they read."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cnnlab.complaints import once
from cnnlab.errors import UserError
from cnnlab.runs.run import CheckpointChoice
from cnnlab.text import plain, terminal


def pairs(texts: Sequence[str], option: str = "--set") -> dict[str, str]:
    """KEY=VALUE texts as a dict; UserError where one is none, or a key stands twice."""
    for text in texts:
        if "=" not in text:
            raise UserError(f"{option} takes KEY=VALUE, not {text!r}.")
    return once([(name, value) for name, _, value in (text.partition("=") for text in texts)], option)


def echo(*texts: str, error: bool = False) -> None:
    """Print lines that may hold what a person typed; none of it controls the terminal."""
    print(*(terminal(text) for text in texts), sep="\n", file=sys.stderr if error else sys.stdout)


def print_json(value: Any) -> None:
    print(json.dumps(value, indent=2))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for number, column in enumerate(columns):
        table.add_column(Text(plain(column)), justify="right" if number in right else "left", no_wrap=True)
    for row in rows:
        table.add_row(*(Text(plain(item)) for item in row))  # Text: no brackets are read as markup
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=200)  # a pipe has no width to fit into
    console.print(table)


def checkpoint_of(text: str) -> CheckpointChoice:
    if text in ("best", "last"):
        return "best" if text == "best" else "last"
    try:
        return int(text)
    except ValueError as error:
        raise UserError(f"--checkpoint takes best, last, or the number of an epoch, not {text!r}.") from error
