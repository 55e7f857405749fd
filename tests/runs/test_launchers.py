"""Where a run executes is its launcher's business: submitted for as long as that takes, counted, ended, recognised."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from cnnlab import runs
from cnnlab.errors import UserError
from cnnlab.runs import actions, launchers, queue
from cnnlab.runs.launchers import LAUNCHER_FILE, LAUNCHERS
from cnnlab.runs.run import Run
from cnnlab.runs.status import ACTIVE
from cnnlab.storage import here, process
from cnnlab.storage.files import write_text
from cnnlab.storage.process import HEARTBEAT_FILE, PROCESS_FILE, ProcessRecord, is_alive, record_process
from tests.conftest import (
    Output,
    assert_one_line,
    digits_experiment,
    ended_process,
    process_of,
    wait_for_end,
    wait_until,
)

HOUR = 3600.0


class Far:
    """A launcher of another machine, with a queue of its own that moves slowly."""

    def __init__(self) -> None:
        self.has: list[str] = []
        self.ended: list[str] = []
        self.refusal = ""

    def submit(self, folder: Path, threads: int = 0) -> None:
        if self.refusal:
            raise UserError(self.refusal)
        self.has.append(folder.name)

    def is_alive(self, folder: Path) -> bool:
        return folder.name in self.has

    def end(self, folder: Path) -> None:
        self.has.remove(folder.name)
        self.ended.append(folder.name)

    def note(self, folder: Path) -> str | None:
        return None


@pytest.fixture
def far(monkeypatch: pytest.MonkeyPatch) -> Far:
    launcher = Far()
    monkeypatch.setitem(LAUNCHERS, "far", launcher)
    monkeypatch.setattr(queue, "ensure_dispatcher", lambda folder: None)
    return launcher


@pytest.fixture
def made(runs_dir: Path) -> Callable[[], Run]:
    """A run that `far` is to execute."""

    def make() -> Run:
        run = runs.create(digits_experiment(epochs=1), runs_dir)
        launchers.choose(run.folder, "far")
        return run

    return make


def hours_pass(run: Run) -> None:
    then = time.time() - HOUR
    run.write_status(run.status().model_copy(update={"updated": then}))
    os.utime(run.folder / LAUNCHER_FILE, (then, then))


def test_a_launcher_that_takes_hours_leaves_the_run_submitted(far: Far, made: Callable[[], Run]) -> None:
    run = made()
    queue.enqueue(run)
    assert far.has == [run.id]
    assert run.status().state == "submitted"
    hours_pass(run)
    status = run.status()
    assert status.state == "submitted"
    assert status.seconds_worked(time.time()) == 0, "waiting is no work"
    assert status.silence(time.time()) is None


def test_a_submitted_run_takes_a_place_in_the_queue(
    far: Far, made: Callable[[], Run], call: Callable[..., Output]
) -> None:
    first, second = made(), made()
    queue.enqueue(first)
    queue.enqueue(second)
    folder = first.folder.parent
    assert (queue.read(folder).working, queue.read(folder).waiting) == ([first.id], [second.id])
    assert call("queue", "--json", "--runs-dir", str(folder)).json()["working"] == [first.id]
    (folder / queue.QUEUE_FILE).write_text("{")
    assert queue.read(folder).working == [first.id], "also where the queue's file is damaged"
    for refused in (actions.delete, actions.resume, lambda run: actions.extend(run, 1)):
        with pytest.raises(UserError, match="submitted"):
            refused(first)


@pytest.mark.parametrize(
    ("request_", "state"), [("stop", "stopped"), ("stop-after-epoch", "stopped"), ("pause", "paused")]
)
def test_a_submitted_run_is_ended_at_once_and_makes_way(
    far: Far, made: Callable[[], Run], request_: str, state: str
) -> None:
    first, second = made(), made()
    queue.enqueue(first)
    queue.enqueue(second)
    actions.send_request(first, request_)  # type: ignore[arg-type]
    assert far.ended == [first.id]
    assert first.status().state == state
    assert_one_line(first.status().message, "before its training began")
    queue.advance(first.folder.parent)
    assert second.status().state == "submitted"
    actions.resume(first)
    assert first.request() is None, "no request is left for its next start"
    assert first.status().state == "queued"


@pytest.mark.parametrize("words", [("pause",), ("stop",), ("stop", "--after-epoch")])
@pytest.mark.parametrize("state", ["submitted", "queued"])
def test_what_has_not_begun_is_taken_out_by_every_command_which_says_so(
    far: Far, made: Callable[[], Run], call: Callable[..., Output], words: tuple[str, ...], state: str
) -> None:
    runs_made = [made(), made()]
    for run in runs_made:
        queue.enqueue(run)
    chosen = next(run for run in runs_made if run.status().state == state)
    said = call(words[0], chosen.id, *words[1:], "--runs-dir", str(chosen.folder.parent))
    assert (said.code, said.out.strip()) == (0, chosen.id)
    told = "before its training began" if state == "submitted" else "out of the queue"
    assert_one_line(said.err.strip(), chosen.id, told, "paused" if words == ("pause",) else "stopped")


def test_a_run_whose_launcher_this_version_does_not_know_is_neither_called_dead_nor_ended(
    made: Callable[[], Run], monkeypatch: pytest.MonkeyPatch, call: Callable[..., Output]
) -> None:
    monkeypatch.setitem(LAUNCHERS, "far", Far())
    run = made()
    record_process(run.folder, ended_process())
    write_text(run.folder / LAUNCHER_FILE, '{"launcher": "nebula", "cluster": "1"}')
    show = ("show", run.id, "--runs-dir", str(run.folder.parent))
    for state in ("submitted", "starting", "preparing", "running"):
        run.write_status(run.status().model_copy(update={"state": state}))
        hours_pass(run)
        assert run.status().state == state
        (said,) = [line for line in call(*show).out.splitlines() if "nebula" in line]
        assert_one_line(said, "does not know")
    run.write_status(run.status().model_copy(update={"state": "submitted"}))
    record_process(run.folder, os.getpid())
    with pytest.raises(UserError, match="nebula") as refused:
        actions.send_request(run, "stop")  # this test would end here
    assert_one_line(str(refused.value), "Use the version")
    assert run.status().state == "submitted"
    run.write_status(run.status().model_copy(update={"state": "running"}))
    actions.send_request(run, "stop")
    assert run.request() == "stop", "one at work is asked through its folder, wherever it executes"
    run.write_status(run.status().model_copy(update={"state": "stopped"}))
    assert "nebula" not in call(*show).out
    actions.resume(run)
    assert run.status().state == "failed"
    assert_one_line(run.status().message, "nebula", LAUNCHER_FILE)
    (run.folder / LAUNCHER_FILE).unlink()
    assert launchers.chosen(run.folder) == "local"


def test_a_run_that_its_launcher_has_lost_is_interrupted_and_can_be_resumed(far: Far, made: Callable[[], Run]) -> None:
    run = made()
    queue.enqueue(run)
    far.has.clear()
    status = run.status()
    assert status.state == "interrupted"
    assert_one_line(status.message, "never begun")
    actions.resume(run)
    assert run.status().state == "submitted"


def test_a_launcher_that_refuses_says_why_and_the_next_run_goes_on(far: Far, made: Callable[[], Run]) -> None:
    first, second = made(), made()
    far.refusal = "The cluster at http://far does not answer."
    queue.enqueue(first)
    assert first.status().state == "failed"
    assert_one_line(first.status().message, "does not answer")
    far.refusal = ""
    queue.enqueue(second)
    assert second.status().state == "submitted"


def test_what_the_training_writes_stands_once_it_has_begun(far: Far, made: Callable[[], Run]) -> None:
    run = made()
    queue.enqueue(run)
    for state in ("starting", "preparing", "running", "completed"):
        run.write_status(run.status().model_copy(update={"state": state}))
        assert run.status().state == state
    far.has.clear()
    assert run.status().state == "completed"


def test_a_launcher_is_chosen_by_name(made: Callable[[], Run]) -> None:
    assert launchers.chosen(Path("nowhere")) == "local"
    with pytest.raises(UserError, match="'near'"):
        launchers.choose(Path("nowhere"), "near")


@pytest.mark.slow
def test_a_local_run_goes_from_submitted_over_starting_and_is_ended_while_it_loads(runs_dir: Path) -> None:
    run = runs.create(digits_experiment(epochs=1), runs_dir)
    queue.enqueue(run)
    assert run.status().state in ACTIVE
    assert launchers.chosen(run.folder) == "local"
    assert wait_for_end(run).state == "completed"
    other = runs.create(digits_experiment(epochs=1), runs_dir)
    runs.start(other)
    assert other.status().state == "submitted"
    training = process_of(other)
    actions.send_request(other, "stop")
    assert other.status().state == "stopped"
    wait_until(other, lambda: not is_alive(other.folder), "ended")
    assert not training.is_running() or training.status() == psutil.STATUS_ZOMBIE


# Who is meant by a process's number


def recorded(run: Run, **changes: str | None) -> None:
    """This very process is recorded as the one at work, but for some of what makes its number mean it."""
    record_process(run.folder, os.getpid())
    record = process.record_in(run.folder)
    assert record
    write_text(run.folder / PROCESS_FILE, record.model_copy(update=changes).model_dump_json())


@pytest.fixture
def run(runs_dir: Path) -> Run:
    run = runs.create(digits_experiment(epochs=1), runs_dir)
    run.write_status(run.status().model_copy(update={"state": "running"}))
    return run


def beat(run: Run, ago: float = 0.0) -> None:
    (run.folder / HEARTBEAT_FILE).touch()
    os.utime(run.folder / HEARTBEAT_FILE, (time.time() - ago, time.time() - ago))


def test_a_process_is_known_by_its_boot_and_container_whatever_its_host_is_called(run: Run) -> None:
    recorded(run)
    assert run.status().state == "running"
    recorded(run, host="renamed-since")
    assert run.status().state == "running", "without a heartbeat too: it is this very process"


def test_a_record_of_another_boot_is_not_the_living_process_of_that_number(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded(run, boot="an earlier one")
    assert run.status().state == "interrupted"
    monkeypatch.setattr(psutil, "boot_time", lambda: time.time() - 10)
    beat(run, ago=20)
    assert run.status().state == "interrupted", "it was alive a moment ago, but before this boot"


def test_another_machine_of_the_same_name_is_judged_by_its_heartbeat(run: Run) -> None:
    recorded(run, boot="that of the other machine")
    beat(run)
    assert run.status().state == "running"


def test_the_same_number_in_another_container_is_judged_by_its_heartbeat(run: Run) -> None:
    recorded(run, container="pid:[1]")
    assert run.status().state == "interrupted", "the process of that number here is another"
    beat(run)
    assert run.status().state == "running"
    beat(run, ago=HOUR)
    assert run.status().state == "interrupted"


def test_a_process_of_another_container_is_never_killed(run: Run) -> None:
    for changes in ({"container": "pid:[1]"}, {"boot": "an earlier one"}, {"host": "elsewhere", "boot": None}):
        recorded(run, **changes)
        beat(run)
        process.end(run.folder)  # or this test would end here


def test_records_of_earlier_versions_are_read(run: Run) -> None:
    start_time = psutil.Process().create_time()
    record = ProcessRecord(pid=os.getpid(), start_time=start_time, host=here.socket.gethostname())
    write_text(run.folder / PROCESS_FILE, record.model_dump_json(include={"pid", "start_time", "host"}))
    assert run.status().state == "running"


def test_a_clock_that_was_set_makes_no_other_boot() -> None:
    assert here.same_boot("1700000000", "1700000003")
    assert not here.same_boot("1700000000", "1700009999")
    assert not here.same_boot("20408ad7-1cc8-4a47-bf0e-50704b40fa16", "1700000000")
