"""What Ray says of a run is heard only before the training has begun; a run that it loses is queued again, so often."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cnnlab import runs
from cnnlab.runs import actions, launchers, queue, ray
from cnnlab.runs.place import LAUNCHER_FILE, RAY, Place, place_of, record_of
from cnnlab.runs.run import Run
from cnnlab.storage.process import PROCESS_FILE, record_process
from cnnlab.training.process import main
from tests.cluster.head import Head, head
from tests.conftest import Output, assert_one_line, digits_experiment, ended_process

LONG_AGO = 3600.0


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> Iterator[Head]:
    monkeypatch.setattr(queue, "ensure_dispatcher", lambda folder: None)
    monkeypatch.setattr(queue, "_unanswered", {})
    monkeypatch.setattr(ray, "ASKED_SECONDS", 0.0)
    monkeypatch.setattr(ray, "MOST_A_SECOND", 1e9)
    monkeypatch.setattr(ray, "UNANSWERED_SECONDS", 0.0)
    monkeypatch.setattr(queue, "UNANSWERED_SECONDS", 0.0)
    with head() as one:
        monkeypatch.setenv("CNNLAB_RAY", one.address)
        yield one


@pytest.fixture
def made(runs_dir: Path) -> Callable[..., Run]:
    def make(place: Place | None = None) -> Run:
        run = runs.create(digits_experiment(epochs=1), runs_dir)
        queue.enqueue(run, place=place or place_of(RAY, 2))
        return run

    return make


def time_passes(run: Run) -> None:
    then = time.time() - LONG_AGO
    os.utime(run.folder / LAUNCHER_FILE, (then, then))


def test_a_job_that_waits_for_hours_is_submitted_and_says_for_what(there: Head, made: Callable[..., Run]) -> None:
    run = made()
    (job,) = there.jobs.values()
    assert job["entrypoint_num_cpus"] == 2
    assert job["runtime_env"]["env_vars"]["CNNLAB_THREADS"] == "2"
    time_passes(run)
    assert run.status().state == "submitted"
    assert_one_line(run.launcher.note(run.folder) or "", "2 processors free")


def test_a_head_that_is_gone_says_nothing_about_its_runs(
    there: Head, made: Callable[..., Run], monkeypatch: pytest.MonkeyPatch, runs_dir: Path
) -> None:
    run = made()
    time_passes(run)
    record = record_of(run.folder)
    launchers.write_record(run.folder, record.model_copy(update={"address": "http://127.0.0.1:9"}))
    time_passes(run)
    assert run.status().state == "submitted"
    assert_one_line(run.launcher.note(run.folder) or "", "Nothing answers")
    waiting = made(Place(RAY, record.resources, "http://127.0.0.1:9"))
    assert waiting.status().state == "queued", "it is not the run's fault"
    assert_one_line(waiting.status().message, "Nothing answers")
    here = made(Place())
    assert here.status().state != "queued", "what waits for the cluster holds up nobody here"
    here.launcher.end(here.folder)
    launchers.move(waiting.folder, place_of(RAY))
    queue.advance(runs_dir)
    assert (waiting.status().state, waiting.status().message) == ("submitted", "")


def test_a_job_that_was_lost_is_queued_again_three_times_and_then_says_so(
    there: Head, made: Callable[..., Run], runs_dir: Path
) -> None:
    run = made()
    for times in (1, 2, 3):
        there.say("FAILED", message="node died")
        time_passes(run)
        queue.advance(runs_dir)
        assert run.status().state == "submitted"
        assert record_of(run.folder).again == times
    there.say("FAILED", message="node died")
    time_passes(run)
    queue.advance(runs_dir)
    status = run.status()
    assert status.state == "interrupted"
    assert_one_line(status.message, "node died", "queued again 3 times")
    told = [event["message"] for event in run.events() if event["event"] == "queued"]
    assert [words[:18] for words in told[-3:]] == [f"Again by itself, {times}" for times in (1, 2, 3)]
    actions.resume(run)
    assert record_of(run.folder).again == 0, "a person begins it anew"


def test_waiting_for_room_costs_none_of_its_times(there: Head, made: Callable[..., Run], runs_dir: Path) -> None:
    run = made()
    for _ in range(5):
        there.say("FAILED", error_type="JOB_SUPERVISOR_ACTOR_START_TIMEOUT", message="no room")
        time_passes(run)
        queue.advance(runs_dir)
        assert (run.status().state, record_of(run.folder).again) == ("submitted", 0)


def test_a_head_begun_anew_has_lost_its_jobs_which_are_submitted_again(
    there: Head, made: Callable[..., Run], runs_dir: Path
) -> None:
    run = made()
    there.jobs.clear()
    assert run.status().state == "submitted", "it may still be on its way"
    time_passes(run)
    queue.advance(runs_dir)
    assert len(there.jobs) == 1
    assert run.status().state == "submitted"


@pytest.mark.parametrize("said", ["SUCCEEDED", "FAILED", "STOPPED"])
def test_ray_is_never_believed_over_what_a_run_wrote(there: Head, made: Callable[..., Run], said: str) -> None:
    run = made()
    record_process(run.folder, os.getpid())  # its training has begun, and lives
    run.write_status(run.status().model_copy(update={"state": "running"}))
    there.say(said)
    time_passes(run)
    assert run.status().state == "running"
    run.write_status(run.status().model_copy(update={"state": "completed"}))
    there.say("FAILED" if said == "SUCCEEDED" else "RUNNING")
    assert run.status().state == "completed"


def test_a_lost_run_that_was_asked_to_stop_is_not_begun_again(
    there: Head, made: Callable[..., Run], runs_dir: Path
) -> None:
    run = made()
    record_process(run.folder, ended_process())
    run.write_status(run.status().model_copy(update={"state": "running"}))
    run.send_request("pause")
    queue.advance(runs_dir)
    assert run.status().state == "interrupted"
    assert len(there.jobs) == 1


def test_a_job_that_begins_after_its_run_was_taken_away_ends_by_itself(
    there: Head, made: Callable[..., Run], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = made()
    (job,) = there.jobs
    actions.send_request(run, "stop")
    assert there.stopped == [job]
    monkeypatch.setenv("CNNLAB_JOB", job)
    assert main(run) == 0
    assert "before this one began" in capsys.readouterr().out
    assert run.status().state == "stopped"
    assert not (run.folder / PROCESS_FILE).exists()


def test_each_place_has_its_own_limit(there: Head, made: Callable[..., Run], runs_dir: Path) -> None:
    queue.set_parallel(runs_dir, 2, RAY)
    far = [made() for _ in range(3)]
    assert [run.status().state for run in far] == ["submitted", "submitted", "queued"]
    here = made(Place())
    assert here.status().state != "queued"
    here.launcher.end(here.folder)
    actions.send_request(far[0], "stop")
    queue.advance(runs_dir)
    assert far[2].status().state == "submitted"


def test_a_run_goes_on_where_it_is_sent(
    there: Head, made: Callable[..., Run], call: Callable[..., Output], runs_dir: Path
) -> None:
    run = made()
    where = ("--runs-dir", str(runs_dir))
    assert "Ray cluster with 2 processors" in call("show", run.id, *where).out
    assert call("runs", "--json", *where).json()[0]["place"] == RAY
    actions.send_request(run, "pause")
    said = call("resume", run.id, "--on", "ray", "--cpus", "1", "--gpus", "1", "--detach", *where)
    assert said.code == 0
    assert list(there.jobs.values())[-1]["entrypoint_num_gpus"] == 1
    actions.send_request(run, "pause")
    call("resume", run.id, "--on", "local", "--detach", *where)
    assert launchers.chosen(run.folder) == "local"
    run.launcher.end(run.folder)


def test_the_trials_of_a_sweep_are_trained_where_it_says(
    there: Head, call: Callable[..., Output], runs_dir: Path
) -> None:
    what = ("--architecture", "minivggnet", "--dataset", "digits", "--values", "seed=0,1,2")
    words = (*what, "--on", "ray", "--cpus", "2")
    said = call("sweep", *words, "--runs-dir", str(runs_dir))
    assert said.code == 0
    trials = said.out.split()
    assert {launchers.chosen(runs_dir / name) for name in trials} == {RAY}
    assert [job["entrypoint_num_cpus"] for job in there.jobs.values()] == [2, 2, 2]


def test_a_training_on_a_node_starts_nothing_there(
    there: Head, made: Callable[..., Run], monkeypatch: pytest.MonkeyPatch, runs_dir: Path
) -> None:
    monkeypatch.setenv("CNNLAB_JOB", "some-job")
    run = made(Place())
    assert run.status().state == "queued", "it would be trained on the node"
    monkeypatch.delenv("CNNLAB_JOB")
    queue.withdraw(run)
