"""The arithmetic of 1x1 convolutions: what a bottleneck saves, inside one convolution and inside an inception module.

Lin, Chen and Yan, "Network in Network", ICLR 2014 (arXiv:1312.4400), introduced the 1x1 convolution as a layer; Szegedy
et al., "Going Deeper with Convolutions", CVPR 2015 (arXiv:1409.4842), Figure 2, put it before the costly ones. Every
count comes from the layers themselves. As everywhere, biases count as parameters and not as multiply-adds.
"""

from __future__ import annotations

from cnnlab.lecture.reduction.bottleneck import Bottleneck, read_shape, report
from cnnlab.lecture.reduction.cost import COST_MEASURES, MOST_POINTS, Cost, CostMeasure, Path, together
from cnnlab.lecture.reduction.inception import Inception, googlenet_modules
from cnnlab.lecture.reduction.vgg import network_cost, vgg_c_against_d, vgg_errors

__all__ = [
    "COST_MEASURES",
    "MOST_POINTS",
    "Bottleneck",
    "Cost",
    "CostMeasure",
    "Inception",
    "Path",
    "googlenet_modules",
    "network_cost",
    "read_shape",
    "report",
    "together",
    "vgg_c_against_d",
    "vgg_errors",
]
