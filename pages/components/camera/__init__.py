"""The browser's camera through a network, several times a second."""

from __future__ import annotations

import base64
import binascii
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cnnlab import text
from cnnlab.datasets.images import read_image
from cnnlab.errors import UserError
from cnnlab.inference.activations import ActivationModel
from cnnlab.plots.faces import as_address, coloured
from pages.components.mounting import component
from pages.shared.address import key_of
from pages.shared.errors import show_error
from pages.shared.given import Given, look_inside

MOST_BARS, MOST_SHOWN_ALL = 8, 12
STEADY = 0.2
"""How much one frame moves the mean by which classes are chosen to be shown, where there are many."""
MOST_BYTES = 400_000


def show_camera(model: ActivationModel, network: str, layer: str, channel: int) -> None:
    """Frames come one at a time, the next when the answer to the one before has come; `network` is the name in the
    address that a frame is looked at with."""
    key, kept = key_of("camera"), key_of("camera answer")

    def ask() -> None:
        asked = st.session_state.get(key)
        if asked is not None:  # else the page was left meanwhile
            st.session_state[kept] = answer(model, asked["frame"], layer, channel)

    found: dict[str, Any] = st.session_state.get(kept, {})
    out = component("camera")(
        key=key,
        data={key: value for key, value in found.items() if key != "refused"},
        on_frame_change=ask,
        on_taken_change=lambda: None,
    )
    if found.get("refused"):
        show_error(found["refused"])
    if taken := out.get("taken"):
        try:
            look_inside(network, Given("frame of the camera", read_image(decoded(taken), "the frame")))
        except UserError as error:
            show_error(error)


def answer(model: ActivationModel, frame: Any, layer: str, channel: int) -> dict[str, Any]:
    """What a network says of a frame, for the browser; `refused` where it is none."""
    number = frame.get("number", 0) if isinstance(frame, dict) else 0
    before: NDArray[np.float64] | None = st.session_state.get(key_of("camera mean"))
    try:
        image = read_image(decoded(frame), "the frame")
    except UserError as error:
        return {"answered": number, "refused": str(error)}
    seen = model.activations(model.preprocessing.fit(image))
    said = np.nan_to_num(seen.probabilities.astype(np.float64))
    mean = said if before is None or len(before) != len(said) else STEADY * said + (1 - STEADY) * before
    st.session_state[key_of("camera mean")] = mean
    count = len(said)
    shown = range(count) if count <= MOST_SHOWN_ALL else np.argsort(-mean, kind="stable")[:MOST_BARS]
    values = seen.values[layer]
    return {
        "answered": number,
        "bars": [[text.plain(model.classes[one], 40), round(float(said[one]), 4)] for one in shown],
        "map": as_address(coloured(values[..., channel])) if values.ndim == 3 else "",
        "layer": f"{text.plain(layer, 60)}, channel {channel}",
        "account": model.preprocessing.account(*image.shape[:2]),
    }


def decoded(frame: Any) -> bytes:
    """The bytes of a frame as the browser sends it; UserError where they are none."""
    given = frame.get("image") if isinstance(frame, dict) else None
    if not isinstance(given, str) or len(given) > MOST_BYTES:
        raise UserError("The browser sent something that is no frame of the camera.")
    try:
        return base64.b64decode(given.rpartition(",")[2], validate=True)
    except binascii.Error as error:
        raise UserError("The browser sent a frame that cannot be read.") from error
