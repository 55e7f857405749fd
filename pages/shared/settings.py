"""The settings of a recipe as controls, each of the kind that fits it, with its description on hover."""

from __future__ import annotations

from typing import Any

import streamlit as st

from cnnlab.datasets.corruption import PIXELS
from cnnlab.experiments.recipe import BY_EPOCH, CHOICES, FLAT_FIELDS
from cnnlab.experiments.schedule import pairs_text

CHOICE_TITLES: dict[str, dict[str, str]] = {
    "pixels": dict(PIXELS.items()),
    "decayed": {"kernels": "Kernels alone", "all": "All weights"},
}
SETTING_TITLES = {
    "nesterov": "Nesterov momentum",
    "milestones": "Changes of the rate",
    "lowest_learning_rate": "Lowest rate",
    "cycle_epochs": "Cycle, in epochs",
    "warmup_epochs": "Warm-up, in epochs",
    "decayed": "What decays",
    "image_sizes": "Image sizes by epoch",
    "weight_averaging": "Weight averaging",
    "batch_normalization_momentum": "Batch normalization's momentum",
    "flip": "Mirror left to right",
    "shift": "Shift, in pixels",
    "rotation": "Rotation, in degrees",
    "cutout": "Cutout, in pixels",
    "crop": "Crop instead of resize",
    "auxiliary_weight": "Weight of auxiliary heads",
    "early_stopping": "Early stopping, in epochs",
    "checkpoint_every": "Keep a checkpoint every … epochs",
    "film": "Film the training",
    "mixed_precision": "Mixed precision",
    "label_noise": "Share of random labels",
    "pixels": "Pixels",
    "validation_fraction": "Validation share",
}
EXAMPLES = {"milestones": "26:0.001,36:0.0001", "image_sizes": "1:32,11:48,21:64"}
STEPS = {"epochs": 1, "batch_size": 16, "validation_fraction": 0.05, "label_noise": 0.1, "seed": 1}


def setting_title(name: str) -> str:
    return SETTING_TITLES.get(name, name.replace("_", " ").capitalize())


def names_of(setting: str) -> dict[str, str]:
    """The values that a setting is chosen from, with what they are called; none where it is written."""
    if setting in CHOICES:
        return {name: record.title for name, record in CHOICES[setting].items()}
    return CHOICE_TITLES.get(setting, {})


def setting_control(name: str, value: Any, key: str, place: Any = st) -> Any:
    """The control of one setting; `key` ties it to what it belongs to, so that it opens at `value` for each anew."""
    field = FLAT_FIELDS[name]
    words: dict[str, Any] = {"label": setting_title(name), "help": field.description, "key": key}
    if names := names_of(name):
        choices = list(names)
        return place.selectbox(options=choices, index=choices.index(value), format_func=names.__getitem__, **words)
    if name in BY_EPOCH:
        return place.text_input(value=pairs_text(value), placeholder=EXAMPLES[name], **words)
    if field.annotation is bool:
        return place.checkbox(value=value, **words)
    if field.annotation is int:
        return place.number_input(value=int(value), step=STEPS.get(name, 1), **words)
    return place.number_input(value=float(value), step=STEPS.get(name), format="%g", **words)


def columns_of(names: tuple[str, ...], values: dict[str, Any], scope: str, count: int = 3) -> dict[str, Any]:
    """Controls for these settings in columns; what they say, by name."""
    chosen = {}
    for start in range(0, len(names), count):
        row = st.columns(count, vertical_alignment="bottom")
        for name, place in zip(names[start : start + count], row, strict=False):
            chosen[name] = setting_control(name, values[name], f"{scope}.{name}", place)
    return chosen
