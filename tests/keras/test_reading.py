"""A keras.Model from elsewhere as a network of ours: the same layers, or a line that says which is another."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cnnlab.architectures import build
from cnnlab.errors import UserError
from cnnlab.network import Network
from cnnlab.network.landscape import parts
from cnnlab.network.layers import Activation, Add, BatchNormalization, Conv2D, Dropout, InputLayer, Layer
from tests.conftest import assert_one_line
from tests.keras.test_keras_model import keras_model
from tests.network.test_kinds import CASES, drawn

pytestmark = pytest.mark.slow


def described(network: Network) -> dict[str, tuple[Any, ...]]:
    return {node.name: (node.layer, node.inputs, node.output_shape) for node in network.layers}


def read(model: Any, size: tuple[int, int] = (16, 16)) -> Network:
    from cnnlab.keras.reading import network_of

    return network_of(model, size)


def through_a_file(model: Any, folder: Path) -> Any:
    """The model as Keras gives it back from a file."""
    from cnnlab.inference.model_file import load

    model.save(folder / "theirs.keras")
    return load(folder / "theirs.keras", "theirs.keras")


@pytest.mark.parametrize(("kind", "layer"), CASES)
def test_every_kind_is_read_as_it_was_drawn(kind: type[Layer], layer: Layer) -> None:
    network, _ = drawn(layer)
    found = read(keras_model(network), network.input_shape[:2])
    assert described(found) == described(network)
    assert found.outputs == network.outputs


@pytest.mark.parametrize("name", ["minivggnet", "minigooglenet", "googlenet", "nin"])
def test_a_file_of_an_architecture_is_the_architecture_again(name: str, tmp_path: Path) -> None:
    network = build(name, {"width": 0.25} if name == "googlenet" else {})
    found = read(through_a_file(keras_model(network), tmp_path), network.input_shape[:2])
    assert described(found) == described(network)
    assert found.parameters == network.parameters
    assert parts(found), "it can be laid out as a landscape"


def test_layers_whose_names_say_so_are_a_module() -> None:
    from cnnlab.keras.reading import module_of

    for name in ("googlenet", "minigooglenet", "minivggnet"):
        for node in build(name).layers:
            told = module_of(node.name)
            assert told in ("", node.module), node.name
            assert told or not node.module.startswith(("inception", "block", "downsample")), node.name
    told = [module_of(name) for name in ("conv2_block1_1_conv", "conv2_block1_add", "block2_conv1", "pool1", "block2")]
    assert told == ["conv2_block1", "conv2_block1", "block2", "", ""]


def test_a_residual_network_of_keras_is_read_and_laid_out() -> None:
    from cnnlab.keras.backend import keras

    model = keras.applications.ResNet50(weights=None, input_shape=(32, 32, 3), classes=10)
    found = read(model, (32, 32))
    assert found.parameters == model.count_params()
    assert len(parts(found)) < 40 < len(found.layers)


def test_a_sequential_model_is_read_with_its_own_names_for_activations(tmp_path: Path) -> None:
    from cnnlab.keras.backend import keras

    model = keras.Sequential(name="theirs")
    for layer in (
        keras.Input((None, None, 3)),
        keras.layers.Conv2D(4, 3, padding="same", use_bias=False, name="conv"),
        keras.layers.BatchNormalization(axis=3, name="bn"),
        keras.layers.ReLU(name="relu"),
        keras.layers.Conv2D(4, 1, activation="elu", name="pointwise"),
        keras.layers.ELU(name="elu"),
        keras.layers.GlobalAveragePooling2D(name="gap"),
        keras.layers.Dropout(0.5, name="dropout"),
        keras.layers.Dense(3, name="fc"),
        keras.layers.Softmax(name="softmax"),
    ):
        model.add(layer)
    found = read(through_a_file(model, tmp_path), (20, 24))
    assert [type(node.layer) for node in found.layers][:3] == [InputLayer, Conv2D, BatchNormalization]
    assert found.input_shape == (20, 24, 3)
    assert [node.layer.activation for node in found.layers if isinstance(node.layer, Activation)] == [
        "relu",
        "elu",
        "softmax",
    ]
    assert found["bn"].layer == BatchNormalization(0.99, 1e-3)
    assert found["dropout"].layer == Dropout(0.5)
    assert found.classes == 3


def test_branches_are_read_one_after_the_other(tmp_path: Path) -> None:
    from cnnlab.keras.backend import keras

    images = keras.Input((16, 16, 3), name="images")
    left = keras.layers.Conv2D(4, 1, name="left_1")(images)
    right = keras.layers.Conv2D(4, 3, padding="same", name="right_1")(images)
    left = keras.layers.Conv2D(4, 1, name="left_2")(left)
    right = keras.layers.Conv2D(4, 3, padding="same", name="right_2")(right)
    joined = keras.layers.Add(name="sum")([left, right])
    out = keras.layers.Dense(2, "softmax", name="fc")(keras.layers.Flatten(name="flat")(joined))
    found = read(through_a_file(keras.Model(images, out, name="theirs"), tmp_path))
    names = [node.name for node in found.layers]
    assert names == ["images", "left_1", "left_2", "right_1", "right_2", "sum", "flat", "fc"]
    assert found["sum"].layer == Add()
    assert found["sum"].inputs == ("left_2", "right_2")


def layers() -> Any:
    from cnnlab.keras.backend import keras

    return keras.layers


@pytest.mark.parametrize(
    ("make", "parts_of_it"),
    [
        (lambda: layers().Rescaling(0.5, name="scale"), ("'scale'", "Rescaling")),
        (lambda: layers().Normalization(mean=0.0, variance=1.0, name="norm"), ("'norm'", "Normalization")),
        (lambda: layers().LayerNormalization(name="norm"), ("'norm'", "LayerNormalization")),
        (lambda: layers().SeparableConv2D(3, 3, name="separable"), ("'separable'", "SeparableConv2D")),
        (lambda: layers().Conv2D(3, (3, 1), name="odd"), ("'odd'", "kernel_size=(3, 1)")),
        (lambda: layers().Conv2D(3, 3, groups=3, name="grouped"), ("'grouped'", "groups=3")),
        (lambda: layers().Conv2D(3, 3, dilation_rate=2, name="dilated"), ("'dilated'", "dilation_rate=(2, 2)")),
        (lambda: layers().Conv2D(3, 3, activation="gelu", name="conv"), ("'conv'", "gelu", "softmax")),
        (lambda: layers().BatchNormalization(scale=False, name="bn"), ("'bn'", "scale=False")),
        (lambda: layers().BatchNormalization(axis=1, name="bn"), ("'bn'", "axis=1")),
        (lambda: layers().ReLU(3.0, name="relu3"), ("'relu3'", "max_value=3.0")),
        (lambda: layers().Activation("silu", name="silu"), ("'silu'", "silu")),
        (lambda: layers().Dense(3, name="along"), ("'along'", "vector", "16×16×3")),
    ],
)
def test_what_we_do_not_have_is_refused_by_layer_and_kind(
    make: Callable[[], Any], parts_of_it: tuple[str, ...]
) -> None:
    from cnnlab.keras.backend import keras

    model = keras.Sequential([keras.Input((16, 16, 3)), make(), keras.layers.Flatten()], name="theirs")
    with pytest.raises(UserError) as refused:
        read(model)
    assert_one_line(str(refused.value), "theirs", *parts_of_it)


def test_operations_shared_layers_and_models_within_models_are_refused() -> None:
    from cnnlab.keras.backend import keras

    images = keras.Input((16, 16, 3), name="images")
    shared = keras.layers.Conv2D(3, 1, name="shared")
    twice = keras.Model(images, keras.layers.Flatten()(shared(shared(images))), name="theirs")
    bare = keras.Model(images, keras.layers.Flatten()(images + shared(images)), name="theirs")
    inner = keras.Sequential([keras.Input((16, 16, 3)), keras.layers.Flatten()], name="inner")
    nested = keras.Model(images, inner(images), name="theirs")
    for model, parts_of_it in (
        (twice, ("'shared'", "more than once")),
        (bare, ("'add", "Add", "operation")),
        (nested, ("'inner'", "Sequential")),
    ):
        with pytest.raises(UserError) as refused:
            read(model)
        assert_one_line(str(refused.value), "theirs", *parts_of_it)
