"""A person's text made safe for where it is shown: as it was typed, never as Markdown, HTML or LaTeX.

Names, tags, notes, file names, classes, values of the address and messages that hold any of them go through here; our
own sentences do not. What is stored stays as it was typed.
"""

from __future__ import annotations

import re
import unicodedata
from html import escape

MOST = 200
MOST_MESSAGE = 2000
JOINER = "\u2060"
"""A character without width: it keeps apart what would become a link or an icon, and is not seen."""

PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
JOINERS_OF_LETTERS = "\u200c\u200d"  # Persian spelling and families of emoji need them
SPACES = ("Cc", "Zl", "Zp")
LEFT_OUT = ("Cf", "Cs")
REPLACED = re.compile(
    r":(?=[\w+-]+:)"  # :smile:, :material_home:, :streamlit:
    r"|https?:(?=//)|www(?=\.)|[\w.+-](?=@[\w-]+\.)"
    r"|(?:(?<=\s)|^)(?:<-|[-<>~])(?=[->=](?:\s|$))",  # --, ->, <-, <->, >=, <=, ~=
    re.IGNORECASE,
)
"""What Streamlit's Markdown replaces in text after it is parsed, where a backslash does not help any more."""
FORMULA = re.compile(r"\s*[=+\-@]")
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)


def plain(text: str, most: int | None = None) -> str:
    """One line without control characters and without marks that turn the direction of writing; cut after `most`."""
    kept = "".join(" " if unicodedata.category(one) in SPACES else one for one in text)
    kept = "".join(one for one in kept if one in JOINERS_OF_LETTERS or unicodedata.category(one) not in LEFT_OUT)
    return kept if most is None or len(kept) <= most else f"{kept[: most - 1]}…"


def markdown(text: str, most: int | None = MOST) -> str:
    """For `st.markdown`, captions, labels and messages: no markup, no link, no icon comes of it."""
    apart = REPLACED.sub(rf"\g<0>{JOINER}", plain(text, most).strip())
    return PUNCTUATION.sub(r"\\\1", apart)


def message(error: object) -> str:
    """As `markdown`, for an error or another sentence that may hold what a person typed."""
    return markdown(str(error), MOST_MESSAGE)


def lines(text: str) -> str:
    """As `markdown`, for a text of several lines, which it keeps."""
    return "  \n".join(markdown(line, None) for line in text.strip().splitlines())


def chart(text: str, most: int | None = MOST) -> str:
    """For names, ticks and hovers of Plotly figures, which read a subset of HTML and templates of their own."""
    kept = escape(plain(text, most), quote=False)
    return kept.replace("%{", "&#37;{").replace("$", "&#36;")


def html(text: str, most: int | None = MOST) -> str:
    """For HTML that we write ourselves."""
    return escape(plain(text, most))


def cell(value: object) -> object:
    """For a field of a CSV file: a spreadsheet would compute a text that begins with =, +, - or @, so an apostrophe
    goes before it. Numbers stay numbers."""
    if isinstance(value, str) and FORMULA.match(value) and not NUMBER.fullmatch(value):
        return f"'{value}"
    return value


def table(text: str, most: int | None = MOST) -> str:
    """For a cell of `st.dataframe`, which gives out its cells as CSV just as they are: see `cell`."""
    kept = plain(text, most)
    return f"{JOINER}{kept}" if FORMULA.match(kept) and not NUMBER.fullmatch(kept) else kept


def terminal(text: str) -> str:
    """For a terminal, which takes control characters for commands; lines stay lines."""
    return "\n".join(plain(line) for line in text.split("\n"))
