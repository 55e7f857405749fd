"""A network of cnnlab trained by PyTorch, for `benchmarks/training.py`; needs torch alone.

`python benchmarks/pytorch_side.py NETWORK.json float32|bfloat16 eager|compiled BATCH STEPS` says "ready" with the
number of parameters and then, for each line it reads, trains so many steps and answers with images per second. With
`matmul PRECISION` it answers with the operations per second of multiplying matrices.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional

MATRIX, PRODUCTS = 2048, 10
ACTIVATIONS = {
    "linear": nn.Identity,
    "relu": nn.ReLU,
    "relu6": nn.ReLU6,
    "elu": nn.ELU,
    "tanh": nn.Tanh,
    "softmax": nn.Identity,
}
"""Softmax is the loss's business here."""


def activated(part: nn.Module, settings: dict[str, Any]) -> nn.Module:
    name = settings["activation"]
    return part if name in ("linear", "softmax") else nn.Sequential(part, ACTIVATIONS[name]())


class Net(nn.Module):
    """The network of a JSON file, up to the logits."""

    def __init__(self, description: dict[str, Any]) -> None:
        super().__init__()
        self.nodes = description["layers"]
        self.parts = nn.ModuleDict()
        self.shapes: dict[str, tuple[int, int]] = {}  # channels or features, side
        for node in self.nodes:
            part, shape = self.translated(node, [self.shapes[name] for name in node["inputs"]])
            self.shapes[node["name"]] = shape
            if part is not None:
                self.parts[node["name"]] = part

    def translated(
        self, node: dict[str, Any], inputs: list[tuple[int, int]]
    ) -> tuple[nn.Module | None, tuple[int, int]]:
        settings = node["settings"]
        if node["type"] == "InputLayer":
            side, _, channels = settings["shape"]
            return None, (channels, side)
        channels, side = inputs[0]
        match node["type"]:
            case "Conv2D":
                kernel, stride = settings["kernel"], settings["stride"]
                padding = kernel // 2 if settings["padding"] == "same" else 0
                used = settings["use_bias"]
                part = nn.Conv2d(channels, settings["filters"], kernel, stride, padding, bias=used)
                return activated(part, settings), (settings["filters"], (side + 2 * padding - kernel) // stride + 1)
            case "DepthwiseConv2D":
                kernel, stride, used = settings["kernel"], settings["stride"], settings["use_bias"]
                padding = kernel // 2 if settings["padding"] == "same" else 0
                made = channels * settings["multiplier"]
                part = nn.Conv2d(channels, made, kernel, stride, padding, groups=channels, bias=used)
                return activated(part, settings), (made, (side + 2 * padding - kernel) // stride + 1)
            case "ZeroPadding2D":
                border = [settings[name] for name in ("left", "right", "top", "bottom")]
                more = [settings["before"], settings["after"]]
                part = nn.ConstantPad3d(border + more, 0.0)  # of maps without a batch it would be the depth
                return part, (channels + sum(more), side + border[2] + border[3])
            case "BatchNormalization":
                kind = nn.BatchNorm2d if side else nn.BatchNorm1d
                return kind(channels, eps=settings["epsilon"], momentum=1 - settings["momentum"]), (channels, side)
            case "Activation":
                return ACTIVATIONS[settings["activation"]](), (channels, side)
            case "MaxPooling2D":
                kernel, stride = settings["kernel"], settings["stride"]
                padding = kernel // 2 if settings["padding"] == "same" else 0
                return nn.MaxPool2d(kernel, stride, padding), (channels, (side + 2 * padding - kernel) // stride + 1)
            case "AveragePooling2D":
                kernel, stride = settings["kernel"], settings["stride"]
                padding = kernel // 2 if settings["padding"] == "same" else 0
                pool = nn.AvgPool2d(kernel, stride, padding, count_include_pad=False)
                return pool, (channels, (side + 2 * padding - kernel) // stride + 1)
            case "LocalResponseNormalization":
                size = 2 * settings["radius"] + 1
                part = nn.LocalResponseNorm(size, settings["alpha"] * size, settings["beta"], settings["bias"])
                return part, (channels, side)
            case "GlobalAveragePooling2D":
                return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()), (channels, 0)
            case "Flatten":
                return nn.Flatten(), (channels * side * side, 0)
            case "Dense":
                part = nn.Linear(channels, settings["units"], settings["use_bias"])
                return activated(part, settings), (settings["units"], 0)
            case "Dropout":
                return nn.Dropout(settings["rate"]), (channels, side)
            case "Concatenate":
                return None, (sum(count for count, _ in inputs), side)
            case "Add":
                return None, (channels, side)
            case kind:
                raise ValueError(f"no PyTorch layer for {kind}")

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        found = {}
        for node in self.nodes:
            inputs = [found[name] for name in node["inputs"]]
            if node["type"] == "InputLayer":
                found[node["name"]] = images
            elif node["type"] == "Concatenate":
                found[node["name"]] = torch.cat(inputs, 1)
            elif node["type"] == "Add":
                found[node["name"]] = sum(inputs[1:], inputs[0])
            else:
                found[node["name"]] = self.parts[node["name"]](*inputs)
        return found[self.nodes[-1]["name"]]


def main(path: str, precision: str, way: str, batch: int, steps: int) -> None:
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    torch.manual_seed(0)
    description = json.loads(Path(path).read_text())
    net = Net(description).to(memory_format=torch.channels_last).train()
    optimizer = torch.optim.SGD(net.parameters(), 0.01, momentum=0.9, nesterov=True, weight_decay=5e-4)
    side, _, channels = description["layers"][0]["settings"]["shape"]
    classes = net.shapes[net.nodes[-1]["name"]][0]
    images = torch.randint(0, 256, (batch, side, side, channels), dtype=torch.uint8)
    targets = functional.one_hot(torch.randint(0, classes, (batch,)), classes).float()
    model = torch.compile(net) if way == "compiled" else net

    def step() -> float:
        inputs = ((images.float() - 127) / 74).permute(0, 3, 1, 2)  # of channels-last memory
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
            logits = model(inputs)
        loss = functional.cross_entropy(logits.float(), targets)
        loss.backward()
        optimizer.step()
        return loss.item() + (logits.argmax(1) == targets.argmax(1)).sum().item()

    for _ in range(3):
        step()
    print("ready", sum(weights.numel() for weights in net.parameters()), flush=True)
    for _ in sys.stdin:
        began = time.perf_counter()
        for _ in range(steps):
            step()
        print(batch * steps / (time.perf_counter() - began), flush=True)


def matmul(precision: str) -> None:
    """For each line read, operations per second of multiplying square matrices."""
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    one = torch.randn(MATRIX, MATRIX).to(getattr(torch, precision))
    one @ one
    print("ready 0", flush=True)
    for _ in sys.stdin:
        began = time.perf_counter()
        for _ in range(PRODUCTS):
            one @ one
        print(PRODUCTS * 2 * MATRIX**3 / (time.perf_counter() - began), flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "matmul":
        matmul(sys.argv[2])
    else:
        main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
