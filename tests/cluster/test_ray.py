"""A real Ray of three nodes on this computer: the same results, no finished epoch lost, and no false word."""

from __future__ import annotations

import importlib.util
import stat
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from cnnlab import runs
from cnnlab.cluster import ClusterError
from cnnlab.cluster.check import check
from cnnlab.cluster.client import Client
from cnnlab.runs import actions, queue
from cnnlab.runs.place import RAY, Place, place_of, record_of
from cnnlab.runs.run import Run
from cnnlab.storage.progress import silent
from tests.cluster.rays import TOKEN, RealRay
from tests.conftest import (
    PATIENCE,
    assert_one_line,
    digits_experiment,
    kill_trainings,
    process_of,
    wait_for_end,
    wait_until,
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("ray") is None,
        reason="Ray is not installed: pip install -r requirements-cluster.txt",
    ),
]
SEEDS = (0, 1)
EPOCHS = 12
FIGURES = ("epoch", "loss", "accuracy", "validation_loss", "validation_accuracy")
ODD_CLOCK = """#!/bin/sh
exec {python} -c "
import runpy, sys, time
true = time.time
time.time = lambda: true() + 60
sys.argv = sys.argv[2:]
import importlib.metadata as m
version = m.version
m.version = lambda name: '3.0.0' if name == 'keras' else version(name)
runpy.run_module(sys.argv[0], run_name='__main__', alter_sys=True)
" "$@"
"""
OTHER_FOLDER = """#!/bin/sh
exec unshare -rm sh -c 'mount -t tmpfs none "$0" && exec {python} "$@"' {folder} "$@"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    made = tmp_path_factory.mktemp("shared") / "runs"
    made.mkdir()
    yield made
    for name in queue.read(made).waiting:  # else a dispatcher would wait for the cluster for ever
        queue.withdraw(Run(made / name))
    kill_trainings(made)


@pytest.fixture(scope="module")
def cluster(folder: Path) -> Iterator[RealRay]:
    """Three nodes of one processor each; one more whose clock and Keras are others."""
    patch = pytest.MonkeyPatch()
    real = RealRay()
    patch.setenv("RAY_AUTH_TOKEN", TOKEN)
    patch.setenv("CNNLAB_RAY", real.address)
    try:
        real.start_head()
        real.start_nodes({}, {})
        yield real
    finally:
        real.remove()
        patch.undo()


@pytest.fixture(scope="module")
def twins(folder: Path) -> dict[int, Run]:
    """The same trainings on this computer, by seed."""
    return {seed: queued(folder, seed, place_of("local", 1)) for seed in SEEDS}


def experiment(seed: int, epochs: int) -> Any:
    return digits_experiment(epochs=epochs, seed=seed, deterministic=True, film=False)


def queued(folder: Path, seed: int, place: Place, epochs: int = EPOCHS) -> Run:
    run = runs.create(experiment(seed, epochs), folder)
    queue.enqueue(run, place=place)
    return run


def figures(run: Run) -> list[list[Any]]:
    return [[epoch[name] for name in FIGURES] for epoch in run.history()]  # type: ignore[literal-required]


def epochs_of(run: Run, count: int) -> Callable[[], bool]:
    return lambda: len(run.history()) >= count


def again(run: Run) -> list[str]:
    return [event["message"] for event in run.events() if event["event"] == "queued" and event["message"]]


def raylet_of(run: Run) -> psutil.Process:
    """The process of Ray's that is the node on which a run is at work."""
    return next(one for one in process_of(run).parents() if one.name() == "raylet")


