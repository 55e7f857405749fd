"""How long a training of a network takes on this machine, and how much memory: estimated before it is trained.

The model: a step's time is a sum over the layers. Convolutions and dense layers take time by their multiply-adds,
channels rounded up to the processor's blocks of 32; all layers by the values that they move; each layer and each weight
a little for itself. How much each takes is measured on the machine once, by steps of small probe networks, of which
each has much of one kind of work (`training/calibration.py`), and fitted by least squares of the relative errors, no
rate below zero. `benchmarks/design.md` has what it gives beside what is measured.

Memory is what the process takes anyhow, every layer's output for a batch in the precision that is computed in, and
several copies of the weights; both constants are fitted to the networks of that benchmark.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import prod
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError
from scipy.optimize import nnls

from cnnlab import datasets
from cnnlab.network import Network, Node
from cnnlab.network.layers import (
    Activation,
    AveragePooling2D,
    BatchNormalization,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    Dropout,
    InputLayer,
    LocalResponseNormalization,
    MaxPooling2D,
)
from cnnlab.storage.files import write_text

RATES_FILE = "machine/rates.json"
BLOCK = 32
"""Channels that the processor's matrix units take at a time."""
WORK = (
    "step",
    "layers",
    "weights",
    "window",
    "point",
    "window weights",
    "depthwise",
    "dense",
    "read and written",
    "batch normalization",
    "activation",
    "elu",
    "dropout",
    "local response normalization",
    "max pooling",
    "average pooling",
    "joined",
)
"""The kinds of work that are told apart: multiply-adds for `window` (convolutions), `point` (1x1), `depthwise` and
`dense`, values for what follows, numbers of layers and weights."""
PROCESS_BYTES = 0.85e9
"""What a training takes whatever its network: TensorFlow and what it has compiled."""
COPIES = 6
"""Of the weights: themselves, gradients, momentum, and what is computed with: rounded, in the processor's order."""


class Rates(BaseModel):
    """Seconds for one unit of each kind of work, as measured on a machine: its processor, and the precision."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    machine: str
    precision: str
    measured: str
    seconds: dict[str, float]

    def of_step(self, network: Network, batch: int) -> float:
        """Seconds for a step of training on a batch."""
        return sum(amount * self.seconds.get(kind, 0.0) for kind, amount in work(network, batch).items())

    def of_epoch(self, network: Network, images: int, batch: int = 128) -> float:
        """Seconds for an epoch of so many images, in full batches; validation is not counted."""
        return max(images // batch, 1) * self.of_step(network, batch)


def work(network: Network, batch: int) -> dict[str, float]:
    """How much of each kind of work a step of training is."""
    found = dict.fromkeys(WORK, 0.0)
    found["step"] = 1.0
    for node in network.layers[1:]:
        found["layers"] += 1
        found["weights"] += node.trainable
        for kind, amount in of_layer(network, node).items():
            found[kind] += amount * batch
        if isinstance(node.layer, Conv2D) and node.layer.kernel > 1:
            found["window weights"] += node.trainable
    return found


def of_layer(network: Network, node: Node) -> dict[str, float]:
    """What a layer does for one image, forward and back."""
    layer, given = node.layer, float(prod(node.output_shape))
    read = float(sum(prod(shape) for shape in node.input_shapes))
    fused = {} if isinstance(layer, Activation) else of_function(getattr(layer, "activation", "linear"), given)
    match layer:
        case Conv2D():
            height, width, filters = node.output_shape
            # forward, gradients of weights and of inputs; an image needs none
            share = 2 / 3 if isinstance(network[node.inputs[0]].layer, InputLayer) else 1.0
            cost = share * height * width * layer.kernel**2 * blocks(node.input_shapes[0][-1]) * blocks(filters)
            kind = "point" if layer.kernel == 1 else "window"
            return {kind: cost, "read and written": read + given, **fused}
        case DepthwiseConv2D():
            return {"depthwise": float(node.multiply_adds), "read and written": read + given, **fused}
        case Dense():
            return {"dense": float(node.multiply_adds), "read and written": read + given, **fused}
        case BatchNormalization():
            return {"batch normalization": given}
        case Activation():
            return of_function(layer.activation, given) or {"joined": given}
        case Dropout():
            return {"dropout": given}
        case LocalResponseNormalization():
            return {"local response normalization": given}
        case MaxPooling2D():
            return {"max pooling": given * layer.kernel**2 + read}
        case AveragePooling2D():
            return {"average pooling": given * layer.kernel**2 + read}
        case _:
            return {"joined": max(read, given)}


def of_function(name: str, values: float) -> dict[str, float]:
    """ReLU6 compares as ReLU does; tanh takes an exponential as ELU does."""
    if name in ("relu", "relu6"):
        return {"activation": values}
    return {"elu": values} if name in ("elu", "tanh") else {}


def blocks(channels: int) -> int:
    return -(-channels // BLOCK) * BLOCK


def fitted(steps: Sequence[tuple[Network, int, float]], machine: str, precision: str, measured: str) -> Rates:
    """The rates that explain measured steps best: network, batch size and seconds of each."""
    amounts = np.array([[work(network, batch)[kind] for kind in WORK] for network, batch, _ in steps])
    relative = amounts / np.array([[seconds] for _, _, seconds in steps])
    scale = np.maximum(relative.max(axis=0), 1e-300)
    found, _ = nnls(relative / scale, np.ones(len(steps)))
    seconds = {kind: float(value) for kind, value in zip(WORK, found / scale, strict=True)}
    return Rates(machine=machine, precision=precision, measured=measured, seconds=seconds)


def training_bytes(network: Network, batch: int, half: bool) -> float:
    """Resident memory of a training process; `half` where it computes in bfloat16."""
    values = sum(prod(node.output_shape) for node in network.layers) * batch
    return PROCESS_BYTES + values * (2 if half else 4) + network.parameters * 4 * COPIES


def rates_file() -> Path:
    return datasets.data_root() / RATES_FILE


def keep(rates: Rates) -> None:
    path = rates_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, rates.model_dump_json(indent=1))


def kept_rates() -> Rates | None:
    """This machine's rates; None where they have not been measured, or cannot be read."""
    path = rates_file()
    try:
        return _read(path, path.stat().st_mtime_ns)
    except OSError:
        return None


@lru_cache(maxsize=4)
def _read(path: Path, _changed: int) -> Rates | None:
    try:
        return Rates.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None
