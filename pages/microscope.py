"""A network at work on one image: as a landscape, layer by layer, down to one value's arithmetic."""

from __future__ import annotations

import streamlit as st

from cnnlab import text
from cnnlab.errors import UserError
from cnnlab.inference.activations import silenced_of
from cnnlab.plots.faces import at_work
from pages.components.landscape import show_landscape
from pages.components.maps import show_maps
from pages.shared.address import asked_all, tab_title, write
from pages.shared.computation import show_computation
from pages.shared.errors import show_error
from pages.shared.given import Given
from pages.shared.microscope import (
    Subject,
    choose_image,
    choose_subject,
    chosen_channel,
    chosen_layer,
    chosen_unit,
    model_of,
    network_choices,
    seen_by,
)
from pages.shared.navigation import enter_through_app
from pages.shared.view import View

enter_through_app()


@st.fragment
def show_subject(subject: Subject, given: Given, side: str = "a") -> None:
    """Everything that depends on the image; a choice within draws nothing else anew."""
    try:
        inputs = given.inputs(model_of(subject).preprocessing)
        silence = asked_all("silence" if side == "a" else f"silence-{side}")
        view = seen_by(subject, side, inputs, silence, silenced_of(silence))
        show_view(view)
    except UserError as error:
        show_error(error)


def show_view(view: View) -> None:
    """The landscape, the chosen layer's maps, and how the chosen value came about."""
    if broken := view.model.broken:
        st.warning(
            f"Weights of {text.markdown(', '.join(broken))} are NaN or infinite: what comes of them means nothing, "
            "also where it looks like numbers. A training that diverged leaves such weights; choose an earlier "
            "checkpoint.",
            icon=":material/warning:",
        )
    layer = chosen_layer(view)
    channel = chosen_channel(view, layer)

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
    unit = chosen_unit(view, layer, channel)
    show_maps(view, layer, channel, unit)
    show_computation(view, layer, channel, unit)


def main() -> None:
    st.title("Microscope", anchor=False)
    st.write(
        "Look into a network while it works on an image: every layer's feature maps, and every value down to the "
        "multiplication."
    )
    titles, usable = network_choices()
    row = st.container(horizontal=True, vertical_alignment="bottom")
    try:
        subject = choose_subject("a", titles, usable, row)
        tab_title(f"Microscope: {subject.title}")
        given = choose_image(subject, row)
        if given is None:
            st.caption("Give an image, and what the network makes of it stands here.")
            return
        with st.spinner("Loading the network; the first one takes about 10 s, for TensorFlow"):
            model_of(subject)
        show_account(subject, given)
        show_subject(subject, given)
    except UserError as error:
        show_error(error)


def show_account(subject: Subject, given: Given) -> None:
    """What was done to the image, and that an untrained network knows nothing yet."""
    height, width = given.pixels.shape[:2]
    words = f"{text.markdown(given.name)}: {model_of(subject).preprocessing.account(height, width)}."
    if subject.run is None:
        words += " Its weights are drawn at random: it has not learned anything yet."
    st.caption(words)


main()
