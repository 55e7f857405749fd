"""What is given is taken as it is given: zero is a number, "nan" is none, twice is too often; a zip holds images."""

from __future__ import annotations

import io
import json
import math
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from cnnlab import architectures, datasets, runs
from cnnlab.architectures.options import validate
from cnnlab.errors import UserError
from cnnlab.experiments.recipe import FLAT_FIELDS, make_recipe
from cnnlab.inference.classifier import load_classifier
from cnnlab.inference.serving import application
from cnnlab.limits import Limits
from cnnlab.runs.run import Run
from tests.conftest import assert_one_line, assert_refused
from tests.inference.test_prediction_many import png

DIGITS = ("--architecture", "minivggnet", "--dataset", "digits")


@pytest.fixture
def lab(call: Any, runs_dir: Path, no_starts: list[str]) -> Any:
    return lambda *arguments: call(*arguments, "--runs-dir", str(runs_dir))


@pytest.mark.parametrize("epochs", ["0", "-3", "10001"])
@pytest.mark.parametrize(
    "command",
    [
        ("train", "--preset", "minivggnet", "--detach"),
        ("train", *DIGITS, "--epochs", "4", "--detach"),
        ("sweep", "--preset", "minivggnet", "--values", "seed=1,2"),
    ],
)
def test_a_training_in_no_epochs_is_refused_and_not_planned_in_full(
    lab: Any, runs_dir: Path, command: tuple[str, ...], epochs: str
) -> None:
    assert_refused(lab(*command, "--in-epochs", epochs), f"{int(epochs):,}", "from 1 to 10,000")
    assert not runs.summaries(runs_dir)


def test_no_number_of_epochs_is_taken_for_another(lab: Any, trained_run: Run, runs_dir: Path) -> None:
    folder = str(trained_run.folder.parent)
    assert_refused(lab("train", *DIGITS, "--epochs", "0"), "epochs = 0")
    assert_refused(lab("generalization", *DIGITS, "--epochs", "0"), "epochs = 0")
    for command in (("extend", trained_run.id, "--epochs", "0"), ("restart", trained_run.id, "--set", "epochs=0")):
        assert_refused(lab("--runs-dir", folder, *command), "0")
    for freeze in ("-1", "99999"):
        assert_refused(lab("train", *DIGITS, "--from-run", "minivggnet-cifar10", "--freeze-epochs", freeze), "from 0")
    for alone in (("--freeze-epochs", "2"), ("--take", "block1_*")):
        assert_refused(lab("train", *DIGITS, *alone), "--from-run")
    assert_refused(lab("train", *DIGITS, "--from-run", ""), "''")
    assert_refused(lab("train", "--recipe", ""), "''")
    assert not runs.summaries(runs_dir)


def test_what_is_given_twice_is_said(lab: Any, tmp_path: Path) -> None:
    assert_refused(lab("table", "vgg16", "--set", "input_size=64", "input_size=32"), "input_size", "64", "32", "twice")
    assert_refused(lab("table", "vgg16", "--set", "classes=3", "--set", "classes=3"), "classes", "twice")
    assert_refused(lab("compare", "minigooglenet:width=0.5,width=1"), "width", "twice")
    sweep = ("sweep", *DIGITS, "--epochs", "1", "--values")
    assert_refused(lab(*sweep, "seed=1,2", "seed=3"), "seed", "twice")
    assert_refused(lab(*sweep, "learning_rate=0.1,0.10"), "learning_rate 0.1", "learning_rate 0.10", "twice")
    assert_refused(lab("train", "--preset", "minivggnet", "--set", "epochs=3", "--epochs", "5"), "epochs", "3", "5")
    path = tmp_path / "mine.json"
    path.write_text('{"settings": {"epochs": 2, "epochs": 3}}')
    assert_refused(lab("train", *DIGITS, "--recipe", str(path)), "mine.json", "epochs", "twice")


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1e999"])
def test_no_number_is_called_no_number_and_what_is_accepted_is_said(value: str) -> None:
    """Of every option of every architecture and every setting of a recipe that takes a number."""
    for name, one in architectures.ARCHITECTURES.items():
        for option in one.options:
            if option.type in (int, float):
                for given in (value, float(value)):
                    with pytest.raises(UserError) as refused:
                        validate(name, one.function, {option.name: given})
                    assert_one_line(str(refused.value), option.name, "no finite number", f"{option.maximum:,}")
    for name, field in FLAT_FIELDS.items():
        if field.annotation in (int, float):
            with pytest.raises(UserError) as refused:
                make_recipe(**{name: value})
            assert_one_line(str(refused.value), name.replace("_", " "), value, "no finite number", "it takes a")
    for name, text in (("milestones", f"2:{value}"), ("milestones", f"{value}:0.1"), ("image_sizes", f"1:{value}")):
        with pytest.raises(UserError) as refused:
            make_recipe(**{name: text, "schedule": "steps"})
        assert_one_line(str(refused.value), name.replace("_", " "), "EPOCH:")


