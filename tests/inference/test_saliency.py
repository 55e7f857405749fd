"""Occlusion, integrated gradients, SmoothGrad, and the checks that say whether a picture explains anything."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnnlab import datasets
from cnnlab.datasets.images import Pixels
from cnnlab.errors import UserError
from cnnlab.inference.attribution_checks import (
    VERDICTS,
    RandomizationTest,
    copied,
    randomization,
    randomization_of,
    rank_correlation,
    removal_curves,
)
from cnnlab.inference.attribution_pictures import DIVERGING, beside, ends, laid_over, picture
from cnnlab.inference.classifier import Classifier, load_classifier
from cnnlab.inference.probe import Probe
from cnnlab.inference.saliency import (
    METHODS,
    Attribution,
    attribute,
    edges,
    integrated_gradients,
    occlusion,
    refusal_of,
    smooth_gradient,
)
from cnnlab.runs.run import Run
from cnnlab.zoo.imported import import_model
from tests.conftest import assert_one_line
from tests.inference.test_explain import noise, untrained


@pytest.fixture(scope="module")
def classifier(trained_run: Run) -> Classifier:
    return load_classifier(trained_run)


@pytest.fixture(scope="module")
def probe(classifier: Classifier) -> Probe:
    return Probe(classifier)


@pytest.fixture(scope="module")
def digit(classifier: Classifier) -> Pixels:
    return classifier.data.preprocessing.fit(datasets.load("digits").test_images[3])


@pytest.fixture
def linear(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Classifier:
    """An imported file whose outputs are weighted sums of its 8x8 pixels, from 0 to 1."""
    from cnnlab.keras.backend import keras

    monkeypatch.setenv("CNNLAB_DATA", str(tmp_path / "data"))
    model = keras.Sequential([keras.layers.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(3)])
    model.save(tmp_path / "linear.keras")
    return load_classifier(import_model(tmp_path / "linear.keras", "Linear", values="0 to 1"))


def top(classifier: Classifier, inputs: Pixels) -> int:
    return int(classifier.function(inputs[None]).numpy()[0].argmax())


def test_integrated_gradients_of_a_real_network_sum_to_what_they_explain(
    classifier: Classifier, probe: Probe, digit: Pixels
) -> None:
    """Completeness, Sundararajan et al., 2017, proposition 1."""
    label = top(classifier, digit)
    found, completeness = integrated_gradients(probe, digit, label, most_steps=8192)
    own, black = classifier.function(np.stack([digit, np.zeros_like(digit)])).numpy()[:, label]
    assert completeness.difference == pytest.approx(own - black, abs=1e-5)
    assert completeness.holds
    assert found.sum() == pytest.approx(own - black, rel=0.011, abs=2e-6)
    few = integrated_gradients(probe, digit, label, most_steps=16)[1]
    assert few.steps == 16
    assert few.holds == (few.error <= 0.01)


def test_too_few_steps_for_completeness_are_said_to_be(probe: Probe, digit: Pixels, classifier: Classifier) -> None:
    found = replace(integrated_gradients(probe, digit, top(classifier, digit))[1], total=0.5, difference=0.6)
    assert not found.holds
    assert found.error == pytest.approx(1 / 6)


@pytest.mark.slow
def test_a_linear_networks_integrated_gradients_are_weight_times_input(linear: Classifier) -> None:
    inputs = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    kernel = linear.model.layers[-1].get_weights()[0]
    for label in range(3):
        found, completeness = integrated_gradients(Probe(linear), inputs, label)
        assert np.allclose(found, kernel[:, label].reshape(8, 8, 3) * inputs / 255, atol=1e-5)
        assert completeness.holds


@pytest.mark.slow
def test_smoothgrad_without_noise_is_the_gradient_of_the_score(linear: Classifier) -> None:
    inputs = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    kernel = linear.model.layers[-1].get_weights()[0][:, 1].reshape(8, 8, 3)
    assert np.allclose(smooth_gradient(Probe(linear), inputs, 1, noise=0), kernel / 255, atol=1e-6)


def test_smoothgrad_takes_the_score_before_softmax(classifier: Classifier, probe: Probe, digit: Pixels) -> None:
    """Its gradient does not vanish where the probability is all but 1, and differs from the probability's."""
    from cnnlab.keras.backend import tf

    label = top(classifier, digit)
    given = tf.constant(digit[None], tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(given)
        answer = classifier.model(classifier.data.preprocessing.normalize(given))[classifier.run.network.outputs[0]]
        # The score is the log of the probability, up to what all classes share: so are differences of gradients.
        ratio = tf.math.log(answer[:, label]) - tf.math.log(answer[:, 0])
    wanted = tape.gradient(ratio, given).numpy()[0]
    found = smooth_gradient(probe, digit, label, noise=0) - smooth_gradient(probe, digit, 0, noise=0)
    assert np.allclose(found, wanted, atol=1e-3 * np.abs(wanted).max())


def test_noise_is_the_same_at_every_call(probe: Probe, digit: Pixels) -> None:
    assert (smooth_gradient(probe, digit, 3, samples=4) == smooth_gradient(probe, digit, 3, samples=4)).all()


def test_covering_a_part_of_a_constant_image_changes_nothing(probe: Probe, digit: Pixels) -> None:
    assert np.allclose(occlusion(probe, np.full_like(digit, 77), 3), 0, atol=1e-6)


@pytest.mark.slow
def test_occlusion_finds_the_one_pixel_block_that_a_network_looks_at(linear: Classifier) -> None:
    kernel = np.zeros((8, 8, 3, 3), np.float32)
    kernel[2:4, 4:6] = 1
    linear.model.layers[-1].set_weights([kernel.reshape(-1, 3), np.zeros(3, np.float32)])
    inputs = np.zeros((8, 8, 3), np.uint8)
    inputs[2:4, 4:6] = 255
    found = occlusion(Probe(linear), inputs, 0)
    assert np.unravel_index(found.argmax(), found.shape)[0] in (2, 3)
    assert np.unravel_index(found.argmax(), found.shape)[1] in (4, 5)
    assert abs(found[6:, :2]).max() < 1e-4


def test_deletion_begins_at_the_networks_probability_and_ends_at_the_baselines(
    classifier: Classifier, probe: Probe, digit: Pixels
) -> None:
    """And insertion ends where deletion begins, with the whole image."""
    label = top(classifier, digit)
    own = classifier.function(digit[None]).numpy()[0, label]
    mean = np.broadcast_to(digit.reshape(-1, 3).mean(axis=0), digit.shape).astype(np.float32)
    baseline = probe.probabilities(1, lambda _: mean)[0, label]
    deletion, insertion = removal_curves(probe, digit, label, attribute(probe, digit, label, "occlusion").values)
    for values in (deletion.ordered, deletion.random):
        assert values[0] == pytest.approx(own, abs=1e-5)
        assert values[-1] == pytest.approx(baseline, abs=1e-5)
    assert insertion.ordered[-1] == pytest.approx(own, abs=1e-5)
    assert insertion.ordered[0] == insertion.random[0] != insertion.ordered[-1]
    assert 0 <= deletion.area <= 1
    assert deletion.shares[0] == 0
    assert deletion.shares[-1] == 1


def test_the_parts_that_occlusion_marks_matter_more_than_random_ones(
    classifier: Classifier, probe: Probe, digit: Pixels
) -> None:
    label = top(classifier, digit)
    deletion, insertion = removal_curves(probe, digit, label, attribute(probe, digit, label, "occlusion").values)
    assert deletion.area < deletion.random_area or insertion.area > insertion.random_area


def test_random_weights_leave_edges_as_they_are_and_change_grad_cam(classifier: Classifier, digit: Pixels) -> None:
    """Adebayo et al., 2018: what does not change explains nothing, and is said to."""
    before = classifier.model.get_weights()
    label = top(classifier, digit)
    control = randomization(classifier, lambda _: edges(digit))
    assert [stage.similarity for stage in control.stages] == pytest.approx([1.0] * len(control.stages))
    assert control.verdict == "unchanged"
    assert "explains nothing" in VERDICTS[control.verdict]
    shares: list[float] = []
    grad_cam = randomization_of(classifier, digit, label, "grad-cam", shares.append)
    assert grad_cam.stages[-1].similarity < 0.7
    assert grad_cam.verdict != "unchanged"
    layers = [stage.layers for stage in grad_cam.stages]
    assert layers == sorted(set(layers))
    assert grad_cam.stages[0].lowest == "fc2"
    assert grad_cam.stages[-1].lowest == "block1_conv1"
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)
    assert all((one == other).all() for one, other in zip(before, classifier.model.get_weights(), strict=True))


