"""Other people's experiment loggers, each with its own library writing and its own reader reading back."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from cnnlab import runs
from cnnlab.errors import UserError
from cnnlab.experiments.loggers import LOGGERS, PACKAGES, LoggerName, check_loggers
from cnnlab.runs.run import Run
from cnnlab.training import loggers
from cnnlab.training.loggers import start_logger
from cnnlab.training.process import train
from cnnlab.training.reporter import Reporter
from tests.conftest import PROJECT, assert_one_line, digits_experiment

SETTINGS = {"learning_rate": 0.1, "optimizer": "sgd", "flip": True}
Curve = list[tuple[int, float]]


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("WANDB_API_KEY", "WANDB_MODE", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "no netrc"))
    monkeypatch.setattr(loggers, "has_wandb_key", lambda: False)


def tensorboard_curves(folder: Path) -> dict[str, Curve]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    read = EventAccumulator(str(folder))
    read.Reload()
    return {tag: [(event.step, event.value) for event in read.Scalars(tag)] for tag in read.Tags()["scalars"]}


def wandb_records(path: Path) -> Iterator[bytes]:
    """The records of a .wandb file: a header of 7 bytes, then LevelDB's log format in blocks of 32 KiB.

    W&B reads its files in a compiled program only, so the frames are taken apart here and W&B's protocol reads them.
    """
    data, place, parts = path.read_bytes(), 7, b""
    while place + 7 <= len(data):
        if 32_768 - place % 32_768 < 7:
            place += 32_768 - place % 32_768
            continue
        length, kind = struct.unpack_from("<HB", data, place + 4)
        parts += data[place + 7 : place + 7 + length]
        place += 7 + length
        if kind in (1, 4):  # whole, or the last part
            yield parts
            parts = b""


def wandb_curves(folder: Path) -> dict[str, Curve]:
    from wandb.proto import wandb_internal_pb2

    curves: dict[str, Curve] = {}
    for path in sorted(folder.glob("wandb/offline-run-*/*.wandb")):
        for data in wandb_records(path):
            record = wandb_internal_pb2.Record.FromString(data)
            items: dict[str, Any] = {
                (item.key or "/".join(item.nested_key)): json.loads(item.value_json) for item in record.history.item
            }
            for name, value in items.items():
                if "step" in items and name != "step" and not name.startswith("_"):
                    curves.setdefault(name, []).append((int(items["step"]), value))
    return curves


def mlflow_curves(folder: Path) -> dict[str, Curve]:
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{folder / 'mlflow.db'}")
    run = client.get_run((folder / "run_id").read_text())
    return {
        name: [(metric.step, metric.value) for metric in client.get_metric_history(run.info.run_id, name)]
        for name in run.data.metrics
    }


READERS: Mapping[LoggerName, Any] = {
    "tensorboard": tensorboard_curves,
    "wandb": wandb_curves,
    "mlflow": mlflow_curves,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", LOGGERS)
def test_figures_come_back_from_the_librarys_own_reader_also_after_a_resume(name: LoggerName, tmp_path: Path) -> None:
    logger = start_logger(name, "run-1", tmp_path, SETTINGS)
    for step in (10, 20):
        logger.step(step, {"loss": 1 / step, "learning_rate": 0.1})
    logger.epoch(20, {"validation_accuracy": 0.5})
    logger.finish(True)
    again = start_logger(name, "run-1", tmp_path, SETTINGS, 20)
    again.step(30, {"loss": 1 / 30, "learning_rate": 0.05})
    again.finish(True)
    deadline = time.monotonic() + 30  # W&B's own process may still be writing when it says that it has finished
    while len((curves := READERS[name](tmp_path / "loggers" / name))["step/loss"]) < 3 and time.monotonic() < deadline:
        time.sleep(0.2)
    assert curves["step/loss"] == [(step, pytest.approx(1 / step)) for step in (10, 20, 30)]
    assert curves["step/learning_rate"][-1] == (30, pytest.approx(0.05))
    assert curves["epoch/validation_accuracy"] == [(20, pytest.approx(0.5))]


@pytest.mark.slow
def test_tensorboard_drops_the_steps_that_a_resume_repeats(tmp_path: Path) -> None:
    first = start_logger("tensorboard", "run-1", tmp_path, SETTINGS)
    for step in (1, 2, 3, 4):
        first.step(step, {"loss": 1.0})
    first.finish(False)
    again = start_logger("tensorboard", "run-1", tmp_path, SETTINGS, 2)
    for step in (3, 4, 5):
        again.step(step, {"loss": 2.0})
    again.finish(True)
    curve = tensorboard_curves(tmp_path / "loggers" / "tensorboard")["step/loss"]
    assert curve == [(1, 1.0), (2, 1.0), (3, 2.0), (4, 2.0), (5, 2.0)]


@pytest.mark.slow
def test_mlflow_keeps_the_settings_and_how_it_ended(tmp_path: Path) -> None:
    from mlflow import MlflowClient

    logger = start_logger("mlflow", "run-1", tmp_path, SETTINGS)
    logger.finish(False)
    folder = tmp_path / "loggers" / "mlflow"
    run = MlflowClient(f"sqlite:///{folder / 'mlflow.db'}").get_run((folder / "run_id").read_text())
    assert run.data.params == {"learning_rate": "0.1", "optimizer": "sgd", "flip": "True"}
    assert (run.info.run_name, run.info.status) == ("run-1", "FAILED")


@pytest.mark.slow
def test_a_training_feeds_them_all(tmp_path: Path) -> None:
    experiment = digits_experiment(epochs=2, batch_size=128).model_copy(update={"loggers": LOGGERS})
    run = runs.create(experiment, tmp_path / "runs")
    train(run, Reporter(run))
    wanted = [(record["step"], pytest.approx(record["validation_accuracy"])) for record in run.history()]
    for name in LOGGERS:
        curves = READERS[name](run.folder / "loggers" / name)
        assert curves["epoch/validation_accuracy"] == wanted, name
    assert Run(run.folder).config.experiment.command().count("--logger") == 3


@pytest.mark.parametrize("name", LOGGERS)
def test_a_logger_that_breaks_says_so_once_and_hurts_nothing(
    name: LoggerName, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "loggers").write_text("a file where a folder should be")
    logger = start_logger(name, "run-1", tmp_path, SETTINGS)
    logger.step(1, {"loss": 1.0})
    logger.epoch(1, {"loss": 1.0})
    logger.finish(True)
    (line,) = capsys.readouterr().out.splitlines()
    assert "logging ended" in line


def test_a_logger_that_is_not_installed_is_refused_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(PACKAGES, "wandb", "wandb_that_is_not_there")
    with pytest.raises(UserError) as refused:
        check_loggers(["wandb"])
    assert_one_line(str(refused.value), "Weights & Biases", "pip install")
    with pytest.raises(UserError):
        check_loggers(["neptune"])


def test_no_logger_is_loaded_that_was_not_asked_for() -> None:
    script = (
        "import sys, cnnlab.training.loggers, cnnlab.runs.queue\n"
        "print([name for name in ('wandb', 'mlflow', 'tensorboard', 'tensorflow') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=PROJECT, check=True)
    assert done.stdout.strip() == "[]"
