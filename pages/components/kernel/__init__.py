"""A window that slides over its input, number by number: convolutions and pooling."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cnnlab import text
from cnnlab.network.layers import AveragePooling2D, Conv2D, DepthwiseConv2D, MaxPooling2D, Pooling
from cnnlab.plots.film import VIRIDIS
from pages.components.mounting import component, packed
from pages.shared.address import key_of, write
from pages.shared.view import Unit, View

WINDOWED = (Conv2D, DepthwiseConv2D, MaxPooling2D, AveragePooling2D)
"""The kinds that are shown here."""
ALWAYS_SENT = 500_000
"""Bytes of an input that is sent each time: the browser is not asked whether it has it."""


def show_kernel(view: View, layer: str, channel: int, at: Unit) -> None:
    """The window of a layer on its input, at the place of one value of a channel; it slides in the browser.

    The layer's input travels with it, as float32; a large one once: the browser says that it has it, and is sent it
    no more.
    """
    key = key_of(f"kernel {view.side}")
    held = (st.session_state.get(key) or {}).get("held")

    def place() -> None:
        row, column = st.session_state[key]["placed"]["at"]
        write(
            {view.name("layer"): layer, view.name("channel"): str(channel), view.name("at"): f"{row:.0f},{column:.0f}"}
        )

    component("kernel", "kernel/drawing.js", "values.js")(
        key=key,
        data=payload(view, layer, channel, at, str(held)),
        default={"held": ""},
        on_held_change=lambda: None,
        on_placed_change=place,
    )


def payload(view: View, layer: str, channel: int, at: Unit, held: str) -> bytes:
    """A header, then kernel (rows, columns, channels read), the bias if there is one, the input (height, width,
    channels read) unless it is large and `held`, and the channel's output (height, width) as TensorFlow gave it."""
    node = view.model.network[layer]
    kind = node.layer
    source = view.seen.values[node.inputs[0]]
    weights = view.model.weights(layer)
    size = kind.window(*node.input_shapes).kernel
    alone = not isinstance(kind, Conv2D)  # it reads one channel
    read = channel // (kind.multiplier if isinstance(kind, DepthwiseConv2D) else 1)
    kernel = np.zeros((0,), np.float32)
    if isinstance(kind, Conv2D):
        kernel = weights["kernel"][..., channel]
    elif isinstance(kind, DepthwiseConv2D):
        kernel = weights["kernel"][:, :, read, channel % kind.multiplier, None]
    values = source[..., read : read + 1] if alone else source
    name = f"{view.version} {layer}" + (f" {read}" if alone else "")
    sent = values.nbytes <= ALWAYS_SENT or held != name
    bias = weights["bias"][channel : channel + 1] if "bias" in weights else np.zeros((0,), np.float32)
    top, left = kind.border(*node.input_shapes)
    output = view.seen.values[layer][..., channel]
    header = {
        "side": view.side,
        "name": name,
        "layer": layer,
        "source": text.plain(node.inputs[0], 80),
        "title": f"{text.plain(layer, 80)}, channel {channel}: {kind.caption}",
        "kind": "convolution" if not isinstance(kind, Pooling) else kind.word,
        "activation": getattr(kind, "activation", "linear"),
        "channel": channel,
        "at": list(at),
        "kernel": size,
        "stride": kind.window(*node.input_shapes).stride,
        "border": [top, left],
        "input": list(values.shape),
        "first": read if alone else 0,
        "output": list(output.shape),
        "biased": bool(bias.size),
        "silenced": silenced(view, layer, channel),
        "sent": sent,
        "large": values.nbytes > ALWAYS_SENT,
        "colours": VIRIDIS,
    }
    arrays: list[NDArray[Any]] = [kernel, bias, *([values] if sent else []), output]
    return packed(header, *(np.ascontiguousarray(one, "<f4") for one in arrays))


def silenced(view: View, layer: str, channel: int) -> bool:
    channels = view.seen.silenced.get(layer, ())
    return layer in view.seen.silenced and (channels is None or channel in channels)
