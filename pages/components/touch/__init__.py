"""The network's input to paint on, cover, blur, turn and make noisy; the picture follows in the browser at once."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
import streamlit as st

from cnnlab import text
from cnnlab.datasets.images import Pixels
from cnnlab.errors import UserError
from pages.components.mounting import component
from pages.shared.address import key_of
from pages.shared.errors import show_error


@dataclass(frozen=True, eq=False)
class Edit:
    """What was made of the image of `version` (None: nothing), and why the last that came is not it."""

    version: str
    number: int = 0
    pixels: Pixels | None = None
    refused: str = ""


def touched(inputs: Pixels, side: str = "a") -> Pixels:
    """The image as it was edited in this visit; itself where it was not. Another image has no edits yet."""
    edit = edit_of(inputs, side)
    return inputs if edit.pixels is None else edit.pixels


def show_touch(inputs: Pixels, side: str = "a", layer: str = "input") -> Pixels:
    """The image to edit, and what was made of it; `layer` is the network's input layer, for pointing."""
    edit = edit_of(inputs, side)
    key = key_of(f"touch {side}")

    def change() -> None:
        st.session_state[place_of(side)] = (key_of("touch"), edited(edit, inputs, st.session_state[key]["edited"]))

    component("touch", "touch/changes.js")(
        key=key,
        data={
            "side": side,
            "version": edit.version,
            "layer": text.plain(layer),
            "height": inputs.shape[0],
            "width": inputs.shape[1],
            "original": base64.b64encode(inputs.tobytes()).decode(),
            "edited": "" if edit.pixels is None else base64.b64encode(edit.pixels.tobytes()).decode(),
            "answered": edit.number,
        },
        on_edited_change=change,
    )
    if edit.refused:
        show_error(edit.refused)
    return inputs if edit.pixels is None else edit.pixels


def place_of(side: str) -> str:
    return f"touched {side}"


def edit_of(inputs: Pixels, side: str) -> Edit:
    """What this visit made of this very image."""
    version = sha256(repr(inputs.shape).encode() + inputs.tobytes()).hexdigest()[:16]
    visit, kept = st.session_state.get(place_of(side), ("", Edit("")))
    return kept if visit == key_of("touch") and kept.version == version else Edit(version)


def edited(before: Edit, inputs: Pixels, sent: Any) -> Edit:
    """The edit that the browser sent; that before, and why, where it is none of this image."""
    number = sent.get("number") if isinstance(sent, dict) else None
    if not isinstance(number, int | float) or sent.get("version") != before.version:
        return before
    try:
        return Edit(before.version, int(number), pixels_of(sent.get("pixels"), inputs))
    except UserError as error:
        return Edit(before.version, int(number), before.pixels, str(error))


def pixels_of(sent: Any, inputs: Pixels) -> Pixels | None:
    """The pixels sent, None for those of the image itself; UserError where they are not exactly as many."""
    if sent == "":
        return None
    height, width, channels = inputs.shape
    try:
        found = base64.b64decode(sent, validate=True)
    except (TypeError, ValueError, binascii.Error) as error:
        raise UserError("The edited image did not arrive whole, so it is left out; edit it once more.") from error
    if len(found) != inputs.size:
        raise UserError(
            f"The edited image has {len(found):,} bytes; this network takes {width}×{height} pixels of {channels}, "
            f"{inputs.size:,} bytes. It is left out; edit it once more."
        )
    return np.frombuffer(found, np.uint8).reshape(inputs.shape)
