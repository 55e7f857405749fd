"""What flows together in a concatenation."""

from cnnlab import architectures
from cnnlab.network import Builder
from cnnlab.network.branches import branches, joined_in, module_of


def test_googlenets_module_3a_joins_the_four_branches_of_the_paper() -> None:
    network = architectures.build("googlenet")
    found = branches(network, "inception_3a_concat")
    assert [(one.name, one.first, one.count) for one in found] == [
        ("1×1 conv, 64", 0, 64),
        ("1×1 conv, 96 → 3×3 conv, 128", 64, 128),
        ("1×1 conv, 16 → 5×5 conv, 32", 192, 32),
        ("3×3 max pool / 1 → 1×1 conv, 32", 224, 32),
    ]
    assert found[2].layers == ("inception_3a_5x5_reduce", "inception_3a_5x5")
    assert {one.family.title for one in found} == {"Convolution"}


def test_every_concatenation_of_every_architecture_is_divided_without_gaps() -> None:
    seen = 0
    for name in architectures.ARCHITECTURES:
        network = architectures.build(name)
        for node in network.layers:
            found = branches(network, node.name)
            assert bool(found) == (node.layer.type == "Concatenate")
            ends = [0, *(one.first + one.count for one in found)]
            assert [one.first for one in found] == ends[:-1]
            if found:
                seen += 1
                assert ends[-1] == node.output_shape[-1]
                named = [layer for one in found for layer in one.layers]
                assert len(named) == len(set(named)), "a layer is on one branch"
    assert seen > 20


def test_pooling_beside_a_convolution_is_a_branch_of_its_own_kind() -> None:
    network = architectures.build("minigooglenet")
    three, pool = branches(network, "downsample1_concat")
    assert (three.family.title, pool.family.title) == ("Convolution", "Pooling")
    assert pool.name == "3×3 max pool / 2"
    assert three.layers == ("downsample1_3x3_conv", "downsample1_3x3_bn", "downsample1_3x3_act")


def test_what_is_passed_by_and_what_is_joined_twice_bear_the_name_of_their_layer() -> None:
    net = Builder("dense block")
    x = net.input((8, 8, 3))
    with net.module("block"):
        new = net.conv(x, 4, 3, name="new")
        both = net.concat([x, new, new], name="both")
    found = branches(net.build(both), "both")
    assert [(one.name, one.first, one.count, one.layers) for one in found] == [
        ("input", 0, 3, ()),
        ("new", 3, 4, ()),
        ("new", 7, 4, ()),
    ]


def test_the_layers_of_a_module_know_the_concatenation_that_it_ends_in() -> None:
    network = architectures.build("googlenet")
    assert joined_in(network, "inception_3a_5x5_reduce") == "inception_3a_concat"
    assert joined_in(network, "inception_3a_concat") == "inception_3a_concat"
    assert joined_in(network, "conv2_3x3") is None
    assert [node.name for node in module_of(network, "conv2_3x3")] == ["conv2_3x3_reduce", "conv2_3x3"]
