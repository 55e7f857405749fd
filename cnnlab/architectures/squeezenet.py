"""SqueezeNet: AlexNet's accuracy with a fiftieth of its parameters.

Iandola, Han, Moskewicz, Ashraf, Dally and Keutzer, "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and
<0.5MB model size", 2016 (arXiv:1602.07360); version 1.1 is the authors' (github.com/forresti/SqueezeNet).
"""

from __future__ import annotations

from cnnlab.architectures.options import Classes, DropoutRate, InputSize, WidthMultiplier
from cnnlab.network import Builder, Network, Tensor


def squeezenet(
    *,
    input_size: InputSize = 224,
    classes: Classes = 1000,
    dropout: DropoutRate = 0.5,
    width: WidthMultiplier = 1.0,
) -> Network:
    """SqueezeNet 1.1: eight fire modules; 1,235,496 parameters at 224x224x3 and 1000 classes.

    Version 1.1 reaches the accuracy of the paper's 1.0 with 2.4 times less work: a smaller first window, and poolings
    that come earlier.
    """
    net = Builder("squeezenet", width)

    def fire(x: Tensor, squeeze: int, expand: int, *, name: str) -> Tensor:
        """A squeeze to few channels by 1x1, and an expansion by 1x1 beside 3x3."""
        with net.module(name):
            x = net.conv(x, squeeze, 1, activation="relu", name=f"{name}_squeeze")
            one = net.conv(x, expand, 1, activation="relu", name=f"{name}_expand1x1")
            three = net.conv(x, expand, 3, activation="relu", name=f"{name}_expand3x3")
            return net.concat([one, three], name=f"{name}_concat")

    def pool(x: Tensor, *, name: str) -> Tensor:
        with net.module(name):
            return net.max_pool(x, 3, stride=2, name=f"{name}_3x3")

    x = net.input((input_size, input_size, 3))
    with net.module("conv1"):
        x = net.conv(x, 64, 3, stride=2, padding="valid", activation="relu", name="conv1_3x3")  # 111x111x64
    x = pool(x, name="pool1")  # 55x55x64
    x = fire(x, 16, 64, name="fire2")  # 55x55x128
    x = fire(x, 16, 64, name="fire3")  # 55x55x128
    x = pool(x, name="pool3")  # 27x27x128
    x = fire(x, 32, 128, name="fire4")  # 27x27x256
    x = fire(x, 32, 128, name="fire5")  # 27x27x256
    x = pool(x, name="pool5")  # 13x13x256
    x = fire(x, 48, 192, name="fire6")  # 13x13x384
    x = fire(x, 48, 192, name="fire7")  # 13x13x384
    x = fire(x, 64, 256, name="fire8")  # 13x13x512
    x = fire(x, 64, 256, name="fire9")  # 13x13x512
    with net.module("classifier"):
        x = net.dropout(x, dropout, name="dropout")
        x = net.conv(x, classes, 1, activation="relu", exact=True, name="conv10")  # 13x13, one map a class
        x = net.global_average_pool(x, name="global_pool")
        x = net.activation(x, "softmax", name="predictions")
    return net.build(x)
