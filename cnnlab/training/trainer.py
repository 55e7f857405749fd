"""The network in training: model, optimizer, weight averaging, and the compiled functions that use them.

Everything is built in the scope of a `tf.distribute` strategy and the step runs through `strategy.run`, so that one
device, several, or a cluster run the same code.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnlab.datasets import Split
from cnnlab.datasets.images import Pixels
from cnnlab.datasets.preprocessing import Preprocessing
from cnnlab.experiments.optimizers import OPTIMIZERS
from cnnlab.experiments.recipe import Recipe
from cnnlab.keras.backend import keras, tf
from cnnlab.keras.model import keras_model
from cnnlab.keras.training_layers import training_layers
from cnnlab.network import Network
from cnnlab.runs.run import STATE_FILE, WEIGHTS_FILE, Checkpoint, CheckpointInfo
from cnnlab.storage.leftovers import written_aside
from cnnlab.training.batches import Targets

EVALUATION_BATCH = 256
TOP = 5


@dataclass(frozen=True)
class Validation:
    """Means over a split: cross-entropy in nats, rank-1 and rank-5 accuracy; and how many images of each class were
    taken for each, `confusion` (true, predicted)."""

    loss: float
    accuracy: float
    top5: float
    confusion: NDArray[np.int64] = field(compare=False)


def local_strategy() -> Any:
    """All GPUs of this machine in step where it has several, else the one device there is."""
    several = len(tf.config.list_physical_devices("GPU")) > 1
    return tf.distribute.MirroredStrategy() if several else tf.distribute.get_strategy()


@contextmanager
def computing_in(policy: str) -> Iterator[None]:
    """Layers built meanwhile compute by this policy of Keras; others are left as they would be."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


