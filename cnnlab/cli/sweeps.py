"""`sweep`: start a sweep, list them, look at one, pause it, resume it, add trials."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import datetime
from typing import Any

from cnnlab import units
from cnnlab.cli.output import echo, pairs, print_json, print_table
from cnnlab.cli.training import experiment_of, folder_of, place_asked
from cnnlab.errors import UserError
from cnnlab.experiments.recipe import FLAT_FIELDS, settings_of
from cnnlab.runs.sweeps import going
from cnnlab.runs.sweeps.overview import Overview, overview
from cnnlab.runs.sweeps.record import SearchName, Sweep, find, listing
from cnnlab.runs.sweeps.rules import Stopping
from cnnlab.runs.sweeps.space import left_out, read_values
from cnnlab.runs.sweeps.trial import said

OF_A_NEW_ONE = (
    *("values", "search", "sample", "search_seed", "stop", "min_epochs", "factor"),
    *("preset", "recipe", "in_epochs", "architecture", "network", "dataset", "set"),
    *("from_run", "take", "freeze_epochs", "logger", "group", "on", "cpus", "gpus", "memory"),
)
ACTIONS = ("start", "list", "show", "pause", "resume", "add")
SWEEP_COLUMNS = ("id", "name", "state", "trials", "best validation accuracy", "epochs")
TRIAL_COLUMNS = ("trial", "state", "best validation accuracy", "epochs", "settings")


def run_sweep(options: argparse.Namespace) -> int:
    """Whatever `sweep` was asked to do."""
    act: Callable[[argparse.Namespace], int] = {
        "start": start,
        "list": show_sweeps,
        "show": show_sweep,
        "pause": lambda given: changed(given, going.pause),
        "resume": lambda given: changed(given, going.resume),
        "add": lambda given: changed(given, lambda sweep: going.add_trials(sweep, wanted(given))),
    }[options.action]
    if options.action in ("start", "list") and options.sweep is not None:
        raise UserError(f"`sweep {options.action}` takes no name, but got {options.sweep!r}.")
    if options.action in ("show", "pause", "resume", "add") and options.sweep is None:
        raise UserError(f"`sweep {options.action}` needs the sweep's id or name; `sweep list` names them.")
    if options.action != "start":
        refuse_settings(options)
    return act(options)


def refuse_settings(options: argparse.Namespace) -> None:
    """UserError where something was given that only a new sweep takes."""
    known = (*OF_A_NEW_ONE, *FLAT_FIELDS, *(() if options.action == "add" else ("trials",)))
    given = [name for name in known if getattr(options, name) not in (None, [], 0, "none")]
    if given:
        raise UserError(f"`sweep {options.action}` takes no --{given[0].replace('_', '-')}: only a new sweep does.")


def start(options: argparse.Namespace) -> int:
    if options.values is None:
        raise UserError("Say what to try, as --values learning_rate=0.1,0.01 or learning_rate=0.0001..0.1.")
    experiment, named, source = experiment_of(options)
    values = read_values(pairs(options.values, "--values"), experiment)
    search, trials = search_of(options)
    if note := left_out(values, settings_of(experiment.recipe)):
        echo(note, error=True)
    made = going.start(
        experiment,
        values,
        folder_of(options),
        search=search,
        trials=trials,
        stopping=stopping_of(options),
        seed=options.search_seed,
        name=options.group,
        preset=named,
        source=source,
        place=place_asked(options),
    )
    if options.json:
        print_json(as_json(overview(made)))
        return 0
    for trial in made.trials():
        print(trial.run.id)
    return 0


def search_of(options: argparse.Namespace) -> tuple[SearchName, int | None]:
    """How to search, and in how many trials. `--sample N` is short for a random search of N."""
    search: SearchName | None = options.search
    if options.sample is None:
        return search or "grid", options.trials
    if search in ("grid", "bayes") or options.trials is not None:
        other = f"--search {search}" if options.trials is None else f"--trials {options.trials}"
        raise UserError(f"--sample {options.sample} is a random search of so many trials; leave out {other}.")
    return "random", options.sample


def stopping_of(options: argparse.Namespace) -> Stopping:
    given = {"min_epochs": options.min_epochs, "factor": options.factor}
    chosen = {name: value for name, value in given.items() if value is not None}
    if options.stop == "none" and chosen:
        raise UserError(f"--{next(iter(chosen)).replace('_', '-')} belongs to a rule; name one by --stop.")
    if options.stop == "median" and "factor" in chosen:
        raise UserError("--factor belongs to asha and halving; the median has none.")
    for name, low, high in (("min_epochs", 1, 10_000), ("factor", 2, 16)):
        if not low <= chosen.get(name, low) <= high:
            raise UserError(f"--{name.replace('_', '-')} {chosen[name]}: choose from {low} to {high:,}.")
    return Stopping(rule=options.stop, **chosen)


def wanted(options: argparse.Namespace) -> int:
    if options.trials is None:
        raise UserError("Say how many trials to add, as --trials 10.")
    return int(options.trials)


def changed(options: argparse.Namespace, change: Callable[[Sweep], None]) -> int:
    sweep = find(options.sweep, folder_of(options))
    change(sweep)
    print(sweep.id)
    return 0


# Looking


def show_sweeps(options: argparse.Namespace) -> int:
    shown = []
    for sweep in listing(folder_of(options)):
        try:
            shown.append(overview(sweep))
        except UserError as error:
            echo(f"cnnlab: {error}", error=True)
    if options.json:
        print_json([summary(one) for one in shown])
        return 0
    rows = [
        (
            one.sweep.id,
            one.record.name if one.record.name != one.sweep.id else "",
            one.state,
            f"{len(one.trials)}/{one.record.trials}",
            units.percent(one.best.best["validation_accuracy"]) if one.best and one.best.best else "–",
            f"{one.epochs_trained}/{one.epochs_of_all}",
        )
        for one in shown
    ]
    print_table(SWEEP_COLUMNS, rows, right=(3, 4, 5))
    return 0


def show_sweep(options: argparse.Namespace) -> int:
    sweep = find(options.sweep, folder_of(options))
    going.go_on(sweep)
    shown = overview(sweep)
    if options.json:
        print_json(as_json(shown))
        return 0
    record = shown.record
    echo(f"{sweep.id}  {record.name if record.name != sweep.id else ''}".rstrip())
    echo(f"{shown.state}: {shown.what}")
    for name, choices in record.space.items():
        echo(f"  {name}: {', '.join(map(str, choices)) if isinstance(choices, list) else choices}")
    echo(shown.spent)
    rows = [
        (
            str(trial.number),
            trial.state,
            units.percent(trial.best["validation_accuracy"]) if trial.best else "–",
            f"{trial.epoch}/{trial.status.epochs if trial.status else '–'}",
            ", ".join(f"{name} {value}" for name, value in trial.changes.items()),
        )
        for trial in shown.trials
    ]
    print_table(TRIAL_COLUMNS, rows, right=(0, 2, 3))
    if shown.importances:
        echo("Settings, by how much they matter for being in the better half:")
        echo(*(f"  {name} {share:.0%}" for name, share in shown.importances.items()))
    for decision in shown.decisions:
        when = datetime.fromtimestamp(decision["time"]).astimezone()
        echo(f"{when:%d %b %H:%M:%S}  trial {decision['trial']}: {said(decision)}")
    if shown.best:
        echo(f"Best: trial {shown.best.number}, {shown.best.run.id}", *shown.best.run.command().splitlines())
    return 0


def summary(shown: Overview) -> dict[str, Any]:
    best = shown.best
    return {
        "id": shown.sweep.id,
        "name": shown.record.name,
        "state": shown.state,
        "search": shown.record.search,
        "stop": shown.record.stopping.rule,
        "trials": shown.record.trials,
        "trials_made": len(shown.trials),
        "epochs_trained": shown.epochs_trained,
        "epochs_of_all": shown.epochs_of_all,
        "best_trial": best.number if best else None,
        "best_run": best.run.id if best else None,
        "best_validation_accuracy": best.best["validation_accuracy"] if best and best.best else None,
    }


def as_json(shown: Overview) -> dict[str, Any]:
    return {
        **summary(shown),
        "space": shown.record.model_dump(mode="json")["space"],
        "stopping": shown.record.stopping.model_dump(mode="json"),
        "importances": shown.importances,
        "trials": [
            {
                "number": trial.number,
                "run": trial.run.id,
                "state": trial.state,
                "changes": dict(trial.changes),
                "epochs": trial.epoch,
                "best_validation_accuracy": trial.best["validation_accuracy"] if trial.best else None,
                "problem": trial.problem or None,
            }
            for trial in shown.trials
        ],
        "decisions": [{**decision, "said": said(decision)} for decision in shown.decisions],
    }
