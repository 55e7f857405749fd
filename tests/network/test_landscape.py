"""A network laid out to be drawn: everything once, nothing on top of anything, from left to right and to scale."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import combinations, pairwise
from math import isclose, sqrt

import pytest

from cnnlab.architectures import ARCHITECTURES, build
from cnnlab.network import Network
from cnnlab.network.graph import Builder
from cnnlab.network.landscape import Landscape, landscape, parts, volume_shape
from cnnlab.network.modules import modules
from tests.designs import design

NEAR = 1e-6
WIDTH, LEAST_SCALE = 1120, 11 / 12
"""The width of a page at 1280x800, and the scale at which 12 px are 11."""


def residual() -> Network:
    """Blocks of depthwise convolutions with skips, each layer a module of its own, and two heads."""
    draw = Builder("residual")
    x = draw.input((24, 32, 3))
    x = draw.conv(x, 16, 3, name="stem")
    for number in range(3):
        inside = draw.depthwise_conv(x, 3, name=f"depthwise{number}")
        inside = draw.batch_norm(inside, name=f"norm{number}")
        inside = draw.conv(inside, 16, 1, name=f"pointwise{number}")
        x = draw.sum([x, inside], name=f"sum{number}")
    head = draw.dense(draw.global_average_pool(x, name="pool"), 5, name="head", activation="softmax")
    other = draw.dense(draw.flatten(x), 5, name="other", activation="softmax")
    return draw.build(head, other)


def interrupted() -> Network:
    """A module that goes on after another that it leads through."""
    data = design()
    data["layers"][7]["module"] = ""
    return Network.from_data(data)


def wild(seed: int) -> Network:
    """Layers that read from any that stand before them, in modules that mean nothing."""
    chance = random.Random(seed)  # noqa: S311
    draw = Builder(f"wild {seed}")
    made = [draw.input((8, 8, 4))]
    for number in range(25):
        with draw.module(f"module {chance.randrange(number + 1) // 3}"):
            if chance.random() < 0.4 and len(made) > 1:
                made.append(draw.sum(chance.sample(made, 2), name=f"sum{number}"))
            else:
                made.append(draw.conv(chance.choice(made), 4, 3, name=f"conv{number}"))
    return draw.build(made[-1])


def networks() -> Iterator[tuple[str, Network]]:
    for name in ARCHITECTURES:
        yield name, build(name)
    yield "googlenet with heads", build("googlenet", {"auxiliary_heads": True})
    yield "design", Network.from_data(design())
    yield "interrupted", interrupted()
    yield "residual", residual()
    for seed in range(12):
        yield f"wild {seed}", wild(seed)


def states(network: Network) -> Iterator[Landscape]:
    """Closed, each module opened by itself, and all opened."""
    yield landscape(network)
    yield from (landscape(network, [name]) for name in parts(network))
    yield landscape(network, list(parts(network)))


CASES = [pytest.param(network, id=name) for name, network in networks()]


@pytest.mark.parametrize("network", CASES)
def test_everything_is_drawn_once(network: Network) -> None:
    names = [node.name for node in network.layers]
    for shown in states(network):
        assert sorted(node.name for box in shown.boxes for node in box.nodes) == sorted(names)
    closed, opened = landscape(network), landscape(network, list(parts(network)))
    assert [box.name for box in closed.boxes] == list(parts(network))
    assert {module for nodes in parts(network).values() for module in (node.module for node in nodes)} == {
        module for module, _ in modules(network)
    }
    assert all(len(box.nodes) == 1 for box in opened.boxes)
    assert [frame.module for frame in opened.frames] == [name for name, nodes in parts(network).items() if nodes[1:]]


@pytest.mark.parametrize("network", CASES)
def test_nothing_overlaps_and_all_lies_in_the_picture(network: Network) -> None:
    for shown in states(network):
        for one, other in combinations(shown.boxes, 2):
            beside = one.right <= other.left + NEAR or other.right <= one.left + NEAR
            above = one.bottom <= other.top + NEAR or other.bottom <= one.top + NEAR
            assert beside or above, f"{one.name} and {other.name}"
        for box in shown.boxes:
            across, up = box.volume.slant
            assert box.left - NEAR <= box.volume.left
            assert box.volume.left + box.volume.width + across <= box.right + NEAR
            assert box.top - NEAR <= box.volume.top + up
            assert 0 <= box.left < box.right <= shown.width
            assert 0 <= box.top < box.bottom <= shown.height
        for frame in shown.frames:
            for box in shown.boxes:
                inside = frame.left < box.left + NEAR and box.right < frame.right + NEAR
                inside = inside and frame.top < box.top and box.bottom < frame.bottom
                outside = box.right <= frame.left + NEAR or frame.right <= box.left + NEAR
                outside = outside or box.bottom <= frame.top + NEAR or frame.bottom <= box.top + NEAR
                assert inside if box.module == frame.module else outside, f"{box.name} at {frame.module}"


@pytest.mark.parametrize("network", CASES)
def test_lines_lead_from_left_to_right_and_beside_the_boxes(network: Network) -> None:
    for shown in states(network):
        places = {box.name: box for box in shown.boxes}
        for source, target in shown.links:
            assert places[source].right < places[target].left + NEAR, f"{source} to {target}"
        for line in shown.lines:
            for (x, y), (to_x, to_y) in pairwise(line.points):
                assert x <= to_x + NEAR
                for box in shown.boxes:
                    if y == to_y and box.name not in (line.source, line.target):
                        past = to_x <= box.left + NEAR or box.right - NEAR <= x
                        assert past or not box.top + NEAR < y < box.bottom - NEAR, f"{line.source} through {box.name}"


@pytest.mark.parametrize("network", CASES)
def test_everything_that_flows_is_drawn(network: Network) -> None:
    shown = landscape(network, list(parts(network)))
    wanted = {(source, node.name) for node in network.layers for source in node.inputs}
    box_of = {node.name: box.name for box in shown.boxes for node in box.nodes}
    assert set(shown.links) == {(box_of[source], box_of[target]) for source, target in wanted}
    ends = {line.source for line in shown.lines} | {line.target for line in shown.lines}
    assert {box_of[name] for link in wanted for name in link} <= ends


@pytest.mark.parametrize("network", CASES)
def test_all_of_a_picture_has_one_scale(network: Network) -> None:
    sizes = {}
    for shown in states(network):
        for box in shown.boxes:
            height, width, channels = volume_shape(box.shape)
            volume = box.volume
            sizes[volume.height / sqrt(height), volume.width / sqrt(width), volume.depth / sqrt(channels)] = box.name
    (first, *others) = sizes
    assert all(isclose(a, b) for other in others for a, b in zip(first, other, strict=True))
    assert isclose(first[0], first[1])


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_architecture_is_seen_whole_with_legible_labels_on_a_small_screen(name: str) -> None:
    assert landscape(build(name)).width * LEAST_SCALE <= WIDTH + 1


def test_googlenets_heads_stand_beside_its_trunk() -> None:
    shown = landscape(build("googlenet", {"auxiliary_heads": True}))
    axis = {box.name: box.volume.top + box.volume.height / 2 for box in shown.boxes}
    trunk = {value for name, value in axis.items() if not name.startswith("head")}
    assert len({round(value, 6) for value in trunk}) == 1
    assert axis["head_4a"] == axis["head_4d"] < min(trunk)
    assert shown.width * LEAST_SCALE <= WIDTH + 1


def test_the_branches_of_an_inception_module_stand_in_their_order() -> None:
    shown = landscape(build("googlenet"), ["inception_3a"])
    tops = {box.name.removeprefix("inception_3a_"): box.volume.top + box.volume.height / 2 for box in shown.boxes}
    assert tops["1x1"] < tops["3x3"] < tops["5x5"] < tops["pool_proj"]
    assert isclose(tops["3x3_reduce"], tops["3x3"])
    assert isclose(tops["3x3"], tops["concat"])


def test_modules_that_lead_through_each_other_are_one_box() -> None:
    shown = landscape(interrupted())
    assert [box.name for box in shown.boxes] == ["input", "block1", "block2", "classifier"]
    assert shown.boxes[1].label[0] == "block1, block1_zeros"
