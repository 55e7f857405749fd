"""A network that no architecture draws: it is planned, recorded, changed and named like any other, or refused."""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from cnnlab import architectures, datasets, runs
from cnnlab.architectures import ARCHITECTURES
from cnnlab.errors import UserError
from cnnlab.experiments import design as designs
from cnnlab.experiments.experiment import Experiment, plan, replan
from cnnlab.experiments.recipe import make_recipe
from cnnlab.keras.script import keras_script
from cnnlab.network import Network
from cnnlab.network.dense import fully_convolutional
from cnnlab.network.file import MOST_BYTES
from cnnlab.network.landscape import landscape
from cnnlab.network.modules import module_rows
from cnnlab.runs import actions
from cnnlab.runs.config import RUN_FORMAT
from cnnlab.runs.run import Run
from tests.conftest import Output, assert_one_line, assert_refused, last_line
from tests.designs import added, design, written

Call = Callable[..., Output]
Edit = Callable[[dict[str, Any]], object]
EARLIER = Path(__file__).parents[1] / "runs_of_earlier_versions"


def planned(data: dict[str, Any] | None = None, **recipe: object) -> Experiment:
    return plan(Network.from_data(data or design()), "digits", {}, make_recipe(**recipe))


def test_a_design_is_planned_and_kept_as_it_is(runs_dir: Path) -> None:
    run = Run(runs.create(planned(epochs=3), runs_dir).folder)
    assert run.network == Network.from_data(design()) == run.config.experiment.network
    assert run.config.format == RUN_FORMAT
    assert Experiment.model_validate_json(run.config.experiment.model_dump_json()) == run.config.experiment
    assert run.id.startswith("design-mini-residual-digits-")
    assert runs.summary(run)["network"] == "mini-residual"


def test_a_design_with_auxiliary_outputs_is_planned() -> None:
    network = architectures.build("googlenet", {"input_size": 96, "classes": 10, "auxiliary_heads": True})
    assert planned(network.to_data()).network == network


def test_what_an_architecture_draws_of_itself_is_recorded_as_its_own() -> None:
    drawn = plan("minivggnet", "digits", {}, make_recipe())
    assert plan(drawn.network, "digits", {}, make_recipe()) == drawn


@pytest.mark.parametrize(
    "name", [*ARCHITECTURES, *(one.title for one in ARCHITECTURES.values() if " " not in one.title)]
)
def test_a_design_never_passes_for_an_architecture(runs_dir: Path, name: str) -> None:
    experiment = planned(design(name))
    assert experiment.architecture not in ARCHITECTURES
    assert experiment.title not in {one.title for one in ARCHITECTURES.values()} | set(ARCHITECTURES)
    run = runs.create(experiment, runs_dir)
    assert not any(run.id.startswith(f"{known}-") for known in ARCHITECTURES)
    script = keras_script(experiment.network, experiment.options)
    assert not any(one.paper.title in script for one in ARCHITECTURES.values())
    assert "python -m cnnlab" not in script


def test_no_architecture_bears_a_name_that_a_design_could_have() -> None:
    assert not [name for name in ARCHITECTURES if name.startswith(designs.PREFIX) or "-" in name]


def test_two_designs_of_one_name_differ_in_their_settings() -> None:
    wider = design()
    wider["layers"][1]["settings"]["filters"] = 48
    wider["layers"][4]["settings"]["filters"] = 48
    assert planned().settings()["design"] != planned(wider).settings()["design"]
    assert planned().settings() == planned().settings()


def taken_out(name: str) -> Edit:
    return lambda data: data["layers"].remove(next(one for one in data["layers"] if one["name"] == name))


def changed(place: int, **changes: object) -> Edit:
    return lambda data: data["layers"][place].update(changes)


def setting(place: int, **changes: object) -> Edit:
    return lambda data: data["layers"][place]["settings"].update(changes)


def inserted(*layers: dict[str, Any]) -> Edit:
    return lambda data: data["layers"].extend(layers)


