"""The generated scripts, run where cnnlab cannot be imported: they build the very network they were printed for."""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnnlab import architectures
from cnnlab.architectures.options import Value
from cnnlab.keras.script import keras_script
from cnnlab.network import Builder, Network, analysis
from cnnlab.network.layers import LocalResponseNormalization
from tests.conftest import PATIENCE, PROJECT

Options = dict[str, Value]

SMALL: dict[str, Options] = {  # tens of millions of weights at full size
    **{name: {"input_size": 32, "classes": 10} for name in ("vgg_a", "vgg_a_lrn", "vgg_b", "vgg_c", "vgg16", "vgg19")},
    **{name: {"input_size": 64, "classes": 10} for name in ("alexnet", "zfnet")},
}
ALIKE = ("resnet34", "resnet56")
"""Drawn by the functions that draw resnet18 and resnet20: built by stand-ins for Keras in test_repeats.py alone."""
MINI = ("minivggnet", {"input_size": 16, "activation": "elu", "order": "conv-bn-act", "dropout": 0.1})
HEADS = ("googlenet", {"input_size": 96, "classes": 7, "auxiliary_heads": True, "lrn": True, "width": 0.25})
LRN = ("vgg_a_lrn", {"input_size": 32, "classes": 5, "classifier_dropout": 0.5, "width": 0.25})
FORWARD: tuple[tuple[str, Options], ...] = (MINI, HEADS, LRN)
CASES: list[tuple[str, Options]] = [
    *((name, SMALL.get(name, {})) for name in architectures.ARCHITECTURES),
    ("vgg16", {}),
    ("minivggnet", {"batch_normalization": False, "dropout": 0, "classifier_dropout": 0}),
    ("minigooglenet", {"input_size": 32, "order": "conv-act-bn", "dropout": 0.4, "width": 0.5}),
    ("minigooglenet", {"batch_normalization": False, "activation": "elu"}),
    ("nin", {"classes": 100, "dropout": 0}),
    ("googlenet", {"auxiliary_heads": True, "lrn": True}),
    ("googlenet", {"input_size": 64, "width": 0.5}),
    ("deepergooglenet", {"inception_4": False, "activation": "elu", "order": "conv-act-bn", "auxiliary_heads": True}),
    ("deepergooglenet", {"auxiliary_heads": True, "batch_normalization": False, "width": 0.5, "dropout": 0}),
    *FORWARD,
]

RUNNER = """
import contextlib, io, json, runpy, sys, textwrap
from importlib.util import find_spec
from pathlib import Path
import numpy as np
import tensorflow as tf

tf.config.run_functions_eagerly(True)  # a step or two are not worth compiling for

def listed(value):
    return value if isinstance(value, list) else [value]

assert find_spec("cnnlab") is None
for path in sorted(Path(sys.argv[1]).glob("*.py")):
    model = runpy.run_path(str(path))["build"]()
    layers = {
        layer.name: {
            "type": type(layer).__name__,
            "output_shape": listed(layer.output)[0].shape[1:],
            "parameters": layer.count_params(),
            "trainable": sum(int(np.prod(weight.shape)) for weight in layer.trainable_weights),
            "inputs": [tensor._keras_history.operation.name for tensor in listed(layer.input)],
            "config": layer.get_config(),
        }
        for layer in model.layers
    }
    single = not isinstance(model.output, dict)
    outputs = {model.output._keras_history.operation.name: model.output} if single else model.output
    found = {"name": model.name, "single": single, "layers": layers}
    found["outputs"] = {name: tensor._keras_history.operation.name for name, tensor in outputs.items()}
    weights = path.with_suffix(".npz")
    if weights.exists():
        given = np.load(weights)
        for layer in model.layers:
            layer.set_weights([given[f"{layer.name}/{number}"] for number in range(len(layer.weights))])
        results = model(given["images"], training=False)
        results = dict.fromkeys(outputs, results) if single else results
        found["results"] = {name: np.asarray(result).tolist() for name, result in results.items()}
        if not single:
            comment = path.read_text().partition("times:")[2]
            namespace = {"model": model, "images": given["images"], "labels": np.zeros(len(given["images"]))}
            exec(textwrap.dedent(comment.replace("    # ", "")), namespace)
            found["history"] = model.history.history
    if path.stem in sys.argv[2:]:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            runpy.run_path(str(path), run_name="__main__")
        found["printed"] = printed.getvalue()
    path.with_suffix(".json").write_text(json.dumps(found, default=str))
"""


def title(case: tuple[str, Mapping[str, Value]]) -> str:
    name, options = case
    return "-".join([name, *(f"{key}={value}" for key, value in options.items())])


def script(case: tuple[str, Options]) -> str:
    name, options = case
    return keras_script(architectures.build(name, options), options)


