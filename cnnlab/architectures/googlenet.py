"""GoogLeNet, and DeeperGoogLeNet, its descendant for Tiny ImageNet.

Szegedy et al., "Going Deeper with Convolutions", CVPR 2015 (arXiv:1409.4842), Table 1 and section 5.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from cnnlab.architectures.options import (
    ActivationFunction,
    BatchNorm,
    Classes,
    DropoutRate,
    Heads,
    InputSize,
    LocalResponseNorm,
    NormalizationOrder,
    WidthMultiplier,
)
from cnnlab.network import Builder, Network, Tensor

INCEPTIONS = {  # Table 1: #1x1, #3x3 reduce, #3x3, #5x5 reduce, #5x5, pool proj
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}


def googlenet(
    *,
    input_size: InputSize = 224,
    classes: Classes = 1000,
    auxiliary_heads: Heads = False,
    lrn: LocalResponseNorm = False,
    dropout: DropoutRate = 0.4,
    width: WidthMultiplier = 1.0,
) -> Network:
    """GoogLeNet, Table 1: nine inception modules; 6,998,552 parameters at 224x224x3 and 1000 classes.

    With both auxiliary heads, on 4a and 4d, 13,378,280. They are for training alone, where the loss is that of the
    main output plus 0.3 times that of each head; average pooling 5x5/3, 128 1x1 filters, FC 1024, dropout of 70%.
    """
    net = Builder("googlenet", width)

    def conv(x: Tensor, filters: int, kernel: int, stride: int = 1, *, name: str) -> Tensor:
        return net.conv(x, filters, kernel, stride=stride, activation="relu", name=name)

    def inception(x: Tensor, name: str) -> Tensor:
        """Four branches side by side; the 3x3, the 5x5 and the pooling have 1x1 convolutions to stay cheap."""
        n1, r3, n3, r5, n5, pool = INCEPTIONS[name]
        name = f"inception_{name}"
        with net.module(name):
            one = conv(x, n1, 1, name=f"{name}_1x1")
            three = conv(conv(x, r3, 1, name=f"{name}_3x3_reduce"), n3, 3, name=f"{name}_3x3")
            five = conv(conv(x, r5, 1, name=f"{name}_5x5_reduce"), n5, 5, name=f"{name}_5x5")
            pooled = net.max_pool(x, 3, stride=1, padding="same", name=f"{name}_pool")
            pooled = conv(pooled, pool, 1, name=f"{name}_pool_proj")
            return net.concat([one, three, five, pooled], name=f"{name}_concat")

    def head(x: Tensor, name: str) -> Tensor:
        with net.module(name):
            x = net.average_pool(x, 5, stride=3, name=f"{name}_pool")  # 4x4
            x = conv(x, 128, 1, name=f"{name}_conv")
            x = net.flatten(x, name=f"{name}_flatten")
            x = net.dense(x, 1024, activation="relu", name=f"{name}_fc1")
            x = net.dropout(x, 0.7, name=f"{name}_dropout")
            return net.dense(x, classes, activation="softmax", name=f"{name}_predictions")

    heads = []
    x = net.input((input_size, input_size, 3))
    with net.module("conv1"):
        x = conv(x, 64, 7, stride=2, name="conv1_7x7")  # 112x112x64
    with net.module("pool1"):
        x = net.max_pool(x, 3, stride=2, padding="same", name="pool1_3x3")  # 56x56x64
        if lrn:
            x = net.local_response_norm(x, name="pool1_lrn")
    with net.module("conv2"):
        x = conv(x, 64, 1, name="conv2_3x3_reduce")
        x = conv(x, 192, 3, name="conv2_3x3")  # 56x56x192
        if lrn:
            x = net.local_response_norm(x, name="conv2_lrn")
    with net.module("pool2"):
        x = net.max_pool(x, 3, stride=2, padding="same", name="pool2_3x3")  # 28x28x192
    for name in INCEPTIONS:
        if name in ("4a", "5a"):
            number = int(name[0]) - 1
            with net.module(f"pool{number}"):
                x = net.max_pool(x, 3, stride=2, padding="same", name=f"pool{number}_3x3")  # 14x14, 7x7
        x = inception(x, name)
        if auxiliary_heads and name in ("4a", "4d"):
            heads.append(head(x, f"head_{name}"))
    with net.module("classifier"):
        x = net.global_average_pool(x, name="average_pool")  # 7x7/1 at an input of 224x224
        x = net.dropout(x, dropout, name="dropout")
        x = net.dense(x, classes, activation="softmax", name="predictions")
    return net.build(x, *heads)


Inception4 = Annotated[
    bool, Field(title="Inception 4a–4e", description="The five modules at 8×8, which experiments #01 and #02 remove.")
]


def deepergooglenet(
    *,
    input_size: InputSize = 64,
    classes: Classes = 200,
    inception_4: Inception4 = True,
    activation: ActivationFunction = "relu",
    batch_normalization: BatchNorm = True,
    order: NormalizationOrder = "conv-bn-act",
    auxiliary_heads: Heads = False,
    dropout: DropoutRate = 0.4,
    width: WidthMultiplier = 1.0,
) -> Network:
    """DeeperGoogLeNet for Tiny ImageNet, the lecture's table: GoogLeNet up to 4e behind a 5x5/1 stem for 64x64x3.

    Every convolution is a module of CONV, BN, ACT; the lecture's extensions are options: CONV, ACT, BN, and ELU. The
    auxiliary head, GoogLeNet's, stands on 4a, or on 3b where 4a to 4e are removed.
    """
    net = Builder("deepergooglenet", width)

    def conv(x: Tensor, filters: int, kernel: int, *, name: str) -> Tensor:
        x = net.conv(x, filters, kernel, name=f"{name}_conv")
        if batch_normalization and order == "conv-bn-act":
            x = net.batch_norm(x, name=f"{name}_bn")
        x = net.activation(x, activation, name=f"{name}_act")
        if batch_normalization and order == "conv-act-bn":
            x = net.batch_norm(x, name=f"{name}_bn")
        return x

    def inception(x: Tensor, name: str) -> Tensor:
        n1, r3, n3, r5, n5, pool = INCEPTIONS[name]
        name = f"inception_{name}"
        with net.module(name):
            one = conv(x, n1, 1, name=f"{name}_1x1")
            three = conv(conv(x, r3, 1, name=f"{name}_3x3_reduce"), n3, 3, name=f"{name}_3x3")
            five = conv(conv(x, r5, 1, name=f"{name}_5x5_reduce"), n5, 5, name=f"{name}_5x5")
            pooled = net.max_pool(x, 3, stride=1, padding="same", name=f"{name}_pool")
            pooled = conv(pooled, pool, 1, name=f"{name}_pool_proj")
            return net.concat([one, three, five, pooled], name=f"{name}_concat")

    def head(x: Tensor, name: str) -> Tensor:
        with net.module(name):
            x = net.average_pool(x, 5, stride=3, name=f"{name}_pool")
            x = conv(x, 128, 1, name=f"{name}_1x1")
            x = net.flatten(x, name=f"{name}_flatten")
            x = net.dense(x, 1024, activation=activation, name=f"{name}_fc1")
            x = net.dropout(x, 0.7, name=f"{name}_dropout")
            return net.dense(x, classes, activation="softmax", name=f"{name}_predictions")

    heads = []
    x = net.input((input_size, input_size, 3))
    with net.module("conv1"):
        x = conv(x, 64, 5, name="conv1_5x5")  # 64x64x64
    with net.module("pool1"):
        x = net.max_pool(x, 3, stride=2, padding="same", name="pool1_3x3")  # 32x32x64
    with net.module("conv2"):
        x = conv(x, 64, 1, name="conv2_3x3_reduce")
        x = conv(x, 192, 3, name="conv2_3x3")  # 32x32x192
    with net.module("pool2"):
        x = net.max_pool(x, 3, stride=2, padding="same", name="pool2_3x3")  # 16x16x192
    x = inception(x, "3a")  # 16x16x256
    x = inception(x, "3b")  # 16x16x480
    if auxiliary_heads and not inception_4:
        heads.append(head(x, "head_3b"))
    with net.module("pool3"):
        x = net.max_pool(x, 3, stride=2, padding="same", name="pool3_3x3")  # 8x8x480
    if inception_4:
        for name in ("4a", "4b", "4c", "4d", "4e"):
            x = inception(x, name)  # 8x8x832 after 4e
            if auxiliary_heads and name == "4a":
                heads.append(head(x, "head_4a"))
    with net.module("pool4"):
        x = net.max_pool(x, 3, stride=2, padding="same", name="pool4_3x3")  # 4x4x832
    with net.module("classifier"):
        x = net.global_average_pool(x, name="average_pool")  # 4x4/1 at an input of 64x64
        x = net.dropout(x, dropout, name="dropout")
        x = net.dense(x, classes, name="fc")
        x = net.activation(x, "softmax", name="predictions")
    return net.build(x, *heads)
