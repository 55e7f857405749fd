"""Every kind of layer, wherever kinds are told apart: one that is missing anywhere fails here."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

from cnnlab.architectures.comparison import configuration_column, difference
from cnnlab.datasets.preprocessing import Preprocessing
from cnnlab.experiments.recipe import make_recipe
from cnnlab.keras.script import keras_script
from cnnlab.network import Builder, Network, Tensor, analysis, families
from cnnlab.network.diagram import svg
from cnnlab.network.layers import (
    Activation,
    Add,
    AnyLayer,
    AveragePooling2D,
    BatchNormalization,
    Concatenate,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    Dropout,
    Flatten,
    GlobalAveragePooling2D,
    InputLayer,
    Layer,
    LocalResponseNormalization,
    MaxPooling2D,
    ZeroPadding2D,
)
from cnnlab.network.modules import module_rows
from tests.conftest import PROJECT
from tests.keras.test_keras_model import assert_conforms, keras_model

KINDS = get_args(AnyLayer)
SIDE = 13
EXAMPLES: dict[type[Layer], tuple[Layer, ...]] = {
    InputLayer: (InputLayer((SIDE, SIDE, 3)),),
    Conv2D: (Conv2D(4, 3, use_bias=False), Conv2D(5, 5, 2, "valid", "elu")),
    DepthwiseConv2D: (DepthwiseConv2D(3), DepthwiseConv2D(5, 2, "valid", 2, "relu", use_bias=False)),
    Dense: (Dense(6, "relu"), Dense(4, use_bias=False)),
    MaxPooling2D: (MaxPooling2D(3, 2), MaxPooling2D(2, 2, "same")),
    AveragePooling2D: (AveragePooling2D(3, 2), AveragePooling2D(3, 1, "same")),
    GlobalAveragePooling2D: (GlobalAveragePooling2D(),),
    ZeroPadding2D: (ZeroPadding2D(0, 1, 0, 1), ZeroPadding2D(0, 0, 0, 0, 1, 2), ZeroPadding2D(3, 3, 3, 3)),
    BatchNormalization: (BatchNormalization(),),
    LocalResponseNormalization: (LocalResponseNormalization(),),
    Activation: (Activation("relu"), Activation("elu")),
    Dropout: (Dropout(0.25),),
    Flatten: (Flatten(),),
    Concatenate: (Concatenate(),),
    Add: (Add(),),
}
CASES = [
    pytest.param(kind, layer, id=f"{kind.__name__}-{n}") for kind in EXAMPLES for n, layer in enumerate(EXAMPLES[kind])
]
EXPECTED_CALLS = {Conv2D: "use_bias=False", DepthwiseConv2D: "depth_multiplier=2", ZeroPadding2D: "((0, 1), (0, 1))"}


def drawn(layer: Any) -> tuple[Network, str]:
    """A small network with the layer in it and a classifier behind, and the layer's name there."""
    net = Builder("kinds")
    images = net.input((SIDE, SIDE, 3))
    x = net.conv(images, 4, 3, name="before")
    name = "here"
    if isinstance(layer, InputLayer):
        name = "input"
    elif isinstance(layer, Dense):
        x = net.add(layer, [net.flatten(x)], name)
    elif layer.joins:
        x = net.add(layer, [x, net.conv(images, 4, 5, name="beside")], name)
    else:
        x = net.add(layer, [x], name)
    return classified(net, x), name


def classified(net: Builder, x: Tensor) -> Network:
    x = net.flatten(x, name="flat") if len(x.shape) == 3 else x
    return net.build(net.dense(x, 3, name="fc", activation="softmax"))


def test_every_kind_has_an_example_here_and_says_all_of_itself() -> None:
    assert set(EXAMPLES) == set(KINDS)
    for kind in KINDS:
        assert not inspect.isabstract(kind), f"{kind.__name__} leaves something open"
        assert kind.family in families.FAMILIES, f"{kind.__name__} belongs to no family"


def test_the_pytorch_side_of_the_benchmark_knows_every_kind() -> None:
    """Read, not run: PyTorch is no dependency."""
    tree = ast.parse((PROJECT / "benchmarks" / "pytorch_side.py").read_text())
    known = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    assert {kind.__name__ for kind in KINDS} <= known


