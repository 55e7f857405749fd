"""What a run was asked to do; written once, before it starts."""

from __future__ import annotations

import platform
import shlex
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from pydantic import BaseModel, ConfigDict

from cnnlab import __version__, architectures, datasets
from cnnlab.architectures.switches import Value, validate
from cnnlab.datasets.dataset import validation_count
from cnnlab.errors import UserError
from cnnlab.training.recipe import Recipe

RARELY_CHANGED = ("auxiliary_weight", "validation_fraction")
RECORDED_PACKAGES = ("tensorflow", "keras", "numpy", "pillow", "scikit-learn")


class Experiment(BaseModel):
    """A network, a data set and a recipe that fit together; `switches` holds every switch with its value."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    architecture: str
    switches: dict[str, Value]
    dataset: str
    recipe: Recipe

    def command(self) -> str:
        """The command that trains the same from a terminal."""
        recipe = self.recipe
        words = ["python", "-m", "cnnlab", "train", "--architecture", self.architecture, "--dataset", self.dataset]
        for name, field in Recipe.model_fields.items():
            value = getattr(recipe, name)
            if name not in RARELY_CHANGED or value != field.default:
                words += [f"--{name.replace('_', '-')}", str(value)]
        defaults = plan(self.architecture, self.dataset, {}, recipe).switches
        changed = [f"{name}={value}" for name, value in self.switches.items() if value != defaults[name]]
        return shlex.join(words + (["--set", *changed] if changed else []))


class RunConfig(BaseModel):
    """An experiment with what is needed to tell later how it came about."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    created: str
    experiment: Experiment
    versions: dict[str, str]
    machine: str


def plan(architecture: str, dataset: str, switches: Mapping[str, Any], recipe: Recipe) -> Experiment:
    """The experiment with these settings; the classes are the data set's, the input size what suits its images.

    Raises UserError where a name is unknown, a value is not accepted, or the parts do not fit together.
    """
    chosen = architectures.architecture(architecture)
    source = datasets.source(dataset)
    fitting = {
        "classes": len(source.classes),
        "input_size": architectures.training_input_size(architecture, source.image_size),
    }
    values = validate(architecture, chosen.function, {**fitting, **switches})
    if values["classes"] != fitting["classes"]:
        raise UserError(f"{source.title} has {fitting['classes']} classes, not {values['classes']}.")
    architectures.build(architecture, values)
    held_out = validation_count(source.train_images, recipe.validation_fraction)
    recipe.steps_per_epoch(source.train_images - held_out)
    return Experiment(architecture=architecture, switches=values, dataset=dataset, recipe=recipe)


def versions() -> dict[str, str]:
    packages = {name: version(name) for name in RECORDED_PACKAGES}
    return {"cnnlab": __version__, "python": platform.python_version(), **packages}
