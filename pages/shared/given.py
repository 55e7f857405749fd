"""An image that the microscope is given, and the ways to it from other pages."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from cnnlab.datasets.images import Pixels
from cnnlab.datasets.preprocessing import Preprocessing

MICROSCOPE = "pages/microscope.py"
DATA_SET, HANDED = "data-set", "handed"
"""Where the image is from, as the address says it: from the network's data set; handed over by another page."""


@dataclass(frozen=True, eq=False)
class Given:
    """An image of any size, and its name; `fitted` is what a network with inputs of its size is to be given, where the
    pixels are only a small copy."""

    name: str
    pixels: Pixels
    fitted: Pixels | None = None

    def inputs(self, preprocessing: Preprocessing) -> Pixels:
        """What a network sees of it."""
        if self.fitted is not None and self.fitted.shape[:2] == preprocessing.input_size:
            return self.fitted
        return preprocessing.fit(self.pixels)


def look_inside(network: str, given: Given) -> None:
    """Go to the microscope with an image that no address can name."""
    st.session_state[HANDED] = given
    st.switch_page(MICROSCOPE, query_params={"network": network, "from": HANDED})
