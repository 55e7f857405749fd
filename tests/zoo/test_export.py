"""A network taken away: each format answers as Keras does, with its script and its card."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnnlab import datasets
from cnnlab.errors import UserError
from cnnlab.evaluation import Evaluation, Predictions
from cnnlab.evaluation.export import html_report
from cnnlab.evaluation.measures import measures
from cnnlab.inference.classifier import Classifier, load_classifier, top_classes
from cnnlab.runs.run import Run
from cnnlab.storage.jobs import work
from cnnlab.zoo import export
from cnnlab.zoo.formats import EXPORT_FORMATS, Format
from tests.conftest import PATIENCE, Output, assert_one_line, assert_refused


@pytest.fixture(scope="module")
def run(trained_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("exported") / "runs" / trained_run.id
    return Run(Path(shutil.copytree(trained_run.folder, folder)))


@pytest.fixture(scope="module")
def classifier(run: Run) -> Classifier:
    return load_classifier(run)


@pytest.mark.parametrize("form", EXPORT_FORMATS)
def test_the_script_in_the_archive_classifies_an_image_as_the_app_does(
    classifier: Classifier, form: Format, tmp_path: Path
) -> None:
    target = tmp_path / "model.zip"
    assert export.export(classifier, form, target) < export.TOLERANCE
    with zipfile.ZipFile(target) as archive:
        archive.extractall(tmp_path / "taken")
    image = datasets.load("digits").test_images[7]
    Image.fromarray(image).save(tmp_path / "digit.png")
    script = (tmp_path / "taken" / "classify.py").read_text()
    assert len(script.splitlines()) == 10
    answer = subprocess.run(
        [sys.executable, "classify.py", str(tmp_path / "digit.png")],
        cwd=tmp_path / "taken",
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    ).stdout.splitlines()
    expected = top_classes(classifier.probabilities(image[None])[0], classifier.data.classes, 5)
    name, share = answer[0].split()
    assert name == expected[0][0]
    assert float(share.rstrip("%")) == pytest.approx(100 * expected[0][1], abs=0.2)
    card = (tmp_path / "taken" / "README.md").read_text()
    assert "## Limits" in card
    assert classifier.run.id in card
    assert "python -m cnnlab train" in card


def test_a_model_that_answers_otherwise_is_not_given_out(
    classifier: Classifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def otherwise(path: Path, images: np.ndarray) -> np.ndarray:
        return np.full((len(images), 10), 0.1, np.float32)

    monkeypatch.setitem(EXPORT_FORMATS, "keras", replace(EXPORT_FORMATS["keras"], ask=otherwise))
    with pytest.raises(UserError) as told:
        export.export(classifier, "keras", tmp_path / "model.zip")
    assert_one_line(str(told.value), "otherwise than Keras")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("fitting", "crop"), [("squash", True), ("crop", False), ("pad", False)])
def test_the_script_prepares_an_image_as_the_network_was_trained(
    classifier: Classifier, fitting: str, crop: bool
) -> None:
    size = (40, 40) if crop else (24, 24)
    given = classifier.data.preprocessing.model_copy(update={"image_size": size, "fitting": fitting, "crop": crop})
    one = replace(classifier, data=classifier.data.model_copy(update={"preprocessing": given}))
    photograph = np.random.default_rng(0).integers(0, 256, (6, 9, 3), dtype=np.uint8).repeat(10, 0).repeat(10, 1)
    line = next(line for line in export.script(one, "onnx").splitlines() if line.startswith("x = "))
    from PIL import ImageOps

    scope = {"np": np, "Image": Image, "ImageOps": ImageOps, "image": Image.fromarray(photograph)}
    exec(line, scope)  # noqa: S102 (our own line)
    prepared: np.ndarray = scope["x"]  # type: ignore[assignment]
    assert prepared.shape == (1, 32, 32, 3)
    assert np.abs(prepared[0] - given.fit(photograph)).mean() < 3


def test_an_export_is_made_in_the_background_and_by_the_command_line(
    run: Run, tmp_path: Path, call: Callable[..., Output]
) -> None:
    target = tmp_path / "digits.zip"
    where = ("--runs-dir", str(run.folder.parent))
    told = call("export", run.id, "--format", "keras", "--output", str(target), *where)
    assert str(target) in told.out
    assert set(zipfile.ZipFile(target).namelist()) == {"README.md", "classes.txt", "classify.py", "model.keras"}
    assert_refused(call("export", run.id, "--format", "pickle", *where), "pickle", "onnx")
    assert_refused(call("export", run.id, "--format", "keras", "--output", "/proc/none/x.zip", *where), "x.zip")
    point = run.checkpoint("best")
    job = export.exporting(run, point, "keras")
    assert job.request is not None
    assert work(job.folder, job.request.work, job.request.what) == 0
    archive = export.archive_of(run, point, "keras")
    assert [path.name for path in archive.parent.iterdir()] == [archive.name]


@pytest.mark.parametrize(("classes", "said"), [(3, False), (5, False), (10, True)])
def test_rank_5_is_said_where_it_says_something(
    classifier: Classifier, monkeypatch: pytest.MonkeyPatch, classes: int, said: bool
) -> None:
    """On the card, in the report that opens anywhere; of five classes the true one is always among five."""
    shares = np.random.default_rng(0).dirichlet(np.ones(classes), 20).astype(np.float32)
    found = Predictions(shares, np.arange(20) % classes, np.arange(20))
    names = tuple(str(n) for n in range(classes))
    fixed = {"run": "r", "split": "test", "tta": "plain", "dataset": "Some", "step": 1, "epoch": 1.0, "seconds": 1.0}
    kept = Evaluation(**fixed, **measures(found, names))  # type: ignore[arg-type]
    assert (kept.rank5 is not None) == said
    monkeypatch.setattr(export, "kept_evaluation", lambda run, tta: kept if tta == "plain" else None)
    card = export.card(classifier, None)
    assert f"{kept.accuracy:.2%} rank-1" in card
    assert ("rank-5" in card) == said
    assert ("Rank-5" in html_report(classifier.run, kept, found, None)) == said
