"""Model files from elsewhere: real ones are asked, those that want to run code are not."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cnnlab.architectures import ARCHITECTURES
from cnnlab.errors import UserError
from cnnlab.inference.activations import of_classifier
from cnnlab.inference.arithmetic import arithmetic
from cnnlab.inference.classifier import load_classifier
from cnnlab.inference.model_file import load
from cnnlab.runs.run import Run
from cnnlab.zoo import catalogue
from cnnlab.zoo.imported import import_model, imported_models
from tests.conftest import Output, assert_one_line, assert_refused

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def data_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CNNLAB_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def saved(path: Path, *layers: Any, shape: tuple[int | None, ...] = (16, 16, 3), name: str = "theirs") -> Path:
    from cnnlab.keras.backend import keras

    keras.Sequential([keras.Input(shape), *layers], name=name).save(path)
    return path


def color_judge() -> tuple[Any, ...]:
    """Says which of red, green and blue an image of values from 0 to 1 is."""
    from cnnlab.keras.backend import keras

    return keras.layers.GlobalAveragePooling2D(), keras.layers.Rescaling(20.0), keras.layers.Softmax()


@pytest.mark.parametrize("shape", [(16, 16, 3), (None, None, 3)])
def test_a_model_from_elsewhere_is_asked_as_it_wants_to_be(
    tmp_path: Path, call: Callable[..., Output], shape: tuple[int | None, ...]
) -> None:
    path = saved(tmp_path / "theirs.keras", *color_judge(), shape=shape)
    (tmp_path / "names.txt").write_text("red\ngreen\nblue\n")
    extra = () if shape[0] else ("--size", "24")
    told = call("model", "Colours", str(path), "--classes", str(tmp_path / "names.txt"), "--values", "0 to 1", *extra)
    assert told.out.strip() == "colours", told.err
    (run,) = imported_models().values()
    classifier = load_classifier(run)
    assert classifier.data.preprocessing.input_size == ((16, 16) if shape[0] else (24, 24))
    images = np.zeros((3, 40, 30, 3), np.uint8)
    for channel in range(3):
        images[channel, ..., channel] = 250
    assert classifier.probabilities(images).argmax(axis=1).tolist() == [0, 1, 2]
    Image.fromarray(images[2]).save(tmp_path / "sea.png")
    assert call("predict", "colours", str(tmp_path / "sea.png")).out.startswith(f"{tmp_path / 'sea.png'}: blue ")
    assert_refused(call("model", "colours", str(path)), "'colours'")
    with pytest.raises(UserError) as refused:
        _ = run.network
    assert_one_line(str(refused.value), "does not know its layers")


def test_a_model_of_known_layers_is_looked_into(tmp_path: Path) -> None:
    from cnnlab.keras.backend import keras

    path = saved(
        tmp_path / "theirs.keras",
        keras.layers.Conv2D(4, 3, padding="same", activation="relu", name="conv"),
        keras.layers.BatchNormalization(name="bn"),
        keras.layers.GlobalAveragePooling2D(name="gap"),
        keras.layers.Dense(3, name="fc"),
        keras.layers.Softmax(name="softmax"),
        shape=(None, None, 3),
    )
    classifier = load_classifier(import_model(path, "Theirs", values="0 to 1", size=20))
    model = of_classifier(classifier)
    photo = np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    seen = model.activations(classifier.data.preprocessing.fit(photo))
    np.testing.assert_allclose(seen.probabilities, classifier.probabilities([photo])[0], rtol=1e-5)
    assert seen.values["conv"].shape == (20, 20, 4)
    for layer, at in (("conv", (0, 19)), ("bn", (3, 4)), ("gap", None), ("fc", None), ("softmax", None)):
        assert arithmetic(model, seen, layer, 1, at).agrees
    unknown = import_model(saved(tmp_path / "colours.keras", *color_judge()), "Colours")
    with pytest.raises(UserError) as refused:
        of_classifier(load_classifier(unknown))
    assert_one_line(str(refused.value), "'rescaling", "Rescaling")


def test_a_model_called_as_an_architecture_is_another_network(tmp_path: Path, call: Callable[..., Output]) -> None:
    path = saved(tmp_path / "theirs.keras", *color_judge(), name="vgg16")
    assert call("model", "vgg16", str(path)).out.strip() == "vgg16"
    (run,) = imported_models().values()
    experiment = run.config.experiment
    assert experiment.architecture not in ARCHITECTURES
    assert experiment.title == "vgg16 (imported)"
    with pytest.raises(UserError):
        _ = experiment.network
    assert catalogue.run_named("run:vgg16", tmp_path) == run
    assert catalogue.run_named("vgg16", tmp_path) is None, "the architecture"
    assert "--architecture" not in call("show", "vgg16").out
    recorded = json.loads((run.folder / "config.json").read_text())
    recorded["experiment"]["architecture"] = "vgg16"  # as earlier versions wrote it
    (run.folder / "config.json").write_text(json.dumps(recorded))
    assert Run(run.folder).config.experiment == experiment
    for taken in ("VGG16 ImageNet", "MiniVGGNet CIFAR10"):
        assert_refused(call("model", taken, str(path)), "already")


def test_a_model_with_code_is_refused_and_runs_none(tmp_path: Path) -> None:
    from cnnlab.keras.backend import keras

    mark = tmp_path / "it ran"
    place = str(mark)
    path = saved(
        tmp_path / "evil.keras",
        keras.layers.Lambda(lambda x: (__import__("pathlib").Path(place).touch(), x)[1]),
        keras.layers.GlobalAveragePooling2D(),
    )
    mark.unlink(missing_ok=True)  # it ran here, when it was built
    with pytest.raises(UserError) as refused:
        import_model(path, "evil")
    assert_one_line(str(refused.value), "evil.keras", "code of its own")
    assert not mark.exists()
    assert imported_models() == {}


def test_a_layer_that_keras_does_not_know_is_refused(tmp_path: Path) -> None:
    from cnnlab.keras.backend import keras

    class Mine(keras.layers.Layer):  # type: ignore[name-defined,misc]
        def call(self, x: Any) -> Any:
            return x

    path = saved(tmp_path / "custom.keras", Mine(), keras.layers.GlobalAveragePooling2D())
    with pytest.raises(UserError) as refused:
        load(path, path.name)
    assert_one_line(str(refused.value), "custom.keras", "code of its own")


@pytest.mark.parametrize("kind", ["empty", "text", "zip", "cut"])
def test_what_is_no_model_file_is_refused_by_name(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "model.keras"
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a.txt", "a")
    else:
        whole = saved(tmp_path / "whole.keras", *color_judge()).read_bytes()
        path.write_bytes({"empty": b"", "text": b"hello", "cut": whole[: len(whole) // 2]}[kind])
    with pytest.raises(UserError) as refused:
        import_model(path, "mine")
    assert_one_line(str(refused.value), "model.keras", ".keras file")


def test_what_takes_no_image_or_gives_no_classes_is_refused_with_its_shapes(tmp_path: Path) -> None:
    from cnnlab.keras.backend import keras

    grey = saved(tmp_path / "grey.keras", keras.layers.GlobalAveragePooling2D(), shape=(8, 8, 1))
    maps = saved(tmp_path / "maps.keras", keras.layers.Conv2D(2, 1), shape=(8, 8, 3))
    free = saved(tmp_path / "free.keras", *color_judge(), shape=(None, None, 3))
    good = saved(tmp_path / "good.keras", *color_judge())
    for path, options, parts in (
        (grey, {}, ("(None, 8, 8, 1)", "RGB")),
        (maps, {}, ("(None, 8, 8, 2)", "classes")),
        (free, {}, ("any size",)),
        (good, {"classes": ["one", "two"]}, ("3 classes", "2 names")),
    ):
        with pytest.raises(UserError) as refused:
            import_model(path, "mine", **options)  # type: ignore[arg-type]
        assert_one_line(str(refused.value), path.name, *parts)
    assert imported_models() == {}
