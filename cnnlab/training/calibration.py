"""How fast this machine trains, measured by probe networks of which each has much of one kind of work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from time import perf_counter
from typing import ClassVar

import numpy as np

from cnnlab import datasets, hardware
from cnnlab.datasets.preprocessing import Preprocessing
from cnnlab.design import estimate
from cnnlab.design.blocks import Manner
from cnnlab.design.estimate import Rates
from cnnlab.experiments.recipe import make_recipe
from cnnlab.network import Builder, Network, Tensor
from cnnlab.storage import jobs
from cnnlab.storage.jobs import Job
from cnnlab.storage.progress import Progress, silent

BATCH, WARM_STEPS, LEAST_STEPS, SECONDS, ROUNDS = 64, 2, 5, 0.5, 2
SHAPES: dict[str, tuple[int, int, int, int]] = {
    "3x3, large maps": (32, 64, 3, 3),
    "3x3": (16, 128, 3, 4),
    "3x3, small maps": (8, 256, 3, 4),
    "3x3, many filters": (4, 512, 3, 3),
    "5x5": (16, 32, 5, 4),
    "3x3, few filters": (32, 16, 3, 4),
    "1x1, large maps": (32, 64, 1, 4),
    "1x1": (16, 256, 1, 4),
    "1x1, many filters": (8, 512, 1, 4),
}
"""Stacks of convolutions: side of the maps, filters, kernel, how many."""


def concatenated(net: Builder, x: Tensor, name: str) -> Tensor:
    return net.conv(net.concat([x, x, x], name=name), 64, 1, name=f"{name}_conv")


Draw = Callable[[Builder, Tensor, str], Tensor]
LAYERS: dict[str, tuple[int, int, Draw]] = {
    "batch normalization": (64, 4, lambda net, x, name: net.batch_norm(x, name=name)),
    "ReLU": (64, 6, lambda net, x, name: net.activation(x, "relu", name=name)),
    "ELU": (64, 6, lambda net, x, name: net.activation(x, "elu", name=name)),
    "max pooling": (64, 3, lambda net, x, name: net.max_pool(x, 3, stride=1, padding="same", name=name)),
    "average pooling": (64, 3, lambda net, x, name: net.average_pool(x, 3, stride=1, padding="same", name=name)),
    "local response normalization": (64, 2, lambda net, x, name: net.local_response_norm(x, name=name)),
    "dropout": (64, 4, lambda net, x, name: net.dropout(x, 0.3, name=name)),
    "depthwise": (64, 3, lambda net, x, name: net.depthwise_conv(x, 3, name=name)),
    "concatenation": (64, 3, concatenated),
    "sum": (64, 3, lambda net, x, name: net.sum([x, net.conv(x, 64, 1, name=f"{name}_conv")], name=name)),
}
"""Stacks of other layers behind a convolution on maps of 32x32: filters, how many, how one is drawn."""


def convolution(filters: int, kernel: int, net: Builder, x: Tensor, name: str) -> Tensor:
    return net.conv(x, filters, kernel, name=name)


def probes() -> Iterator[tuple[str, Network]]:
    """The probe networks, with what there is much of in each."""
    for title, (side, filters, kernel, count) in SHAPES.items():
        yield title, stack(side, filters, count, partial(convolution, filters, kernel))
    for title, (filters, count, draw) in LAYERS.items():
        yield title, stack(32, filters, count, draw)
    manner = Manner("relu", "conv-bn-act")
    yield "many small layers", stack(8, 16, 16, lambda net, x, name: manner.conv(net, x, 16, 3, name=name))
    net = Builder("probe")
    x = net.flatten(net.conv(net.input((16, 16, 3)), 32, 3, stride=2, name="first"))
    for number in range(3):
        x = net.dense(x, 2048, activation="relu", name=f"dense{number}")
    yield "dense layers", net.build(net.dense(x, 10, activation="softmax", name="predictions"))


def stack(side: int, filters: int, count: int, draw: Draw) -> Network:
    net = Builder("probe")
    x = net.conv(net.input((side, side, 3)), filters, 3, name="first")
    for number in range(count):
        x = draw(net, x, f"layer{number}")
    x = net.global_average_pool(x, name="average_pool")
    return net.build(net.dense(x, 10, activation="softmax", name="predictions"))


def step_seconds(network: Network, batch: int, seconds: float = SECONDS) -> float:
    """The quickest of the steps of training that fit into so many seconds, once compiled."""
    from cnnlab.training.trainer import Trainer

    height, width, channels = network.input_shape
    data = Preprocessing(
        image_size=(height, width), input_size=(height, width), mean=(127.0,) * 3, deviation=(74.0,) * 3
    )
    recipe = make_recipe(optimizer="sgd", learning_rate=0.001, mixed_precision=hardware.has_bfloat16())
    trainer = Trainer(network, recipe, data)
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (batch, height, width, channels), np.uint8)
    targets = np.eye(network.classes, dtype=np.float32)[rng.integers(0, network.classes, batch)]
    times: list[float] = []
    while len(times) < WARM_STEPS + LEAST_STEPS or sum(times[WARM_STEPS:]) < seconds:
        began = perf_counter()
        trainer.train_batch(images, targets, 0.001).numpy()
        times.append(perf_counter() - began)
    return min(times[WARM_STEPS:])


def calibrate(progress: Progress = silent) -> Rates:
    """Measure this machine's rates, keep them under the data root and return them; it takes about a minute."""
    everything = list(probes())
    quickest: dict[str, float] = {}
    for number, (title, network) in enumerate(everything * ROUNDS):  # what else works here has ended by the next round
        progress(f"Probe {number + 1} of {ROUNDS * len(everything)}: {title}", number / (ROUNDS * len(everything)))
        seconds = step_seconds(network, BATCH)
        quickest[title] = min(seconds, quickest.get(title, seconds))
    rates = estimate.fitted(
        [(network, BATCH, quickest[title]) for title, network in everything],
        machine=f"{hardware.describe()['processor']}, {hardware.cores()} cores",
        precision="bfloat16" if hardware.has_bfloat16() else "float32",
        measured=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    estimate.keep(rates)
    return rates


class CalibrationRequest(jobs.Request):
    """Measure this machine's speed."""

    kind: ClassVar[str] = "calibrate"
    what: ClassVar[str] = "The measurement of this machine's speed"

    def work(self, progress: Progress) -> object:
        progress("Loading TensorFlow", None)
        return calibrate(progress)


def calibration_job() -> Job:
    return Job(datasets.data_root() / "machine" / "calibration", CalibrationRequest())
