"""Test-time augmentation: what is averaged, and that dense evaluation is the same network."""

from __future__ import annotations

import numpy as np
import pytest

from cnnlab import architectures, datasets
from cnnlab.inference.classifier import Classifier, load_classifier
from cnnlab.inference.tta import TtaPredictor, crops, dense_function, shifted
from cnnlab.network.dense import fully_convolutional
from cnnlab.network.layers import Dense, Flatten, GlobalAveragePooling2D
from cnnlab.network.paths import last_map
from cnnlab.runs.run import Run

SMALL = {"minivggnet": {}, "minigooglenet": {}, "nin": {}, "deepergooglenet": {}, "vgg_a": {"input_size": 64}}


@pytest.fixture(scope="module")
def classifier(trained_run: Run) -> Classifier:
    return load_classifier(trained_run)


def digits(count: int = 40) -> np.ndarray:
    return np.asarray(datasets.load("digits").test_images[:count])


@pytest.mark.parametrize(("name", "options"), SMALL.items())
def test_a_network_made_fully_convolutional_has_the_same_parameters_and_a_map_of_classes(
    name: str, options: dict[str, object]
) -> None:
    network = architectures.build(name, options)
    side = network.input_shape[0]
    one = fully_convolutional(network, side, side)
    assert one.parameters == network.parameters
    assert one[one.outputs[0]].output_shape == (1, 1, network.classes)
    assert not any(isinstance(node.layer, Dense | Flatten | GlobalAveragePooling2D) for node in one.layers)
    larger = side + 2 * side // last_map(network)[0]
    assert fully_convolutional(network, larger, larger)[one.outputs[0]].output_shape == (3, 3, network.classes)


def test_auxiliary_heads_are_left_out_of_dense_evaluation() -> None:
    network = architectures.build("googlenet", {"auxiliary_heads": True})
    assert len(network.outputs) == 3
    assert fully_convolutional(network, 224, 224).outputs == network.outputs[:1]


def test_dense_evaluation_of_an_image_that_is_not_enlarged_says_what_the_network_says(classifier: Classifier) -> None:
    inputs = classifier.data.preprocessing.fit_all(digits())
    height, width = inputs.shape[1:3]
    dense = dense_function(classifier, height, width)(inputs).numpy()
    assert np.allclose(dense, classifier.probabilities(digits()), atol=1e-5)


def test_the_mirror_augmentation_is_the_mean_of_an_image_and_its_mirror_image(classifier: Classifier) -> None:
    images = digits()
    both = (classifier.probabilities(images) + classifier.probabilities(images[:, :, ::-1])) / 2
    assert np.allclose(TtaPredictor(classifier, "mirror").probabilities(images), both, atol=1e-5)


@pytest.mark.parametrize("tta", ["shifts", "multi-crop", "dense"])
def test_every_augmentation_gives_probabilities_that_mostly_agree_with_the_plain_one(
    classifier: Classifier, tta: str
) -> None:
    averaged = TtaPredictor(classifier, tta).probabilities(digits())  # type: ignore[arg-type]
    assert averaged.shape == (40, 10)
    assert np.allclose(averaged.sum(axis=1), 1, atol=1e-4)
    agree = (averaged.argmax(axis=1) == classifier.probabilities(digits()).argmax(axis=1)).mean()
    assert agree > 0.5, "far above the tenth of chance; digits are not their mirror images"


def test_the_shifts_go_eight_ways_and_one_stays() -> None:
    image = np.zeros((1, 32, 32, 3), np.uint8)
    image[0, 16, 16] = 255
    places = {tuple(np.argwhere(copy[0, :, :, 0])[0] - 16) for copy in shifted(image)}
    assert places == {(down, right) for down in (-2, 0, 2) for right in (-2, 0, 2)}


def test_the_crops_lie_on_a_grid_from_corner_to_corner() -> None:
    image = np.arange(40 * 40, dtype=np.uint16).reshape(1, 40, 40, 1)
    corners = {int(copy[0, 0, 0, 0]) for copy in crops(image, 32, 32)}
    assert corners == {40 * top + left for top in (0, 2, 4, 6, 8) for left in (0, 2, 4, 6, 8)}
