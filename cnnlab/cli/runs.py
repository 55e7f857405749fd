"""Commands that change the runs that are there, and that look at them."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable
from datetime import datetime
from typing import Any

from cnnlab import runs, units
from cnnlab.cli.former import with_former
from cnnlab.cli.output import checkpoint_of, echo, pairs, print_json, print_table
from cnnlab.cli.training import folder_of, left_or_followed, place_asked
from cnnlab.cluster import configured
from cnnlab.errors import UserError
from cnnlab.evaluation.runs import comparison
from cnnlab.runs import actions, launchers, queue
from cnnlab.runs.config import RunConfig
from cnnlab.runs.health import problems
from cnnlab.runs.place import LOCAL
from cnnlab.runs.run import Run
from cnnlab.runs.status import ACTIVE, RESUMABLE
from cnnlab.zoo import catalogue as networks

RUN_COLUMNS = ("id", "name", "state", "best validation accuracy", "epochs", "duration")


def run_of(options: argparse.Namespace) -> Run:
    """The run that is named, to change it or go on with it."""
    return networks.own_run(options.run, folder_of(options))


def network_of(options: argparse.Namespace) -> Run:
    """The network that is named, to look at it or train the same again."""
    return networks.find(options.run, folder_of(options))


# Changing


def requesting(request: str) -> Callable[[argparse.Namespace], int]:
    def send(options: argparse.Namespace) -> int:
        run = run_of(options)
        after = request == "stop" and options.after_epoch
        actions.send_request(run, "stop-after-epoch" if after else "pause" if request == "pause" else "stop")
        if (status := run.status()).state in RESUMABLE:  # its training had not begun, so nothing was to be waited for
            echo(f"{run.id} is {status.state}. {status.message}", error=True)
        print(run.id)
        return 0

    return send


def resume_run(options: argparse.Namespace) -> int:
    run = run_of(options)
    actions.resume(run, place_asked(options, run))
    return left_or_followed(run, options)


def extend_run(options: argparse.Namespace) -> int:
    run = run_of(options)
    actions.extend(run, options.epochs, place_asked(options, run))
    return left_or_followed(Run(run.folder), options)


def restart_run(options: argparse.Namespace) -> int:
    run = run_of(options)
    place = place_asked(options, run)
    made = actions.restart(run, checkpoint_of(options.checkpoint), pairs(options.set), place)
    return left_or_followed(made, options)


def duplicate_run(options: argparse.Namespace) -> int:
    run = network_of(options)
    place = place_asked(options, run)
    return left_or_followed(actions.duplicate(run, pairs(options.set), folder_of(options), place), options)


def label_run(options: argparse.Namespace) -> int:
    run = run_of(options)
    changes = {
        name: value
        for name, value in (("name", options.name), ("tags", options.tags), ("note", options.note))
        if value is not None
    }
    if changes:
        run.relabel(**changes)
    labels = run.labels()
    echo(f"{run.id}: name {labels.name or '–'}, tags {', '.join(labels.tags) or '–'}, note {labels.note or '–'}")
    return 0


def delete_run(options: argparse.Namespace) -> int:
    folder = folder_of(options)
    for name in dict.fromkeys(options.runs):
        run = networks.own_run(name, folder)
        actions.delete(run)
        print(run.id)
    return 0


def show_trash(options: argparse.Namespace) -> int:
    folder = folder_of(options)
    if options.empty:
        count = actions.empty_trash(folder)
        print(f"{count} run{'' if count == 1 else 's'} deleted for good.")
    elif options.restore:
        print(actions.restore(runs.find(options.restore, folder / actions.TRASH_FOLDER)).id)
    else:
        for run in actions.trashed(folder):
            print(run.id)
    return 0


def show_queue(options: argparse.Namespace) -> int:
    folder = folder_of(options)
    if options.on is not None and options.parallel is None:
        raise UserError(f"--on {options.on} is of --parallel N: how many trainings at a time there.")
    if options.parallel is not None:
        queue.set_parallel(folder, options.parallel, options.on or LOCAL)
    if options.move:
        name, position = options.move
        if not re.fullmatch("[0-9]{1,9}", position) or not int(position):
            raise UserError(f"--move takes a run and a position from 1, not {position!r}.")
        queue.move(networks.own_run(name, folder), int(position))
    now = queue.read(folder)
    working = [name for name in now.working if Run(folder / name).status().state in ACTIVE]
    if options.json:
        limits = {"parallel": now.parallel, "on_cluster": now.on_cluster}
        print_json({**limits, "working": working, "waiting": now.waiting})
        return 0
    print(f"At most {now.parallel} at a time{f' here, {now.on_cluster} on the cluster' if configured() else ''}.")
    print_table(
        ("place", "run"),
        [("at work", name) for name in working] + [(str(place), name) for place, name in enumerate(now.waiting, 1)],
    )
    return 0


# Looking


def show_runs(options: argparse.Namespace) -> int:
    summaries = runs.summaries(folder_of(options))
    if options.json:
        print_json(summaries)
        return 0
    print_table(
        RUN_COLUMNS,
        [
            (
                item["id"],
                item["name"],
                f"{item['state']}, damaged" if item["problems"] else item["state"],
                units.percent(item["best_validation_accuracy"]),
                f"{item['epochs_done']}/{item['epochs']}",
                units.duration(item["seconds"]),
            )
            for item in summaries
        ],
        right=(3, 4, 5),
    )
    for item in summaries:
        for problem in item["problems"]:
            print(f"cnnlab: {item['id']}: {problem}", file=sys.stderr)
    return 0


def show_run(options: argparse.Namespace) -> int:
    run = network_of(options)
    status, summary, config = run.status(), runs.summary(run), runs.config_of(run)
    summary["problems"] = tuple(map(str, problems(run, closely=True)))
    if options.json:
        print_json(
            {
                **summary,
                "status": status.model_dump(),
                "config": config_record(config) if config else None,
                "labels": run.labels().model_dump(),
                "history": run.history(),
                "checkpoints": [point.info.model_dump() for point in run.checkpoints()],
                "events": run.events(),
            }
        )
        return 0
    best = run.best_epoch()
    echo(f"{run.id}: {status.state}. {status.message}".rstrip())
    if status.state in ACTIVE and (note := run.launcher.note(run.folder)):
        echo(note)
    if where := launchers.where(run.folder):
        echo(f"trained on {where}")
    for problem in summary["problems"]:
        echo(f"damaged: {problem}")
    print(f"epoch {summary['epochs_done']} of {status.epochs}, step {status.step:,} of {status.steps:,}")
    if best:
        print(f"best validation accuracy {best['validation_accuracy']:.2%} in epoch {best['epoch']}")
    print(f"at work {units.duration(summary['seconds'])}, left {units.duration(status.seconds_left)}")
    print(f"checkpoints after epochs {', '.join(f'{point.info.epoch:g}' for point in run.checkpoints()) or '–'}")
    if config and not run.imported:
        echo(*run.command().splitlines())
    for event in run.events():
        moment = datetime.fromtimestamp(event["time"]).astimezone()
        echo(f"{moment:%Y-%m-%d %H:%M:%S}  {event.get('event', '')}  {event.get('message', '')}".rstrip())
    return 0


def config_record(config: RunConfig) -> dict[str, Any]:
    """A config as --json prints it."""
    record = config.model_dump(mode="json")
    return {**record, "experiment": with_former(record["experiment"], "switches", "options")}


def compare_runs(options: argparse.Namespace) -> int:
    folder = folder_of(options)
    table = comparison([networks.find(name, folder) for name in options.runs])
    if options.json:
        print_json({"settings": table.settings, "figures": table.figures})
        return 0
    columns = ("", *(figures["id"] for figures in table.figures))
    rows: list[tuple[str, ...]] = [
        (name, *(units.setting(value) for value in values)) for name, values in table.settings.items()
    ]
    rows += [(title, *(shown(figures[key], form) for figures in table.figures)) for key, title, form in FIGURE_ROWS]
    print_table(columns, rows)
    return 0


FIGURE_ROWS = (
    ("best_validation_accuracy", "best validation accuracy", units.percent),
    ("best_epoch", "in epoch", str),
    ("final_validation_accuracy", "final validation accuracy", units.percent),
    ("final_accuracy", "final training accuracy", units.percent),
    ("test_accuracy", "test accuracy", units.percent),
    ("seconds", "at work", units.duration),
    ("parameters", "parameters", units.count),
    ("multiply_adds", "multiply-adds", units.count),
)


def shown(value: Any, form: Callable[[Any], str]) -> str:
    return "–" if value is None else form(value)
