"""What one can do here, and the way there."""

import streamlit as st

from cnnlab import runs
from cnnlab.architectures import ARCHITECTURES
from cnnlab.datasets.images import EXTENSIONS
from cnnlab.errors import UserError
from cnnlab.inference.classifier import Prediction, Rejected, classify
from cnnlab.text import markdown
from cnnlab.zoo.shipped import shipped
from pages.components.living import show_living
from pages.shared.answers import scores_of, show_card
from pages.shared.errors import show_error
from pages.shared.given import MICROSCOPE
from pages.shared.models import classifier, ood_scores
from pages.shared.navigation import enter_through_app
from pages.shared.parts import LECTURE_PARTS, describe_run, runs_folder, state_badge

enter_through_app()

MOST_CARDS, MOST_UPLOAD_MB = 4, 100

HOME_CARDS = (
    (
        "pages/architectures.py",
        "1. Understand",
        "Architectures",
        f"Take {len(ARCHITECTURES)} networks apart, from LeNet-5 to MobileNetV2: every layer with its shape, "
        "parameters and multiply-adds, the published figures beside ours, and the code.",
    ),
    (
        "pages/train.py",
        "2. Train",
        "Train",
        "Choose a network, a data set or your own images, and a recipe; watch it learn. It goes on when you leave.",
    ),
    (
        "pages/evaluate.py",
        "3. Judge",
        "Evaluate",
        "Report, confusion, the mistakes themselves, how sure it is and how right; and whether another is better.",
    ),
    (
        "pages/predict.py",
        "4. Use",
        "Predict",
        "Drop your own images on a trained network; see what it takes them for, and what made it say so.",
    ),
)


def ask() -> None:
    """A place to drop photographs, which all networks that come with cnnlab answer."""
    networks = shipped()
    files = st.file_uploader(
        f"Drop a photograph: {len(networks)} networks that come with cnnlab say what they take it for",
        type=[*EXTENSIONS],
        accept_multiple_files=True,
        max_upload_size=MOST_UPLOAD_MB,
        key="home images",
    )
    known = {len(run.data.classes): run.data for run in networks.values()}
    few, many = known[min(known)], known[max(known)]
    st.caption(
        f"They know {len(few.classes)} classes ({', '.join(few.classes)}) and {len(many.classes)} (of {many.title}), "
        "no others: whatever else you show them, they take for one of these. Nothing leaves this machine."
    )
    if not files:
        return
    with st.spinner("Loading the networks; the first time it takes about 10 s, for TensorFlow"):
        models = [classifier(run) for run in networks.values()]
    answers = list(classify(((file.name, file.getvalue) for file in files[:MOST_CARDS]), models))
    predictions = [one for one in answers if isinstance(one, Prediction)]
    for one in answers:
        if isinstance(one, Rejected):
            show_error(one.reason, ":material/broken_image:")
    scores = [ood_scores(model, predictions, place) for place, model in enumerate(models)]
    for number, one in enumerate(predictions):
        show_card(one, models, scores_of(scores, number), f"home {number}")
    if len(files) > MOST_CARDS:
        st.caption(f"The first {MOST_CARDS} are answered here; Predict takes thousands at once.")


def main() -> None:
    st.title("A laboratory for convolutional networks", anchor=False)
    st.markdown(
        "Understand an architecture down to the last parameter, train it on this machine, and try it on your own "
        "images, from VGG to GoogLeNet."
    )
    show_living()
    st.page_link(
        MICROSCOPE,
        label="Look inside, with your own image",
        icon=":material/biotech:",
    )
    try:
        ask()
    except UserError as error:
        show_error(error)
    for column, (page, title, label, text) in zip(st.columns(len(HOME_CARDS)), HOME_CARDS, strict=True):
        with column.container(border=True, height="stretch"):
            st.subheader(title, anchor=False)
            st.write(text)
            st.page_link(page, label=label, icon=":material/arrow_forward:", icon_position="right")

    with st.container(horizontal=True, vertical_alignment="center"):
        st.page_link("pages/learn.py", label="Learn: the lecture, step by step", icon=":material/school:")
        st.caption("Or look at its parts:", width="content")
        for part, page, query in LECTURE_PARTS:
            st.page_link(page, label=part, query_params=query)

    st.subheader("Latest runs", anchor=False)
    latest = runs.listing(runs_folder())[:3]
    if not latest:
        st.caption("There are none yet. MiniVGGNet learns handwritten digits in about a minute: press Train to begin.")
    for run in latest:
        item = runs.summary(run)
        with st.container(horizontal=True, vertical_alignment="center"):
            state_badge(item["state"])
            st.page_link("pages/run.py", label=markdown(describe_run(run)), query_params={"run": run.id})


main()