def test_what_is_accepted_is_in_words() -> None:
    with pytest.raises(UserError, match=r"width = nan: that is no finite number; it takes a number from 0.05 to 4\."):
        validate("minigooglenet", architectures.architecture("minigooglenet").function, {"width": math.nan})
    with pytest.raises(UserError, match=r"it takes a number above 0 up to 100\."):
        make_recipe(learning_rate="inf")
    with pytest.raises(UserError, match=r"it takes a number from 0 and below 1\."):
        make_recipe(momentum="nan")
    with pytest.raises(UserError, match=r"it takes a whole number from 1 to 10,000\."):
        make_recipe(epochs="nan")


@pytest.mark.parametrize("text", ["0", "-1", "many", "²", "1.5"])
def test_threads_are_a_number(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from cnnlab import hardware

    monkeypatch.setenv(hardware.THREADS_VARIABLE, text)
    with pytest.raises(UserError) as refused:
        hardware.threads()
    assert_one_line(str(refused.value), "CNNLAB_THREADS", repr(text))


@pytest.mark.parametrize("query", ["top=0", "top=²", f"top={'9' * 5000}", "top=1&top=2"])
def test_a_request_for_no_number_of_classes_is_answered_in_a_sentence(trained_run: Run, query: str) -> None:
    client = TestClient(application(load_classifier(trained_run), Limits()), base_url="http://127.0.0.1")
    answer = client.post(f"/predict?{query}", content=png(np.zeros((8, 8, 3), np.uint8)))
    assert answer.status_code == 400
    assert "top" in answer.json()["error"]


def archive(images: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as written:
        for name, content in images.items():
            written.writestr(name, content)
    return out.getvalue()


def test_predict_takes_archives_and_folders_as_the_page_does(call: Any, trained_run: Run, tmp_path: Path) -> None:
    images = [png(image) for image in datasets.load("digits").test_images[:3]]
    (tmp_path / "one.png").write_bytes(images[0])
    (tmp_path / "many.ZIP").write_bytes(
        archive({"a/two.png": images[1], "three.png": images[2], "broken.png": b"?", "__MACOSX/._two.png": b"?"})
    )
    (tmp_path / "folder" / "deeper").mkdir(parents=True)
    (tmp_path / "folder" / "deeper" / "four.png").write_bytes(images[1])
    given = [str(tmp_path / name) for name in ("one.png", "many.ZIP", "folder")]
    output = call("predict", trained_run.id, *given, "--json", "--runs-dir", str(trained_run.folder.parent))
    said = json.loads(output.out)
    names = [one["image"].removeprefix(f"{tmp_path}/") for one in said["predictions"]]
    assert names == ["one.png", "many.ZIP/a/two.png", "many.ZIP/three.png", "folder/deeper/four.png"]
    assert said["predictions"][1]["top"] == said["predictions"][3]["top"]
    assert [name.rpartition("/")[2] for name in said["refused"]] == ["broken.png"]
    (tmp_path / "torn.zip").write_bytes(archive({"a.png": images[0]})[:40])
    for name in ("torn.zip", "empty"):
        (tmp_path / "empty").mkdir(exist_ok=True)
        torn = call("predict", trained_run.id, str(tmp_path / name), "--runs-dir", str(trained_run.folder.parent))
        assert_refused(torn, name)
