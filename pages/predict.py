"""Ask trained networks about images, and look at what made them say so."""

from __future__ import annotations

import base64
import io
from typing import Any, cast

import numpy as np
import pandas as pd
import streamlit as st
from PIL import Image

from cnnlab import plots, text, units
from cnnlab.errors import UserError
from cnnlab.evaluation.export import csv_text
from cnnlab.images import EXTENSIONS, Pixels, resize
from cnnlab.prediction import Classifier, Refused, Seen, classify, top_classes
from cnnlab.runs.run import Run
from cnnlab.unpacking import Files, unpacked
from pages.shared.address import address_select, tab_title
from pages.shared.bringing import offer_own_model, offer_pretrained
from pages.shared.inside import look_inside
from pages.shared.models import classifier, features, neighbourhood
from pages.shared.navigation import enter_through_app
from pages.shared.parts import describe_run, run_title, split_here, usable_networks
from pages.shared.pictures import enlarged
from pages.shared.scripts import PASTE
from pages.shared.telling import show_error

enter_through_app()

TOP = 5
SAMPLES = 10
SEEN_PIXELS = 160
CARDS = 4
MOST_NETWORKS = 4
MOST_UPLOAD_MB = 500
THUMBNAIL = 48
MOST_NAME = 80
SHOWN_REFUSALS = 5


def encoded(image: Pixels, side: int | None = None) -> bytes:
    out = io.BytesIO()
    (enlarged(image, side) if side else Image.fromarray(image)).save(out, "PNG")
    return out.getvalue()


def given_files() -> tuple[tuple[Any, ...], Files]:
    """What to ask about: a key that changes when it does, and the files, those in archives one by one."""
    how = st.segmented_control(
        "Images", ["Drop or paste", "Camera", "Samples"], default="Drop or paste", required=True, key="how"
    )
    if how == "Camera":
        photo = st.camera_input("Take a photograph", label_visibility="collapsed")
        return (photo and photo.file_id,), iter([("photograph.jpg", photo.getvalue)] if photo else [])
    if how == "Samples":
        return ("samples", run.id), samples()
    files = st.file_uploader(
        "JPEG, PNG, WebP, BMP or GIF, up to 2,000; or a zip of them. Paste with Ctrl+V.",
        type=[*EXTENSIONS, "zip"],
        accept_multiple_files=True,
        max_upload_size=MOST_UPLOAD_MB,
        key="images",
    )
    st.html(f"<script>{PASTE}</script>", unsafe_allow_javascript=True)
    return tuple(file.file_id for file in files), unpacked((file.name, file) for file in files)


def samples() -> Files:
    """Validation images of the network's data set under their true class, and photographs it has not met."""
    split = split_here(run, "validation")
    if split:
        images, labels = split.batch(np.linspace(0, len(split) - 1, SAMPLES).astype(np.int64))
        for image, label in zip(images, labels, strict=True):
            yield f"validation, {run.data.classes[label]}", lambda image=image: encoded(image)
    from sklearn.datasets import load_sample_image

    for name in ("china.jpg", "flower.jpg"):
        yield f"photograph {name}", lambda name=name: encoded(resize(load_sample_image(name), 320, 480))


def answers(key: tuple[Any, ...], files: Files, models: list[Classifier]) -> tuple[list[Seen], list[Refused]]:
    """What the networks say of the files; asked once, and kept while neither changes."""
    key = (key, tuple((model.run.id, model.checkpoint.info.step) for model in models))
    kept = st.session_state.get("answers")
    if kept and kept[0] == key:
        return cast("tuple[list[Seen], list[Refused]]", kept[1])
    seen: list[Seen] = []
    refused: list[Refused] = []
    bar = st.progress(0.0, "Reading the images")
    for number, one in enumerate(classify(files, models), 1):
        (seen if isinstance(one, Seen) else refused).append(one)  # type: ignore[arg-type]
        if number % 64 == 0:
            bar.progress((number % 1024) / 1024, f"{number:,} images classified")
    bar.empty()
    st.session_state["answers"] = (key, (seen, refused))
    return seen, refused


def unlikeness(seen: list[Seen]) -> np.ndarray | None:
    """Whether each image is unlike the training images of the first network; None where that is not prepared."""
    around = neighbourhood(models[0].run)
    if around is None or not seen:
        return None
    inputs = np.stack([one.inputs[0] for one in seen])
    return around.unlikeness(features(models[0], inputs)) > around.threshold


