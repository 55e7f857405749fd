"""The network in training: model, optimizer, and the two compiled functions that use them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cnnlab.backend import keras, tf
from cnnlab.datasets import Split
from cnnlab.images import Pixels
from cnnlab.keras_model import keras_model
from cnnlab.network import Network
from cnnlab.preprocessing import Preprocessing
from cnnlab.runs.run import WEIGHTS_FILE, Checkpoint, CheckpointInfo
from cnnlab.training.recipe import Recipe

EVALUATION_BATCH = 256


class Trainer:
    """Trains one network; all randomness follows from the recipe's seed."""

    def __init__(self, network: Network, recipe: Recipe, preprocessing: Preprocessing) -> None:
        keras.utils.set_random_seed(recipe.seed)
        self.recipe = recipe
        self.preprocessing = preprocessing
        self.model = keras_model(network)
        self.head = network.outputs[0]
        self.optimizer = make_optimizer(recipe)
        self.optimizer.build(self.model.trainable_variables)
        images = tf.TensorSpec((None, *network.input_shape), tf.uint8)
        labels = tf.TensorSpec((None,), tf.int64)
        self._train = tf.function(self._train_step, input_signature=[images, labels])
        self._test = tf.function(self._test_step, input_signature=[images, labels])

    def _train_step(self, images: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        inputs = self.preprocessing.normalize(images)
        with tf.GradientTape() as tape:
            outputs = self.model(inputs, training=True)  # by name, each (batch, classes)
            # Keras computes these from the logits before the softmax, so they stay exact for sure predictions
            losses = {
                name: tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(labels, probabilities))
                for name, probabilities in outputs.items()
            }
            loss = losses.pop(self.head)
            total = loss + self.recipe.auxiliary_weight * tf.add_n(list(losses.values())) if losses else loss
        gradients = tape.gradient(total, self.model.trainable_variables)
        self.optimizer.apply(gradients, self.model.trainable_variables)
        return loss, correct(labels, outputs[self.head])

    def _test_step(self, images: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        probabilities = self.model(self.preprocessing.normalize(images), training=False)[self.head]
        losses = keras.losses.sparse_categorical_crossentropy(labels, probabilities)
        return tf.reduce_sum(losses), correct(labels, probabilities)

    def train_batch(self, images: Pixels, labels: NDArray[np.int64], learning_rate: float) -> tuple[float, int]:
        """One step on fitted uint8 images (batch, height, width, 3): mean loss, number of right answers."""
        self.optimizer.learning_rate = learning_rate
        loss, right = self._train(tf.constant(images), tf.constant(labels))
        return float(loss), int(right)

    def validate(self, split: Split) -> tuple[float, float]:
        """Mean loss and accuracy over a split, with dropout off and the moving batch statistics."""
        total, right = 0.0, 0
        for start in range(0, len(split), EVALUATION_BATCH):
            images, labels = split.batch(slice(start, start + EVALUATION_BATCH))
            loss, count = self._test(tf.constant(self.preprocessing.fit_all(images)), tf.constant(labels))
            total, right = total + float(loss), right + int(count)
        return total / len(split), right / len(split)

    def save(self, folder: Path, info: CheckpointInfo) -> Checkpoint:
        """Write a checkpoint under `folder`; it appears there only when it is complete."""
        target = folder / f"step-{info.step:08d}"
        partial = folder / f".step-{info.step:08d}.partial"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        self.model.save_weights(partial / WEIGHTS_FILE)
        state = {f"{index:04d}": variable.numpy() for index, variable in enumerate(self.optimizer.variables)}
        np.savez(partial / "optimizer.npz", **state)
        (partial / "checkpoint.json").write_text(info.model_dump_json())
        for file in partial.iterdir():
            with file.open("rb") as handle:
                os.fsync(handle.fileno())
        shutil.rmtree(target, ignore_errors=True)
        partial.replace(target)
        return Checkpoint(target, info)


def correct(labels: tf.Tensor, probabilities: tf.Tensor) -> tf.Tensor:
    """How many of the batch have their label as the most probable class."""
    hits = tf.equal(tf.argmax(probabilities, axis=-1), labels)
    return tf.reduce_sum(tf.cast(hits, tf.int32))


def make_optimizer(recipe: Recipe) -> keras.optimizers.Optimizer:
    match recipe.optimizer:
        case "adam":
            return keras.optimizers.Adam(recipe.learning_rate)
        case "sgd":
            return keras.optimizers.SGD(recipe.learning_rate, momentum=0.9, nesterov=True)
