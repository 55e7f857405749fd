"""Networks from elsewhere: published weights, and model files of one's own."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from cnnlab import units
from cnnlab.datasets.imported.sorting import printable
from cnnlab.errors import UserError
from cnnlab.zoo import imported, pretrained
from pages.shared.address import go
from pages.shared.errors import show_error
from pages.shared.working import job_or_offer

MOST_MODEL_MB = 2000


def offer_pretrained(here: Sequence[str]) -> None:
    """The networks with published weights, and the way to those that are not here yet."""
    missing = [one for one in pretrained.PRETRAINED.values() if one.name not in here]
    if not missing:
        return
    with st.expander(
        "VGG16 and VGG19, trained on ImageNet", icon=":material/public:", key="pretrained", on_change="rerun"
    ) as box:
        if box.open:
            for column, one in zip(st.columns(2), missing, strict=False):
                with column:
                    st.code(one.lines, "python")
                    size = units.size(one.weights.size)
                    words = f"1,000 classes of photographs. {size} are downloaded once, checked and kept."
                    job_or_offer(one.job(), words, f"Fetch {one.title}", ":material/download:", "secondary")


def offer_model_import() -> None:
    """A model file from elsewhere: what it does not say itself is asked for."""
    with st.expander("Import a model file", icon=":material/upload_file:", key="own models", on_change="rerun") as box:
        if not box.open:
            return
        st.write(
            "A `.keras` file that takes one RGB image and gives class probabilities. It is loaded in Keras's safe "
            "mode; one that needs code of its own is refused."
        )
        # A form, for its button waits for an upload under way, and what is typed in it comes with the press.
        with st.form("import model", border=False, enter_to_submit=False):
            file = st.file_uploader("Model file", type=["keras"], max_upload_size=MOST_MODEL_MB, key="model file")
            left, middle, right = st.columns(3)
            title = left.text_input("Name", key="model name").strip()
            values = middle.selectbox("Values it takes", list(imported.SCALES), key="model values")
            size = right.number_input("Image size, if it takes any", 0, imported.MAX_SIDE, 0, key="model size")
            classes = st.text_area("Names of the classes, one a line (else numbers)", key="model classes")
            pressed = st.form_submit_button("Add it", type="primary")
        if not pressed:
            return
        try:
            if not (file and title):
                missing = [*([] if file else ["choose a model file"]), *([] if title else ["give it a name"])]
                raise UserError(f"Not yet: {' and '.join(missing)}.")
            with tempfile.TemporaryDirectory() as folder, st.spinner("Loading it; TensorFlow takes about 10 s"):
                path = Path(folder) / printable(file.name.replace("/", " "))
                path.write_bytes(file.getvalue())
                made = imported.import_model(path, title, classes.splitlines(), values, int(size) or None)
        except UserError as error:
            show_error(error)
        except OSError as error:
            show_error(f"The file cannot be kept: {error.strerror}.")
        else:
            go(run=made.id)
