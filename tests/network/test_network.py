from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnlab import architectures
from cnnlab.errors import UserError
from cnnlab.network import Builder, Network, Tensor
from cnnlab.network.layers import Activation, Conv2D
from tests.conftest import assert_one_line


def small(filters: int = 8) -> Network:
    net = Builder("small")
    x = net.input((8, 8, 3))
    with net.module("stem"):
        x = net.conv(x, filters, 3, name="conv")
        x = net.batch_norm(x, name="bn")
    return net.build(net.dense(net.flatten(x), 2, name="fc", activation="softmax"))


def test_networks_drawn_the_same_way_are_equal_and_hash_alike() -> None:
    assert small() == small()
    assert hash(small()) == hash(small())
    assert small() != small(filters=9)
    assert len({small(), small(), small(9)}) == 2


def test_a_network_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        small().name = "other"  # type: ignore[misc]
    with pytest.raises(AttributeError):
        small()["conv"].layer.filters = 3  # type: ignore[union-attr,misc]


def test_a_network_adds_up_its_layers() -> None:
    network = small()
    conv, norm, dense = 3 * 3 * 3 * 8 + 8, 4 * 8, 8 * 8 * 8 * 2 + 2
    assert network.parameters == conv + norm + dense
    assert network.non_trainable == 2 * 8
    assert network.trainable == network.parameters - network.non_trainable
    assert network.multiply_adds == 8 * 8 * 8 * 3 * 3 * 3 + 8 * 8 * 8 * 2
    assert network.input_shape == (8, 8, 3)
    assert network.classes == 2


def test_layers_know_the_module_of_the_paper_they_belong_to() -> None:
    assert [(node.name, node.module) for node in small().layers] == [
        ("input", "input"),
        ("conv", "stem"),
        ("bn", "stem"),
        ("flatten", "flatten"),
        ("fc", "fc"),
    ]


CASES: list[tuple[str, dict[str, float]]] = [
    *((name, {}) for name in architectures.ARCHITECTURES),
    ("minivggnet", {"batch_normalization": False, "dropout": 0}),
    ("minivggnet", {"input_size": 64, "classes": 200}),
    ("minigooglenet", {"batch_normalization": False}),
    ("minigooglenet", {"input_size": 32, "dropout": 0.4}),
    ("vgg16", {"input_size": 32, "classes": 10}),
]


@pytest.mark.parametrize(("name", "values"), CASES)
def test_every_network_survives_the_way_through_json(name: str, values: dict[str, float]) -> None:
    network = architectures.build(name, values)
    again = Network.from_json(network.to_json())
    assert again == network
    assert hash(again) == hash(network)
    assert again.to_json() == network.to_json()
    assert (again.parameters, again.multiply_adds) == (network.parameters, network.multiply_adds)


def changed(**changes: object) -> str:
    """The JSON of a good network with settings of its convolution changed."""
    data = json.loads(small().to_json())
    data["layers"][1]["settings"].update(changes)
    return json.dumps(data)


def without(*path: str | int) -> str:
    """The JSON of a good network with one thing taken out."""
    data = json.loads(small().to_json())
    inner = data
    for step in path[:-1]:
        inner = inner[step]
    del inner[path[-1]]
    return json.dumps(data)


def with_layer(**changes: object) -> str:
    data = json.loads(small().to_json())
    data["layers"][4].update(changes)
    return json.dumps(data)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("not json", id="no JSON"),
        pytest.param("{", id="half a JSON"),
        pytest.param("[]", id="a list"),
        pytest.param("null", id="null"),
        pytest.param("7", id="a number"),
        pytest.param('"network"', id="a text"),
        pytest.param("{}", id="an empty object"),
        pytest.param("[" * 5000, id="too deep"),
        pytest.param('{"name": "x", "layers": 5, "outputs": []}', id="layers are a number"),
        pytest.param('{"name": "x", "layers": ["conv"], "outputs": []}', id="a layer is a text"),
        pytest.param('{"name": "x", "layers": [], "outputs": ["fc"]}', id="an output is unknown"),
        pytest.param('{"name": "x", "layers": [], "outputs": []}', id="no layers"),
        pytest.param(without("name"), id="no name"),
        pytest.param(without("outputs"), id="no outputs"),
        pytest.param(without("layers", 1), id="a layer is gone"),
        pytest.param(without("layers", 1, "settings"), id="no settings"),
        pytest.param(without("layers", 1, "settings", "filters"), id="no filters"),
        pytest.param(changed(filters="many"), id="many filters"),
        pytest.param(changed(padding="reflect"), id="unknown padding"),
        pytest.param(changed(activation="__import__"), id="unknown activation"),
        pytest.param(changed(groups=2), id="unknown setting"),
        pytest.param(changed(stride=0), id="stride 0"),
        pytest.param(changed(filters=-3), id="filters -3"),
        pytest.param(with_layer(type="Lambda"), id="unknown type"),
        pytest.param(with_layer(type=["Dense"]), id="type is a list"),
        pytest.param(with_layer(inputs=[]), id="no inputs"),
        pytest.param(with_layer(inputs=["nowhere"]), id="unknown input"),
        pytest.param(with_layer(name="conv"), id="two of one name"),
    ],
)
def test_what_describes_no_network_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(UserError) as refused:
        Network.from_json(text)
    assert_one_line(str(refused.value))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["name", "layers", "outputs", "type", "settings", "inputs"]), inner)
    ),
    max_leaves=12,
)


@given(JSON)
@settings(max_examples=100)
def test_any_other_json_is_refused_and_never_crashes(value: object) -> None:
    with pytest.raises(UserError):
        Network.from_json(json.dumps(value))


def test_shapes_that_do_not_fit_name_the_layer() -> None:
    net = Builder("wrong")
    x = net.input((4, 4, 3))
    with pytest.raises(UserError) as refused:
        net.dense(x, 10, name="fc7")
    assert_one_line(str(refused.value), "wrong", "fc7", "Dense", "4×4×3")


def test_maps_of_different_sizes_are_not_concatenated() -> None:
    net = Builder("wrong")
    x = net.input((8, 8, 3))
    half = net.max_pool(x, 2, name="pool")
    with pytest.raises(UserError) as refused:
        net.concat([x, half], name="join")
    assert_one_line(str(refused.value), "join", "8×8×3", "4×4×3")


def test_two_layers_of_one_name_are_refused() -> None:
    net = Builder("twice")
    x = net.conv(net.input((8, 8, 3)), 4, 3, name="conv")
    with pytest.raises(UserError, match="conv"):
        net.conv(x, 4, 3, name="conv")


def test_a_dropout_of_zero_adds_no_layer() -> None:
    net = Builder("none")
    x = net.input((8, 8, 3))
    assert net.dropout(x, 0.0, name="dropout") == x


def test_an_input_too_small_for_the_poolings_names_the_layer_that_breaks() -> None:
    with pytest.raises(UserError) as refused:
        architectures.build("vgg16", {"input_size": 31})
    assert_one_line(str(refused.value), "vgg16", "block5_pool", "1×1", "larger input")


def test_each_layer_comes_after_its_inputs() -> None:
    for name in architectures.ARCHITECTURES:
        seen: set[str] = set()
        for node in architectures.build(name).layers:
            assert seen.issuperset(node.inputs)
            seen.add(node.name)


def test_the_builder_gives_tensors_with_the_layers_shape() -> None:
    net = Builder("x")
    assert net.add(Conv2D(4, 3, 2), [net.input((9, 9, 3))], "conv") == Tensor("conv", (5, 5, 4))
    assert net.add(Activation("relu"), [net["conv"]], "act").shape == (5, 5, 4)
