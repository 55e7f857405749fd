"""The part of a run's data set that it learned from, was chosen by, or is tested on."""

from __future__ import annotations

from cnnlab import datasets
from cnnlab.datasets import Split, SplitName
from cnnlab.datasets.corruption import corrupt
from cnnlab.errors import UserError
from cnnlab.runs.run import Run


def split_of(run: Run, name: SplitName) -> Split:
    """The split of a run's data set, as the run had it; UserError if the data set has changed since."""
    experiment = run.config.experiment
    dataset = datasets.load(experiment.dataset)
    if dataset.fingerprint != run.data.fingerprint:
        raise UserError(
            f"The {dataset.title} images here are not those that run {run.id} was trained on ({run.data.title})."
        )
    recipe = experiment.recipe
    if name == "test":
        return corrupt(dataset.test_split(), dataset, recipe.pixels, recipe.seed)
    train, validation = dataset.training_splits(recipe.validation_fraction, recipe.seed)
    return corrupt(train if name == "train" else validation, dataset, recipe.pixels, recipe.seed)
