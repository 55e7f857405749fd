"""What the training step computes in its own way is what Keras computes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnnlab import architectures

pytestmark = pytest.mark.slow

RNG = np.random.default_rng(0)


def worked(layer: Any, inputs: np.ndarray, steps: int = 3) -> dict[str, np.ndarray]:
    """Everything a layer gives in training and after it, with its gradients."""
    from cnnlab.keras.backend import tf

    layer.build(inputs.shape)
    layer.gamma.assign(np.linspace(0.5, 2, inputs.shape[-1]))
    layer.beta.assign(np.linspace(-1, 1, inputs.shape[-1]))
    weights = np.random.default_rng(1).normal(size=inputs.shape)
    given = tf.constant(inputs)
    for _ in range(steps):
        with tf.GradientTape() as tape:
            tape.watch(given)
            outputs = layer(given, training=True)
            loss = tf.reduce_sum(tf.sin(outputs) * weights)
        gradients = tape.gradient(loss, [given, layer.gamma.value, layer.beta.value])
    found = {"outputs": outputs, "inputs'": gradients[0], "gamma'": gradients[1], "beta'": gradients[2]}
    found |= {"mean": layer.moving_mean.value, "variance": layer.moving_variance.value, "used": layer(given)}
    return {name: np.asarray(value) for name, value in found.items()}


@pytest.mark.parametrize("shape", [(8, 5, 4, 6), (8, 6)])
def test_batch_normalization_is_that_of_keras(shape: tuple[int, ...]) -> None:
    from cnnlab.keras.backend import keras
    from cnnlab.keras.training_layers import FusedBatchNormalization

    inputs = RNG.normal(2, 3, shape).astype(np.float32)
    expected = worked(keras.layers.BatchNormalization(momentum=0.9), inputs)
    found = worked(FusedBatchNormalization(momentum=0.9), inputs)
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=2e-4, atol=2e-4, err_msg=name)


def test_the_gradient_of_relu_in_bfloat16_is_one_above_zero_and_nought_elsewhere() -> None:
    from cnnlab.keras.backend import tf
    from cnnlab.keras.training_layers import half_relu

    given = tf.constant([-2.0, -0.0, 0.0, 1e-30, 3.0], tf.bfloat16)
    with tf.GradientTape() as tape:
        tape.watch(given)
        outputs = half_relu(given)
    slopes = tape.gradient(outputs, given, output_gradients=tf.fill((5,), tf.constant(7, tf.bfloat16)))
    assert outputs.numpy().astype(float).tolist() == pytest.approx([0, 0, 0, 1e-30, 3], rel=0.01)
    assert slopes.numpy().astype(float).tolist() == [0, 0, 0, 7, 7]


@pytest.mark.parametrize("name", ["minivggnet", "minigooglenet", "deepergooglenet"])
def test_what_training_saves_any_keras_model_of_the_network_reads(name: str, tmp_path: Path) -> None:
    from cnnlab.keras.model import keras_model
    from cnnlab.keras.training_layers import training_layers

    network = architectures.build(name)
    trained, plain = keras_model(network, training_layers()), keras_model(network)
    for variable in trained.variables:
        if variable.dtype == "float32":
            variable.assign(RNG.uniform(0.5, 1.5, variable.shape))
    trained.save_weights(tmp_path / "model.weights.h5")
    plain.load_weights(tmp_path / "model.weights.h5")
    for one, other in zip(trained.layers, plain.layers, strict=True):
        assert one.name == other.name
        for mine, theirs in zip(one.weights, other.weights, strict=True):
            np.testing.assert_array_equal(mine.numpy(), theirs.numpy(), err_msg=mine.path)
