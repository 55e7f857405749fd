"""Machines: what is free where, which runs are where; Train and a run's page, which offer a cluster."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cnnlab import runs
from cnnlab.runs import queue
from cnnlab.runs.place import RAY, place_of
from cnnlab.runs.status import Status
from tests.cluster.head import Head, head
from tests.conftest import NOWHERE, assert_one_line, digits_experiment, unescaped
from tests.pages.conftest import OpenPage

MANY = 200


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> Iterator[Head]:
    monkeypatch.setattr(queue, "ensure_dispatcher", lambda folder: None)
    with head() as one:
        monkeypatch.setenv("CNNLAB_RAY", one.address)
        yield one


def labels(app: object) -> set[str]:
    return {one.label for one in (*app.selectbox, *app.number_input, *app.button)}  # type: ignore[attr-defined]


def test_without_a_cluster_it_says_how_to_get_one_and_nothing_else_asks_where(open_page: OpenPage) -> None:
    app = open_page("machines")
    assert "CNNLAB_RAY" in unescaped(app.info[0].value)
    assert not app.dataframe
    assert "Check the cluster" not in labels(app)
    assert "Where" not in labels(open_page("train"))


def test_a_cluster_that_does_not_answer_is_said_and_the_rest_is_shown(
    open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CNNLAB_RAY", NOWHERE)
    app = open_page("machines")
    assert not app.exception
    (said,) = [unescaped(error.value) for error in app.error]
    assert_one_line(said, "Nothing answers", NOWHERE)
    assert any(metric.label == "Processors" for metric in app.metric)


def test_nodes_and_two_hundred_runs_are_shown_with_the_node_of_each(
    open_page: OpenPage, there: Head, runs_dir: Path
) -> None:
    there.nodes = [(0, 1), (1, 1), (2, 4)]
    queue.set_parallel(runs_dir, MANY // 2, RAY)
    experiment, place = digits_experiment(epochs=1), place_of(RAY, 1)
    for _ in range(MANY):
        queue.enqueue(runs.create(experiment, runs_dir), place=place)
    for number, job in enumerate(there.jobs.values()):
        job.update(status="RUNNING", driver_node_id=f"{1 + number % 2:06}")
    app = open_page("machines", runs_dir)
    assert not app.exception
    nodes, placed = (frame.value for frame in app.dataframe)
    assert list(nodes["Processors taken"]) == [0, 100, 50]
    assert list(nodes["Runs"]) == [0, MANY // 4, MANY // 4]
    assert nodes["Node"][0] == "node-0 (000000), head"
    assert len(placed) == MANY
    assert list(placed["State"]).count("submitted") == MANY // 2
    assert any("100 queued" in caption.value and "100 submitted" in caption.value for caption in app.caption)


def test_train_and_a_stopped_run_offer_the_cluster(open_page: OpenPage, there: Head, runs_dir: Path) -> None:
    app = open_page("train", runs_dir)
    where = next(one for one in app.selectbox if one.label == "Where")
    where.select(RAY).run()
    assert {"Processors", "GPUs", "Memory (GB)"} <= labels(app)
    assert any(code.value.endswith("--on ray --cpus 1") for code in app.code)
    run = runs.create(digits_experiment(epochs=1), runs_dir)
    run.write_status(Status(state="stopped", epochs=1))
    assert "Go on there" in labels(open_page("run", runs_dir, run=run.id))