@pytest.mark.parametrize(("kind", "layer"), CASES)
def test_a_kind_reaches_tables_diagram_and_comparison(kind: type[Layer], layer: Layer) -> None:
    network, name = drawn(layer)
    assert Network.from_json(network.to_json()) == network
    row = next(row for row in analysis.rows(network) if row["name"] == name)
    assert row["type"] == kind.__name__
    assert row["kernel"] == (network[name].layer.window(*network[name].input_shapes).text if layer.has_window else "")
    assert f">{layer.caption[:20]}" in svg(network, [name])
    assert any(f"{name}: {kind.__name__}" in line["left"] for line in difference(network, network))
    assert any(layer.summary in module["contents"] for module in module_rows(network))
    written = "\n".join(configuration_column(network).values())
    assert not layer.weighted or layer.notation in written, "a weight layer stands in the configuration table"
    depth = analysis.weight_layers(network)
    assert depth == 2 + (layer.weighted and name == "here")


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "layer"), CASES)
def test_a_kind_is_kerass_layer_and_so_is_its_script(kind: type[Layer], layer: Layer) -> None:
    network, name = drawn(layer)
    model = keras_model(network)
    assert_conforms(network, model)
    script = keras_script(network)
    space: dict[str, Any] = {"__name__": "script"}
    exec(compile(script, "script.py", "exec"), space)  # noqa: S102  (our own text)
    built = space["build"]()
    assert [layer.name for layer in built.layers] == [layer.name for layer in model.layers]
    for ours, theirs in zip(model.layers, built.layers, strict=True):
        assert ours.get_config() | {"dtype": ""} == theirs.get_config() | {"dtype": ""}, name
    if kind in EXPECTED_CALLS and layer == EXAMPLES[kind][kind is DepthwiseConv2D]:
        assert EXPECTED_CALLS[kind] in script


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "layer"), CASES)
def test_the_receptive_field_is_what_moves_when_the_input_is_touched(kind: type[Layer], layer: Layer) -> None:
    """Rows of the input that change the middle row of the output, counted with Keras."""
    from cnnlab.keras.backend import keras

    network, name = drawn(layer)
    model = keras_model(network)
    part = keras.Model(model.inputs, model.get_layer(name).output)
    random = np.random.default_rng(0)
    image = random.uniform(1, 2, (1, SIDE, SIDE, 3)).astype("float32")
    for weights in model.weights:
        weights.assign(random.uniform(0.1, 1, weights.shape))
    touched = np.repeat(image, SIDE, 0)
    for row in range(SIDE):
        touched[row, row] *= 1 + 10 * random.uniform(size=(SIDE, 3))
    before, after = np.asarray(part(image)), np.asarray(part(touched))
    if before.ndim == 4:
        middle = before.shape[1] // 2
        before, after = before[:, middle], after[:, middle]
    moved = np.abs(after - before).reshape(SIDE, -1).max(1) > 1e-6
    assert moved.sum() == min(analysis.receptive_fields(network)[name][0], SIDE)


@pytest.mark.slow
def test_a_network_of_every_kind_is_trained_saved_and_read_again(tmp_path: Path) -> None:
    from cnnlab.runs.run import CheckpointInfo
    from cnnlab.training.trainer import Trainer

    net = Builder("all_kinds")
    x = net.conv(net.input((SIDE, SIDE, 3)), 8, 3, name="conv", use_bias=False)
    x = net.activation(net.batch_norm(x, name="bn"), "relu", name="relu")
    x = net.local_response_norm(x, name="lrn")
    shortcut = x
    x = net.depthwise_conv(x, 3, name="depthwise", activation="elu", use_bias=False)
    x = net.sum([net.conv(x, 8, 1, name="pointwise"), shortcut], name="sum")
    x = net.max_pool(net.zero_pad(x, 0, 1, 0, 1, name="pad"), 2, name="max_pool")
    x = net.concat([x, net.average_pool(x, 3, name="average_pool", stride=1, padding="same")], name="concat")
    x = net.concat([net.global_average_pool(x, name="gap"), net.flatten(x)], name="join")
    network = net.build(net.dense(net.dropout(x, 0.1, name="dropout"), 2, activation="softmax", name="fc"))
    assert {type(node.layer) for node in network.layers} == set(KINDS)
    size = (SIDE, SIDE)
    plain = Preprocessing(image_size=size, input_size=size, mean=(127,) * 3, deviation=(64,) * 3)
    trainer = Trainer(network, make_recipe(seed=1), plain)
    images = np.random.default_rng(0).integers(0, 256, (16, SIDE, SIDE, 3), dtype=np.uint8)
    images[::2] //= 2  # the darker half is one class
    targets = np.eye(2, dtype=np.float32)[np.arange(16) % 2]
    losses = [float(trainer.train_batch(images, targets, 0.01).numpy()[0]) for _ in range(30)]
    assert losses[-1] < losses[0] / 2
    kept = trainer.save(tmp_path, CheckpointInfo(step=30, epoch=1))
    other = keras_model(Network.from_json(network.to_json()))
    other.load_weights(kept.weights)
    for ours, theirs in zip(trainer.model.weights, other.weights, strict=True):
        np.testing.assert_array_equal(np.asarray(ours), np.asarray(theirs))
