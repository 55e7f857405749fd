"""Where a design can begin when it comes of nothing."""

from __future__ import annotations

from cnnlab.network import Builder, Network

NOTHING = "nothing"


def from_nothing(side: int = 32, classes: int = 10, name: str = "my-network") -> Network:
    """An input and a classifier: the mean of each channel, a value for each class, softmax."""
    net = Builder(name)
    x = net.input((side, side, 3))
    with net.module("classifier"):
        x = net.global_average_pool(x, name="average_pool")
        x = net.dense(x, classes, name="fc")
        x = net.activation(x, "softmax", name="predictions")
    return net.build(x)
