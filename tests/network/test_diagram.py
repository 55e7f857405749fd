"""The picture of a network: every module or layer once, every edge with its shape."""

from __future__ import annotations

import re

import pytest

from cnnlab.architectures import ARCHITECTURES, build
from cnnlab.network.diagram import diagram
from cnnlab.network.modules import module_rows, modules


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_closed_every_module_has_a_box(name: str) -> None:
    network = build(name)
    boxes = re.findall(r'^"module ([^"]+)" \[label', diagram(network), re.M)
    assert boxes == [module for module, _ in modules(network)]


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_open_every_layer_has_a_box_and_every_edge_its_shape(name: str) -> None:
    network = build(name)
    dot = diagram(network, [module for module, _ in modules(network)])
    boxes = re.findall(r'^"([^"]+)" \[label', dot, re.M)
    assert sorted(boxes) == sorted(node.name for node in network.layers)
    assert dot.count(" -> ") == sum(len(node.inputs) for node in network.layers)
    assert '"input" -> ' in dot
    assert dot.count("{") == dot.count("}")


def test_one_module_opens_while_the_others_stay_closed() -> None:
    dot = diagram(build("googlenet"), ["inception_3a"])
    assert '"inception_3a_5x5_reduce" -> "inception_3a_5x5" [label=" 28×28×16"]' in dot
    assert '"inception_3a_concat" -> "module inception_3b" [label=" 28×28×256"]' in dot
    assert "inception_3b_5x5" not in dot


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_modules_add_up_to_the_network(name: str) -> None:
    network = build(name)
    rows = module_rows(network)
    assert sum(row["parameters"] for row in rows) == network.parameters
    assert sum(row["multiply_adds"] for row in rows) == network.multiply_adds
    assert len({row["name"] for row in rows}) == len(rows)
