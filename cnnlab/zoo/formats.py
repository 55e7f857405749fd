"""The formats of an export: what each is for, how it is written, and how its own runtime is asked."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cnnlab.inference.classifier import Probabilities

Format = Literal["keras", "saved_model", "litert", "onnx"]
INPUT = "image"
Ask = Callable[[Path, NDArray[np.float32]], Probabilities]


@dataclass(frozen=True)
class Form:
    """A format: what it is called and for, its file, how it is written, and how its own runtime is asked."""

    title: str
    purpose: str
    file: str
    packages: str
    write: Callable[[Any, Path], None]
    ask: Ask
    imports: str
    answer: str


def write_keras(model: Any, path: Path) -> None:
    model.save(path)


def ask_keras(path: Path, images: NDArray[np.float32]) -> Probabilities:
    from cnnlab.keras.backend import keras

    said: Probabilities = np.asarray(keras.models.load_model(path, safe_mode=True)(images, training=False))
    return said


def write_saved_model(model: Any, path: Path) -> None:
    model.export(str(path), format="tf_saved_model", verbose=False)


def ask_saved_model(path: Path, images: NDArray[np.float32]) -> Probabilities:
    from cnnlab.keras.backend import tf

    loaded = tf.saved_model.load(str(path))  # its variables live as long as it does
    said: Probabilities = loaded.serve(tf.constant(images)).numpy()
    return said


def write_litert(model: Any, path: Path) -> None:
    model.export(str(path), format="litert", verbose=False)


def ask_litert(path: Path, images: NDArray[np.float32]) -> Probabilities:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path))
    runner = interpreter.get_signature_runner()
    return np.concatenate([next(iter(runner(**{INPUT: image[None]}).values())) for image in images])


def write_onnx(model: Any, path: Path) -> None:
    with warnings.catch_warnings(category=FutureWarning, action="ignore"):  # Keras looks for a name NumPy gave up
        model.export(str(path), format="onnx", verbose=False)


def ask_onnx(path: Path, images: NDArray[np.float32]) -> Probabilities:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    said: Probabilities = session.run(None, {session.get_inputs()[0].name: images})[0]
    return said


EXPORT_FORMATS: dict[Format, Form] = {
    "keras": Form(
        "Keras",
        "to go on with in Python",
        "model.keras",
        "tensorflow",
        write_keras,
        ask_keras,
        "import keras",
        'keras.models.load_model("model.keras")(x).numpy()[0]',
    ),
    "saved_model": Form(
        "SavedModel",
        "for TensorFlow Serving",
        "model",
        "tensorflow",
        write_saved_model,
        ask_saved_model,
        'import tensorflow as tf; model = tf.saved_model.load("model")',
        "model.serve(tf.constant(x)).numpy()[0]",
    ),
    "litert": Form(
        "LiteRT",
        "for phones and small devices; TFLite until 2024",
        "model.tflite",
        "ai-edge-litert",
        write_litert,
        ask_litert,
        'from ai_edge_litert.interpreter import Interpreter; model = Interpreter("model.tflite")',
        f"next(iter(model.get_signature_runner()({INPUT}=x).values()))[0]",
    ),
    "onnx": Form(
        "ONNX",
        "for ONNX Runtime, OpenCV and most others",
        "model.onnx",
        "onnxruntime",
        write_onnx,
        ask_onnx,
        "import onnxruntime",
        f'onnxruntime.InferenceSession("model.onnx").run(None, {{"{INPUT}": x}})[0][0]',
    ),
}
