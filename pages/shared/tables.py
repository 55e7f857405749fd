"""Tables: what stands where nothing is known, and numbers that are read as such and still sorted as numbers."""

from __future__ import annotations

import streamlit as st

NOTHING = "–"
"""For `placeholder`: Streamlit says None otherwise."""
DURATION = st.column_config.NumberColumn(format="localized")
"""Of a column of time spans: 10 min, 36 sec."""


def percent_of(share: float | None) -> float | None:
    """A share for a column whose format ends with a percent sign."""
    return None if share is None else 100 * share
