"""A network at work on one photograph after another, drawn from what was computed beforehand."""

from __future__ import annotations

from typing import Any

import streamlit as st

from cnnlab.zoo import living
from pages.components.mounting import component


@st.cache_data(show_spinner=False)
def drawings() -> dict[str, Any]:
    return living.drawings()


def show_living() -> None:
    """It begins by itself, unless one prefers reduced motion, and can be paused."""
    component("living")(key="living", data=drawings())
