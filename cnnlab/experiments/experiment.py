"""What to train: a network, a data set and a recipe that fit together."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from cnnlab import architectures, datasets, hardware
from cnnlab.architectures.switches import Value, validate
from cnnlab.errors import UserError
from cnnlab.experiments.loggers import LoggerName, check_loggers
from cnnlab.experiments.recipe import (
    BY_EPOCH,
    Recipe,
    default_of,
    idle_settings,
    make_recipe,
    refuse_idle,
    settings_of,
)
from cnnlab.experiments.schedule import pairs_text
from cnnlab.network import Network
from cnnlab.network.layers import Flatten

ALWAYS_SAID = ("epochs", "batch_size", "optimizer", "learning_rate", "schedule", "seed")


class Initial(BaseModel):
    """Where a run's first weights come from: these layers of another run's checkpoint, frozen for the first epochs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    run: str
    epoch: float
    layers: tuple[str, ...]
    freeze_epochs: int = Field(0, ge=0, le=10_000)


class Experiment(BaseModel):
    """A network, a data set and a recipe that fit together; `switches` holds every switch with its value."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    architecture: str
    switches: dict[str, Value]
    dataset: str
    recipe: Recipe
    initial: Initial | None = None
    loggers: tuple[LoggerName, ...] = ()

    def command(self) -> str:
        """The command that trains the same from a terminal."""
        words = ["python", "-m", "cnnlab", "train", "--architecture", self.architecture, "--dataset", self.dataset]
        idle = idle_settings(dict(self.recipe))
        for name, value in settings_of(self.recipe).items():
            if name in ALWAYS_SAID or (value != default_of(name) and name not in idle):
                words += [f"--{name.replace('_', '-')}", setting_text(value)]
        for name in self.loggers:
            words += ["--logger", name]
        if self.initial:
            words += ["--from-run", self.initial.run, "--freeze-epochs", str(self.initial.freeze_epochs)]
        try:
            defaults = plan(self.architecture, self.dataset, {}, Recipe(batch_size=1)).switches
        except UserError:  # the data set was removed since
            defaults = {}
        changed = [f"{name}={value}" for name, value in self.switches.items() if value != defaults.get(name)]
        return shlex.join(words + (["--set", *changed] if changed else []))

    def settings(self) -> dict[str, Any]:
        """Every setting under one name, as comparisons and loggers take them."""
        start = {"from_run": self.initial.run, "freeze_epochs": self.initial.freeze_epochs} if self.initial else {}
        return {
            "architecture": self.architecture,
            "dataset": self.dataset,
            **self.switches,
            **{
                name: setting_text(value) if name in BY_EPOCH else value
                for name, value in settings_of(self.recipe).items()
            },
            **start,
        }


def setting_text(value: Any) -> str:
    """A setting as the command line reads it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return pairs_text(value)
    return str(value)


def plan(
    architecture: str,
    dataset: str,
    switches: Mapping[str, Any],
    recipe: Recipe,
    initial: Initial | None = None,
    loggers: Sequence[LoggerName] = (),
) -> Experiment:
    """The experiment with these settings; the classes are the data set's, the input size what suits its images.

    Raises UserError where a name is unknown, a value is not accepted, or the parts do not fit together.
    """
    chosen = architectures.architecture(architecture)
    source = datasets.source(dataset)
    fitting = {
        "classes": source.classes,
        "input_size": architectures.training_input_size(architecture, source.image_size),
    }
    values = validate(architecture, chosen.function, {**fitting, **switches})
    if values["classes"] != fitting["classes"]:
        raise UserError(f"{source.title} has {fitting['classes']} classes, not {values['classes']}.")
    network = architectures.build(architecture, values)
    size = network.input_shape[0]
    if recipe.crop and size >= source.image_size:
        raise UserError(
            f"There is nothing to crop: {source.title}'s images are {source.image_size}×{source.image_size} and the "
            f"input is {size}×{size}; choose a smaller input size, or shift the images instead."
        )
    if recipe.mixed_precision and not hardware.has_bfloat16():
        raise UserError(
            "This machine computes no faster in bfloat16: mixed precision needs an NVIDIA GPU from Ampere on, or a "
            "processor with AVX-512 or AMX bfloat16. Leave mixed_precision off."
        )
    check_sizes(recipe, network)
    check_loggers(loggers)
    training, _ = source.training_counts(recipe.validation_fraction)
    recipe.steps_per_epoch(training)
    return Experiment(
        architecture=architecture,
        switches=values,
        dataset=dataset,
        recipe=recipe,
        initial=initial,
        loggers=tuple(loggers),
    )


def check_sizes(recipe: Recipe, network: Network) -> None:
    """UserError where the network cannot learn from images of the recipe's sizes."""
    if not recipe.image_sizes:
        return
    if any(isinstance(node.layer, Flatten) for node in network.layers):
        raise UserError(
            "This network flattens its feature maps, so its weights fit one image size only: image sizes are for "
            "networks that pool over the whole map, as MiniGoogLeNet, DeeperGoogLeNet and NIN do."
        )
    side, largest = network.input_shape[0], max(size for _, size in recipe.image_sizes)
    if largest > side:
        raise UserError(f"Images of {largest} pixels are larger than the network's input of {side}.")


def replan(experiment: Experiment, changes: Mapping[str, Any]) -> Experiment:
    """The experiment with some settings changed: of the recipe, the switches, or the data set and architecture.

    Raises UserError where there is no such setting or the value is not accepted.
    """
    changes = dict(changes)
    architecture = str(changes.pop("architecture", experiment.architecture))
    dataset = str(changes.pop("dataset", experiment.dataset))
    moved = (architecture, dataset) != (experiment.architecture, experiment.dataset)
    known = (
        set(experiment.switches)
        if architecture == experiment.architecture
        else set(architectures.architecture(architecture).defaults)
    )
    kept = {name: value for name, value in experiment.switches.items() if name in known and name != "classes"}
    if moved:
        kept.pop("input_size", None)
    switches = {**kept, **{name: changes.pop(name) for name in list(changes) if name in known}}
    recipe = make_recipe(**{**settings_of(experiment.recipe), **changes})
    refuse_idle(changes, recipe)
    return plan(architecture, dataset, switches, recipe, experiment.initial, experiment.loggers)
