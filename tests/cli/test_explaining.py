"""`cnnlab explain`: the picture, and the numbers that say whether it explains anything."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from cnnlab import datasets
from cnnlab.runs.run import Run
from tests.conftest import assert_refused

pytestmark = pytest.mark.slow


@pytest.fixture
def digit_file(tmp_path: Path) -> str:
    Image.fromarray(datasets.load("digits").test_images[3]).save(tmp_path / "digit.png")
    return str(tmp_path / "digit.png")


def test_explain_writes_the_picture_and_prints_what_its_checks_found(
    call: Any, trained_run: Run, folder: str, digit_file: str, tmp_path: Path
) -> None:
    out = tmp_path / "why.png"
    arguments = (trained_run.id, digit_file, "--method", "integrated-gradients", "--class", "3", "--runs-dir", folder)
    output = call("explain", *arguments, "--out", str(out))
    assert output.code == 0, output.err
    assert "explained by integrated-gradients" in output.out
    for part in ("completeness", "deletion area", "insertion area", "rank correlation", "block1_conv1", "The picture"):
        assert part in output.out
    with Image.open(out) as picture:
        assert picture.format == "PNG"
        assert picture.width > 2 * picture.height
    said = call("explain", *arguments, "--json").json()
    assert (said["class"], said["method"], said["run"]) == ("3", "integrated-gradients", trained_run.id)
    assert said["completeness"]["holds"] == (
        abs(said["completeness"]["sum"] - said["completeness"]["difference"])
        <= max(0.01 * abs(said["completeness"]["difference"]), 1e-6)
    )
    assert said["randomization"][-1]["lowest"] == "block1_conv1"
    assert said["verdict"] in ("changed", "partly", "unchanged")


def test_the_most_probable_class_is_explained_unless_another_is_named(
    call: Any, trained_run: Run, folder: str, digit_file: str
) -> None:
    likely = call("predict", trained_run.id, digit_file, "--json", "--runs-dir", folder).json()
    said = call("explain", trained_run.id, digit_file, "--json", "--runs-dir", folder).json()
    assert said["class"] == likely["predictions"][0]["top"][0]["class"]
    assert said["method"] == "grad-cam"
    assert said["completeness"] is None


def test_what_cannot_be_explained_is_refused_in_one_line(
    call: Any, trained_run: Run, folder: str, digit_file: str, tmp_path: Path
) -> None:
    where = ("--runs-dir", folder)
    (tmp_path / "notes.png").write_text("not an image")
    assert_refused(call("explain", trained_run.id, digit_file, "--class", "cat", *where), "'cat'", "0, 1, 2")
    assert_refused(call("explain", trained_run.id, str(tmp_path / "notes.png"), *where), "notes.png", "not an image")
    assert_refused(call("explain", trained_run.id, str(tmp_path / "absent.png"), *where), "absent.png")
    assert_refused(call("explain", trained_run.id, digit_file, "--method", "cam", *where), "global average pooling")
    assert_refused(call("explain", trained_run.id, digit_file, "--out", "why.jpg", *where), "'why.jpg'", "PNG")
    assert_refused(call("explain", trained_run.id, digit_file, "--method", "guess", *where), "'guess'", "occlusion")
    nowhere = str(tmp_path / "none" / "why.png")
    assert_refused(call("explain", trained_run.id, digit_file, "--out", nowhere, *where), nowhere)


def test_weights_that_are_no_numbers_are_said_to_be(
    call: Any, trained_run: Run, runs_dir: Path, digit_file: str
) -> None:
    import h5py
    import numpy as np

    run = Run(Path(shutil.copytree(trained_run.folder, runs_dir / trained_run.id)))
    with h5py.File(run.checkpoint("best").weights, "r+") as weights:
        weights.visititems(
            lambda _, item: (
                item.write_direct(np.full(item.shape, np.nan, item.dtype))
                if isinstance(item, h5py.Dataset) and item.shape
                else None
            )
        )
    assert_refused(call("explain", run.id, digit_file, "--runs-dir", str(runs_dir)), run.id, "NaN")
