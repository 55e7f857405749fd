"""Commands that train: start, queue, change and follow runs."""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from cnnlab import runs, units
from cnnlab.cli.former import preset_of, read_former, with_former
from cnnlab.cli.output import checkpoint_of, echo, pairs, print_json, print_table
from cnnlab.complaints import once
from cnnlab.datasets.images import Pixels, read_image
from cnnlab.datasets.unpacking import file_bytes
from cnnlab.errors import UserError
from cnnlab.evaluation.runs import comparison
from cnnlab.experiments.experiment import Experiment, plan, replan
from cnnlab.experiments.presets import PRESETS, preset
from cnnlab.experiments.recipe import BY_EPOCH, FLAT_FIELDS, default_of, make_recipe, refuse_idle, settings_of
from cnnlab.network.file import read_network
from cnnlab.runs import actions, film, launchers, queue
from cnnlab.runs.config import RunConfig
from cnnlab.runs.generalization import queue_all
from cnnlab.runs.health import problems
from cnnlab.runs.initial import initial_from
from cnnlab.runs.run import Run
from cnnlab.runs.status import ACTIVE, RESUMABLE, Status
from cnnlab.runs.sweep import left_out, sweep
from cnnlab.text import plain
from cnnlab.zoo import catalogue as networks

FOLLOW_SECONDS = 0.25
RUN_COLUMNS = ("id", "name", "state", "best validation accuracy", "epochs", "duration")


def folder_of(options: argparse.Namespace) -> Path:
    """The runs folder, whose queue is resumed by every command."""
    folder = runs.runs_folder(options.runs_dir)
    queue.resume_queue(folder)
    return folder


def run_of(options: argparse.Namespace) -> Run:
    """The run that is named, to change it or go on with it."""
    return networks.own_run(options.run, folder_of(options))


def network_of(options: argparse.Namespace) -> Run:
    """The network that is named, to look at it or train the same again."""
    return networks.find(options.run, folder_of(options))


# Starting


def experiment_of(options: argparse.Namespace) -> tuple[Experiment, str | None, Run | None]:
    """What the options of `train` and `sweep` ask for, the preset's name if it is one, and the run it begins with."""
    given = {name: getattr(options, name) for name in FLAT_FIELDS if getattr(options, name) is not None}
    chosen = pairs(options.set)
    for name in set(given) & set(chosen):
        raise UserError(f"--set {name}={chosen[name]} and --{name.replace('_', '-')} {given[name]}: give it once.")
    if options.from_run is None and (options.take is not None or options.freeze_epochs):
        raise UserError("--take and --freeze-epochs are of the layers that --from-run gives; name a run there.")
    if options.network is not None and (options.architecture is not None or chosen):
        other = "--architecture" if options.architecture is not None else "--set"
        raise UserError(f"--network {options.network} and {other}: a network from a file has no options; give one.")
    network = None if options.network is None else read_network(Path(options.network))
    file, named = preset_of(options.recipe, options.preset, PRESETS)
    if file is not None and named is not None:
        raise UserError(f"--recipe {file} and --preset {named}: give one.")
    if file is not None and (not file or not Path(file).exists()):
        raise UserError(f"There is no recipe file {file!r}; --preset takes the presets {', '.join(PRESETS)}.")
    if named is not None:
        experiment = preset(named).experiment(options.in_epochs)
        moved = {"architecture": options.architecture, "dataset": options.dataset}
        changes = {**{name: value for name, value in moved.items() if value is not None}, **chosen, **given}
        if network is not None:
            recipe = make_recipe(**{**settings_of(experiment.recipe), **given})
            refuse_idle(given, recipe)
            experiment = plan(network, options.dataset or experiment.dataset, {}, recipe)
        elif changes:
            experiment = replan(experiment, changes)
    else:
        wanted = read_recipe(Path(file)) if file else {}
        origin = network or options.architecture or wanted.get("architecture")
        dataset = options.dataset or wanted.get("dataset")
        if not origin or not dataset:
            raise UserError("Say which --architecture or --network to train on which --dataset, or name a --preset.")
        read = wanted.get("settings", {})
        recipe = make_recipe(**{**read, **given})
        changed = [name for name in read if settings_of(recipe)[name] != default_of(name)]
        refuse_idle({*given, *changed}, recipe)
        recipe = recipe if options.in_epochs is None else recipe.in_epochs(options.in_epochs)
        own = {} if network else wanted.get("options", {})
        experiment = plan(origin, dataset, {**own, **chosen}, recipe)
    source = None
    if options.from_run is not None:
        source = networks.find(options.from_run, folder_of(options))
        initial = initial_from(source, experiment.network, options.freeze_epochs, options.take or ("*",))
        experiment = experiment.model_copy(update={"initial": initial})
    loggers = tuple(dict.fromkeys(options.logger))
    experiment = plan(
        experiment.origin,
        experiment.dataset,
        experiment.options,
        experiment.recipe,
        experiment.initial,
        loggers,
    )
    moved_elsewhere = options.architecture or options.dataset or options.network
    untouched = named is not None and not (given or chosen or moved_elsewhere)
    return experiment, named if untouched else None, source


