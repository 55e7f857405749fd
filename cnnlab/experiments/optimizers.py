"""The optimizers: what each is called, which settings of a recipe it takes, and what of Keras it is.

Form, command line, validation and trainer read these records, so an optimizer is added by adding one.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator


@dataclass(frozen=True)
class Optimizer:
    """`keras` is its class in `keras.optimizers`, whose arguments `settings` are by the same names.

    `decays` is whether that class shrinks the weights itself, by `weight_decay` times the learning rate (Loshchilov and
    Hutter, 2019, arXiv:1711.05101); for the others the decay is added to the gradient. `learning_rate` is where the
    form opens.
    """

    title: str
    keras: str
    settings: tuple[str, ...] = ()
    decays: bool = False
    learning_rate: float = 1e-3


OPTIMIZERS = {
    "sgd": Optimizer("SGD with momentum", "SGD", ("momentum", "nesterov"), learning_rate=0.01),
    "adam": Optimizer("Adam", "Adam"),
    "adamw": Optimizer("AdamW", "AdamW", decays=True),
    "rmsprop": Optimizer("RMSprop", "RMSprop", ("momentum",)),
}


def users_of(setting: str) -> str:
    """The optimizers that take a setting, as a person reads it."""
    return " and ".join(one.keras for one in OPTIMIZERS.values() if setting in one.settings)


def one_of(name: str, names: Collection[str]) -> str:
    """The name, where it is one of these; ValueError as pydantic puts it."""
    if name not in names:
        *others, last = (repr(one) for one in names)
        raise ValueError(f"input should be {', '.join(others)} or {last}")
    return name


OptimizerName = Annotated[str, AfterValidator(lambda name: one_of(name, OPTIMIZERS))]
