"""Every trained network with a name: one's own runs, those that come with cnnlab, those brought from elsewhere."""

from __future__ import annotations

from pathlib import Path

from cnnlab import runs
from cnnlab.errors import UserError
from cnnlab.runs.run import Run
from cnnlab.zoo.imported import own_models
from cnnlab.zoo.pretrained import PRETRAINED, available
from cnnlab.zoo.shipped import shipped


def find(name: str, folder: Path) -> Run:
    """The network of that name: shipped, with published weights, brought here, or a run of the folder by its id or the
    beginning of it. UserError where there is none."""
    if run := {**shipped(), **available(), **own_models()}.get(name):
        return run
    if wanted := PRETRAINED.get(name):
        raise UserError(f"{wanted.title} is not here yet; fetch it: python -m cnnlab pretrained {wanted.name}")
    return runs.find(name, folder)


def own_run(name: str, folder: Path) -> Run:
    """One's own run of that name, to change it or to go on with it; UserError that says why another cannot be."""
    if name in shipped():
        raise UserError(
            f"{name} comes with cnnlab and stays as it is; `duplicate` trains it again, and `train --from-run {name}` "
            "begins with its weights."
        )
    if name in PRETRAINED:
        raise UserError(f"{name} has published weights and stays as it is; `train --from-run {name}` begins with them.")
    if name in own_models():
        raise UserError(f"{name} is a model file that was brought here and stays as it is; it can only be used.")
    return runs.find(name, folder)
