"""Networks that no architecture draws, as a person writes them into a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cnnlab import architectures

SIDE = 8


def design(name: str = "mini-residual", classes: int = 10) -> dict[str, Any]:
    """MiniVGGNet's JSON with a border of zeros, a depthwise convolution and a sum edited in."""
    network = architectures.build("minivggnet", {"input_size": SIDE, "classes": classes})
    data: dict[str, Any] = json.loads(network.to_json())
    layers = data["layers"]
    place = next(number for number, layer in enumerate(layers) if layer["name"] == "block1_pool")
    layers[place]["inputs"] = ["block1_sum"]
    layers[place:place] = [
        added("ZeroPadding2D", "block1_zeros", ["block1_bn2"], top=1, bottom=1, left=1, right=1),
        added("DepthwiseConv2D", "block1_depthwise", ["block1_zeros"], kernel=3, padding="valid", use_bias=False),
        added("Add", "block1_sum", ["block1_bn2", "block1_depthwise"]),
    ]
    return {**data, "name": name}


def added(kind: str, name: str, inputs: list[str], **settings: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, "settings": settings, "inputs": inputs, "module": "block1"}


def written(path: Path, data: Any) -> Path:
    path.write_text(json.dumps(data))
    return path
