"""The architectures that came before those of the lecture, and those that came after, by year."""

from __future__ import annotations

from dataclasses import replace

from cnnlab.architectures.alexnet import alexnet, zfnet
from cnnlab.architectures.densenet import densenet_bc
from cnnlab.architectures.entry import Architecture, Paper
from cnnlab.architectures.lenet import lenet5
from cnnlab.architectures.mobilenet import mobilenet, mobilenet_v2
from cnnlab.architectures.resnet import resnet18, resnet20, resnet34, resnet50, resnet56
from cnnlab.architectures.squeezenet import squeezenet

BEFORE = (
    Architecture(
        "lenet5",
        "LeNet-5",
        "Convolutions and subsampling, twice, then dense layers: the pattern of 1998, for handwritten digits.",
        "",
        Paper(
            "LeCun, Bottou, Bengio and Haffner",
            "Gradient-Based Learning Applied to Document Recognition",
            "Proceedings of the IEEE 86(11), 1998",
            "https://doi.org/10.1109/5.726791",
            "section II.B and Figure 2",
        ),
        lenet5,
        "Before",
    ),
    Architecture(
        "alexnet",
        "AlexNet",
        "Five convolutions and three dense layers, with which it began on ImageNet; here in one tower.",
        "",
        Paper(
            "Krizhevsky, Sutskever and Hinton",
            "ImageNet Classification with Deep Convolutional Neural Networks",
            "NIPS 2012",
            "https://doi.org/10.1145/3065386",
            "section 3, in the one tower of Krizhevsky, 2014 (arXiv:1404.5997)",
        ),
        alexnet,
        "Before",
        smallest_input=63,
    ),
    Architecture(
        "zfnet",
        "ZFNet",
        "AlexNet with smaller first windows, after a look at what its layers respond to.",
        "",
        Paper(
            "Zeiler and Fergus",
            "Visualizing and Understanding Convolutional Networks",
            "ECCV 2014",
            "https://arxiv.org/abs/1311.2901",
            "Figure 3",
        ),
        zfnet,
        "Before",
        smallest_input=53,
    ),
)

RESNET = Paper(
    "He, Zhang, Ren and Sun",
    "Deep Residual Learning for Image Recognition",
    "CVPR 2016",
    "https://arxiv.org/abs/1512.03385",
    "Table 1",
)
RESNET_CIFAR = replace(RESNET, where="section 4.2 and Table 6")

AFTER = (
    Architecture(
        "resnet18",
        "ResNet-18",
        "Eight residual blocks of two 3×3 convolutions: each adds to what it is given.",
        "",
        RESNET,
        resnet18,
        "After",
    ),
    Architecture(
        "resnet34",
        "ResNet-34",
        "Sixteen residual blocks of two 3×3 convolutions.",
        "",
        RESNET,
        resnet34,
        "After",
    ),
    Architecture(
        "resnet50",
        "ResNet-50",
        "Sixteen bottlenecks: a 3×3 convolution between one of 1×1 that narrows and one that widens.",
        "",
        RESNET,
        resnet50,
        "After",
    ),
    Architecture(
        "resnet20",
        "ResNet-20",
        "Nine residual blocks for CIFAR-10, whose shortcuts have no weights.",
        "",
        RESNET_CIFAR,
        resnet20,
        "After",
    ),
    Architecture(
        "resnet56",
        "ResNet-56",
        "Twenty-seven residual blocks for CIFAR-10, whose shortcuts have no weights.",
        "",
        RESNET_CIFAR,
        resnet56,
        "After",
    ),
    Architecture(
        "squeezenet",
        "SqueezeNet 1.1",
        "Fire modules squeeze by 1×1 before they expand: AlexNet's accuracy with a fiftieth of its parameters.",
        "",
        Paper(
            "Iandola, Han, Moskewicz, Ashraf, Dally and Keutzer",
            "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and <0.5MB model size",
            "arXiv, 2016",
            "https://arxiv.org/abs/1602.07360",
            "section 3, in the authors' version 1.1",
        ),
        squeezenet,
        "After",
    ),
    Architecture(
        "densenet_bc",
        "DenseNet-BC",
        "Every layer of a block reads all that the block has made so far; 100 layers that grow by 12 channels each.",
        "",
        Paper(
            "Huang, Liu, van der Maaten and Weinberger",
            "Densely Connected Convolutional Networks",
            "CVPR 2017",
            "https://arxiv.org/abs/1608.06993",
            "section 3 and Table 2, L = 100 and k = 12",
        ),
        densenet_bc,
        "After",
    ),
    Architecture(
        "mobilenet",
        "MobileNet",
        "Thirteen depthwise separable convolutions: an eighth of the work of full ones.",
        "",
        Paper(
            "Howard, Zhu, Chen, Kalenichenko, Wang, Weyand, Andreetto and Adam",
            "MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications",
            "arXiv, 2017",
            "https://arxiv.org/abs/1704.04861",
            "Table 1",
        ),
        mobilenet,
        "After",
    ),
    Architecture(
        "mobilenet_v2",
        "MobileNetV2",
        "Seventeen inverted residuals: widen, convolve each channel by itself, narrow, and add.",
        "",
        Paper(
            "Sandler, Howard, Zhu, Zhmoginov and Chen",
            "MobileNetV2: Inverted Residuals and Linear Bottlenecks",
            "CVPR 2018",
            "https://arxiv.org/abs/1801.04381",
            "Table 2",
        ),
        mobilenet_v2,
        "After",
    ),
)
