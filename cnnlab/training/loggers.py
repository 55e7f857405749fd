"""Experiment loggers of others, fed beside our own history: TensorBoard, Weights & Biases, MLflow. All are optional.

Their files stand in the run's folder under loggers/. A logger that breaks ends with a line in the log and never hurts
the training.
"""

from __future__ import annotations

import netrc
import os
import socket
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from cnnlab.experiments.loggers import LOGGER_TITLES, LoggerName

PROJECT = "cnnlab"
LoggedSettings = Mapping[str, Any]
Figures = Mapping[str, float]


class Sink(Protocol):
    """What takes figures by name at a step (training steps since the run's beginning)."""

    def write(self, step: int, figures: Figures) -> None: ...

    def close(self, succeeded: bool) -> None: ...


class Logger:
    """A sink that may break: the first failure is said in the log, and then it is left alone."""

    def __init__(self, name: LoggerName, begin: Callable[[], Sink]) -> None:
        self.name = name
        self.sink: Sink | None = None
        self._carefully(lambda: setattr(self, "sink", begin()))

    def _carefully(self, act: Callable[[], None]) -> None:
        try:
            act()
        except Exception as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            print(f"{LOGGER_TITLES[self.name]} logging ended: {reason}", flush=True)
            self.sink = None

    def step(self, step: int, figures: Figures) -> None:
        """Figures within an epoch."""
        self._write(step, {f"step/{name}": value for name, value in figures.items()})

    def epoch(self, step: int, figures: Figures) -> None:
        """Figures at an epoch's end."""
        self._write(step, {f"epoch/{name}": value for name, value in figures.items()})

    def _write(self, step: int, figures: Figures) -> None:
        if sink := self.sink:
            self._carefully(lambda: sink.write(step, figures))

    def finish(self, succeeded: bool) -> None:
        if sink := self.sink:
            self._carefully(lambda: sink.close(succeeded))


def start_logger(name: LoggerName, run: str, folder: Path, settings: LoggedSettings, first_step: int = 0) -> Logger:
    """A logger for the run in `folder`, which goes on in the same place where `first_step` is not 0."""
    place = folder / "loggers" / name
    sinks: dict[LoggerName, Callable[[], Sink]] = {
        "tensorboard": lambda: TensorBoard(place, settings, first_step),
        "wandb": lambda: WeightsAndBiases(run, place, settings),
        "mlflow": lambda: MLflow(run, place, settings),
    }

    def begin() -> Sink:
        place.mkdir(parents=True, exist_ok=True)
        return sinks[name]()

    return Logger(name, begin)


class TensorBoard:
    """An event file; a resumed run marks where it goes on, and TensorBoard drops what it repeats."""

    def __init__(self, folder: Path, settings: LoggedSettings, first_step: int) -> None:
        from cnnlab.keras.backend import tf

        self.v1 = tf.compat.v1
        now = time.time()
        self.writer = tf.io.TFRecordWriter(str(folder / f"events.out.tfevents.{now:.6f}.{socket.gethostname()}"))
        self._event(file_version="brain.Event:2")
        if first_step:
            self._event(step=first_step + 1, session_log=self.v1.SessionLog(status=self.v1.SessionLog.START))
        rows = "\n".join(f"| {name} | {value} |" for name, value in settings.items())
        summary = self.v1.Summary()
        table = summary.value.add(tag="settings")
        table.tensor.CopyFrom(tf.make_tensor_proto(f"| setting | value |\n| --- | --- |\n{rows}"))
        table.metadata.plugin_data.plugin_name = "text"
        self._event(step=first_step, summary=summary)

    def _event(self, **parts: Any) -> None:
        self.writer.write(self.v1.Event(wall_time=time.time(), **parts).SerializeToString())

    def write(self, step: int, figures: Figures) -> None:
        values = [self.v1.Summary.Value(tag=name, simple_value=value) for name, value in figures.items()]
        self._event(step=step, summary=self.v1.Summary(value=values))
        self.writer.flush()

    def close(self, succeeded: bool) -> None:
        self.writer.close()


class WeightsAndBiases:
    """A W&B run of the same id: online where a key is known, else in files that `wandb sync` takes."""

    def __init__(self, run: str, folder: Path, settings: LoggedSettings) -> None:
        import wandb

        online = has_wandb_key() and os.environ.get("WANDB_MODE", "online") == "online"
        self.run = wandb.init(
            project=os.environ.get("WANDB_PROJECT", PROJECT),
            id=run,
            name=run,
            dir=str(folder),
            config=dict(settings),
            mode="online" if online else "offline",
            resume="allow" if online else None,
            settings=wandb.Settings(
                silent=True, console="off", save_code=False, disable_git=True, x_disable_stats=True, init_timeout=30
            ),
        )
        self.run.define_metric("*", step_metric="step")

    def write(self, step: int, figures: Figures) -> None:
        self.run.log({**figures, "step": step})

    def close(self, succeeded: bool) -> None:
        self.run.finish(exit_code=0 if succeeded else 1)


def has_wandb_key() -> bool:
    if os.environ.get("WANDB_API_KEY"):
        return True
    try:
        return netrc.netrc().authenticators("api.wandb.ai") is not None
    except (OSError, netrc.NetrcParseError):
        return False


class MLflow:
    """A run in the store that MLFLOW_TRACKING_URI names, else in a database of its own in the run's folder."""

    def __init__(self, run: str, folder: Path, settings: LoggedSettings) -> None:
        from mlflow import MlflowClient
        from mlflow.entities import Metric, Param

        self.metric = Metric
        uri = os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{folder / 'mlflow.db'}"
        self.client = MlflowClient(uri)
        known = self.client.get_experiment_by_name(PROJECT)
        experiment = known.experiment_id if known else self.client.create_experiment(PROJECT)
        kept = folder / "run_id"
        if kept.exists():
            self.id = kept.read_text()
            self.client.update_run(self.id, status="RUNNING")
        else:
            self.id = self.client.create_run(experiment, run_name=run).info.run_id
            kept.write_text(self.id)
            self.client.log_batch(self.id, params=[Param(name, str(value)) for name, value in settings.items()])

    def write(self, step: int, figures: Figures) -> None:
        now = int(time.time() * 1000)
        self.client.log_batch(self.id, [self.metric(name, value, now, step) for name, value in figures.items()])

    def close(self, succeeded: bool) -> None:
        self.client.set_terminated(self.id, "FINISHED" if succeeded else "FAILED")
