"""One answer to "which network is this?", whatever it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cnnlab import runs
from cnnlab.errors import UserError
from cnnlab.runs.run import MODEL_FILE, Run
from cnnlab.zoo import catalogue, shipped
from tests.conftest import Output, assert_one_line, assert_refused, digits_experiment

SHIPPED = "minivggnet-cifar10"


@pytest.fixture(autouse=True)
def data_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CNNLAB_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def imported_model(data_root: Path) -> Run:
    """What stands for a model file from elsewhere."""
    folder = data_root / "models" / "theirs"
    folder.mkdir(parents=True)
    (folder / MODEL_FILE).write_bytes(b"a model")
    return Run(folder)


def test_it_knows_all_that_has_a_name(data_root: Path, runs_dir: Path) -> None:
    own, theirs = runs.create(digits_experiment(), runs_dir), imported_model(data_root)
    assert catalogue.find(own.id, runs_dir) == own
    assert catalogue.find(own.id[:-3], runs_dir) == own
    assert catalogue.find(SHIPPED, runs_dir).folder.parent == data_root / "shipped"
    assert catalogue.find("theirs", runs_dir) == theirs
    assert [catalogue.origin_of(name) for name in (own.id, SHIPPED, "vgg16-imagenet", "theirs")] == [
        "own", "shipped", "published", "imported",
    ]  # fmt: skip
    with pytest.raises(UserError) as refused:
        catalogue.find("vgg16-imagenet", runs_dir)
    assert_one_line(str(refused.value), "VGG16 on ImageNet", "cnnlab pretrained vgg16-imagenet")


def test_only_ones_own_are_changed(data_root: Path, runs_dir: Path) -> None:
    imported_model(data_root)
    for name in (SHIPPED, "vgg16-imagenet", "theirs"):
        with pytest.raises(UserError) as refused:
            catalogue.own_run(name, runs_dir)
        assert_one_line(str(refused.value), name, "stays as it is")


def test_what_can_be_used_is_listed_by_where_it_comes_from(data_root: Path, runs_dir: Path) -> None:
    imported_model(data_root)
    everything = catalogue.usable(runs_dir)
    assert list(everything) == [*shipped.shipped_names(), "theirs"]
    assert list(catalogue.usable(runs_dir, "imported")) == ["theirs"]


@pytest.mark.parametrize(
    "words", [["show"], ["code"], ["table"], ["network"], ["compare-runs"]], ids=lambda words: words[0]
)
def test_every_command_that_only_looks_takes_a_network_that_comes_with_cnnlab(
    call: Callable[..., Output], runs_dir: Path, words: list[str]
) -> None:
    told = call(*words, SHIPPED, "--runs-dir", str(runs_dir))
    assert told.code == 0, told.err
    assert told.out


def test_a_name_of_nothing_is_said_to_be_neither(call: Callable[..., Output], runs_dir: Path) -> None:
    told = call("table", "resnet", "--runs-dir", str(runs_dir))
    assert_refused(told, "no architecture 'resnet'", "minivggnet", "no run 'resnet'")


def test_finding_one_looks_at_that_one(data_root: Path, runs_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its exact id; thousands of other runs are not opened for it, nor other shipped networks copied."""
    run = runs.create(digits_experiment(), runs_dir)
    with monkeypatch.context() as patch:
        patch.setattr(runs, "every", lambda folder: pytest.fail("all runs were looked at"))
        assert catalogue.find(run.id, runs_dir) == run
    catalogue.find(SHIPPED, runs_dir)
    assert [path.name for path in (data_root / "shipped").iterdir()] == [SHIPPED]
