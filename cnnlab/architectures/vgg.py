"""VGG: very deep stacks of 3x3 convolutions, and MiniVGGNet, the same idea for 32x32 images.

Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition", ICLR 2015
(arXiv:1409.1556), Table 1.
"""

from __future__ import annotations

from functools import partial
from typing import Literal

from cnnlab.architectures.options import (
    ActivationFunction,
    BatchNorm,
    Classes,
    ClassifierDropoutRate,
    DropoutRate,
    InputSize,
    NormalizationOrder,
    WidthMultiplier,
)
from cnnlab.network import Builder, Network, Tensor


def vgg(
    configuration: Literal["A", "A-LRN", "B", "C", "D", "E"],
    name: str,
    *,
    input_size: InputSize = 224,
    classes: Classes = 1000,
    classifier_dropout: ClassifierDropoutRate = 0.0,
    width: WidthMultiplier = 1.0,
) -> Network:
    """A column of VGG's Table 1: 11 (A) to 19 (E) weight layers.

    Parameters at 224x224x3 and 1000 classes: A and A-LRN 132,863,336, B 133,047,848, C 133,638,952, D 138,357,544,
    E 143,667,240 (Table 2 prints 133, 133, 134, 138 and 144 millions). Layer names are those of keras.applications,
    and so is the absence of the dropout of 0.5 after fc1 and fc2 that the paper trains with: it is an option here.
    """
    table: dict[str, list[tuple[int, ...]]] = {  # kernels of the convolutions in the five blocks
        "A": [(3,), (3,), (3, 3), (3, 3), (3, 3)],
        "A-LRN": [(3,), (3,), (3, 3), (3, 3), (3, 3)],
        "B": [(3, 3), (3, 3), (3, 3), (3, 3), (3, 3)],
        "C": [(3, 3), (3, 3), (3, 3, 1), (3, 3, 1), (3, 3, 1)],
        "D": [(3, 3), (3, 3), (3, 3, 3), (3, 3, 3), (3, 3, 3)],
        "E": [(3, 3), (3, 3), (3, 3, 3, 3), (3, 3, 3, 3), (3, 3, 3, 3)],
    }
    net = Builder(name, width)
    x = net.input((input_size, input_size, 3))
    for block, (filters, sizes) in enumerate(zip([64, 128, 256, 512, 512], table[configuration], strict=True), start=1):
        with net.module(f"block{block}"):
            for conv, kernel in enumerate(sizes, start=1):
                x = net.conv(x, filters, kernel, activation="relu", name=f"block{block}_conv{conv}")
                if configuration == "A-LRN" and block == 1:
                    x = net.local_response_norm(x, name="block1_lrn")
            x = net.max_pool(x, 2, name=f"block{block}_pool")  # halves height and width
    with net.module("classifier"):
        x = net.flatten(x)  # 7x7x512 = 25,088
        x = net.dense(x, 4096, activation="relu", name="fc1")
        x = net.dropout(x, classifier_dropout, name="fc1_dropout")
        x = net.dense(x, 4096, activation="relu", name="fc2")
        x = net.dropout(x, classifier_dropout, name="fc2_dropout")
        x = net.dense(x, classes, activation="softmax", name="predictions")
    return net.build(x)


vgg_a = partial(vgg, "A", "vgg_a")
vgg_a_lrn = partial(vgg, "A-LRN", "vgg_a_lrn")
vgg_b = partial(vgg, "B", "vgg_b")
vgg_c = partial(vgg, "C", "vgg_c")
vgg16 = partial(vgg, "D", "vgg16")
vgg19 = partial(vgg, "E", "vgg19")


def minivggnet(
    *,
    input_size: InputSize = 32,
    classes: Classes = 10,
    activation: ActivationFunction = "relu",
    batch_normalization: BatchNorm = True,
    order: NormalizationOrder = "conv-act-bn",
    dropout: DropoutRate = 0.25,
    classifier_dropout: ClassifierDropoutRate = 0.5,
    width: WidthMultiplier = 1.0,
) -> Network:
    """MiniVGGNet of the lecture: two blocks of (CONV, ACT, BN) x 2, POOL, DROPOUT, then FC 512.

    2,171,178 parameters at 32x32x3 and 10 classes, 2,169,770 of them trainable. The lecture's table does not print
    the dropout rates; 0.25 after the poolings and 0.5 before the classifier are the ones the network is known by.
    """
    net = Builder("minivggnet", width)

    def activate(x: Tensor, *, act: str, bn: str) -> Tensor:
        if batch_normalization and order == "conv-bn-act":
            x = net.batch_norm(x, name=bn)
        x = net.activation(x, activation, name=act)
        if batch_normalization and order == "conv-act-bn":
            x = net.batch_norm(x, name=bn)
        return x

    x = net.input((input_size, input_size, 3))
    for block, filters in enumerate([32, 64], start=1):
        with net.module(f"block{block}"):
            for conv in (1, 2):
                x = net.conv(x, filters, 3, name=f"block{block}_conv{conv}")
                x = activate(x, act=f"block{block}_act{conv}", bn=f"block{block}_bn{conv}")
            x = net.max_pool(x, 2, name=f"block{block}_pool")  # 16x16x32, then 8x8x64
            x = net.dropout(x, dropout, name=f"block{block}_dropout")
    with net.module("classifier"):
        x = net.flatten(x)
        x = net.dense(x, 512, name="fc1")
        x = activate(x, act="fc1_act", bn="fc1_bn")
        x = net.dropout(x, classifier_dropout, name="fc1_dropout")
        x = net.dense(x, classes, name="fc2")
        x = net.activation(x, "softmax", name="predictions")
    return net.build(x)
