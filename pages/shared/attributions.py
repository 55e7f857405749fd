"""What in an image speaks for a class, by several methods, and whether each picture says anything."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Any, TypeVar

import numpy as np
import streamlit as st

from cnnlab import text, units
from cnnlab.datasets.images import Pixels
from cnnlab.errors import UserError
from cnnlab.inference.attribution_checks import (
    VERDICTS,
    RandomizationTest,
    RemovalCurve,
    layers_with_weights,
    randomization_of,
    removal_curves,
)
from cnnlab.inference.attribution_pictures import ends, laid_over, picture, scale_strip
from cnnlab.inference.classifier import Classifier, Prediction, Probabilities
from cnnlab.inference.probe import Probe, Progress
from cnnlab.inference.saliency import (
    METHOD_TITLES,
    METHODS,
    Attribution,
    AttributionMethod,
    Completeness,
    attribute,
    refusal_of,
)
from cnnlab.plots.attribution import randomized, removal
from cnnlab.runs.run import Run
from pages.shared.address import address_segments, address_select
from pages.shared.charts import show_chart
from pages.shared.errors import show_error
from pages.shared.pictures import enlarged, picture_grid

MAP_PIXELS = 224
MOST_KEPT = 256
SURE_SECONDS = 2.0
OPACITY = 80
LIKELIEST = "likeliest"
"""Of the classes: whichever the network finds most probable in the image that is shown."""
WHAT: dict[AttributionMethod, str] = {
    "cam": (
        "Class activation map (Zhou et al., 2016): exact, since this network averages its last feature maps before at "
        "most one dense layer. The map's mean, plus the class's bias, is the score."
    ),
    "grad-cam": (
        "Grad-CAM (Selvaraju et al., 2017): the last feature maps, weighted by the gradient of the score, and of that "
        "the positive part."
    ),
    "occlusion": (
        "Occlusion (Zeiler and Fergus, 2014): by how much the probability falls where a patch of the image's mean "
        "colour, a quarter of its side, covers it."
    ),
    "integrated-gradients": (
        "Integrated gradients (Sundararajan et al., 2017): the probability's gradients on the way from a black image "
        "to this one, times the way."
    ),
    "smoothgrad": (
        "SmoothGrad (Smilkov et al., 2017): how strongly the score changes with each pixel, on average over 50 copies "
        "of the image with noise; without sign."
    ),
    "edges": (
        "Edges of the image (Sobel), which no network has seen. It explains nothing, however well it may look: the "
        "control for the checks."
    ),
}
Value = TypeVar("Value")


class KeptAttributions:
    """What was computed last, by network, image, method and class; for everybody, up to a number."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.kept: OrderedDict[tuple[object, ...], Any] = OrderedDict()

    def get(self, key: tuple[object, ...], compute: Callable[[], Value]) -> Value:
        """The value of a key; computed, outside the lock, where it is not there."""
        with self.lock:
            if key in self.kept:
                self.kept.move_to_end(key)
                found: Value = self.kept[key]
                return found
        value = compute()
        with self.lock:
            self.kept[key] = value
            while len(self.kept) > MOST_KEPT:
                self.kept.popitem(last=False)
        return value


@st.cache_resource(show_spinner=False)
def kept_attributions() -> KeptAttributions:
    return KeptAttributions()


def probe_of(model: Classifier) -> Probe:
    """What asks a network for gradients, by functions that are compiled once."""
    return _probe(model.run, model.checkpoint.info.step, model)


@st.cache_resource(max_entries=4, show_spinner=False, hash_funcs={Run: lambda run: str(run.folder)})
def _probe(run: Run, step: int, _model: Classifier) -> Probe:
    return Probe(_model)


def computed(key: tuple[object, ...], what: str, work: Callable[[Progress], Value], place: Any = st) -> Value:
    """The kept value of a key, or the work's, with a bar that says how far it is."""

    def watched() -> Value:
        bar = place.progress(0.0, what)
        began = time.monotonic()

        def watch(share: float) -> None:
            spent = time.monotonic() - began
            left = f", about {units.duration(spent / share - spent)} left" if share and spent > SURE_SECONDS else ""
            bar.progress(min(share, 1.0), f"{what}, {share:.0%}{left}")

        try:
            return work(watch)
        finally:
            bar.empty()

    return kept_attributions().get(key, watched)


