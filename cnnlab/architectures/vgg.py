"""VGG: very deep stacks of 3x3 convolutions, and MiniVGGNet, the same idea for 32x32 images.

Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition", ICLR 2015
(arXiv:1409.1556), Table 1.
"""

from __future__ import annotations

from cnnlab.architectures.switches import BatchNorm, Classes, ClassifierDropoutRate, DropoutRate, InputSize
from cnnlab.network import Builder, Network


def vgg16(*, input_size: InputSize = 224, classes: Classes = 1000) -> Network:
    """VGG16, configuration D of Table 1: 16 weight layers, 138,357,544 parameters at 224x224x3 and 1000 classes.

    Layer names are those of keras.applications. The network stands as it is used, without the dropout of 0.5 after
    fc1 and fc2 that the paper trains with.
    """
    net = Builder("vgg16")
    x = net.input((input_size, input_size, 3))
    for block, (convolutions, filters) in enumerate([(2, 64), (2, 128), (3, 256), (3, 512), (3, 512)], start=1):
        with net.module(f"block{block}"):
            for conv in range(1, convolutions + 1):
                x = net.conv(x, filters, 3, activation="relu", name=f"block{block}_conv{conv}")
            x = net.max_pool(x, 2, name=f"block{block}_pool")  # halves height and width
    with net.module("classifier"):
        x = net.flatten(x)
        x = net.dense(x, 4096, activation="relu", name="fc1")
        x = net.dense(x, 4096, activation="relu", name="fc2")
        x = net.dense(x, classes, activation="softmax", name="predictions")
    return net.build(x)


def minivggnet(
    *,
    input_size: InputSize = 32,
    classes: Classes = 10,
    batch_normalization: BatchNorm = True,
    dropout: DropoutRate = 0.25,
    classifier_dropout: ClassifierDropoutRate = 0.5,
) -> Network:
    """MiniVGGNet of the lecture: two blocks of (CONV, ACT, BN) x 2, POOL, DROPOUT, then FC 512.

    2,171,178 parameters at 32x32x3 and 10 classes, 2,169,770 of them trainable. The lecture's table does not print
    the dropout rates; 0.25 after the poolings and 0.5 before the classifier are the ones the network is known by.
    """
    net = Builder("minivggnet")
    x = net.input((input_size, input_size, 3))
    for block, filters in enumerate([32, 64], start=1):
        with net.module(f"block{block}"):
            for conv in (1, 2):
                x = net.conv(x, filters, 3, name=f"block{block}_conv{conv}")
                x = net.activation(x, "relu", name=f"block{block}_act{conv}")
                if batch_normalization:
                    x = net.batch_norm(x, name=f"block{block}_bn{conv}")
            x = net.max_pool(x, 2, name=f"block{block}_pool")  # 16x16x32, then 8x8x64
            x = net.dropout(x, dropout, name=f"block{block}_dropout")
    with net.module("classifier"):
        x = net.flatten(x)
        x = net.dense(x, 512, name="fc1")
        x = net.activation(x, "relu", name="fc1_act")
        if batch_normalization:
            x = net.batch_norm(x, name="fc1_bn")
        x = net.dropout(x, classifier_dropout, name="fc1_dropout")
        x = net.dense(x, classes, name="fc2")
        x = net.activation(x, "softmax", name="predictions")
    return net.build(x)
