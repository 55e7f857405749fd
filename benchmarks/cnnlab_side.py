"""A network trained by cnnlab's trainer, for `benchmarks/training.py` and `benchmarks/ablations.py`.

`python benchmarks/cnnlab_side.py NETWORK.json float32|bfloat16 ABLATION BATCH STEPS` says "ready" with the number of
trainable parameters and then, for each line it reads, trains so many steps and answers with images per second. ABLATION
changes one thing about how cnnlab does it: "as it is" is none, the others are in ABLATIONS. With `matmul PRECISION` it
answers with the operations per second of multiplying matrices.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))


MATRIX, PRODUCTS = 2048, 10


def keras_layers(*names: str) -> None:
    """Take Keras's own layers of these names again."""
    from cnnlab.training import trainer

    ours = trainer.training_layers
    trainer.training_layers = lambda *given: {  # type: ignore[assignment]
        name: layer for name, layer in ours(*given).items() if name not in names
    }


def threads(intra: int, inter: int) -> None:
    from cnnlab.keras.backend import tf

    tf.config.threading.set_intra_op_parallelism_threads(intra)
    tf.config.threading.set_inter_op_parallelism_threads(inter)


def compiled_by_xla() -> None:
    from cnnlab.keras.backend import tf

    plain = tf.function
    tf.function = lambda *given, **named: plain(*given, **named, jit_compile=True)


def without_bias() -> None:
    """No biases in convolutions: batch normalization takes them away again, so their gradient is nought."""
    from cnnlab.keras.backend import keras
    from cnnlab.training import trainer

    ours = trainer.training_layers

    def bare(*given: Any, **named: Any) -> Any:
        return keras.layers.Conv2D(*given, **named, use_bias=False)

    trainer.training_layers = lambda *given: {**ours(*given), "Conv2D": bare}


def environment(**changes: str) -> Callable[[], None]:
    return lambda: os.environ.update(changes)


PLAIN = "as it is"
ABLATIONS: dict[str, Callable[[], None]] = {
    PLAIN: lambda: None,
    "Keras's batch normalization": lambda: keras_layers("BatchNormalization"),
    "TensorFlow's gradient of ReLU": lambda: keras_layers("Activation"),
    "Keras's layers throughout": lambda: keras_layers("BatchNormalization", "Activation"),
    "no bias before batch normalization": without_bias,
    "one thread for both pools": lambda: threads(1, 1),
    "oneDNN off": environment(TF_ENABLE_ONEDNN_OPTS="0"),
    "XLA (jit_compile)": compiled_by_xla,
    "one inter-op thread": lambda: threads(len(os.sched_getaffinity(0)), 1),
    "one intra-op thread": lambda: threads(1, len(os.sched_getaffinity(0))),
    "twice the intra-op threads": lambda: threads(2 * len(os.sched_getaffinity(0)), 2),
}
"""What is changed, done before TensorFlow is loaded."""


def matmul(precision: str) -> None:
    """For each line read, operations per second of multiplying square matrices."""
    from cnnlab.keras.backend import tf

    one = tf.cast(tf.random.normal((MATRIX, MATRIX)), precision)
    multiply = tf.function(tf.matmul)
    multiply(one, one)
    print("ready 0", flush=True)
    for _ in sys.stdin:
        began = time.perf_counter()
        for _ in range(PRODUCTS):
            product = multiply(one, one)
        product[0, 0].numpy()
        print(PRODUCTS * 2 * MATRIX**3 / (time.perf_counter() - began), flush=True)


def main(path: str, precision: str, ablation: str, batch: int, steps: int) -> None:
    ABLATIONS[ablation]()
    from cnnlab.datasets.preprocessing import Preprocessing
    from cnnlab.experiments.recipe import make_recipe
    from cnnlab.network import Network
    from cnnlab.training.trainer import Trainer

    network = Network.from_json(Path(path).read_text())
    height, width, channels = network.input_shape
    size = (height, width)
    recipe = make_recipe(optimizer="sgd", weight_decay=5e-4, mixed_precision=precision == "bfloat16")
    mean, deviation = (127.0, 127.0, 127.0), (74.0, 74.0, 74.0)
    trainer = Trainer(network, recipe, Preprocessing(image_size=size, input_size=size, mean=mean, deviation=deviation))
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (batch, height, width, channels), dtype=np.uint8)
    targets = np.eye(network.classes, dtype=np.float32)[rng.integers(0, network.classes, batch)]

    def step() -> None:
        trainer.train_batch(images, targets, 0.01).numpy()

    for _ in range(3):
        step()
    print("ready", sum(int(np.prod(variable.shape)) for variable in trainer.model.trainable_variables), flush=True)
    for _ in sys.stdin:
        began = time.perf_counter()
        for _ in range(steps):
            step()
        print(batch * steps / (time.perf_counter() - began), flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "matmul":
        matmul(sys.argv[2])
    else:
        main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
