"""What every layer computes: the network's own answers, with and without some channels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnnlab.architectures import build
from cnnlab.errors import UserError
from cnnlab.inference.activations import ActivationModel, of_classifier, untrained
from cnnlab.inference.classifier import load_classifier
from cnnlab.network import Builder, Network
from cnnlab.zoo.shipped import shipped_names, shipped_run
from tests.conftest import assert_one_line

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def data_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CNNLAB_DATA", str(tmp_path / "data"))


def noise(height: int, width: int) -> Any:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def small(channels: int = 3) -> Network:
    net = Builder("small")
    x = net.conv(net.input((8, 8, channels)), 4, 3, name="conv")
    x = net.dropout(net.batch_norm(x, name="bn"), 0.5, name="dropout")
    return net.build(net.dense(net.global_average_pool(x, name="gap"), 3, name="fc", activation="softmax"))


def test_many_networks_are_looked_into_without_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    """First in this file: TensorFlow warns at most twice in a process of functions that it compiles over and over."""
    models: list[ActivationModel] = [untrained(small()) for _ in range(8)]
    for model in models:
        model.activations(noise(8, 8))
    assert not caplog.records


@pytest.mark.parametrize("name", shipped_names())
def test_the_last_layer_says_what_the_network_says(name: str) -> None:
    classifier = load_classifier(shipped_run(name))
    model = of_classifier(classifier)
    photo = noise(90, 120)
    seen = model.activations(classifier.data.preprocessing.fit(photo))
    np.testing.assert_allclose(seen.probabilities, classifier.probabilities([photo])[0], rtol=1e-5, atol=1e-7)
    assert list(seen.values) == [node.name for node in model.network.layers]
    assert {value.dtype for value in seen.values.values()} == {np.dtype(np.float32)}
    assert all(seen.values[node.name].shape == node.output_shape for node in model.network.layers)
    for node in model.network.layers:
        assert {weight.name: weight.shape for weight in node.weights} == {
            name: value.shape for name, value in model.weights(node.name).items()
        }


def test_every_head_of_a_network_answers() -> None:
    network = build("googlenet", {"auxiliary_heads": True, "classes": 5})
    model = untrained(network)
    assert len(network.outputs) == 3
    image = noise(224, 224)
    seen = model.activations(image)
    said = model.model(model.preprocessing.normalize(image[None]), training=False)
    for name in network.outputs:
        np.testing.assert_allclose(seen.values[name], said[name].numpy()[0], rtol=1e-5, atol=1e-7)
    assert seen.probabilities is seen.values[network.outputs[0]]


def test_an_untrained_network_is_the_same_each_time_and_leaves_the_random_state_alone() -> None:
    from cnnlab.keras.backend import tf

    drawn = []
    for between in (lambda: None, lambda: untrained(small())):
        np.random.seed(5)
        tf.random.set_seed(5)
        between()
        drawn.append((np.random.uniform(), float(tf.random.uniform(()))))
    assert drawn[0] == drawn[1]
    one, other = untrained(small()), untrained(small())
    for name, value in one.weights("conv").items():
        np.testing.assert_array_equal(value, other.weights("conv")[name])
    limit = np.sqrt(6 / (27 + 36))  # of Glorot and Bengio's uniform distribution
    assert 0.8 * limit < np.abs(one.weights("conv")["kernel"]).max() <= limit


def test_a_grey_network_is_given_the_mean_of_the_colours() -> None:
    model = untrained(small(channels=1))
    image = noise(8, 8)
    seen = model.activations(image)
    grey = (image.mean(-1, keepdims=True) - 127.5) / 127.5
    np.testing.assert_allclose(seen.values["input"], grey, rtol=1e-5, atol=1e-5)
    with pytest.raises(UserError) as refused:
        untrained(small(channels=4))
    assert_one_line(str(refused.value), "8×8×4")


@pytest.mark.parametrize("channels", [None, [0, 3]])
def test_what_is_silenced_gives_zeros_and_changes_what_follows(channels: list[int] | None) -> None:
    model = untrained(small())
    image = noise(8, 8)
    plain, hushed = model.activations(image), model.activations(image, {"bn": channels})
    assert hushed.silenced == {"bn": channels}
    np.testing.assert_array_equal(hushed.values["conv"], plain.values["conv"])
    gone = hushed.values["bn"][..., channels if channels else slice(None)]
    assert not gone.any()
    assert (hushed.probabilities != plain.probabilities).any()
    if channels:
        np.testing.assert_array_equal(hushed.values["bn"][..., 1:3], plain.values["bn"][..., 1:3])
    else:
        biases = model.weights("fc")["bias"]
        np.testing.assert_allclose(hushed.probabilities, np.exp(biases) / np.exp(biases).sum(), rtol=1e-6)
    nothing = model.activations(image, {"bn": []})
    np.testing.assert_array_equal(nothing.probabilities, plain.probabilities)


@pytest.mark.parametrize(
    ("silenced", "parts"),
    [
        ({"absent": None}, ("'absent'", "small")),
        ({"conv": [4]}, ("channel 4", "0 to 3")),
        ({"conv": [-1]}, ("channel -1",)),
        ({"fc": None}, ("fc", "probabilities")),
    ],
)
def test_what_cannot_be_silenced_is_refused(silenced: Any, parts: tuple[str, ...]) -> None:
    with pytest.raises(UserError) as refused:
        untrained(small()).activations(noise(8, 8), silenced)
    assert_one_line(str(refused.value), *parts)


def test_weights_that_are_no_numbers_are_shown_as_such_and_can_be_silenced() -> None:
    model = untrained(small())
    assert untrained(small()).broken == ()
    kernel, bias = model.model.get_layer("conv").get_weights()
    kernel[..., 2] = np.nan
    model.model.get_layer("conv").set_weights([kernel, bias])
    seen = model.activations(noise(8, 8))
    assert model.broken == ("conv",)
    assert np.isnan(seen.values["bn"][..., 2]).all()
    assert not np.isnan(seen.values["bn"][..., [0, 1, 3]]).any()
    assert np.isnan(seen.probabilities).all()
    assert not np.isnan(model.activations(noise(8, 8), {"bn": [2]}).probabilities).any()
