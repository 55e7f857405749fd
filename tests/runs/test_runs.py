from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import h5py
import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnlab import architectures, runs
from cnnlab.errors import UserError
from cnnlab.experiments.experiment import plan
from cnnlab.experiments.recipe import make_recipe
from cnnlab.runs.run import Checkpoint, CheckpointInfo, Run
from cnnlab.runs.status import Status
from cnnlab.storage.files import append_record, read_records, tail, write_text
from cnnlab.storage.process import HEARTBEAT_FILE, PROCESS_FILE, ProcessRecord, is_alive, record_process, seconds_silent
from tests.conftest import assert_one_line, digits_experiment


@pytest.fixture
def run(runs_dir: Path) -> Run:
    """A run that was created and never started."""
    return runs.create(digits_experiment(epochs=5), runs_dir)


def says(run: Run, **status: object) -> None:
    write_text(run.folder / "status.json", Status.model_validate(status).model_dump_json())


def works_on(run: Run, pid: int, start_time: float | None = None, host: str | None = None) -> None:
    record = ProcessRecord(
        pid=pid,
        start_time=psutil.Process(pid).create_time() if start_time is None else start_time,
        host=host or socket.gethostname(),
    )
    write_text(run.folder / PROCESS_FILE, record.model_dump_json())


def checkpoint(run: Run, step: int, accuracy: float | None = None, loss: float | None = None) -> None:
    folder = run.folder / "checkpoints" / f"step-{step:08d}"
    folder.mkdir(parents=True)
    info = CheckpointInfo(step=step, epoch=step / 20, validation_accuracy=accuracy, validation_loss=loss)
    (folder / "checkpoint.json").write_text(info.model_dump_json())
    with h5py.File(folder / "model.weights.h5", "w") as weights:
        weights.create_dataset("kernel", data=[1.0])


# Files


def test_a_written_file_holds_the_text_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    for text in ("one", "two ä\n", ""):
        write_text(tmp_path / "status.json", text)
        assert (tmp_path / "status.json").read_text(encoding="utf-8") == text
    assert os.listdir(tmp_path) == ["status.json"]  # noqa: PTH208


def test_a_write_that_fails_leaves_the_old_text_and_nothing_beside_it(tmp_path: Path) -> None:
    write_text(tmp_path / "status.json", "old")
    with pytest.raises(UnicodeEncodeError):
        write_text(tmp_path / "status.json", "new \ud800")
    assert (tmp_path / "status.json").read_text() == "old"
    assert os.listdir(tmp_path) == ["status.json"]  # noqa: PTH208


def test_a_reader_sees_the_old_text_or_the_new_one_and_nothing_between(tmp_path: Path) -> None:
    path, texts = tmp_path / "status.json", {"a" * 100_000, "b" * 10}
    write_text(path, "b" * 10)
    ended = threading.Event()

    def write() -> None:
        for _ in range(100):
            for text in texts:
                write_text(path, text)
        ended.set()

    writer = threading.Thread(target=write)
    writer.start()
    seen = set()
    while not ended.is_set():
        seen.add(path.read_text())
    writer.join()
    assert seen <= texts


