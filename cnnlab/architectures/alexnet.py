"""AlexNet in one tower, and ZFNet, which looked inside it and made its first windows smaller.

Krizhevsky, Sutskever and Hinton, "ImageNet Classification with Deep Convolutional Neural Networks", NIPS 2012; its one
tower is that of Krizhevsky, "One weird trick for parallelizing convolutional neural networks", 2014 (arXiv:1404.5997).
Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks", ECCV 2014 (arXiv:1311.2901), Figure 3.
"""

from __future__ import annotations

from cnnlab.architectures.options import Classes, ClassifierDropoutRate, InputSize, LocalResponseNorm, WidthMultiplier
from cnnlab.network import Builder, Network


def alexnet(
    *,
    input_size: InputSize = 224,
    classes: Classes = 1000,
    classifier_dropout: ClassifierDropoutRate = 0.5,
    width: WidthMultiplier = 1.0,
) -> Network:
    """AlexNet in one tower, as torchvision has it: 61,100,840 parameters at 224x224x3 and 1000 classes.

    That is the network of Krizhevsky's "one weird trick" (2014), with 64, 192, 384, 256, 256 filters and no local
    response normalization; the two towers of 2012 had 96, 256, 384, 384, 256.
    """
    net = Builder("alexnet", width)
    x = net.input((input_size, input_size, 3))
    with net.module("conv1"):
        x = net.zero_pad(x, 2, 2, 2, 2, name="conv1_pad")
        x = net.conv(x, 64, 11, stride=4, padding="valid", activation="relu", name="conv1_11x11")  # 55x55x64
    with net.module("pool1"):
        x = net.max_pool(x, 3, stride=2, name="pool1_3x3")  # 27x27x64
    with net.module("conv2"):
        x = net.conv(x, 192, 5, activation="relu", name="conv2_5x5")  # 27x27x192
    with net.module("pool2"):
        x = net.max_pool(x, 3, stride=2, name="pool2_3x3")  # 13x13x192
    for number, filters in ((3, 384), (4, 256), (5, 256)):
        with net.module(f"conv{number}"):
            x = net.conv(x, filters, 3, activation="relu", name=f"conv{number}_3x3")  # 13x13
    with net.module("pool5"):
        x = net.max_pool(x, 3, stride=2, name="pool5_3x3")  # 6x6x256
    with net.module("classifier"):
        x = net.flatten(x)  # 9,216
        x = net.dropout(x, classifier_dropout, name="fc6_dropout")
        x = net.dense(x, 4096, activation="relu", name="fc6")
        x = net.dropout(x, classifier_dropout, name="fc7_dropout")
        x = net.dense(x, 4096, activation="relu", name="fc7")
        x = net.dense(x, classes, activation="softmax", name="predictions")
    return net.build(x)


def zfnet(
    *,
    input_size: InputSize = 224,
    classes: Classes = 1000,
    lrn: LocalResponseNorm = True,
    classifier_dropout: ClassifierDropoutRate = 0.5,
    width: WidthMultiplier = 1.0,
) -> Network:
    """ZFNet, Figure 3: AlexNet with a first window of 7x7/2 instead of 11x11/4; 62,357,608 parameters.

    The figure gives the sizes of all maps, 110, 55, 26, 13 and 6, and with them the padding. It normalizes contrast
    across maps behind the first two poolings, here by local response normalization.
    """
    net = Builder("zfnet", width)
    x = net.input((input_size, input_size, 3))
    with net.module("conv1"):
        x = net.zero_pad(x, 1, 1, 1, 1, name="conv1_pad")
        x = net.conv(x, 96, 7, stride=2, padding="valid", activation="relu", name="conv1_7x7")  # 110x110x96
    with net.module("pool1"):
        x = net.max_pool(x, 3, stride=2, padding="same", name="pool1_3x3")  # 55x55x96
        if lrn:
            x = net.local_response_norm(x, name="pool1_lrn")
    with net.module("conv2"):
        x = net.conv(x, 256, 5, stride=2, padding="valid", activation="relu", name="conv2_5x5")  # 26x26x256
    with net.module("pool2"):
        x = net.max_pool(x, 3, stride=2, padding="same", name="pool2_3x3")  # 13x13x256
        if lrn:
            x = net.local_response_norm(x, name="pool2_lrn")
    for number, filters in ((3, 384), (4, 384), (5, 256)):
        with net.module(f"conv{number}"):
            x = net.conv(x, filters, 3, activation="relu", name=f"conv{number}_3x3")  # 13x13
    with net.module("pool5"):
        x = net.max_pool(x, 3, stride=2, name="pool5_3x3")  # 6x6x256
    with net.module("classifier"):
        x = net.flatten(x)  # 9,216
        x = net.dense(x, 4096, activation="relu", name="fc6")
        x = net.dropout(x, classifier_dropout, name="fc6_dropout")
        x = net.dense(x, 4096, activation="relu", name="fc7")
        x = net.dropout(x, classifier_dropout, name="fc7_dropout")
        x = net.dense(x, classes, activation="softmax", name="predictions")
    return net.build(x)
