"""What the microscope looks at: the choice of a network, of its checkpoint and of an image, and what comes of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from cnnlab import text
from cnnlab.architectures import ARCHITECTURES
from cnnlab.datasets import SplitName
from cnnlab.datasets.images import EXTENSIONS, Pixels, read_image
from cnnlab.errors import UserError
from cnnlab.inference.activations import ActivationModel, Activations, Silenced, of_classifier, untrained
from cnnlab.inference.classifier import load_classifier
from cnnlab.network import Network
from cnnlab.plots.faces import strongest
from cnnlab.runs.run import Run
from cnnlab.zoo import catalogue
from cnnlab.zoo.samples import all_samples, samples_of
from pages.shared.address import address_number, address_segments, address_select, asked, unknown
from pages.shared.given import DATA_SET, HANDED, Given
from pages.shared.network import design_titles
from pages.shared.parts import architecture_title, describe_runs, runs_folder, split_here, usable_networks
from pages.shared.samples import SAMPLED_SPLITS, palace
from pages.shared.scripts import PASTE
from pages.shared.view import View, version_of

DEFAULT_NETWORK = "minigooglenet-cifar10"
BEST = "best"
MOST_MODELS, MOST_KEPT = 3, 4
PALACE = "palace"
SAMPLES, DROP, CAMERA, LIVE, NOISE = "samples", "drop", "camera", "live", "noise"
SOURCES = {
    SAMPLES: "Samples",
    DATA_SET: "Data set",
    DROP: "Drop or paste",
    CAMERA: "Photograph",
    LIVE: "Live camera",
    NOISE: "Noise",
}
MOST_UPLOAD_MB = 50
MOST_NAME = 30


@dataclass(frozen=True)
class Subject:
    """A network to look into: a trained one (`run` and the step of its checkpoint), or an architecture before training,
    as a text of the catalogue."""

    name: str
    title: str
    run: Run | None = None
    step: int = 0


def choose_subject(
    side: str, titles: dict[str, str], usable: dict[str, Run], place: Any, other: Subject | None = None
) -> Subject:
    """The network and its checkpoint by two select boxes; first another than the `other` that it stands beside."""
    suffix = "" if side == "a" else f"-{side}"
    names = list(titles)
    preferred = [name for name in (DEFAULT_NETWORK, *names) if name in titles and (other is None or name != other.name)]
    default = preferred[0]
    chosen = address_select(
        "Network" if other is None else "The other network",
        names,
        f"network{suffix}",
        titles.__getitem__,
        place,
        default=default,
        resets=resets(suffix),
        width=400,
    )
    run = usable.get(chosen)
    if run is None:
        return Subject(chosen, titles[chosen])
    points = {str(point.info.step): point for point in run.checkpoints()}
    best = run.checkpoint("best").info
    if len(points) < 2:
        return Subject(chosen, titles[chosen], run, best.step)
    labels = {BEST: f"Best, after epoch {best.epoch:g}"} | {
        step: f"After epoch {point.info.epoch:g}" for step, point in points.items()
    }
    wanted = address_select(
        "Checkpoint", list(labels), f"checkpoint{suffix}", labels.__getitem__, place, default=BEST, width=190
    )
    return Subject(chosen, titles[chosen], run, best.step if wanted == BEST else int(wanted))


def resets(suffix: str) -> tuple[str, ...]:
    """What means something else in another network."""
    return tuple(f"{name}{suffix}" for name in ("checkpoint", "layer", "channel", "at", "silence", "open"))


def network_choices() -> tuple[dict[str, str], dict[str, Run]]:
    """Every network that can be looked into, with titles, and the trained ones; those that the address asks for by a
    text of the catalogue too."""
    usable = usable_networks()
    titles = describe_runs(usable) | {name: f"{architecture_title(name)}, before training" for name in ARCHITECTURES}
    titles |= {name: f"{title}, before training" for name, title in design_titles().items()}
    for name in ("network", "network-b"):
        wanted = asked(name)
        if wanted is None or wanted in titles:
            continue
        try:
            run = catalogue.run_named(wanted, runs_folder())
            if run is None:
                titles[wanted] = f"{catalogue.candidate(wanted, runs_folder()).label}, before training"
            elif run.checkpoints():
                usable[wanted] = run
                titles[wanted] = describe_runs({wanted: run})[wanted]
        except UserError:  # the select box says that it is not there
            continue
    return titles, usable


def model_of(subject: Subject) -> ActivationModel:
    """The network with its weights, loaded once for everybody; UserError where that cannot be done."""
    return _model(subject.name, subject.step, subject)


@st.cache_resource(max_entries=MOST_MODELS, show_spinner=False)
def _model(name: str, step: int, _subject: Subject) -> ActivationModel:
    if _subject.run is None:
        return untrained(catalogue.candidate(name, runs_folder()).network())
    return of_classifier(load_classifier(_subject.run, _subject.run.checkpoint_at(step)))


def seen_by(subject: Subject, side: str, inputs: Pixels, silence: Sequence[str], silenced: Silenced) -> View:
    """The network at this image; UserError where a channel to silence is not there."""
    version = version_of(subject.name, subject.step, inputs.tobytes(), silence)
    model = model_of(subject)
    return View(side, subject.title, model, _seen(version, model, inputs, silenced), version, silence)


@st.cache_resource(max_entries=MOST_KEPT, show_spinner=False)
def _seen(version: str, _model: ActivationModel, _inputs: Pixels, _silenced: Silenced) -> Activations:
    return _model.activations(_inputs, _silenced)


def choose_image(subject: Subject, place: Any, side: str = "a") -> Given | None:
    """The image by the ways there are; None while none is given. UserError where it is none."""
    suffix = "" if side == "a" else f"-{side}"
    handed: Given | None = st.session_state.get(HANDED)
    missing = {DATA_SET} if subject.run is None or not any_split(subject.run) else set()
    missing |= {LIVE} if side != "a" else set()
    titles = SOURCES | ({HANDED: text.markdown(handed.name, MOST_NAME)} if handed else {})
    offered = [name for name in titles if name not in missing]
    how = address_segments("Image", offered, f"from{suffix}", offered[0], place, format_func=titles.__getitem__)
    ways: dict[str, Callable[[], Given | None]] = {
        SAMPLES: partial(sample, subject, suffix, place),
        DATA_SET: partial(of_data_set, subject, suffix, place),
        DROP: partial(dropped, suffix),
        CAMERA: partial(photograph, suffix),
        LIVE: lambda: None,  # frames come one after another: see `show_live`
        NOISE: partial(noise, suffix, place),
        HANDED: lambda: handed,  # by another page
    }
    return ways[how]()


def any_split(run: Run) -> bool:
    return any(split_here(run, name) is not None for name in SAMPLED_SPLITS)


def sample(subject: Subject, suffix: str, place: Any) -> Given:
    """One of the pictures that come with cnnlab, those of the network's classes first."""
    classes = subject.run.data.classes if subject.run else ()
    own = [one for one, _ in samples_of(classes)]
    found = {one.file: one for one in (*own, *(one for one in all_samples() if one not in own))}
    known = {one.file for one in own}

    def titled(name: str) -> str:
        if name == PALACE:
            return "palace" + (", none of its classes" if subject.run else "")
        return found[name].title + ("" if name in known or subject.run is None else ", none of its classes")

    chosen = address_select("Sample", [*found, PALACE], f"sample{suffix}", titled, place, width=240)
    if chosen == PALACE:
        return Given("palace", palace())
    return Given(found[chosen].title, read_image(found[chosen].read(), chosen))


