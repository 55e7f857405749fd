"""The picture of a network as a file: every module or layer once, with its name, its shape and a legend."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from cnnlab.architectures import ARCHITECTURES, build
from cnnlab.network import Network
from cnnlab.network.diagram import SCALE_WORDS, svg
from cnnlab.network.landscape import parts
from cnnlab.network.layers import shape_text
from cnnlab.network.modules import module_rows
from tests.designs import design

SVG = "{http://www.w3.org/2000/svg}"


def read(text: str) -> ElementTree.Element:
    return ElementTree.fromstring(text)  # noqa: S314


def boxes(drawn: ElementTree.Element) -> list[list[str]]:
    """The label of each box, line by line."""
    groups = [group for group in drawn.iter(f"{SVG}g") if group.get("class") == "box"]
    return [[line.text or "" for line in group.findall(f"{SVG}text")] for group in groups]


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_closed_every_module_has_a_box_with_its_shape(name: str) -> None:
    network = build(name)
    labels = boxes(read(svg(network)))
    assert len(labels) == len(parts(network))
    for module, label in zip(module_rows(network), labels, strict=True):
        assert "".join(label).replace("_", "").startswith(module["name"].replace("_", ""))
        shape = tuple(module["output_shape"])
        assert shape_text(shape) in label or f"{shape[-1]:,} classes" in label


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_open_every_layer_has_a_box(name: str) -> None:
    network = build(name)
    assert len(boxes(read(svg(network, list(parts(network)))))) == len(network.layers)


def test_one_module_opens_while_the_others_stay_closed() -> None:
    labels = boxes(read(svg(build("googlenet"), ["inception_3a"])))
    assert ["5x5_reduce", "28×28×16", "1×1 conv, 16"] in labels
    assert not [label for label in labels if label[0] == "inception_3a"]
    assert ["inception", "3b", "28×28×480"] in labels


def test_the_legend_names_the_kinds_that_are_there_and_the_scale() -> None:
    drawn = read(svg(Network.from_data(design())))
    texts = {text.text for text in drawn.iter(f"{SVG}text")}
    assert {"Convolution", "Concatenation, sum", SCALE_WORDS} <= texts
    assert "Concatenation, sum" not in {text.text for text in read(svg(build("vgg16"))).iter(f"{SVG}text")}


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_modules_add_up_to_the_network(name: str) -> None:
    network = build(name)
    rows = module_rows(network)
    assert sum(row["parameters"] for row in rows) == network.parameters
    assert sum(row["multiply_adds"] for row in rows) == network.multiply_adds
    assert len({row["name"] for row in rows}) == len(rows)
