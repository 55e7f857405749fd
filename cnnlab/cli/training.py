"""Commands that train: start, queue and follow runs."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from cnnlab import runs, units
from cnnlab.cli.former import preset_of, read_former
from cnnlab.cli.output import echo, pairs, print_json
from cnnlab.complaints import once
from cnnlab.datasets.images import Pixels, read_image
from cnnlab.datasets.unpacking import file_bytes
from cnnlab.design import store
from cnnlab.errors import UserError
from cnnlab.experiments.experiment import Experiment, plan, replan
from cnnlab.experiments.presets import PRESETS, preset
from cnnlab.experiments.recipe import FLAT_FIELDS, default_of, make_recipe, refuse_idle, settings_of
from cnnlab.network import Network
from cnnlab.network.file import read_network
from cnnlab.runs import actions, film, launchers, queue
from cnnlab.runs.generalization import queue_all
from cnnlab.runs.initial import initial_from
from cnnlab.runs.place import Place, place_of, reached
from cnnlab.runs.run import Run
from cnnlab.runs.status import ACTIVE, Status
from cnnlab.text import plain
from cnnlab.zoo import catalogue as networks

FOLLOW_SECONDS = 0.25


def folder_of(options: argparse.Namespace) -> Path:
    """The runs folder, whose queue is resumed by every command."""
    folder = runs.runs_folder(options.runs_dir)
    queue.resume_queue(folder)
    return folder


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
    network = None if options.network is None else network_given(options.network)
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


def network_given(text: str) -> Network:
    """The network in a file, or a design that is kept: `design:NAME`."""
    return store.find(text).network if text.startswith(store.OF_DESIGN) else read_network(Path(text))


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


def place_asked(options: argparse.Namespace, run: Run | None = None) -> Place | None:
    """Where the options ask to train, which must answer; None where they say nothing of it.

    Without --on, a run's place stays and is asked for more or less.
    """
    given = (options.on, options.cpus, options.gpus, options.memory)
    if all(one is None for one in given):
        return None
    on = options.on or (launchers.chosen(run.folder) if run else None)
    return reached(place_of(on, options.cpus, options.gpus, options.memory))


def run_training(options: argparse.Namespace) -> int:
    experiment, named, source = experiment_of(options)
    place = place_asked(options)
    own = film_image_of(options, experiment)
    run = runs.create(experiment, folder_of(options), preset=named, group=options.group, source=source)
    if own is not None:
        film.keep_own_image(run, own)
    if options.name:
        run.relabel(name=options.name)
    queue.enqueue(run, place=place)
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
                if status.state not in (*ACTIVE, "queued") and not queue.is_lost(run, status):
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
        return f"waiting in the queue, place {place}" + (f": {status.message}" if status.message else "")
    return word_of(run, status)


def word_of(run: Run, status: Status) -> str:
    """What is known of a run that trains not yet: by itself, or else by its launcher."""
    note = run.launcher.note(run.folder) if status.state == "submitted" else None
    return note or status.message or status.state
