"""What one can do here, and the way there."""

import streamlit as st

from cnnlab import runs
from cnnlab.text import markdown
from pages.shared.navigation import enter_through_app
from pages.shared.parts import LECTURE_PARTS, describe_run, runs_folder, state_badge

enter_through_app()

HOME_CARDS = (
    (
        "pages/architectures.py",
        "1. Understand",
        "Architectures",
        "Take eleven networks apart, from VGG to GoogLeNet: every layer with its shape, parameters and multiply-adds, "
        "the published figures beside ours, and the code.",
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


def main() -> None:
    st.title("A laboratory for convolutional networks", anchor=False)
    st.markdown(
        "Understand an architecture down to the last parameter, train it on this machine, and try it on your own "
        "images, from VGG to GoogLeNet."
    )
    for column, (page, title, label, text) in zip(st.columns(len(HOME_CARDS)), HOME_CARDS, strict=True):
        with column.container(border=True, height="stretch"):
            st.subheader(title, anchor=False)
            st.write(text)
            st.page_link(page, label=label, icon=":material/arrow_forward:", icon_position="right")

    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("Walk the lecture:", width="content")
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
