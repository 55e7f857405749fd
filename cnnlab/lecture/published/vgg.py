"""VGG: Tables 1 and 2 of Simonyan and Zisserman, and the summary of VGG16 that the lecture prints."""

from __future__ import annotations

from cnnlab.lecture.published.measures import (
    Nodes,
    layer_type,
    non_trainable,
    output_shape,
    parameters,
    trainable,
    weight_layers,
)
from cnnlab.lecture.published.table import LECTURE, Figure, PublishedTable
from cnnlab.network import Network
from cnnlab.network.layers import Conv2D, Dense, LocalResponseNormalization, MaxPooling2D

VGG_COLUMNS = {"A": "vgg_a", "A-LRN": "vgg_a_lrn", "B": "vgg_b", "C": "vgg_c", "D": "vgg16", "E": "vgg19"}
VGG_OPTIONS = (("input_size", 224), ("classes", 1000))

LAYERS = {  # by row, then by column
    "block1": "conv3-64|conv3-64 LRN|conv3-64 conv3-64|conv3-64 conv3-64|conv3-64 conv3-64|conv3-64 conv3-64",
    "block2": "conv3-128|conv3-128|conv3-128 conv3-128|conv3-128 conv3-128|conv3-128 conv3-128|conv3-128 conv3-128",
    "block3": "conv3-256 conv3-256|conv3-256 conv3-256|conv3-256 conv3-256|conv3-256 conv3-256 conv1-256|"
    "conv3-256 conv3-256 conv3-256|conv3-256 conv3-256 conv3-256 conv3-256",
    "block4": "conv3-512 conv3-512|conv3-512 conv3-512|conv3-512 conv3-512|conv3-512 conv3-512 conv1-512|"
    "conv3-512 conv3-512 conv3-512|conv3-512 conv3-512 conv3-512 conv3-512",
    "block5": "conv3-512 conv3-512|conv3-512 conv3-512|conv3-512 conv3-512|conv3-512 conv3-512 conv1-512|"
    "conv3-512 conv3-512 conv3-512|conv3-512 conv3-512 conv3-512 conv3-512",
}
VGG_CLASSIFIER = "FC-4096 FC-4096 FC-1000 soft-max"  # spans all columns


def stack(network: Network, nodes: Nodes) -> str:
    """The layers of a block in the notation of Table 1; the max pooling that ends every block is a row of its own."""
    words = []
    for node in nodes:
        match node.layer:
            case Conv2D(filters=filters, kernel=kernel):
                words.append(f"conv{kernel}-{filters}")
            case Dense(units=units):
                words.append(f"FC-{units}")
            case LocalResponseNormalization():
                words.append("LRN")
            case _:
                pass
        if getattr(node.layer, "activation", "") == "softmax":
            words.append("soft-max")
    return " ".join(words)


def pooling(network: Network, nodes: Nodes) -> str:
    return "maxpool" if isinstance(nodes[-1].layer, MaxPooling2D) else nodes[-1].layer.type


def column(letter: str, place: int) -> list[Figure]:
    """One configuration of Table 1, from its count of weight layers down to the softmax."""
    name = VGG_COLUMNS[letter]
    depth = {"A": "11", "A-LRN": "11", "B": "13", "C": "16", "D": "16", "E": "19"}[letter]
    figures = [
        Figure(letter, "depth", f"{depth} weight layers", weight_layers, architecture=name),
        Figure(letter, "input", "224 × 224 RGB image", input_size, "input", architecture=name),
    ]
    for block, cells in LAYERS.items():
        figures += [
            Figure(letter, block, cells.split("|")[place], stack, block, architecture=name),
            Figure(letter, f"{block}, end", "maxpool", pooling, block, architecture=name),
        ]
    return [*figures, Figure(letter, "classifier", VGG_CLASSIFIER, stack, "classifier", architecture=name)]


def input_size(network: Network, nodes: Nodes) -> tuple[int, int]:
    height, width, _ = nodes[0].output_shape
    return height, width


