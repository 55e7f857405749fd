"""What killed processes leave of files in the making: the next start removes it, and nothing that is still made."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from cnnlab import runs
from cnnlab.runs.run import Run
from cnnlab.storage import jobs
from cnnlab.storage.files import write_text
from cnnlab.storage.leftovers import DAY, THIS_PLACE, partial_of, sweep, written_aside
from tests.conftest import PATIENCE, PROJECT, digits_experiment, ended_process, wait_for_end

WRITER = """
import sys
from pathlib import Path
from cnnlab.storage.leftovers import partial_of
path = partial_of(Path(sys.argv[1]) / "status.json")
path.write_text("half")
print(path, flush=True)
sys.stdin.read()
"""


def aged(path: Path, seconds: float) -> Path:
    then = time.time() - seconds
    os.utime(path, (then, then))
    return path


def file(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("half")
    return path


def folder(path: Path) -> Path:
    file(path / "train_images.npy")
    return path


def test_a_file_in_the_making_stays_while_its_process_lives_and_goes_when_it_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    with subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout
        path = Path(writer.stdout.readline().strip())
        sweep(tmp_path)
        assert path.exists(), "its process lives"
        writer.send_signal(signal.SIGKILL)
    sweep(tmp_path)
    assert not path.exists()


def test_what_goes_and_what_stays(tmp_path: Path) -> None:
    ended, own = ended_process(), os.getpid()
    before_us = time.time() - psutil.Process().create_time() + 100  # when another had our number
    gone = [
        file(tmp_path / f".status.json.{THIS_PLACE}.{ended}.0123abcd.partial"),
        folder(tmp_path / f".cifar10.{THIS_PLACE}.{ended}.0123abcd.partial"),
        file(tmp_path / "runs" / "one" / f".predictions.npz.{THIS_PLACE}.{ended}.0123abcd.partial"),
        file(tmp_path / f".status.json.{ended}"),  # as earlier versions named them
        aged(file(tmp_path / f".queue.json.{THIS_PLACE}.{own}.0123abcd.partial"), before_us),
        aged(file(tmp_path / ".status.json.elsewhere.1.0123abcd.partial"), DAY + 60),
        aged(file(tmp_path / ".keras.zip.part"), DAY + 60),
    ]
    old = folder(tmp_path / "cifar10.0123abcd.partial")
    aged(old / "train_images.npy", DAY + 60)
    gone.append(aged(old, DAY + 60))
    growing = folder(tmp_path / ".mine.elsewhere.1.0123abcd.partial")
    kept = [
        file(partial_of(tmp_path / "status.json")),
        folder(partial_of(tmp_path / "cifar10")),
        file(tmp_path / ".status.json.elsewhere.1.0123abcd.partial2"),
        file(tmp_path / ".config.json.elsewhere.1.0123abcd.partial"),  # of another machine, and fresh
        aged(growing, DAY + 60),  # the folder is old, the file in it grows
        file(tmp_path / f".status.json.{own}"),
        file(tmp_path / "archive.tar.gz.part"),  # a download that will be gone on with
        file(tmp_path / "status.json"),
        file(tmp_path / ".queue.lock"),
    ]
    sweep(tmp_path, depth=2)
    assert [path for path in gone if path.exists()] == []
    assert [path for path in kept if not path.exists()] == []


def test_the_sweep_goes_no_deeper_than_it_is_told(tmp_path: Path) -> None:
    deep = file(tmp_path / "a" / "b" / f".status.json.{THIS_PLACE}.{ended_process()}.0123abcd.partial")
    sweep(tmp_path, depth=1)
    assert deep.exists()
    sweep(tmp_path, depth=2)
    assert not deep.exists()


def test_a_folder_that_is_not_there_is_no_reason_not_to_start(tmp_path: Path) -> None:
    sweep(tmp_path / "nothing", depth=3)


def test_writing_a_file_leaves_nothing_beside_it(tmp_path: Path) -> None:
    write_text(tmp_path / "status.json", "{}")
    assert [path.name for path in tmp_path.iterdir()] == ["status.json"]
    with pytest.raises(OSError, match="directory"):
        write_text(tmp_path, "{}")
    assert [path.name for path in tmp_path.parent.iterdir() if path.name.endswith(".partial")] == []


@pytest.mark.slow
def test_a_training_that_goes_on_removes_what_the_killed_one_left(runs_dir: Path) -> None:
    run: Run = runs.create(digits_experiment(epochs=1), runs_dir)
    ended = ended_process()
    left = [
        file(run.folder / f".status.json.{THIS_PLACE}.{ended}.0123abcd.partial"),
        file(run.folder / f".status.json.{ended}"),
        folder(run.folder / "checkpoints" / ".step-00000001.partial"),
        folder(run.folder / "checkpoints" / f".step-00000002.{THIS_PLACE}.{ended}.0123abcd.partial"),
        file(run.folder / "evaluations" / "test-00000001-plain" / f".predictions.npz.{ended}"),
    ]
    runs.start(run)
    assert wait_for_end(run, PATIENCE).state == "completed"
    assert [path for path in left if path.exists()] == []
    assert [path for path in run.folder.rglob("*") if path.name.startswith(".")] == []


def test_a_job_that_goes_on_removes_what_the_killed_one_left(tmp_path: Path) -> None:
    left = file(tmp_path / f".progress.json.{THIS_PLACE}.{ended_process()}.0123abcd.partial")
    assert jobs.work(tmp_path, lambda tell: None, "It") == 0
    assert not left.exists()


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_cannot_be_made_whole_leaves_what_was_there_and_nothing_else(tmp_path: Path, kind: str) -> None:
    make = file if kind == "file" else folder

    def half(target: Path) -> None:
        with written_aside(target) as partial:
            make(partial)
            raise OSError("no room")

    target = make(tmp_path / "one")
    with pytest.raises(OSError, match="no room"):
        half(target)
    assert [path.name for path in tmp_path.iterdir()] == ["one"]
    assert [path.read_text() for path in (target, *target.rglob("*")) if path.is_file()] == ["half"]


def test_a_whole_folder_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    folder(tmp_path / "one")
    with written_aside(tmp_path / "one", lasting=True) as partial:
        file(partial / "checkpoints" / "new.npz")
    assert [path.name for path in tmp_path.iterdir()] == ["one"]
    assert [path.name for path in (tmp_path / "one").rglob("*")] == ["checkpoints", "new.npz"]


def test_nobody_else_writes_aside_in_a_way_of_their_own() -> None:
    for path in (PROJECT / "cnnlab").rglob("*.py"):
        if path.parent.name != "storage":
            assert not re.search(r"\bpartial_of\b", path.read_text()), path


def test_what_another_container_of_this_machine_makes_stays_and_what_an_earlier_boot_left_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, here_, ended = THIS_PLACE.rpartition("-")[0], THIS_PLACE, ended_process()
    of_another = file(tmp_path / f".status.json.{name}-0badcafe.{ended}.0123abcd.partial")
    own = file(partial_of(tmp_path / "status.json"))
    of_before = file(tmp_path / f".status.json.{name}.{ended}.0123abcd.partial")  # as earlier versions named it
    sweep(tmp_path)
    assert (of_another.exists(), own.exists(), of_before.exists()) == (True, True, False)
    assert here_ in own.name
    monkeypatch.setattr(psutil, "boot_time", lambda: time.time() - 10)
    aged(of_another, 20)
    sweep(tmp_path)
    assert not of_another.exists(), "whoever made it went down with the machine"
