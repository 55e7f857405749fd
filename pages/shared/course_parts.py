"""The parts of a chapter on a page: tables, charts, pictures, landscapes, and trained networks that are asked."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas  # noqa: F401  Plotly looks for it among the loaded modules, and would find it half loaded by another visit
import streamlit as st
from PIL import Image

from cnnlab import datasets, text, units
from cnnlab.datasets.images import read_image
from cnnlab.inference.activations import ActivationModel, of_classifier
from cnnlab.inference.classifier import Prediction, classify, top_classes
from cnnlab.lecture.course.language import Language
from cnnlab.lecture.course.live import Live
from cnnlab.lecture.course.making import Control, ControlValue
from cnnlab.lecture.course.markup import table_html, translated
from cnnlab.lecture.course.parts import (
    ChartPart,
    CodePart,
    DataPart,
    FormulaPart,
    LandscapePart,
    LinkPart,
    LivingPart,
    MapsPart,
    Part,
    PicturesPart,
    PredictionsPart,
    TablePart,
    TextPart,
)
from cnnlab.plots.maps import maps_picture
from cnnlab.runs.run import Run
from cnnlab.zoo.samples import Sample, all_samples, samples_of
from cnnlab.zoo.shipped import SHIPPED_RUNS, shipped_names, shipped_run
from pages.components.landscape import show_landscape
from pages.components.living import show_living
from pages.shared.address import address_number, address_select
from pages.shared.charts import show_chart
from pages.shared.models import classifier
from pages.shared.pictures import enlarged, picture_grid

TEN = 10
DATA_PIXELS = 44
SAMPLE_PIXELS = 150
CODE_HEIGHT = 330
BIG_TEXT, BIGGER = 20, 1.25
MOST_CHART_NAME = 40


def show_live(live: Live, language: Language, key: str, present: bool) -> None:
    """A live part: its controls, then what they make."""
    values: dict[str, ControlValue] = {}
    if live.controls:
        with st.container(horizontal=True, vertical_alignment="bottom"):
            for one in live.controls:
                values[one.name] = control(one, language, key)
    show_parts(live.parts(values), language, key, present)


def control(one: Control, language: Language, key: str) -> ControlValue:
    name, label = f"{one.name}-{key.rpartition('-')[2]}", language.word(one.label)
    if one.options:
        return address_select(label, one.options, name, language.term, default=str(one.default), width=220)
    return address_number(label, name, int(one.default), st, one.least, one.most, slider=True, width=300)


def show_parts(parts: Sequence[Part], language: Language, key: str, present: bool = False) -> None:
    for place, part in enumerate(parts):
        show_part(part, language, f"{key}.{place}", present)


def show_part(part: Part, language: Language, key: str, present: bool) -> None:
    match part:
        case TablePart():
            st.html(table_html(part, language))
        case ChartPart():
            figure = translated(part.figure, language)
            if present:
                figure.update_layout(font_size=BIG_TEXT, height=BIGGER * (figure.layout.height or 400))
            show_chart(figure, f"chart {key} {present}", buttons=False)
        case PicturesPart():
            with st.container(horizontal=True, gap="small"):
                for image, caption in zip(part.images, part.captions, strict=True):
                    with st.container(width=part.side, gap=None):
                        st.image(image, width=part.side)
                        st.caption(text.markdown(caption))
        case CodePart():
            lines = part.code.count("\n") + 1
            st.code(part.code, part.syntax, height=CODE_HEIGHT if lines > 14 else "content")
        case FormulaPart():
            st.latex(part.latex)
        case TextPart():
            st.markdown(part.markdown)
        case LandscapePart():
            show_landscape(part.network, f"open-{key.split('.', maxsplit=1)[0].rpartition('-')[2]}")
        case LinkPart():
            if not present:
                st.page_link(
                    part.page,
                    label=part.label,
                    icon=":material/arrow_forward:",
                    icon_position="right",
                    query_params=dict(part.query),
                )
        case PredictionsPart():
            show_predictions(part, language, key)
        case MapsPart():
            show_layer_maps(part, language, key)
        case LivingPart():
            show_living()
        case DataPart():
            show_data(part, language)


@st.fragment
def show_predictions(part: PredictionsPart, language: Language, key: str) -> None:
    """Pictures of the networks' classes, and what each network says of them once one has asked."""
    runs = [Run(SHIPPED_RUNS / name) for name in part.runs]
    samples = samples_of(runs[0].data.classes)
    answers: list[Prediction] = []
    if st.session_state.get(f"asked {key}"):
        with st.spinner(language.word("loading")):
            models = [classifier(shipped_run(name)) for name in part.runs]
            found = classify(((sample.file, sample.read) for sample, _ in samples), models)
            answers = [one for one in found if isinstance(one, Prediction)]
    with st.container(horizontal=True, gap="small"):
        for place, (sample, label) in enumerate(samples):
            with st.container(width=SAMPLE_PIXELS, gap=None):
                st.image(square(read_image(sample.read(), sample.file)), width=SAMPLE_PIXELS)
                st.caption(text.markdown(label))
                for run, said in zip(runs, answers[place].probabilities if answers else (), strict=bool(answers)):
                    name, share = top_classes(said, run.data.classes, 1)[0]
                    mark = ":material/check:" if name == label else ":material/close:"
                    title = run.config.experiment.title
                    st.caption(f"{mark} {title}: **{text.markdown(name)}**, {units.percent(share)}")
    if not answers and st.button(language.word("ask_networks"), icon=":material/psychology:", key=f"ask {key}"):
        st.session_state[f"asked {key}"] = True
        st.rerun(scope="fragment")