def twisted() -> Network:
    """A network that reuses a tensor after the stream went on, and draws its head last, with awkward names."""
    net = Builder("twisted")
    x = net.conv(net.input((8, 8, 3)), 4, 3, name="x")
    one = net.conv(x, 2, 3, name="layers")
    two = net.conv(net.concat([x, one], name="join-1"), 3, 1, name="lambda")
    three = net.concat([x, two], name="join-2")
    four = net.concat([net.max_pool(three, 1, name="1"), net.average_pool(three, 1, stride=1, name="2")], name="join-3")
    main = net.dense(net.flatten(four), 3, name="main")
    late = net.dense(net.flatten(three, name="outputs"), 2, name="late")
    return net.build(main, late)


NETWORKS = {title(case): architectures.build(*case) for case in CASES} | {"twisted": twisted()}
every_network = pytest.mark.parametrize("name", [name for name in NETWORKS if name not in ALIKE])
every_case = pytest.mark.parametrize("case", CASES, ids=title)


def with_weights(network: Network, path: Path) -> dict[str, Any]:
    """cnnlab's own model: its weights and some images written to the file, its answers and its layers' settings."""
    from cnnlab.keras.model import keras_model

    rng = np.random.default_rng(0)
    model = keras_model(network)
    given = {"images": rng.normal(size=(3, *network.input_shape)).astype(np.float32)}
    for layer in model.layers:
        weights = [rng.uniform(0.5, 1.5, w.shape) if w.ndim == 1 else w for w in layer.get_weights()]
        layer.set_weights(weights)
        given |= {f"{layer.name}/{number}": weight for number, weight in enumerate(weights)}
    np.savez(path, **given)
    results = {name: np.asarray(result) for name, result in model(given["images"], training=False).items()}
    configs = {layer.name: json.loads(json.dumps(layer.get_config(), default=str)) for layer in model.layers}
    return {"results": results, "configs": configs}


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every script that Keras is to run."""
    folder = tmp_path_factory.mktemp("scripts")
    for case in CASES:
        if title(case) not in ALIKE:
            (folder / f"{title(case)}.py").write_text(script(case), encoding="utf-8")
    (folder / "twisted.py").write_text(keras_script(NETWORKS["twisted"]), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def ours(scripts: Path) -> dict[str, dict[str, Any]]:
    return {title(case): with_weights(NETWORKS[title(case)], scripts / f"{title(case)}.npz") for case in FORWARD}


@pytest.fixture(scope="module")
def built(scripts: Path, ours: object) -> dict[str, dict[str, Any]]:
    """What every script builds, in one Python that cannot import cnnlab."""
    runner = [sys.executable, "-I", "-c", RUNNER, str(scripts), "minivggnet"]
    done = subprocess.run(runner, cwd=scripts, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stderr
    return {path.stem: json.loads(path.read_text()) for path in scripts.glob("*.json")}


@pytest.mark.slow
@every_network
def test_a_script_gives_the_same_table_layer_by_layer(name: str, built: dict[str, dict[str, Any]]) -> None:
    facts = ("type", "output_shape", "parameters", "trainable")
    rows = {row["name"]: {fact: row[fact] for fact in facts} for row in analysis.rows(NETWORKS[name])}  # type: ignore[literal-required]
    assert {layer: {fact: of[fact] for fact in facts} for layer, of in built[name]["layers"].items()} == rows


@pytest.mark.slow
@every_network
def test_a_script_connects_the_layers_as_the_network_does(name: str, built: dict[str, dict[str, Any]]) -> None:
    network, model = NETWORKS[name], built[name]
    inputs = {node.name: list(node.inputs) for node in network.layers if node.inputs}
    assert {layer: model["layers"][layer]["inputs"] for layer in inputs} == inputs
    assert model["outputs"] == {output: output for output in network.outputs}
    assert model["single"] == (len(network.outputs) == 1)
    assert model["name"] == network.name


@pytest.mark.slow
@pytest.mark.parametrize("name", map(title, FORWARD))
def test_with_the_same_weights_a_script_answers_as_cnnlab_does(
    name: str, built: dict[str, dict[str, Any]], ours: dict[str, dict[str, Any]]
) -> None:
    expected = ours[name]["results"]
    assert set(built[name]["results"]) == set(expected)
    for output, result in expected.items():
        assert np.ptp(result) > 0.01, "an answer that says nothing compares with everything"
        np.testing.assert_allclose(built[name]["results"][output], result, rtol=1e-4, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("name", map(title, FORWARD))
def test_a_script_gives_every_setting_the_value_it_has_in_cnnlab(
    name: str, built: dict[str, dict[str, Any]], ours: dict[str, dict[str, Any]]
) -> None:
    assert {layer: of["config"] for layer, of in built[name]["layers"].items()} == ours[name]["configs"]


@pytest.mark.slow
def test_the_comment_on_heads_trains_them_with_their_weights(built: dict[str, dict[str, Any]]) -> None:
    history = {key: values[0] for key, values in built[title(HEADS)]["history"].items()}
    weighed = history["predictions_loss"] + 0.3 * (
        history["head_4a_predictions_loss"] + history["head_4d_predictions_loss"]
    )
    assert history["loss"] == pytest.approx(weighed, rel=1e-4)


@pytest.mark.slow
def test_run_by_itself_a_script_prints_its_summary(built: dict[str, dict[str, Any]]) -> None:
    printed = built["minivggnet"]["printed"]
    assert re.search(r"Total params:\s+2,171,178", printed)
    assert re.search(r"Trainable params:\s+2,169,770", printed)


@pytest.mark.parametrize("check", [("format", "--check"), ("check",)], ids=" ".join)
def test_scripts_are_as_tidy_as_the_project(check: tuple[str, ...], scripts: Path) -> None:
    command = [sys.executable, "-m", "ruff", *check, "--no-cache", "--config", str(PROJECT / "pyproject.toml")]
    done = subprocess.run([*command, str(scripts)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@every_case
def test_a_script_imports_keras_and_tensorflow_only_where_keras_lacks_a_layer(case: tuple[str, Options]) -> None:
    imported = set()
    for statement in ast.walk(ast.parse(script(case))):
        match statement:
            case ast.Import(names):
                imported |= {alias.name for alias in names}
            case ast.ImportFrom(module):
                imported.add(module)
    lacks = any(isinstance(node.layer, LocalResponseNormalization) for node in NETWORKS[title(case)].layers)
    assert imported == ({"keras", "tensorflow", "typing"} if lacks else {"keras"})


@every_case
def test_a_script_introduces_every_module_by_its_output_shape(case: tuple[str, Options]) -> None:
    network = NETWORKS[title(case)]
    found = re.findall(r'^    # (\S+): ([\dx]+)$|name="(\S+)"\)  # ([\dx]+)$', script(case), re.MULTILINE)
    last = {node.module: node.output_shape for node in network.layers if node.inputs}
    told = [(one or other, shape or beside) for one, shape, other, beside in found]
    assert told == [(module, "x".join(map(str, shape))) for module, shape in last.items()]


@pytest.mark.parametrize(
    ("case", "names"),
    [
        (("vgg16", {}), {"inputs", "x"}),
        (("minivggnet", {}), {"inputs", "x"}),
        (("minigooglenet", {}), {"inputs", "x", "b1x1", "b3x3", "pool"}),
        (("googlenet", {}), {"inputs", "x", "b1x1", "b3x3", "b5x5", "pool"}),
        (
            ("deepergooglenet", {"auxiliary_heads": True}),
            {"inputs", "x", "b1x1", "b3x3", "b5x5", "pool", "head_4a", "outputs"},
        ),
    ],
    ids=lambda given: str(sorted(given) if isinstance(given, set) else given),
)
def test_a_chain_is_x_and_only_branches_and_heads_have_names(case: tuple[str, Options], names: set[str]) -> None:
    stored = [node for node in ast.walk(ast.parse(script(case))) if isinstance(node, ast.Name)]
    assert {node.id for node in stored if isinstance(node.ctx, ast.Store)} == names


@every_case
def test_a_script_says_what_it_builds_and_which_command_gives_it(case: tuple[str, Options]) -> None:
    text = script(case)
    network, docstring = NETWORKS[title(case)], ast.get_docstring(ast.parse(text)) or ""
    assert docstring.startswith(architectures.ARCHITECTURES[network.name].title)
    for total in (network.classes, network.parameters, network.trainable, network.multiply_adds):
        assert f"{total:,}" in docstring
    words = shlex.split(docstring[docstring.index("python -m") :].replace("\\\n", ""))
    assert words[:5] == ["python", "-m", "cnnlab", "code", network.name]
    given = dict(word.split("=") for word in words[6:])
    assert words[5:6] == (["--set"] if given else [])
    assert script((network.name, given)) == text


def test_options_at_their_defaults_are_left_out_of_the_command() -> None:
    defaults = architectures.architecture("googlenet").defaults
    assert script(("googlenet", defaults)) == script(("googlenet", {}))


def test_a_network_that_no_command_draws_names_none() -> None:
    small = architectures.build("minivggnet", {"classes": 3})
    assert "python -m" in keras_script(small, {"classes": 3})
    assert "python -m" not in keras_script(small)
    assert "python -m" not in keras_script(NETWORKS["twisted"])


@every_case
def test_a_script_is_plain_ascii(case: tuple[str, Options]) -> None:
    assert script(case).isascii()


@pytest.mark.parametrize("seed", ["1", "2"])
def test_a_script_is_the_same_text_every_time(seed: str) -> None:
    text = (
        "from cnnlab import architectures; from cnnlab.keras import script as codegen;"
        "options = {'auxiliary_heads': True};"
        "print(codegen.keras_script(architectures.build('googlenet', options), options), end='')"
    )
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    printed = subprocess.run(
        [sys.executable, "-c", text], cwd=PROJECT, env=environment, capture_output=True, check=True
    )
    assert printed.stdout.decode() == script(("googlenet", {"auxiliary_heads": True}))


def test_printing_a_script_loads_no_tensorflow() -> None:
    text = (
        "import sys; from cnnlab import architectures; from cnnlab.keras import script as codegen;"
        "codegen.keras_script(architectures.build('vgg_a_lrn'));"
        "print('tensorflow' in sys.modules or 'keras' in sys.modules)"
    )
    printed = subprocess.run([sys.executable, "-c", text], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert printed.stdout.strip() == "False"
