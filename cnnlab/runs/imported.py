"""A network that was not trained here, kept as a run: published weights, a model file from elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cnnlab.errors import UserError
from cnnlab.experiments.experiment import Experiment
from cnnlab.experiments.recipe import make_recipe
from cnnlab.runs.config import RunConfig, versions
from cnnlab.runs.run import WEIGHTS_FILE, CheckpointInfo, Data, Labels, Run
from cnnlab.runs.status import Status
from cnnlab.storage.files import write_text
from cnnlab.storage.leftovers import sweep, written_aside


def keep_as_run(
    target: Path,
    model: Any,
    data: Data,
    title: str,
    write: Callable[[Path], object],
    *,
    architecture: str,
    dataset: str,
    options: dict[str, Any] | None = None,
    command: str = "",
    epoch: float = 0,
) -> Run:
    """A keras.Model as a run with one checkpoint in `target`, which appears when it is whole.

    `write` puts into the folder what else belongs to it. UserError where the disk does not take it.
    """
    name = target.name
    experiment = Experiment(architecture=architecture, options=options or {}, dataset=dataset, recipe=make_recipe())
    config = RunConfig(
        id=name,
        created=datetime.now(UTC).isoformat(timespec="milliseconds"),
        experiment=experiment,
        versions=versions(),
        machine="",
        command=command,
    )
    sweep(target.parent)
    try:
        with written_aside(target) as folder:
            made = Run(folder)
            point = folder / "checkpoints" / "step-00000001"
            point.mkdir(parents=True)
            model.save_weights(point / WEIGHTS_FILE)
            write_text(point / "checkpoint.json", CheckpointInfo(step=1, epoch=epoch).model_dump_json())
            write_text(folder / "data.json", data.model_dump_json())
            write_text(folder / "labels.json", Labels(name=title[:200]).model_dump_json())
            write(folder)
            made.write_status(Status(state="completed"))
            write_text(folder / "config.json", config.model_dump_json(indent=1))
    except OSError as error:
        raise UserError(f"{title} cannot be kept in {target}: {error.strerror}.") from error
    return Run(target)
