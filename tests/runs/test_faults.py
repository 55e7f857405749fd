"""What goes wrong with machines and disks, really done to real processes."""

from __future__ import annotations

import json
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cnnlab import cli, runs
from cnnlab.errors import UserError
from cnnlab.experiments.experiment import plan
from cnnlab.experiments.recipe import make_recipe
from cnnlab.runs import actions, queue
from cnnlab.runs.run import Run
from cnnlab.runs.status import ACTIVE
from cnnlab.training.process import train
from cnnlab.training.reporter import Reporter
from tests.conftest import (
    PROJECT,
    assert_one_line,
    digits_experiment,
    process_of,
    wait_for_end,
    wait_until,
    without_network,
)
from tests.datasets.test_datasets import image_folders

pytestmark = pytest.mark.slow

FILES = (
    "config.json",
    "network.json",
    "data.json",
    "status.json",
    "labels.json",
    "history.jsonl",
    "steps.jsonl",
    "events.jsonl",
    "process.json",
    "request",
    "log.txt",
)
GARBAGE = (
    b"",
    b"{",
    b"null",
    b"\xff\xfe\x00garbage\n" * 50,
    b'{"epoch": 1}\n{"step": "x", "epoch": 2, "loss": null}\n',
)


def assert_usable(run: Run) -> None:
    from cnnlab import datasets
    from cnnlab.inference.classifier import load_classifier

    images = datasets.load("digits").test_images[:5]
    assert load_classifier(Run(run.folder), "last").probabilities(images).shape == (5, 10)


