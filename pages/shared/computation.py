"""How one value of a layer came about: a picture for every kind of layer, with the numbers that lead to it.

The numbers are those of `cnnlab/inference/arithmetic.py`; each result is what TensorFlow stored.
"""

from __future__ import annotations

from typing import assert_never

import streamlit as st

from cnnlab.errors import UserError
from cnnlab.inference.arithmetic import arithmetic
from cnnlab.inference.computation import (
    Activated,
    Computed,
    LargestOf,
    MeanOf,
    NormalizedPixel,
    Passed,
    ResponseNormalized,
    Standardized,
    SumOf,
    WeightedSum,
)
from cnnlab.network.layers import Concatenate, Dropout, Flatten, ZeroPadding2D
from pages.components.kernel import WINDOWED, show_kernel
from pages.shared.errors import show_error
from pages.shared.normalizing import (
    show_activation,
    show_batch_normalization,
    show_pixel,
    show_response_normalization,
)
from pages.shared.numbers import place_title, way_to
from pages.shared.passing import show_concatenation, show_dropout, show_flatten, show_mean, show_padding, show_sum
from pages.shared.view import Unit, View
from pages.shared.weighing import show_dense, show_shares


def show_computation(view: View, layer: str, channel: int, at: Unit) -> None:
    """How the value of a layer's channel at a row and column was computed; `at` says nothing for a vector."""
    try:
        maps = len(view.model.network[layer].output_shape) == 3
        computed = arithmetic(view.model, view.seen, layer, channel, at if maps else None)
    except UserError as error:
        show_error(error)
        return
    if isinstance(computed.node.layer, WINDOWED):
        show_kernel(view, layer, channel, at)
        if isinstance(computed.how, WeightedSum) and computed.how.scores is not None:
            show_shares(view, computed, computed.how.scores)
        return
    st.subheader(place_title(layer, channel, computed.at), anchor=False)
    if computed.silenced:
        st.info(
            "This channel is silenced: the network goes on with 0. Below is what it would compute.",
            icon=":material/volume_off:",
        )
    show_value(view, computed)


def show_value(view: View, computed: Computed) -> None:
    """The value of a layer that slides no window."""
    match computed.how:
        case NormalizedPixel() as how:
            show_pixel(view, computed, how)
        case Standardized() as how:
            show_batch_normalization(view, computed, how)
        case Activated(scores=scores) as how if scores is not None:
            show_shares(view, computed, scores)
            way_to(view, computed, how.layer, computed.channel, computed.at)
        case Activated() as how:
            show_activation(view, computed, how)
        case ResponseNormalized() as how:
            show_response_normalization(view, computed, how)
        case SumOf() as how:
            show_sum(view, computed, how)
        case MeanOf() as how:
            show_mean(view, computed, how)
        case WeightedSum() as how:
            show_dense(view, computed, how)
        case Passed() as how:
            show_passed(view, computed, how)
        case LargestOf():
            raise AssertionError(f"{computed.node.layer.type} slides a window")
        case _:
            assert_never(computed.how)


def show_passed(view: View, computed: Computed, how: Passed) -> None:
    match computed.node.layer:
        case Dropout(rate):
            show_dropout(view, computed, how, rate)
        case Concatenate():
            show_concatenation(view, computed, how)
        case Flatten():
            show_flatten(view, computed, how)
        case ZeroPadding2D() as layer:
            show_padding(view, computed, how, layer)
        case kind:
            raise AssertionError(f"{kind.type} passes values on, and no picture shows how")
