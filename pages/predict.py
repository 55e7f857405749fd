"""Drop images on a trained network."""

import streamlit as st

from cnnlab import plots, units
from cnnlab.errors import UserError
from cnnlab.evaluation import split_of
from cnnlab.images import EXTENSIONS, Pixels, read_image
from cnnlab.prediction import Classifier, top_classes
from cnnlab.runs.run import Run
from pages.shared.models import classifier
from pages.shared.navigation import enter_through_app
from pages.shared.parts import address_select, describe_run, usable_runs
from pages.shared.pictures import enlarged

enter_through_app()

MOST_IMAGES = 50
TOP = 5
SAMPLES = 5
SEEN_PIXELS = 160


def samples(run: Run) -> dict[str, Pixels]:
    """A few validation images of the run's data set, under their true class."""
    split = split_of(run, "validation")
    positions = [len(split) * number // SAMPLES for number in range(SAMPLES)]
    images, labels = split.batch(positions)
    classes = run.data.classes
    return {
        f"Validation image {number}, a {classes[label]}": image
        for number, (image, label) in enumerate(zip(images, labels, strict=True), start=1)
    }


def show_prediction(name: str, image: Pixels, model: Classifier, probabilities: object, key: str) -> None:
    top = top_classes(probabilities, model.data.classes, TOP)
    with st.container(border=True):
        given, seen, bars = st.columns([1, 1, 3], vertical_alignment="center")
        height, width = image.shape[:2]
        given.image(enlarged(image, 2 * SEEN_PIXELS), width=SEEN_PIXELS)
        given.caption(f"{name}, {width}×{height} pixels")
        inputs = model.data.preprocessing.fit(image)
        seen.image(enlarged(inputs, 2 * SEEN_PIXELS), width=SEEN_PIXELS)
        seen.caption(f"What the network sees: {inputs.shape[1]}×{inputs.shape[0]} pixels")
        bars.markdown(f"**{top[0][0]}**, {units.percent(top[0][1])}")
        bars.plotly_chart(plots.probability_bars(top), key=key, config={"displayModeBar": False})


st.title("Predict", anchor=False)
st.write("Drop images on a trained network. Each is brought to the size the network was trained on, then classified.")
found = usable_runs()
if not found:
    st.info("There is no trained network yet. Train one; on digits it takes about a minute.", icon=":material/info:")
    st.page_link("pages/train.py", label="Train", icon=":material/arrow_forward:", icon_position="right")
    st.stop()

chosen = address_select("Network", list(found), "run", lambda name: describe_run(found[name]))
run = found[chosen]
files = st.file_uploader(
    "Images (JPEG, PNG, WebP, BMP or GIF)", type=list(EXTENSIONS), accept_multiple_files=True, key="images"
)
use_samples = st.toggle(
    "Show validation images of its data set", help="Images of known class that it was not trained on."
)

images: list[tuple[str, Pixels]] = []
for file in files[:MOST_IMAGES]:
    try:
        images.append((file.name, read_image(file.getvalue(), file.name)))
    except UserError as error:
        st.error(str(error), icon=":material/broken_image:")
if len(files) > MOST_IMAGES:
    st.warning(f"You dropped {len(files)} images; the first {MOST_IMAGES} are shown. Drop the others in a second go.")
try:
    if use_samples:
        images += samples(run).items()
    if images:
        with st.spinner("Loading the network; the first one takes about 10 s, for TensorFlow"):
            model = classifier(run)
        for number, ((name, image), row) in enumerate(
            zip(images, model.probabilities([image for _, image in images]), strict=True)
        ):
            show_prediction(name, image, model, row, f"bars {number}")
    elif not files:
        names = ", ".join(run.data.classes)
        st.caption(f"It tells apart {len(run.data.classes)} classes: {names}.")
except UserError as error:
    st.error(str(error))
