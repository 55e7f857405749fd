"""The layer kinds a network is drawn with: a closed set of frozen dataclasses, without TensorFlow.

Each kind carries the name of the Keras layer it stands for, and everything that the tables, diagrams and comparisons
say of it stands here: the shape it gives, the weights it holds, the multiply-adds it costs, the window it reads
through, its caption, its family, and whether the papers count it as a weight layer. CONTRIBUTING.md names the few other
places that know each kind; what is missing there fails in a test.

Shapes leave the batch axis out: (height, width, channels) for feature maps, (features,) for vectors.

Conventions, the same everywhere in cnnlab: one multiply-accumulate is counted once (2 FLOP); biases, normalization,
activations and pooling are not counted, which is how the literature counts convolutional networks.
"""

from cnnlab.network.layers.arranging import Add, Concatenate, Flatten, InputLayer, ZeroPadding2D
from cnnlab.network.layers.base import ActivationName, Layer, Pointwise, Weight
from cnnlab.network.layers.pointwise import Activation, BatchNormalization, Dropout, LocalResponseNormalization
from cnnlab.network.layers.pooling import AveragePooling2D, GlobalAveragePooling2D, MaxPooling2D, Pooling
from cnnlab.network.layers.shapes import POINT, Padding, Shape, Window, shape_text
from cnnlab.network.layers.weighted import Conv2D, Dense, DepthwiseConv2D

__all__ = [
    "POINT",
    "Activation",
    "ActivationName",
    "Add",
    "AnyLayer",
    "AveragePooling2D",
    "BatchNormalization",
    "Concatenate",
    "Conv2D",
    "Dense",
    "DepthwiseConv2D",
    "Dropout",
    "Flatten",
    "GlobalAveragePooling2D",
    "InputLayer",
    "Layer",
    "LocalResponseNormalization",
    "MaxPooling2D",
    "Padding",
    "Pointwise",
    "Pooling",
    "Shape",
    "Weight",
    "Window",
    "ZeroPadding2D",
    "shape_text",
]

AnyLayer = (
    InputLayer
    | Conv2D
    | DepthwiseConv2D
    | Dense
    | MaxPooling2D
    | AveragePooling2D
    | GlobalAveragePooling2D
    | ZeroPadding2D
    | BatchNormalization
    | LocalResponseNormalization
    | Activation
    | Dropout
    | Flatten
    | Concatenate
    | Add
)
