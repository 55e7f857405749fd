"""Accuracies of the networks before and after those of the lecture, as errors or accuracies in percent are printed."""

from __future__ import annotations

from cnnlab.architectures.options import Value
from cnnlab.lecture.published.before_and_after import HE, HOWARD, SANDLER, TORCHVISION
from cnnlab.lecture.published.reported import Metric, PublishedAccuracy, from_error

RANK_1: Metric = "rank-1 accuracy"
RANK_5: Metric = "rank-5 accuracy"
LECUN = "LeCun, Bottou, Bengio and Haffner, Proceedings of the IEEE 86(11), 1998, Figure 9"
HUANG = "Huang, Liu, van der Maaten and Weinberger, CVPR 2017 (arXiv:1608.06993), Table 2"
ZEILER = "Zeiler and Fergus, ECCV 2014 (arXiv:1311.2901), Table 2"
LIN = "Lin, Chen and Yan, ICLR 2014 (arXiv:1312.4400), Table 5"

ONE_CROP = """
alexnet|56.522|79.066
resnet18|69.758|89.078
resnet34|73.314|91.420
resnet50|76.130|92.862
squeezenet|58.178|80.624
mobilenet_v2|71.878|90.286
"""


def of_torchvision() -> list[PublishedAccuracy]:
    """Of the first weights for each network, which are trained much as the papers say."""
    found = []
    for line in ONE_CROP.strip().splitlines():
        name, *figures = line.split("|")
        for metric, word, printed in zip((RANK_1, RANK_5), ("acc@1", "acc@5"), figures, strict=True):
            conditions = "one network, one crop of 224; weights IMAGENET1K_V1"
            if name == "resnet50":
                conditions += "; the stride of a bottleneck in its 3×3 convolution"
            found.append(
                PublishedAccuracy(
                    name,
                    "ImageNet",
                    "ILSVRC-2012 validation",
                    metric,
                    round(float(printed) / 100, 6),
                    f"{word} {printed}",
                    conditions,
                    TORCHVISION,
                )
            )
    return found


def error(
    name: str,
    printed: str,
    conditions: str,
    source: str,
    dataset: str = "ImageNet",
    metric: Metric = RANK_1,
    options: tuple[tuple[str, Value], ...] = (),
) -> PublishedAccuracy:
    split = "ILSVRC-2012 validation" if dataset == "ImageNet" else "test"
    return PublishedAccuracy(
        name, dataset, split, metric, from_error(printed), f"error {printed} %", conditions, source, options
    )


def of_papers() -> list[PublishedAccuracy]:
    ten, mirrored = "one network, ten crops", "shifted and mirrored images"
    found = [
        error("lenet5", "0.95", "grey images of 32×32, without distortions", LECUN, "MNIST"),
        error("lenet5", "0.8", "grey images of 32×32, with distorted copies", LECUN, "MNIST"),
        error("zfnet", "38.4", "one network, ten crops", ZEILER),
        error("zfnet", "16.5", "one network, ten crops", ZEILER, metric=RANK_5),
        error("resnet18", "27.88", f"{ten}; shortcuts padded with zeros (option A)", f"{HE}, Table 2"),
        error("resnet20", "8.75", mirrored, f"{HE}, Table 6", "CIFAR-10"),
        error("resnet56", "6.97", mirrored, f"{HE}, Table 6", "CIFAR-10"),
        error("densenet_bc", "4.51", mirrored, HUANG, "CIFAR-10"),
        error("densenet_bc", "5.92", "without augmentation, with dropout", HUANG, "CIFAR-10"),
        error(
            "nin",
            "10.88",
            "a dense layer behind dropout instead of global average pooling, without augmentation",
            LIN,
            "CIFAR-10",
            options=(("fully_connected", True),),
        ),
    ]
    for name, one, five in (("resnet34", "24.52", "7.46"), ("resnet50", "22.85", "6.71")):
        for metric, printed in ((RANK_1, one), (RANK_5, five)):
            found.append(
                error(name, printed, f"{ten}; projections where shapes change", f"{HE}, Table 3", metric=metric)
            )
    for name, printed, source in (
        ("mobilenet", "70.6", f"{HOWARD}, Table 8"),
        ("mobilenet_v2", "72.0", f"{SANDLER}, Table 4"),
    ):
        found.append(
            PublishedAccuracy(
                name,
                "ImageNet",
                "ILSVRC-2012 validation",
                RANK_1,
                round(float(printed) / 100, 6),
                f"accuracy {printed} %",
                "one network at 224×224",
                source,
            )
        )
    return found


MORE_ACCURACIES = (*of_torchvision(), *of_papers())