WRONG: list[tuple[str, Edit, list[str]]] = [
    ("grey input", setting(0, shape=[8, 8, 1]), ["8×8×1", "N×N×3"]),
    ("not square", setting(0, shape=[8, 16, 3]), ["8×16×3", "square"]),
    ("too large an input", setting(0, shape=[2048, 2048, 3]), ["2048", "1,024"]),
    ("a vector as input", setting(0, shape=[8]), ["block1_conv1", "feature maps"]),
    ("other classes", setting(-2, units=7), ["10 classes", "predictions", "7"]),
    ("no softmax", setting(-1, activation="relu"), ["predictions", "softmax"]),
    ("an output of maps", lambda data: data.update(outputs=["block1_pool"]), ["10 classes", "block1_pool", "4×4×32"]),
    ("an auxiliary output of maps", lambda data: data["outputs"].append("block1_bn1"), ["10 classes", "block1_bn1"]),
    ("an output twice", lambda data: data["outputs"].append("predictions"), ["twice"]),
    ("an unknown output", lambda data: data.update(outputs=["nowhere"]), ["nowhere"]),
    ("no output", lambda data: data.update(outputs=[]), ["no output"]),
    ("a name with a space", lambda data: data.update(name="my net"), ["'my net'", "letters"]),
    ("a name of signs", lambda data: data.update(name="../../x"), ["'../../x'", "letters"]),
    ("no name", lambda data: data.update(name=""), ["name"]),
    ("a long name", lambda data: data.update(name="x" * 81), ["80"]),
    ("a layer's name with a slash", changed(-1, name="a/b"), ["predictions"]),
    ("an unknown kind", changed(3, type="Lambda"), ["block1_bn1", "'Lambda'", "Conv2D"]),
    ("an unknown setting", setting(1, groups=2), ["block1_conv1", "groups"]),
    ("a negative setting", setting(1, filters=-1), ["block1_conv1", "filters"]),
    ("an endless setting", setting(3, momentum=1.5), ["block1_bn1", "momentum"]),
    ("two inputs", inserted({"name": "second", "type": "InputLayer", "settings": {"shape": [8, 8, 3]}, "inputs": []}),
     ["'second'", "no output"]),
    ("an input that reads", changed(4, type="InputLayer", settings={"shape": [8, 8, 3]}), ["block1_conv2", "no input"]),
    ("two layers into one", changed(3, inputs=["block1_act1", "block1_conv1"]), ["block1_bn1", "one input"]),
    ("an idle layer", inserted(added("Flatten", "idle", ["block1_pool"])), ["'idle'", "no output"]),
    ("a layer gone", taken_out("block1_act1"), ["'block1_bn1'", "'block1_act1'"]),
    ("a sum of two shapes", changed(9, inputs=["block1_bn2", "input"]), ["block1_sum", "one shape"]),
    ("too many layers", lambda data: stretched(data, 2_001), ["2,0", "2,000"]),
    ("too many parameters", lambda data: [setting(n, filters=20_000)(data) for n in (1, 4)], ["1,000,000,000"]),
    ("too large maps", lambda data: setting(0, shape=[512, 512, 3])(data) or stretched(data, 130), ["values"]),
    ("an endless map", setting(7, top=999_999, left=999_999, bottom=999_999), ["block1_zeros", "values"]),
]  # fmt: skip


def stretched(data: dict[str, Any], number: int) -> None:
    """So many activations more, one after the other."""
    names = ["block1_act1", *(f"more{place}" for place in range(number))]
    data["layers"][3]["inputs"] = names[-1:]
    data["layers"][3:3] = [added("Activation", name, [before], activation="relu") for before, name in pairwise(names)]


@pytest.mark.parametrize(("edit", "parts"), [pytest.param(edit, parts, id=title) for title, edit, parts in WRONG])
def test_what_cannot_be_trained_is_refused_in_one_sentence(
    call: Call, tmp_path: Path, runs_dir: Path, edit: Edit, parts: list[str]
) -> None:
    data = design()
    edit(data)
    path = written(tmp_path / "net.json", data)
    told = call("train", "--network", str(path), "--dataset", "digits", "--runs-dir", str(runs_dir))
    assert_refused(told, *parts)
    assert runs.listing(runs_dir) == []


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        pytest.param(None, ["No such file"], id="missing"),
        pytest.param(b"", ["not JSON"], id="empty"),
        pytest.param(b"\x89PNG\r\n\x1a\n\xff", ["not JSON"], id="an image"),
        pytest.param(b'{"name": NaN}', ["not JSON", "NaN"], id="no number"),
        pytest.param(b"[1, 2]", ["not a cnnlab network"], id="a list"),
        pytest.param(b'{"config": {"layers": []}}', ["not a cnnlab network", "name"], id="a Keras model"),
        pytest.param(b"[" * 100_000, ["not JSON"], id="too deep"),
        pytest.param(b" " * (MOST_BYTES + 1), [f"{MOST_BYTES:,}"], id="huge"),
    ],
)
@pytest.mark.parametrize("command", [["table"], ["code"], ["network"], ["compare"], ["train", "--dataset", "digits"]])
def test_a_file_without_a_network_is_refused_in_one_line(
    call: Call, tmp_path: Path, content: bytes | None, parts: list[str], command: list[str]
) -> None:
    path = tmp_path / "net.json"
    if content is not None:
        path.write_bytes(content)
    assert_refused(call(*command, "--network", str(path)), "net.json", *parts)


