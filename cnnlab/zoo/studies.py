"""Studies that come with cnnlab: trainings that differ from each other in one thing, to see what it gives.

`shipped/studies/<name>/` holds study.json and, for each training in order, the record of a run without its weights:
configuration, history and figures on the test images. `python -m cnnlab.zoo.studies --help` says how to make one of
finished runs.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

from cnnlab.resources import CHECKOUT, SHIPPED
from cnnlab.runs.run import Labels, Run
from cnnlab.storage.files import write_text
from cnnlab.zoo.shipped import PLAIN_FILES

STUDIES = SHIPPED / "studies"
STUDY_FILE = "study.json"


class About(BaseModel):
    """What study.json says; `kind` is "ladder" where each training keeps what the one before it added, and "variants"
    where each changes the first in one thing."""

    title: str
    text: str
    kind: str


@dataclass(frozen=True)
class Study:
    name: str
    about: About
    runs: tuple[Run, ...]


def studies() -> dict[str, Study]:
    """The studies that come with cnnlab, by name."""
    found = {}
    for file in sorted(STUDIES.glob(f"*/{STUDY_FILE}")):
        runs = tuple(Run(path.parent) for path in sorted(file.parent.glob("*/config.json")))
        found[file.parent.name] = Study(file.parent.name, About.model_validate_json(file.read_bytes()), runs)
    return found


def make_study(name: str, about: About, runs: Sequence[Run]) -> Study:
    """Keep these finished runs' records as a study, in this order; each is evaluated on its test images first."""
    from cnnlab.evaluation import evaluate
    from cnnlab.inference.classifier import load_classifier

    folder = STUDIES / name
    shutil.rmtree(folder, ignore_errors=True)
    for place, run in enumerate(runs):
        evaluation = evaluate(load_classifier(run))
        title = run.labels().name or run.id
        target = folder / f"{place:02d}-{run.id}"
        target.mkdir(parents=True)
        for file in PLAIN_FILES:
            shutil.copyfile(run.folder / file, target / file)
        write_text(target / "labels.json", Labels(name=title, tags=("study",)).model_dump_json())
        kept = target / "evaluations" / f"test-{evaluation.step:08d}-plain"
        kept.mkdir(parents=True)
        write_text(kept / "evaluation.json", evaluation.model_dump_json())
    write_text(folder / STUDY_FILE, about.model_dump_json(indent=1))
    return studies()[name]


if __name__ == "__main__":
    import argparse
    import sys

    if CHECKOUT is None:
        sys.exit("Studies are made in a checkout of cnnlab; this one is installed.")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name")
    parser.add_argument("--title", required=True)
    parser.add_argument("--text", required=True)
    parser.add_argument("--kind", choices=("ladder", "variants"), required=True)
    parser.add_argument("runs", nargs="+", metavar="RUN_FOLDER")
    given = parser.parse_args()
    about = About(title=given.title, text=given.text, kind=given.kind)
    made = make_study(given.name, about, [Run(Path(path).resolve()) for path in given.runs])
    print(f"{made.name}: {len(made.runs)} trainings")
