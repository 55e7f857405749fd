"""A network at work on one image: as a landscape, layer by layer, down to one value's arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from cnnlab import text
from cnnlab.datasets.images import Pixels
from cnnlab.errors import UserError
from cnnlab.inference.silencing import silenced_of
from cnnlab.plots.faces import at_work
from cnnlab.runs.run import Run
from pages.components.camera import show_camera
from pages.components.landscape import show_landscape
from pages.components.maps import show_maps
from pages.components.touch import touched
from pages.shared.address import address_number, address_select, asked, tab_title, write
from pages.shared.computation import show_computation
from pages.shared.differences import show_differences
from pages.shared.errors import show_error
from pages.shared.given import Given
from pages.shared.microscope import (
    LIVE,
    Subject,
    choose_image,
    choose_subject,
    chosen_channel,
    chosen_layer,
    chosen_unit,
    first_layer,
    model_of,
    network_choices,
    seen_by,
)
from pages.shared.navigation import enter_through_app
from pages.shared.silencing import asked_silence
from pages.shared.touching import show_touching
from pages.shared.view import Unit, View

enter_through_app()

BESIDE = {"nothing": "Nothing", "image": "Another image", "network": "Another network or checkpoint"}


@st.fragment
def show_seen(sides: Sequence[tuple[Subject, Given]]) -> None:
    """Everything that depends on the image; a choice within draws nothing else anew."""
    try:
        views = [view_of(subject, given, side) for side, (subject, given) in zip("ab", sides, strict=False)]
        first = views[0]
        if len(views) == 2 and first.model.network == views[1].model.network:
            views[1] = replace(views[1], linked=True)
        choices = [choice_of(first if view.linked else view) for view in views]
        for view, choice, (subject, given) in zip(views, choices, sides, strict=True):
            if len(views) > 1:
                st.subheader(text.markdown(f"{given.name}: {view.title}"), anchor=False)
            show_touching(subject, view, inputs_of(subject, given), *choice[:2])
            show_whole(view, *choice[:2])
        if len(views) == 2:
            show_differences(views[0], views[1], *choices[0][:2])
        for view, choice, place in zip(views, choices, st.columns(len(views)), strict=True):
            with place:
                show_maps(view, *choice)
                show_computation(view, *choice)
    except UserError as error:
        show_error(error)


def inputs_of(subject: Subject, given: Given) -> Pixels:
    """The image in the network's input size, before anyone edits it."""
    return given.inputs(model_of(subject).preprocessing)


def view_of(subject: Subject, given: Given, side: str) -> View:
    silence = asked_silence(model_of(subject), side)
    inputs = touched(inputs_of(subject, given), side)
    return seen_by(subject, side, inputs, silence, silenced_of(silence))


def choice_of(view: View) -> tuple[str, int, Unit]:
    """The layer, its channel and the place that are chosen."""
    layer = chosen_layer(view)
    channel = chosen_channel(view, layer)
    return layer, channel, chosen_unit(view, layer, channel)


def show_whole(view: View, layer: str, channel: int) -> None:
    """The network as a landscape, with its maps and what it says."""
    if broken := view.model.broken:
        st.warning(
            f"Weights of {text.markdown(', '.join(broken))} are NaN or infinite: what comes of them means nothing, "
            "also where it looks like numbers. A training that diverged leaves such weights; choose an earlier "
            "checkpoint.",
            icon=":material/warning:",
        )

    def choose(name: str) -> None:
        write({view.name("layer"): name, view.name("channel"): None, view.name("at"): None})

    show_landscape(
        view.model.network,
        view.name("open"),
        lambda opened: at_work(view.seen, opened, view.model.classes, layer, channel),
        layer,
        choose,
        view.side,
    )


def main() -> None:
    st.title("Microscope", anchor=False)
    st.write(
        "Look into a network while it works on an image: every layer's feature maps, and every value down to the "
        "multiplication."
    )
    titles, usable = network_choices()
    networks, images = (st.container(horizontal=True, vertical_alignment="bottom") for _ in range(2))
    try:
        subject = choose_subject("a", titles, usable, networks)
        tab_title(f"Microscope: {subject.title}")
        given = choose_image(subject, images)
        if asked("from") == LIVE:
            with st.spinner("Loading the network; the first one takes about 10 s, for TensorFlow"):
                model_of(subject)
            show_live(subject)
            return
        second = choose_second(subject, given, titles, usable, networks)
        if given is None:
            st.caption("Give an image, and what the network makes of it stands here.")
            return
        sides = [(subject, given), *([second] if second else [])]
        with st.spinner("Loading the network; the first one takes about 10 s, for TensorFlow"):
            for one, _ in sides:
                model_of(one)
        st.caption(" ".join(dict.fromkeys(account(*side) for side in sides)))
        show_seen(sides)
    except UserError as error:
        show_error(error)


@st.fragment
def show_live(subject: Subject) -> None:
    """The browser's camera through the network; every frame draws only this anew."""
    try:
        model = model_of(subject)
        layers = [node.name for node in model.network.layers if len(node.output_shape) == 3]
        first = first_layer(model.network)
        default = first if first in layers else layers[0]
        with st.container(horizontal=True, vertical_alignment="bottom"):
            layer = address_select("Map of", layers, "layer", str, default=default, resets=("channel",), width=300)
            most = model.network[layer].output_shape[-1] - 1
            channel = address_number(f"Channel, 0 to {most:,}", "channel", 0, minimum=0, maximum=most, width=170)
        show_camera(model, subject.name, layer, channel)
    except UserError as error:
        show_error(error)


def choose_second(
    subject: Subject, given: Given | None, titles: dict[str, str], usable: dict[str, Run], place: Any
) -> tuple[Subject, Given] | None:
    """What is put beside; None where nothing is, or it is still to be given."""
    how = address_select("Beside it", list(BESIDE), "beside", BESIDE.__getitem__, place, default="nothing", width=240)
    match how:
        case "image":
            other = choose_image(subject, st.container(horizontal=True, vertical_alignment="bottom"), "b")
            return None if other is None else (subject, other)
        case "network":
            return None if given is None else (choose_subject("b", titles, usable, place, subject), given)
        case _:
            return None


def account(subject: Subject, given: Given) -> str:
    """What was done to the image, and that an untrained network knows nothing yet."""
    height, width = given.pixels.shape[:2]
    words = f"{text.markdown(given.name)}: {model_of(subject).preprocessing.account(height, width)}."
    if subject.run is None:
        words += " Its weights are drawn at random: it has not learned anything yet."
    return words


main()