def test_a_copy_answers_as_its_original_and_may_be_changed(classifier: Classifier, linear: Classifier) -> None:
    for one in (classifier, linear):
        copy = copied(one)
        assert all((a == b).all() for a, b in zip(copy.get_weights(), one.model.get_weights(), strict=True))
        copy.set_weights([np.zeros_like(weights) for weights in copy.get_weights()])
        assert any(weights.any() for weights in one.model.get_weights())


def test_rank_correlation_is_spearmans_and_nothing_without_an_order() -> None:
    one = np.arange(16, dtype=np.float32).reshape(4, 4)
    assert rank_correlation(one, np.exp(one)) == pytest.approx(1)
    assert rank_correlation(one, -one) == pytest.approx(-1)
    assert rank_correlation(one, np.zeros((4, 4), np.float32)) == 0
    assert RandomizationTest(()).stages == ()


@pytest.mark.parametrize(
    ("name", "options", "cam"),
    [
        ("minigooglenet", {}, True),
        ("nin", {}, True),
        ("googlenet", {"input_size": 96, "classes": 7, "auxiliary_heads": True}, True),
        ("vgg_a", {"input_size": 32, "classes": 5, "width": 0.25}, False),
    ],
)
def test_every_method_explains_every_network_or_says_why_not(
    classifier: Classifier, name: str, options: dict[str, Any], cam: bool
) -> None:
    one = untrained(classifier, name, **options)
    one = replace(
        one, function=lambda given: one.model(one.data.preprocessing.normalize(given))[one.run.network.outputs[0]]
    )
    classes = tuple(str(number) for number in range(one.run.network.classes))
    one = replace(one, data=one.data.model_copy(update={"classes": classes}))
    inputs, probe = noise(one), Probe(one)
    for method in METHODS:
        if method == "cam" and not cam:
            with pytest.raises(UserError) as told:
                attribute(probe, inputs, 1, method)
            assert_one_line(str(told.value), "global average pooling", "Grad-CAM")
            continue
        found = attribute(probe, inputs, 1, method, quick=True)
        assert np.isfinite(found.values).all()
        assert found.values.ndim == 2
        assert found.signed or (found.values >= 0).all()


