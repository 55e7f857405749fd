"""What an address asks for and is not there is said, on every page that reads one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from cnnlab.datasets.imported import import_images
from cnnlab.runs.run import Run
from tests.datasets.test_imported_images import two_classes, zipped
from tests.pages.conftest import OpenPage

SHIPPED = "minigooglenet-cifar10"
NOT_THERE = (
    ("architectures", {"architecture": "nope"}, ["the architecture “nope”", "MiniVGGNet is shown"]),
    ("architectures", {"view": "nope"}, ["the tab “nope”", "Layers is shown"]),
    ("architectures", {"minivggnet.classes": "many"}, ["the classes of “many”", "10 is shown"]),
    ("compare", {"network": "nope"}, ["nope"]),
    ("compare", {"view": "nope"}, ["the tab “nope”", "Totals is shown"]),
    ("one_by_one", {"height": "nope"}, ["the height H of “nope”", "28 is shown"]),
    pytest.param("microscope", {"network": "nope"}, ["the network “nope”", "is shown"], marks=pytest.mark.slow),
    pytest.param("microscope", {"layer": "nope"}, ["the layer “nope”", "stem_conv is shown"], marks=pytest.mark.slow),
    pytest.param("microscope", {"channel": "96"}, ["the channel “96”", "is shown"], marks=pytest.mark.slow),
    pytest.param("microscope", {"at": "28,0"}, ["the place “28,0”", "is shown"], marks=pytest.mark.slow),
    pytest.param("microscope", {"sample": "nope"}, ["the sample “nope”", "cat is shown"], marks=pytest.mark.slow),
    ("one_by_one", {"view": "Inception module", "module": "9z"}, ["the module “9z”", "3a is shown"]),
    ("datasets", {"dataset": "nope"}, ["the data set “nope”", "Digits is shown"]),
    ("datasets", {"dataset": "pets", "section": "nope"}, ["the section “nope”", "Images is shown"]),
    ("datasets", {"dataset": "pets", "part": "nope"}, ["the part “nope”", "Training is shown"]),
    ("train", {"preset": "nope"}, ["the preset “nope”", "Your own is shown"]),
    ("train", {"dataset": "nope"}, ["the data set “nope”", "Digits is shown"]),
    ("train", {"from": "nope"}, ["the run “nope”", "Fresh weights is shown"]),
    ("runs", {"group": "nope"}, ["the group “nope”", "All is shown"]),
    ("run", {"run": "nope"}, ["nope"]),
    ("compare_runs", {"study": "nope"}, ["the study “nope”"]),
    ("compare_runs", {"group": "nope"}, ["the group “nope”"]),
    ("compare_runs", {"runs": "nope,its-run"}, ["There is no run nope"]),
    ("generalization", {"group": "nope"}, ["the experiment “nope”"]),
    ("evaluate", {"run": "nope"}, ["the run “nope”", "is shown"]),
    ("evaluate", {"run": SHIPPED, "split": "nope"}, ["the part “nope”", "Test is shown"]),
    ("evaluate", {"run": SHIPPED, "checkpoint": "7000"}, ["the checkpoint “7000”", "Best"]),
    ("evaluate", {"run": SHIPPED, "tta": "nope"}, ["the test-time augmentation “nope”"]),
    ("predict", {"run": "![i](http://evil.example/i.png)"}, ["the network “![i](http://evil.example/i.png)”"]),
    (
        "predict",
        {"run": "its-run", "split": "test", "image": "7", "method": "nope"},
        ["the method “nope”", "Grad-CAM is shown"],
    ),
    (
        "predict",
        {"run": "its-run", "split": "test", "image": "7", "class": "nope"},
        ["the class “nope”"],
    ),
    ("results", {"study": "nope"}, ["the study “nope”"]),
    ("results", {"network": "nope"}, ["the network “nope”"]),
)


@pytest.mark.parametrize(("page", "query", "said"), NOT_THERE, ids=lambda value: str(value)[:40])
def test_what_the_address_asks_in_vain_is_said(
    open_page: OpenPage,
    tmp_path: Path,
    trained_run: Run,
    page: str,
    query: dict[str, str],
    said: list[str],
) -> None:
    pets = zipped(tmp_path / "pets.zip", two_classes())
    import_images(pets, tmp_path / "no data" / "own" / "pets", "pets", "Pets", 32)
    shutil.copytree(trained_run.folder, tmp_path / "runs" / "its-run")
    app = open_page(page, tmp_path / "runs", **query)
    assert not app.exception
    notes = [item.value.replace("\u2060", "").replace("\\", "") for item in [*app.warning, *app.error]]
    assert [note for note in notes if all(words in note for words in said)], notes
