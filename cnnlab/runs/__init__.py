"""The runs folder: create a run, start it, find it, list them."""

from __future__ import annotations

import os
import platform
import re
import shutil
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TypedDict

from cnnlab import hardware
from cnnlab.cluster import ClusterError
from cnnlab.errors import UserError
from cnnlab.experiments.experiment import Experiment
from cnnlab.runs import health, launchers
from cnnlab.runs.config import Parent, RunConfig, TrialOf, command_line, git_commit, versions
from cnnlab.runs.initial import copy_weights
from cnnlab.runs.place import update_record
from cnnlab.runs.records import EpochRecord, best_of
from cnnlab.runs.run import STATE_FILE, WEIGHTS_FILE, Labels, Run
from cnnlab.runs.status import ACTIVE, State, Status
from cnnlab.storage import process
from cnnlab.storage.files import make_reserve, reason, write_text

LEFT_BY_TRAINING = ("history.jsonl", "checkpoints", process.PROCESS_FILE, "log.txt")
"""A folder with one of these is a run that has lost its config.json."""
MAKING_SECONDS = 5.0

ID = re.compile(r"[a-z0-9][a-z0-9_-]*")


def runs_folder(named: str | None = None) -> Path:
    """Where runs stand: the folder named, or CNNLAB_RUNS, or `runs` in the current folder."""
    return Path(named or os.environ.get("CNNLAB_RUNS") or "runs").expanduser().resolve()


def create(
    experiment: Experiment,
    folder: Path,
    *,
    preset: str | None = None,
    group: str | None = None,
    parent: Parent | None = None,
    labels: Labels | None = None,
    source: Run | None = None,
    trial: TrialOf | None = None,
    name: str | None = None,
) -> Run:
    """Write a new run, not yet started; UserError where the folder does not take it.

    `source` is where the first weights come from if the experiment names some; else a run of that name in `folder`.
    `name` is its id, which is else made of what it trains and when.
    """
    now = datetime.now(UTC)
    stem = name or f"{experiment.architecture}-{experiment.dataset}-{now:%Y%m%d-%H%M%S}"
    initial = experiment.initial
    if initial and source is None:
        source = find(initial.run, folder)
    run: Run | None = None
    try:
        run = Run(new_folder(folder, stem))
        config = RunConfig(
            id=run.id,
            created=now.isoformat(timespec="milliseconds"),
            experiment=experiment,
            versions=versions(),
            machine=f"{platform.machine()}, {os.cpu_count()} processors, {platform.system()}",
            hardware=hardware.describe(),
            commit=git_commit(),
            command=command_line(),
            preset=preset,
            group=group,
            parent=parent,
            trial=trial,
        )
        write_text(run.folder / "network.json", experiment.network.to_json())
        if initial and source:
            copy_weights(source, initial, run)
        if labels:
            write_text(run.folder / "labels.json", labels.model_dump_json())
        run.write_status(Status(started=time.time(), updated=time.time(), epochs=experiment.recipe.epochs))
        run.log_event("created", f"Goes on from {parent.run} after epoch {parent.epoch:g}." if parent else "")
        make_reserve(run.folder)
        write_text(run.folder / "config.json", config.model_dump_json(indent=1))
    except OSError as error:
        if run:
            shutil.rmtree(run.folder, ignore_errors=True)
        raise UserError(f"A run cannot be written to {folder}: {reason(error, folder)}.") from error
    return run


def new_folder(parent: Path, stem: str) -> Path:
    """A folder that did not exist, `stem` with a number where that is taken."""
    parent.mkdir(parents=True, exist_ok=True)
    number = 1
    while True:
        candidate = parent / (stem if number == 1 else f"{stem}-{number}")
        try:
            candidate.mkdir()
        except FileExistsError:
            number += 1
        else:
            return candidate


def start(run: Run, threads: int = 0) -> None:
    """Have the run's launcher begin or go on with its training; UserError where that cannot be done.

    Where a cluster does not answer, which is a ClusterError, the run's state stays what it was.
    """
    before = run.status()
    changes = {"state": "submitted", "message": "", "ended": None, "seconds_left": None, "updated": time.time()}
    try:
        run.withdraw_request()
        (run.folder / process.PROCESS_FILE).unlink(missing_ok=True)
        if not launchers.is_unknown(run.folder):
            update_record(run.folder, {"job": ""})  # written anew: it says when the run was submitted
        run.write_status(before.model_copy(update=changes))
        run.launcher.submit(run.folder, threads)
    except ClusterError as error:  # nothing is wrong with the run: it waits where it was
        run.write_status(before.model_copy(update={"message": str(error)}))
        raise
    except UserError as error:
        run.fail(f"It could not be started: {error} Mend that, then resume it.")
        raise
    except OSError as error:
        why = reason(error, run.folder)
        run.fail(f"It could not be started: {why}. Mend that, then resume it.")
        raise UserError(f"Run {run.id} cannot be started: {why}.") from error


def find(name: str, folder: Path) -> Run:
    """The run of that id, or of an id that begins so, a damaged one too; UserError if there is none or several."""
    matching: list[Run] = []
    if ID.fullmatch(name):
        if is_run(folder / name):  # its exact id: no other folder is looked at
            return Run(folder / name)
        matching = [run for run in every(folder) if run.id.startswith(name)]
    if len(matching) == 1:
        return matching[0]
    if matching:
        raise UserError(f"{name!r} begins the ids of {len(matching)} runs; write more of it.")
    raise UserError(f"There is no run {name!r} in {folder}.")


def every(folder: Path) -> list[Run]:
    """All runs, also those whose configuration is damaged or gone, in no order; not what was never begun."""
    return [Run(path) for path in run_folders(folder) if is_run(path)]


