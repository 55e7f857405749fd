"""The one layer that Keras lacks. The generated scripts carry the text of this class, there without its prefix."""

from __future__ import annotations

from typing import Any

from cnnlab.keras.backend import keras, tf


@keras.saving.register_keras_serializable("cnnlab", "LocalResponseNormalization")
class KerasLocalResponseNormalization(keras.layers.Layer):  # type: ignore[misc]
    """x / (bias + alpha * sum of squares over 2 * radius + 1 channels) ** beta (Krizhevsky et al., 2012)."""

    def __init__(self, radius: int, bias: float, alpha: float, beta: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.radius, self.bias, self.alpha, self.beta = radius, bias, alpha, beta

    def call(self, inputs: Any) -> Any:
        return tf.nn.local_response_normalization(inputs, self.radius, self.bias, self.alpha, self.beta)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        settings = {"radius": self.radius, "bias": self.bias, "alpha": self.alpha, "beta": self.beta}
        return {**super().get_config(), **settings}


KerasLocalResponseNormalization.__name__ = "LocalResponseNormalization"  # as files name it
