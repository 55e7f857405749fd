"""Residual networks: each block adds to what it is given, so that a hundred layers can be trained.

He, Zhang, Ren and Sun, "Deep Residual Learning for Image Recognition", CVPR 2016 (arXiv:1512.03385): Table 1 for
ImageNet, section 4.2 for CIFAR-10.
"""

from __future__ import annotations

from functools import partial

from cnnlab.architectures.options import Classes, InputSize, WidthMultiplier
from cnnlab.network import Builder, Network, Tensor


def resnet(
    depth: int,
    name: str,
    *,
    input_size: InputSize = 224,
    classes: Classes = 1000,
    width: WidthMultiplier = 1.0,
) -> Network:
    """A column of Table 1: blocks of two 3x3 convolutions, from 50 layers on bottlenecks of 1x1, 3x3 and 1x1.

    Trainable parameters at 1000 classes: 18 layers 11,689,512, 34 layers 21,797,672, 50 layers 25,557,032. Shortcuts
    are the identity, and a 1x1 convolution where the shape changes (option B). The stride of a bottleneck is in its
    first convolution, as in the paper; torchvision has it in the second. The convolutions have
    no biases, which batch normalization would undo; those of keras.applications do.
    """
    blocks = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3)}[depth]
    net = Builder(name, width)

    def conv(x: Tensor, filters: int, kernel: int, stride: int = 1, *, name: str, relu: bool = True) -> Tensor:
        x = net.conv(x, filters, kernel, stride=stride, use_bias=False, name=f"{name}_conv")
        x = net.batch_norm(x, name=f"{name}_bn")
        return net.activation(x, "relu", name=f"{name}_relu") if relu else x

    def block(x: Tensor, filters: int, stride: int, *, name: str) -> Tensor:
        shortcut, made = x, filters if depth < 50 else 4 * filters
        if stride > 1 or x.shape[-1] != round(made * width):
            shortcut = conv(x, made, 1, stride, name=f"{name}_shortcut", relu=False)
        if depth < 50:
            x = conv(x, filters, 3, stride, name=f"{name}_1")
            x = conv(x, filters, 3, name=f"{name}_2", relu=False)
        else:
            x = conv(x, filters, 1, stride, name=f"{name}_1")
            x = conv(x, filters, 3, name=f"{name}_2")
            x = conv(x, made, 1, name=f"{name}_3", relu=False)
        x = net.sum([shortcut, x], name=f"{name}_add")
        return net.activation(x, "relu", name=f"{name}_out")

    x = net.input((input_size, input_size, 3))
    with net.module("conv1"):
        x = net.zero_pad(x, 3, 3, 3, 3, name="conv1_pad")
        x = net.conv(x, 64, 7, stride=2, padding="valid", use_bias=False, name="conv1_conv")  # 112x112x64
        x = net.batch_norm(x, name="conv1_bn")
        x = net.activation(x, "relu", name="conv1_relu")
    with net.module("pool1"):
        x = net.zero_pad(x, 1, 1, 1, 1, name="pool1_pad")
        x = net.max_pool(x, 3, stride=2, name="pool1_pool")  # 56x56x64
    for stage, count in enumerate(blocks, start=2):  # 56x56, 28x28, 14x14, 7x7
        with net.module(f"conv{stage}_x"):
            for number in range(1, count + 1):
                stride = 2 if stage > 2 and number == 1 else 1
                x = block(x, 2 ** (4 + stage), stride, name=f"conv{stage}_block{number}")
    with net.module("classifier"):
        x = net.global_average_pool(x, name="avg_pool")
        x = net.dense(x, classes, activation="softmax", name="predictions")
    return net.build(x)


resnet18 = partial(resnet, 18, "resnet18")
resnet34 = partial(resnet, 34, "resnet34")
resnet50 = partial(resnet, 50, "resnet50")


def resnet_cifar(
    depth: int,
    name: str,
    *,
    input_size: InputSize = 32,
    classes: Classes = 10,
    width: WidthMultiplier = 1.0,
) -> Network:
    """The network of 6n + 2 layers for CIFAR-10, section 4.2: 16, 32 and 64 filters at 32x32, 16x16 and 8x8.

    Trainable parameters: 20 layers 269,722, 56 layers 853,018, the paper's 0.27 and 0.85 millions. No shortcut has
    weights (option A): where the shape changes, it takes every other value, beside channels of zeros.
    """
    net = Builder(name, width)

    def conv(x: Tensor, filters: int, stride: int = 1, *, name: str, relu: bool = True) -> Tensor:
        x = net.conv(x, filters, 3, stride=stride, use_bias=False, name=f"{name}_conv")
        x = net.batch_norm(x, name=f"{name}_bn")
        return net.activation(x, "relu", name=f"{name}_relu") if relu else x

    def block(x: Tensor, filters: int, stride: int, *, name: str) -> Tensor:
        shortcut = x
        x = conv(x, filters, stride, name=f"{name}_1")
        x = conv(x, filters, name=f"{name}_2", relu=False)
        if stride > 1:
            shortcut = net.max_pool(shortcut, 1, stride=stride, name=f"{name}_shortcut_subsample")
            missing = x.shape[-1] - shortcut.shape[-1]
            shortcut = net.zero_channels(shortcut, missing // 2, missing - missing // 2, name=f"{name}_shortcut_zeros")
        x = net.sum([shortcut, x], name=f"{name}_add")
        return net.activation(x, "relu", name=f"{name}_out")

    x = net.input((input_size, input_size, 3))
    with net.module("conv1"):
        x = conv(x, 16, name="conv1")  # 32x32x16
    for stage, filters in enumerate((16, 32, 64), start=2):
        with net.module(f"conv{stage}_x"):
            for number in range(1, (depth - 2) // 6 + 1):
                stride = 2 if stage > 2 and number == 1 else 1
                x = block(x, filters, stride, name=f"conv{stage}_block{number}")
    with net.module("classifier"):
        x = net.global_average_pool(x, name="avg_pool")
        x = net.dense(x, classes, activation="softmax", name="predictions")
    return net.build(x)


resnet20 = partial(resnet_cifar, 20, "resnet20")
resnet56 = partial(resnet_cifar, 56, "resnet56")