VGG_TABLE_1 = PublishedTable(
    title="VGG: the six configurations",
    source=f"Simonyan and Zisserman, ICLR 2015 (arXiv:1409.1556), Table 1; {LECTURE}, VGG",
    lecture="VGG",
    architectures=tuple(VGG_COLUMNS.values()),
    options=VGG_OPTIONS,
    figures=tuple(figure for place, letter in enumerate(VGG_COLUMNS) for figure in column(letter, place)),
)

VGG_TABLE_2 = PublishedTable(
    title="VGG: number of parameters, in millions",
    source=f"Simonyan and Zisserman, ICLR 2015 (arXiv:1409.1556), Table 2; {LECTURE}, VGG",
    lecture="VGG",
    architectures=tuple(VGG_COLUMNS.values()),
    options=VGG_OPTIONS,
    figures=tuple(
        Figure(letter, "millions of parameters", printed, parameters, unit=10**6, architecture=VGG_COLUMNS[letter])
        for letter, printed in {"A": "133", "A-LRN": "133", "B": "133", "C": "134", "D": "138", "E": "144"}.items()
    ),
)

VGG16_LISTING = """
input_1 (InputLayer)|[(None, 224, 224, 3)]|0
block1_conv1 (Conv2D)|(None, 224, 224, 64)|1792
block1_conv2 (Conv2D)|(None, 224, 224, 64)|36928
block1_pool (MaxPooling2D)|(None, 112, 112, 64)|0
block2_conv1 (Conv2D)|(None, 112, 112, 128)|73856
block2_conv2 (Conv2D)|(None, 112, 112, 128)|147584
block2_pool (MaxPooling2D)|(None, 56, 56, 128)|0
block3_conv1 (Conv2D)|(None, 56, 56, 256)|295168
block3_conv2 (Conv2D)|(None, 56, 56, 256)|590080
block3_conv3 (Conv2D)|(None, 56, 56, 256)|590080
block3_pool (MaxPooling2D)|(None, 28, 28, 256)|0
block4_conv1 (Conv2D)|(None, 28, 28, 512)|1180160
block4_conv2 (Conv2D)|(None, 28, 28, 512)|2359808
block4_conv3 (Conv2D)|(None, 28, 28, 512)|2359808
block4_pool (MaxPooling2D)|(None, 14, 14, 512)|0
block5_conv1 (Conv2D)|(None, 14, 14, 512)|2359808
block5_conv2 (Conv2D)|(None, 14, 14, 512)|2359808
block5_conv3 (Conv2D)|(None, 14, 14, 512)|2359808
block5_pool (MaxPooling2D)|(None, 7, 7, 512)|0
flatten (Flatten)|(None, 25088)|0
fc1 (Dense)|(None, 4096)|102764544
fc2 (Dense)|(None, 4096)|16781312
predictions (Dense)|(None, 1000)|4097000
"""


def summary_figures(printed: str, layers: tuple[str, ...], totals: tuple[str, str, str]) -> tuple[Figure, ...]:
    """Keras's model.summary(): "name (type)|shape|parameters" a line, beside our `layers` in the same order."""
    figures = []
    for line, layer in zip(printed.strip().splitlines(), layers, strict=True):
        title, shape, size = line.split("|")
        row, _, kind = title.removesuffix(")").partition(" (")
        figures += [
            Figure(row, "Layer type", kind, layer_type, layer),
            Figure(row, "Output Shape", shape, output_shape, layer),
            Figure(row, "Param #", size, parameters, layer),
        ]
    words = ("Total params", "Trainable params", "Non-trainable params")
    for word, total, measure in zip(words, totals, (parameters, trainable, non_trainable), strict=True):
        figures.append(Figure(word, "Param #", total, measure))
    return tuple(figures)


VGG_NAMES = tuple(line.split(" (")[0] for line in VGG16_LISTING.strip().splitlines())

VGG16_SUMMARY = PublishedTable(
    title="VGG16: the model's summary",
    source=f"{LECTURE}, VGG: summary of keras.applications.VGG16",
    lecture="VGG",
    architectures=("vgg16",),
    options=VGG_OPTIONS,
    figures=summary_figures(VGG16_LISTING, ("input", *VGG_NAMES[1:]), ("138,357,544", "138,357,544", "0")),
    convention="Keras numbers its input layer, input_1; ours is called input.",
)
