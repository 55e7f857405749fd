"""MiniVGGNet: the lecture's table of layers, and its summary by Keras."""

from __future__ import annotations

from cnnlab.lecture.published.measures import Nodes, kernel, kernel_and_filters, output_shape, parameters
from cnnlab.lecture.published.table import LECTURE, Figure, PublishedMeasure, PublishedTable
from cnnlab.lecture.published.vgg import summary_figures
from cnnlab.network import Network
from cnnlab.network.layers import Activation, BatchNormalization, Conv2D, Dense, Dropout, InputLayer, MaxPooling2D

CIFAR_10 = (("input_size", 32), ("classes", 10))
BLOCKS = tuple(
    f"block{block}_{layer}"
    for block in (1, 2)
    for layer in ("conv1", "act1", "bn1", "conv2", "act2", "bn2", "pool", "dropout")
)
MINIVGGNET_CLASSIFIER = ("fc1", "fc1_act", "fc1_bn", "fc1_dropout", "fc2", "predictions")

TABLE = """
INPUT IMAGE|32×32×3|
CONV|32×32×32|3×3, K = 32
ACT|32×32×32|
BN|32×32×32|
CONV|32×32×32|3×3, K = 32
ACT|32×32×32|
BN|32×32×32|
POOL|16×16×32|2×2
DROPOUT|16×16×32|
CONV|16×16×64|3×3, K = 64
ACT|16×16×64|
BN|16×16×64|
CONV|16×16×64|3×3, K = 64
ACT|16×16×64|
BN|16×16×64|
POOL|8×8×64|2×2
DROPOUT|8×8×64|
FC|512|
ACT|512|
BN|512|
DROPOUT|512|
FC|10|
SOFTMAX|10|
"""

MINIVGGNET_LISTING = """
conv2d (Conv2D)|(None, 32, 32, 32)|896
activation (Activation)|(None, 32, 32, 32)|0
batch_normalization (Batch Normalization)|(None, 32, 32, 32)|128
conv2d_1 (Conv2D)|(None, 32, 32, 32)|9248
activation_1 (Activation)|(None, 32, 32, 32)|0
batch_normalization_1 (Batch Normalization)|(None, 32, 32, 32)|128
max_pooling2d (MaxPooling2D)|(None, 16, 16, 32)|0
dropout (Dropout)|(None, 16, 16, 32)|0
conv2d_2 (Conv2D)|(None, 16, 16, 64)|18496
activation_2 (Activation)|(None, 16, 16, 64)|0
batch_normalization_2 (Batch Normalization)|(None, 16, 16, 64)|256
conv2d_3 (Conv2D)|(None, 16, 16, 64)|36928
activation_3 (Activation)|(None, 16, 16, 64)|0
batch_normalization_3 (Batch Normalization)|(None, 16, 16, 64)|256
max_pooling2d_1 (MaxPooling2D)|(None, 8, 8, 64)|0
dropout_1 (Dropout)|(None, 8, 8, 64)|0
flatten (Flatten)|(None, 4096)|0
dense (Dense)|(None, 512)|2097664
activation_4 (Activation)|(None, 512)|0
batch_normalization_4 (Batch Normalization)|(None, 512)|2048
dropout_2 (Dropout)|(None, 512)|0
dense_1 (Dense)|(None, 10)|5130
activation_5 (Activation)|(None, 10)|0
"""


def word(network: Network, nodes: Nodes) -> str:
    """A layer as the lecture's table calls it."""
    match nodes[-1].layer:
        case InputLayer():
            return "INPUT IMAGE"
        case Conv2D():
            return "CONV"
        case Activation(activation="softmax"):
            return "SOFTMAX"
        case Activation():
            return "ACT"
        case BatchNormalization():
            return "BN"
        case MaxPooling2D():
            return "POOL"
        case Dropout():
            return "DROPOUT"
        case Dense():
            return "FC"
        case other:
            return other.type


def table_figures() -> tuple[Figure, ...]:
    figures = []
    lines = TABLE.strip().splitlines()
    for number, (line, layer) in enumerate(zip(lines, ("input", *BLOCKS, *MINIVGGNET_CLASSIFIER), strict=True)):
        kind, shape, window = line.split("|")
        row = f"{number} {kind}"
        figures += [
            Figure(row, "Layer Type", kind, word, layer),
            Figure(row, "Output Size", shape, output_shape, layer),
        ]
        if window:
            measure: PublishedMeasure = kernel_and_filters if "K" in window else kernel
            figures.append(Figure(row, "Filter Size / Stride", window, measure, layer))
    return tuple(figures)


MINIVGGNET_TABLE = PublishedTable(
    title="MiniVGGNet: its layers",
    source=f"{LECTURE}, VGG: table of MiniVGGNet; its total from the slide with the classification reports",
    lecture="VGG",
    architectures=("minivggnet",),
    options=CIFAR_10,
    figures=(
        *table_figures(),
        Figure(
            "total",
            "Params",
            "2.1M Params.",
            parameters,
            unit=10**6,
            note="2,171,178 rounds to 2.2M; cut off after its first decimal it is the printed 2.1M.",
        ),
    ),
    convention="The table leaves out the flattening before the first FC, which holds no parameters.",
)

MINIVGGNET_SUMMARY = PublishedTable(
    title="MiniVGGNet: the model's summary",
    source=f"{LECTURE}, VGG: summary of MiniVGGNet",
    lecture="VGG",
    architectures=("minivggnet",),
    options=CIFAR_10,
    figures=summary_figures(
        MINIVGGNET_LISTING, (*BLOCKS, "flatten", *MINIVGGNET_CLASSIFIER), ("2,171,178", "2,169,770", "1,408")
    ),
    convention="Keras numbers its layers; ours are named by block, and stand in the same order.",
)
