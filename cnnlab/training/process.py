"""The training process: from a run directory to a trained network, telling the directory everything on the way."""

from __future__ import annotations

import math
import os
import signal
import time
import traceback
from dataclasses import dataclass
from types import FrameType

from cnnlab import datasets
from cnnlab.datasets import Split
from cnnlab.errors import UserError
from cnnlab.runs.files import write_text
from cnnlab.runs.process import record_process, start_heartbeat
from cnnlab.runs.run import Checkpoint, CheckpointInfo, Data, Run
from cnnlab.training.batches import epoch_batches
from cnnlab.training.reporter import Reporter


def main(run: Run) -> int:
    """Train a run to its end; the exit code is 0 if it completed or was stopped, 1 if it failed."""
    record_process(run.folder, os.getpid())
    start_heartbeat(run.folder)
    reporter = Reporter(run)

    def stop(number: int, frame: FrameType | None) -> None:
        run.request_stop()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    try:
        train(run, reporter)
    except UserError as error:
        fail(reporter, str(error))
    except MemoryError:
        fail(reporter, "The machine ran out of memory; a smaller batch size or input needs less.")
    except OSError as error:
        fail(reporter, f"Reading or writing files failed: {error}.")
    except Exception as error:
        traceback.print_exc()
        fail(reporter, f"The training broke down ({type(error).__name__}); the log says where.")
    return 1 if reporter.status.state == "failed" else 0


def fail(reporter: Reporter, message: str) -> None:
    print(f"Failed: {message}", flush=True)
    reporter.say("failed", message, ended=time.time(), seconds_left=None)


def train(run: Run, reporter: Reporter) -> None:
    """Prepare the data, train epoch by epoch, and leave the state completed or stopped.

    Raises UserError with a sentence for a person where the data is missing or the training diverges.
    """
    experiment = run.config.experiment
    recipe = experiment.recipe
    reporter.say("preparing", "Opening the data set", epochs=recipe.epochs)
    dataset = datasets.load(experiment.dataset, reporter.progress)
    training, validation = dataset.training_splits(recipe.validation_fraction, recipe.seed)
    steps_per_epoch = recipe.steps_per_epoch(len(training))
    height, width, _ = run.network.input_shape
    data = Data(
        title=dataset.title,
        classes=dataset.classes,
        fingerprint=dataset.fingerprint,
        preprocessing=dataset.preprocessing((height, width)),
    )
    write_text(run.folder / "data.json", data.model_dump_json(indent=1))
    reporter.say(
        "preparing",
        "Loading TensorFlow and building the network",
        steps_per_epoch=steps_per_epoch,
        training_images=len(training),
        validation_images=len(validation),
    )
    print(f"{dataset.title}: {len(training):,} images to train on, {len(validation):,} to validate.", flush=True)
    loop = Loop(run, reporter, data, training, validation)
    for epoch in range(recipe.epochs):
        if not loop.run_epoch(epoch):
            loop.save_in_between()
            print(f"Stopped after {reporter.status.step:,} steps.", flush=True)
            saved = "with a checkpoint" if run.checkpoints() else "before the first step: there is no checkpoint"
            reporter.say("stopped", f"Stopped on request, {saved}.", ended=time.time(), seconds_left=None)
            return
    best = run.best_epoch()
    print(
        f"Completed. Best validation accuracy {best['validation_accuracy']:.1%}." if best else "Completed.", flush=True
    )
    reporter.say("completed", ended=time.time(), seconds_left=None)


@dataclass
class Loop:
    """The epochs of one run."""

    run: Run
    reporter: Reporter
    data: Data
    training: Split
    validation: Split
    validation_seconds: float = 0.0
    best: Checkpoint | None = None
    step: int = 0

    def __post_init__(self) -> None:
        from cnnlab.training.trainer import Trainer  # loads TensorFlow

        self.recipe = self.run.config.experiment.recipe
        self.trainer = Trainer(self.run.network, self.recipe, self.data.preprocessing)

    def run_epoch(self, epoch: int) -> bool:
        """Train one epoch (from 0), validate, save; False if a stop was asked for before its end."""
        reporter, recipe = self.reporter, self.recipe
        began = time.monotonic()
        total, right, seen = 0.0, 0, 0
        reporter.begin_epoch()
        for images, labels in epoch_batches(
            self.training, self.data.preprocessing, recipe.batch_size, recipe.seed, epoch
        ):
            if self.run.stop_requested():
                return False
            learning_rate = recipe.learning_rate_at(self.step, reporter.status.steps)
            loss, hits = self.trainer.train_batch(images, labels, learning_rate)
            self.step += 1
            self.check(loss)
            if self.step == 1:
                reporter.say("running")
            total, right, seen = total + loss * len(labels), right + hits, seen + len(labels)
            reporter.step(self.step, loss, hits, len(labels), self.validation_seconds)
            if self.step == 1:
                reporter.begin_epoch()  # the first step compiled the network: it says nothing of the speed
        rate = reporter.rate()
        trained = time.monotonic()
        validation_loss, validation_accuracy = self.trainer.validate(self.validation)
        self.check(validation_loss)
        self.validation_seconds = time.monotonic() - trained
        self.save(
            CheckpointInfo(
                step=self.step,
                epoch=epoch + 1,
                validation_accuracy=validation_accuracy,
                validation_loss=validation_loss,
            )
        )
        reporter.end_epoch(
            {
                "epoch": epoch + 1,
                "step": self.step,
                "loss": total / seen,
                "accuracy": right / seen,
                "validation_loss": validation_loss,
                "validation_accuracy": validation_accuracy,
                "learning_rate": recipe.learning_rate_at(self.step - 1, reporter.status.steps),
                "seconds": time.monotonic() - began,
                "images_per_second": rate,
            }
        )
        print(
            f"Epoch {epoch + 1}/{recipe.epochs}: loss {total / seen:.4f}, accuracy {right / seen:.1%}; "
            f"validation loss {validation_loss:.4f}, accuracy {validation_accuracy:.1%}",
            flush=True,
        )
        return True

    def check(self, loss: float) -> None:
        """Raises UserError once a loss is no longer a number."""
        if not math.isfinite(loss):
            rate = self.recipe.learning_rate
            raise UserError(
                f"The training diverged: the loss became {loss} at step {self.step:,}. "
                f"Try a learning rate well below {rate:g}."
            )

    def save_in_between(self) -> None:
        """Save where a stop cut an epoch short, unless the last epoch's end was just saved."""
        if self.step and self.step % self.reporter.status.steps_per_epoch:
            self.save(CheckpointInfo(step=self.step, epoch=self.step / self.reporter.status.steps_per_epoch))

    def save(self, info: CheckpointInfo) -> None:
        """Save a checkpoint and keep, of all, the best and this one."""
        point = self.trainer.save(self.run.folder / "checkpoints", info)
        if self.best is None or info.quality > self.best.info.quality:
            self.best = point
        self.run.delete_checkpoints_except([point, self.best])
