"""`python -m cnnlab`, as a person types it and as a script reads it."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, get_args

import pytest
from PIL import Image

from cnnlab import __version__, datasets, runs
from cnnlab.cli import parser
from cnnlab.datasets.corruption import PixelsName
from cnnlab.experiments.optimizers import OPTIMIZERS
from cnnlab.experiments.recipe import DecayedName
from cnnlab.experiments.schedule import SCHEDULES
from cnnlab.runs.run import Run
from cnnlab.runs.status import Status
from tests.conftest import (
    NOWHERE,
    PROJECT,
    TRAINED_EPOCHS,
    assert_one_line,
    assert_refused,
    cnnlab,
    digits_experiment,
    last_line,
    lines_of,
    wait_for_end,
    wait_until,
    without_network,
)

HEAVY = ("tensorflow", "keras", "sklearn", "streamlit")
LIGHT = (
    "import cnnlab",
    "import cnnlab.architectures, cnnlab.network.analysis",
    "import cnnlab.runs, cnnlab.datasets",
    "from cnnlab.architectures import build; from cnnlab.network import analysis; analysis.table_csv(build('nin'))",
    "from cnnlab import cli; cli.parser()",
    "from cnnlab import runs; runs.listing(runs.runs_folder())",
    "from cnnlab import cli; cli.main(['table', 'vgg16', '--json'])",
    "from cnnlab import cli; cli.main(['diagram', 'googlenet'])",
    "from cnnlab import cli; cli.main(['runs'])",
)


@pytest.fixture
def digit_files(tmp_path: Path) -> list[str]:
    """Three test digits as PNG files: the data set's first 0, 1 and 2."""
    images, labels = datasets.load("digits").test_split().batch(slice(None))
    names = []
    for digit in range(3):
        path = tmp_path / f"digit-{digit}.png"
        Image.fromarray(images[labels.tolist().index(digit)]).save(path)
        names.append(str(path))
    return names


# Lightness


@pytest.mark.parametrize("code", LIGHT)
def test_what_trains_and_predicts_nothing_loads_no_tensorflow(code: str, tmp_path: Path) -> None:
    report = f"import sys; print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr)"
    env = {**os.environ, "CNNLAB_RUNS": str(tmp_path)}
    command = [sys.executable, "-c", f"{code}\n{report}"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=PROJECT, env=env, check=True)
    assert last_line(done.stderr) == "[]"


def test_the_package_knows_its_version() -> None:
    assert f'version = "{__version__}"' in (PROJECT / "pyproject.toml").read_text()


def test_the_help_says_what_every_argument_is_and_what_a_setting_may_be() -> None:
    (commands,) = (one.choices for one in parser()._actions if one.dest == "command")
    assert commands is not None
    for name, command in commands.items():
        for one in command._actions:
            assert one.help, f"{name} {one.dest}"
            assert (one.help or "").count("(") == (one.help or "").count(")"), f"{name} {one.dest} is cut off"
        assert "None" not in command.format_help(), name
    text = " ".join(commands["train"].format_help().split())
    for choices in (get_args(PixelsName), get_args(DecayedName), OPTIMIZERS, SCHEDULES):
        assert f"One of {', '.join(choices)}." in text


# architectures and table


def test_the_architectures_are_listed(call: Any) -> None:
    output = call("architectures")
    assert output.code == 0
    for name, total in [("minivggnet", "2,171,178"), ("minigooglenet", "1,656,250"), ("vgg16", "138,357,544")]:
        assert any(line.startswith(name) and total in line for line in lines_of(output.out))
    names = [item["architecture"] for item in call("architectures", "--json").json()]
    assert {"minivggnet", "minigooglenet", "vgg16"} <= set(names)


def test_the_tables_json_has_the_promised_shape(call: Any) -> None:
    output = call("table", "minivggnet", "--json")
    table = output.json()
    assert output.code == 0
    assert set(table) == {"architecture", "rows", "totals"}
    assert table["architecture"] == "minivggnet"
    for row in table["rows"]:
        assert {"name", "type", "output_shape", "parameters", "multiply_adds"} <= set(row)
        assert all(type(size) is int for size in row["output_shape"])
    assert {"parameters", "trainable", "non_trainable", "multiply_adds"} <= set(table["totals"])


