"""What is printed of the networks before and after those of the lecture: tables of their papers, and torchvision's."""

from __future__ import annotations

from cnnlab.architectures.options import Value
from cnnlab.lecture.published.measures import multiply_adds, output_shape, parameters, trainable
from cnnlab.lecture.published.table import Figure, PublishedTable

TORCHVISION = "torchvision's documentation (docs.pytorch.org/vision/stable/models)"
HE = "He, Zhang, Ren and Sun, CVPR 2016 (arXiv:1512.03385)"
HOWARD = "Howard et al., 2017 (arXiv:1704.04861)"
SANDLER = "Sandler et al., CVPR 2018 (arXiv:1801.04381)"
IMAGENET: tuple[tuple[str, Value], ...] = (("input_size", 224), ("classes", 1000))
CIFAR: tuple[tuple[str, Value], ...] = (("input_size", 32), ("classes", 10))
MOVING = "Trainable parameters: the moving statistics of batch normalization are not counted."

LENET_TABLE = PublishedTable(
    title="LeNet-5: maps and trainable parameters",
    source="LeCun, Bottou, Bengio and Haffner, Proceedings of the IEEE 86(11), 1998, section II.B",
    lecture="",
    architectures=("lenet5",),
    options=CIFAR,
    figures=(
        Figure("C1", "maps", "28×28×6", output_shape, "C1"),
        Figure(
            "C1",
            "trainable parameters",
            "156",
            parameters,
            "C1",
            note="Six windows of 5×5 over one grey channel and six biases; over three colours 456.",
        ),
        Figure("S2", "maps", "14×14×6", output_shape, "S2"),
        Figure(
            "S2",
            "trainable parameters",
            "12",
            parameters,
            "S2",
            note="The paper's subsampling has a coefficient and a bias for each map; average pooling has none.",
        ),
        Figure("C3", "maps", "10×10×16", output_shape, "C3"),
        Figure(
            "C3",
            "trainable parameters",
            "1,516",
            parameters,
            "C3",
            note="In the paper each map of C3 reads three, four or six of S2's maps; here all six.",
        ),
        Figure("S4", "maps", "5×5×16", output_shape, "S4"),
        Figure(
            "S4",
            "trainable parameters",
            "32",
            parameters,
            "S4",
            note="The paper's subsampling has a coefficient and a bias for each map; average pooling has none.",
        ),
        Figure("C5", "maps", "1×1×120", output_shape, "C5_conv"),
        Figure("C5", "trainable parameters", "48,120", parameters, "C5"),
        Figure("F6", "units", "84", output_shape, "F6"),
        Figure("F6", "trainable parameters", "10,164", parameters, "F6"),
        Figure(
            "whole",
            "trainable parameters",
            "60,000",
            parameters,
            note="300 of C1's two further colours, 900 of C3's further connections and 850 of the softmax's layer are "
            "more, 44 of the subsampling fewer.",
        ),
    ),
)

ALEXNET_TABLE = PublishedTable(
    title="AlexNet in one tower: its total",
    source=f"{TORCHVISION}, alexnet: num_params",
    lecture="",
    architectures=("alexnet",),
    options=IMAGENET,
    figures=(Figure("alexnet", "num_params", "61,100,840", parameters),),
)

ZFNET_FIGURE = PublishedTable(
    title="ZFNet: the sizes of its maps",
    source="Zeiler and Fergus, ECCV 2014 (arXiv:1311.2901), Figure 3",
    lecture="",
    architectures=("zfnet",),
    options=IMAGENET,
    figures=(
        Figure("Layer 1", "convolution", "110×110×96", output_shape, "conv1"),
        Figure("Layer 1", "pooled", "55×55×96", output_shape, "pool1"),
        Figure("Layer 2", "convolution", "26×26×256", output_shape, "conv2"),
        Figure("Layer 2", "pooled", "13×13×256", output_shape, "pool2"),
        Figure("Layer 3", "convolution", "13×13×384", output_shape, "conv3"),
        Figure("Layer 4", "convolution", "13×13×384", output_shape, "conv4"),
        Figure("Layer 5", "convolution", "13×13×256", output_shape, "conv5"),
        Figure("Layer 5", "pooled", "6×6×256", output_shape, "pool5"),
        Figure("Layer 6", "units", "4096", output_shape, "fc6"),
        Figure("Layer 7", "units", "4096", output_shape, "fc7"),
    ),
    convention="The paper prints no total.",
)


def residual(row: str, name: str, flops: str, note: str = "") -> list[Figure]:
    """A column of ResNet's Table 1."""
    sizes = (("conv1", "112×112"), ("conv2_x", "56×56"), ("conv3_x", "28×28"), ("conv4_x", "14×14"), ("conv5_x", "7×7"))
    channels = (64, *((256, 512, 1024, 2048) if name == "resnet50" else (64, 128, 256, 512)))
    figures = [
        Figure(row, f"{part}, output size", f"{size}×{count}", output_shape, part, architecture=name)
        for (part, size), count in zip(sizes, channels, strict=True)
    ]
    return [*figures, Figure(row, "FLOPs", flops, multiply_adds, unit=10**9, note=note, architecture=name)]


