"""Layers as a training step computes them: the same arithmetic and weights as Keras's, in fewer passes over memory.

Keras builds batch normalization of a dozen small operations, each of which reads and writes the whole feature map,
and in mixed precision in float32; TensorFlow's fused operation does it in one, forward and back. What is gained is in
`benchmarks/training.md`, and what was tried besides in `benchmarks/ablations.md`.
"""

from __future__ import annotations

from typing import Any

from cnnlab.keras.backend import keras, tf


class FusedBatchNormalization(keras.layers.BatchNormalization):  # type: ignore[misc]
    """Batch normalization over the last axis of feature maps (batch, height, width, channels) or vectors."""

    def call(self, inputs: tf.Tensor, training: bool | None = None, mask: None = None) -> tf.Tensor:
        learning = bool(training and self.trainable)
        shape = tf.shape(inputs)
        maps = inputs if len(inputs.shape) == 4 else tf.reshape(inputs, (shape[0], 1, 1, inputs.shape[-1]))
        known = (self.moving_mean.value, self.moving_variance.value)
        mean, variance = (tf.zeros(0), tf.zeros(0)) if learning else known
        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=maps,
            scale=self.gamma.value,
            offset=self.beta.value,
            mean=mean,
            variance=variance,
            epsilon=self.epsilon,
            is_training=learning,
        )
        if learning:
            count = tf.cast(tf.reduce_prod(tf.shape(maps)[:-1]), tf.float32)
            biased = variance * (count - 1) / count  # the operation gives the unbiased variance, Keras keeps the other
            for moving, value in ((self.moving_mean, mean), (self.moving_variance, biased)):
                moving.assign(self.momentum * moving + (1 - self.momentum) * value)
        return outputs if maps is inputs else tf.reshape(outputs, shape)


FusedBatchNormalization.__name__ = "BatchNormalization"  # checkpoints keep its weights under the name of the class


def relu(inputs: tf.Tensor) -> tf.Tensor:
    return half_relu(inputs) if inputs.dtype == tf.bfloat16 else tf.nn.relu(inputs)


@tf.custom_gradient  # type: ignore[untyped-decorator]
def half_relu(inputs: tf.Tensor) -> tuple[tf.Tensor, Any]:
    """Rectified linear units in bfloat16, with the gradient by selection: a little faster than TensorFlow's own."""
    outputs = tf.nn.relu(inputs)

    def gradient(upstream: tf.Tensor) -> tf.Tensor:
        return tf.where(outputs > 0, upstream, tf.zeros((), upstream.dtype))

    return outputs, gradient


class FastActivation(keras.layers.Activation):  # type: ignore[misc]
    def __init__(self, activation: str, **kwargs: Any) -> None:
        super().__init__(relu if activation == "relu" else activation, **kwargs)


def synchronized(**kwargs: Any) -> Any:
    """Batch normalization with its statistics over all replicas, which is Keras's to do."""
    return keras.layers.BatchNormalization(synchronized=True, **kwargs)


def any_size(shape: tuple[int, ...], name: str) -> Any:
    """An input of any height and width."""
    return keras.Input((None, None, shape[-1]), name=name)


def training_layers(replicas: int = 1, sizes: bool = False) -> dict[str, Any]:
    """Kinds of layer, by the name of Keras's, for a training on so many devices in step; with images of many sizes."""
    kinds = {
        "Activation": FastActivation,
        "BatchNormalization": FusedBatchNormalization if replicas == 1 else synchronized,
    }
    return kinds | {"Input": any_size} if sizes else kinds
