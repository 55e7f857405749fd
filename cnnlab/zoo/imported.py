"""A model file from elsewhere (.keras), to ask about images. Nothing in it is trusted.

It is loaded in Keras's safe mode, which runs no code that comes in a file; one that needs such code is refused.
What a file does not say is asked for: the names of its classes, and what values it takes. It is kept under the data
root as a run without a network of ours, so it can be asked, compared, served, and explained where that needs none of
its layers.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from cnnlab import datasets
from cnnlab.datasets.imported.sorting import printable
from cnnlab.datasets.imported.source import slug
from cnnlab.datasets.preprocessing import Preprocessing
from cnnlab.errors import UserError
from cnnlab.experiments.design import imported_name
from cnnlab.inference.model_file import load
from cnnlab.runs.imported import keep_as_run
from cnnlab.runs.run import MODEL_FILE, Data, Run
from cnnlab.zoo.pretrained import PRETRAINED
from cnnlab.zoo.shipped import shipped_names

MODELS_FOLDER = "models"
MAX_SIDE = 1024
Values = Literal["0 to 255", "0 to 1", "-1 to 1"]
SCALES: dict[Values, tuple[float, float]] = {  # mean and deviation that scale 0..255 to it
    "0 to 255": (0.0, 1.0),
    "0 to 1": (0.0, 255.0),
    "-1 to 1": (127.5, 127.5),
}


def imported_models() -> dict[str, Run]:
    """The imported models, by name."""
    found = sorted((datasets.data_root() / MODELS_FOLDER).glob(f"*/{MODEL_FILE}"))
    return {path.parent.name: Run(path.parent) for path in found if "." not in path.parent.name}


def shapes(model: Any, name: str, size: int | None) -> tuple[tuple[int, int], int]:
    """The input's (height, width) and the number of classes; UserError where it takes no RGB image or gives no row of
    class probabilities, or where the size is left open and not said."""
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise UserError(
            f"{name} has {len(model.inputs)} inputs and {len(model.outputs)} outputs; one image in and one row of "
            "class probabilities out is accepted."
        )
    given, answer = tuple(model.inputs[0].shape), tuple(model.outputs[0].shape)
    if len(given) != 4 or given[3] != 3:
        raise UserError(f"{name} takes input of shape {given}; (count, height, width, 3) for RGB images is accepted.")
    if len(answer) != 2 or not answer[1] or answer[1] < 2:
        raise UserError(
            f"{name} gives output of shape {answer}; (count, classes) with two classes or more is accepted."
        )
    height, width = (given[1] or size, given[2] or size)
    if not height or not width:
        raise UserError(f"{name} takes images of any size; say which size to resize images to.")
    if max(height, width) > MAX_SIDE:
        raise UserError(f"{name} takes images of {width}×{height} pixels; up to {MAX_SIDE} a side are accepted.")
    return (int(height), int(width)), int(answer[1])


def import_model(
    path: Path, title: str, classes: Sequence[str] = (), values: Values = "0 to 255", size: int | None = None
) -> Run:
    """Keep a model file as a network to ask; UserError where it cannot be one."""
    if size is not None and not 1 <= size <= MAX_SIDE:
        raise UserError(f"Images of {size} pixels a side: choose from 1 to {MAX_SIDE}.")
    name = slug(title)
    target = datasets.data_root() / MODELS_FOLDER / name
    if target.exists() or name in shipped_names() or name in PRETRAINED:
        raise UserError(f"There is a model {name!r} already; choose another name.")
    model = load(path, path.name)
    image_size, count = shapes(model, path.name, size)
    names = tuple(printable(one) for one in classes if one.strip()) or tuple(f"class {n}" for n in range(count))
    if len(names) != count:
        raise UserError(f"{path.name} gives {count} classes; {len(names)} names were given. Give one a line, in order.")
    mean, deviation = SCALES[values]
    data = Data(
        title="data of its own",
        classes=names,
        fingerprint="unknown",
        preprocessing=Preprocessing(
            image_size=image_size,
            input_size=image_size,
            mean=(mean,) * 3,
            deviation=(deviation,) * 3,
        ),
    )
    return keep_as_run(
        target,
        model,
        data,
        title,
        lambda folder: shutil.copyfile(path, folder / MODEL_FILE),
        architecture=imported_name(str(model.name)[:80]),
        dataset="unknown",
    )


def remove(name: str) -> None:
    """Delete an imported model; UserError where there is none."""
    run = imported_models().get(name)
    if run is None:
        raise UserError(f"There is no imported model {name!r}.")
    shutil.rmtree(run.folder, ignore_errors=True)
