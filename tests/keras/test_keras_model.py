"""The conformance of the two interpreters: what a Network says of itself is what Keras says of its model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnlab import architectures
from cnnlab.network import Builder, Network
from cnnlab.network.layers import AveragePooling2D, BatchNormalization, Conv2D, DepthwiseConv2D, Dropout, MaxPooling2D
from tests.architectures.test_architectures import VGG16

pytestmark = pytest.mark.slow


def keras_model(network: Network) -> Any:
    from cnnlab.keras import model as translator

    return translator.keras_model(network)


def assert_conforms(network: Network, model: Any) -> None:
    """Layer for layer by name: class, output shape, every weight's shape and trainability, inputs, and totals."""
    layers = {layer.name: layer for layer in model.layers}  # Keras orders the layers by depth
    assert set(layers) == {node.name for node in network.layers}
    for node in network.layers:
        layer = layers[node.name]
        assert type(layer).__name__ == node.layer.type, node.name
        output = layer.output[0] if isinstance(layer.output, list) else layer.output
        assert tuple(output.shape)[1:] == node.output_shape, node.name
        assert layer.count_params() == node.parameters, node.name
        shapes = [tuple(weight.shape) for weight in layer.weights]
        assert shapes == [weight.shape for weight in node.weights], node.name
        assert sum(int(np.prod(weight.shape)) for weight in layer.trainable_weights) == node.trainable, node.name
        if node.inputs:
            inputs = layer.input if isinstance(layer.input, list) else [layer.input]
            assert tuple(tensor._keras_history.operation.name for tensor in inputs) == node.inputs, node.name
        assert_settings(node.layer, layer.get_config())
    assert model.count_params() == network.parameters
    assert sum(int(np.prod(weight.shape)) for weight in model.trainable_weights) == network.trainable
    assert tuple(model.input_shape)[1:] == network.input_shape
    assert set(model.output) == set(network.outputs)


def assert_settings(layer: object, config: dict[str, Any]) -> None:
    """What neither a shape nor a count can tell apart."""
    if activation := getattr(layer, "activation", None):
        assert config["activation"] == activation
    match layer:
        case Conv2D(filters, kernel, stride, padding):
            assert (config["filters"], config["kernel_size"], config["strides"]) == (
                filters,
                (kernel,) * 2,
                (stride,) * 2,
            )
            assert config["padding"] == padding
            assert config["use_bias"] is layer.use_bias
        case DepthwiseConv2D(kernel, stride, padding, multiplier):
            assert (config["depth_multiplier"], config["padding"]) == (multiplier, padding)
            assert (config["kernel_size"], config["strides"]) == ((kernel,) * 2, (stride,) * 2)
            assert config["use_bias"] is layer.use_bias
        case MaxPooling2D(kernel, stride, padding) | AveragePooling2D(kernel, stride, padding):
            assert (config["pool_size"], config["strides"]) == ((kernel,) * 2, (stride,) * 2)
            assert config["padding"] == padding
        case BatchNormalization(momentum, epsilon):
            assert (config["momentum"], config["epsilon"], config["axis"]) == (momentum, epsilon, -1)
        case Dropout(rate):
            assert config["rate"] == rate
        case _:
            pass


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("minivggnet", {}),
        ("minivggnet", {"batch_normalization": False, "dropout": 0, "classifier_dropout": 0}),
        ("minivggnet", {"input_size": 8, "classes": 3}),
        ("minigooglenet", {}),
        ("minigooglenet", {"input_size": 32, "batch_normalization": False}),
        ("minigooglenet", {"input_size": 29, "dropout": 0.4, "classes": 200}),
        ("vgg16", {"input_size": 33, "classes": 10}),
    ],
)
def test_every_network_is_the_keras_model_built_from_it(name: str, values: dict[str, float]) -> None:
    network = architectures.build(name, values)
    assert_conforms(network, keras_model(network))


