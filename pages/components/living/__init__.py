"""A network at work on one photograph after another, drawn from what was computed beforehand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from cnnlab.zoo import living

HERE = Path(__file__).parent


@st.cache_resource(show_spinner=False)
def component() -> Any:
    html, css, js = (HERE.joinpath(f"living.{kind}").read_text(encoding="utf-8") for kind in ("html", "css", "js"))
    return st.components.v2.component("living", html=html, css=css, js=js)


@st.cache_data(show_spinner=False)
def drawings() -> dict[str, Any]:
    return living.drawings()


def show_living() -> None:
    """It begins by itself, unless one prefers reduced motion, and can be paused."""
    component()(key="living", data=drawings())
