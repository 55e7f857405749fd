"""A module opened: the layers of a module in a row, and of the chosen one every channel as a map.

What is sent is bytes: a header as JSON, then numbers. A layer of moderate size travels whole; of a larger one small
pictures travel page by page as they come into sight, and the values of a map once it is pointed at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cnnlab import text
from cnnlab.inference.activations import Values
from cnnlab.inference.maps import (
    MAP_SORTS,
    ChannelFigures,
    as_maps,
    branch_shares,
    channel_figures,
    channel_order,
    small_maps,
    small_size,
)
from cnnlab.network.branches import JoinedBranch, branches, joined_in, module_of
from cnnlab.network.layers import shape_text
from cnnlab.plots.colours import SERIES
from cnnlab.plots.film import VIRIDIS
from pages.components.mounting import component, packed, text_of
from pages.shared.address import asked, key_of, unknown, write
from pages.shared.view import Unit, View

SCALES = ("layer", "each")
MOST_WHOLE = 700_000
"""Bytes of a layer that is sent whole."""
PAGE_BYTES = 400_000
"""About how much one page of small pictures has."""
MOST_EXACT = 8
"""Maps whose values are sent in one answer, of a layer that is not sent whole."""
CHOICES = {"layer", "channel", "at", "sort", "scale", "grouped"}


@st.cache_resource(show_spinner=False)
def page_component() -> Any:
    js = text_of("maps/pages.js")
    return st.components.v2.component("maps_pages", html="<span hidden></span>", js=js)


@st.cache_data(show_spinner=False, max_entries=64)
def figures_of(version: str, layer: str, _values: Values) -> ChannelFigures:
    return channel_figures(_values)


def show_maps(view: View, layer: str, channel: int, at: Unit) -> None:
    """The module of a layer with all of this layer's channels, one of them and a place on it marked; choices go into
    the address."""
    key = key_of(f"maps {view.side}")

    def choose() -> None:
        chosen = st.session_state[key]["chosen"]
        write({view.name(name): value or None for name, value in chosen.items() if name in CHOICES})

    with st.container(gap=None):
        maps = component("maps", "maps/painting.js", "values.js")
        maps(key=key, data=payload(view, layer, channel, at), on_chosen_change=choose)
        send_pages(view, layer)


@st.fragment
def send_pages(view: View, layer: str) -> None:
    """What the grid asks for as one scrolls and points; in a run of its own, so that nothing else is drawn anew."""
    key = key_of(f"maps {view.side} pages")
    wanted_key = f"{key} wanted"

    def want() -> None:
        st.session_state[wanted_key] = st.session_state[key]["wanted"]

    sent = page_payload(view, layer, st.session_state.pop(wanted_key, {}))
    page_component()(key=key, data=sent, height=1, on_wanted_change=want)


def payload(view: View, layer: str, channel: int, at: Unit) -> bytes:
    """What the browser draws from: the figures of all channels, and all maps of a layer or the first.

    It goes to a channel in the grid only where the address names one.
    """
    values = as_maps(view.seen.values[layer])
    count = values.shape[2]
    figures = figures_of(view.version, layer, view.seen.values[layer])
    sort, scale = choice(view, "sort", MAP_SORTS), choice(view, "scale", SCALES)
    found = branches(view.model.network, layer)
    grouped = bool(found) and asked(view.name("grouped")) != "no"
    order = channel_order(figures, sort, found if grouped else ())
    named = asked(view.name("channel")) is not None
    whole = values.nbytes <= MOST_WHOLE
    header = {
        **head(view, layer, figures),
        "order": order,
        "groups": groups(view, layer, found) if grouped else [],
        "canGroup": bool(found),
        "bands": bands(view, layer),
        "sort": sort,
        "scale": scale,
        "channel": channel,
        "named": named,
        "at": at,
        **maps_header(
            values,
            list(range(count)) if whole else [channel],
            [] if whole else order[: page_length(values)],
        ),
    }
    told = [one.astype("<f4") for one in (figures.mean, figures.zeros, figures.low, figures.high)]
    return packed(header, *told, *map_arrays(values, header, figures))


def page_payload(view: View, layer: str, wanted: Mapping[str, Any]) -> bytes:
    """The maps that the browser asked for, none where it asked about what is not shown any more."""
    values = as_maps(view.seen.values[layer])
    still = wanted.get("layer") == layer and wanted.get("version") == view.version
    exact = known(wanted.get("exact"), values.shape[2])[:MOST_EXACT] if still else []
    small = known(wanted.get("small"), values.shape[2])[: page_length(values)] if still else []
    header = {
        "side": view.side,
        "version": view.version,
        "layer": layer,
        "height": values.shape[0],
        "width": values.shape[1],
        **maps_header(values, exact, small),
    }
    if not exact and not small:
        return packed(header)
    figures = figures_of(view.version, layer, view.seen.values[layer])
    return packed(header, *map_arrays(values, header, figures))


def page_length(values: Values) -> int:
    """How many small pictures go into a page."""
    down, across, _ = small_size(*values.shape[:2])
    return max(1, PAGE_BYTES // (down * across))


def maps_header(values: Values, exact: Sequence[int], small: Sequence[int]) -> dict[str, Any]:
    """Which maps follow: those with their values, and those as small pictures."""
    down, across, step = small_size(*values.shape[:2])
    sizes = {"height": down, "width": across, "step": step, "page": page_length(values)}
    return {"exact": exact, "small": {**sizes, "channels": small}}


def map_arrays(values: Values, header: Mapping[str, Any], figures: ChannelFigures) -> list[NDArray[Any]]:
    """The maps that a header announces."""
    exact, small = header["exact"], header["small"]["channels"]
    found: list[NDArray[Any]] = [values.transpose(2, 0, 1)[exact].astype("<f4")] if exact else []
    return [*found, small_maps(values, small, figures)] if small else found


def head(view: View, layer: str, figures: ChannelFigures) -> dict[str, Any]:
    """The names and sizes; words are for textContent."""
    network = view.model.network
    node = network[layer]
    shape = as_maps(view.seen.values[layer]).shape
    ends = [finite(one) for one in (np.fmin.reduce(figures.low), np.fmax.reduce(figures.high))]
    silenced = silenced_channels(view, layer, shape[2])
    scores = layer in network.outputs and len(view.model.classes) == shape[-1]
    return {
        "side": view.side,
        "version": view.version,
        "network": network.name,
        "layer": layer,
        "module": text.plain(node.module, 60),
        "layers": [
            {
                "name": one.name,
                "title": text.plain(one.name.removeprefix(node.module).strip("_ /-") or one.name, 40),
                "what": f"{text.plain(one.name, 80)}: {one.layer.caption}, {shape_text(one.output_shape)}",
                "colour": one.layer.family.colour,
            }
            for one in module_of(network, layer)
        ],
        "what": f"{node.layer.caption}, {shape_text(node.output_shape)}",
        "height": shape[0],
        "width": shape[1],
        "count": shape[2],
        "range": ends,
        "dead": figures.dead - int(np.count_nonzero(figures.zeros[silenced] == 1)),
        "silenced": silenced,
        "notFinite": [int(np.count_nonzero(figures.not_finite)), int(figures.not_finite.sum())],
        "classes": [text.plain(name, 60) for name in view.model.classes] if scores else [],
        "colours": VIRIDIS,
    }


def bands(view: View, layer: str) -> dict[str, Any] | None:
    """The branches of the concatenation that the layer's module ends in, with the layer's own marked."""
    joined = joined_in(view.model.network, layer)
    if joined is None:
        return None
    found = branches(view.model.network, joined)
    own = [place for place, one in enumerate(found) if layer in one.layers]
    return {"layer": joined, "branches": groups(view, joined, found), "own": own}


def groups(view: View, layer: str, found: Sequence[JoinedBranch]) -> list[dict[str, Any]]:
    """The branches of a concatenation as the grid shows them."""
    return [
        {
            "title": text.plain(branch.name, 80),
            "family": branch.family.title,
            "colour": SERIES[place % len(SERIES)],
            "first": branch.first,
            "count": branch.count,
            "share": share,
        }
        for place, (branch, share) in enumerate(zip(found, branch_shares(view.seen.values[layer], found), strict=True))
    ]


def choice(view: View, name: str, options: Sequence[Any]) -> Any:
    """One of a few options by the address; the first where it says nothing."""
    asked_for = asked(view.name(name))
    if asked_for is not None and asked_for not in options:
        unknown(f"the {name}", asked_for, options[0])
    return asked_for if asked_for in options else options[0]


def known(asked_for: Any, count: int) -> list[int]:
    """The channels that the browser asks for, without what are none."""
    given = asked_for if isinstance(asked_for, list) else []
    return [int(one) for one in given if isinstance(one, int | float) and 0 <= one < count]


def silenced_channels(view: View, layer: str, count: int) -> list[int]:
    """The channels of a layer that are silenced."""
    if layer in view.silenced:
        return list(range(count))
    parts = [one.rpartition(":") for one in view.silenced]
    return sorted({int(channel) for name, _, channel in parts if name == layer})


def finite(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None
