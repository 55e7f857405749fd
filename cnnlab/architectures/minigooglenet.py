"""MiniGoogLeNet: Inception for CIFAR-sized images.

Zhang, Bengio, Hardt, Recht and Vinyals, "Understanding deep learning requires rethinking generalization", ICLR 2017
(arXiv:1611.03530), Figure 3: "Inception (small)".
"""

from __future__ import annotations

from cnnlab.architectures.options import (
    ActivationFunction,
    BatchNorm,
    Classes,
    DropoutRate,
    InputSize,
    NormalizationOrder,
    WidthMultiplier,
)
from cnnlab.network import Builder, Network, Tensor


def minigooglenet(
    *,
    input_size: InputSize = 28,
    classes: Classes = 10,
    activation: ActivationFunction = "relu",
    batch_normalization: BatchNorm = True,
    order: NormalizationOrder = "conv-bn-act",
    dropout: DropoutRate = 0.0,
    width: WidthMultiplier = 1.0,
) -> Network:
    """MiniGoogLeNet, the paper's "Inception (small)": 1,656,250 parameters with 10 classes.

    1,652,826 of them are trainable. The paper's 1,649,402 leaves batch normalization out. The mean pooling is global,
    so any input size gives the same parameters: 28x28x3 as in the figure, or 32x32x3.
    """
    net = Builder("minigooglenet", width)

    def conv(x: Tensor, filters: int, kernel: int, stride: int = 1, *, name: str) -> Tensor:
        """The figure's conv module: convolution, batch normalization, ReLU."""
        x = net.conv(x, filters, kernel, stride=stride, name=f"{name}_conv")
        if batch_normalization and order == "conv-bn-act":
            x = net.batch_norm(x, name=f"{name}_bn")
        x = net.activation(x, activation, name=f"{name}_act")
        if batch_normalization and order == "conv-act-bn":
            x = net.batch_norm(x, name=f"{name}_bn")
        return x

    def inception(x: Tensor, ch1: int, ch3: int, *, name: str) -> Tensor:
        """The figure's inception module: ch1 1x1 filters beside ch3 3x3 filters."""
        with net.module(name):
            one = conv(x, ch1, 1, name=f"{name}_1x1")
            three = conv(x, ch3, 3, name=f"{name}_3x3")
            return net.concat([one, three], name=f"{name}_concat")

    def downsample(x: Tensor, ch3: int, *, name: str) -> Tensor:
        """The figure's downsample module: ch3 3x3 filters with stride 2 beside a 3x3 max pooling with stride 2."""
        with net.module(name):
            three = conv(x, ch3, 3, stride=2, name=f"{name}_3x3")
            pool = net.max_pool(x, 3, stride=2, padding="same", name=f"{name}_pool")
            return net.concat([three, pool], name=f"{name}_concat")

    x = net.input((input_size, input_size, 3))
    with net.module("stem"):
        x = conv(x, 96, 3, name="stem")  # 28x28x96
    x = inception(x, 32, 32, name="inception1a")  # 28x28x64
    x = inception(x, 32, 48, name="inception1b")  # 28x28x80
    x = downsample(x, 80, name="downsample1")  # 14x14x160
    x = inception(x, 112, 48, name="inception2a")  # 14x14x160
    x = inception(x, 96, 64, name="inception2b")  # 14x14x160
    x = inception(x, 80, 80, name="inception2c")  # 14x14x160
    x = inception(x, 48, 96, name="inception2d")  # 14x14x144
    x = downsample(x, 96, name="downsample2")  # 7x7x240
    x = inception(x, 176, 160, name="inception3a")  # 7x7x336
    x = inception(x, 176, 160, name="inception3b")  # 7x7x336
    with net.module("classifier"):
        x = net.global_average_pool(x, name="mean_pool")  # 336
        x = net.dropout(x, dropout, name="dropout")
        x = net.dense(x, classes, name="fc")
        x = net.activation(x, "softmax", name="predictions")
    return net.build(x)
