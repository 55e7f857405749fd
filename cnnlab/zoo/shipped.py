"""Networks that come with cnnlab, trained by it, with their whole record: `shipped/<name>/` in the checkout.

Each is a run like any other: configuration, history, evaluation on the test images with what it said of each, its
reference for the out-of-distribution score, and its card. Weights are stored in half precision where that changes the
accuracy on the validation images by no more than 0.1 point; what is stored is what was evaluated. They are copied under
the data root when they are first asked for, so that the project's own stay as they are.

`python -m cnnlab.zoo.shipped RUN_FOLDER NAME TITLE` makes one of a finished run.
"""

from __future__ import annotations

import json
import math
import shutil
from contextlib import suppress
from pathlib import Path

from cnnlab import datasets
from cnnlab.errors import UserError
from cnnlab.inference.reference import REFERENCE_FILE, prepare
from cnnlab.resources import CHECKOUT, SHIPPED
from cnnlab.runs.run import WEIGHTS_FILE, Labels, Run
from cnnlab.storage.files import write_text
from cnnlab.storage.leftovers import sweep, written_aside

SHIPPED_RUNS = SHIPPED
SHIPPED_FOLDER = "shipped"
DATA_FILE = "data.json"
PLAIN_FILES = ("config.json", DATA_FILE, "network.json", "status.json", "history.jsonl", "events.jsonl")
MOST_STEPS = 400
MOST_LOST = 0.001


def shipped_names() -> list[str]:
    return sorted(path.parent.name for path in SHIPPED_RUNS.glob("*/config.json"))


def shipped() -> dict[str, Run]:
    """The networks that come with cnnlab, by name, where one can work with them; UserError where there is no room."""
    return {name: shipped_run(name) for name in shipped_names()}


def shipped_run(name: str) -> Run:
    """One of them."""
    source, target = SHIPPED_RUNS / name, datasets.data_root() / SHIPPED_FOLDER / name
    if not same(source, target):
        copy(source, target)
    for file in (REFERENCE_FILE, DATA_FILE):
        if size_of(source / file) != size_of(target / file):  # an older version copied it
            copy_file(source / file, target / file)
    return Run(target)


def nearest(side: int) -> Run:
    """The shipped network that learned on images nearest to this size: the one to fine-tune on them."""
    return min(shipped().values(), key=lambda run: abs(math.log(run.network.input_shape[0] / side)))


def is_shipped(run: Run) -> bool:
    return run.folder.parent == datasets.data_root() / SHIPPED_FOLDER


def size_of(path: Path) -> int | None:
    return path.stat().st_size if path.exists() else None


def same(source: Path, target: Path) -> bool:
    """Whether the copy is of this version."""
    try:
        return (source / "config.json").read_bytes() == (target / "config.json").read_bytes()
    except OSError:
        return False


def copy(source: Path, target: Path) -> None:
    sweep(target.parent)
    try:
        with written_aside(target) as partial:
            shutil.copytree(source, partial)
    except OSError as error:
        if not same(source, target):  # another process may have put it there first
            raise UserError(f"The shipped networks cannot be copied to {target.parent}: {error.strerror}.") from error


def copy_file(source: Path, target: Path) -> None:
    """Only this, so that what a person has done with the copy of the network stays; it can be used without."""
    with suppress(OSError), written_aside(target) as partial:
        shutil.copyfile(source, partial)


def ship(run: Run, name: str, title: str) -> Path:
    """Make a shipped network of a finished run: its best checkpoint in half precision, evaluated as it is stored.

    Where half precision would change the accuracy on the validation images by more than 0.1 point, the weights stay
    whole; the test images have no say in it.
    """
    from cnnlab.evaluation import evaluate, split_of
    from cnnlab.evaluation.store import predict_all
    from cnnlab.inference.classifier import load_classifier
    from cnnlab.zoo.export import card

    target = SHIPPED_RUNS / name
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for file in PLAIN_FILES:
        shutil.copyfile(run.folder / file, target / file)
    config = json.loads((target / "config.json").read_text()) | {"id": name, "group": None}
    write_text(target / "config.json", json.dumps(config, indent=1))
    steps = run.steps()
    thinned = steps[:: max(-(-len(steps) // MOST_STEPS), 1)]
    write_text(target / "steps.jsonl", "".join(json.dumps(step) + "\n" for step in thinned))
    write_text(target / "labels.json", Labels(name=title, tags=("shipped",)).model_dump_json())
    best = run.checkpoint("best")
    point = target / "checkpoints" / best.folder.name
    point.mkdir(parents=True)
    shutil.copyfile(best.folder / "checkpoint.json", point / "checkpoint.json")
    halve(best.weights, point / WEIGHTS_FILE)
    validation = split_of(run, "validation")
    whole, half = (predict_all(load_classifier(one), validation).right.mean() for one in (run, Run(target)))
    if abs(half - whole) > MOST_LOST:
        shutil.copyfile(best.weights, point / WEIGHTS_FILE)
    classifier = load_classifier(Run(target))
    evaluate(classifier)
    evaluate(classifier, tta="mirror")
    prepare(classifier)
    write_text(target / "README.md", card(classifier, None))
    return target


def halve(source: Path, target: Path) -> None:
    """Weights with every number in half precision; what is too large for it becomes infinite."""
    import h5py
    import numpy as np

    with np.errstate(over="ignore"), h5py.File(source) as given, h5py.File(target, "w") as kept:

        def visit(name: str, item: object) -> None:
            if isinstance(item, h5py.Dataset):
                kept.create_dataset(name, data=item[()].astype("float16"), compression="gzip", shuffle=True)
            else:
                group = kept.require_group(name)
                group.attrs.update(item.attrs)  # type: ignore[attr-defined]

        kept.attrs.update(given.attrs)
        given.visititems(visit)


if __name__ == "__main__":
    import sys

    if CHECKOUT is None:
        sys.exit("Networks are shipped from a checkout of cnnlab; this one is installed.")
    print(ship(Run(Path(sys.argv[1]).resolve()), sys.argv[2], sys.argv[3]))
