"""Network in Network: the total of the authors' model for CIFAR-10."""

from __future__ import annotations

from cnnlab.lecture.published.measures import parameters
from cnnlab.lecture.published.table import Figure, PublishedTable

NIN_MODEL = PublishedTable(
    title="Network in Network: its total",
    source="the widths of the authors' model for CIFAR-10 (Caffe model zoo); the total as counted by imgclsmob "
    "(github.com/osmr/imgclsmob, nin_cifar10)",
    lecture="1x1 convolutions",
    architectures=("nin",),
    options=(("input_size", 32), ("classes", 10)),
    figures=(Figure("total", "Params", "966,986", parameters),),
    convention="The paper itself prints no total.",
)
