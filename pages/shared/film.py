"""The film of a training on its run's page: it plays in the browser, from data that is sent once."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cnnlab import text
from cnnlab.plots.colours import SEEN_TO_STRONG, scale
from cnnlab.plots.film import VIRIDIS, confusion_shares, followed_classes
from cnnlab.runs.film import OWN, Frame, Scene, frame_files, read_frame, read_scene
from cnnlab.runs.run import Run
from cnnlab.runs.status import ACTIVE
from pages.components.mounting import component

FILM_SECONDS = 3.0
"""How often the page of a training at work looks for a new frame."""
MOST_NAMED = 128
KEPT_FRAMES, KEPT_PAYLOADS = 256, 16


@st.cache_data(show_spinner=False, max_entries=KEPT_FRAMES)
def frame_of(path: Path, changed: int, _scene: Scene) -> Frame | None:
    """A frame read once; `changed` is when its file was."""
    return read_frame(path, _scene)


def show_film(run: Run) -> None:
    """The film folded away; nothing of it is read until it is opened."""
    with st.expander("Film of the training", icon=":material/movie:", key="film", on_change="rerun") as opened:
        if opened.open:
            show_frames(run)


def show_frames(run: Run) -> None:
    """The player, or why there is none."""
    scene, files = read_scene(run), frame_files(run)
    state = run.status()
    key = f"film {run.id}"
    stamps = tuple((str(path), changed_at(path)) for path in files.values())
    last = state.epochs or run.config.experiment.recipe.epochs
    sent = payload(run, stamps, len(run.history()), last, chosen_image(key, scene)) if scene else None
    if sent:
        component("film")(key=key, data=sent, default={"image": 0}, on_image_change=lambda: None)
        st.caption(
            f"{len(sent['epochs'])} moments of the training. Space plays and pauses, the arrow keys step; a click on "
            "the curve goes there."
        )
    elif state.state in (*ACTIVE, "queued"):
        st.info("The first frame comes when the training begins.", icon=":material/movie:")
    elif files:
        st.info("Its film is damaged and cannot be shown.", icon=":material/movie:")
    else:
        st.info(
            "This run has no film: it was trained without one, or by an earlier version of cnnlab.",
            icon=":material/movie:",
        )


def chosen_image(key: str, scene: Scene | None) -> int:
    """Which of the images was chosen in the player."""
    state = st.session_state.get(key) or {}
    wanted = state.get("image")
    most = len(scene.images) - 1 if scene else 0
    return min(max(int(wanted), 0), most) if isinstance(wanted, int | float) else 0


def changed_at(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:  # given up by the training at this moment
        return 0


@st.cache_data(show_spinner=False, max_entries=KEPT_PAYLOADS, hash_funcs={Run: lambda run: str(run.folder)})
def payload(run: Run, stamps: Sequence[tuple[str, int]], epochs: int, last: int, chosen: int) -> dict[str, Any] | None:
    """All that the film of one image plays from, None where no frame can be read; names are for textContent.

    `stamps` are the frames' files and when they were changed, `epochs` how many the history has.
    """
    scene = read_scene(run)
    found = [frame for path, at in stamps if scene and (frame := frame_of(Path(path), at, scene))]
    if scene is None or not found:
        return None
    classes = [text.plain(name, 60) for name in run.data.classes]
    label = int(scene.labels[chosen])
    probabilities = np.stack([frame.probabilities[chosen] for frame in found])
    shares = [None if one.confusion is None else confusion_shares(one.confusion) for one in found]
    side = next((len(one) for one in shares if one is not None), 1)
    nothing = np.zeros((side, side), np.uint8)
    filters = np.stack([frame.filters for frame in found])
    sent = {
        "epochs": [frame.epoch for frame in found],
        "last": max(last, found[-1].epoch),
        "history": [[one["epoch"], one["validation_accuracy"], one["accuracy"]] for one in run.history()[:epochs]],
        "chosen": chosen,
        "images": {
            "names": ["your own" if one == OWN else classes[one] for one in scene.labels],
            "own": [bool(one == OWN) for one in scene.labels],
            "height": scene.images.shape[1],
            "width": scene.images.shape[2],
            "bytes": encoded(scene.images),
        },
        "followed": [
            {
                "name": classes[number],
                "own": number == label,
                "shares": [round(float(share), 4) for share in np.nan_to_num(probabilities[:, number])],
            }
            for number in followed_classes(probabilities, label)
        ],
        "filters": {
            "count": filters.shape[1],
            "height": filters.shape[2],
            "width": filters.shape[3],
            "bytes": encoded(filters),
        },
        "layers": [layer_of(scene, found, number, chosen) for number in range(len(scene.layers))],
        "scale": VIRIDIS,
        "confusion": {
            "side": side,
            "classes": len(classes),
            "names": classes if side == len(classes) <= MOST_NAMED else [],
            "judged": [one is not None for one in shares],
            "light": scale(SEEN_TO_STRONG["light"]),
            "dark": scale(SEEN_TO_STRONG["dark"]),
            "bytes": encoded(np.stack([nothing if one is None else one for one in shares])),
        },
    }
    version = hashlib.sha256(repr(sent).encode()).hexdigest()[:16]
    return {**sent, "version": version}


def layer_of(scene: Scene, found: Sequence[Frame], number: int, chosen: int) -> dict[str, Any]:
    """The maps of one layer for one image, through the film."""
    maps = np.stack([frame.maps[number][chosen] for frame in found])  # frames, channels, height, width
    return {
        "name": text.plain(scene.layers[number], 60),
        "channels": scene.channels[number],
        "shown": maps.shape[1],
        "height": maps.shape[2],
        "width": maps.shape[3],
        "ranges": [[float(end) for end in frame.ranges[number]] for frame in found],
        "bytes": encoded(maps),
    }


def encoded(values: NDArray[np.uint8]) -> str:
    return base64.b64encode(values.tobytes()).decode()
