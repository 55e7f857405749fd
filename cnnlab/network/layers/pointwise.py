"""Layers that keep every value at its place: normalizations, activations, dropout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import Field

from cnnlab.network import families
from cnnlab.network.families import Family
from cnnlab.network.layers.base import ActivationName, Pointwise, Weight
from cnnlab.network.layers.shapes import Positive, Shape

Above = Annotated[float, Field(gt=0, allow_inf_nan=False)]


@dataclass(frozen=True, slots=True)
class BatchNormalization(Pointwise):
    """Batch normalization over the last axis.

    The moving statistics follow with momentum 0.9: Keras's 0.99 lags behind in runs of a few hundred steps.
    """

    family: ClassVar[Family] = families.NORMALIZATION
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    epsilon: Above = 1e-3

    def weights(self, *inputs: Shape) -> tuple[Weight, ...]:
        shape = (inputs[0][-1],)
        return (
            Weight("gamma", shape),
            Weight("beta", shape),
            Weight("moving_mean", shape, trainable=False),
            Weight("moving_variance", shape, trainable=False),
        )


@dataclass(frozen=True, slots=True)
class LocalResponseNormalization(Pointwise):
    """Each value divided by a power of the sum of squares over the channels beside it.

    Krizhevsky, Sutskever and Hinton (2012), section 3.3: x / (bias + alpha * sum of squares over 2 * radius + 1
    channels) ** beta, with their constants.
    """

    family: ClassVar[Family] = families.NORMALIZATION
    radius: Positive = 2
    bias: Above = 2.0
    alpha: Above = 1e-4
    beta: Above = 0.75

    @property
    def notation(self) -> str:
        return "LRN"


@dataclass(frozen=True, slots=True)
class Activation(Pointwise):
    family: ClassVar[Family] = families.ACTIVATION
    activation: ActivationName

    @property
    def caption(self) -> str:
        return self.activation


@dataclass(frozen=True, slots=True)
class Dropout(Pointwise):
    """Sets a share `rate` of the inputs to zero while training."""

    family: ClassVar[Family] = families.OTHER
    rate: Annotated[float, Field(ge=0, lt=1)]

    @property
    def caption(self) -> str:
        return f"dropout {self.rate:g}"
