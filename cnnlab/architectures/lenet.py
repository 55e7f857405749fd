"""LeNet-5: convolutions and subsampling for handwritten digits, the pattern of all that followed.

LeCun, Bottou, Bengio and Haffner, "Gradient-Based Learning Applied to Document Recognition", Proceedings of the IEEE
86(11), 1998, section II.B and Figure 2.
"""

from __future__ import annotations

from cnnlab.architectures.options import Classes, InputSize, WidthMultiplier
from cnnlab.network import Builder, Network


def lenet5(*, input_size: InputSize = 32, classes: Classes = 10, width: WidthMultiplier = 1.0) -> Network:
    """LeNet-5, Figure 2, for colour images: 62,006 parameters at 32x32x3; one grey channel would make it 61,706.

    The paper's 60,000 differ in three places, which no layer here can repeat: its subsampling has a coefficient and a
    bias for each map, each map of C3 reads only some of S2's, and the output compares with fixed codes of digits, where
    this one ends in a softmax. The tanh stands without its scale.
    """
    net = Builder("lenet5", width)
    x = net.input((input_size, input_size, 3))
    with net.module("C1"):
        x = net.conv(x, 6, 5, padding="valid", activation="tanh", name="C1_conv")  # 28x28x6
    with net.module("S2"):
        x = net.average_pool(x, 2, stride=2, name="S2_pool")  # 14x14x6
    with net.module("C3"):
        x = net.conv(x, 16, 5, padding="valid", activation="tanh", name="C3_conv")  # 10x10x16
    with net.module("S4"):
        x = net.average_pool(x, 2, stride=2, name="S4_pool")  # 5x5x16
    with net.module("C5"):
        x = net.conv(x, 120, 5, padding="valid", activation="tanh", name="C5_conv")  # 1x1x120
    with net.module("F6"):
        x = net.flatten(x)
        x = net.dense(x, 84, activation="tanh", name="F6_fc")
    with net.module("output"):
        x = net.dense(x, classes, activation="softmax", name="predictions")
    return net.build(x)