def read_recipe(path: Path) -> dict[str, Any]:
    """A recipe file: a JSON object with `settings`, and `architecture`, `dataset` and `options` as one likes."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=lambda given: once(given, str(path)))
    except UserError:
        raise
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise UserError(f"{path} is not JSON: {error}.") from error
    if isinstance(content, dict):
        content = read_former(content, "switches", "options", str(path))
    parts = ("architecture", "dataset", "options", "settings")
    if not isinstance(content, dict) or set(content) - set(parts):
        raise UserError(f"{path}: a recipe file is a JSON object with {', '.join(parts)}.")
    if not all(isinstance(content.get(part, {}), dict) for part in ("options", "settings")):
        raise UserError(f"{path}: options and settings are JSON objects.")
    return content


def run_training(options: argparse.Namespace) -> int:
    experiment, named, source = experiment_of(options)
    own = film_image_of(options, experiment)
    run = runs.create(experiment, folder_of(options), preset=named, group=options.group, source=source)
    if own is not None:
        film.keep_own_image(run, own)
    if options.name:
        run.relabel(name=options.name)
    queue.enqueue(run)
    return left_or_followed(run, options)


def film_image_of(options: argparse.Namespace, experiment: Experiment) -> Pixels | None:
    """The image of the person's own that is to be filmed too."""
    if options.film_image is None:
        return None
    if not experiment.recipe.film:
        raise UserError(f"--film-image {options.film_image} and --film false: leave one out.")
    path = Path(options.film_image)
    if not path.is_file():
        raise UserError(f"There is no image file {options.film_image!r}.")
    return read_image(file_bytes(path), path.name)


def left_or_followed(run: Run, options: argparse.Namespace) -> int:
    code = 0 if options.detach else follow(run)
    print(run.id)
    return code


def run_sweep(options: argparse.Namespace) -> int:
    experiment, named, source = experiment_of(options)
    texts = pairs(options.values, "--values")
    values = {name: text.split(";" if name in BY_EPOCH else ",") for name, text in texts.items()}
    if note := left_out(values, settings_of(experiment.recipe)):
        echo(note, error=True)
    made = sweep(
        experiment,
        values,
        folder_of(options),
        sample=options.sample,
        group=options.group,
        preset=named,
        source=source,
    )
    for run in made:
        print(run.id)
    return 0


def run_generalization(options: argparse.Namespace) -> int:
    for run in queue_all(options.architecture, options.dataset, options.epochs, folder_of(options)):
        print(run.id)
    return 0


def show_presets(options: argparse.Namespace) -> int:
    if options.json:
        print_json(
            [
                {
                    "name": item.name,
                    "title": item.title,
                    "text": item.text,
                    "source": item.source,
                    "expected": item.expected,
                    "hours": item.hours,
                    "command": item.command,
                }
                for item in PRESETS.values()
            ]
        )
        return 0
    for item in PRESETS.values():
        print(f"{item.name}\n  {item.title}. {item.text}\n  {item.expected} {item.takes}")
        print(f"  {item.source}\n")
    return 0


# Following


def follow(run: Run) -> int:
    """Show a run's progress until it ends; Ctrl-C asks it to stop and waits for its checkpoint."""
    columns = (BarColumn(), TextColumn("{task.percentage:>3.0f}%"), TextColumn("{task.description}", markup=False))
    with Progress(*columns, console=Console(stderr=True, highlight=False)) as bar:
        task = bar.add_task("Starting", total=None)
        while True:
            try:
                status = run.status()
                bar.update(
                    task,
                    description=plain(described(run, status)),
                    completed=status.step,
                    total=status.steps or None,
                )
                if status.state not in (*ACTIVE, "queued"):
                    break
                time.sleep(FOLLOW_SECONDS)
            except KeyboardInterrupt:
                actions.send_request(run, "stop")
    if status.state in ("failed", "interrupted"):
        echo(f"cnnlab: {run.id} {status.state}: {status.message}", error=True)
        return 2
    return 0


def described(run: Run, status: Status) -> str:
    if status.state == "running":
        epoch = min(status.step // status.steps_per_epoch + 1, status.epochs)
        words = [f"epoch {epoch}/{status.epochs}"]
        if status.images_per_second:
            words.append(f"{status.images_per_second:.0f} images/s")
        if status.seconds_left is not None:
            words.append(f"{units.duration(status.seconds_left)} left")
        if best := run.best_epoch():
            words.append(f"best validation accuracy {units.percent(best['validation_accuracy'])}")
        return ", ".join(words)
    if status.state == "queued":
        waiting = queue.read(run.folder.parent).waiting
        place = waiting.index(run.id) + 1 if run.id in waiting else 1
        return f"waiting in the queue, place {place}"
    return status.message or status.state


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
    actions.resume(run)
    return left_or_followed(run, options)


def extend_run(options: argparse.Namespace) -> int:
    run = run_of(options)
    actions.extend(run, options.epochs)
    return left_or_followed(Run(run.folder), options)


def restart_run(options: argparse.Namespace) -> int:
    made = actions.restart(run_of(options), checkpoint_of(options.checkpoint), pairs(options.set))
    return left_or_followed(made, options)


def duplicate_run(options: argparse.Namespace) -> int:
    return left_or_followed(actions.duplicate(network_of(options), pairs(options.set), folder_of(options)), options)


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
    if options.parallel is not None:
        queue.set_parallel(folder, options.parallel)
    if options.move:
        name, position = options.move
        if not re.fullmatch("[0-9]{1,9}", position) or not int(position):
            raise UserError(f"--move takes a run and a position from 1, not {position!r}.")
        queue.move(networks.own_run(name, folder), int(position))
    now = queue.read(folder)
    working = [name for name in now.working if Run(folder / name).status().state in ACTIVE]
    if options.json:
        print_json({"parallel": now.parallel, "working": working, "waiting": now.waiting})
        return 0
    print(f"At most {now.parallel} at a time.")
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
    if status.state in ACTIVE and (note := launchers.unknown(run.folder)):
        echo(note)
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
