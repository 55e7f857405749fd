"""The experiment loggers of others that an experiment may ask for."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Literal, get_args

from cnnlab.errors import UserError

LoggerName = Literal["tensorboard", "wandb", "mlflow"]


LOGGERS: tuple[LoggerName, ...] = get_args(LoggerName)


LOGGER_TITLES: dict[LoggerName, str] = {"tensorboard": "TensorBoard", "wandb": "Weights & Biases", "mlflow": "MLflow"}


PACKAGES: dict[LoggerName, str] = {"tensorboard": "tensorflow", "wandb": "wandb", "mlflow": "mlflow"}


INSTALL = "pip install -r requirements-loggers.txt"


def check_loggers(names: Sequence[str]) -> None:
    """UserError where a logger is unknown or its package is not installed."""
    for name in names:
        if name not in LOGGERS:
            raise UserError(f"There is no logger {name!r}; there are {', '.join(LOGGERS)}.")
        if find_spec(PACKAGES[name]) is None:
            raise UserError(f"{LOGGER_TITLES[name]} is not installed here; {INSTALL} installs it.")
