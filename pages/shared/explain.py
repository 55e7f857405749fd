"""Explain an answer of a network: what speaks for a class, activations, filters, the nearest training images."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from cnnlab import text
from cnnlab.datasets.images import Pixels
from cnnlab.inference import reference
from cnnlab.inference.attribution import Explainer, colored
from cnnlab.inference.classifier import Classifier, Prediction
from pages.shared.attributions import show_attribution
from pages.shared.models import features, reference_of
from pages.shared.out_of_distribution import offer_reference
from pages.shared.parts import data_link, describe_run, split_here
from pages.shared.pictures import picture_grid

SHOWN_CHANNELS = 64
SHOWN_NEAREST = 8


def explain(one: Prediction, models: Sequence[Classifier], key: str) -> None:
    """One of the explanations, of one of the networks that were asked."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        what = st.segmented_control(
            "What",
            ["Where it looks", "Activations", "First filters", "Nearest training images"],
            default="Where it looks",
            required=True,
            key=f"what {key}",
        )
        place = 0
        if len(models) > 1:
            place = st.selectbox(
                "Network",
                range(len(models)),
                format_func=lambda n: text.plain(describe_run(models[n].run)),
                key=f"which {key}",
            )
    model = models[place]
    match what:
        case "Activations":
            show_activations(Explainer(model), one.inputs[place], key)
        case "First filters":
            filters = Explainer(model).first_filters()
            st.caption(f"The {len(filters)} filters of the first convolution: grey is 0, each on its own scale.")
            picture_grid(filters, [str(number) for number in range(1, len(filters) + 1)], 48)
        case "Nearest training images":
            show_nearest_images(model, one.inputs[place])
        case _:
            show_attribution(model, one, place, key)


def show_activations(explainer: Explainer, inputs: Pixels, key: str) -> None:
    name = st.selectbox("Layer", explainer.layers, key=f"layer {key}")
    answer = explainer.activations(inputs, name)
    shown = min(answer.shape[-1], SHOWN_CHANNELS)
    st.caption(
        f"{shown} of {answer.shape[-1]} channels, {answer.shape[1]}×{answer.shape[0]}, from {answer.min():.2f} "
        f"(dark) to {answer.max():.2f} (bright), each on its own scale."
    )
    picture_grid([colored(answer[..., channel]) for channel in range(shown)], [str(n + 1) for n in range(shown)], 72)


def show_nearest_images(model: Classifier, inputs: Pixels) -> None:
    around = reference_of(model.run)
    if around is None:
        offer_reference(model)
        return
    found = features(model, inputs[None])
    by_features, by_pixels = (float(part[0]) for part in around.parts(found, inputs[None]))
    if split_here(model.run, "train") is None:
        st.info("Its training images are not on this machine, so the nearest cannot be shown.", icon=":material/info:")
        data_link(model.run)
    else:
        places, distances = around.nearest_images(found, SHOWN_NEAREST)
        images = reference.training_images(model.run, around.rows[places[0]])
        names = [model.data.classes[label] for label in around.labels[places[0]]]
        captions = [f"{text.markdown(name)}, {away:.2f}" for name, away in zip(names, distances[0], strict=True)]
        picture_grid(list(images), captions)
    st.caption(
        f"Out-of-distribution score {max(by_features, by_pixels):.2f}: {by_features:.2f} by features, the distance to "
        f"the {reference.NEAREST_IMAGE}th nearest of {len(around.features):,} training images (Sun et al., 2022), and "
        f"{by_pixels:.2f} by brightness, colour and contrast. Above 1 lie 1 % of the validation images. Distances are "
        "between features of length 1, from 0 to 2."
    )
