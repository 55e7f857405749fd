"""What is silenced: read from texts, and what of a module goes silent together."""

from __future__ import annotations

import pytest

from cnnlab.architectures import build
from cnnlab.errors import UserError
from cnnlab.inference.silencing import silenceable, silenced_of, texts_of, title_of
from cnnlab.network import Builder
from tests.conftest import assert_one_line


def test_what_to_silence_is_read_from_texts() -> None:
    assert silenced_of(["conv:3", "bn", "conv:1,3", "bn:2"]) == {"conv": [1, 3], "bn": None}
    assert silenced_of(["conv:3", "conv"]) == {"conv": None}
    assert silenced_of(["conv:8-10,2", "part:a:0"]) == {"conv": [2, 8, 9, 10], "part:a": [0]}
    assert silenced_of([]) == {}


@pytest.mark.parametrize("wrong", ["conv:three", "conv:", "conv:-1", "conv:1,,2", "conv:1-", "conv:٣", "conv:0-999999"])
def test_channels_that_are_no_numbers_are_refused_in_a_line(wrong: str) -> None:
    with pytest.raises(UserError) as refused:
        silenced_of([wrong])
    assert_one_line(str(refused.value), repr(wrong), "LAYER:CHANNELS")


def test_texts_say_the_same_as_what_they_were_read_from() -> None:
    texts = texts_of(silenced_of(["conv:9,3", "bn", "conv:3-4"]))
    assert texts == ("conv:3", "conv:4", "conv:9", "bn")
    assert silenced_of(texts) == {"conv": [3, 4, 9], "bn": None}


def test_titles_name_the_layer_and_the_channel() -> None:
    network = build("minivggnet")
    assert title_of("block1_conv1:3", network) == "block1_conv1, channel 3"
    assert title_of("block1_conv1", network) == "block1_conv1, all 32 channels"


def test_branches_and_reductions_of_an_inception_module_go_silent_at_their_ends() -> None:
    network = build("googlenet")
    joined = next(node.name for node in network.layers if node.module == "inception_3a" and node.layer.joins)
    found = {one.title: one.layer for one in silenceable(network, joined)}
    assert [one for one in found if one.startswith("Branch")] == [
        "Branch 1×1 conv, 64",
        "Branch 1×1 conv, 96 → 3×3 conv, 128",
        "Branch 1×1 conv, 16 → 5×5 conv, 32",
        "Branch 3×3 max pool / 1 → 1×1 conv, 32",
    ]
    assert {network[one].output_shape[-1] for title, one in found.items() if title.startswith("Branch")} == {
        64,
        128,
        32,
    }
    assert set(network[joined].inputs) == {one for title, one in found.items() if title.startswith("Branch")}
    reductions = {title: one for title, one in found.items() if title.startswith("Reduction")}
    assert sorted(reductions) == [
        "Reduction 192 → 16 before 5×5 conv, 32",
        "Reduction 192 → 96 before 3×3 conv, 128",
    ]
    for title, end in reductions.items():
        (reader,) = (node for node in network.layers if end in node.inputs)
        assert title.endswith(reader.layer.summary)


def test_a_normalization_that_stands_after_a_reduction_goes_silent_with_it() -> None:
    net = Builder("small")
    with net.module("m"):
        x = net.input((8, 8, 3))
        wide = net.conv(x, 16, 3, name="wide")
        few = net.activation(net.batch_norm(net.conv(wide, 4, 1, name="few"), name="few_bn"), "relu", name="few_act")
        joined = net.concat([net.conv(few, 8, 3, name="after"), wide], name="joined")
    network = net.build(net.dense(net.global_average_pool(joined, name="gap"), 3, name="fc", activation="softmax"))
    assert [(one.title, one.layer) for one in silenceable(network, "wide")][-1] == (
        "Reduction 16 → 4 before 3×3 conv, 8",
        "few_act",
    )
    assert silenceable(build("minivggnet"), "block1_conv1") == []
