"""The eleven architectures that the lecture speaks of, in its order."""

from __future__ import annotations

from cnnlab.architectures.entry import Architecture, Paper
from cnnlab.architectures.googlenet import deepergooglenet, googlenet
from cnnlab.architectures.minigooglenet import minigooglenet
from cnnlab.architectures.nin import nin
from cnnlab.architectures.vgg import minivggnet, vgg16, vgg19, vgg_a, vgg_a_lrn, vgg_b, vgg_c


def vgg_paper(where: str) -> Paper:
    return Paper(
        "Simonyan and Zisserman",
        "Very Deep Convolutional Networks for Large-Scale Image Recognition",
        "ICLR 2015",
        "https://arxiv.org/abs/1409.1556",
        where,
    )


def szegedy_paper(where: str) -> Paper:
    return Paper(
        "Szegedy, Liu, Jia, Sermanet, Reed, Anguelov, Erhan, Vanhoucke and Rabinovich",
        "Going Deeper with Convolutions",
        "CVPR 2015",
        "https://arxiv.org/abs/1409.4842",
        where,
    )


LIN = Paper("Lin, Chen and Yan", "Network In Network", "ICLR 2014", "https://arxiv.org/abs/1312.4400", "section 4")
ZHANG_PAPER = Paper(
    "Zhang, Bengio, Hardt, Recht and Vinyals",
    "Understanding Deep Learning Requires Rethinking Generalization",
    "ICLR 2017",
    "https://arxiv.org/abs/1611.03530",
    'Figure 3, "Inception (small)"',
)

OF_THE_LECTURE = (
    Architecture(
        "minivggnet",
        "MiniVGGNet",
        "VGG's recipe cut down to 32×32 images: pairs of 3×3 convolutions, then a pooling, twice.",
        "VGG",
        vgg_paper("its idea, in the lecture's table for CIFAR-10"),
        minivggnet,
    ),
    Architecture(
        "minigooglenet",
        "MiniGoogLeNet",
        "Inception modules of a 1×1 beside a 3×3 convolution, for CIFAR-10, without any large dense layer.",
        "MiniGoogLeNet",
        ZHANG_PAPER,
        minigooglenet,
    ),
    Architecture(
        "nin",
        "Network in Network",
        "A small perceptron of 1×1 convolutions at every position, and global average pooling instead of dense layers.",
        "1x1 convolutions",
        LIN,
        nin,
    ),
    Architecture(
        "deepergooglenet",
        "DeeperGoogLeNet",
        "GoogLeNet up to inception 4e behind a 5×5 stem, for the 64×64 images of Tiny ImageNet.",
        "DeeperGoogLeNet",
        szegedy_paper("its modules, in the lecture's table for Tiny ImageNet"),
        deepergooglenet,
    ),
    Architecture(
        "googlenet",
        "GoogLeNet",
        "Nine inception modules of four branches: 22 weight layers with a twentieth of VGG16's parameters.",
        "GoogLeNet",
        szegedy_paper("Table 1"),
        googlenet,
    ),
    Architecture(
        "vgg_a",
        "VGG A",
        "Eleven weight layers: the shallowest of the six configurations, trained first.",
        "VGG",
        vgg_paper("Table 1, configuration A"),
        vgg_a,
    ),
    Architecture(
        "vgg_a_lrn",
        "VGG A-LRN",
        "VGG A with local response normalization after the first convolution; it did not help.",
        "VGG",
        vgg_paper("Table 1, configuration A-LRN"),
        vgg_a_lrn,
    ),
    Architecture(
        "vgg_b",
        "VGG B",
        "Thirteen weight layers: two 3×3 convolutions in every block.",
        "VGG",
        vgg_paper("Table 1, configuration B"),
        vgg_b,
    ),
    Architecture(
        "vgg_c",
        "VGG C",
        "Sixteen weight layers: B with a 1×1 convolution at the end of the last three blocks.",
        "VGG",
        vgg_paper("Table 1, configuration C"),
        vgg_c,
    ),
    Architecture(
        "vgg16",
        "VGG16",
        "Sixteen weight layers of nothing but 3×3 convolutions and three dense layers, for ImageNet.",
        "VGG",
        vgg_paper("Table 1, configuration D"),
        vgg16,
    ),
    Architecture(
        "vgg19",
        "VGG19",
        "Nineteen weight layers: four 3×3 convolutions in each of the last three blocks.",
        "VGG",
        vgg_paper("Table 1, configuration E"),
        vgg19,
    ),
)
