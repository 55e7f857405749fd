"""The epochs of a training: steps, metrics, validation, checkpoints, and the word that ends it."""

from __future__ import annotations

import math
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from cnnlab.datasets import Split
from cnnlab.errors import UserError
from cnnlab.network import Network
from cnnlab.runs.initial import INITIAL_FOLDER
from cnnlab.runs.records import EpochRecord
from cnnlab.runs.run import WEIGHTS_FILE, Checkpoint, CheckpointInfo, Data, EpochTotals, Request, Run
from cnnlab.runs.sweeps.going import judge
from cnnlab.runs.sweeps.trial import Decision, said
from cnnlab.storage.files import append_record
from cnnlab.training.batches import epoch_batches
from cnnlab.training.closing import keep_reference
from cnnlab.training.filming import Filming
from cnnlab.training.pace import beside_an_epoch
from cnnlab.training.reporter import Reporter, Step

if TYPE_CHECKING:
    from cnnlab.training.trainer import Trainer

CHECKPOINT_SECONDS = 60.0
CHECKPOINT_SHARE = 0.01
EXPLODED = 20.0
HOPELESS = 1e6
LOOKED_AT = 20


@dataclass
class Loop:
    """The epochs of one run. `epoch` and `batch` count those done; `totals` sums up the epoch under way."""

    run: Run
    reporter: Reporter
    data: Data
    training: Split
    validation: Split
    epoch: int = 0
    batch: int = 0
    totals: EpochTotals = field(default_factory=EpochTotals)
    beside_seconds: float = 0.0
    judging_seconds: float = 0.0
    best: Checkpoint | None = None
    saved_at: float = 0.0
    save_seconds: float = 0.0
    saved_step: int = 0
    record: EpochRecord | None = None

    def __post_init__(self) -> None:
        self.experiment = self.run.config.experiment
        self.recipe = self.experiment.recipe
        self.steps_per_epoch = self.reporter.status.steps_per_epoch
        self.recent: deque[float] = deque(maxlen=LOOKED_AT)
        self.pending: list[tuple[Any, int]] = []
        self.looked = time.monotonic()

    @property
    def step(self) -> int:
        return self.epoch * self.steps_per_epoch + self.batch

    @property
    def place(self) -> float:
        """Epochs done, with the fraction of the one under way."""
        return self.epoch + self.batch / self.steps_per_epoch

    @property
    def seconds_per_image(self) -> float:
        """How long the network takes for an image, by the last validation."""
        return self.judging_seconds / max(len(self.validation), 1)

    # Beginning

    def prepare(self) -> None:
        """Build the network, and put it where the last checkpoint or the initial weights say."""
        from cnnlab.training.trainer import Trainer  # loads TensorFlow

        initial = self.experiment.initial
        self.trainer: Trainer = Trainer(
            self.run.network,
            self.recipe,
            self.data.preprocessing,
            frozen=initial.layers if initial and initial.freeze_epochs else (),
        )
        checkpoints = self.run.checkpoints()
        if checkpoints:
            self.go_on(checkpoints)
        elif initial:
            folder = self.run.folder / INITIAL_FOLDER
            network = Network.from_json((folder / "network.json").read_text())
            self.trainer.take(network, folder / WEIGHTS_FILE, initial.layers)
            self.run.log_event("started", f"{len(initial.layers)} layers begin with the weights of {initial.run}.")
        else:
            self.run.log_event("started")
        self.film = Filming(self.run, self.trainer, self.data, self.validation)
        self.film.begin(self.epoch, self.place)
        self.saved_at = time.monotonic()

    def go_on(self, checkpoints: list[Checkpoint]) -> None:
        """Go on from the newest checkpoint that can be read."""
        for point in reversed(checkpoints):
            try:
                same = self.trainer.restore(point)
            except (OSError, ValueError, KeyError) as error:
                print(f"The checkpoint at step {point.info.step:,} cannot be read: {error}", flush=True)
                self.run.log_event("damaged", f"The checkpoint at step {point.info.step:,} cannot be read.")
                continue
            break
        else:
            raise UserError("None of the run's checkpoints can be read; duplicate the run to train it anew.")
        info = point.info
        self.epoch, self.batch, self.totals = int(info.epoch), info.batch, info.totals.model_copy()
        record = cast("EpochRecord | None", info.record)  # a checkpoint keeps the history's line as it was written
        self.record, self.saved_step = record, self.step
        self.reporter.worked_before = info.worked
        if self.batch >= self.steps_per_epoch:
            raise UserError("The checkpoint lies in the middle of an epoch of another length.")
        history = self.run.history()
        if record and not any(line["epoch"] == record["epoch"] and line["loss"] == record["loss"] for line in history):
            append_record(self.run.folder / "history.jsonl", record)
        self.best = max(checkpoints, key=lambda found: (found.info.quality, found.info.step))
        anew = "" if same else " The optimizer is another and begins anew."
        self.run.log_event("resumed", f"From the checkpoint after {self.place:g} epochs, step {self.step:,}.{anew}")
        print(f"Resumed at step {self.step:,}.", flush=True)

    # Going

    def run_epochs(self) -> None:
        """Train until the last epoch, a request, or early stopping."""
        reporter, recipe = self.reporter, self.recipe
        message = ""
        while self.epoch < recipe.epochs:
            if decision := self.judged():
                self.leave_for_sweep(decision)
                return
            request = self.run_epoch()
            if request is None and self.run.request() == "stop-after-epoch":
                request = "stop-after-epoch"
            if request and self.epoch < recipe.epochs:
                self.leave(request)
                return
            if self.out_of_patience():
                message = f"Stopped early: no better validation accuracy for {recipe.early_stopping} epochs."
                break
        best = self.run.best_epoch()
        print(
            f"Completed. Best validation accuracy {best['validation_accuracy']:.1%}." if best else "Completed.",
            flush=True,
        )
        keep_reference(self.run, reporter, self.seconds_per_image)
        reporter.end("completed", message)

    def leave(self, request: Request) -> None:
        """End this sitting on request, with a checkpoint."""
        if self.step != self.saved_step:
            self.save()
        print(f"Ended on request after {self.step:,} steps.", flush=True)
        saved = "with a checkpoint" if self.run.checkpoints() else "before the first step: there is no checkpoint"
        paused = request == "pause"
        if not paused:
            keep_reference(self.run, self.reporter, self.seconds_per_image)
        self.reporter.end(
            "paused" if paused else "stopped", f"{'Paused' if paused else 'Stopped'} on request, {saved}."
        )

    def judged(self) -> Decision | None:
        """What the sweep that this is a trial of has decided after the epoch just finished, if that ends this sitting.

        Asked before an epoch rather than after one, so that a training killed in between asks when it is resumed.
        """
        decision = judge(self.run) if self.epoch and not self.batch else None
        return decision if decision and decision["action"] in ("pause", "stop") else None

    def leave_for_sweep(self, decision: Decision) -> None:
        """End this sitting as the sweep has decided, with a checkpoint to go on from exactly."""
        if self.step != self.saved_step:
            self.save()
        message = said(decision)
        print(message, flush=True)
        self.reporter.end("paused" if decision["action"] == "pause" else "stopped", message)

    def out_of_patience(self) -> bool:
        best = self.run.best_epoch()
        patience = self.recipe.early_stopping
        return bool(patience and best and self.epoch - best["epoch"] >= patience and self.epoch < self.recipe.epochs)

    def run_epoch(self) -> Request | None:
        """Train the rest of an epoch, validate, save; the request to end now, if one came before its end."""
        recipe, reporter = self.recipe, self.reporter
        self.began = time.monotonic()
        frozen = self.is_frozen(self.epoch)
        before = (recipe.image_size_at(self.epoch - 1), self.is_frozen(self.epoch - 1))
        reporter.begin_epoch(anew=bool(self.epoch) and before != (recipe.image_size_at(self.epoch), frozen))
        reporter.write_status("running")
        self.announce_rate()
        batches = epoch_batches(
            self.training, len(self.data.classes), self.data.preprocessing, recipe, self.epoch, self.batch
        )
        first = True
        for images, targets in batches:
            request = self.run.request()
            if request in ("stop", "pause"):
                self.collect()
                return request
            rate = recipe.learning_rate_at(self.place)
            self.pending.append((self.trainer.train_batch(images, targets, rate, frozen), len(images)))
            self.batch += 1
            if first or time.monotonic() - self.looked >= 0.2 or len(self.pending) >= LOOKED_AT:
                self.collect(rate)
            first = False
            if self.is_save_due():
                self.collect(rate)
                self.save()
        self.collect(recipe.learning_rate_at(self.place - 1 / self.steps_per_epoch))
        self.finish_epoch()
        return None

    def is_frozen(self, epoch: int) -> bool:
        return bool(self.experiment.initial and epoch < self.experiment.initial.freeze_epochs)

    def announce_rate(self) -> None:
        """Note where the schedule by steps changes the learning rate."""
        if self.recipe.schedule != "steps" or not self.epoch or self.batch:
            return
        rate, before = self.recipe.learning_rate_at(self.epoch), self.recipe.learning_rate_at(self.epoch - 1)
        if rate != before:
            self.run.log_event("learning rate", f"{before:g} to {rate:g} from epoch {self.epoch + 1} on.")

    def collect(self, rate: float | None = None) -> None:
        """Wait for the steps under way, add them up, look whether they are sound, and tell of them."""
        steps = []
        for figures, images in self.pending:
            loss, right, norm = (float(value) for value in figures.numpy())
            steps.append(Step(loss, right, images, norm))
            self.totals.loss += loss
            self.totals.right += right
            self.totals.norm += norm
            self.totals.seen += images
            self.totals.steps += 1
            self.check(loss / images)
        self.pending.clear()
        self.looked = time.monotonic()
        if steps:
            shown = self.recipe.learning_rate_at(self.place) if rate is None else rate
            self.reporter.report_steps(self.step, steps, shown, self.steps_left(), self.beside_seconds)

    def steps_left(self) -> float:
        """Steps to the end, each counted by its pixels beside those of one now."""
        height, width, _ = self.run.network.input_shape
        pixels = [
            size**2 if (size := self.recipe.image_size_at(epoch)) else height * width
            for epoch in range(self.epoch, self.recipe.epochs)
        ]
        return self.steps_per_epoch * sum(pixels) / pixels[0] - self.batch

    def check(self, loss: float) -> None:
        """Raises UserError once the loss is no longer a number or immense, or stays far above that of guessing."""
        self.recent.append(loss)
        mean = sum(self.recent) / len(self.recent)
        limit = EXPLODED * math.log(max(len(self.data.classes), 2))
        exploded = len(self.recent) == LOOKED_AT and mean > limit
        if loss < HOPELESS and not exploded:  # which a loss that is no number is not
            return
        what = f"the loss rose to {mean:.3g}" if exploded else f"the loss became {loss:.3g}"
        raise UserError(
            f"The training diverged: {what} at step {self.step:,}. Try a learning rate well below "
            f"{self.recipe.learning_rate:g}, a warm-up, or gradient clipping."
        )

    # The end of an epoch

    def finish_epoch(self) -> None:
        """Validate, write the epoch's line, and save."""
        reporter, totals = self.reporter, self.totals
        trained = time.monotonic()
        rate = reporter.pace.rate()
        judged = self.trainer.validate(self.validation)
        self.check(judged.loss)
        self.judging_seconds = judging = time.monotonic() - trained
        step, last = self.step, self.recipe.learning_rate_at(self.place - 1 / self.steps_per_epoch)
        self.epoch, self.batch = self.epoch + 1, 0
        record = EpochRecord(
            epoch=self.epoch,
            step=step,
            loss=totals.loss / totals.seen,
            accuracy=totals.right / totals.seen,
            validation_loss=judged.loss,
            validation_accuracy=judged.accuracy,
            validation_top5=judged.top5,
            learning_rate=last,
            gradient_norm=totals.norm / totals.steps,
            seconds=time.monotonic() - self.began,
            images_per_second=rate,
            memory=reporter.status.memory,
            worked=reporter.worked,
            time=time.time(),
        )
        self.totals, self.record = EpochTotals(), record
        # Before the checkpoint, so that a resumed run has the frame of the epoch it goes on from
        self.film.after_epoch(self.epoch, self.recipe.epochs, judged.confusion, reporter.worked)
        better = self.best is None or (judged.accuracy, -judged.loss) > self.best.info.quality
        asked = bool(self.recipe.checkpoint_every) and self.epoch % self.recipe.checkpoint_every == 0
        last_epoch = self.epoch == self.recipe.epochs
        if better or asked or last_epoch or self.run.request() or self.is_save_due(after_epoch=True):
            self.save(kept=asked)
        saving = time.monotonic() - trained - judging
        self.beside_seconds = beside_an_epoch(judging, saving, len(self.validation), rate)
        reporter.end_epoch(record)
        print(
            f"Epoch {self.epoch}/{self.recipe.epochs}: loss {record['loss']:.4f}, accuracy {record['accuracy']:.1%}; "
            f"validation loss {judged.loss:.4f}, accuracy {judged.accuracy:.1%}",
            flush=True,
        )

    def is_save_due(self, after_epoch: bool = False) -> bool:
        """Whether enough was trained since the last checkpoint that another costs less than a hundredth of it."""
        since = time.monotonic() - self.saved_at
        return since > max(self.save_seconds / CHECKPOINT_SHARE, 0 if after_epoch else CHECKPOINT_SECONDS)

    def save(self, kept: bool = False) -> None:
        """Save a checkpoint and keep, of all, the best, those asked for, and this one."""
        began = time.monotonic()
        record = None if self.batch else self.record
        info = CheckpointInfo(
            step=self.step,
            epoch=self.place,
            batch=self.batch,
            validation_accuracy=record["validation_accuracy"] if record else None,
            validation_loss=record["validation_loss"] if record else None,
            optimizer=self.recipe.optimizer,
            worked=self.reporter.worked,
            totals=self.totals,
            record=record,
            kept=kept,
        )
        point = self.trainer.save(self.run.folder / "checkpoints", info)
        if self.best is None or info.quality > self.best.info.quality:
            self.best = point
        self.run.delete_checkpoints_except([point, self.best])
        self.saved_at, self.saved_step = time.monotonic(), self.step
        self.save_seconds = self.saved_at - began