def test_the_tables_json_holds_the_lectures_figures(call: Any) -> None:
    table = call("table", "minivggnet", "--json").json()
    assert [row["parameters"] for row in table["rows"]][1:5] == [896, 0, 128, 9_248]
    assert table["rows"][1]["type"] == "Conv2D"
    assert table["rows"][1]["output_shape"] == [32, 32, 32]
    totals = table["totals"]
    assert (totals["parameters"], totals["trainable"], totals["non_trainable"]) == (2_171_178, 2_169_770, 1_408)
    vgg16 = call("table", "vgg16", "--json").json()
    assert (vgg16["totals"]["parameters"], vgg16["totals"]["multiply_adds"]) == (138_357_544, 15_470_264_320)


def test_the_table_is_printed_for_people(call: Any) -> None:
    output = call("table", "minivggnet")
    assert output.code == 0
    assert any("block1_conv1" in line and "32×32×32" in line and "896" in line for line in lines_of(output.out))
    assert "2,171,178" in output.out
    assert "2,169,770" in output.out
    assert "1,408" in output.out
    assert "…" not in output.out


def test_the_table_is_printed_as_csv(call: Any) -> None:
    rows = list(csv.DictReader(io.StringIO(call("table", "vgg16", "--csv").out)))
    assert sum(int(row["parameters"]) for row in rows) == 138_357_544
    assert rows[1]["name"] == "block1_conv1"


@pytest.mark.parametrize(
    "arguments",
    [
        ["--set", "batch_normalization=false", "input_size=32"],
        ["--set", "batch_normalization=false", "--set", "input_size=32"],
        ["--set", "batch_normalization=False", "--json"],
    ],
)
def test_options_are_set_from_the_command_line(call: Any, arguments: list[str]) -> None:
    output = call("table", "minigooglenet", *arguments)
    assert output.code == 0
    assert "1,649,402" in output.out or output.json()["totals"]["parameters"] == 1_649_402


# A person's mistakes


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        ([], ["COMMAND"]),
        (["dance"], ["dance"]),
        (["table"], ["NAME"]),
        (["table", "resnet"], ["'resnet'", "minivggnet"]),
        (["table", "vgg16", "--json", "--csv"], ["--csv"]),
        (["table", "vgg16", "--set", "depth=3"], ["'depth'", "input_size"]),
        (["table", "vgg16", "--set", "classes"], ["KEY=VALUE", "'classes'"]),
        (["table", "vgg16", "--set", "classes=many"], ["classes", "'many'"]),
        (["table", "vgg16", "--set", "input_size=31"], ["block5_pool"]),
        (["train"], ["--architecture"]),
        (["train", "--architecture", "minivggnet"], ["--dataset"]),
        (["train", "--architecture", "x", "--dataset", "digits"], ["'x'", "minivggnet"]),
        (["train", "--architecture", "minivggnet", "--dataset", "x"], ["'x'", "digits", "cifar10"]),
        (["evaluate"], ["RUN"]),
        (["evaluate", "unknown"], ["'unknown'"]),
        (["evaluate", "../../etc"], ["'../../etc'"]),
        (["evaluate", "unknown", "--split", "dev"], ["dev", "validation"]),
        (["predict", "unknown"], ["IMAGE"]),
        (["predict", "unknown", "a.png"], ["'unknown'"]),
        (["predict", "unknown", "a.png", "--top", "0"], ["--top", "0"]),
        (["predict", "unknown", "a.png", "--top", "x"], ["--top", "x"]),
        (["stop", "unknown"], ["'unknown'"]),
    ],
)
def test_a_mistake_ends_with_code_2_and_one_line(
    call: Any, runs_dir: Path, arguments: list[str], parts: list[str]
) -> None:
    where = ["--runs-dir", str(runs_dir)] if arguments and arguments[0] != "dance" else []
    output = call(*arguments, *where)
    assert_refused(output, *parts)
    assert output.out == ""
    assert runs.listing(runs_dir) == []