def test_a_folder_is_no_network(call: Call, tmp_path: Path) -> None:
    assert_refused(call("table", "--network", str(tmp_path)), str(tmp_path), "directory")


def test_options_and_architectures_are_not_mixed_with_a_file(call: Call, tmp_path: Path, runs_dir: Path) -> None:
    path = str(written(tmp_path / "net.json", design()))
    train = ["train", "--network", path, "--dataset", "digits", "--runs-dir", str(runs_dir)]
    assert_refused(call(*train, "--architecture", "vgg16"), "--network", "--architecture")
    assert_refused(call(*train, "--set", "width=0.5"), "--network", "--set")
    assert_refused(call("table", "--network", path, "--set", "width=0.5"), "width", path)
    assert_refused(call("table", "minivggnet", "--network", path), "one of the two")
    assert_refused(call("compare", "--network", path, "--set", "width=0.5"), "width", "file")
    assert_refused(call("compare"), "--network")
    assert runs.listing(runs_dir) == []


def test_the_way_out_into_a_file_and_back(call: Call, tmp_path: Path, runs_dir: Path, no_starts: list[str]) -> None:
    """An architecture's network is written, changed and trained; the run gives it out again, as its command says."""
    path = tmp_path / "first.json"
    path.write_text(call("network", "minivggnet", "--set", "input_size=8", "classes=10").out)
    data = json.loads(path.read_text())
    data["name"] = "narrow"
    data["layers"][1]["settings"]["filters"] = 16
    written(path, data)
    where = ("--runs-dir", str(runs_dir))
    told = call("train", "--network", str(path), "--dataset", "digits", "--epochs", "2", "--detach", *where)
    run = runs.find(last_line(told.out), runs_dir)
    assert run.network.to_data() == data
    write, train = run.command().splitlines()
    words, _, target = write.partition(" > ")
    (tmp_path / target).write_text(call(*shlex.split(words)[3:], *where).out)
    again = shlex.split(train)[3:]
    again[again.index(target)] = str(tmp_path / target)
    told = call(*again, "--detach", *where)
    assert runs.find(last_line(told.out), runs_dir).config.experiment == run.config.experiment
    assert "narrow" in call("show", run.id, *where).out


def test_tables_code_and_comparisons_take_files_and_runs(call: Call, tmp_path: Path, runs_dir: Path) -> None:
    path = str(written(tmp_path / "net.json", design()))
    run = runs.create(planned(), runs_dir)
    where = ("--runs-dir", str(runs_dir))
    tables = [call("table", *source, "--json", *where).json() for source in (["--network", path], [run.id])]
    assert tables[0] == tables[1]
    assert {"block1_depthwise", "block1_sum"} <= {row["name"] for row in tables[0]["rows"]}
    scripts = [call("code", *source, *where).out for source in (["--network", path], [f"run:{run.id}"])]
    assert scripts[0] == scripts[1]
    assert "layers.DepthwiseConv2D(3" in scripts[0]
    lines = call("compare", f"run:{run.id}", "minivggnet", "--network", path, "--json", *where).json()
    assert [line["label"] for line in lines] == [run.id, "MiniVGGNet", path]
    assert lines[0]["parameters"] == lines[2]["parameters"] == run.network.parameters
    assert_refused(call("table", run.id, "--set", "width=2", *where), run.id, "width")
    assert_refused(call("compare", "run:nowhere", *where), "'nowhere'")


def test_a_run_of_an_architecture_gives_the_script_of_its_options(call: Call, runs_dir: Path) -> None:
    run = runs.create(plan("minivggnet", "digits", {"width": 0.5}, make_recipe()), runs_dir)
    script = call("code", run.id, "--runs-dir", str(runs_dir)).out
    assert "MiniVGGNet for 32x32x3 images" in script
    assert "width=0.5" in script


def test_what_is_of_the_recipe_changes_and_what_is_of_the_network_does_not(
    runs_dir: Path, no_starts: list[str]
) -> None:
    run = runs.create(planned(epochs=2), runs_dir)
    made = actions.duplicate(run, {"seed": "7"})
    assert made.config.experiment == planned(epochs=2, seed=7)
    with pytest.raises(UserError) as refused:
        actions.duplicate(run, {"width": "0.5"})
    assert_one_line(str(refused.value), "mini-residual", "width", "--network")
    with pytest.raises(UserError) as refused:
        replan(run.config.experiment, {"dataset": "cifar100"})
    assert_one_line(str(refused.value), "100 classes", "10")
    moved = replan(run.config.experiment, {"architecture": "minigooglenet"})
    assert (moved.architecture, moved.design) == ("minigooglenet", None)


