"""Edits of a network: what they give is what an architecture draws so, and what cannot be says where and why."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnlab import architectures
from cnnlab.design import History, edits, everywhere
from cnnlab.design.advice import advice
from cnnlab.design.beginnings import from_nothing
from cnnlab.design.blocks import (
    ConvolutionBlock,
    InceptionModule,
    Manner,
    Reduction,
    SmallInceptionModule,
    fragment_of,
    manner_of,
)
from cnnlab.design.estimate import work
from cnnlab.design.function import architecture_function, function_name
from cnnlab.design.sharing import packed, unpacked
from cnnlab.errors import UserError
from cnnlab.network import Network, analysis
from cnnlab.network.layers import Conv2D, Dense, GlobalAveragePooling2D
from tests.conftest import assert_one_line
from tests.design.edited import beginnings, edit, put
from tests.keras.test_keras_model import assert_conforms, keras_model

EXAMPLES = int(os.environ.get("CNNLAB_EXAMPLES", "0"))
"""Of networks edited at random, 2,000 for instance; without it, as many as the time of a test allows."""
DEEPER = architectures.build("deepergooglenet")


def fourth(network: Network) -> list[str]:
    return [node.name for node in network.layers if node.module.startswith("inception_4")]


def drawn_again(network: Network) -> Network:
    """What the function in our own style draws."""
    space: dict[str, Any] = {}
    exec(architecture_function(network), space)  # noqa: S102
    made: Network = space[function_name(network)]()
    return made


@pytest.mark.parametrize("name", architectures.ARCHITECTURES)
def test_every_architecture_can_be_begun_with(name: str) -> None:
    network = architectures.build(name)
    assert drawn_again(network) == network
    assert all(amount >= 0 for amount in work(network, 8).values())
    for one in advice(network):
        assert_one_line(one.text)


def test_the_lectures_extensions_give_what_the_architecture_draws_with_these_options() -> None:
    made = edits.remove(DEEPER, fourth(DEEPER))
    made = everywhere.order_normalization(everywhere.replace_activation(made, "elu"), "conv-act-bn")
    options = {"inception_4": False, "activation": "elu", "order": "conv-act-bn"}
    assert made == architectures.build("deepergooglenet", options)
    back = everywhere.order_normalization(everywhere.replace_activation(made, "relu"), "conv-bn-act")
    assert back == architectures.build("deepergooglenet", {"inception_4": False})


@pytest.mark.parametrize("name", ["minigooglenet", "deepergooglenet", "googlenet"])
def test_half_the_filters_is_the_width_multiplier_of_a_half(name: str) -> None:
    half = architectures.build(name, {"width": 0.5})
    assert everywhere.scale_filters(architectures.build(name), 0.5) == half


def test_a_block_is_drawn_as_its_architecture_draws_it() -> None:
    """The first inception modules of both networks taken out, and put in again from the list of blocks."""
    for network, module, block in (
        (architectures.build("googlenet"), "inception_3a", InceptionModule()),
        (DEEPER, "inception_3a", InceptionModule()),
        (architectures.build("minigooglenet"), "inception1a", SmallInceptionModule()),
    ):
        names = edits.layers_of(network, module)
        behind = network[names[0]].inputs[0]
        fragment = fragment_of(block, network[behind].output_shape, manner_of(network), module)
        assert edits.insert(edits.remove(network, names), [behind], fragment) == network


def test_a_branch_that_goes_leaves_its_join_and_a_join_of_one_falls_away() -> None:
    network = architectures.build("googlenet")
    less = edits.remove(network, ["inception_3a_3x3_reduce", "inception_3a_3x3"])
    assert less["inception_3a_concat"].inputs == ("inception_3a_1x1", "inception_3a_5x5", "inception_3a_pool_proj")
    alone = [node.name for node in network.layers if node.module == "inception_3a"][1:-1]
    one = edits.remove(network, alone)
    assert one["inception_3b_1x1"].inputs == ("inception_3a_1x1",)
    part = edits.remove(network, ["inception_3a_3x3"])
    assert part["inception_3a_concat"].inputs[1] == "inception_3a_3x3_reduce", "what is left of a branch stays one"


def test_a_shortcut_is_a_sum_and_taking_the_block_out_takes_the_sum_too() -> None:
    network = architectures.build("minigooglenet")
    names = edits.layers_of(network, "inception2a")
    made = edits.shortcut(network, names)
    assert made["inception2a_add"].inputs == ("inception2a_concat", "downsample1_concat")
    assert edits.remove(made, names) == edits.remove(network, names)
    widening = edits.shortcut(network, edits.layers_of(network, "downsample2"))
    assert widening["downsample2_projection"].layer == Conv2D(240, 1, 2, use_bias=False)


def test_moving_there_and_back_changes_nothing() -> None:
    names = edits.layers_of(DEEPER, "inception_4b")
    later = edits.shift(DEEPER, names, 1)
    assert later != DEEPER
    assert edits.shift(later, names, -1) == DEEPER
    assert edits.move(edits.move(DEEPER, names, "inception_4d_concat"), names, "inception_4a_concat") == DEEPER


def test_what_is_duplicated_has_names_of_its_own_and_can_be_taken_out_again() -> None:
    names = edits.layers_of(DEEPER, "inception_4a")
    made = edits.duplicate(DEEPER, names)
    assert made["inception_4b_1x1_conv"].inputs == ("inception_4a_2_concat",)
    assert edits.remove(made, edits.layers_of(made, "inception_4a_2")) == DEEPER


def test_a_reduction_goes_before_one_layer_and_not_before_its_neighbours() -> None:
    made = put(architectures.build("minigooglenet"), ["inception2a_3x3_conv"], Reduction(16), "before")
    assert made["inception2a_3x3_conv"].inputs == ("reduce_act",)
    assert made["inception2a_1x1_conv"].inputs == ("downsample1_concat",)


Refusal = tuple[str, Callable[[Network], Network], tuple[str, ...]]
REFUSED: list[Refusal] = [
    ("loop", lambda net: edits.reconnect(net, "inception_3a_1x1_conv", ["pool3_3x3"]), ("would be a loop",)),
    ("idle", lambda net: edits.reconnect(net, "pool2_3x3", ["pool1_3x3"]), ("conv2_3x3_reduce_conv", "no output")),
    ("name", lambda net: edits.rename_layer(net, "fc", "dropout"), ("dropout", "two layers")),
    ("hostile name", lambda net: edits.rename_layer(net, "fc", "<b>&\n"), ("accepted", "letters")),
    ("output", lambda net: edits.remove(net, [node.name for node in net.layers[1:]]), ("nothing but", "output")),
    ("join", lambda net: edits.remove(net, ["inception_3a_concat"]), ("inception_3b_1x1_conv", "one input")),
    ("shape", lambda net: put(net, ["average_pool"], ConvolutionBlock(), "after"), ("feature maps", "832")),
    ("sum", lambda net: put(net, ["inception_3a_1x1_conv"], Reduction(3), "Add"), ("one shape", "16×16×3")),
    ("small", lambda net: edits.change(net, ["pool1_3x3"], {"kernel": 65, "padding": "valid"}), ("pool1_3x3", "65×65")),
    ("value", lambda net: edits.change(net, ["fc"], {"units": 0}), ("fc", "units")),
    ("nowhere", lambda net: edits.remove(net, ["nothing"]), ("nothing",)),
    ("two ways in", lambda net: edits.duplicate(net, ["inception_3a_concat"]), ("one layer",)),
    ("input", lambda net: edits.remove(net, ["input"]), ("input",)),
    ("factor", lambda net: everywhere.scale_filters(net, 1e9), ("16",)),
    ("no ELU", lambda net: everywhere.replace_activation(net, "relu"), ("elu",)),
]  # fmt: skip


@pytest.mark.parametrize(("deed", "said"), [one[1:] for one in REFUSED], ids=[one[0] for one in REFUSED])
def test_what_cannot_be_built_says_where_and_why_in_one_sentence(
    deed: Callable[[Network], Network], said: tuple[str, ...]
) -> None:
    with pytest.raises(UserError) as refused:
        deed(DEEPER)
    message = str(refused.value)
    assert_one_line(message.lower(), *(word.lower() for word in said))


def test_undo_goes_back_to_where_one_began_and_redo_to_where_one_was() -> None:
    history = History.of(DEEPER)
    for number in range(200):
        history = history.done(f"step {number}", edits.rename(DEEPER, f"step-{number}"))
    end = history.now
    while history.undoes:
        history = history.undone()
    assert history.now == DEEPER == history.undone().now
    while history.redoes:
        history = history.redone()
    assert history.now == end
    other = history.undone().done("another way", DEEPER)
    assert other.redoes is None
    assert len(other.steps) == len(history.steps)
    assert other.done("nothing", DEEPER) is other


@settings(max_examples=EXAMPLES or 150)
@given(st.data())
def test_whatever_is_edited_is_a_network_or_is_refused(data: st.DataObject) -> None:
    """And what it is survives the file, the address, the function in our own style, and undo."""
    history = History.of(data.draw(st.sampled_from(beginnings())))
    for _ in range(data.draw(st.integers(1, 6))):
        deed = data.draw(edit(history.now))
        try:
            made = deed(history.now)
        except UserError as error:
            assert_one_line(str(error))
            continue
        assert Network.from_json(made.to_json()) == made
        assert sum(row["parameters"] for row in analysis.rows(made)) == made.parameters
        assert all(amount >= 0 for amount in work(made, 8).values())
        history = history.done("edit", made)
        assert history.undone().now != made or history.place == 0
    network = history.now
    text = packed(network)
    assert text is None or unpacked(text) == network
    assert drawn_again(network) == network
    for one in advice(network):
        assert_one_line(one.text)
        assert one.layer in {node.name for node in network.layers}
    while history.undoes:
        history = history.undone()
    assert history.now == history.began


@pytest.mark.slow
@settings(max_examples=EXAMPLES or 25)
@given(st.data())
def test_keras_builds_what_is_edited_with_these_shapes_and_counts(data: st.DataObject) -> None:
    network = data.draw(st.sampled_from(beginnings()))
    for _ in range(data.draw(st.integers(2, 8))):
        deed = data.draw(edit(network))
        try:
            network = deed(network)
        except UserError:
            continue
    assert_conforms(network, keras_model(network))
    assert drawn_again(network) == network


def test_a_design_of_two_thousand_layers_is_edited_and_one_more_is_refused() -> None:
    network = from_nothing()
    manner = Manner("relu", "conv-act")
    for _ in range(124):
        block = fragment_of(ConvolutionBlock(8, repeats=16), network["input"].output_shape, manner)
        network = edits.insert(network, ["input"], block)
    network = edits.insert(
        network, ["input"], fragment_of(ConvolutionBlock(8, repeats=12), network["input"].output_shape, manner)
    )
    assert len(network.layers) == 2_000
    changed = everywhere.replace_activation(network, "elu")
    assert analysis.receptive_fields(changed)["fc"]
    assert advice(changed) is not None
    with pytest.raises(UserError, match=r"2,001 layers; up to 2,000"):
        edits.duplicate(network, ["block_1"])


def test_advice_is_true_to_the_parameter() -> None:
    network = architectures.build("minivggnet")
    dense = next(one for one in advice(network) if one.layer == "fc1")
    assert dense.better is not None
    assert f"{network.parameters - dense.better.parameters:,}" in dense.text
    assert any(isinstance(node.layer, GlobalAveragePooling2D) for node in dense.better.layers)
    share = network["fc1"].parameters / network.parameters
    assert f"{share:.0%}" in dense.text
    bottleneck = next(one for one in advice(DEEPER) if one.layer == "conv2_3x3_reduce_conv")
    assert bottleneck.better is not None
    assert bottleneck.better.multiply_adds < DEEPER.multiply_adds
    narrower = edits.change(DEEPER, ["conv2_3x3_reduce_conv"], {"filters": 61})
    assert "conv2_3x3_reduce_conv" not in [one.layer for one in advice(narrower)]
    biases = next(one for one in advice(DEEPER) if "biases" in one.text)
    assert biases.better is not None
    assert not any(
        node.layer.use_bias
        for node in biases.better.layers
        if isinstance(node.layer, Conv2D | Dense) and node.name.endswith("_conv")
    )
