"""What silencing channels costs a network over a split: computed by a job, kept, and printed."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnnlab.errors import UserError
from cnnlab.evaluation import split_of
from cnnlab.evaluation.silencing import SilencingKey, kept_effect, silencing_effect, silencing_job
from cnnlab.inference.activations import of_classifier
from cnnlab.inference.classifier import Classifier, load_classifier
from cnnlab.inference.silencing import both_answers
from cnnlab.runs.run import Run
from cnnlab.storage import jobs
from tests.conftest import assert_one_line, assert_refused, lines_of

pytestmark = pytest.mark.slow
SILENCED = ("block1_act1:0", "block1_act1:3", "block2_conv1")


@pytest.fixture
def copy(trained_run: Run, tmp_path: Path) -> Run:
    return Run(Path(shutil.copytree(trained_run.folder, tmp_path / "runs" / trained_run.id)))


@pytest.fixture(scope="module")
def classifier(trained_run: Run) -> Classifier:
    return load_classifier(trained_run)


def test_the_answers_with_and_without_are_those_of_one_image_at_a_time(classifier: Classifier) -> None:
    model = of_classifier(classifier)
    images = classifier.data.preprocessing.fit_all(split_of(classifier.run, "test").batch(slice(0, 6))[0])
    silenced = {"block1_act1": [0, 3], "block2_conv1": None}
    plain, hushed = both_answers(model, silenced)(images)
    for place, image in enumerate(images):
        np.testing.assert_allclose(plain[place], model.activations(image).probabilities, rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(
            hushed[place], model.activations(image, silenced).probabilities, rtol=1e-4, atol=1e-6
        )
    assert not np.allclose(plain, hushed)


def test_a_job_counts_class_by_class_and_keeps_it(copy: Run) -> None:
    step = copy.checkpoint("best").info.step
    key = SilencingKey("validation", step, SILENCED)
    job = silencing_job(copy, key)
    assert kept_effect(copy, key) is None
    folder = job.folder
    folder.mkdir(parents=True)
    (folder / "request.json").write_text(jobs.written(job.request))
    assert jobs.main(folder) == 0
    found = kept_effect(copy, key)
    assert found is not None
    assert job.progress() is None
    assert sorted(path.name for path in folder.iterdir()) == ["effect.json"]

    classifier = load_classifier(copy)
    split = split_of(copy, "validation")
    images, labels = split.batch(slice(None))
    said = classifier.probabilities(images).argmax(axis=1)
    assert found.images == len(split)
    assert found.accuracy_before == pytest.approx((said == labels).mean())
    assert found.accuracy_before == pytest.approx(copy.checkpoint("best").info.validation_accuracy, abs=2e-3)
    assert found.accuracy_after < found.accuracy_before
    _, hushed = both_answers(of_classifier(classifier), {"block1_act1": [0, 3], "block2_conv1": None})(
        classifier.data.preprocessing.fit_all(images)
    )
    after = hushed.numpy().argmax(axis=1)
    assert found.accuracy_after == pytest.approx((after == labels).mean())
    assert found.changed == (after != said).sum()
    worst = found.losing[0]
    number = found.classes.index(worst.name)
    own = labels == number
    assert worst.lost == pytest.approx(((said == labels)[own].sum() - (after == labels)[own].sum()) / own.sum())
    assert [one.lost for one in found.losing] == sorted((one.lost for one in found.losing), reverse=True)
    assert 0 < len(found.losing) <= 10


@pytest.mark.parametrize(
    ("silenced", "parts"),
    [
        ((), ("Nothing is silenced",)),
        (("conv9",), ("conv9",)),
        (("block1_act1:99",), ("block1_act1", "99")),
        (("softmax",), ("softmax",)),
    ],
)
def test_what_cannot_be_silenced_is_refused_in_a_line(
    classifier: Classifier, silenced: tuple[str, ...], parts: tuple[str, ...]
) -> None:
    with pytest.raises(UserError) as refused:
        silencing_effect(classifier, "test", silenced)
    assert_one_line(str(refused.value), *parts)


def test_the_command_prints_what_the_job_keeps(call: Any, copy: Run) -> None:
    arguments = ("silence", copy.id, "--silence", "block1_act1:0,3", "--silence", "block2_conv1")
    arguments += ("--runs-dir", str(copy.folder.parent))
    said = call(*arguments, "--json").json()
    kept = kept_effect(copy, SilencingKey("validation", copy.checkpoint("best").info.step, SILENCED))
    assert kept is not None
    assert said["silenced"] == list(SILENCED)
    assert (said["accuracy_before"], said["accuracy_after"]) == (kept.accuracy_before, kept.accuracy_after)
    assert [one["name"] for one in said["losing"]] == [one.name for one in kept.losing]
    printed = call(*arguments)
    assert printed.code == 0, printed.err
    text = " ".join(lines_of(printed.out))
    assert f"accuracy {kept.accuracy_before:.2%} with all on, {kept.accuracy_after:.2%} silenced" in text
    assert "validation split" in text
    assert kept.losing[0].name in text


def test_the_command_says_what_is_missing_or_wrong(call: Any, trained_run: Run, folder: str) -> None:
    run = trained_run.id
    assert_refused(call("silence", run, "--runs-dir", folder), "--silence", "LAYER")
    assert_refused(call("silence", run, "--silence", "block1_act1:x", "--runs-dir", folder), "'block1_act1:x'")
    assert_refused(call("silence", "nothing", "--silence", "conv", "--runs-dir", folder), "nothing")