def is_run(path: Path) -> bool:
    """Whether a folder holds a run; its config.json is written last, so one that is being made is none yet."""
    if (path / "config.json").exists() or any((path / name).exists() for name in LEFT_BY_TRAINING):
        return True
    made = modified(path / "status.json")
    return bool(made) and time.time() - made / 1e9 > MAKING_SECONDS


def listing(folder: Path) -> list[Run]:
    """All readable runs, newest first."""
    runs = []
    for path in folder.glob("*/config.json"):
        run = Run(path.parent)
        try:
            run.config  # noqa: B018  (read and keep it)
        except UserError:
            continue
        runs.append(run)
    return sorted(runs, key=lambda run: run.config.created, reverse=True)


def best_runs(folder: Path) -> dict[str, list[tuple[Run, EpochRecord]]]:
    """By architecture, the run with the highest validation accuracy on each data set, with its best epoch's record."""
    best: dict[tuple[str, str], tuple[Run, EpochRecord]] = {}
    for run in listing(folder):
        key = run.config.experiment.architecture, run.config.experiment.dataset
        epoch = run.best_epoch()
        if epoch and (key not in best or epoch["validation_accuracy"] > best[key][1]["validation_accuracy"]):
            best[key] = (run, epoch)
    found: dict[str, list[tuple[Run, EpochRecord]]] = {}
    for (architecture, _), item in best.items():
        found.setdefault(architecture, []).append(item)
    return found


class RunSummary(TypedDict):
    """A run in a line; `created` in UTC, `seconds` at work, `place` the launcher that has it; `usable` where it can be
    asked about images. `problems` says what of it is damaged; of one whose configuration is, `architecture`, `network`
    (its title) and `dataset` are empty."""

    id: str
    name: str
    tags: tuple[str, ...]
    group: str | None
    preset: str | None
    created: str
    state: State
    message: str
    place: str
    architecture: str
    network: str
    dataset: str
    epochs_done: int
    epochs: int
    best_validation_accuracy: float | None
    best_epoch: int | None
    seconds: float | None
    usable: bool
    problems: tuple[str, ...]


def summary(run: Run) -> RunSummary:
    """What a list of runs shows of one."""
    status, history, labels = run.status(), run.history(), run.labels()
    found = health.problems(run)
    best = best_of(history)
    config = config_of(run)
    experiment = config.experiment if config else None
    return RunSummary(
        id=run.id,
        name=labels.name,
        tags=labels.tags,
        group=config.group if config else None,
        preset=config.preset if config else None,
        created=config.created if config else created_of(run),
        state=status.state,
        message=status.message,
        place=launchers.chosen(run.folder),
        architecture=experiment.architecture if experiment else "",
        network=experiment.title if experiment else "",
        dataset=experiment.dataset if experiment else "",
        epochs_done=health.epochs_done(run, status),
        epochs=experiment.recipe.epochs if experiment else status.epochs,
        best_validation_accuracy=best["validation_accuracy"] if best else None,
        best_epoch=best["epoch"] if best else None,
        seconds=status.seconds_worked(time.time()),
        usable=health.usable(run, found),
        problems=tuple(map(str, found)),
    )


def config_of(run: Run) -> RunConfig | None:
    try:
        return run.config
    except UserError:
        return None


def created_of(run: Run) -> str:
    """When a run was made whose configuration does not say it: as its id has it, else its folder."""
    if found := re.search(r"-(\d{8}-\d{6})(-\d+)?$", run.id):
        with suppress(ValueError):
            return datetime.strptime(found[1], "%Y%m%d-%H%M%S").replace(tzinfo=UTC).isoformat(timespec="milliseconds")
    return datetime.fromtimestamp(modified(run.folder) / 1e9, UTC).isoformat(timespec="milliseconds")


SUMMED_UP = ("config.json", "network.json", "data.json", "status.json", "labels.json", "history.jsonl", "launcher.json")
SAVED = ("checkpoint.json", WEIGHTS_FILE, STATE_FILE)
_summaries: dict[Path, tuple[tuple[int, ...], RunSummary]] = {}
"""Summaries of runs at rest with the times of their files, so that thousands cost a look at each and no more."""


def summaries(folder: Path) -> list[RunSummary]:
    """The summaries of all runs, the damaged ones too, newest first."""
    found = []
    for path in run_folders(folder):
        signature = signature_of(path)
        kept = _summaries.get(path)
        if kept is None or kept[0] != signature or kept[1]["state"] in (*ACTIVE, "queued"):
            if not is_run(path):
                continue
            kept = _summaries[path] = (signature, summary(Run(path)))
        found.append(kept[1])
    return sorted(found, key=lambda item: item["created"], reverse=True)


def signature_of(path: Path) -> tuple[int, ...]:
    """The times of a run's files that its summary tells of, by the quickest way: thousands are looked at."""
    found = [changed(f"{path}/{name}") for name in SUMMED_UP]
    try:
        points = sorted(entry.path for entry in os.scandir(f"{path}/checkpoints") if entry.name.startswith("step-"))
    except OSError:
        points = []
    return (*found, *(changed(f"{point}/{name}") for point in points for name in SAVED))


def run_folders(folder: Path) -> list[Path]:
    """The folders that may hold runs."""
    try:
        return [Path(entry.path) for entry in os.scandir(folder) if entry.is_dir() and not entry.name.startswith(".")]
    except FileNotFoundError:
        return []


def modified(path: Path) -> int:
    return changed(str(path))


def changed(path: str) -> int:
    """When a file was last changed, in nanoseconds; 0 where there is none."""
    try:
        return os.stat(path).st_mtime_ns  # noqa: PTH116
    except OSError:
        return 0