def test_a_preset_trains_a_design(call: Call, tmp_path: Path, runs_dir: Path, no_starts: list[str]) -> None:
    path = str(written(tmp_path / "net.json", design()))
    words = ("--preset", "minivggnet", "--network", path, "--dataset", "digits", "--batch-size", "32", "--detach")
    run = runs.find(last_line(call("train", *words, "--runs-dir", str(runs_dir)).out), runs_dir)
    assert run.network == Network.from_data(design())
    assert run.config.preset is None
    assert run.config.experiment.recipe.batch_size == 32
    values = ("--values", "learning_rate=0.1,0.01")
    told = call("sweep", "--network", path, "--dataset", "digits", *values, "--runs-dir", str(runs_dir))
    assert [runs.find(name, runs_dir).network.name for name in told.out.split()] == ["mini-residual"] * 2


def test_a_design_is_best_of_nothing_but_itself(runs_dir: Path) -> None:
    run = runs.create(planned(design("minivggnet")), runs_dir)
    record = {"epoch": 1, "step": 1, "loss": 1, "accuracy": 1, "validation_loss": 1, "validation_accuracy": 1.0}
    (run.folder / "history.jsonl").write_text(json.dumps(record) + "\n")
    assert list(runs.best_runs(runs_dir)) == ["design-minivggnet"]


def test_a_module_that_another_interrupts_is_one_module() -> None:
    data = design()
    data["layers"][7]["module"] = ""  # the border of zeros is a module of its own, in the middle of block1
    network = Network.from_data(data)
    rows = {row["name"]: row for row in module_rows(network)}
    assert list(rows) == ["input", "block1", "block1_zeros", "block2", "classifier"]
    assert sum(row["parameters"] for row in rows.values()) == network.parameters
    assert "2 × 3×3 conv, 32, 3×3 depthwise conv, sum" in rows["block1"]["contents"]
    boxes = [box for box in landscape(network).boxes if box.name == "block1"]
    assert len(boxes) == 1
    assert sum(node.parameters for node in boxes[0].nodes) == rows["block1"]["parameters"] == 10_688


def test_dense_evaluation_has_the_weights_of_layers_without_bias() -> None:
    data = design()
    for layer in data["layers"]:
        if layer["type"] == "Dense":
            layer["settings"]["use_bias"] = False
    network = Network.from_data(data)
    assert fully_convolutional(network, 16, 16).parameters == network.parameters


# What earlier versions wrote


@pytest.mark.parametrize("version", sorted(path.name for path in EARLIER.iterdir()))
def test_a_run_that_an_earlier_version_wrote_is_read(tmp_path: Path, no_starts: list[str], version: str) -> None:
    written_then = json.loads((EARLIER / version / "config.json").read_text())
    folder = tmp_path / written_then["id"]
    shutil.copytree(EARLIER / version, folder)
    run = runs.find(written_then["id"], tmp_path)
    experiment = run.config.experiment
    assert experiment.design is None
    assert experiment.options == written_then["experiment"]["switches"]
    assert experiment.network == run.network
    assert runs.summary(run)["network"] == "MiniVGGNet"
    assert runs.listing(tmp_path) == [run]
    made = actions.duplicate(run, {"seed": "3"})
    assert made.network == run.network
    assert made.config.format == RUN_FORMAT


def test_an_extended_run_bears_the_format_that_it_is_written_in(tmp_path: Path, no_starts: list[str]) -> None:
    shutil.copytree(EARLIER / "format-1", tmp_path / "old")
    run = Run(tmp_path / "old")
    point = run.folder / "checkpoints" / "step-00000001"
    point.mkdir(parents=True)
    (point / "checkpoint.json").write_text('{"step": 1, "epoch": 1}')
    (point / "model.weights.h5").write_bytes(b"weights")
    run.write_status(run.status().model_copy(update={"state": "stopped"}))
    actions.extend(run, 1)
    assert json.loads((run.folder / "config.json").read_text())["format"] == RUN_FORMAT


def test_every_data_set_takes_a_design_of_its_classes() -> None:
    for source in datasets.SOURCES.values():
        experiment = plan(Network.from_data(design(classes=source.classes)), source.name, {}, make_recipe())
        assert experiment.network.classes == source.classes
