"""How a component comes onto a page: its files read once, and numbers sent to it as bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st
from numpy.typing import NDArray

HERE = Path(__file__).parent


@st.cache_resource(show_spinner=False)
def component(name: str, *scripts: str) -> Any:
    """The component in the folder `name`: its page, its style after the one that all share, and its script, followed
    by others that it needs, given by their paths among the components."""
    page, style = (text_of(f"{name}/{name}.{kind}") for kind in ("html", "css"))
    script = "\n".join(text_of(path) for path in (f"{name}/{name}.js", *scripts))
    return st.components.v2.component(name, html=page, css=f"{text_of('theme.css')}\n{style}", js=script)


def text_of(path: str) -> str:
    return (HERE / path).read_text(encoding="utf-8")


def packed(header: Mapping[str, Any], *arrays: NDArray[Any]) -> bytes:
    """A header and arrays as bytes: the header's length, itself as JSON, and the arrays one after another.

    JSON knows no NaN: numbers that may be none travel in an array.
    """
    told = json.dumps(header, allow_nan=False).encode()
    return b"".join([len(told).to_bytes(4, "little"), told, *(one.tobytes() for one in arrays)])
