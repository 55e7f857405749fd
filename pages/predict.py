"""Ask trained networks about images, and look at what made them say so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from cnnlab import text
from cnnlab.datasets.images import EXTENSIONS, MIDDLE
from cnnlab.datasets.preprocessing import FRAMING_TITLES, FRAMINGS, Framing
from cnnlab.datasets.unpacking import Files, unpacked
from cnnlab.errors import UserError
from cnnlab.inference.classifier import Classifier, Prediction, Rejected, classify
from cnnlab.inference.reference import Scores
from cnnlab.runs.run import Run
from pages.shared.address import address_number, address_select, tab_title
from pages.shared.answers import encoded, scores_of, show_card, show_table, table_csv
from pages.shared.errors import show_error
from pages.shared.given import DATA_SET, MICROSCOPE
from pages.shared.importing_models import offer_model_import, offer_pretrained
from pages.shared.models import classifier, ood_scores
from pages.shared.navigation import enter_through_app
from pages.shared.out_of_distribution import offer_reference
from pages.shared.parts import RUN_HELP, describe_runs, run_title, usable_networks
from pages.shared.samples import addressed_image, forget_addressed_image, samples, show_credits
from pages.shared.scripts import PASTE

enter_through_app()

MOST_CARDS = 4
MOST_NETWORKS = 4
MOST_UPLOAD_MB = 500
SHOWN_REJECTED = 5


def given_files(run: Run) -> tuple[tuple[object, ...], Files]:
    """What to ask about: a key that changes when it does, and the files, those in archives one by one."""
    try:
        addressed = addressed_image(run)
    except UserError as error:
        show_error(error)
        addressed = None
    if addressed:
        split, name, number = addressed
        images, labels = split.batch(slice(number, number + 1))
        with st.container(horizontal=True, vertical_alignment="center"):
            true = text.markdown(run.data.classes[int(labels[0])])
            st.markdown(f"{name.capitalize()} image {number:,} of {text.markdown(run.data.title)}: **{true}**")
            inside = {"network": run.id, "from": DATA_SET, "split": name, "image": str(number)}
            st.page_link(MICROSCOPE, label="Look inside", icon=":material/biotech:", query_params=inside)
            st.button("Ask about other images", icon=":material/close:", on_click=forget_addressed_image)
        return (run.id, name, number), iter([(f"{name} image {number}", lambda: encoded(images[0]))])
    how = st.segmented_control(
        "Images", ["Drop or paste", "Camera", "Samples"], default="Drop or paste", required=True, key="how"
    )
    if how == "Camera":
        photo = st.camera_input("Take a photograph", label_visibility="collapsed")
        return (photo and photo.file_id,), iter([("photograph.jpg", photo.getvalue)] if photo else [])
    if how == "Samples":
        return ("samples", run.id), samples(run)
    files = st.file_uploader(
        "JPEG, PNG, WebP, BMP or GIF, up to 2,000; or a zip of them. Paste with Ctrl+V.",
        type=[*EXTENSIONS, "zip"],
        accept_multiple_files=True,
        max_upload_size=MOST_UPLOAD_MB,
        key="images",
    )
    st.html(f"<script>{PASTE}</script>", unsafe_allow_javascript=True)
    return tuple(file.file_id for file in files), unpacked((file.name, file) for file in files)


@dataclass(frozen=True)
class Framed:
    """How images that are not square are seen: in one way by all networks, or by each as it was trained."""

    framing: Framing | None = None
    place: float = MIDDLE


def chosen_frame(run: Run) -> Framed:
    """The choice, and where a square lies."""
    trained = run.data.preprocessing.fitting
    with st.container(horizontal=True, vertical_alignment="bottom"):
        framing = address_select(
            "Of an image that is not square", FRAMINGS, "fit", FRAMING_TITLES.__getitem__, default=trained, width=260
        )
        if framing != "crop":
            return Framed(None if framing == trained else framing)
        words = "0 is the left or upper end, 1 the right or lower one."
        place = address_number("Where the square lies", "place", MIDDLE, st, 0.0, 1.0, True, help=words, width=260)
    return Framed(None if framing == trained else framing, place)


def answers(
    key: tuple[object, ...], files: Files, models: list[Classifier], frame: Framed
) -> tuple[list[Prediction], list[Rejected]]:
    """What the networks say of the files; asked once, and kept while nothing changes."""
    key = (key, frame, tuple((model.run.id, model.checkpoint.info.step) for model in models))
    kept: tuple[object, tuple[list[Prediction], list[Rejected]]] | None = st.session_state.get("answers")
    if kept and kept[0] == key:
        return kept[1]
    predictions: list[Prediction] = []
    rejected: list[Rejected] = []
    bar = st.progress(0.0, "Reading the images")
    for number, one in enumerate(classify(files, models, framing=frame.framing, place=frame.place), 1):
        if isinstance(one, Prediction):
            predictions.append(one)
        else:
            rejected.append(one)
        if number % 64 == 0:
            bar.progress((number % 1024) / 1024, f"{number:,} images classified")
    bar.empty()
    st.session_state["answers"] = (key, (predictions, rejected))
    return predictions, rejected


def show_rejected(rejected: list[Rejected]) -> None:
    """The files that are none to ask about, the first with their reasons."""
    for one in rejected[:SHOWN_REJECTED]:
        show_error(one.reason, ":material/broken_image:")
    if len(rejected) > SHOWN_REJECTED:
        with st.expander(f"{len(rejected):,} files were not classified", icon=":material/block:"):
            st.dataframe(
                pd.DataFrame(
                    {
                        "File": [text.table(one.name, text.MOST) for one in rejected],
                        "Why": [text.table(one.reason, text.MOST_MESSAGE) for one in rejected],
                    }
                )
            )


def show_answers(predictions: list[Prediction], models: Sequence[Classifier], scores: Sequence[Scores | None]) -> None:
    """A card for each of a few images; of many a table, and the card of the one chosen in it."""
    if len(predictions) <= MOST_CARDS:
        explained = "image" in st.query_params
        for number, one in enumerate(predictions):
            show_card(one, models, scores_of(scores, number), f"image {number}", explained)
        return
    at = show_table(predictions, models, scores)
    st.download_button(
        "Table, CSV",
        lambda: table_csv(predictions, models, scores),
        "predictions.csv",
        "text/csv",
        icon=":material/table:",
        on_click="ignore",
    )
    show_card(predictions[at], models, scores_of(scores, at), f"chosen {at}")


def show_asked(run: Run, others: list[Run]) -> None:
    """Ask for images, and show what the network and the others say of them; UserError where one cannot be asked."""
    key, files = given_files(run)
    if not any(key):
        names = ", ".join(text.markdown(one) for one in run.data.classes[:50])
        more = " and others" if len(run.data.classes) > 50 else ""
        st.caption(f"It tells apart {len(run.data.classes)} classes: {names}{more}.")
        return
    frame = Framed() if key[0] == run.id else chosen_frame(run)
    with st.spinner("Loading the network; the first one takes about 10 s, for TensorFlow"):
        models = [classifier(one) for one in (run, *others)]
    predictions, rejected = answers(key, files, models, frame)
    show_rejected(rejected)
    scores = [ood_scores(model, predictions, place) for place, model in enumerate(models)]
    show_answers(predictions, models, scores)
    for model, found in zip(models, scores, strict=True):
        if predictions and found is None:
            offer_reference(model)
    if key == ("samples", run.id):
        show_credits(run)


def main() -> None:
    st.title("Predict", anchor=False)
    st.write(
        "Drop images on a trained network. Each is brought to the size the network was trained on, then classified."
    )
    usable = usable_networks()
    choices = st.container(horizontal=True, vertical_alignment="bottom")
    titles = describe_runs(usable)
    chosen = address_select(
        "Network", list(usable), "run", titles.__getitem__, choices, resets=("class",), width=540, help=RUN_HELP
    )
    run = usable[chosen]
    tab_title(f"Predict with {run.labels().name or run_title(run)}")
    others = choices.multiselect(
        "Ask also",
        [name for name in usable if name != chosen],
        format_func=lambda name: text.plain(titles[name]),
        max_selections=MOST_NETWORKS - 1,
        placeholder="Other networks, to compare",
        width=540,
    )
    try:
        show_asked(run, [usable[name] for name in others])
    except UserError as error:
        show_error(error)
    offer_pretrained(list(usable))
    offer_model_import()


main()
