"""What a browser is given of a network: JSON whose numbers are those of the analysis."""

from __future__ import annotations

import json

import pytest

from cnnlab.architectures import ARCHITECTURES, build
from cnnlab.network import Network, analysis
from cnnlab.network.landscape import parts
from cnnlab.network.scene import scene
from tests.designs import design


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_layer_says_what_the_table_says(name: str) -> None:
    network = build(name)
    shown = scene(network, list(parts(network)))
    assert json.loads(json.dumps(shown)) == shown
    rows = {row["name"]: row for row in analysis.rows(network)}
    assert len(shown["boxes"]) == len(rows)
    for box in shown["boxes"]:
        (layer, _), row = box["layers"][0], rows[box["layers"][0][0]]
        assert box["parameters"] == f"{row['parameters']:,}", layer
        assert box["multiply_adds"] == f"{row['multiply_adds']:,}"
        assert box["field"]["size"][0] == row["receptive_field"]
        assert box["field"]["stride"][0] == row["receptive_stride"]


def test_links_and_groups_belong_to_the_boxes() -> None:
    shown = scene(Network.from_data(design()), ["block1"])
    names = [box["name"] for box in shown["boxes"]]
    assert {target for box in shown["boxes"] for target in box["leads"]} == set(names[1:])
    drawn = [part for part in shown["drawing"][2] if part[1].get("class") == "box"]
    assert len(drawn) == len(names)
    skip = next(box for box in shown["boxes"] if box["name"] == "block1_bn2")
    assert skip["leads"] == ["block1_zeros", "block1_sum"]


def test_a_closed_module_says_which_layers_it_holds() -> None:
    shown = scene(build("googlenet"))
    module = next(box for box in shown["boxes"] if box["name"] == "inception_3a")
    assert module["opens"]
    assert ["inception_3a_5x5_reduce", "Conv2D 1×1 conv, 16"] in module["layers"]
    assert not next(box for box in shown["boxes"] if box["name"] == "pool1")["opens"]
