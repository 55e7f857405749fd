"""What scripts define once: found in any network, and still that network when the script is run."""

from __future__ import annotations

import ast
import builtins
import random
from types import SimpleNamespace
from typing import Any

import pytest

from cnnlab import architectures
from cnnlab.keras.repeats import program
from cnnlab.keras.script import keras_script
from cnnlab.network import Builder, Network
from tests.designs import design
from tests.network.test_landscape import interrupted, residual, wild

HOSTILE = (
    '"quoted"',
    "{braces}",
    "{name}",
    "back\\slash",
    "new\nline",
    "lambda",
    "ünï",
    "1",
    "x_1",
    "x_2",
    "'",
    "é_block1",
)


def functions_of(name: str, **options: Any) -> dict[str, list[str]]:
    """The functions of a script, with their parameters."""
    tree = ast.parse(keras_script(architectures.build(name, options), options))
    found = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name != "build"]
    return {node.name: [one.arg for one in (*node.args.args, *node.args.kwonlyargs)] for node in found}


def run(script: str) -> tuple[dict[str, tuple[str, tuple[str, ...]]], list[str]]:
    """What a script builds, told by stand-ins for Keras: each layer's kind and inputs by name, and the outputs."""
    made: dict[str, tuple[str, tuple[str, ...]]] = {}

    def layer(kind: str) -> Any:
        def called(*_: Any, name: str, **__: Any) -> Any:
            def on(inputs: Any) -> str:
                assert name not in made
                made[name] = (kind, tuple(inputs) if isinstance(inputs, list) else (inputs,))
                return name

            return on

        return called

    class Layers:
        def __getattr__(self, kind: str) -> Any:
            return layer(kind)

    def entering(_: Any, name: str) -> str:
        made[name] = ("InputLayer", ())
        return name

    keras = SimpleNamespace(Input=entering, KerasTensor=str, layers=Layers())
    keras.Model = lambda _, outputs, name: list(outputs.values()) if isinstance(outputs, dict) else [outputs]
    space: dict[str, Any] = {"__name__": "script"}
    space["__builtins__"] = {**vars(builtins), "__import__": lambda *_: keras}
    exec(compile(script, "script.py", "exec"), space)  # noqa: S102  (our own text)
    return made, space["build"]()


def assert_builds(network: Network) -> None:
    made, outputs = run(keras_script(network))
    assert made == {node.name: (node.layer.type, node.inputs) for node in network.layers}
    assert outputs == list(network.outputs)


def repeated(seed: int) -> Network:
    """Blocks drawn twice or more, cut short, doubled or wired otherwise, under names of any kind."""
    chance = random.Random(seed)  # noqa: S311
    net = Builder("repeated")
    x = net.conv(net.input((8, 8, 3)), 4, 3, name="first")
    for number in range(chance.randrange(2, 9)):
        stem = chance.choice(("block", "part_", "b_1_", *HOSTILE)) + str(number)
        before, around = x, chance.random() < 0.6
        with net.module(chance.choice((stem, f"stage{number // 3}"))):
            for place in range(chance.randrange(1, 4)):
                name = f"{stem}_{place}" if chance.random() < 0.8 else f"{place}{stem}"
                x = net.conv(x, chance.choice((4, 4, 4, 8)) if not around else 4, 3, name=f"{name}_conv")
                if chance.random() < 0.8:
                    x = net.activation(net.batch_norm(x, name=f"{name}_bn"), "relu", name=f"{name}_act")
            if around and before.shape == x.shape:
                x = net.sum([before, x], name=f"{stem}_add")
    return net.build(net.dense(net.flatten(x), 2, name="fc"))


def test_the_lectures_modules_are_functions() -> None:
    assert functions_of("deepergooglenet") == {
        "conv_module": ["x", "filters", "kernel_size", "name"],
        "inception_module": [
            "x",
            "filters_1x1",
            "filters_3x3_reduce",
            "filters_3x3",
            "filters_5x5_reduce",
            "filters_5x5",
            "filters_pool_proj",
            "name",
        ],
    }
    assert list(functions_of("minigooglenet")) == ["conv_module", "inception_module", "downsample_module"]
    assert list(functions_of("googlenet")) == ["inception_module"]
    assert list(functions_of("vgg16")) == list(functions_of("nin")) == []


def test_residual_networks_are_blocks() -> None:
    assert functions_of("resnet50")["residual_block"] == ["x", "filters", "name"]
    assert list(functions_of("resnet18")) == ["conv_module", "conv_bn", "residual_block", "projection_block"]
    assert list(functions_of("densenet_bc")) == ["conv_module", "dense_layer", "dense_module"]
    assert functions_of("squeezenet") == {"fire_module": ["x", "filters", "name"]}


BN_ACT, ACT_BN = ("Conv2D", "BatchNormalization", "Activation"), ("Conv2D", "Activation", "BatchNormalization")


@pytest.mark.parametrize(("options", "order"), [({}, BN_ACT), ({"order": "conv-act-bn"}, ACT_BN)])
def test_to_change_the_conv_module_is_one_edit(options: dict[str, Any], order: tuple[str, ...]) -> None:
    script = keras_script(architectures.build("deepergooglenet", options), options)
    places = [script.index(f"layers.{kind}(") for kind in order]
    assert places == sorted(places)
    assert script.count("layers.Conv2D(") == script.count("layers.BatchNormalization(") == 1
    changed = script.replace('layers.Activation("relu"', 'layers.Activation("elu"')
    assert changed.count('"elu"') == 1
    assert len(script.splitlines()) < 100


def test_a_setting_that_is_not_kerass_default_says_why_once() -> None:
    for name in architectures.ARCHITECTURES:
        script = keras_script(architectures.build(name))
        for setting, reason in (("momentum=0.9", "# Momentum 0.9: "), ("use_bias=False", "# No bias: ")):
            assert script.count(reason) == (setting in script), f"{name}: {setting}"


@pytest.mark.parametrize(
    "name", [name for name in architectures.ARCHITECTURES if name not in ("vgg_a_lrn", "zfnet")]
)  # those two bring a layer of their own, and are run with TensorFlow in test_codegen.py
def test_a_script_builds_the_network_layer_by_layer(name: str) -> None:
    assert_builds(architectures.build(name))


def test_designs_and_networks_drawn_at_random_are_built_as_they_are() -> None:
    found = set()
    for network in (
        Network.from_data(design()),
        residual(),
        interrupted(),
        *map(wild, range(20)),
        *map(repeated, range(150)),
    ):
        assert_builds(network)
        found.update(function.name for function in program(network)[0])
    assert {"conv_module", "residual_block"} <= found