class Trainer:
    """Trains one network; all randomness follows from the recipe's seed and the saved state.

    `frozen` names layers that `train_batch` leaves as they are while it is told to.
    """

    def __init__(
        self,
        network: Network,
        recipe: Recipe,
        preprocessing: Preprocessing,
        frozen: Sequence[str] = (),
        strategy: Any = None,
    ) -> None:
        keras.utils.set_random_seed(recipe.seed)
        if recipe.deterministic:
            tf.config.experimental.enable_op_determinism()
        self.network = network
        self.recipe = recipe
        self.preprocessing = preprocessing
        self.strategy = strategy or local_strategy()
        self.replicas = self.strategy.num_replicas_in_sync
        self.head = network.outputs[0]
        self.frozen = frozen
        self.decays = OPTIMIZERS[recipe.optimizer].decays
        with self.strategy.scope(), computing_in("mixed_bfloat16" if recipe.mixed_precision else "float32"):
            self.model = keras_model(network, training_layers(self.replicas, bool(recipe.image_sizes)))
            for layer in self.model.layers:
                if isinstance(layer, keras.layers.BatchNormalization):
                    layer.momentum = recipe.batch_normalization_momentum
            self.optimizer = make_optimizer(recipe)
            self.optimizer.build(self.model.trainable_variables)
            if self.decays:
                kept = [variable for variable in self.model.trainable_variables if not self._decays(variable)]
                self.optimizer.exclude_from_weight_decay(kept)
            self.floats = [variable for variable in self.model.variables if is_float(variable)]
            self.others = [variable for variable in self.model.variables if not is_float(variable)]
            self.average = self._shadows() if recipe.weight_averaging else []
        images = tf.TensorSpec((None, *self.model.input.shape[1:]), tf.uint8)
        targets = tf.TensorSpec((None, network.classes), tf.float32)
        labels = tf.TensorSpec((None,), tf.int64)
        signature = None if self.replicas > 1 else [images, targets]
        # No branch or loop here hangs on a tensor, so nothing needs to be rewritten before it is traced.
        compiled = partial(tf.function, autograph=False)
        self._train = compiled(self._train_everywhere, input_signature=signature)
        self._train_partly = compiled(self._train_everywhere, input_signature=signature)  # traced while frozen
        self._test = compiled(self._test_step, input_signature=[images, labels])
        self._parts: dict[tuple[str, ...], Any] = {}

    def _decays(self, variable: Any) -> bool:
        return self.recipe.decayed == "all" or variable.path.endswith("/kernel")

    def _shadows(self) -> list[Any]:
        return [tf.Variable(variable.value, trainable=False) for variable in self.floats]

    # One step

    def _train_everywhere(self, images: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
        """One step on all replicas: sum of the losses, right answers, norm of the gradient, as float32 (3,)."""
        figures = self.strategy.run(self._train_step, args=(images, targets))
        loss, right, norm = (
            self.strategy.reduce(how, figure, axis=None)
            for how, figure in zip(("SUM", "SUM", "MEAN"), figures, strict=True)
        )
        if self.average:
            taken = tf.cast(self.optimizer.iterations.value, tf.float32)
            decay = tf.minimum(self.recipe.weight_averaging, (1 + taken) / (10 + taken))
            for shadow, variable in zip(self.average, self.floats, strict=True):
                self.strategy.extended.update(
                    shadow, lambda old, new: old.assign_sub((1 - decay) * (old - new)), args=(variable.value,)
                )
        return tf.stack([loss, right, norm])

    def _train_step(self, images: tf.Tensor, targets: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        variables = self.model.trainable_variables
        whole_batch = tf.cast(tf.shape(images)[0] * self.replicas, tf.float32)
        with tf.GradientTape() as tape:
            outputs = self.model(self.preprocessing.normalize(images), training=True)  # by name, each (batch, classes)
            # Keras computes these from the logits before the softmax, so they stay exact for sure predictions
            losses = {
                name: tf.reduce_sum(keras.losses.categorical_crossentropy(targets, probabilities))
                for name, probabilities in outputs.items()
            }
            loss = losses.pop(self.head)
            total = loss + self.recipe.auxiliary_weight * tf.add_n(list(losses.values())) if losses else loss
            objective = total / whole_batch
        gradients = tape.gradient(objective, variables)
        gradients = tf.distribute.get_replica_context().all_reduce("SUM", gradients)
        norm = tf.linalg.global_norm(gradients)
        if self.recipe.gradient_clipping:
            gradients, _ = tf.clip_by_global_norm(gradients, self.recipe.gradient_clipping, use_norm=norm)
        if self.recipe.weight_decay and not self.decays:
            gradients = [
                gradient + self.recipe.weight_decay * variable.value if self._decays(variable) else gradient
                for gradient, variable in zip(gradients, variables, strict=True)
            ]
        if self.replicas > 1:  # Keras's optimizer adds the replicas' gradients up once more
            gradients = [gradient / self.replicas for gradient in gradients]
        self.optimizer.apply(gradients, variables)
        return loss, correct(tf.argmax(targets, axis=-1), outputs[self.head]), norm

    def _test_step(self, images: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
        probabilities = self.model(self.preprocessing.normalize(images), training=False)[self.head]
        losses = keras.losses.sparse_categorical_crossentropy(labels, probabilities)
        right, among = correct(labels, probabilities), correct(labels, probabilities, TOP)
        return tf.reduce_sum(losses), right, among, tf.argmax(probabilities, axis=-1)

    def train_batch(self, images: Pixels, targets: Targets, learning_rate: float, frozen: bool = False) -> tf.Tensor:
        """One step on fitted uint8 images (batch, height, width, 3) and soft targets (batch, classes).

        Gives (sum of the losses, right answers, norm of the gradient) without waiting for it.
        """
        self.optimizer.learning_rate = learning_rate
        inputs, wanted = self._shared_out(images), self._shared_out(targets)
        if not (frozen and self.frozen):
            return self._train(inputs, wanted)
        with self._not_trainable():
            return self._train_partly(inputs, wanted)

    def _shared_out(self, array: Any) -> Any:
        """A batch as the replicas take it, a share each."""
        if self.replicas == 1:
            return tf.constant(array)
        shares = np.array_split(array, self.replicas)
        return self.strategy.experimental_distribute_values_from_function(
            lambda context: tf.constant(shares[context.replica_id_in_sync_group])
        )

    @contextmanager
    def _not_trainable(self) -> Iterator[None]:
        layers = [self.model.get_layer(name) for name in self.frozen]
        for layer in layers:
            layer.trainable = False
        try:
            yield
        finally:
            for layer in layers:
                layer.trainable = True

    # Judging and keeping

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """The averaged weights in the model's place, where the recipe averages; afterwards the trained ones again."""
        if not self.average:
            yield
            return
        trained = [variable.numpy() for variable in self.floats]
        for variable, shadow in zip(self.floats, self.average, strict=True):
            variable.assign(shadow.numpy())
        try:
            yield
        finally:
            for variable, value in zip(self.floats, trained, strict=True):
                variable.assign(value)

    def validate(self, split: Split) -> Validation:
        """The figures of the network over a split, with dropout off and the moving batch statistics."""
        total, right, among = 0.0, 0, 0
        classes = self.network.classes
        confusion = np.zeros(classes * classes, np.int64)
        with self.averaged():
            for start in range(0, len(split), EVALUATION_BATCH):
                images, labels = split.batch(slice(start, start + EVALUATION_BATCH))
                fitted = tf.constant(self.preprocessing.fit_all(images))
                loss, hits, near, predicted = self._test(fitted, tf.constant(labels))
                total, right, among = total + float(loss), right + int(hits), among + int(near)
                np.add.at(confusion, labels * classes + predicted.numpy(), 1)
        means = (total / len(split), right / len(split), among / len(split))
        return Validation(*means, confusion.reshape(classes, classes))

    def answers(self, images: Pixels, layers: Sequence[str]) -> tuple[NDArray[np.float32], list[NDArray[np.float32]]]:
        """What the network says of a few fitted images (count, classes), and these layers' feature maps (count, height,
        width, channels). Not compiled: that would take longer than to ask it now and then."""
        part = self._parts.get(tuple(layers))
        if part is None:
            outputs = [self.model.output[self.head], *(self.model.get_layer(name).output for name in layers)]
            part = self._parts[tuple(layers)] = keras.Model(self.model.inputs, outputs)
        probabilities, *maps = part(self.preprocessing.normalize(tf.constant(images)), training=False)
        return tf.cast(probabilities, tf.float32).numpy(), [tf.cast(one, tf.float32).numpy() for one in maps]

    def state(self) -> dict[str, Any]:
        """What goes on beside the used weights: optimizer, random generators; with averaging, the trained weights."""
        parts = {"optimizer": self.optimizer.variables, "random": self.others}
        if self.average:
            parts["trained"] = self.floats
            parts["average"] = self.average
        return {
            f"{part}/{index:04d}": np.asarray(variable.numpy())
            for part, variables in parts.items()
            for index, variable in enumerate(variables)
        }

    def save(self, folder: Path, info: CheckpointInfo) -> Checkpoint:
        """Write a checkpoint under `folder`; it appears there only when it is complete."""
        target = folder / f"step-{info.step:08d}"
        with written_aside(target, lasting=True) as partial:
            partial.mkdir(parents=True)
            with self.averaged():
                self.model.save_weights(partial / WEIGHTS_FILE)
            np.savez(partial / STATE_FILE, **self.state())
            (partial / "checkpoint.json").write_text(info.model_dump_json())
        return Checkpoint(target, info)

    def restore(self, checkpoint: Checkpoint) -> bool:
        """Go on from a checkpoint; False where the optimizer is another than the one that was saved, and begins anew.

        Raises ValueError, KeyError or OSError where its files do not hold what this network needs.
        """
        self.model.load_weights(checkpoint.weights)
        with np.load(checkpoint.state) as saved:
            state = {name: saved[name] for name in saved.files}

        def put(part: str, variables: Sequence[Any]) -> bool:
            values = [state[name] for name in sorted(state) if name.startswith(f"{part}/")]
            if [value.shape for value in values] != [tuple(variable.shape) for variable in variables]:
                return False
            for variable, value in zip(variables, values, strict=True):
                variable.assign(value)
            return True

        if any(name.startswith("trained/") for name in state):
            put("trained", self.floats)
        if self.average and not put("average", self.average):
            for shadow, variable in zip(self.average, self.floats, strict=True):
                shadow.assign(variable.numpy())
        put("random", self.others)
        same = checkpoint.info.optimizer in (None, self.recipe.optimizer)
        return same and put("optimizer", self.optimizer.variables)

    def take(self, network: Network, weights: Path, layers: Sequence[str]) -> None:
        """Copy these layers' weights from another network's weights file."""
        source = keras_model(network)
        source.load_weights(weights)
        for name in layers:
            self.model.get_layer(name).set_weights(source.get_layer(name).get_weights())
        for shadow, variable in zip(self.average, self.floats, strict=False):
            shadow.assign(variable.numpy())


def correct(labels: tf.Tensor, probabilities: tf.Tensor, k: int = 1) -> tf.Tensor:
    """How many of the batch have their label among the k most probable classes, as float32."""
    if k == 1:
        hits = tf.equal(tf.argmax(probabilities, axis=-1), labels)
    else:
        hits = tf.math.in_top_k(labels, tf.cast(probabilities, tf.float32), k)
    return tf.reduce_sum(tf.cast(hits, tf.float32))


def is_float(variable: Any) -> bool:
    return bool(tf.as_dtype(variable.dtype).is_floating)


def make_optimizer(recipe: Recipe) -> keras.optimizers.Optimizer:
    """The optimizer of Keras that the recipe names, with the settings that it takes."""
    chosen = OPTIMIZERS[recipe.optimizer]
    names = (*chosen.settings, *(("weight_decay",) if chosen.decays else ()))
    arguments = {name: getattr(recipe, name) for name in names}
    return getattr(keras.optimizers, chosen.keras)(recipe.learning_rate, **arguments)
