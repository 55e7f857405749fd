"""The lecture's snippets of Keras, with the summaries that they print; numbers of one's own where there are some."""

from __future__ import annotations

from cnnlab.lecture.reduction import Bottleneck
from cnnlab.network import Builder, Network
from cnnlab.network.layers import Padding

PUBLISHED_WEIGHTS = {"vgg16": "VGG16", "vgg19": "VGG19"}
"""Architectures whose trained weights Keras has, by its own names."""
LOSS_SNIPPET = """\
# The total loss used by the inception net during training.
total_loss = real_loss + 0.3 * aux_loss_0 + 0.3 * aux_loss_1
"""
NAME, SHAPE, COUNT = 20, 22, 11


def published_weights_snippet(model: str) -> str:
    """The lecture's lines for VGG16, which hold for VGG19 too."""
    return (
        "# import the necessary packages\n"
        f"from tensorflow.keras.applications import {model}\n\n"
        f'model = {model}(weights="imagenet")\n'
        "model.summary()\n"
    )


def bottleneck_snippets(case: Bottleneck) -> tuple[tuple[str, str], tuple[str, str]]:
    """The direct convolution, and that behind its 1x1, each as a Sequential model and what it prints."""
    given = f"({case.height}, {case.width}, {case.channels})"
    kernel = f'({case.kernel}, {case.kernel}), padding="{case.padding}", activation="relu"'
    head = "from keras import Input, Sequential\nfrom keras.layers import Conv2D\n\n"
    direct = (
        f"{head}# the convolution on its own\nmodel = Sequential()\nmodel.add(Input({given}))\n"
        f"model.add(Conv2D({case.filters}, {kernel}))\nmodel.summary()\n"
    )
    reduced = (
        f"{head}# a 1x1 convolution for dimensionality reduction before it\nmodel = Sequential()\n"
        f"model.add(Input({given}))\n"
        f'model.add(Conv2D({case.bottleneck}, (1, 1), activation="relu"))\n'
        f"model.add(Conv2D({case.filters}, {kernel}))\nmodel.summary()\n"
    )
    shape = case.input_shape
    return (
        (direct, summary(stack(shape, ((case.filters, case.kernel, case.padding),)))),
        (
            reduced,
            summary(stack(shape, ((case.bottleneck, 1, "valid"), (case.filters, case.kernel, case.padding)))),
        ),
    )


def stack(shape: tuple[int, ...], layers: tuple[tuple[int, int, Padding], ...]) -> Network:
    build = Builder("sequential")
    x = build.input(shape)
    for place, (filters, kernel, padding) in enumerate(layers):
        name = f"conv2d_{place}" if place else "conv2d"
        x = build.conv(x, filters, kernel, padding=padding, activation="relu", name=name)
    return build.build(x)


def summary(network: Network) -> str:
    """The layers as `model.summary()` lists them, without the box."""
    lines = [f"{'Layer (type)':{NAME}}{'Output Shape':{SHAPE}}{'Param #':>{COUNT}}"]
    for node in network.layers[1:]:
        shape = f"(None, {', '.join(str(one) for one in node.output_shape)})"
        lines.append(f"{f'{node.name} ({node.layer.type})':{NAME}}{shape:{SHAPE}}{node.parameters:>{COUNT},}")
    lines += [
        f"Total params: {network.parameters:,}",
        f"Trainable params: {network.trainable:,}",
        f"Non-trainable params: {network.non_trainable:,}",
    ]
    return "\n".join(lines)
