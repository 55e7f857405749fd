"""Weights of one run as the beginning of another: pre-training as VGG did it, and fine-tuning.

Simonyan and Zisserman (2015, section 3.1) began their deeper networks with the first four convolutions and the last
three dense layers of the shallow configuration A, trained before.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from fnmatch import fnmatchcase

from cnnlab.errors import UserError
from cnnlab.experiments.experiment import Initial
from cnnlab.experiments.recipe import MOST_EPOCHS
from cnnlab.network import Network, Node
from cnnlab.runs.run import WEIGHTS_FILE, CheckpointChoice, Run

INITIAL_FOLDER = "initial"


def transferable(source: Network, target: Network) -> tuple[str, ...]:
    """The layers of `target` that `source` has under the same name with weights of the same shapes, in order."""
    there = {node.name: weight_shapes(node) for node in source.layers}
    return tuple(
        node.name for node in target.layers if weight_shapes(node) and weight_shapes(node) == there.get(node.name)
    )


def weight_shapes(node: Node) -> tuple[object, ...]:
    return tuple((weight.name, weight.shape) for weight in node.weights)


def initial_from(
    source: Run, target: Network, freeze_epochs: int = 0, take: Sequence[str] = ("*",), which: CheckpointChoice = "best"
) -> Initial:
    """A beginning from a run's checkpoint: the fitting layers whose names match a pattern of `take`, as block1_*.

    Raises UserError where the run has no checkpoint or no layer fits.
    """
    if not 0 <= freeze_epochs <= MOST_EPOCHS:
        raise UserError(f"Frozen for {freeze_epochs:,} epochs: choose from 0 to {MOST_EPOCHS:,}.")
    point = source.checkpoint(which)
    fitting = transferable(source.network, target)
    layers = tuple(name for name in fitting if any(fnmatchcase(name, pattern) for pattern in take))
    if not layers:
        wanted = "" if tuple(take) == ("*",) else f" that match {', '.join(take)}"
        raise UserError(f"Run {source.id} has no layers{wanted} with the names and shapes of {target.name}'s.")
    return Initial(run=source.id, epoch=point.info.epoch, layers=layers, freeze_epochs=freeze_epochs)


def begins_like(run: Run, initial: Initial | None) -> bool:
    """Whether a run keeps the weights that another is to begin with."""
    return initial is not None and run.config.experiment.initial == initial and (run.folder / INITIAL_FOLDER).is_dir()


def copy_weights(source: Run, initial: Initial, run: Run) -> None:
    """Keep with `run` the weights that it starts from; UserError where they are gone.

    `source` is the run that was trained, or one that begins with the same weights and so has them too.
    """
    if begins_like(source, initial):
        shutil.copytree(source.folder / INITIAL_FOLDER, run.folder / INITIAL_FOLDER)
        return
    points = [point for point in source.checkpoints() if point.info.epoch == initial.epoch]
    if not points:
        raise UserError(f"Run {source.id} no longer has its checkpoint after epoch {initial.epoch:g}.")
    folder = run.folder / INITIAL_FOLDER
    folder.mkdir()
    shutil.copyfile(points[-1].weights, folder / WEIGHTS_FILE)
    shutil.copyfile(source.folder / "network.json", folder / "network.json")
