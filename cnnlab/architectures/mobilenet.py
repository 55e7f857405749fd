"""MobileNets: a depthwise convolution and one of 1x1 in the place of a full one, for an eighth of its work.

Howard et al., "MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications", 2017
(arXiv:1704.04861), Table 1; Sandler, Howard, Zhu, Zhmoginov and Chen, "MobileNetV2: Inverted Residuals and Linear
Bottlenecks", CVPR 2018 (arXiv:1801.04381), Table 2.
"""

from __future__ import annotations

from cnnlab.architectures.options import Classes, DropoutRate, InputSize, WidthMultiplier
from cnnlab.network import Builder, Network, Tensor


def mobilenet(
    *,
    input_size: InputSize = 224,
    classes: Classes = 1000,
    dropout: DropoutRate = 0.0,
    width: WidthMultiplier = 1.0,
) -> Network:
    """MobileNet, Table 1: 28 weight layers, 4,231,976 trainable parameters at 224x224x3 and 1000 classes.

    Batch normalization and ReLU follow each convolution, as in Figure 3; keras.applications has ReLU6 and a dropout
    before the classifier, which the paper does not.
    """
    net = Builder("mobilenet", width)

    def normalized(x: Tensor, *, name: str) -> Tensor:
        x = net.batch_norm(x, name=f"{name}_bn")
        return net.activation(x, "relu", name=f"{name}_relu")

    def separable(x: Tensor, filters: int, stride: int, *, name: str) -> Tensor:
        """Figure 3: 3x3 depthwise, then 1x1, each with batch normalization and ReLU."""
        x = net.depthwise_conv(x, 3, stride=stride, use_bias=False, name=f"{name}_depthwise_conv")
        x = normalized(x, name=f"{name}_depthwise")
        x = net.conv(x, filters, 1, use_bias=False, name=f"{name}_pointwise_conv")
        return normalized(x, name=f"{name}_pointwise")

    x = net.input((input_size, input_size, 3))
    with net.module("conv1"):
        x = net.conv(x, 32, 3, stride=2, use_bias=False, name="conv1_conv")  # 112x112x32
        x = normalized(x, name="conv1")
    stages = ((64, 1), (128, 2), (256, 2), (512, 6), (1024, 2))  # filters, blocks: 112x112 down to 7x7
    number = 0
    for stage, (filters, count) in enumerate(stages, start=1):
        with net.module(f"stage{stage}"):
            for place in range(count):
                number += 1
                stride = 2 if stage > 1 and place == 0 else 1
                x = separable(x, filters, stride, name=f"block{number}")
    with net.module("classifier"):
        x = net.global_average_pool(x, name="avg_pool")
        x = net.dropout(x, dropout, name="dropout")
        x = net.dense(x, classes, activation="softmax", name="predictions")
    return net.build(x)


def mobilenet_v2(
    *,
    input_size: InputSize = 224,
    classes: Classes = 1000,
    dropout: DropoutRate = 0.2,
    width: WidthMultiplier = 1.0,
) -> Network:
    """MobileNetV2, Table 2: 17 bottlenecks, 3,504,872 trainable parameters at 224x224x3 and 1000 classes.

    An inverted residual widens what it is given six times, convolves each channel by itself, and narrows it again
    without an activation; it adds its input where the shape stays. The width multiplier does not round to multiples of
    eight, as the authors' code does.
    """
    net = Builder("mobilenet_v2", width)

    def bottleneck(x: Tensor, expansion: int, filters: int, stride: int, *, name: str) -> Tensor:
        given = x
        if expansion > 1:
            x = net.conv(x, expansion * x.shape[-1], 1, use_bias=False, exact=True, name=f"{name}_expand_conv")
            x = net.batch_norm(x, name=f"{name}_expand_bn")
            x = net.activation(x, "relu6", name=f"{name}_expand_relu6")
        x = net.depthwise_conv(x, 3, stride=stride, use_bias=False, name=f"{name}_depthwise_conv")
        x = net.batch_norm(x, name=f"{name}_depthwise_bn")
        x = net.activation(x, "relu6", name=f"{name}_depthwise_relu6")
        x = net.conv(x, filters, 1, use_bias=False, name=f"{name}_project_conv")
        x = net.batch_norm(x, name=f"{name}_project_bn")
        return net.sum([given, x], name=f"{name}_add") if x.shape == given.shape else x

    table = (  # Table 2: expansion t, filters c, blocks n, stride s of the first
        (1, 16, 1, 1),
        (6, 24, 2, 2),
        (6, 32, 3, 2),
        (6, 64, 4, 2),
        (6, 96, 3, 1),
        (6, 160, 3, 2),
        (6, 320, 1, 1),
    )
    x = net.input((input_size, input_size, 3))
    with net.module("conv1"):
        x = net.conv(x, 32, 3, stride=2, use_bias=False, name="conv1_conv")  # 112x112x32
        x = net.batch_norm(x, name="conv1_bn")
        x = net.activation(x, "relu6", name="conv1_relu6")
    number = 0
    for row, (expansion, filters, count, stride) in enumerate(table, start=1):
        with net.module(f"bottleneck{row}"):
            for place in range(count):
                number += 1
                x = bottleneck(x, expansion, filters, stride if place == 0 else 1, name=f"block{number}")
    with net.module("conv2"):
        x = net.conv(x, 1280, 1, use_bias=False, name="conv2_conv")  # 7x7x1280
        x = net.batch_norm(x, name="conv2_bn")
        x = net.activation(x, "relu6", name="conv2_relu6")
    with net.module("classifier"):
        x = net.global_average_pool(x, name="avg_pool")
        x = net.dropout(x, dropout, name="dropout")
        x = net.dense(x, classes, activation="softmax", name="predictions")
    return net.build(x)