def show_attribution(model: Classifier, one: Prediction, place: int, key: str) -> None:
    """A method's picture for a class, and its checks."""
    inputs, said = one.inputs[place], one.probabilities[place]
    probe = probe_of(model)
    classes = model.data.classes
    order = [str(number) for number in np.argsort(-said, kind="stable")]
    suffix = ("" if key == "image 0" else f"-{key.replace(' ', '-')}") + (f"-{place + 1}" if place else "")
    usable = [method for method in METHODS if refusal_of(probe, method) is None]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        method = address_segments(
            "Method", METHODS, f"method{suffix}", usable[0], format_func=lambda name: METHOD_TITLES[name]
        )
        chosen = address_select(
            "Class",
            [LIKELIEST, *order],
            f"class{suffix}",
            lambda one: class_title(classes, said, order, one),
            default=LIKELIEST,
            width=220,
        )
        label = int(order[0] if chosen == LIKELIEST else chosen)
        opacity = st.slider("Opacity", 0, 100, OPACITY, 5, format="%d%%", key=f"opacity {key}", width=150)
    asked = (str(model.run.folder), model.checkpoint.info.step, sha256(inputs.tobytes()).hexdigest(), method, label)
    try:
        found = computed(
            ("picture", *asked),
            METHOD_TITLES[method],
            lambda progress: attribute(probe, inputs, label, method, progress),
        )
    except UserError as error:
        show_error(error)
        return
    show_pictures(found, inputs, classes[label], opacity / 100)
    if found.completeness is not None:
        show_completeness(found.completeness)
    with st.expander(
        "Do its parts matter? Deletion and insertion", icon=":material/cut:", key=f"removal {key}", on_change="rerun"
    ) as box:
        if box.open:
            curves = computed(
                ("removal", *asked),
                "Deleting and inserting",
                lambda progress: removal_curves(probe, inputs, label, found.values, progress),
            )
            show_removal(curves, key)
    with st.expander(
        "Does it depend on the weights?", icon=":material/shuffle:", key=f"randomized {key}", on_change="rerun"
    ) as box:
        if box.open:
            test = computed(
                ("randomized", *asked),
                "Randomizing a copy of the network, layer by layer",
                lambda progress: randomization_of(model, inputs, label, method, progress),
            )
            show_randomization(test, len(layers_with_weights(model)), key)


def class_title(classes: Sequence[str], said: Probabilities, order: Sequence[str], one: str) -> str:
    number = int(order[0] if one == LIKELIEST else one)
    most = " (most probable)" if one == LIKELIEST else ""
    return f"{classes[number]}, {units.percent(float(said[number]))}{most}"


def show_pictures(found: Attribution, inputs: Pixels, name: str, opacity: float) -> None:
    height, width = found.values.shape
    picture_grid(
        [inputs, laid_over_input(found, inputs, opacity), picture(found)],
        ["What it sees", f"{METHOD_TITLES[found.method]} for {text.markdown(name)}", f"Alone, {width}×{height} values"],
        MAP_PIXELS,
    )
    low, high = ends(found)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(f"−{-low:.2g}" if found.signed else "0", width="content")
        st.image(scale_strip(found), width=MAP_PIXELS)
        st.caption(
            f"{high:.2g}. "
            + ("Blue speaks against the class, orange for it, white is 0." if found.signed else "Bright is strong.")
            + " The strongest 1 % have the colours of the ends.",
            width="content",
        )
    unit = "score before softmax" if found.of_score else "probability"
    st.caption(f"{WHAT[found.method]} The {unit} of the class: {found.output:.4g}.")


def laid_over_input(found: Attribution, inputs: Pixels, opacity: float) -> Pixels:
    """Pixel by pixel; a coarser map over the enlarged input, so that it is smooth there."""
    coarse = found.values.shape != inputs.shape[:2]
    return laid_over(found, np.asarray(enlarged(inputs, MAP_PIXELS)) if coarse else inputs, opacity)


def show_completeness(whole: Completeness) -> None:
    """Whether the attributions sum to what they explain."""
    sums = (
        f"The attributions sum to {whole.total:.4f}; the probability differs from the black image's by "
        f"{whole.difference:.4f}: {whole.error:.2%} apart after {whole.steps} steps."
    )
    if whole.holds:
        st.caption(f":material/check: Complete within 1 %. {sums}")
    else:
        st.warning(
            f"Not complete: more than 1 % is missing. {sums} Read the picture with that much doubt.",
            icon=":material/warning:",
        )


def show_removal(curves: tuple[RemovalCurve, RemovalCurve], key: str) -> None:
    deletion, insertion = curves
    columns = st.columns(2)
    for column, curve, title, verb, good in (
        (columns[0], deletion, "Deletion", "removed", deletion.area < deletion.random_area),
        (columns[1], insertion, "Insertion", "inserted", insertion.area > insertion.random_area),
    ):
        wanted = "small" if curve is deletion else "large"
        column.markdown(f"**{title}**: area {curve.area:.3f}, random order {curve.random_area:.3f}")
        show_chart(removal(curve.shares, curve.ordered, curve.random, verb), f"{verb} {key}", column, buttons=False)
        column.caption(
            f"A good picture's area is {wanted}. This one's is "
            + ("better than" if good else "no better than")
            + " that of random orders."
        )
    st.caption(
        "Petsiuk et al., 2018: cells of the image, at most 16×16, are replaced by its mean colour, the strongest "
        "first; or put back into the blurred image. Random: the mean of three orders of the same cells. Scattered "
        "cells disturb a network by their borders too, so that deletion in a compact order may lose to them."
    )


def show_randomization(test: RandomizationTest, layers: int, key: str) -> None:
    stages = test.stages
    match test.verdict:
        case "changed":
            st.success(f"{VERDICTS['changed']} Rank correlation left: {test.left:.2f}.", icon=":material/check:")
        case verdict:
            st.warning(f"{VERDICTS[verdict]} Rank correlation left: {test.left:.2f}.", icon=":material/warning:")
    show_chart(
        randomized(
            [one.layers for one in stages],
            [one.lowest for one in stages],
            [one.similarity for one in stages],
            [one.without_sign for one in stages],
            layers,
        ),
        f"randomized chart {key}",
        buttons=False,
    )
    st.caption(
        "Adebayo et al., 2018: the weights of a copy are shuffled, layer by layer from the top. 1 is the same picture, "
        "0 another one. Unchanged counts from 0.7 on, changed below 0.4; both limits are ours."
    )