def square(pixels: np.ndarray) -> Image.Image:
    """The middle square of a picture."""
    least = min(pixels.shape[:2])
    top, left = ((extent - least) // 2 for extent in pixels.shape[:2])
    return enlarged(np.ascontiguousarray(pixels[top : top + least, left : left + least]), 2 * SAMPLE_PIXELS)


@st.cache_resource(max_entries=2, show_spinner=False)
def activation_model(name: str) -> ActivationModel:
    return of_classifier(classifier(shipped_run(name)))


@st.fragment
def show_layer_maps(part: MapsPart, language: Language, key: str) -> None:
    """The feature maps of some layers for a picture, once one has asked."""
    sample = next(one for one in all_samples() if one.file == part.picture)
    pixels = read_image(sample.read(), sample.file)
    st.image(square(pixels), width=SAMPLE_PIXELS)
    if not st.session_state.get(f"asked {key}"):
        if st.button(language.word("ask_network"), icon=":material/grid_view:", key=f"ask {key}"):
            st.session_state[f"asked {key}"] = True
            st.rerun(scope="fragment")
        return
    with st.spinner(language.word("loading")):
        model = activation_model(part.run)
        seen = model.activations(model.preprocessing.fit(pixels))
    for column, layer in zip(st.columns(len(part.layers)), part.layers, strict=True):
        values = seen.values[layer]
        height, width, count = values.shape
        column.image(maps_picture(values), width="stretch")
        column.caption(language.word("maps_of", layer=layer, count=count, height=height, width=width))


def show_data(part: DataPart, language: Language) -> None:
    """Ten pictures of each class where the data set is here; else those that come with cnnlab."""
    with st.spinner(language.word("opening")):
        found = datasets.ready(part.dataset)
    if found is None:
        title = datasets.source(part.dataset).title
        st.info(language.word("data_missing", dataset=text.markdown(title)), icon=":material/info:")
        show_pictures(pictures_of(part.dataset))
        st.page_link(
            "pages/datasets.py",
            label=language.word("get_data", dataset=text.markdown(title)),
            icon=":material/arrow_forward:",
            query_params={"dataset": part.dataset},
        )
        return
    split = found.training_splits(0.1, 0)[0]
    labels = np.asarray(split.labels)[split.indices]
    for number, name in enumerate(found.classes[:TEN]):
        places = np.flatnonzero(labels == number)[:TEN]
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(text.markdown(name), width=110)
            picture_grid(list(split.batch(places)[0]), [""] * len(places), DATA_PIXELS)
    st.caption(language.word("ten_each"))


def pictures_of(dataset: str) -> list[tuple[Sample, str]]:
    """Pictures that come with cnnlab and show classes of a data set that a shipped network learned from."""
    known = next((run for name in shipped_names() if dataset_of(run := Run(SHIPPED_RUNS / name)) == dataset), None)
    return samples_of(known.data.classes) if known else []


def show_pictures(found: Sequence[tuple[Sample, str]]) -> None:
    with st.container(horizontal=True, gap="small"):
        for sample, label in found:
            with st.container(width=SAMPLE_PIXELS // 2, gap=None):
                st.image(square(read_image(sample.read(), sample.file)), width=SAMPLE_PIXELS // 2)
                st.caption(text.markdown(label))


def dataset_of(run: Run) -> str:
    return run.config.experiment.dataset
