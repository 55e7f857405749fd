"""The networks before and after those of the lecture: exact to the parameter that their authors or Keras count."""

from __future__ import annotations

import pytest

from cnnlab.architectures import ARCHITECTURES, build
from cnnlab.architectures.comparison import Candidate, compare
from cnnlab.experiments.presets import PRESETS
from cnnlab.lecture import published
from cnnlab.network import Network, analysis

BATCH_NORM_BIASES = 26_560
"""keras.applications.ResNet50 has a bias in each convolution before batch normalization, which the paper has not."""


@pytest.mark.parametrize(
    ("name", "trainable", "depth"),
    [
        ("lenet5", 62_006, 5),
        ("alexnet", 61_100_840, 8),
        ("zfnet", 62_357_608, 8),
        ("resnet18", 11_689_512, 18),
        ("resnet34", 21_797_672, 34),
        ("resnet50", 25_557_032, 50),
        ("resnet20", 269_722, 20),
        ("resnet56", 853_018, 56),
        ("densenet_bc", 769_162, 100),
        ("squeezenet", 1_235_496, 18),
        ("mobilenet", 4_231_976, 28),
        ("mobilenet_v2", 3_504_872, 53),
    ],
)
def test_a_network_has_the_published_parameters_and_depth(name: str, trainable: int, depth: int) -> None:
    network = build(name)
    assert (network.trainable, analysis.weight_layers(network)) == (trainable, depth)


def test_the_lectures_eleven_stand_first_and_each_group_is_in_the_order_of_its_years() -> None:
    groups = [one.group for one in ARCHITECTURES.values()]
    assert groups == ["The lecture"] * 11 + ["Before"] * 3 + ["After"] * 9
    assert [bool(one.lecture) for one in ARCHITECTURES.values()] == [group == "The lecture" for group in groups]
    for group in ("Before", "After"):
        years = [one.year for one in ARCHITECTURES.values() if one.group == group]
        assert years == sorted(years)


def test_a_shortcut_for_cifar_has_no_weights_and_skips_every_other_value() -> None:
    network = build("resnet20")
    assert network["conv3_block1_shortcut_zeros"].output_shape == (16, 16, 32)
    assert network["conv3_block1_add"].inputs == ("conv3_block1_shortcut_zeros", "conv3_block1_2_bn")
    assert not any(node.parameters for node in network.layers if "_shortcut_" in node.name)


def test_a_dense_layer_in_the_place_of_global_average_pooling_is_the_only_change() -> None:
    pooled, connected = build("nin"), build("nin", {"fully_connected": True})
    assert connected.parameters - pooled.parameters == 8 * 8 * 10 * 10 + 10
    shared = [node for node in pooled.layers if node.module != "classifier"]
    assert shared == [node for node in connected.layers if node.module != "classifier"]


def test_the_paper_s_claim_can_be_tried_by_two_presets_that_differ_in_the_classifier_alone() -> None:
    pooled, connected = PRESETS["nin"], PRESETS["nin-fully-connected"]
    assert pooled.experiment().recipe == connected.experiment().recipe
    assert pooled.experiment().network == build("nin")
    assert connected.experiment().network == build("nin", {"fully_connected": True})
    printed = {(item.options, item.printed) for item in published.accuracies_for("nin")}
    assert ((), "test error 10.41%") in printed
    assert ((("fully_connected", True),), "error 10.88 %") in printed


def test_twenty_years_stand_on_one_page() -> None:
    lines = compare([Candidate(name) for name in ARCHITECTURES])
    assert {line["receptive_field"] > 0 for line in lines} == {True}
    years = [one.year for one in ARCHITECTURES.values()]
    assert (min(years), max(years)) == (1998, 2018)
    for name in ARCHITECTURES:
        assert published.tables_for(name), name


def weights_by_kind(network: Network) -> list[tuple[str, tuple[tuple[int, ...], ...]]]:
    """The layers with weights in their order, without what Keras counts as biases before batch normalization."""
    return [
        (node.layer.type, tuple(weight.shape for weight in node.weights if weight.name != "bias"))
        for node in network.layers
        if node.weights
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "theirs", "more"),
    [
        ("resnet50", "ResNet50", BATCH_NORM_BIASES),
        ("mobilenet", "MobileNet", 0),
        ("mobilenet_v2", "MobileNetV2", 0),
    ],
)
def test_keras_has_the_same_network(name: str, theirs: str, more: int) -> None:
    """Layer by layer, names and order of branches apart; a dense layer for MobileNet's last convolution of 1x1."""
    from cnnlab.keras.backend import keras
    from cnnlab.keras.reading import network_of

    with keras.StatelessScope():  # their weights are counted, not made
        model = getattr(keras.applications, theirs)(weights=None, input_shape=(224, 224, 3))
        assert model.count_params() == build(name).parameters + more
        shapes = [tuple(weight.shape) for layer in model.layers for weight in layer.weights]
        found = network_of(model, (224, 224))
    ours = [weight.shape for node in build(name).layers for weight in node.weights]
    assert sum(len(shape) > 1 for shape in shapes) == sum(len(shape) > 1 for shape in ours)
    assert found.multiply_adds == build(name).multiply_adds
    if name != "mobilenet":
        assert sorted(map(str, weights_by_kind(found))) == sorted(map(str, weights_by_kind(build(name))))
