"""The microscope's drawer: the image to paint on, channels to silence, and what the network says then."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from cnnlab.datasets.images import Pixels
from cnnlab.inference.activations import Values
from pages.components.touch import show_touch
from pages.shared.address import key_of
from pages.shared.changes import show_changes
from pages.shared.microscope import Subject, seen_by
from pages.shared.silencing import show_effect, show_silencing
from pages.shared.view import View


def show_touching(subject: Subject, view: View, inputs: Pixels, layer: str, channel: int) -> None:
    """Folded away until it is opened, unless one comes to silenced channels; `inputs` is the image as it was given."""
    edited = not np.array_equal(view.seen.inputs, inputs)
    label = "Touch it: paint on the image, silence channels"
    key = key_of(f"touching {view.side}")
    came_open = st.session_state.setdefault(f"{key} came open", bool(view.silenced))
    drawer: Any = st.expander(label, came_open, icon=":material/brush:", key=key, on_change="rerun")
    if not drawer.open:
        if edited or view.silenced:
            st.caption(in_words(edited, len(view.silenced)))
        return
    with drawer:
        left, right = st.columns([6, 5], gap="medium")
        with left:
            show_touch(inputs, view.side, view.model.network.layers[0].name)
        with right:
            before, called = answers_before(subject, view, inputs)
            show_changes(view, before, called)
        show_silencing(view, layer, channel)
        show_effect(view, subject.run, subject.step)


def in_words(edited: bool, silenced: int) -> str:
    """What the network sees is not what was given: said where the drawer is closed."""
    parts = ["The image is edited."] if edited else []
    if silenced:
        parts.append(f"{silenced:,} {'channel or layer is' if silenced == 1 else 'channels or layers are'} silenced.")
    return " ".join(parts)


def answers_before(subject: Subject, view: View, inputs: Pixels) -> tuple[Values, str]:
    """What the network says of the same image with all on where something is silenced, else of the image as given."""
    pixels = view.seen.inputs if view.silenced else inputs
    said = seen_by(subject, view.side, pixels, (), {}).seen.probabilities
    return said, "All on" if view.silenced else "As given"
