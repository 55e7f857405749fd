"""Channels, layers, branches and reductions silenced: chosen, listed, and what it costs over a split."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from cnnlab import datasets, text, units
from cnnlab.datasets import SplitName
from cnnlab.errors import UserError
from cnnlab.evaluation.silencing import SilencingEffect, SilencingKey, kept_effect, silencing_job
from cnnlab.inference.activations import ActivationModel
from cnnlab.inference.silencing import silenceable, silenced_of, texts_of, title_of
from cnnlab.runs.run import Run
from pages.shared.address import address_segments, asked_all, key_of, write
from pages.shared.parts import data_link, split_here
from pages.shared.view import View
from pages.shared.working import job_or_offer

MOST_LISTED = 24
MOST_TITLE = 60
SPLITS: tuple[SplitName, ...] = ("validation", "test", "train")


def side_name(name: str, side: str) -> str:
    """How the address calls what each side has of its own, also where both show one network."""
    return name if side == "a" else f"{name}-{side}"


def asked_silence(model: ActivationModel, side: str) -> tuple[str, ...]:
    """What the address silences, one text for each channel or layer; what of it cannot be is said and left out."""
    kept = []
    for one in asked_all(side_name("silence", side)):
        try:
            model.kept(silenced_of([one]))
        except UserError as error:
            st.warning(
                f"The address asks to silence “{text.markdown(one, 80)}”. {text.message(error)} It is left out.",
                icon=":material/link_off:",
            )
        else:
            kept.append(one)
    return texts_of(silenced_of(kept))


def show_silencing(view: View, layer: str, channel: int) -> None:
    """What can be silenced at the chosen layer, and what is, each with a cross."""
    network, name = view.model.network, side_name("silence", view.side)
    silenced = tuple(view.silenced)
    named = text.markdown(layer, MOST_TITLE)

    def silence(one: str) -> Callable[[], None]:
        # The chosen channel stands in the address from now on: the one with the largest mean is another once it is 0.
        chosen = {view.name("layer"): layer, view.name("channel"): str(channel)}
        return lambda: write({name: texts_of(silenced_of([*silenced, one])), **chosen})

    def keep(*gone: str) -> Callable[[], None]:
        return lambda: write({name: [one for one in silenced if one not in gone] or None})

    def button(label: str, one: str) -> None:
        off = is_silenced(one, silenced) or layer_of(one) in network.outputs
        st.button(label, key=key_of(f"silence {view.side} {one}"), on_click=silence(one), disabled=off)

    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.caption("Silence:", width="content")
        button(f"Channel {channel} of {named}", f"{layer}:{channel}")
        button(f"All of {named}", layer)
        for part in silenceable(network, layer):
            if part.layer != layer:
                button(text.markdown(part.title, MOST_TITLE), part.layer)
    if layer in network.outputs:
        st.caption("This layer gives the probabilities; choose one before it.")
    if not silenced:
        return
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.caption("Silenced:", width="content")
        for one in silenced[:MOST_LISTED]:
            title = text.markdown(title_of(one, network), 2 * MOST_TITLE)
            key = key_of(f"on {view.side} {one}")
            st.button(title, icon=":material/close:", key=key, on_click=keep(one), type="tertiary")
        if len(silenced) > MOST_LISTED:
            st.caption(f"and {len(silenced) - MOST_LISTED:,} more", width="content")
        key = key_of(f"all on {view.side}")
        st.button("All on again", icon=":material/restart_alt:", key=key, on_click=keep(*silenced))


def layer_of(one: str) -> str:
    (layer,) = silenced_of([one])
    return layer


def is_silenced(one: str, silenced: Sequence[str]) -> bool:
    return one in silenced or layer_of(one) in silenced


def show_effect(view: View, run: Run | None, step: int) -> None:
    """What the silenced channels are worth over a split: kept, under way, or offered."""
    if not view.silenced:
        return
    st.markdown("**Over a whole split**")
    if run is None:
        st.caption("The network is untrained: silencing changes nothing that it knows.")
        return
    if datasets.ready(run.config.experiment.dataset) is None:
        st.caption("How many images it still recognises can be told where its data set is on this machine; it is not.")
        data_link(run)
        return
    split = address_segments("Split", SPLITS, side_name("over", view.side), format_func=str)
    images = split_here(run, split)
    if images is None:
        st.caption("The images here are not those that this network was trained on, so nothing can be compared.")
        return
    key = SilencingKey(split, step, tuple(view.silenced))
    if kept := kept_effect(run, key):
        show_kept(kept)
        return
    question = f"How many of the {len(images):,} {split} images are recognised with these silenced, and with all on?"
    job_or_offer(silencing_job(run, key), question, "Compare over the split", ":material/fact_check:", "secondary")


def show_kept(effect: SilencingEffect) -> None:
    """Both accuracies, and the classes that lose most."""
    points = 100 * (effect.accuracy_after - effect.accuracy_before)
    with st.container(horizontal=True):
        st.metric("Accuracy, all on", f"{effect.accuracy_before:.2%}", border=True)
        st.metric("Accuracy, silenced", f"{effect.accuracy_after:.2%}", f"{points:+.2f} points", border=True)
        st.metric("Answers changed", f"{effect.changed:,}", help=f"Of {effect.images:,} images.", border=True)
    if not effect.losing:
        st.caption("No class loses an image.")
        return
    st.dataframe(
        {
            "Class": [text.table(one.name) for one in effect.losing],
            "Images": [one.images for one in effect.losing],
            "All on": [one.share_before for one in effect.losing],
            "Silenced": [one.share_after for one in effect.losing],
            "Lost": [one.lost for one in effect.losing],
        },
        hide_index=True,
        column_config={
            name: st.column_config.NumberColumn(format="percent") for name in ("All on", "Silenced", "Lost")
        },
    )
    st.caption(
        f"The classes that lose most, of {len(effect.classes):,}; {effect.dataset}, {effect.split} split, "
        f"computed in {units.duration(effect.seconds)}."
    )