@pytest.mark.slow
def test_an_imported_file_is_explained_without_knowing_its_layers(linear: Classifier) -> None:
    probe = Probe(linear)
    for method in ("cam", "grad-cam"):
        assert "imported as a file" in str(refusal_of(probe, method))
    inputs = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    for method in ("occlusion", "integrated-gradients", "smoothgrad"):
        assert refusal_of(probe, method) is None
        assert attribute(probe, inputs, 2, method).values.any()
    assert len(randomization_of(linear, inputs, 2, "smoothgrad").stages) == 1


@pytest.mark.parametrize("method", [method for method in METHODS if method != "cam"])
def test_weights_that_are_no_numbers_and_classes_that_are_not_there_are_refused(
    classifier: Classifier, digit: Pixels, method: Any
) -> None:
    broken = replace(classifier, model=copied(classifier))
    broken.model.set_weights([np.full_like(weights, np.nan) for weights in broken.model.get_weights()])
    with pytest.raises(UserError) as told:
        attribute(Probe(broken), digit, 3, method)
    assert_one_line(str(told.value), "NaN", "another checkpoint")
    with pytest.raises(UserError) as told:
        attribute(Probe(classifier), digit, 10, method)
    assert_one_line(str(told.value), "10", "0 to 9")


def test_memory_is_bounded_by_the_batch(classifier: Classifier, probe: Probe, digit: Pixels) -> None:
    asked: list[int] = []

    def image(number: int) -> Any:
        asked.append(number)
        return digit.astype(np.float32)

    assert len(probe.probabilities(2 * probe.batch + 1, image)) == 2 * probe.batch + 1
    assert asked == list(range(2 * probe.batch + 1))
    large = classifier.data.preprocessing.model_copy(update={"input_size": (224, 224)})
    assert Probe(replace(classifier, data=classifier.data.model_copy(update={"preprocessing": large}))).batch == 5


def drawn(values: Any, method: Any = "occlusion") -> Attribution:
    return Attribution(method, 0, np.asarray(values, np.float32), 0.5, False)


def test_zero_is_the_middle_of_a_signed_scale_and_hides_nothing() -> None:
    inputs = np.full((2, 2, 3), 90, np.uint8)
    found = drawn([[-1, 0], [0, 3]])
    low, high = ends(found)
    assert low == -high
    assert (picture(found)[0, 1] == DIVERGING[1]).all()
    over = laid_over(found, inputs, 1.0)
    assert (over[0, 1] == 90).all()
    assert over[1, 1, 0] > over[1, 1, 2], "orange for it"
    assert over[0, 0, 2] > over[0, 0, 0], "blue against it"
    assert (laid_over(found, inputs, 0.0) == 90).all()


@pytest.mark.parametrize("method", METHODS)
def test_a_picture_without_values_and_a_one_pixel_picture_are_drawn(method: Any) -> None:
    empty = drawn(np.zeros((4, 4)), method)
    inputs = np.full((8, 8, 3), 90, np.uint8)
    assert (laid_over(empty, inputs, 1.0) == 90).all()
    whole = beside(inputs, drawn([[2.0]], method), 0.5, 64)
    assert whole.size == (3 * 64 + 2 * 12, 64)
