"""The randomization tests of Zhang et al., "Understanding Deep Learning Requires Rethinking Generalization", ICLR 2017
(arXiv:1611.03530): the same network on data with less and less to learn, which it fits all the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cnnlab import architectures, runs
from cnnlab.experiments.experiment import Experiment, plan
from cnnlab.experiments.recipe import make_recipe
from cnnlab.runs import queue
from cnnlab.runs.run import Labels, Run

GROUP = "generalization"


@dataclass(frozen=True)
class Condition:
    """What happens to the training data; `settings` are the recipe's."""

    title: str
    settings: dict[str, Any] = field(default_factory=dict)


CONDITIONS = (
    Condition("true labels"),
    Condition("20% corrupted labels", {"label_noise": 0.2}),
    Condition("50% corrupted labels", {"label_noise": 0.5}),
    Condition("80% corrupted labels", {"label_noise": 0.8}),
    Condition("random labels", {"label_noise": 1.0}),
    Condition("shuffled pixels", {"pixels": "shuffled"}),
    Condition("random pixels", {"pixels": "random"}),
    Condition("Gaussian noise", {"pixels": "gaussian"}),
)


def condition_of(experiment: Experiment) -> str:
    """The condition's title that a run was trained under."""
    recipe = experiment.recipe
    there = {"label_noise": recipe.label_noise, "pixels": recipe.pixels}
    for condition in CONDITIONS:
        if {"label_noise": 0.0, "pixels": "original", **condition.settings} == there:
            return condition.title
    return f"{recipe.label_noise:.0%} corrupted labels, {recipe.pixels} pixels"


def experiments(architecture: str, dataset: str, epochs: int) -> list[Experiment]:
    """One experiment a condition: SGD with momentum 0.9 and nothing that regularizes, as in the paper's section 2.1.

    The paper begins Inception at a rate of 0.1 and multiplies it by 0.95 each epoch; here 0.01 stays constant, which
    also suits networks without batch normalization.
    """
    options = {
        option.name: 0.0
        for option in architectures.architecture(architecture).options
        if option.name in ("dropout", "classifier_dropout")
    }
    basis = {
        "epochs": epochs,
        "batch_size": 128,
        "optimizer": "sgd",
        "nesterov": False,
        "learning_rate": 0.01,
        "schedule": "constant",
    }
    return [
        plan(architecture, dataset, options, make_recipe(**basis, **condition.settings)) for condition in CONDITIONS
    ]


def queue_all(architecture: str, dataset: str, epochs: int, folder: Path) -> list[Run]:
    """Queue a run for each condition, as one group."""
    group = f"{GROUP}-{architecture}-{dataset}-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    planned = experiments(architecture, dataset, epochs)
    made = [
        runs.create(one, folder, group=group, labels=Labels(name=condition.title))
        for one, condition in zip(planned, CONDITIONS, strict=True)
    ]
    for run in made:
        queue.enqueue(run)
    return made
