"""The command that shows what the lecture's networks reach, and the studies that come with cnnlab."""

from __future__ import annotations

import argparse

from cnnlab import runs, units
from cnnlab.cli.output import print_json, print_table
from cnnlab.errors import UserError
from cnnlab.lecture import results
from cnnlab.zoo.studies import studies


def show_results(options: argparse.Namespace) -> int:
    if options.study:
        return show_study(options)
    found = results.lecture_results(results.tested_runs(runs.runs_folder(options.runs_dir)))
    if options.json:
        print_json([as_record(one) for one in found])
        return 0
    columns = ("network", "lecture rank-1", "rank-5", "best here rank-1", "rank-5", "mirrored", "measured on", "run")
    rows = [
        (
            one.architecture,
            units.percent(one.lecture_rank1),
            units.percent(one.lecture_rank5),
            units.percent(one.evaluation.accuracy if one.evaluation else None),
            units.percent(one.evaluation.top5_accuracy if one.evaluation else None),
            units.percent(one.mirrored.accuracy if one.mirrored else None),
            one.evaluation.dataset if one.evaluation else "–",
            one.best.id if one.best else "–",
        )
        for one in found
    ]
    print_table(columns, rows, right=(1, 2, 3, 4, 5))
    return 0


def as_record(one: results.Result) -> dict[str, object]:
    return {
        "architecture": one.architecture,
        "dataset": one.dataset,
        "lecture_rank1": one.lecture_rank1,
        "lecture_rank5": one.lecture_rank5,
        "run": one.best.id if one.best else None,
        "measured_on": one.evaluation.dataset if one.evaluation else None,
        "rank1": one.evaluation.accuracy if one.evaluation else None,
        "rank5": one.evaluation.top5_accuracy if one.evaluation else None,
        "rank1_mirrored": one.mirrored.accuracy if one.mirrored else None,
        "seconds": one.best.status().worked if one.best else None,
    }


def show_study(options: argparse.Namespace) -> int:
    kept = studies()
    if options.study not in kept:
        raise UserError(f"There is no study {options.study!r}; there are {', '.join(kept) or 'none'}.")
    study = kept[options.study]
    found = results.ingredients(study)
    if options.json:
        print_json(found)
        return 0
    print(study.about.text)
    rows = [
        (
            row["title"],
            units.percent(row["validation_accuracy"]),
            results.points_text(row["points"]),
            units.percent(row["test_accuracy"]),
            units.duration(row["seconds"]),
        )
        for row in found
    ]
    points = f"points to {results.compared_with(study)}"
    print_table(("training", "validation", points, "test", "trained in"), rows, right=(1, 2, 3, 4))
    return 0