@pytest.mark.parametrize(
    ("setting", "value", "parts"),
    [
        ("--epochs", "0", ["epochs", "1"]),
        ("--epochs", "two", ["epochs", "two"]),
        ("--batch-size", "100000", ["batch size"]),
        ("--batch-size", "2000", ["2,000", "1,293"]),
        ("--learning-rate", "0", ["learning rate", "greater than 0"]),
        ("--learning-rate", "-1", ["learning rate", "greater than 0"]),
        ("--learning-rate", "1e9", ["learning rate", "100"]),
        ("--learning-rate", "nan", ["learning rate", "nan"]),
        ("--seed", "-1", ["seed"]),
        ("--set", "classes=7", ["10 classes", "7"]),
        ("--set", "dropout=2", ["dropout", "0.95"]),
    ],
)
def test_a_training_that_cannot_be_is_not_begun(
    call: Any, runs_dir: Path, setting: str, value: str, parts: list[str]
) -> None:
    arguments = ["--architecture", "minivggnet", "--dataset", "digits", "--epochs", "1", f"{setting}={value}"]
    assert_refused(call("train", *arguments, "--runs-dir", str(runs_dir)), *parts)
    assert runs.listing(runs_dir) == []


def test_a_mistake_ends_a_process_with_code_2_and_one_line(runs_dir: Path) -> None:
    for arguments in (["table", "resnet"], ["predict"], ["evaluate", "unknown", "--runs-dir", str(runs_dir)]):
        done = cnnlab(*arguments)
        assert done.returncode == 2
        assert done.stdout == ""
        assert_one_line(done.stderr.strip())


# train


def test_train_shows_its_progress_and_ends_with_the_runs_id(
    training_call: subprocess.CompletedProcess[str], trained_run: Run
) -> None:
    assert training_call.returncode == 0
    assert last_line(training_call.stdout) == trained_run.id
    assert "100%" in training_call.stderr
    assert "Traceback" not in training_call.stderr


@pytest.mark.slow
def test_a_detached_training_prints_its_id_and_can_be_stopped(call: Any, runs_dir: Path) -> None:
    where = ["--runs-dir", str(runs_dir)]
    arguments = ["--architecture", "minivggnet", "--dataset", "digits", "--epochs", "9999", "--set", "input_size=8"]
    done = cnnlab("train", *arguments, "--batch-size", "16", "--detach", *where)
    assert done.returncode == 0
    run = runs.find(last_line(done.stdout), runs_dir)
    assert run.config.experiment.recipe.epochs == 9999
    wait_until(run, lambda: run.status().state == "running", "begun")
    assert call("runs", "--json", *where).json()[0]["state"] == "running"
    assert call("stop", run.id, *where).code == 0
    assert wait_for_end(run).state == "stopped"
    assert_refused(call("stop", run.id, *where), run.id, "stopped")


@pytest.mark.slow
def test_ctrl_c_in_the_foreground_stops_the_training_with_a_checkpoint(runs_dir: Path) -> None:
    command = [sys.executable, "-m", "cnnlab", "train", "--architecture", "minivggnet", "--dataset", "digits"]
    command += ["--epochs", "9999", "--set", "input_size=8", "--batch-size", "16", "--runs-dir", str(runs_dir)]
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs inherit it ignored
    train = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    signal.signal(signal.SIGINT, before)
    deadline = time.monotonic() + 60
    while not runs.listing(runs_dir):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    (run,) = runs.listing(runs_dir)
    wait_until(run, lambda: run.status().step > 0, "taken a step")
    train.send_signal(signal.SIGINT)
    out, err = train.communicate(timeout=60)
    assert train.returncode == 0
    assert last_line(out) == run.id
    assert "Traceback" not in err
    assert run.status().state == "stopped"
    assert run.checkpoint("last").info.step == run.status().step


