"""What networks said of images: a card for each, a table of many."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from PIL import Image

from cnnlab import plots, text, units
from cnnlab.datasets.images import Pixels
from cnnlab.evaluation.export import csv_text
from cnnlab.inference.classifier import Classifier, Prediction, top_classes
from cnnlab.inference.reference import Scores
from pages.shared import out_of_distribution
from pages.shared.charts import show_chart
from pages.shared.explain import explain
from pages.shared.given import Given, look_inside
from pages.shared.parts import describe_run
from pages.shared.pictures import enlarged

SHOWN_CLASSES = 5
INPUT_PIXELS = 160
TABLE_THUMBNAIL = 48
MOST_FILE_NAME = 80
UNSEEN = 0.3
"""How bright what the network does not see is left."""


def encoded(image: Pixels, side: int | None = None) -> bytes:
    out = io.BytesIO()
    (enlarged(image, side) if side else Image.fromarray(image)).save(out, "PNG")
    return out.getvalue()


def show_card(
    one: Prediction, models: Sequence[Classifier], scores: Sequence[float | None], key: str, explained: bool = False
) -> None:
    """An image, what the first network sees of it, and what each says; `explained`, for one that the address names,
    opens the explanation."""
    with st.container(border=True):
        columns = st.columns([2, 2, *[5] * len(models)], vertical_alignment="center")
        columns[0].image(enlarged(with_frame(one), 2 * INPUT_PIXELS), width=INPUT_PIXELS)
        columns[0].caption(f"{text.markdown(one.name, MOST_FILE_NAME)}, {one.width}×{one.height} pixels")
        columns[1].image(enlarged(one.inputs[0], 2 * INPUT_PIXELS), width=INPUT_PIXELS)
        columns[1].caption(f"What the network sees: {what_was_done(one)}")
        for number, (model, column, said) in enumerate(zip(models, columns[2:], one.probabilities, strict=True)):
            top = top_classes(said, model.data.classes, SHOWN_CLASSES)
            if len(models) > 1:
                column.caption(text.markdown(describe_run(model.run)))
            column.markdown(f"**{text.markdown(top[0][0])}**, {units.percent(top[0][1])}")
            show_chart(plots.probability_bars(top), f"{key} {number}", column, buttons=False)
        out_of_distribution.warn(models, scores)
        if not explained and st.button("Look inside", icon=":material/biotech:", key=f"inside {key}"):
            look_inside(models[0].run.id, Given(one.name, one.shown, one.inputs[0]))
        with st.expander(
            "Explain", explained, icon=":material/visibility:", key=f"explain {key}", on_change="rerun"
        ) as box:
            if box.open:
                explain(one, models, key)


def is_framed(one: Prediction) -> bool:
    """Whether its shape is not that of the first network's input."""
    height, width = one.inputs[0].shape[:2]
    return bool(one.height * width != one.width * height)


def what_was_done(one: Prediction) -> str:
    """The size of the first network's input and, of an image that had to change its shape, how it got there."""
    height, width = one.inputs[0].shape[:2]
    if not is_framed(one):
        return f"{width}×{height} pixels"
    way, *more = one.ways[0]
    averaged = f", and {len(more)} more beside it, averaged" if more else ""
    return f"{way.account(one.height, one.width)} pixels{averaged}"


def with_frame(one: Prediction) -> Pixels:
    """The image, darkened where the first network does not see it."""
    if not is_framed(one):
        return one.shown
    height, width = one.shown.shape[:2]
    seen = np.zeros((height, width, 1), bool)
    for way in one.ways[0]:
        box = way.seen(height, width)
        seen[box.top : box.top + box.height, box.left : box.left + box.width] = True
    return np.where(seen, one.shown, (one.shown * UNSEEN).astype(np.uint8))


def show_table(predictions: Sequence[Prediction], models: Sequence[Classifier], scores: Sequence[Scores | None]) -> int:
    """All images with their answers; gives the one that is chosen."""
    columns: dict[str, list[Any]] = {
        "": [
            "data:image/png;base64," + base64.b64encode(encoded(one.shown, TABLE_THUMBNAIL)).decode()
            for one in predictions
        ],
        "Image": [text.table(one.name, text.MOST) for one in predictions],
    }
    for place, model in enumerate(models):
        mark = f" ({place + 1})" if len(models) > 1 else ""
        tops = [top_classes(one.probabilities[place], model.data.classes, 2) for one in predictions]
        columns[f"Class{mark}"] = [text.table(top[0][0]) for top in tops]
        columns[f"Confidence{mark}"] = [top[0][1] for top in tops]
        columns[f"Else{mark}"] = [text.table(top[-1][0]) for top in tops]
        found = scores[place]
        if found is not None:
            columns[f"Out of distribution{mark}"] = ["yes" if score > 1 else "" for score in found]
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
        row_height=TABLE_THUMBNAIL + 4,
        height=min(38 + (TABLE_THUMBNAIL + 4) * len(predictions), 460),
        column_config={"": st.column_config.ImageColumn(width="small"), **confidences},
    )
    return int(event.selection.rows[0]) if event.selection.rows else 0


def scores_of(scores: Sequence[Scores | None], number: int) -> list[float | None]:
    """The scores of one image, network by network."""
    return [None if found is None else float(found[number]) for found in scores]


def table_csv(predictions: Sequence[Prediction], models: Sequence[Classifier], scores: Sequence[Scores | None]) -> str:
    """A line an image and network, with the five most probable classes and the out-of-distribution score.

    Each line has all the columns: those beyond a network's classes are empty.
    """
    head = ["image", "width", "height", "network", "ood_score"] + [
        f"{what} {n}" for n in range(1, SHOWN_CLASSES + 1) for what in ("class", "p")
    ]
    rows = []
    for number, one in enumerate(predictions):
        for model, said, score in zip(models, one.probabilities, scores_of(scores, number), strict=True):
            top = top_classes(np.asarray(said), model.data.classes, SHOWN_CLASSES)
            flat = [cell for label, p in top for cell in (label, f"{p:.6f}")] + ["", ""] * (SHOWN_CLASSES - len(top))
            rows.append([one.name, one.width, one.height, model.run.id, "" if score is None else f"{score:.4f}", *flat])
    return csv_text([head, *rows])