def of_data_set(subject: Subject, suffix: str, place: Any) -> Given | None:
    """An image of the network's data set by split and number."""
    run = subject.run
    splits: dict[SplitName, int] = {
        name: len(split) for name in SAMPLED_SPLITS if run and (split := split_here(run, name)) is not None
    }
    if run is None or not splits:  # the data set went at this moment
        return None
    name = address_select("Split", list(splits), f"split{suffix}", str, place, default=next(iter(splits)), width=130)
    number = address_number(
        f"Number, 0 to {splits[name] - 1:,}", f"image{suffix}", 0, place, minimum=0, maximum=splits[name] - 1, width=170
    )
    split = split_here(run, name)
    if split is None:
        return None
    images, labels = split.batch(slice(number, number + 1))
    true = run.data.classes[int(labels[0])]
    return Given(f"{name} image {number}, {true}", images[0])


def dropped(suffix: str) -> Given | None:
    file = st.file_uploader(
        "A JPEG, PNG, WebP, BMP or GIF; or paste with Ctrl+V",
        type=[*EXTENSIONS],
        max_upload_size=MOST_UPLOAD_MB,
        key=f"microscope image{suffix}",
    )
    st.html(f"<script>{PASTE}</script>", unsafe_allow_javascript=True)
    return Given(file.name, read_image(file.getvalue(), file.name)) if file else None


def photograph(suffix: str) -> Given | None:
    photo = st.camera_input("Take a photograph", label_visibility="collapsed", key=f"microscope photo{suffix}")
    return Given("photograph", read_image(photo.getvalue(), "photograph.jpg")) if photo else None


def noise(suffix: str, place: Any) -> Given:
    """Pixels drawn evenly by a seed."""
    seed = address_number("Seed", f"seed{suffix}", 0, place, minimum=0, maximum=1_000_000, width=160)
    pixels = np.random.default_rng(seed).integers(0, 256, (256, 256, 3), np.uint8)
    return Given(f"noise {seed}", pixels)


def chosen_layer(view: View) -> str:
    """The layer that the address names; else the first convolution's."""
    network = view.model.network
    wanted = asked(view.name("layer"))
    names = [node.name for node in network.layers]
    if wanted in names:
        return wanted
    first = first_layer(network)
    if wanted is not None:
        unknown("the layer", wanted, first)
    return first


def first_layer(network: Network) -> str:
    """The first layer with weights, else the last."""
    return next((node.name for node in network.layers if node.parameters), network.layers[-1].name)


def chosen_channel(view: View, layer: str) -> int:
    """The channel that the address names; else the one with the largest mean."""
    count = view.model.network[layer].output_shape[-1]
    wanted = asked(view.name("channel"))
    if wanted is not None and wanted.isascii() and wanted.isdecimal() and len(wanted) < 9 and int(wanted) < count:
        return int(wanted)
    largest = strongest(view.seen.values[layer])
    if wanted is not None:
        unknown("the channel", wanted, f"Channel {largest}")
    return largest


def chosen_unit(view: View, layer: str, channel: int) -> tuple[int, int]:
    """The place on the layer's maps that the address names; else that of the channel's largest value."""
    values = view.seen.values[layer]
    if values.ndim != 3:
        return (0, 0)
    wanted = asked(view.name("at"))
    parts = (wanted or "").split(",")
    if len(parts) == 2 and all(part.isascii() and part.isdecimal() and len(part) < 6 for part in parts):
        row, column = int(parts[0]), int(parts[1])
        if row < values.shape[0] and column < values.shape[1]:
            return row, column
    found = np.unravel_index(np.nan_to_num(values[..., channel]).argmax(), values.shape[:2])
    if wanted is not None:
        unknown("the place", wanted, f"Row {found[0]}, column {found[1]}")
    return int(found[0]), int(found[1])