def show_card(one: Seen, unlike: bool, key: str) -> None:
    with st.container(border=True):
        columns = st.columns([2, 2, *[5] * len(models)], vertical_alignment="center")
        columns[0].image(enlarged(one.shown, 2 * SEEN_PIXELS), width=SEEN_PIXELS)
        columns[0].caption(f"{text.markdown(one.name, MOST_NAME)}, {one.width}×{one.height} pixels")
        inputs = one.inputs[0]
        columns[1].image(enlarged(inputs, 2 * SEEN_PIXELS), width=SEEN_PIXELS)
        columns[1].caption(f"What the network sees: {inputs.shape[1]}×{inputs.shape[0]} pixels")
        for number, (model, column, said) in enumerate(zip(models, columns[2:], one.probabilities, strict=True)):
            top = top_classes(said, model.data.classes, TOP)
            if len(models) > 1:
                column.caption(text.markdown(describe_run(model.run)))
            column.markdown(f"**{text.markdown(top[0][0])}**, {units.percent(top[0][1])}")
            column.plotly_chart(plots.probability_bars(top), key=f"{key} {number}", config={"displayModeBar": False})
        if unlike:
            st.warning(
                "This image is unlike anything the network was trained on: it lies farther from the training images "
                "than 99 % of the validation images do. Do not trust the answer.",
                icon=":material/help:",
            )
        with st.expander("Look inside", icon=":material/visibility:", key=f"inside {key}", on_change="rerun") as box:
            if box.open:
                look_inside(one, models, key)


def show_table(seen: list[Seen], unlike: np.ndarray | None) -> int:
    """All images with their answers; gives the one that is chosen."""
    columns: dict[str, list[Any]] = {
        "": ["data:image/png;base64," + base64.b64encode(encoded(one.shown, THUMBNAIL)).decode() for one in seen],
        "Image": [text.table(one.name, text.MOST) for one in seen],
    }
    for place, model in enumerate(models):
        mark = f" ({place + 1})" if len(models) > 1 else ""
        tops = [top_classes(one.probabilities[place], model.data.classes, 2) for one in seen]
        columns[f"Class{mark}"] = [text.table(top[0][0]) for top in tops]
        columns[f"Confidence{mark}"] = [top[0][1] for top in tops]
        columns[f"Else{mark}"] = [text.table(top[-1][0]) for top in tops]
    if unlike is not None:
        columns["Unlike the training images"] = ["yes" if one else "" for one in unlike]
    if len(models) > 1:
        st.caption(
            " · ".join(f"({place + 1}) {text.markdown(describe_run(model.run))}" for place, model in enumerate(models))
        )
    confidences = {name: st.column_config.NumberColumn(format="percent") for name in columns if "Confidence" in name}
    event: Any = st.dataframe(
        pd.DataFrame(columns),
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        row_height=THUMBNAIL + 4,
        height=min(38 + (THUMBNAIL + 4) * len(seen), 460),
        column_config={"": st.column_config.ImageColumn(width="small"), **confidences},
    )
    return int(event.selection.rows[0]) if event.selection.rows else 0


def table_csv(seen: list[Seen]) -> str:
    """A line an image and network, with the five most probable classes."""
    head = ["image", "width", "height", "network"] + [
        f"{what} {n}" for n in range(1, TOP + 1) for what in ("class", "p")
    ]
    rows = []
    for one in seen:
        for model, said in zip(models, one.probabilities, strict=True):
            top = top_classes(said, model.data.classes, TOP)
            flat = [cell for label, p in top for cell in (label, f"{p:.6f}")]
            rows.append([one.name, one.width, one.height, model.run.id, *flat])
    return csv_text([head, *rows])


st.title("Predict", anchor=False)
st.write("Drop images on a trained network. Each is brought to the size the network was trained on, then classified.")
usable = usable_networks()
left, right = st.columns(2)
chosen = address_select("Network", list(usable), "run", lambda name: describe_run(usable[name]), left)
run: Run = usable[chosen]
tab_title(f"Predict with {run.labels().name or run_title(run)}")
others = right.multiselect(
    "Ask also",
    [name for name in usable if name != chosen],
    format_func=lambda name: text.plain(describe_run(usable[name])),
    max_selections=MOST_NETWORKS - 1,
    placeholder="Other networks, to compare",
)
try:
    key, files = given_files()
    if any(key):
        with st.spinner("Loading the network; the first one takes about 10 s, for TensorFlow"):
            models = [classifier(usable[name]) for name in (chosen, *others)]
        seen, refused = answers(key, files, models)
        for one in refused[:SHOWN_REFUSALS]:
            show_error(one.reason, ":material/broken_image:")
        if len(refused) > SHOWN_REFUSALS:
            with st.expander(f"{len(refused):,} files were not classified", icon=":material/block:"):
                st.dataframe(
                    pd.DataFrame(
                        {
                            "File": [text.table(one.name, text.MOST) for one in refused],
                            "Why": [text.table(one.reason, text.MOST_MESSAGE) for one in refused],
                        }
                    )
                )
        unlike = unlikeness(seen)
        if len(seen) <= CARDS:
            for number, one in enumerate(seen):
                show_card(one, unlike is not None and bool(unlike[number]), f"image {number}")
        else:
            at = show_table(seen, unlike)
            st.download_button(
                "Table, CSV",
                lambda: table_csv(seen),
                "predictions.csv",
                "text/csv",
                icon=":material/table:",
                on_click="ignore",
            )
            show_card(seen[at], unlike is not None and bool(unlike[at]), f"chosen {at}")
    else:
        names = ", ".join(text.markdown(one) for one in run.data.classes[:50])
        more = " and others" if len(run.data.classes) > 50 else ""
        st.caption(f"It tells apart {len(run.data.classes)} classes: {names}{more}.")
except UserError as error:
    show_error(error)
offer_pretrained(list(usable))
offer_own_model()