def test_records_come_back_in_order(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    assert read_records(path, "epoch") == []
    records = [{"epoch": epoch, "loss": 1 / epoch} for epoch in range(1, 6)]
    for record in records:
        append_record(path, record)
    assert read_records(path, "epoch") == records


@pytest.mark.parametrize("torn", ['{"epoch": 3, "lo', '{"epoch"', "{", '{"epoch": 3, "loss": 0.1'])
def test_a_torn_last_line_is_tolerated(tmp_path: Path, torn: str) -> None:
    path = tmp_path / "history.jsonl"
    path.write_text('{"epoch": 1}\n{"epoch": 2}\n' + torn)
    assert read_records(path, "epoch") == [{"epoch": 1}, {"epoch": 2}]


def test_a_record_after_a_torn_line_is_not_lost(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    path.write_text('{"epoch": 1}\n{"epoch": 2, "lo')
    append_record(path, {"epoch": 2})
    append_record(path, {"epoch": 3})
    assert read_records(path, "epoch") == [{"epoch": 1}, {"epoch": 2}, {"epoch": 3}]


@pytest.mark.parametrize(
    "garbage",
    [
        "",
        "garbage",
        "null",
        "7",
        "[1, 2]",
        '"text"',
        "{}",
        '{"step": 4}',
        '{"epoch": null}',
        '{"epoch": "two"}',
        "\0" * 8,
    ],
)
def test_a_garbled_line_is_skipped(tmp_path: Path, garbage: str) -> None:
    path = tmp_path / "history.jsonl"
    path.write_text('{"epoch": 1}\n' + garbage + '\n{"epoch": 2}\n')
    assert read_records(path, "epoch") == [{"epoch": 1}, {"epoch": 2}]


def test_a_garbled_first_line_is_skipped(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    path.write_text('{"epoch": "one"}\n{"epoch": 1}\n')
    assert read_records(path, "epoch") == [{"epoch": 1}]


def test_bytes_that_are_no_text_are_skipped(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    path.write_bytes(b'{"epoch": 1}\n\xff\xfe\x80\n{"epoch": 2}\n')
    assert read_records(path, "epoch") == [{"epoch": 1}, {"epoch": 2}]


def test_of_epochs_that_a_resume_repeated_the_later_ones_stand(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    for epoch, attempt in [(1, "a"), (2, "a"), (3, "a"), (4, "a"), (3, "b"), (4, "b"), (4, "c"), (5, "c")]:
        append_record(path, {"epoch": epoch, "attempt": attempt})
    assert [(record["epoch"], record["attempt"]) for record in read_records(path, "epoch")] == [
        (1, "a"),
        (2, "a"),
        (3, "b"),
        (4, "c"),
        (5, "c"),
    ]


@given(st.lists(st.integers(1, 9), max_size=20))
def test_records_always_rise_and_end_with_the_last_written(
    tmp_path_factory: pytest.TempPathFactory, epochs: list[int]
) -> None:
    path = tmp_path_factory.mktemp("records") / "history.jsonl"
    for attempt, epoch in enumerate(epochs):
        append_record(path, {"epoch": epoch, "attempt": attempt})
    read = [(record["epoch"], record["attempt"]) for record in read_records(path, "epoch")]
    assert [epoch for epoch, _ in read] == sorted({epoch for epoch, _ in read})
    assert [attempt for _, attempt in read] == sorted(attempt for _, attempt in read)
    if epochs:
        assert read[-1] == (epochs[-1], len(epochs) - 1)


def test_the_tail_of_a_log_is_its_last_lines(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    assert tail(path) == ""
    path.write_text("".join(f"line {number}\n" for number in range(10_000)))
    assert tail(path, 3) == "line 9997\nline 9998\nline 9999"


def test_of_a_line_that_was_redrawn_the_tail_shows_what_stands_at_its_end(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_bytes(b"start\r\n10%\r50%\r100%\r\ndone \xff\n\n  \n70%\r80%")
    assert tail(path) == "start\n100%\ndone �\n80%"


def test_the_tail_of_a_large_log_is_read_from_its_end(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_bytes(b"x" * 5_000_000 + b"\nend\n")
    assert len(tail(path)) < 100_000
    assert tail(path, 1) == "end"


# Creating, finding and listing


def test_a_new_run_holds_what_was_asked_for(run: Run) -> None:
    experiment = digits_experiment(epochs=5)
    assert run.id.startswith("minivggnet-digits-2")
    assert run.config.id == run.id
    assert run.config.experiment == experiment
    assert run.network == architectures.build("minivggnet", experiment.options)
    assert run.config.versions["tensorflow"]
    assert run.history() == run.steps() == run.checkpoints() == []
    assert run.best_epoch() is None
    assert run.log() == ""


def test_runs_created_in_the_same_second_have_ids_of_their_own(runs_dir: Path) -> None:
    made = [runs.create(digits_experiment(), runs_dir) for _ in range(4)]
    assert len({run.id for run in made}) == 4
    assert all(runs.find(run.id, runs_dir) == run for run in made)


def test_a_folder_that_takes_no_runs_is_refused_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("a file")
    with pytest.raises(UserError) as refused:
        runs.create(digits_experiment(), tmp_path / "runs")
    assert_one_line(str(refused.value), str(tmp_path / "runs"))


def named(runs_dir: Path, name: str, created: str = "2026-01-01T00:00:00.000+00:00") -> Run:
    """A run of a chosen id and moment."""
    made = runs.create(digits_experiment(), runs_dir)
    config = json.loads((made.folder / "config.json").read_text())
    (made.folder / "config.json").write_text(json.dumps({**config, "id": name, "created": created}))
    made.folder.rename(runs_dir / name)
    return Run(runs_dir / name)


def test_a_run_is_found_by_its_id_or_by_a_beginning_that_is_its_alone(runs_dir: Path) -> None:
    short, long, other = (named(runs_dir, name) for name in ("a-digits-1", "a-digits-12", "b-digits-1"))
    assert runs.find("a-digits-1", runs_dir) == short
    assert runs.find("a-digits-12", runs_dir) == long
    assert runs.find("b", runs_dir) == other


def test_a_beginning_of_several_ids_is_refused(runs_dir: Path) -> None:
    for name in ("a-digits-1", "a-digits-12"):
        named(runs_dir, name)
    with pytest.raises(UserError) as refused:
        runs.find("a-dig", runs_dir)
    assert_one_line(str(refused.value), "'a-dig'", "2 runs")


@pytest.mark.parametrize(
    "name",
    ["nothing", "", ".", "..", "../secret", "../runs/a-digits-1", "a-digits-1/", "/etc", "*", "a*", "A\n", "a\0"],
)
def test_what_is_no_run_is_refused_and_never_leads_out_of_the_folder(runs_dir: Path, name: str) -> None:
    named(runs_dir, "a-digits-1")
    shutil.copytree(runs_dir / "a-digits-1", runs_dir.parent / "secret")
    with pytest.raises(UserError) as refused:
        runs.find(name, runs_dir)
    assert_one_line(str(refused.value), "There is no run")


def test_runs_are_listed_newest_first(runs_dir: Path) -> None:
    for name, created in [("b", "2026-02-01"), ("c", "2026-03-01"), ("a", "2026-01-01"), ("d", "2025-12-31")]:
        named(runs_dir, name, f"{created}T10:00:00.000+00:00")
    assert [run.id for run in runs.listing(runs_dir)] == ["c", "b", "a", "d"]


def test_a_folder_without_runs_lists_none(tmp_path: Path) -> None:
    assert runs.listing(tmp_path) == []
    assert runs.listing(tmp_path / "not there") == []


@pytest.mark.parametrize("config", [b"", b"{", b"null", b"[]", b'{"id": "x"}', b"\xff\xfe", None])
def test_a_broken_run_does_not_hide_the_others(runs_dir: Path, config: bytes | None) -> None:
    good, broken = named(runs_dir, "good"), named(runs_dir, "broken")
    if config is None:
        (broken.folder / "config.json").unlink()
    else:
        (broken.folder / "config.json").write_bytes(config)
    (runs_dir / "notes.txt").write_text("not a run")
    assert runs.listing(runs_dir) == [good]
    assert runs.find("good", runs_dir) == good
    with pytest.raises(UserError):
        runs.find("broken", runs_dir).config  # noqa: B018  (nor is it there, where it was never begun)


@pytest.mark.parametrize("name", ["network.json", "status.json", "history.jsonl", "data.json"])
def test_a_run_with_a_damaged_file_is_still_listed_and_summed_up(run: Run, name: str) -> None:
    (run.folder / name).write_bytes(b"\xff{garbage")
    assert [runs.summary(found)["id"] for found in runs.listing(run.folder.parent)] == [run.id]


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", None])
def test_a_damaged_network_file_is_said_in_one_line(run: Run, content: bytes | None) -> None:
    (run.folder / "network.json").unlink()
    if content is not None:
        (run.folder / "network.json").write_bytes(content)
    with pytest.raises(UserError) as refused:
        Run(run.folder).network  # noqa: B018
    assert_one_line(str(refused.value))


def test_runs_stand_where_one_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CNNLAB_RUNS", str(tmp_path / "mine"))
    assert runs.runs_folder() == tmp_path / "mine"
    assert runs.runs_folder(str(tmp_path / "other")) == tmp_path / "other"
    monkeypatch.delenv("CNNLAB_RUNS")
    monkeypatch.chdir(tmp_path)
    assert runs.runs_folder() == tmp_path / "runs"


# History and checkpoints


def epochs(run: Run, *figures: tuple[float, float]) -> None:
    for number, (accuracy, loss) in enumerate(figures, start=1):
        append_record(
            run.folder / "history.jsonl",
            {
                "epoch": number,
                "step": number * 20,
                "loss": loss,
                "accuracy": accuracy,
                "validation_accuracy": accuracy,
                "validation_loss": loss,
            },
        )


def test_the_best_epoch_has_the_highest_accuracy_and_of_equals_the_lowest_loss(run: Run) -> None:
    epochs(run, (0.8, 0.5), (0.9, 0.4), (0.9, 0.3), (0.85, 0.1))
    best = run.best_epoch()
    assert best is not None
    assert best["epoch"] == 3


def test_the_best_run_of_an_architecture_is_told_for_each_data_set(runs_dir: Path) -> None:
    experiments = [digits_experiment(), digits_experiment(), plan("minivggnet", "cifar10", {}, make_recipe())]
    made = [runs.create(experiment, runs_dir) for experiment in experiments]
    for run, accuracy in zip(made, (0.7, 0.9, 0.5), strict=True):
        epochs(run, (accuracy, 0.4), (accuracy - 0.1, 0.3))
    runs.create(plan("nin", "digits", {}, make_recipe()), runs_dir)
    best = runs.best_runs(runs_dir)
    assert set(best) == {"minivggnet"}
    assert {(run.id, record["validation_accuracy"]) for run, record in best["minivggnet"]} == {
        (made[1].id, 0.9),
        (made[2].id, 0.5),
    }


def test_a_summary_is_a_run_in_a_line(run: Run) -> None:
    epochs(run, (0.8, 0.5), (0.9, 0.4), (0.7, 0.6))
    says(run, state="stopped", message="Stopped.", started=1000.0, worked=90.0, epochs=5)
    assert runs.summary(run) == {
        "id": run.id,
        "name": "",
        "tags": (),
        "group": None,
        "preset": None,
        "created": run.config.created,
        "state": "stopped",
        "message": "Stopped.",
        "place": "local",
        "architecture": "minivggnet",
        "network": "MiniVGGNet",
        "dataset": "digits",
        "epochs_done": 3,
        "epochs": 5,
        "best_validation_accuracy": 0.9,
        "best_epoch": 2,
        "seconds": 90.0,
        "usable": False,
        "problems": (),
    }


def test_the_best_checkpoint_is_the_best_validated_and_the_last_the_latest(run: Run) -> None:
    checkpoint(run, 20, 0.8, 0.5)
    checkpoint(run, 40, 0.9, 0.4)
    checkpoint(run, 60, 0.9, 0.6)
    checkpoint(run, 67)
    assert run.checkpoint("best").info.step == 40
    assert run.checkpoint("last").info.step == 67
    assert [point.info.step for point in run.checkpoints()] == [20, 40, 60, 67]


def test_where_no_checkpoint_was_validated_the_latest_is_the_best(run: Run) -> None:
    checkpoint(run, 7)
    checkpoint(run, 9)
    assert run.checkpoint("best").info.step == 9


def test_an_incomplete_checkpoint_is_none(run: Run) -> None:
    checkpoint(run, 20, 0.8, 0.5)
    checkpoint(run, 40, 0.9, 0.4)
    (run.folder / "checkpoints" / "step-00000040" / "checkpoint.json").write_text('{"step": 40, "ep')
    (run.folder / "checkpoints" / ".step-00000060.partial").mkdir()
    assert [point.info.step for point in run.checkpoints()] == [20]


def test_a_run_without_a_checkpoint_says_so(run: Run) -> None:
    with pytest.raises(UserError) as refused:
        run.checkpoint()
    assert_one_line(str(refused.value), run.id, "no checkpoint")


def test_all_checkpoints_but_the_kept_are_deleted(run: Run) -> None:
    for step in (20, 40, 60):
        checkpoint(run, step, 0.5, 0.5)
    kept: list[Checkpoint] = run.checkpoints()[1:2]
    run.delete_checkpoints_except(kept)
    assert run.checkpoints() == kept


def test_a_stop_is_asked_for_through_the_directory(run: Run) -> None:
    assert run.request() is None
    Run(run.folder).send_request("stop")
    assert run.request() == "stop"
    run.withdraw_request()
    assert run.request() is None


# Liveness


@pytest.mark.parametrize("state", ["starting", "preparing", "running"])
def test_a_run_at_work_is_what_it_says_as_long_as_its_process_lives(run: Run, state: str) -> None:
    says(run, state=state, step=3)
    works_on(run, os.getpid())
    assert (run.status().state, run.status().step) == (state, 3)


@pytest.mark.parametrize("state", ["starting", "preparing", "running"])
def test_a_run_at_work_whose_process_is_gone_is_interrupted(run: Run, state: str) -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    says(run, state=state, seconds_left=10.0)
    works_on(run, process.pid)
    assert run.status().state == state
    process.send_signal(signal.SIGKILL)
    process.communicate()
    status = run.status()
    assert status.state == "interrupted"
    assert status.seconds_left is None
    assert_one_line(status.message, "no checkpoint yet")


def test_an_interrupted_run_says_whether_its_checkpoint_can_be_used(run: Run) -> None:
    says(run, state="running")
    works_on(run, os.getpid(), start_time=1.0)
    checkpoint(run, 20, 0.9, 0.3)
    assert "resumed from its last checkpoint" in run.status().message


def test_an_interrupted_run_ended_with_its_last_heartbeat(run: Run) -> None:
    says(run, state="running", started=1000.0)
    (run.folder / HEARTBEAT_FILE).touch()
    os.utime(run.folder / HEARTBEAT_FILE, (1234.0, 1234.0))
    assert run.status().ended == 1234.0


def test_another_process_that_got_the_same_pid_is_not_taken_for_the_training(run: Run) -> None:
    says(run, state="running")
    works_on(run, os.getpid(), start_time=psutil.Process().create_time() - 100)
    assert run.status().state == "interrupted"
    assert not is_alive(run.folder)


def test_a_zombie_is_dead(run: Run) -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    says(run, state="running")
    record_process(run.folder, process.pid)
    assert is_alive(run.folder)
    process.kill()
    deadline = time.monotonic() + 30
    while psutil.Process(process.pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
    assert run.status().state == "interrupted"
    process.communicate()


@pytest.mark.parametrize("state", ["completed", "stopped", "failed"])
def test_a_run_that_ended_stays_what_it_became(run: Run, state: str) -> None:
    says(run, state=state, message="It is over.", ended=5.0)
    assert (run.status().state, run.status().message) == (state, "It is over.")


@pytest.mark.parametrize("content", [b"", b"{", b'{"state": "dancing"}', b"\xff", None])
def test_a_run_without_a_readable_status_is_interrupted_and_says_why(run: Run, content: bytes | None) -> None:
    (run.folder / "status.json").unlink()
    if content is not None:
        (run.folder / "status.json").write_bytes(content)
    works_on(run, os.getpid())
    assert run.status().state == "interrupted"
    assert_one_line(run.status().message, "status file")


@pytest.mark.parametrize("content", [b"", b"{", b'{"pid": "x"}', b"\xff"])
def test_a_damaged_process_record_is_no_process(run: Run, content: bytes) -> None:
    says(run, state="running")
    (run.folder / PROCESS_FILE).write_bytes(content)
    assert run.status().state == "interrupted"


def test_a_process_on_another_machine_is_judged_by_its_heartbeat(run: Run) -> None:
    says(run, state="running")
    works_on(run, os.getpid(), host="elsewhere")
    assert run.status().state == "interrupted"
    (run.folder / HEARTBEAT_FILE).touch()
    assert run.status().state == "running"
    long_ago = time.time() - 3600
    os.utime(run.folder / HEARTBEAT_FILE, (long_ago, long_ago))
    assert run.status().state == "interrupted"
    assert seconds_silent(run.folder) > 3000
