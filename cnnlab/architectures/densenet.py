"""DenseNet: every layer of a block reads all that the block has made so far.

Huang, Liu, van der Maaten and Weinberger, "Densely Connected Convolutional Networks", CVPR 2017 (arXiv:1608.06993),
section 3.
"""

from __future__ import annotations

from cnnlab.architectures.options import Classes, DropoutRate, InputSize
from cnnlab.network import Builder, Network, Tensor


def densenet_bc(*, input_size: InputSize = 32, classes: Classes = 10, dropout: DropoutRate = 0.0) -> Network:
    """DenseNet-BC of 100 layers that grow by 12 channels each, for CIFAR-10: 769,162 trainable parameters.

    B: a 1x1 convolution to 48 channels before each 3x3. C: a transition keeps half of the channels. The paper drops out
    a fifth after each convolution but the first where it does not augment its images; with augmentation nothing.
    """
    growth, layers = 12, (100 - 4) // 6
    net = Builder("densenet_bc")

    def conv(x: Tensor, filters: int, kernel: int, *, name: str) -> Tensor:
        """Batch normalization and activation before the convolution."""
        x = net.batch_norm(x, name=f"{name}_bn")
        x = net.activation(x, "relu", name=f"{name}_relu")
        x = net.conv(x, filters, kernel, use_bias=False, name=f"{name}_conv")
        return net.dropout(x, dropout, name=f"{name}_dropout")

    x = net.input((input_size, input_size, 3))
    with net.module("conv1"):
        x = net.conv(x, 2 * growth, 3, use_bias=False, name="conv1_conv")  # 32x32x24
    for block in (1, 2, 3):
        with net.module(f"dense{block}"):  # 32x32x216, 16x16x300, 8x8x342
            for layer in range(1, layers + 1):
                name = f"dense{block}_layer{layer}"
                new = conv(conv(x, 4 * growth, 1, name=f"{name}_1x1"), growth, 3, name=f"{name}_3x3")
                x = net.concat([x, new], name=f"{name}_concat")
        if block < 3:
            with net.module(f"transition{block}"):
                x = conv(x, x.shape[-1] // 2, 1, name=f"transition{block}_1x1")
                x = net.average_pool(x, 2, stride=2, name=f"transition{block}_pool")  # 16x16x108, 8x8x150
    with net.module("classifier"):
        x = net.batch_norm(x, name="last_bn")
        x = net.activation(x, "relu", name="last_relu")
        x = net.global_average_pool(x, name="avg_pool")
        x = net.dense(x, classes, activation="softmax", name="predictions")
    return net.build(x)
