"""What to train: a network, a data set and a recipe that fit together."""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from cnnlab import architectures, datasets, hardware
from cnnlab.architectures.options import Value, validate
from cnnlab.datasets.source import Source
from cnnlab.errors import UserError
from cnnlab.experiments import design as designs
from cnnlab.experiments.loggers import LoggerName, check_loggers
from cnnlab.experiments.recipe import (
    BY_EPOCH,
    FLAT_FIELDS,
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
    """A network, a data set and a recipe that fit together.

    The network is one that an architecture draws, and `options` holds every option of it with its value; or it is a
    `design`: a network's JSON. A design's `architecture` is a name that no architecture has, see `experiments.design`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    architecture: str
    options: dict[str, Value]
    dataset: str
    recipe: Recipe
    initial: Initial | None = None
    loggers: tuple[LoggerName, ...] = ()
    design: dict[str, Any] | None = None

    @model_validator(mode="before")
    @classmethod
    def read_former_names(cls, record: Any) -> Any:
        """Records of earlier versions call `options` `switches`."""
        if isinstance(record, dict) and "switches" in record:
            record = {**record, "options": record["switches"]}
            del record["switches"]
        return record

    @field_validator("design")
    @classmethod
    def is_named(cls, design: dict[str, Any] | None) -> dict[str, Any] | None:
        if design is not None and not isinstance(design.get("name"), str):
            raise ValueError("a design has a name")
        return design

    @cached_property
    def network(self) -> Network:
        """What is trained."""
        if self.design is None:
            return architectures.build(self.architecture, self.options)
        return Network.from_data(self.design)

    @property
    def origin(self) -> str | Network:
        """What the network comes from, as `plan` takes it: an architecture's name, or the network itself."""
        return self.architecture if self.design is None else self.network

    @property
    def title(self) -> str:
        """What to call the network."""
        if self.design is not None:
            return designs.title_of(str(self.design["name"]))
        if self.architecture.startswith(designs.IMPORTED):
            return designs.title_of(self.architecture.removeprefix(designs.IMPORTED), "imported")
        known = architectures.ARCHITECTURES.get(self.architecture)
        return known.title if known else self.architecture

    def command(self) -> str:
        """The command that trains the same from a terminal; of a design, once its file is there."""
        words = ["python", "-m", "cnnlab", "train"]
        if self.design is None:
            words += ["--architecture", self.architecture]
        else:
            words += ["--network", designs.file_name(str(self.design["name"]))]
        words += ["--dataset", self.dataset]
        idle = idle_settings(dict(self.recipe))
        for name, value in settings_of(self.recipe).items():
            if name in ALWAYS_SAID or (value != default_of(name) and name not in idle):
                words += [f"--{name.replace('_', '-')}", setting_text(value)]
        for name in self.loggers:
            words += ["--logger", name]
        if self.initial:
            words += ["--from-run", self.initial.run, "--freeze-epochs", str(self.initial.freeze_epochs)]
        defaults: dict[str, Value] = {}
        with suppress(UserError):  # the data set was removed since
            defaults = plan(self.origin, self.dataset, {}, Recipe(batch_size=1)).options
        changed = [f"{name}={value}" for name, value in self.options.items() if value != defaults.get(name)]
        return shlex.join(words + (["--set", *changed] if changed else []))

    def settings(self) -> dict[str, Any]:
        """Every setting under one name, as comparisons and loggers take them."""
        start = {"from_run": self.initial.run, "freeze_epochs": self.initial.freeze_epochs} if self.initial else {}
        return {
            "architecture": self.architecture,
            **({"design": fingerprint(self.design)} if self.design is not None else {}),
            "dataset": self.dataset,
            **self.options,
            **{
                name: setting_text(value) if name in BY_EPOCH else value
                for name, value in settings_of(self.recipe).items()
            },
            **start,
        }


def fingerprint(design: Mapping[str, Any]) -> str:
    """What tells two designs of one name apart."""
    return hashlib.sha256(json.dumps(design, sort_keys=True).encode()).hexdigest()[:8]


def setting_text(value: Any) -> str:
    """A setting as the command line reads it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return pairs_text(value)
    return str(value)


def plan(
    architecture: str | Network,
    dataset: str,
    options: Mapping[str, Any],
    recipe: Recipe,
    initial: Initial | None = None,
    loggers: Sequence[LoggerName] = (),
) -> Experiment:
    """The experiment with these settings, for an architecture by name or for any network.

    An architecture gets the data set's classes, and the input size that suits its images. Raises UserError where a
    name is unknown, a value is not accepted, or the parts do not fit together.
    """
    source = datasets.source(dataset)
    if isinstance(architecture, Network):
        name, values, design = of_network(architecture, source, options)
    else:
        name, values, design = architecture, options_of(architecture, source, options), None
    experiment = Experiment(
        architecture=name,
        options=values,
        dataset=dataset,
        recipe=recipe,
        initial=initial,
        loggers=tuple(loggers),
        design=design,
    )
    network = experiment.network
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
    return experiment


def options_of(architecture: str, source: Source, options: Mapping[str, Any]) -> dict[str, Value]:
    """Every option of an architecture that is to be trained on a data set."""
    chosen = architectures.architecture(architecture)
    fitting = {
        "classes": source.classes,
        "input_size": architectures.training_input_size(architecture, source.image_size),
    }
    values = validate(architecture, chosen.function, {**fitting, **options})
    if values["classes"] != source.classes:
        raise UserError(f"{source.title} has {source.classes} classes, not {values['classes']}.")
    return values


def of_network(
    network: Network, source: Source, options: Mapping[str, Any]
) -> tuple[str, dict[str, Value], dict[str, Any] | None]:
    """The name, options and design that record a network; it needs no design where its architecture draws the same."""
    if options:
        raise UserError(f"{network.name} is a design and has no options; {next(iter(options))} is changed in its file.")
    designs.check(network, source)
    if network.name in architectures.ARCHITECTURES:
        with suppress(UserError):
            values = options_of(network.name, source, {})
            if architectures.build(network.name, values) == network:
                return network.name, values, None
    return designs.recorded_name(network.name), {}, network.to_data()


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
    """The experiment with some settings changed: of the recipe, the options, or the data set and architecture.

    Raises UserError where there is no such setting or the value is not accepted.
    """
    changes = dict(changes)
    dataset = str(changes.pop("dataset", experiment.dataset))
    architecture = str(changes.pop("architecture", experiment.architecture))
    moved = (architecture, dataset) != (experiment.architecture, experiment.dataset)
    origin: str | Network = experiment.origin
    if architecture != experiment.architecture:
        origin, known = architecture, set(architectures.architecture(architecture).defaults)
    else:
        known = set(experiment.options)
        unknown = [name for name in changes if name not in FLAT_FIELDS]
        if experiment.design is not None and unknown:
            raise UserError(
                f"{experiment.title} is a design and has no option {unknown[0]!r}: write it into a file with "
                "`network`, change that, and `train --network` it."
            )
    kept = {name: value for name, value in experiment.options.items() if name in known and name != "classes"}
    if moved:
        kept.pop("input_size", None)
    options = {**kept, **{name: changes.pop(name) for name in list(changes) if name in known}}
    recipe = make_recipe(**{**settings_of(experiment.recipe), **changes})
    refuse_idle(changes, recipe)
    return plan(origin, dataset, options, recipe, experiment.initial, experiment.loggers)
