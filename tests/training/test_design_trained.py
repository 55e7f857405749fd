"""A design goes the way of any network: trained, judged, asked, exported, gone on with."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnnlab import datasets, runs
from cnnlab.inference.classifier import load_classifier
from cnnlab.runs import queue
from cnnlab.runs.run import Run
from tests.conftest import Output, cnnlab, kill_trainings, last_line
from tests.designs import design, written

pytestmark = pytest.mark.slow
Call = Callable[..., Output]


@pytest.fixture(scope="module")
def run_of_design(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """An epoch on the digits."""
    folder = tmp_path_factory.mktemp("designs")
    path = written(folder / "net.json", design())
    words = ("--network", str(path), "--dataset", "digits", "--epochs", "1", "--runs-dir", str(folder / "runs"))
    done = cnnlab("train", *words)
    assert done.returncode == 0, done.stderr
    yield runs.find(last_line(done.stdout), folder / "runs")
    kill_trainings(folder / "runs")


@pytest.fixture
def run(run_of_design: Run, runs_dir: Path) -> Run:
    """A copy, to change."""
    shutil.copytree(run_of_design.folder, runs_dir / run_of_design.id)
    return Run(runs_dir / run_of_design.id)


def test_it_is_trained_judged_asked_and_exported(call: Call, run: Run, tmp_path: Path) -> None:
    where = ("--runs-dir", str(run.folder.parent))
    assert run.status().state == "completed"
    judged = call("evaluate", run.id, "--json", *where)
    assert judged.json()["images"] == 360, judged.err
    dense = call("evaluate", run.id, "--tta", "dense", "--json", *where)
    assert dense.json()["images"] == 360, dense.err
    digit = datasets.load("digits").test_images[0]
    Image.fromarray(digit).save(tmp_path / "digit.png")
    said = call("predict", run.id, str(tmp_path / "digit.png"), "--json", *where).json()["predictions"][0]
    probabilities = load_classifier(run).probabilities(digit[None])[0]
    assert said["top"][0]["class"] == str(np.argmax(probabilities))
    assert call("export", run.id, "--format", "onnx", "--output", str(tmp_path / "net.zip"), *where).code == 0
    with zipfile.ZipFile(tmp_path / "net.zip") as archive:
        assert {"model.onnx", "classify.py"} <= set(archive.namelist())
        assert f"cnnlab network {run.id} > mini-residual.json" in archive.read("README.md").decode()


def test_it_is_extended_restarted_and_duplicated(
    call: Call, run: Run, no_starts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    where = ("--runs-dir", str(run.folder.parent), "--detach")
    restarted = call("restart", run.id, "--checkpoint", "1", "--set", "epochs=4", *where)
    duplicated = call("duplicate", run.id, "--set", "seed=5", *where)
    extended = call("extend", run.id, "--epochs", "1", *where)
    made = [runs.find(last_line(told.out), run.folder.parent) for told in (restarted, duplicated, extended)]
    assert {one.network for one in made} == {run.network}
    assert [one.config.experiment.recipe.epochs for one in made] == [4, 1, 2]
    assert made[0].checkpoints()
    assert set(queue.read(run.folder.parent).waiting) | set(no_starts) >= {one.id for one in made}


def test_another_training_begins_with_its_weights(call: Call, run: Run, no_starts: list[str], tmp_path: Path) -> None:
    wider = design("wider")
    wider["layers"][-3]["settings"]["rate"] = 0.1
    path = written(tmp_path / "wider.json", wider)
    where = ("--runs-dir", str(run.folder.parent), "--detach")
    told = call("train", "--network", str(path), "--dataset", "digits", "--from-run", run.id, *where)
    made = runs.find(last_line(told.out), run.folder.parent)
    assert made.config.experiment.initial
    assert "block1_depthwise" in made.config.experiment.initial.layers
