"""Errors, as a page shows them."""

from __future__ import annotations

import streamlit as st

from cnnlab import text


def show_error(error: object, icon: str | None = None) -> None:
    """An error as it stands: it may hold what a person typed, which is not to be taken for markup."""
    st.error(text.message(error), icon=icon)
