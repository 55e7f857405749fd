"""Accuracies that the lecture and the papers report, with what they were measured on and how."""

from __future__ import annotations

from cnnlab.evaluation.printed import ClassificationReport, ReportLine
from cnnlab.lecture.published.minigooglenet import ZHANG
from cnnlab.lecture.published.more_accuracies import MORE_ACCURACIES
from cnnlab.lecture.published.reported import Metric, PublishedAccuracy, from_error
from cnnlab.lecture.published.table import LECTURE
from cnnlab.lecture.published.vgg import VGG_COLUMNS


def report(architecture: str, printed: str, source: str) -> ClassificationReport:
    """A report in scikit-learn's layout; the line of the accuracy has that and the support alone."""
    lines, accuracy = [], 0.0
    for line in printed.strip().splitlines():
        label, *figures = line.split("|")
        if label == "accuracy":
            accuracy = float(figures[0])
            continue
        precision, recall, f1, support = figures
        lines.append(ReportLine(label, float(precision), float(recall), float(f1), int(support)))
    *classes, macro, weighted = lines
    return ClassificationReport(architecture, "CIFAR-10", source, tuple(classes), accuracy, macro, weighted)


MINIGOOGLENET_REPORT = """
airplane|0.91|0.92|0.92|1000
automobile|0.95|0.97|0.96|1000
bird|0.89|0.85|0.87|1000
cat|0.81|0.80|0.81|1000
deer|0.89|0.90|0.90|1000
dog|0.86|0.85|0.85|1000
frog|0.89|0.95|0.92|1000
horse|0.94|0.92|0.93|1000
ship|0.95|0.94|0.94|1000
truck|0.94|0.94|0.94|1000
accuracy|0.90|10000
macro avg|0.90|0.90|0.90|10000
weighted avg|0.90|0.90|0.90|10000
"""

MINIVGGNET_REPORT = """
airplane|0.87|0.82|0.84|1000
automobile|0.92|0.91|0.92|1000
bird|0.79|0.70|0.74|1000
cat|0.69|0.65|0.67|1000
deer|0.75|0.85|0.80|1000
dog|0.72|0.77|0.74|1000
frog|0.80|0.91|0.85|1000
horse|0.89|0.84|0.86|1000
ship|0.91|0.91|0.91|1000
truck|0.89|0.89|0.89|1000
accuracy|0.82|10000
macro avg|0.83|0.82|0.82|10000
weighted avg|0.83|0.82|0.82|10000
"""

REPORTS = (
    report("minigooglenet", MINIGOOGLENET_REPORT, f"{LECTURE}, MiniGoogLeNet: classification report"),
    report("minivggnet", MINIVGGNET_REPORT, f"{LECTURE}, MiniGoogLeNet: classification report of MiniVGG"),
)

VGG_SINGLE_SCALE = """
A|256|256|29.6|10.4
A-LRN|256|256|29.7|10.5
B|256|256|28.7|9.9
C|256|256|28.1|9.4
C|384|384|28.1|9.3
C|[256;512]|384|27.3|8.8
D|256|256|27.0|8.8
D|384|384|26.8|8.7
D|[256;512]|384|25.6|8.1
E|256|256|27.3|9.0
E|384|384|26.9|8.7
E|[256;512]|384|25.5|8.0
"""


def vgg_accuracies() -> list[PublishedAccuracy]:
    found = []
    for line in VGG_SINGLE_SCALE.strip().splitlines():
        letter, train, test, *errors = line.split("|")
        metrics: tuple[Metric, Metric] = ("rank-1 accuracy", "rank-5 accuracy")
        for metric, name, printed in zip(metrics, ("top-1", "top-5"), errors, strict=True):
            found.append(
                PublishedAccuracy(
                    VGG_COLUMNS[letter],
                    "ImageNet",
                    "ILSVRC-2012 validation",
                    metric,
                    from_error(printed),
                    f"{name} val. error {printed} %",
                    f"one network, single scale, dense evaluation; smallest image side {train} in training, {test} "
                    "in testing",
                    "Simonyan and Zisserman, ICLR 2015 (arXiv:1409.1556), Table 3",
                )
            )
    return found