def test_a_training_that_fails_ends_with_code_2_and_its_sentence(runs_dir: Path, tmp_path: Path) -> None:
    arguments = ["--architecture", "minivggnet", "--dataset", "cifar10", "--epochs", "1"]
    done = cnnlab("train", *arguments, "--runs-dir", str(runs_dir), env=without_network(tmp_path / "data"))
    assert done.returncode == 2
    (run,) = runs.listing(runs_dir)
    assert last_line(done.stdout) == run.id
    assert run.status().state == "failed"
    (said,) = [line for line in lines_of(done.stderr) if line.startswith("cnnlab: ")]
    assert "train/<class>/*" in said
    assert "Traceback" not in done.stderr
    assert NOWHERE.startswith("http://127.0.0.1")


# runs


def test_the_runs_are_listed(call: Any, trained_run: Run, folder: str) -> None:
    output = call("runs", "--runs-dir", folder)
    assert output.code == 0
    (line,) = [line for line in lines_of(output.out) if line.startswith(trained_run.id)]
    assert "completed" in line
    assert f"{TRAINED_EPOCHS}/{TRAINED_EPOCHS}" in line
    assert "%" in line


def test_the_runs_are_listed_as_json(call: Any, trained_run: Run, folder: str) -> None:
    (item,) = call("runs", "--json", "--runs-dir", folder).json()
    best = trained_run.best_epoch()
    assert best is not None
    assert item == {
        "id": trained_run.id,
        "name": "",
        "tags": [],
        "group": None,
        "preset": None,
        "created": trained_run.config.created,
        "state": "completed",
        "message": "",
        "place": "local",
        "architecture": "minivggnet",
        "network": "MiniVGGNet",
        "dataset": "digits",
        "epochs_done": TRAINED_EPOCHS,
        "epochs": TRAINED_EPOCHS,
        "best_validation_accuracy": best["validation_accuracy"],
        "best_epoch": best["epoch"],
        "seconds": pytest.approx(item["seconds"]),
        "usable": True,
        "problems": [],
    }


def test_no_runs_are_an_empty_list(call: Any, tmp_path: Path) -> None:
    output = call("runs", "--json", "--runs-dir", str(tmp_path / "none"))
    assert (output.code, output.json()) == (0, [])
    assert call("runs", "--runs-dir", str(tmp_path / "none")).code == 0