RESNET_TABLE_1 = PublishedTable(
    title="ResNet: the columns of Table 1",
    source=f"{HE}, Table 1",
    lecture="",
    architectures=("resnet18", "resnet34", "resnet50"),
    options=IMAGENET,
    figures=(
        *residual("18-layer", "resnet18", "1.8×10⁹"),
        *residual(
            "34-layer",
            "resnet34",
            "3.6×10⁹",
            "3.66×10⁹ multiply-adds, 3.64 of them outside of the shortcuts: the paper's figure is that of its identity "
            "shortcuts, cut off.",
        ),
        *residual("50-layer", "resnet50", "3.8×10⁹", "3.86×10⁹ multiply-adds: the paper's figure is cut off."),
    ),
    convention="The paper's FLOPs are multiply-adds. It prints output sizes without channels; these are its widths.",
)

RESNET_TOTALS = PublishedTable(
    title="ResNet: the totals",
    source=f"{TORCHVISION}, resnet18, resnet34 and resnet50: num_params",
    lecture="",
    architectures=("resnet18", "resnet34", "resnet50"),
    options=IMAGENET,
    figures=(
        Figure("resnet18", "num_params", "11,689,512", trainable, architecture="resnet18"),
        Figure("resnet34", "num_params", "21,797,672", trainable, architecture="resnet34"),
        Figure("resnet50", "num_params", "25,557,032", trainable, architecture="resnet50"),
    ),
    convention=MOVING,
)

RESNET_TABLE_6 = PublishedTable(
    title="ResNet for CIFAR-10: the totals, in millions",
    source=f"{HE}, Table 6",
    lecture="",
    architectures=("resnet20", "resnet56"),
    options=CIFAR,
    figures=(
        Figure("ResNet, 20 layers", "# params", "0.27M", trainable, unit=10**6, architecture="resnet20"),
        Figure("ResNet, 56 layers", "# params", "0.85M", trainable, unit=10**6, architecture="resnet56"),
    ),
    convention=MOVING,
)

DENSENET_TABLE_2 = PublishedTable(
    title="DenseNet-BC: its total, in millions",
    source="Huang, Liu, van der Maaten and Weinberger, CVPR 2017 (arXiv:1608.06993), Table 2",
    lecture="",
    architectures=("densenet_bc",),
    options=CIFAR,
    figures=(Figure("DenseNet-BC (k = 12), depth 100", "Params", "0.8M", trainable, unit=10**6),),
    convention=MOVING,
)

SQUEEZENET_TABLE = PublishedTable(
    title="SqueezeNet 1.1: its total",
    source=f"{TORCHVISION}, squeezenet1_1: num_params",
    lecture="",
    architectures=("squeezenet",),
    options=IMAGENET,
    figures=(Figure("squeezenet1_1", "num_params", "1,235,496", parameters),),
    convention="The paper prints the totals of version 1.0.",
)

MOBILENET_TABLE_8 = PublishedTable(
    title="MobileNet: its totals, in millions",
    source=f"{HOWARD}, Table 8; the sizes of the maps are those of Table 1",
    lecture="",
    architectures=("mobilenet",),
    options=IMAGENET,
    figures=(
        Figure("Conv / s2", "output", "112×112×32", output_shape, "conv1"),
        Figure("5 × Conv dw, Conv / s1", "output", "14×14×512", output_shape, "stage4"),
        Figure("Conv / s1", "output", "7×7×1024", output_shape, "stage5"),
        Figure("1.0 MobileNet-224", "Million Mult-Adds", "569", multiply_adds, unit=10**6),
        Figure("1.0 MobileNet-224", "Million Parameters", "4.2", trainable, unit=10**6),
    ),
    convention=MOVING,
)

MOBILENET_V2_TABLES = PublishedTable(
    title="MobileNetV2: its totals",
    source=f"{SANDLER}, Table 4; num_params of {TORCHVISION}, mobilenet_v2",
    lecture="",
    architectures=("mobilenet_v2",),
    options=IMAGENET,
    figures=(
        Figure(
            "MobileNetV2",
            "Params",
            "3.4M",
            trainable,
            unit=10**6,
            note="3,470,760 without the 34,112 scales and shifts of batch normalization: cut off, that is the paper's "
            "3.4M.",
        ),
        Figure(
            "MobileNetV2",
            "MAdds",
            "300M",
            multiply_adds,
            unit=10**6,
            note="300.8M multiply-adds: the paper's figure is cut off, or rounded to two digits.",
        ),
        Figure("mobilenet_v2", "num_params", "3,504,872", trainable),
    ),
    convention=MOVING,
)

BEFORE_AND_AFTER = (
    LENET_TABLE,
    ZFNET_FIGURE,
    ALEXNET_TABLE,
    RESNET_TABLE_1,
    RESNET_TOTALS,
    RESNET_TABLE_6,
    SQUEEZENET_TABLE,
    DENSENET_TABLE_2,
    MOBILENET_TABLE_8,
    MOBILENET_V2_TABLES,
)
