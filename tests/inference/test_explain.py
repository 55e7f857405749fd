"""Explain a trained network: class activation maps, activations, filters."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnnlab import architectures, datasets
from cnnlab.datasets.preprocessing import Preprocessing
from cnnlab.errors import UserError
from cnnlab.inference.attribution import Explainer, colored, overlaid
from cnnlab.inference.classifier import Classifier, load_classifier
from cnnlab.network import Builder
from cnnlab.runs.run import Run
from tests.conftest import assert_one_line


@pytest.fixture(scope="module")
def run(trained_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("explain") / trained_run.id
    return Run(Path(shutil.copytree(trained_run.folder, folder)))


@pytest.fixture(scope="module")
def classifier(run: Run) -> Classifier:
    return load_classifier(run)


class Untrained:
    """A run of a network as it was drawn, for what does not depend on its weights."""

    def __init__(self, name: str, options: dict[str, Any]) -> None:
        self.id, self.network = name, architectures.build(name, options)


def untrained(classifier: Classifier, name: str, **options: Any) -> Classifier:
    from cnnlab.keras.model import keras_model

    run: Any = Untrained(name, options)
    height, width, _ = run.network.input_shape
    preprocessing = Preprocessing(
        image_size=(height, width), input_size=(height, width), mean=(120, 120, 120), deviation=(60, 60, 60)
    )
    data = classifier.data.model_copy(update={"preprocessing": preprocessing})
    return replace(classifier, run=run, data=data, model=keras_model(run.network))


def noise(classifier: Classifier, seed: int = 0) -> np.ndarray:
    shape = classifier.run.network.input_shape
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize(
    ("name", "options"),
    [("minigooglenet", {}), ("nin", {}), ("deepergooglenet", {}), ("googlenet", {"input_size": 64, "classes": 7})],
)
def test_a_class_score_is_the_mean_of_its_exact_map_plus_the_bias(
    classifier: Classifier, name: str, options: dict[str, Any]
) -> None:
    """Zhou et al., 2016, section 2."""
    one = untrained(classifier, name, **options)
    explainer = Explainer(one)
    assert explainer.exact
    for label in (0, one.run.network.classes - 1):
        heat, score = explainer.class_map(noise(one), label)
        bias = one.model.get_layer(explainer.weighted[0]).get_weights()[1][label] if explainer.weighted else 0.0
        assert heat.mean() + bias == pytest.approx(score, abs=1e-3)


def test_a_classifier_without_bias_scores_with_the_mean_of_its_map_alone(classifier: Classifier) -> None:
    net = Builder("without_bias")
    x = net.global_average_pool(net.conv(net.input((8, 8, 3)), 4, 3, name="conv"), name="gap")
    model = untrained(classifier, "minigooglenet")
    network = net.build(net.dense(x, 10, name="fc", activation="softmax", use_bias=False))
    run: Any = Untrained("minigooglenet", {})
    run.network = network
    from cnnlab.keras.model import keras_model

    preprocessing = Preprocessing(image_size=(8, 8), input_size=(8, 8), mean=(120,) * 3, deviation=(60,) * 3)
    data = model.data.model_copy(update={"preprocessing": preprocessing})
    small = replace(model, run=run, data=data, model=keras_model(network))
    drawn, score = Explainer(small).class_map(noise(small), 3)
    assert drawn.mean() == pytest.approx(score, abs=1e-5)


def test_a_network_with_hidden_dense_layers_gets_grad_cam(classifier: Classifier) -> None:
    explainer = Explainer(classifier)
    assert not explainer.exact
    inputs = classifier.data.preprocessing.fit(datasets.load("digits").test_images[0])
    heat, _ = explainer.class_map(inputs, 3)
    assert heat.shape == (8, 8)
    assert (heat >= 0).all()
    assert heat.max() > 0


def test_the_scores_are_those_that_softmax_turns_into_the_answer(classifier: Classifier) -> None:
    image = datasets.load("digits").test_images[0]
    inputs = classifier.data.preprocessing.fit(image)
    scores = np.array([Explainer(classifier).class_map(inputs, label)[1] for label in range(10)])
    shares = np.exp(scores - scores.max())
    assert np.allclose(shares / shares.sum(), classifier.probabilities(image[None])[0], atol=1e-4)


def test_a_layer_answers_with_its_channels_and_an_unknown_one_is_refused(classifier: Classifier) -> None:
    explainer = Explainer(classifier)
    inputs = noise(classifier)
    for name in explainer.layers:
        assert explainer.activations(inputs, name).shape == classifier.run.network[name].output_shape
    assert (explainer.activations(inputs, "block1_act1") >= 0).all(), "after a ReLU nothing is negative"
    with pytest.raises(UserError) as told:
        explainer.activations(inputs, "fc1")
    assert_one_line(str(told.value), "'fc1'", "block1_conv1")


def test_the_first_filters_are_the_kernels_with_grey_for_nothing(classifier: Classifier) -> None:
    filters = Explainer(classifier).first_filters()
    kernel = classifier.model.get_layer("block1_conv1").get_weights()[0]
    assert len(filters) == 32
    assert filters[5].shape == (3, 3, 3)
    brightest = np.unravel_index(np.abs(kernel[..., 5]).argmax(), (3, 3, 3))
    assert filters[5][brightest] in (0, 255)


def test_maps_are_drawn_from_dark_to_bright_over_the_image() -> None:
    ramp = np.linspace(-3, 5, 16, dtype=np.float32).reshape(4, 4)
    shades = colored(ramp).astype(int).sum(axis=-1).ravel()
    assert (np.diff(shades[[0, 4, 8, 12, 15]]) > 0).all()
    image = np.full((64, 64, 3), 100, np.uint8)
    assert overlaid(image, ramp).shape == image.shape
    assert (overlaid(image, np.zeros((4, 4), np.float32)) == overlaid(image, np.ones((4, 4), np.float32))).all()