def test_the_runs_folder_may_stand_in_the_environment(call: Any, folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CNNLAB_RUNS", folder)
    assert len(call("runs", "--json").json()) == 1


def test_a_run_that_died_is_listed_as_interrupted(call: Any, runs_dir: Path) -> None:
    run = runs.create(digits_experiment(), runs_dir)
    (run.folder / "status.json").write_text(Status(state="running").model_dump_json())
    assert call("runs", "--json", "--runs-dir", str(runs_dir)).json()[0]["state"] == "interrupted"


# evaluate


def test_evaluate_tells_the_test_accuracy_as_json(trained_run: Run, folder: str) -> None:
    """In a process of its own: nothing but the JSON on stdout, and nothing on stderr."""
    done = cnnlab("evaluate", trained_run.id, "--json", "--runs-dir", folder)
    assert done.returncode == 0
    evaluation = json.loads(done.stdout)
    assert evaluation["accuracy"] > 0.9
    assert evaluation["top5_accuracy"] >= evaluation["accuracy"]
    assert (evaluation["split"], evaluation["images"], evaluation["run"]) == ("test", 360, trained_run.id)
    assert len(evaluation["confusion"]) == 10
    assert done.stderr == ""


def test_evaluate_prints_a_report_for_people(call: Any, trained_run: Run, folder: str) -> None:
    output = call(
        "evaluate", trained_run.id[: len("minivggnet-digits-2")], "--split", "validation", "--runs-dir", folder
    )
    assert output.code == 0
    assert trained_run.id in output.out
    assert "144 images" in output.out
    assert "rank-1" in output.out
    assert "macro avg" in output.out


def test_a_run_without_a_checkpoint_cannot_be_evaluated(call: Any, runs_dir: Path) -> None:
    run = runs.create(digits_experiment(), runs_dir)
    assert_refused(call("evaluate", run.id, "--runs-dir", str(runs_dir)), run.id)


# predict


def test_predict_names_the_most_probable_classes(
    call: Any, trained_run: Run, folder: str, digit_files: list[str]
) -> None:
    output = call("predict", trained_run.id, *digit_files, "--top", "3", "--json", "--runs-dir", folder)
    assert output.code == 0
    answer = output.json()
    assert (answer["run"], answer["rejected"]) == (trained_run.id, {})
    assert [item["image"] for item in answer["predictions"]] == digit_files
    for item in answer["predictions"]:
        probabilities = [guess["probability"] for guess in item["top"]]
        assert len(probabilities) == 3
        assert probabilities == sorted(probabilities, reverse=True)
        assert 0 < sum(probabilities) <= 1 + 1e-5
    assert [item["top"][0]["class"] for item in answer["predictions"]] == ["0", "1", "2"]


def test_predict_prints_a_line_for_each_image(call: Any, trained_run: Run, folder: str, digit_files: list[str]) -> None:
    output = call("predict", trained_run.id, *digit_files, "--runs-dir", folder)
    assert output.code == 0
    assert output.err == ""
    lines = lines_of(output.out)
    assert [line.split(":")[0] for line in lines] == digit_files
    assert all(line.count("%") == 5 for line in lines)


def test_predict_warns_of_a_cat_shown_to_a_network_of_digits(
    call: Any, trained_run: Run, folder: str, digit_files: list[str]
) -> None:
    images = (str(PROJECT / "assets" / "samples" / "cat.jpg"), digit_files[0])
    output = call("predict", trained_run.id, *images, "--runs-dir", folder)
    assert ["unlike the training images" in line for line in lines_of(output.out)] == [True, False]
    found = call("predict", trained_run.id, *images, "--json", "--runs-dir", folder).json()["predictions"]
    assert [one["ood_score"] > 1 for one in found] == [True, False]


def test_a_photograph_is_framed_as_one_says(call: Any, trained_run: Run, folder: str) -> None:
    asked = ("predict", trained_run.id, str(PROJECT / "assets" / "samples" / "cat.jpg"), "--runs-dir", folder)
    ways = ([], ["--fit", "pad"], ["--fit", "squash"], ["--fit", "crops"], ["--place", "0"])
    told = [call(*asked, *way).out for way in ways]
    assert len(set(told)) == len(ways)
    assert call(*asked, "--fit", "crop", "--place", "0.5").out == told[0], "as it was trained"
    assert_refused(call(*asked, "--place", "2"), "--place", "0", "1")


def test_more_classes_than_there_are_are_all_of_them(
    call: Any, trained_run: Run, folder: str, digit_files: list[str]
) -> None:
    output = call("predict", trained_run.id, digit_files[0], "--top", "99", "--json", "--runs-dir", folder)
    assert len(output.json()["predictions"][0]["top"]) == 10


def test_a_bad_image_among_good_ones_is_refused_and_the_others_are_classified(
    trained_run: Run, folder: str, digit_files: list[str], tmp_path: Path
) -> None:
    """In a process of its own: a script sees exit code 2 and a single line on stderr."""
    bad = tmp_path / "notes.png"
    bad.write_text("not an image")
    images = [digit_files[0], str(bad), *digit_files[1:]]
    done = cnnlab("predict", trained_run.id, *images, "--json", "--runs-dir", folder)
    assert done.returncode == 2
    assert_one_line(done.stderr.strip(), str(bad))
    answer = json.loads(done.stdout)
    assert [item["image"] for item in answer["predictions"]] == digit_files
    assert list(answer["rejected"]) == list(answer["refused"]) == [str(bad)]


@pytest.fixture(params=["absent", "a folder", "empty", "truncated"])
def bad_file(request: pytest.FixtureRequest, tmp_path: Path, digit_files: list[str]) -> str:
    bad = tmp_path / "bad.png"
    match request.param:
        case "a folder":
            bad.mkdir()
        case "empty":
            bad.touch()
        case "truncated":
            bad.write_bytes(Path(digit_files[0]).read_bytes()[:50])
    return str(bad)


def test_files_that_are_no_images_are_named(
    call: Any, trained_run: Run, folder: str, digit_files: list[str], bad_file: str
) -> None:
    output = call("predict", trained_run.id, bad_file, digit_files[1], "--runs-dir", folder)
    assert_refused(output, bad_file)
    assert len(lines_of(output.out)) == 1
    assert_refused(call("predict", trained_run.id, bad_file, "--runs-dir", folder), bad_file)


def test_every_image_given_is_answered_even_twice(
    call: Any, trained_run: Run, folder: str, digit_files: list[str]
) -> None:
    output = call("predict", trained_run.id, digit_files[0], digit_files[0], "--json", "--runs-dir", folder)
    assert [item["image"] for item in output.json()["predictions"]] == [digit_files[0]] * 2


def test_an_interrupted_run_still_predicts(call: Any, trained_run: Run, runs_dir: Path, digit_files: list[str]) -> None:
    runs_dir.mkdir()
    copy = Run(Path(shutil.copytree(trained_run.folder, runs_dir / trained_run.id)))
    status = copy.status().model_copy(update={"state": "running"})
    (copy.folder / "status.json").write_text(status.model_dump_json())
    (copy.folder / "process.json").unlink()
    (copy.folder / "launcher.json").unlink()  # says that it was submitted just now
    assert Run(copy.folder).status().state == "interrupted"
    assert call("predict", copy.id, digit_files[0], "--runs-dir", str(runs_dir)).code == 0


def test_compare_tells_of_each_network_with_its_own_options(call: Any) -> None:
    output = call("compare", "vgg16", "minigooglenet:width=0.5", "--set", "classes=10", "--json")
    lines = output.json()
    assert output.code == 0
    assert [line["label"] for line in lines] == ["VGG16 (classes 10)", "MiniGoogLeNet (width 0.5)"]
    assert [line["classes"] for line in lines] == [10, 10]
    assert lines[0]["parameters"] == 138_357_544 - 990 * 4097


def test_reduce_does_the_lectures_arithmetic(call: Any) -> None:
    words = [
        "reduce",
        "--input",
        "28x28x192",
        "--kernel",
        "5",
        "--filters",
        "32",
        "--bottleneck",
        "16",
        "--padding",
        "valid",
        "--json",
    ]
    report = call(*words).json()
    assert report["direct"]["parameters"] == 153_632
    assert report["reduced"]["parameters"] == 15_920
    assert [layer["parameters"] for layer in report["reduced"]["layers"]] == [3_088, 12_832]


def test_reduce_says_more_where_the_bottleneck_costs_more(call: Any) -> None:
    saved, wasted = call("reduce").out, call("reduce", "--bottleneck", "200").out
    assert "9.65 times fewer parameters; fewer up to a bottleneck of 154" in saved
    assert "1.29 times the parameters; fewer up to a bottleneck of 154" in wasted
    assert "fewer parameters" not in wasted
    assert "no bottleneck saves any" in call("reduce", "--input", "8x8x1", "--kernel", "1", "--filters", "1").out


def test_code_prints_a_script_that_python_can_read(call: Any) -> None:
    output = call("code", "minivggnet", "--set", "classes=7")
    compile(output.out, "minivggnet.py", "exec")
    assert "cnnlab code minivggnet --set classes=7" in output.out


@pytest.mark.parametrize(
    "words", ["compare lenet", "compare vgg16:depth=2", "reduce --input 28x28", "reduce --kernel 99", "code lenet"]
)
def test_the_laboratory_commands_refuse_in_one_line(call: Any, words: str) -> None:
    output = call(*words.split())
    assert output.code == 2
    assert_one_line(output.err.strip())


def test_diagram_prints_a_picture_that_stands_alone(call: Any) -> None:
    closed, opened = call("diagram", "googlenet"), call("diagram", "googlenet", "--open", "inception_3a")
    assert closed.code == opened.code == 0
    assert closed.out.startswith("<svg xmlns=")
    assert "5x5_reduce" in opened.out
    assert "5x5_reduce" not in closed.out
    every = call("diagram", "minivggnet", "--open-all", "--set", "classes=7").out
    assert "7 classes" in every
    refused = call("diagram", "minivggnet", "--open", "block9")
    assert refused.code == 2
    assert_one_line(refused.err.strip())
    assert "block9" in refused.err
    assert "block1" in refused.err