def one_on_a_node_of_its_own(some: list[Run]) -> Run:
    """A run that has trained two epochs on a node that is not the head, without which nothing goes on."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        for run in some:
            with suppress(psutil.Error, StopIteration, OSError):
                trains = run.status().state == "running" and len(run.history()) >= 2
                if trains and "--head" not in raylet_of(run).cmdline():
                    return run
        time.sleep(0.02)
    raise AssertionError("none trains on a node of its own")


def test_runs_on_three_nodes_end_as_they_do_here_though_a_process_and_a_node_are_killed(
    cluster: RealRay, folder: Path, twins: dict[int, Run]
) -> None:
    there = [queued(folder, seed, place_of(RAY, 1)) for _ in range(2) for seed in SEEDS]
    killed = there[0]
    wait_until(killed, epochs_of(killed, 2), "trained two epochs")
    process_of(killed).kill()
    lost = one_on_a_node_of_its_own(there[1:])
    before = len(lost.history())
    raylet_of(lost).kill()
    wait_until(killed, lambda: again(killed), "been queued again")
    for run in there:
        wait_until(run, lambda run=run: run.status().state == "completed", "completed")  # type: ignore[misc]
    jobs = Client(cluster.address).jobs()
    assert len({job.driver_node_id for job in jobs.values()}) == 3, "each of the three has trained"
    for run in there:
        twin = twins[run.config.experiment.recipe.seed]
        wait_for_end(twin)
        assert figures(run) == figures(twin), run.id
    for run in (killed, lost):
        assert_one_line(again(run)[0], "1 of at most 3")
    assert len(lost.history()) == EPOCHS >= before


def test_a_run_goes_from_here_to_the_cluster_and_back_exactly(
    cluster: RealRay, folder: Path, twins: dict[int, Run]
) -> None:
    run = queued(folder, 0, place_of("local", 1))
    for place in (RAY, "local"):
        wait_until(run, lambda: run.status().state in ("preparing", "running"), "begun")
        assert ("raylet" in {one.name() for one in process_of(run).parents()}) == (place == "local")
        actions.send_request(run, "stop-after-epoch")
        assert wait_for_end(run).state == "stopped"
        actions.resume(run, place_of(place, 1))
    assert wait_for_end(run).state == "completed"
    assert figures(run) == figures(twins[0])
    assert [event["event"] for event in run.events()].count("resumed") == 2


def test_what_is_wrong_with_a_cluster_is_said(
    cluster: RealRay, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripts = []
    for name, text in (("clock", ODD_CLOCK), ("folder", OTHER_FOLDER)):
        scripts.append(tmp_path / name)
        scripts[-1].write_text(text.format(python=sys.executable, folder=folder))
        scripts[-1].chmod(scripts[-1].stat().st_mode | stat.S_IXUSR)
    cluster.start_nodes(*({"CNNLAB_PYTHON": str(script)} for script in scripts))
    found = check(cluster.address, folder, silent)
    said = "\n".join(found.problems)
    assert "The clock of" in said
    assert "60 s ahead" in said
    assert "keras 3.0.0 instead of" in said
    assert f"does not see {folder}" in said or "Operation not permitted" in said
    assert all(len(problem.splitlines()) == 1 for problem in found.problems)
    assert sum(not node.problems for node in found.nodes) >= 2
    much = queued(folder, 0, place_of(RAY, 64))
    wait_until(much, lambda: "64 processors" in (much.launcher.note(much.folder) or ""), "waited for room")
    assert much.status().state == "submitted"
    actions.send_request(much, "stop")
    assert much.status().state == "stopped"
    monkeypatch.setenv("RAY_AUTH_TOKEN", "another")
    with pytest.raises(ClusterError) as refused:
        Client(cluster.address).version()
    assert_one_line(str(refused.value), "token was refused")


def test_a_head_that_dies_and_comes_back_loses_no_run(cluster: RealRay, folder: Path) -> None:
    run = queued(folder, 1, place_of(RAY, 1), epochs=60)
    wait_until(run, epochs_of(run, 3), "trained three epochs")
    cluster.kill_all()
    wait_until(run, lambda: run.status().state == "queued", "lost its node")
    later = queued(folder, 0, place_of(RAY, 1), epochs=2)
    wait_until(run, lambda: "Nothing answers" in run.status().message, "said why it waits, as the first in line")
    assert later.status().state == "queued"
    kept = len(run.history())
    cluster.start_head()
    cluster.start_nodes({})
    wait_until(run, epochs_of(run, kept + 1), "gone on")
    assert any(event["event"] == "resumed" for event in run.events())
    actions.send_request(run, "stop")
    assert wait_for_end(run).state == "stopped"
    assert wait_for_end(later).state == "completed"
    assert [epoch["epoch"] for epoch in run.history()] == list(range(1, len(run.history()) + 1))
    assert record_of(run.folder).again == 1