def train_under(run: Run, limit: Callable[[], None]) -> subprocess.CompletedProcess[str]:
    """The training process of a run, with limits of the operating system on it."""
    return subprocess.run(
        [sys.executable, "-m", "cnnlab.training", str(run.folder)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        preexec_fn=limit,
        timeout=180,
        check=False,
    )


def limited(kind: int, size: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(kind, (size, size))


# The process


def test_a_kill_in_the_middle_of_a_checkpoint_leaves_the_one_before(runs_dir: Path) -> None:
    run = runs.create(digits_experiment(epochs=10_000, batch_size=128), runs_dir)
    queue.enqueue(run)
    wait_until(run, lambda: len(run.history()) >= 3, "trained three epochs")
    checkpoints = run.folder / "checkpoints"
    deadline = time.monotonic() + 120
    process = process_of(run)
    while not any(checkpoints.glob(".step-*.partial")):
        assert time.monotonic() < deadline, run.status()
    process.send_signal(signal.SIGKILL)
    status = wait_for_end(run)
    assert status.state == "interrupted"
    assert_one_line(status.message, "resumed from its last checkpoint")
    assert_usable(run)
    before = run.checkpoint("last").info.epoch
    actions.resume(run)
    wait_until(run, lambda: run.history()[-1]["epoch"] > before + 1, "gone on")
    assert not any(checkpoints.glob(f".step-{0:08d}*"))
    epochs = [record["epoch"] for record in run.history()]
    assert epochs == list(range(1, len(epochs) + 1))


def test_running_out_of_memory_is_said_and_hurts_nobody_else(runs_dir: Path) -> None:
    """An address space too small for TensorFlow and a batch of 1,293 images at 96x96."""
    other = runs.create(digits_experiment(epochs=1, batch_size=128), runs_dir)
    train(other, Reporter(other))
    run = runs.create(digits_experiment({"input_size": 96}, epochs=1, batch_size=1293, mixed_precision=False), runs_dir)
    train_under(run, limited(resource.RLIMIT_AS, 6_000_000_000))
    status = run.status()
    assert status.state in ("failed", "interrupted"), status
    assert_one_line(status.message, "memory")
    assert other.status().state == "completed"
    assert_usable(other)


# The disk


def test_a_disk_that_is_full_at_a_checkpoint_fails_the_run_with_its_last_checkpoint_usable(runs_dir: Path) -> None:
    run = runs.create(digits_experiment(epochs=2, batch_size=128), runs_dir)
    train(run, Reporter(run))
    config = json.loads((run.folder / "config.json").read_text())
    config["experiment"]["recipe"]["epochs"] = 6
    (run.folder / "config.json").write_text(json.dumps(config))
    train_under(Run(run.folder), limited(resource.RLIMIT_FSIZE, 500_000))  # the weights alone take 886 kB
    status = run.status()
    assert status.state == "failed"
    assert_one_line(status.message, "disk is full", "resume")
    assert [point.info.epoch for point in run.checkpoints()] == [2]
    assert not any((run.folder / "checkpoints").glob(".step-*"))
    assert_usable(run)
    actions.resume(Run(run.folder))
    assert wait_for_end(run).state == "completed", run.log()
    assert [record["epoch"] for record in run.history()] == [1, 2, 3, 4, 5, 6]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 12 MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = (
        shutil.which("mount")
        and not subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(folder)], capture_output=True, check=False
        ).returncode
    )
    if not mounted:
        pytest.skip("file systems cannot be mounted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=False)


def test_a_disk_that_is_full_at_any_write_is_said_and_the_run_resumes_once_there_is_room(small_disk: Path) -> None:
    """What is left after creation holds the status and some history, and no checkpoint."""
    run = runs.create(digits_experiment(epochs=3, batch_size=128), small_disk / "runs")
    ballast = small_disk / "ballast"
    free = shutil.disk_usage(small_disk).free
    ballast.write_bytes(b"x" * (free - 300_000))
    train_under(run, lambda: None)
    status = run.status()
    assert status.state == "failed", status
    assert_one_line(status.message, "disk is full")
    ballast.unlink()
    actions.resume(run)
    assert wait_for_end(run).state == "completed", run.log()
    assert_usable(run)


def filled(folder: Path) -> Path:
    """A file that takes what room there is, to the last byte."""
    ballast = folder / "ballast"
    with ballast.open("ab", buffering=0) as file:
        for size in (1_000_000, 4096, 1):
            try:
                while file.write(b"x" * size):
                    pass
            except OSError:
                continue
    return ballast


@pytest.mark.parametrize("reserve", [True, False])
def test_a_disk_without_a_byte_free_at_the_start_is_said_with_where_it_is(small_disk: Path, reserve: bool) -> None:
    """Whoever meets it: the training process at its first write, or the one that starts it, and in the list later on;
    also where somebody else took the room kept for that."""
    run = runs.create(digits_experiment(epochs=1, batch_size=128), small_disk / "runs")
    assert (run.folder / "reserve").stat().st_size == 65_536
    if not reserve:
        (run.folder / "reserve").unlink()
    ballast = filled(small_disk)
    with pytest.raises(UserError) as refused:
        queue.enqueue(run)
    assert_one_line(str(refused.value), "disk", "is full", str(small_disk))
    with pytest.raises(UserError) as refused:
        runs.create(digits_experiment(epochs=1), small_disk / "runs")
    assert_one_line(str(refused.value), "disk", "is full", str(small_disk))
    assert [item["id"] for item in runs.summaries(small_disk / "runs")] == [run.id], "nothing half made is left"
    with pytest.raises(UserError) as refused:
        runs.start(run)
    assert_one_line(str(refused.value), "is full", str(small_disk))
    ended = run.status()
    assert ended.state == "failed", ended
    assert_one_line(ended.message, "disk", "is full", str(small_disk), "resume")
    filled(small_disk)
    train_under(run, lambda: None)
    ended = run.status()
    assert ended.state == "failed", ended
    assert_one_line(ended.message, "disk is full", str(small_disk), "resume")
    ballast.unlink()
    actions.resume(run)
    assert wait_for_end(run).state == "completed", run.log()


def test_a_process_that_could_not_even_say_that_the_disk_was_full_is_judged_by_its_log_and_the_disk(
    runs_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = runs.create(digits_experiment(epochs=1), runs_dir)
    long_ago = time.time() - 3600
    run.write_status(run.status().model_copy(update={"updated": long_ago}))
    assert_one_line(run.status().message, "never begun")
    (run.folder / "log.txt").write_text("OSError: [Errno 28] No space left on device: 'status.json'\n")
    assert_one_line(run.status().message, "disk", "full", str(run.folder))
    (run.folder / "log.txt").write_text("")
    monkeypatch.setattr("cnnlab.runs.run.free_bytes", lambda folder: 0)
    assert_one_line(run.status().message, "disk", "full", str(run.folder))


def test_a_read_only_folder_refuses_in_a_sentence(runs_dir: Path) -> None:
    run = runs.create(digits_experiment(epochs=1), runs_dir)
    run.write_status(run.status().model_copy(update={"state": "stopped"}))
    made = subprocess.run(
        ["mount", "--bind", "-o", "ro", str(runs_dir), str(runs_dir)], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip("folders cannot be made read-only here")
    try:
        for act in (
            lambda: actions.resume(run),
            lambda: actions.duplicate(run, {}),
            lambda: actions.delete(run),
            lambda: run.relabel(name="x"),
            lambda: run.send_request("stop"),
        ):
            with pytest.raises(UserError) as refused:
                act()
            assert_one_line(str(refused.value), "Read-only")
        assert runs.summaries(runs_dir)[0]["state"] == "stopped"
    finally:
        subprocess.run(["umount", "-l", str(runs_dir)], check=False)


# What is found on the disk


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("whole") / "runs"
    run = runs.create(digits_experiment(epochs=2, batch_size=128), folder)
    train(run, Reporter(run))
    run.relabel(name="whole")
    return run


def spoilt(whole: Run, runs_dir: Path) -> Run:
    shutil.copytree(whole.folder.parent, runs_dir)
    shutil.copytree(whole.folder, runs_dir / "another")
    config = json.loads((whole.folder / "config.json").read_text())
    (runs_dir / "another" / "config.json").write_text(json.dumps({**config, "id": "another"}))
    return Run(runs_dir / whole.id)


def assert_looked_at_without_harm(run: Run, runs_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Lists, summaries and the command line live with the run; the other run is as ever."""
    assert "another" in [item["id"] for item in runs.summaries(runs_dir)]
    assert runs.summary(Run(runs_dir / "another"))["state"] == "completed"
    for words in (["runs"], ["show", run.id], ["show", "another"], ["compare-runs", run.id, "another"], ["queue"]):
        code = cli.main(["--runs-dir", str(runs_dir), *words])
        captured = capsys.readouterr()
        assert code in (0, 2), words
        assert "Traceback" not in captured.err
        assert len(captured.err.splitlines()) <= 1


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("content", GARBAGE)
def test_garbage_in_any_file_harms_nothing_else(
    whole: Run, runs_dir: Path, name: str, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    run = spoilt(whole, runs_dir)
    (run.folder / name).write_bytes(content)
    assert_looked_at_without_harm(run, runs_dir, capsys)


@pytest.mark.parametrize("name", [*FILES, "checkpoints"])
def test_a_run_of_which_something_is_missing_harms_nothing_else(
    whole: Run, runs_dir: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run = spoilt(whole, runs_dir)
    path = run.folder / name
    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    assert_looked_at_without_harm(run, runs_dir, capsys)


def test_a_run_of_a_newer_version_says_so(whole: Run, runs_dir: Path) -> None:
    run = spoilt(whole, runs_dir)
    config = json.loads((run.folder / "config.json").read_text())
    (run.folder / "config.json").write_text(json.dumps({**config, "format": 99}))
    with pytest.raises(UserError) as refused:
        Run(run.folder).config  # noqa: B018
    assert_one_line(str(refused.value), "newer cnnlab", "99")
    listed = {item["id"]: item["problems"] for item in runs.summaries(runs_dir)}
    assert listed["another"] == ()
    assert "newer cnnlab" in listed[run.id][0]


def test_a_run_without_its_data_set_says_so_when_resumed_and_trains_on_when_it_is_back(
    runs_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder vanishes while the training works on it; what is mapped into memory stays, so it goes on."""
    root = tmp_path / "data"
    image_folders(root)
    monkeypatch.setenv("CNNLAB_DATA", str(root))
    run = runs.create(
        plan("minivggnet", "cifar10", {}, make_recipe(epochs=5000, batch_size=15, validation_fraction=0.5)), runs_dir
    )
    queue.enqueue(run)
    wait_until(run, run.history, "trained an epoch")
    root.rename(tmp_path / "elsewhere")
    epoch = len(run.history())
    wait_until(run, lambda: len(run.history()) > epoch + 1 or run.status().state not in ACTIVE, "gone on")
    assert run.status().state == "running"
    actions.send_request(run, "stop")
    assert wait_for_end(run).state == "stopped"
    for name, value in without_network(root).items():
        monkeypatch.setenv(name, value)
    actions.resume(run)
    status = wait_for_end(run)
    assert status.state == "failed"
    assert_one_line(status.message, "CIFAR-10", str(root))
    (tmp_path / "elsewhere").rename(root)
    actions.resume(run)
    wait_until(run, lambda: run.status().state == "running", "gone on")
    actions.send_request(run, "stop")
    assert wait_for_end(run).state == "stopped"
