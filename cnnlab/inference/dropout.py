"""Dropout as in training, which no prediction uses: some values zero, the others scaled up."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cnnlab.inference.activations import Values


def drawn(values: Values, rate: float, draw: int) -> tuple[Values, NDArray[np.bool_]]:
    """What Keras's dropout makes of a layer's values in one draw, and which of them it keeps."""
    from cnnlab.keras.backend import keras

    def dropped(given: Values) -> Values:
        return np.asarray(keras.random.dropout(given[None], rate, seed=draw)[0], np.float32)

    return dropped(values), dropped(np.ones_like(values)) > 0