@pytest.mark.parametrize("name", list(architectures.ARCHITECTURES))
def test_every_registered_architecture_is_the_keras_model_built_from_it(name: str) -> None:
    size = architectures.training_input_size(name, 32)
    network = architectures.build(name, {"input_size": size, "classes": 11})
    assert_conforms(network, keras_model(network))


def test_vgg16_at_full_size_is_kerass_own() -> None:
    network = architectures.build("vgg16")
    model = keras_model(network)
    assert_conforms(network, model)
    rows = [
        (layer.name, type(layer).__name__, layer.output.shape[1:], layer.count_params()) for layer in model.layers[1:]
    ]
    assert rows == VGG16


@given(
    input_size=st.integers(4, 40),
    classes=st.integers(2, 30),
    batch_normalization=st.booleans(),
    dropout=st.sampled_from([0.0, 0.3, 0.95]),
    name=st.sampled_from(["minivggnet", "minigooglenet"]),
)
@settings(max_examples=8)
def test_any_options_give_the_keras_model(name: str, **values: float) -> None:
    network = architectures.build(name, values)
    assert_conforms(network, keras_model(network))


@given(data=st.data(), name=st.sampled_from(["vgg_a_lrn", "vgg_c", "nin", "googlenet", "deepergooglenet"]))
@settings(max_examples=12)
def test_any_options_of_the_larger_networks_give_the_keras_model(data: st.DataObject, name: str) -> None:
    """Every option takes a value of its own, in networks made thin enough to be built a dozen times."""
    values: dict[str, Any] = {"input_size": data.draw(st.integers(80, 100)), "width": data.draw(st.floats(0.05, 0.3))}
    for option in architectures.ARCHITECTURES[name].options:
        if option.choices:
            values[option.name] = data.draw(st.sampled_from(option.choices))
        elif option.type is bool:
            values[option.name] = data.draw(st.booleans())
        elif option.name not in values:
            values[option.name] = data.draw(st.integers(2, 30)) if option.type is int else data.draw(st.floats(0, 0.9))
    network = architectures.build(name, values)
    assert_conforms(network, keras_model(network))


@given(
    size=st.integers(5, 12),
    kernel=st.integers(1, 5),
    stride=st.integers(1, 3),
    padding=st.sampled_from(["same", "valid"]),
)
@settings(max_examples=12)
def test_any_window_gives_the_shape_keras_gives(size: int, kernel: int, stride: int, padding: Any) -> None:
    net = Builder("window")
    x = net.input((size, size, 3))
    conv = net.conv(x, 4, kernel, stride=stride, padding=padding, name="conv")
    pool = net.max_pool(x, kernel, stride=stride, padding=padding, name="pool")
    network = net.build(net.concat([conv, pool], name="join"))
    assert_conforms(network, keras_model(network))


def test_several_heads_go_by_their_names() -> None:
    net = Builder("heads")
    x = net.flatten(net.input((4, 4, 3)))
    main = net.dense(x, 3, activation="softmax", name="main")
    auxiliary = net.dense(x, 5, activation="softmax", name="auxiliary")
    network = net.build(main, auxiliary)
    outputs = keras_model(network)(np.zeros((2, 4, 4, 3), np.float32))
    assert {name: tuple(value.shape) for name, value in outputs.items()} == {"main": (2, 3), "auxiliary": (2, 5)}


def test_a_network_from_json_gives_the_same_keras_model() -> None:
    network = architectures.build("minigooglenet")
    assert_conforms(network, keras_model(Network.from_json(network.to_json())))


@pytest.mark.parametrize("name", list(architectures.ARCHITECTURES))
def test_an_untrained_network_gives_probabilities(name: str) -> None:
    size = architectures.training_input_size(name, 32)
    network = architectures.build(name, {"input_size": size, "classes": 10})
    images = np.random.default_rng(0).normal(size=(2, size, size, 3)).astype(np.float32)
    probabilities = np.asarray(keras_model(network)(images, training=False)[network.outputs[0]])
    assert probabilities.shape == (2, 10)
    assert probabilities.sum(axis=1) == pytest.approx(1, abs=1e-5)
