"""`cnnlab microscope`: every layer at work on an image, and one value's arithmetic."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cnnlab import datasets, units
from cnnlab.runs.run import Run
from tests.conftest import assert_refused, lines_of

pytestmark = pytest.mark.slow


@pytest.fixture
def digit_file(tmp_path: Path) -> str:
    Image.fromarray(datasets.load("digits").test_images[3]).save(tmp_path / "digit.png")
    return str(tmp_path / "digit.png")


def test_all_layers_and_the_classes_are_listed(call: Any, trained_run: Run, folder: str, digit_file: str) -> None:
    arguments = ("microscope", trained_run.id, digit_file, "--runs-dir", folder)
    said = call(*arguments, "--json").json()
    assert [one["layer"] for one in said["layers"]] == [node.name for node in trained_run.network.layers]
    relu = next(one for one in said["layers"] if one["layer"] == "block1_act1")
    assert relu["shape"] == [32, 32, 32]
    assert 0 < relu["zeros"] < 1
    assert relu["mean"] < relu["largest"]
    predicted = call("predict", trained_run.id, digit_file, "--json", "--runs-dir", folder).json()["predictions"][0]
    for ours, theirs in zip(said["classes"], predicted["top"], strict=True):
        assert ours["class"] == theirs["class"]
        assert ours["probability"] == pytest.approx(theirs["probability"], rel=1e-5)
    shown = call(*arguments)
    assert shown.code == 0, shown.err
    assert {"layer", "type", "shape", "mean", "zeros", "largest"} <= set(lines_of(shown.out)[1].split())
    assert re.search(r"block1_act1 +Activation +32×32×32 ", shown.out)
    assert "8×8, resized to 32×32" in lines_of(shown.out)[0]


def test_silencing_shows_the_classes_before_and_after(
    call: Any, trained_run: Run, folder: str, digit_file: str
) -> None:
    arguments = ("microscope", trained_run.id, digit_file, "--runs-dir", folder)
    said = call(*arguments, "--silence", "block1_act1:0,2", "--silence", "block2_act2", "--json").json()
    assert said["silence"] == {"block1_act1": [0, 2], "block2_act2": None}
    hushed = next(one for one in said["layers"] if one["layer"] == "block2_act2")
    assert (hushed["zeros"], hushed["largest"]) == (1, 0)
    assert any(one["probability"] != one["after_silencing"] for one in said["classes"])
    assert "after silencing" in call(*arguments, "--silence", "block2_act2").out
    channels = call(*arguments, "--layer", "block1_act1", "--silence", "block1_act1:2", "--json").json()["channels"]
    assert [one["channel"] for one in channels] == list(range(32))
    assert channels[2] == {"channel": 2, "mean": 0, "zeros": 1, "largest": 0}


def test_the_arithmetic_of_one_value_is_written_out(call: Any, trained_run: Run, folder: str, digit_file: str) -> None:
    arguments = ("microscope", trained_run.id, digit_file, "--runs-dir", folder)
    where = ("--layer", "block1_conv2", "--channel", "5", "--at", "0,31")
    said = call(*arguments, *where, "--json").json()
    assert (said["computation"], said["at"], said["silenced"]) == ("WeightedSum", [0, 31], False)
    values, weights = np.array(said["patch"]["values"]), np.array(said["weights"])
    assert values.shape == weights.shape == (3, 3, 32)
    assert (values * weights).sum() + said["bias"] == pytest.approx(said["stored"], rel=1e-4, abs=1e-5)
    assert said["value"] == pytest.approx(said["stored"], rel=1e-4, abs=1e-5)
    assert np.array(said["patch"]["padding"]).sum() == 5
    shown = call(*arguments, *where)
    assert shown.code == 0, shown.err
    for part in (
        "block1_conv2, channel 5, row 0, column 31",
        "rows -1 to 1",
        "columns 30 to 32",
        "input channel",
        "bias",
    ):
        assert part in shown.out
    assert "12 other input channels" in shown.out
    assert shown.out.count("padding") == 5
    assert f"TensorFlow: {units.digits(said['stored'])}" in shown.out
    hushed = call(*arguments, *where, "--silence", "block1_conv2:5")
    assert "TensorFlow: 0, since the channel is silenced" in hushed.out


def test_every_layer_can_be_written_out(call: Any, trained_run: Run, folder: str, digit_file: str) -> None:
    """At the place where its first channel is largest, unless another is asked for."""
    for node in trained_run.network.layers:
        shown = call(
            "microscope", trained_run.id, digit_file, "--layer", node.name, "--channel", "0", "--runs-dir", folder
        )
        assert shown.code == 0, shown.err
        assert lines_of(shown.out)[0].startswith(f"{node.name}, channel 0")
        assert lines_of(shown.out)[-1].startswith("TensorFlow: "), node.name
        assert "NaN" not in shown.out


def test_the_maps_are_written_as_one_picture(
    call: Any, trained_run: Run, folder: str, digit_file: str, tmp_path: Path
) -> None:
    out = tmp_path / "maps.png"
    arguments = ("microscope", trained_run.id, digit_file, "--layer", "block1_act1", "--runs-dir", folder)
    assert f"Written: {out}" in call(*arguments, "--maps", str(out)).out
    with Image.open(out) as picture:
        assert picture.format == "PNG"
        assert picture.size == (6 * 66 - 2, 6 * 66 - 2), "32 maps of 32×32, six in a row, each value two pixels wide"


def test_an_architecture_is_looked_into_untrained(call: Any, digit_file: str, folder: str) -> None:
    output = call("microscope", "minivggnet:input_size=8,classes=3", digit_file, "--json", "--runs-dir", folder)
    assert output.code == 0, output.err
    assert {one["class"] for one in output.json()["classes"]} == {"class 0", "class 1", "class 2"}


def test_weights_that_are_no_numbers_are_said_to_be(
    call: Any, trained_run: Run, runs_dir: Path, digit_file: str
) -> None:
    import h5py

    run = Run(Path(shutil.copytree(trained_run.folder, runs_dir / trained_run.id)))
    with h5py.File(run.checkpoint("best").weights, "r+") as weights:
        weights.visititems(
            lambda name, item: (
                item.write_direct(np.full(item.shape, np.nan, item.dtype))
                if isinstance(item, h5py.Dataset) and item.shape and "dense" not in name
                else None
            )
        )
    output = call("microscope", run.id, digit_file, "--json", "--runs-dir", str(runs_dir))
    assert output.code == 0
    assert "block1_conv1" in output.err
    assert "NaN" in output.err
    assert "NaN" not in output.out, "JSON knows none"
    assert output.json()["layers"][1]["mean"] is None


def test_what_cannot_be_looked_into_is_refused_in_one_line(
    call: Any, trained_run: Run, folder: str, digit_file: str, tmp_path: Path
) -> None:
    run, conv = trained_run.id, ("--layer", "block1_conv1")
    nowhere = str(tmp_path / "none" / "maps.png")
    for arguments, parts in (
        (("nothing", digit_file), ("'nothing'", "minivggnet")),
        ((run, str(tmp_path / "absent.png")), ("absent.png",)),
        ((run, digit_file, "--layer", "conv9"), ("'conv9'", "block1_conv1")),
        ((run, digit_file, "--channel", "3"), ("--channel needs --layer",)),
        ((run, digit_file, *conv, "--at", "1,2"), ("--at needs --channel",)),
        ((run, digit_file, *conv, "--channel", "32"), ("channel 32", "0 to 31")),
        ((run, digit_file, *conv, "--channel", "3", "--at", "32,0"), ("row 32", "0 to 31")),
        ((run, digit_file, *conv, "--channel", "3", "--at", "one"), ("'one'", "ROW,COLUMN")),
        ((run, digit_file, "--silence", "conv9"), ("'conv9'",)),
        ((run, digit_file, "--silence", "block1_conv1:x"), ("'block1_conv1:x'",)),
        ((run, digit_file, "--maps", "maps.png"), ("--maps needs --layer",)),
        ((run, digit_file, *conv, "--maps", "maps.gif"), ("'maps.gif'", "PNG")),
        ((run, digit_file, *conv, "--maps", nowhere), (nowhere,)),
        ((run, digit_file, "--layer", "fc1", "--maps", "maps.png"), ("fc1", "vector")),
        ((run, digit_file, "--checkpoint", "99"), ("99",)),
        (("minivggnet", digit_file, "--checkpoint", "3"), ("minivggnet", "--checkpoint")),
    ):
        assert_refused(call("microscope", *arguments, "--runs-dir", folder), *parts)
