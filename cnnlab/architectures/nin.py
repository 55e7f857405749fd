"""Network in Network: 1x1 convolutions as a small perceptron at every position, and no dense layer at all.

Lin, Chen and Yan, "Network In Network", ICLR 2014 (arXiv:1312.4400), section 4; the widths are those of the authors'
published model for CIFAR-10.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from cnnlab.architectures.options import Classes, DropoutRate, InputSize, WidthMultiplier
from cnnlab.network import Builder, Network, Tensor

FullyConnected = Annotated[
    bool,
    Field(
        title="Fully connected",
        description="A dense layer in the place of global average pooling, which it is compared with in section 4.6.",
    ),
]


def nin(
    *,
    input_size: InputSize = 32,
    classes: Classes = 10,
    dropout: DropoutRate = 0.5,
    fully_connected: FullyConnected = False,
    width: WidthMultiplier = 1.0,
) -> Network:
    """Network in Network for CIFAR-10: three mlpconv blocks and a global average pooling; 966,986 parameters.

    With `fully_connected`, what global average pooling is compared with in the paper's Table 5: the last maps go
    through dropout into a dense layer, and all else stays; 973,396 parameters.
    """
    net = Builder("nin", width)

    def mlpconv(x: Tensor, kernel: int, widths: Sequence[int], *, name: str, exact_last: bool = False) -> Tensor:
        """One KxK convolution, then two of 1x1: a perceptron with two hidden layers slid over the map."""
        for number, filters in enumerate(widths, start=1):
            exact = exact_last and number == len(widths)
            size = kernel if number == 1 else 1
            x = net.conv(x, filters, size, activation="relu", exact=exact, name=f"{name}_conv{number}")
        return x

    x = net.input((input_size, input_size, 3))
    with net.module("mlpconv1"):
        x = mlpconv(x, 5, (192, 160, 96), name="mlpconv1")  # 32x32x96
        x = net.max_pool(x, 3, stride=2, padding="same", name="mlpconv1_pool")
        x = net.dropout(x, dropout, name="mlpconv1_dropout")
    with net.module("mlpconv2"):
        x = mlpconv(x, 5, (192, 192, 192), name="mlpconv2")  # 16x16x192
        x = net.average_pool(x, 3, stride=2, padding="same", name="mlpconv2_pool")
        x = net.dropout(x, dropout, name="mlpconv2_dropout")
    with net.module("mlpconv3"):
        x = mlpconv(x, 3, (192, 192, classes), name="mlpconv3", exact_last=True)  # 8x8, one map a class
    with net.module("classifier"):
        if fully_connected:
            x = net.flatten(x)
            x = net.dropout(x, dropout, name="fc_dropout")
            x = net.dense(x, classes, name="fc")
        else:
            x = net.global_average_pool(x, name="global_pool")
        x = net.activation(x, "softmax", name="predictions")
    return net.build(x)
