"""Networks side by side, and layer by layer."""

from __future__ import annotations

import pytest

from cnnlab import architectures
from cnnlab.architectures import ARCHITECTURES, build
from cnnlab.architectures.comparison import DENSE_STAGE, Candidate, compare, configuration_column, difference, stages
from cnnlab.errors import UserError


@pytest.mark.parametrize(
    "text", ["vgg16", "vgg16:input_size=64,classes=10", "minivggnet:batch_normalization=False", "nin:width=0.5"]
)
def test_a_candidate_reads_what_it_writes(text: str) -> None:
    candidate = Candidate.parse(text)
    assert candidate.text == text
    assert Candidate.parse(candidate.text) == candidate


def test_options_at_their_defaults_are_not_carried_along() -> None:
    assert Candidate.parse("vgg16:classes=1000").text == "vgg16"


@pytest.mark.parametrize("text", ["lenet", "vgg16:depth=3", "vgg16:classes", "vgg16:classes=ten"])
def test_what_names_no_network_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(UserError) as refused:
        Candidate.parse(text)
    assert len(str(refused.value).splitlines()) == 1


def test_the_depth_is_that_of_the_papers() -> None:
    names = ("vgg_a", "vgg_a_lrn", "vgg_b", "vgg_c", "vgg16", "vgg19", "googlenet")
    assert [line["weight_layers"] for line in compare([Candidate(name) for name in names])] == [
        11, 11, 13, 16, 16, 19, 22,
    ]  # fmt: skip


def test_memory_grows_with_the_batch_by_the_activations_alone() -> None:
    one, hundred = (compare([Candidate("minivggnet")], batch)[0] for batch in (1, 100))
    weights = one["weight_bytes"]
    assert weights == 2_171_178 * 4
    assert hundred["training_bytes"] - 3 * weights == 100 * (one["training_bytes"] - 3 * weights)
    assert hundred["inference_bytes"] - weights == 100 * (one["inference_bytes"] - weights)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_stages_add_up_to_the_whole(name: str) -> None:
    network = build(name)
    found = stages(network)
    assert sum(stage["parameters"] for stage in found) == network.parameters
    assert sum(stage["multiply_adds"] for stage in found) == network.multiply_adds
    assert len({stage["stage"] for stage in found}) == len(found)


def test_vgg_keeps_its_parameters_in_the_dense_layers_and_googlenet_does_not() -> None:
    def dense(name: str) -> float:
        network = build(name)
        return sum(s["parameters"] for s in stages(network) if s["stage"] == DENSE_STAGE) / network.parameters

    assert dense("vgg16") == pytest.approx(123_642_856 / 138_357_544)
    assert dense("googlenet") == pytest.approx(1_025_000 / 6_998_552)


def test_vgg_c_and_d_differ_in_three_layers() -> None:
    lines = difference(build("vgg_c"), build("vgg16"))
    changed = [line for line in lines if line["change"] != "same"]
    assert [line["change"] for line in changed] == ["changed"] * 3
    assert [(line["left_parameters"], line["right_parameters"]) for line in changed] == [
        (65_792, 590_080),
        (262_656, 2_359_808),
        (262_656, 2_359_808),
    ]


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_network_does_not_differ_from_itself(name: str) -> None:
    network = build(name)
    lines = difference(network, network)
    assert [line["change"] for line in lines] == ["same"] * len(network.layers)


def test_a_layer_that_only_one_has_stands_alone() -> None:
    lines = difference(build("vgg_a"), build("vgg_a_lrn"))
    assert [line["right"].split(":")[0] for line in lines if line["change"] != "same"] == ["block1_lrn"]
    assert [line["change"] for line in lines].count("only right") == 1


def test_the_configuration_table_reads_like_the_papers() -> None:
    column = configuration_column(build("vgg_c"))
    assert column["block3"].split("\n") == ["conv3-256", "conv3-256", "conv1-256", "maxpool"]
    assert column["classifier"].split("\n") == ["FC-4096", "FC-4096", "FC-1000"]
    assert configuration_column(build("vgg_a_lrn"))["block1"].split("\n") == ["conv3-64", "LRN", "maxpool"]


def test_every_architecture_can_be_compared() -> None:
    lines = compare([Candidate(name) for name in ARCHITECTURES], 128)
    assert [line["parameters"] for line in lines] == [architectures.build(name).parameters for name in ARCHITECTURES]
