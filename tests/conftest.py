"""What the tests share: a folder for runs, one network trained in earnest, and patience with processes."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from hypothesis import settings

from cnnlab import runs
from cnnlab.cli import main
from cnnlab.experiments.experiment import Experiment, plan
from cnnlab.experiments.recipe import make_recipe
from cnnlab.runs import queue
from cnnlab.runs.run import Run
from cnnlab.runs.status import ACTIVE, Status
from cnnlab.storage.process import PROCESS_FILE, ProcessRecord, is_alive, record_process
from cnnlab.text import JOINER

settings.register_profile("cnnlab", deadline=None, derandomize=True, database=None)
settings.load_profile("cnnlab")

pytest_plugins = ["tests.speed"]

PROJECT = Path(__file__).resolve().parents[1]
PATIENCE = 180.0
NOWHERE = "http://127.0.0.1:9"  # the discard port: a network that refuses every connection
TRAINED_EPOCHS = 3
TRAINED = ("--architecture", "minivggnet", "--dataset", "digits", "--schedule", "constant", "--seed", "0")


def without_network(data_root: Path) -> dict[str, str]:
    """The environment of a machine without a network, whose data sets stand at `data_root`."""
    proxies = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), NOWHERE)
    environment = {name: value for name, value in os.environ.items() if name.lower() != "no_proxy"}
    return {**environment, **proxies, "CNNLAB_DATA": str(data_root)}


def cnnlab(*arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """`python -m cnnlab ...`, as a person runs it."""
    command = [sys.executable, "-m", "cnnlab", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=PROJECT, env=env, timeout=PATIENCE, check=False)


def wait_until(run: Run, happened: Callable[[], object], what: str, timeout: float = PATIENCE) -> None:
    """Look at a run until something has happened; fail, with the run's log, if it does not."""
    deadline = time.monotonic() + timeout
    while not happened():
        if time.monotonic() > deadline:
            pytest.fail(f"{run.id} has not {what} within {timeout:.0f} s: {run.status()}\n{run.log()}")
        time.sleep(0.05)


def wait_for_end(run: Run, timeout: float = PATIENCE) -> Status:
    """The status of a run once it is at work no more."""
    wait_until(run, lambda: run.status().state not in (*ACTIVE, "queued"), "ended", timeout)
    return run.status()


def ended_process() -> int:
    """The number of a process that is no more."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def process_of(run: Run) -> psutil.Process:
    return psutil.Process(ProcessRecord.model_validate_json((run.folder / PROCESS_FILE).read_bytes()).pid)


def kill_trainings(folder: Path) -> None:
    """End what tests may have left at work under a runs folder."""
    for path in folder.glob(f"*/{PROCESS_FILE}"):
        if is_alive(path.parent):
            pid = ProcessRecord.model_validate_json(path.read_bytes()).pid
            if pid != os.getpid():  # a test may have given itself out for a training
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def digits_experiment(options: dict[str, object] | None = None, **recipe: object) -> Experiment:
    """MiniVGGNet on the digits at their own 8x8 pixels, where an epoch takes a moment."""
    return plan("minivggnet", "digits", {"input_size": 8, **(options or {})}, make_recipe(**recipe))


@pytest.fixture
def runs_dir(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "runs"
    yield folder
    kill_trainings(folder)


@pytest.fixture
def no_starts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Runs that would have been started; nothing is."""
    started: list[str] = []

    def start(run: Run, threads: int = 0) -> None:
        started.append(run.id)
        record_process(run.folder, os.getpid())
        run.write_status(run.status().model_copy(update={"state": "starting"}))

    monkeypatch.setattr(runs, "start", start)
    monkeypatch.setattr(queue, "ensure_dispatcher", lambda folder: None)
    return started


@pytest.fixture(scope="session")
def training_call(tmp_path_factory: pytest.TempPathFactory) -> Iterator[subprocess.CompletedProcess[str]]:
    """`python -m cnnlab train` to its end, once for all tests: MiniVGGNet on the digits."""
    folder = tmp_path_factory.mktemp("trained") / "runs"
    yield cnnlab("train", *TRAINED, "--epochs", str(TRAINED_EPOCHS), "--runs-dir", str(folder))
    kill_trainings(folder)


@pytest.fixture(scope="session")
def trained_run(training_call: subprocess.CompletedProcess[str]) -> Run:
    """The run of `training_call`; it is shared, so tests that change it work on a copy."""
    assert training_call.returncode == 0, training_call.stderr
    folder = Path(training_call.args[training_call.args.index("--runs-dir") + 1])
    return runs.find(last_line(training_call.stdout), folder)


class Output:
    """What a call printed, and its exit code."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Any:
    """The command line in this process, where TensorFlow is loaded only once."""

    def run(*arguments: str) -> Output:
        capsys.readouterr()
        try:
            code = main(arguments)
        except SystemExit as ended:
            code = int(ended.code or 0)
        printed = capsys.readouterr()
        return Output(code, printed.out, printed.err)

    return run


@pytest.fixture
def folder(trained_run: Run) -> str:
    return str(trained_run.folder.parent)


def assert_refused(output: Output, *parts: str) -> None:
    """Exit code 2 and one line on stderr that holds these parts."""
    assert output.code == 2
    assert_one_line(output.err.strip(), *parts)
    assert "Traceback" not in output.err


def unescaped(markdown: str) -> str:
    """What Markdown that holds a person's text shows of it, see `cnnlab/text.py`."""
    return re.sub(r"\\(.)", r"\1", markdown).replace(JOINER, "")


def last_line(text: str) -> str:
    return text.strip().splitlines()[-1]


def assert_one_line(message: str, *parts: str) -> None:
    """The message is one line for a person, and holds these parts."""
    assert len(message.splitlines()) == 1, f"more than one line: {message!r}"
    for part in parts:
        assert part in message


def lines_of(text: str) -> Sequence[str]:
    return [line for line in text.splitlines() if line.strip()]
