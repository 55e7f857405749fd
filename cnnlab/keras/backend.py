"""TensorFlow, set up once for this machine. Nothing else in cnnlab imports it or chooses its settings.

oneDNN's kernels are off by default on processors without AVX-512, where they train MiniVGGNet 1.4 times as
fast as TensorFlow's own; the variables must be set before TensorFlow is imported.

Streamlit calls Keras's `clear_session` whenever a script has run. That empties TensorFlow's cache of kernels, so that
the next call of any compiled function took 120 ms instead of 5; there is no session to clear, so nothing is cleared.

What TensorFlow loads is there to stay: looking through it for garbage, over and over while it loads, took a quarter of
the time that loading takes.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager

from cnnlab.hardware import threads

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


@contextmanager
def without_stderr() -> Iterator[None]:
    """TensorFlow's libraries greet on file descriptor 2 while they load, whatever the log level; spare people that."""
    saved, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(null)


@contextmanager
def without_looking_for_garbage() -> Iterator[None]:
    """What is loaded meanwhile is never looked through, neither now nor later."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


with without_stderr(), without_looking_for_garbage():
    import keras
    import tensorflow as tf

    keras.backend.clear_session = lambda *settings, **named: None
    tf.config.list_physical_devices()  # the last of the greetings
    if (count := threads()) is not None:
        tf.config.threading.set_intra_op_parallelism_threads(count)

__all__ = ["keras", "tf"]