def googlenet_accuracies() -> list[PublishedAccuracy]:
    rows = (("10.07%", "one network, one crop"), ("6.67%", "seven networks averaged, 144 crops of each image"))
    return [
        PublishedAccuracy(
            "googlenet",
            "ImageNet",
            "ILSVRC 2014 validation",
            "rank-5 accuracy",
            from_error(printed.removesuffix("%")),
            f"top-5 error {printed}",
            f"{conditions}; trained with auxiliary heads",
            "Szegedy et al., CVPR 2015 (arXiv:1409.4842), Table 3",
        )
        for printed, conditions in rows
    ]


def nin_accuracies() -> list[PublishedAccuracy]:
    rows = (("10.41%", "without data augmentation"), ("8.81%", "with translation and horizontal flipping"))
    return [
        PublishedAccuracy(
            "nin",
            "CIFAR-10",
            "test",
            "rank-1 accuracy",
            from_error(printed.removesuffix("%")),
            f"test error {printed}",
            f"dropout, {conditions}; global contrast normalization and ZCA whitening",
            "Lin, Chen and Yan, ICLR 2014 (arXiv:1312.4400), Table 1",
        )
        for printed, conditions in rows
    ]


def zhang_accuracies() -> list[PublishedAccuracy]:
    rows = (  # test accuracy, random crop, weight decay, batch normalization
        ("89.05", "random crop, weight decay", True),
        ("89.31", "random crop, no weight decay", True),
        ("86.03", "no random crop, weight decay", True),
        ("85.75", "no random crop, no weight decay", True),
        ("83.00", "no batch normalization, no random crop, weight decay", False),
        ("82.00", "no batch normalization, no random crop, no weight decay", False),
    )
    return [
        PublishedAccuracy(
            "minigooglenet",
            "CIFAR-10",
            "test",
            "rank-1 accuracy",
            round(float(printed) / 100, 6),
            f"test accuracy {printed}",
            f"{conditions}; 28x28 crop, whitened image by image",
            f"{ZHANG}, Table 1",
            options=() if normalized else (("batch_normalization", False),),
        )
        for printed, conditions, normalized in rows
    ]


def lecture_accuracies() -> list[PublishedAccuracy]:
    found = [
        PublishedAccuracy(
            item.architecture,
            item.dataset,
            "test",
            "rank-1 accuracy",
            item.accuracy,
            f"accuracy {item.accuracy:.2f}",
            "10,000 images; the lecture prints neither the recipe nor the number of epochs",
            item.source,
        )
        for item in REPORTS
    ]
    metrics: tuple[Metric, Metric] = ("rank-1 accuracy", "rank-5 accuracy")
    for metric, printed in zip(metrics, ("30.23%", "54.34%"), strict=True):
        found.append(
            PublishedAccuracy(
                "deepergooglenet",
                "Tiny ImageNet",
                "test",
                metric,
                round(float(printed.removesuffix("%")) / 100, 6),
                f"{metric.removesuffix(' accuracy')}: {printed}",
                "beside a curve over 40 epochs and SGD(1e-3, momentum=0.9)",
                f"{LECTURE}, DeeperGoogLeNet (The Tiny ImageNet Challenge)",
            )
        )
    return found


ACCURACIES = (
    *lecture_accuracies(),
    *vgg_accuracies(),
    *googlenet_accuracies(),
    *nin_accuracies(),
    *zhang_accuracies(),
    *MORE_ACCURACIES,
)


def accuracies_for(architecture: str) -> list[PublishedAccuracy]:
    """What is reported of an architecture: the lecture's figure first, then the papers', a single network's first."""
    return [item for item in ACCURACIES if item.architecture == architecture]


def reports_for(architecture: str) -> list[ClassificationReport]:
    return [item for item in REPORTS if item.architecture == architecture]
