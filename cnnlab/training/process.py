"""The training process: from a run directory to a trained network, writing everything into the directory on the way."""

from __future__ import annotations

import errno
import os
import signal
import time
import traceback
from contextlib import suppress
from pathlib import Path
from types import FrameType

from cnnlab import datasets, hardware
from cnnlab.datasets.corruption import corrupt
from cnnlab.errors import UserError
from cnnlab.hardware import THREADS_VARIABLE
from cnnlab.runs.place import JOB_VARIABLE, given_elsewhere
from cnnlab.runs.run import OUT_OF_ROOM, Data, Run
from cnnlab.runs.sweeps.going import go_on_after
from cnnlab.storage.files import FULL, write_text
from cnnlab.storage.process import only_one, record_process, start_heartbeat
from cnnlab.training.loggers import start_logger
from cnnlab.training.loop import Loop
from cnnlab.training.reporter import Reporter

LOCK_SECONDS = 60.0


def main(run: Run) -> int:
    """Train a run to its end; the exit code is 0 if it completed or was stopped, 1 if it failed.

    On a cluster the process before it may still be ending on another node, so it waits for the run's lock.
    """
    until = time.monotonic() + (LOCK_SECONDS if JOB_VARIABLE in os.environ else 0.0)
    while True:
        with only_one(run.folder / "lock") as alone:
            if given_elsewhere(run.folder):
                print("The run was ended, or given to another process, before this one began.", flush=True)
                return 0
            if alone:
                code = work(run)
                break
        if time.monotonic() >= until:
            print("Another process trains this run already.", flush=True)
            return 0
        time.sleep(1.0)
    go_on_after(run)
    return code


def work(run: Run) -> int:
    reporter = Reporter(run)
    try:
        record_process(run.folder, os.getpid())
        run.clean_up()
        start_heartbeat(run.folder)

        def stop(number: int, frame: FrameType | None) -> None:
            if given_elsewhere(run.folder):
                os._exit(1)  # the process that has it now must not read a request that was not meant for it
            run.send_request("stop")

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        reporter.write_status("starting")
        train(run, reporter)
    except UserError as error:
        fail(reporter, str(error))
    except MemoryError:
        fail(reporter, "The machine ran out of memory; a smaller batch size or input needs less.")
    except OSError as error:
        fail(reporter, explained(error, run.folder))
    except Exception as error:
        with suppress(OSError):
            traceback.print_exc()
        fail(reporter, breakdown(error, run.folder))
    return 1 if reporter.status.state == "failed" else 0


def explained(error: OSError, folder: Path) -> str:
    if error.errno in FULL:
        where = Path(error.filename).parent if isinstance(error.filename, str) and error.filename else folder
        return (
            f"The disk is full, or a limit on file sizes is reached, in {where}: make room, then resume from the last "
            "checkpoint."
        )
    return f"Reading or writing files failed: {error}."


def breakdown(error: Exception, folder: Path) -> str:
    kind = type(error).__name__
    text = str(error)
    if kind == "ResourceExhaustedError" or "bad_alloc" in text:
        return "The machine ran out of memory; a smaller batch size or input needs less."
    if any(sign in text for sign in OUT_OF_ROOM):
        return explained(OSError(errno.ENOSPC, ""), folder)
    return f"The training broke down ({kind}); the log says where."


def fail(reporter: Reporter, message: str) -> None:
    with suppress(OSError):  # the log may stand on a full disk
        print(f"Failed: {message}", flush=True)
    reporter.end("failed", message)


def train(run: Run, reporter: Reporter) -> None:
    """Prepare the data, train on from where the run stands, and leave the state completed, paused or stopped.

    Raises UserError with a sentence for a person where the data is missing or the training diverges.
    """
    experiment = run.config.experiment
    recipe = experiment.recipe
    reporter.write_status("preparing", "Opening the data set", epochs=recipe.epochs)
    dataset = datasets.load(experiment.dataset, reporter.progress)
    training, validation = dataset.training_splits(recipe.validation_fraction, recipe.seed)
    training = corrupt(training, dataset, recipe.pixels, recipe.seed, recipe.label_noise)
    validation = corrupt(validation, dataset, recipe.pixels, recipe.seed)
    steps_per_epoch = recipe.steps_per_epoch(len(training))
    height, width, _ = run.network.input_shape
    data = Data(
        title=dataset.title,
        classes=dataset.classes,
        fingerprint=dataset.fingerprint,
        preprocessing=dataset.preprocessing((height, width)).model_copy(update={"crop": recipe.crop}),
        threads=hardware.threads() or hardware.cores(),
    )
    if (run.folder / "data.json").exists() and run.checkpoints():
        if run.data.fingerprint != data.fingerprint:
            raise UserError(f"The {dataset.title} images are no longer those that this run began with.")
        data = data.model_copy(update={"threads": run.data.threads or data.threads}) if recipe.deterministic else data
    os.environ[THREADS_VARIABLE] = str(data.threads)
    write_text(run.folder / "data.json", data.model_dump_json(indent=1))
    reporter.write_status(
        "preparing",
        "Loading TensorFlow and building the network",
        steps_per_epoch=steps_per_epoch,
        training_images=len(training),
        validation_images=len(validation),
    )
    print(f"{dataset.title}: {len(training):,} images to train on, {len(validation):,} to validate.", flush=True)
    loop = Loop(run, reporter, data, training, validation)
    loop.prepare()
    reporter.loggers = [
        start_logger(name, run.id, run.folder, experiment.settings(), loop.step) for name in experiment.loggers
    ]
    loop.run_epochs()
