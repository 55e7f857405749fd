"""A person's text made safe for where it is shown: as it was typed, never as Markdown, HTML or LaTeX.

Names, tags, notes, file names, classes and values of the address go through here; our own sentences do not.
"""

from __future__ import annotations

import re
import unicodedata
from html import escape

PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
JOINER = "\u2060"
"""A character without width: it keeps apart what would become a link or an icon, and is not seen."""


def plain(text: str, most: int | None = None) -> str:
    """One line without control characters and without marks that turn the direction of writing; cut after `most`."""
    kept = "".join(" " if unicodedata.category(one) in ("Cc", "Zl", "Zp") else one for one in text)
    kept = "".join(one for one in kept if unicodedata.category(one) not in ("Cf", "Cs"))
    return kept if most is None or len(kept) <= most else f"{kept[: most - 1]}…"


def markdown(text: str, most: int | None = None) -> str:
    """For `st.markdown`, captions, labels and messages: no markup, no link, no icon comes of it."""
    return PUNCTUATION.sub(rf"\\\1{JOINER}", plain(text, most))


def chart(text: str, most: int | None = None) -> str:
    """For names, ticks and hovers of Plotly figures, which read a subset of HTML."""
    return html(text, most)


def html(text: str, most: int | None = None) -> str:
    """For HTML that we write ourselves."""
    return escape(plain(text, most))
