"""One answer to "which network is this?", for pages and command line alike.

A trained network is one's own run, or it comes with cnnlab, has published weights, or was imported from a file; each is
a `Run`, whatever it is. A network to look at, to compare or to train is an architecture with its options, that of a
run, or a design that is kept: as text `vgg16`, `vgg16:input_size=64,classes=10`, `run:ID`, `design:NAME` or
`design:NAME@2`, its second version.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

from cnnlab import runs
from cnnlab.architectures import ARCHITECTURES
from cnnlab.architectures.comparison import Candidate
from cnnlab.design import store
from cnnlab.design.store import OF_DESIGN
from cnnlab.errors import UserError
from cnnlab.experiments.design import title_of
from cnnlab.runs.run import Run
from cnnlab.zoo.imported import imported_models
from cnnlab.zoo.pretrained import PRETRAINED, available
from cnnlab.zoo.shipped import shipped, shipped_names, shipped_run

Origin = Literal["own", "shipped", "published", "imported"]
EVERY: tuple[Origin, ...] = ("own", "shipped", "published", "imported")
OF_RUN = "run:"
"""What the text of a run's network begins with; no architecture is called so."""


def usable(folder: Path, *origins: Origin) -> dict[str, Run]:
    """The networks of these origins, or of all, that have weights, by name; own runs from the newest to the oldest."""
    kept: dict[Origin, Callable[[], dict[str, Run]]] = {
        "own": lambda: {item["id"]: Run(folder / item["id"]) for item in runs.summaries(folder) if item["usable"]},
        "shipped": shipped,
        "published": available,
        "imported": imported_models,
    }
    return {name: run for origin in origins or EVERY for name, run in kept[origin]().items()}


def find(name: str, folder: Path) -> Run:
    """The trained network of that name: shipped, with published weights, imported, or a run of the folder by its id or
    the beginning of it. UserError where there is none."""
    if name in shipped_names():
        return shipped_run(name)
    if run := {**available(), **imported_models()}.get(name):
        return run
    if wanted := PRETRAINED.get(name):
        raise UserError(f"{wanted.title} is not here yet; fetch it: python -m cnnlab pretrained {wanted.name}")
    return runs.find(name, folder)


def own_run(name: str, folder: Path) -> Run:
    """One's own run of that name, to change it or to go on with it; UserError that says why another cannot be."""
    match origin_of(name):
        case "shipped":
            raise UserError(
                f"{name} comes with cnnlab and stays as it is; `duplicate` trains it again, and `train --from-run "
                f"{name}` begins with its weights."
            )
        case "published":
            raise UserError(
                f"{name} has published weights and stays as it is; `train --from-run {name}` begins with them."
            )
        case "imported":
            raise UserError(f"{name} is an imported model file and stays as it is; it can only be used.")
        case _:
            return runs.find(name, folder)


def origin_of(name: str) -> Origin:
    """Where the trained network of that name comes from; what no other has is one's own."""
    if name in shipped_names():
        return "shipped"
    if name in PRETRAINED:
        return "published"
    return "imported" if name in imported_models() else "own"


def run_named(text: str, folder: Path) -> Run | None:
    """The run whose network a text names; none where it names an architecture or a design."""
    if text.startswith(OF_DESIGN):
        return None
    if text.startswith(OF_RUN):
        return find(text.removeprefix(OF_RUN), folder)
    if text.partition(":")[0] in ARCHITECTURES:
        return None
    try:
        return find(text, folder)
    except UserError as error:
        raise UserError(f"There is no architecture {text!r}; there are {', '.join(ARCHITECTURES)}. {error}") from error


def candidate(text: str, folder: Path, options: Mapping[str, str] | None = None) -> Candidate:
    """The network that a text names, an architecture's with these options; UserError where it names none."""
    if text.startswith(OF_DESIGN):
        if options:
            raise UserError(f"{text} is a design and has no options; change {next(iter(options))} on the page Design.")
        kept = store.find(text)
        return Candidate(text, design=kept.network, title=title_of(kept.name))
    run = run_named(text, folder)
    if run is None:
        return Candidate.parse(text, options)
    if options:
        raise UserError(f"The network of {run.id} is as it was trained; {next(iter(options))} cannot be changed.")
    return Candidate(OF_RUN + run.id, design=run.network, title=run.labels().name or run.id)
