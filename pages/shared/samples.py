"""Images to ask about without a file of one's own: those of the data set, and the pictures that come with cnnlab."""

from __future__ import annotations

from functools import partial

import numpy as np
import streamlit as st

from cnnlab import text
from cnnlab.datasets import Split, SplitName
from cnnlab.datasets.images import Pixels, resize
from cnnlab.datasets.unpacking import Files
from cnnlab.errors import UserError
from cnnlab.runs.run import Run
from cnnlab.zoo.samples import Sample, samples_of
from pages.shared.address import asked, write
from pages.shared.answers import encoded
from pages.shared.parts import split_here

VALIDATION_IMAGES = 10
LICENCES = {
    "CC0 1.0": "https://creativecommons.org/publicdomain/zero/1.0/",
    "CC BY 2.5": "https://creativecommons.org/licenses/by/2.5/",
}
SAMPLED_SPLITS: tuple[SplitName, ...] = ("test", "validation", "train")


def samples(run: Run) -> Files:
    """Each under its true class: pictures of the network's classes, one of none of them, and validation images."""
    for sample, label in samples_of(run.data.classes):
        yield (label if label == sample.title else f"{label} ({sample.title})"), sample.read
    yield "none of its classes (palace)", lambda: encoded(palace())
    split = split_here(run, "validation")
    if split:
        images, labels = split.batch(np.linspace(0, len(split) - 1, VALIDATION_IMAGES).astype(np.int64))
        for image, label in zip(images, labels, strict=True):
            yield f"{run.data.classes[label]} (validation image)", partial(encoded, image)


def palace() -> Pixels:
    """A photograph that comes with scikit-learn."""
    from sklearn.datasets import load_sample_image

    return resize(load_sample_image("china.jpg"), 213, 320)


def show_credits(run: Run) -> None:
    """Whose pictures these are; or that there are none of this network's classes."""
    found = samples_of(run.data.classes)
    if not found and split_here(run, "validation") is None:
        st.info(
            "No picture of its classes comes with cnnlab, and its data set is not on this machine: only one of none of "
            "its classes is shown.",
            icon=":material/info:",
        )
    elif found:
        with st.expander("Where the pictures are from", icon=":material/copyright:"):
            st.markdown(
                "\n".join(
                    f"- {sample.title}: {text.markdown(sample.author)}, {licence(sample)}, {sample.changes}. "
                    f"<{sample.source}>"
                    for sample, _ in found
                )
                + "\n- palace: from scikit-learn, `china.jpg`."
            )


def licence(sample: Sample) -> str:
    address = LICENCES.get(sample.licence)
    return f"[{sample.licence}]({address})" if address else sample.licence


def addressed_image(run: Run) -> tuple[Split, SplitName, int] | None:
    """The image of the data set that the address names (`split=test&image=1234`); None where it names none.

    Raises UserError where it names one that is not there.
    """
    name, number = asked("split"), asked("image")
    if name is None or number is None:
        return None
    split_name = next((known for known in SAMPLED_SPLITS if known == name), None)
    if split_name is None:
        raise UserError(
            f"The address asks for an image of “{text.plain(name, 40)}”: there are {', '.join(SAMPLED_SPLITS)}."
        )
    split = split_here(run, split_name)
    if split is None:
        raise UserError(f"The {split_name} images of this network are not on this machine, so none can be shown.")
    if not number.isdecimal() or not number.isascii() or len(number) > 9 or int(number) >= len(split):
        raise UserError(
            f"The address asks for image “{text.plain(number, 40)}”: there are {split_name} images 0 to "
            f"{len(split) - 1:,}."
        )
    return split, split_name, int(number)


def forget_addressed_image() -> None:
    write({"split": None, "image": None})
