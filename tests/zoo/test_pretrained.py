"""VGG16 with published weights: ours answers as keras.applications does. The weights here are drawn, not published."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from cnnlab.datasets.download import Download
from cnnlab.errors import UserError
from cnnlab.inference.classifier import load_classifier
from cnnlab.runs.run import Run
from cnnlab.storage.progress import silent
from cnnlab.zoo import pretrained
from cnnlab.zoo.pretrained import PRETRAINED, class_names, keep, obtain
from tests.conftest import NOWHERE, Output, assert_one_line, assert_refused

VGG16 = PRETRAINED["vgg16-imagenet"]
NAMES = tuple(f"class {number}" for number in range(1000))


@pytest.fixture
def data_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("CNNLAB_DATA", str(tmp_path))
    yield tmp_path
    for path in tmp_path.rglob("*.h5"):  # half a gigabyte
        path.unlink()


@pytest.mark.slow
def test_our_vgg16_with_their_weights_answers_as_theirs(data_root: Path) -> None:
    from cnnlab.keras.backend import keras, tf

    tf.random.set_seed(0)
    theirs = keras.applications.VGG16(weights=None)
    for name in ("fc1", "fc2", "predictions"):  # drawn weights answer alike for every image: make them differ
        layer = theirs.get_layer(name)
        layer.set_weights([3 * weight for weight in layer.get_weights()])
    assert isinstance(keep(VGG16, theirs, NAMES), Run)
    run = VGG16.run()
    assert run is not None
    photographs = np.random.default_rng(0).integers(0, 256, (2, 7, 7, 3), dtype=np.uint8).repeat(32, 1).repeat(32, 2)
    ours = load_classifier(run).probabilities(photographs)
    given = keras.applications.vgg16.preprocess_input(photographs.astype(np.float32))
    expected = np.asarray(theirs(given, training=False))
    assert np.abs(expected[0] - expected[1]).max() > 1e-5, "the two images are answered differently"
    assert np.allclose(ours, expected, rtol=1e-2, atol=1e-5)
    assert pretrained.available() == {"vgg16-imagenet": run}
    assert run.status().state == "completed"


def test_classes_are_named_in_words_and_no_two_the_same(tmp_path: Path) -> None:
    index = {str(number): [f"n{number:08d}", f"word_{number}"] for number in range(1000)}
    index["134"], index["517"] = ["n02012849", "crane"], ["n03126707", "crane"]
    path = tmp_path / "index.json"
    path.write_text(json.dumps(index))
    names = class_names(path)
    assert names[0] == "word 0"
    assert names[134] == "crane (n02012849)"
    assert len(set(names)) == 1000


def test_without_a_network_one_is_told_what_could_not_be_fetched(
    data_root: Path, monkeypatch: pytest.MonkeyPatch, call: Callable[..., Output]
) -> None:
    monkeypatch.setattr(pretrained, "CLASS_NAMES", Download(f"{NOWHERE}/imagenet_class_index.json", "md5:", 35_363))
    with pytest.raises(UserError) as told:
        obtain(VGG16, silent)
    assert_one_line(str(told.value), "imagenet_class_index.json", "cannot be downloaded")
    assert VGG16.run() is None
    assert_refused(call("pretrained", "vgg16-imagenet"), "cannot be downloaded")
    assert_refused(call("pretrained", "vgg11"), "'vgg11'", "vgg19-imagenet")
    assert_refused(call("predict", "vgg16-imagenet", "a.png"), "pretrained vgg16-imagenet")


def test_the_lectures_lines_are_shown_as_it_writes_them() -> None:
    assert 'model = VGG16(weights="imagenet")' in VGG16.lines
