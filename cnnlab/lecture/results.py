"""What the lecture's networks reach on test images: as it prints them, and as the best trained here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnnlab import runs
from cnnlab.evaluation import Evaluation, kept_evaluation
from cnnlab.evaluation.printed import ClassificationReport
from cnnlab.evaluation.runs import comparison
from cnnlab.lecture.published.accuracies import ACCURACIES, REPORTS
from cnnlab.runs.run import Run
from cnnlab.zoo.shipped import shipped
from cnnlab.zoo.studies import Study

LECTURE_RESULTS = (  # what the lecture prints results of: architecture, data set, its title there
    ("minivggnet", "cifar10", "CIFAR-10"),
    ("minigooglenet", "cifar10", "CIFAR-10"),
    ("deepergooglenet", "tiny-imagenet", "Tiny ImageNet"),
)
Tested = list[tuple[Run, Evaluation]]


@dataclass(frozen=True)
class Result:
    """A network of the lecture; accuracies from 0 to 1, None for what was not printed or measured.

    `best` is the run with the highest validation accuracy: nothing is chosen by its accuracy on test images.
    """

    architecture: str
    dataset: str
    lecture_rank1: float | None
    lecture_rank5: float | None
    best: Run | None = None
    evaluation: Evaluation | None = None
    mirrored: Evaluation | None = None


def lecture_report(run: Run, evaluation: Evaluation) -> ClassificationReport | None:
    """The lecture's printed report of the same architecture on the same data set's test images, if there is one."""
    experiment = run.config.experiment
    if experiment.dataset != "cifar10" or evaluation.split != "test":
        return None
    return next((found for found in REPORTS if found.architecture == experiment.architecture), None)


def tested_runs(folder: Path) -> Tested:
    """The shipped networks and the runs of a folder that were evaluated on test images."""
    own = (Run(folder / item["id"]) for item in runs.summaries(folder) if item["usable"])
    found = [
        (run, kept_evaluation(run)) for run in (*shipped().values(), *own) if (run.folder / "evaluations").exists()
    ]
    return [(run, kept) for run, kept in found if kept]


def lecture_results(tested: Tested) -> list[Result]:
    """The lecture's networks in its order, each with the best of those tested."""
    return [result(tested, *network) for network in LECTURE_RESULTS]


def result(tested: Tested, architecture: str, dataset: str, title: str) -> Result:
    rank1, rank5 = (printed(architecture, title, f"rank-{rank} accuracy") for rank in (1, 5))
    wanted = (architecture, dataset)
    fitting = [
        (run, kept)
        for run, kept in tested
        if (run.config.experiment.architecture, run.config.experiment.dataset) == wanted
    ]
    if not fitting:
        return Result(architecture, title, rank1, rank5)

    def validated(item: tuple[Run, Evaluation]) -> float:
        epoch = item[0].best_epoch()
        return epoch["validation_accuracy"] if epoch else 0.0

    best, kept = max(fitting, key=validated)
    return Result(architecture, title, rank1, rank5, best, kept, kept_evaluation(best, tta="mirror"))


def printed(architecture: str, title: str, metric: str) -> float | None:
    """What the lecture prints; nothing where it does not."""
    return next(
        (
            item.value
            for item in ACCURACIES
            if (item.architecture, item.dataset, item.metric) == (architecture, title, metric)
            and item.source.startswith("lecture")
        ),
        None,
    )


def ingredients(study: Study) -> list[dict[str, Any]]:
    """Each training of a study: title, validation and test accuracy, seconds at work, and the difference of the
    validation accuracy to the training that it is compared with, in points."""
    figures = comparison(study.runs).figures
    rows: list[dict[str, Any]] = []
    for place, one in enumerate(figures):
        other = figures[place - 1 if study.about.kind == "ladder" else 0]
        gained = 100 * (one["best_validation_accuracy"] - other["best_validation_accuracy"]) if place else None
        rows.append(
            {
                "title": one["title"],
                "validation_accuracy": one["best_validation_accuracy"],
                "points": gained,
                "test_accuracy": one["test_accuracy"],
                "seconds": one["seconds"],
            }
        )
    return rows


def points_text(points: float | None) -> str:
    """A difference in points, with its sign where it has one: "+0.5", "0.0", "–" for none."""
    if points is None:
        return "–"
    rounded = round(points, 1)
    return f"{rounded:+.1f}" if rounded else "0.0"


def compared_with(study: Study) -> str:
    return "the one before" if study.about.kind == "ladder" else "the first"
