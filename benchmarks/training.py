"""How fast the trainer is beside PyTorch and bare Keras, and what it costs: `python benchmarks/training.py`.

PyTorch is needed for its part alone (`--part pytorch`); `--pytorch PYTHON` names another interpreter that has it.
Every figure that compares two things is a ratio within one run, their rounds alternating. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import contextlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from cnnlab_side import PLAIN
from sides import STEPS as SIDE_STEPS
from sides import Side, SideError, alternating

from cnnlab import architectures, datasets, hardware, runs
from cnnlab.datasets import Split
from cnnlab.datasets.preprocessing import Preprocessing
from cnnlab.experiments.augmentation import Augmentation, augment, mix
from cnnlab.experiments.experiment import plan
from cnnlab.experiments.recipe import make_recipe
from cnnlab.plots import training as plots
from cnnlab.runs.records import best_of
from cnnlab.runs.run import CheckpointInfo, Data, Run
from cnnlab.storage.files import append_record
from cnnlab.training.loop import Loop
from cnnlab.training.reporter import Reporter

BATCH, STEPS, ROUNDS = 128, 24, 5
CLASSES = 10
MEMORY_STEPS = 150
MEMORY = (("minivggnet", "cifar10", 2), ("minigooglenet", "cifar10", 2), ("deepergooglenet", "tiny-imagenet", 4))
RUNS, HISTORY_STEPS = 2000, 100_000
MEASURES: tuple[plots.CurveMeasure, ...] = ("accuracy", "loss")
EVERYTHING = Augmentation(flip=True, shift=4, rotation=10, zoom=0.1, brightness=0.2, contrast=0.2, cutout=8, mixup=0.2)


def beside_pytorch(python: str, folder: Path) -> None:
    """Both sides train the same networks by the same recipe, in turns, in each precision this machine computes in."""
    precisions = ["float32", *(["bfloat16"] if hardware.has_bfloat16() else [])]
    products = {}
    for precision in precisions:
        sides = {
            "TensorFlow": Side("cnnlab_side.py", "matmul", precision),
            "PyTorch": Side("pytorch_side.py", "matmul", precision, python=python),
        }
        rates = alternating(sides)
        products[precision] = max(rates.median(name) for name in sides)
    print("\n## Beside PyTorch\n")
    print(
        f"Batch {BATCH}, SGD with Nesterov momentum and weight decay, loss and accuracy read after every step; the "
        f"same network on both sides, PyTorch in channels_last. {ROUNDS} alternating rounds, medians of "
        "images per second; the ratio is the median over the rounds of cnnlab's rate to that of the faster PyTorch. "
        "The share is of the rate at which this machine multiplies matrices: "
        + ", ".join(f"{rate / 1e9:,.0f} GFLOP/s in {precision}" for precision, rate in products.items())
        + "; a step counts six operations for each multiply-accumulate of the network.\n"
    )
    print("| network | precision | cnnlab | PyTorch eager | PyTorch compiled | ratio | GFLOP/s | share |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for name, steps in SIDE_STEPS.items():
        network = architectures.build(name)
        path = folder / f"{name}.json"
        path.write_text(network.to_json())
        for precision in precisions:
            given = (BATCH, steps)
            sides = {
                "cnnlab": Side("cnnlab_side.py", path, precision, PLAIN, *given),
                "eager": Side("pytorch_side.py", path, precision, "eager", *given, python=python),
            }
            try:
                sides["compiled"] = Side("pytorch_side.py", path, precision, "compiled", *given, python=python)
            except SideError as error:
                print(f"PyTorch's compiler: {error}", file=sys.stderr)
            if len({side.weights for side in sides.values()}) > 1:
                raise SideError(f"{name} is not the same network on both sides.")
            rates = alternating(sides)
            best = max((way for way in sides if way != "cnnlab"), key=rates.median)
            compiled = f"{rates.median('compiled'):,.0f}" if "compiled" in sides else "failed"
            ours = rates.median("cnnlab")
            speed = 6 * network.multiply_adds * ours
            print(
                f"| {name} | {precision} | {ours:,.0f} | {rates.median('eager'):,.0f} | {compiled} | "
                f"{rates.ratio('cnnlab', best):.2f} | {speed / 1e9:,.0f} | {speed / products[precision]:.0%} |",
                flush=True,
            )


def memory_of(architecture: str, dataset: str, folder: Path) -> tuple[float, float]:
    """Largest resident set of a real training process over its first steps, and its own share of it, in bytes."""
    run = runs.create(plan(architecture, dataset, {}, make_recipe(batch_size=BATCH)), folder)
    training = subprocess.Popen([sys.executable, "-m", "cnnlab.training", str(run.folder)], stdout=subprocess.DEVNULL)
    process, resident, own = psutil.Process(training.pid), 0.0, 0.0
    try:
        while training.poll() is None and run.status().step < MEMORY_STEPS:
            used = process.memory_full_info()
            resident, own = max(resident, used.rss), max(own, used.uss)
            time.sleep(0.2)
    finally:
        training.kill()
        training.wait()
    return resident, own


def memory(folder: Path) -> None:
    print("\n## Memory\n")
    print(
        f"A training process over its first {MEMORY_STEPS} steps, batch {BATCH}: resident memory, and what of it is "
        "its own. The rest is the decoded data set, mapped from the disk, which the system takes back as it needs.\n"
    )
    print("| network | data set | resident | its own | promised |\n| --- | --- | ---: | ---: | ---: |")
    for architecture, dataset, promised in MEMORY:
        if datasets.SOURCES[dataset].find(datasets.data_root()) is None:
            print(f"| {architecture} | {dataset} | not here | | under {promised} GB |")
            continue
        resident, own = memory_of(architecture, dataset, folder)
        print(f"| {architecture} | {dataset} | {resident / 1e9:.2f} GB | {own / 1e9:.2f} GB | under {promised} GB |")


def images_of(count: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (count, 32, 32, 3), dtype=np.uint8), rng.integers(0, CLASSES, count)


def loop_of(folder: Path, **recipe: object) -> Loop:
    """The trainer of a run of MiniVGGNet on random images, ready for its first epoch."""
    experiment = plan("minivggnet", "cifar10", {}, make_recipe(epochs=1000, batch_size=BATCH, **recipe))
    run = runs.create(experiment, folder)
    reporter = Reporter(run)
    reporter.write_status("preparing", epochs=1000, steps_per_epoch=STEPS, training_images=STEPS * BATCH)
    images, labels = images_of(STEPS * BATCH)
    preprocessing = Preprocessing(
        image_size=(32, 32), input_size=(32, 32), mean=(127, 127, 127), deviation=(74, 74, 74)
    )
    data = Data(title="noise", classes=tuple("0123456789"), fingerprint="", preprocessing=preprocessing)
    training = Split("train", images, labels, np.arange(len(images)))
    loop = Loop(run, reporter, data, training, Split("validation", images, labels, np.arange(BATCH)))
    loop.prepare()
    return loop


def our_epoch(loop: Loop) -> float:
    """Images per second of one epoch of ours with live metrics; validation and checkpoint are not counted."""
    loop.best = None
    saved = loop.saved_at
    began = time.monotonic()
    with contextlib.redirect_stdout(sys.stderr):  # what it says of the epoch
        loop.run_epoch()
    spent = time.monotonic() - began - loop.judging_seconds
    if loop.saved_at != saved:
        spent -= loop.save_seconds
    return STEPS * BATCH / spent


def rates(ways: dict[str, Callable[[], float]]) -> dict[str, list[float]]:
    """Images per second of each way, its rounds alternating with the others'; the first round warms up."""
    found: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(ROUNDS + 1):
        for name, way in ways.items():
            rate = way()
            if number:
                found[name].append(rate)
    return found


def against_keras(folder: Path) -> tuple[dict[str, float], dict[str, float], Loop]:
    """Median rates, and their medians of ratios to the faster of the two bare ways."""
    from cnnlab.keras.backend import keras, tf
    from cnnlab.keras.model import keras_model

    loop = loop_of(folder)
    keras.config.set_dtype_policy(loop.trainer.model.dtype_policy)
    pixels, labels = images_of(STEPS * BATCH)
    inputs = ((pixels.astype(np.float32) - 127) / 74).astype(np.float32)

    fitted = keras_model(loop.run.network)
    fitted.compile(
        keras.optimizers.Adam(1e-3), {fitted.output_names[0]: "sparse_categorical_crossentropy"}, metrics=["accuracy"]
    )
    bare = keras_model(loop.run.network)
    optimizer = keras.optimizers.Adam(1e-3)
    optimizer.build(bare.trainable_variables)
    head = loop.run.network.outputs[0]

    @tf.function(input_signature=[tf.TensorSpec((None, 32, 32, 3), tf.float32), tf.TensorSpec((None,), tf.int64)])
    def step(images, wanted):
        with tf.GradientTape() as tape:
            losses = keras.losses.sparse_categorical_crossentropy(wanted, bare(images, training=True)[head])
            loss = tf.reduce_mean(losses)
        optimizer.apply(tape.gradient(loss, bare.trainable_variables), bare.trainable_variables)
        return loss

    def fit() -> float:
        began = time.monotonic()
        fitted.fit(inputs, labels, batch_size=BATCH, epochs=1, verbose=0)
        return len(inputs) / (time.monotonic() - began)

    def compiled() -> float:
        began = time.monotonic()
        for start in range(0, len(inputs), BATCH):
            float(step(tf.constant(inputs[start : start + BATCH]), tf.constant(labels[start : start + BATCH])))
        return len(inputs) / (time.monotonic() - began)

    found = rates({"cnnlab": lambda: our_epoch(loop), "model.fit": fit, "compiled step": compiled})
    medians = {name: statistics.median(values) for name, values in found.items()}
    faster = max(("model.fit", "compiled step"), key=medians.__getitem__)
    ratios = {
        name: statistics.median(a / b for a, b in zip(values, found[faster], strict=True))
        for name, values in found.items()
    }
    return medians, ratios, loop


def augmentation_rate() -> float:
    """Images per second of everything switched on, on one core."""
    images, labels = images_of(BATCH)
    targets = np.eye(CLASSES, dtype=np.float32)[labels]
    rng = np.random.default_rng(0)
    began, count = time.perf_counter(), 0
    while time.perf_counter() - began < 3:
        mix(augment(images, (32, 32), EVERYTHING, rng), targets, EVERYTHING.mixup, rng)
        count += BATCH
    return count / (time.perf_counter() - began)


def checkpoint_seconds(loop: Loop) -> float:
    info = CheckpointInfo(step=1, epoch=1.0)
    times = []
    for _ in range(5):
        began = time.monotonic()
        loop.trainer.save(loop.run.folder / "timed", info)
        times.append(time.monotonic() - began)
    return statistics.median(times)


def listing_seconds(folder: Path) -> tuple[float, float]:
    """Summing up 2,000 finished runs of 20 epochs each: for the first time, and again."""
    source = runs.create(plan("minivggnet", "digits", {}, make_recipe(epochs=20)), folder)
    for epoch in range(1, 21):
        figures = {"loss": 1 / epoch, "accuracy": 0.5, "validation_loss": 1 / epoch, "validation_accuracy": 0.5}
        append_record(source.folder / "history.jsonl", {"epoch": epoch, "step": 20 * epoch, **figures})
    source.write_status(source.status().model_copy(update={"state": "completed"}))
    files = {path.name: path.read_bytes() for path in source.folder.iterdir() if path.is_file()}
    for number in range(RUNS - 1):
        copy = folder / f"{source.id}-x{number:04d}"
        copy.mkdir()
        for name, content in files.items():
            (copy / name).write_bytes(content.replace(source.id.encode(), copy.name.encode()))
    times = []
    for _ in range(2):
        began = time.monotonic()
        runs.summaries(folder)
        times.append(time.monotonic() - began)
    return times[0], times[1]


def refresh_seconds(folder: Path) -> tuple[float, float]:
    """What the live page computes of a history of 100,000 steps: when it is opened, and each second after."""
    run = runs.create(plan("minivggnet", "digits", {}, make_recipe(epochs=1000)), folder)
    lines = [
        f'{{"step":{step},"epoch":{step / 100},"loss":{1 + 1 / step},"accuracy":0.5,"learning_rate":0.1,'
        f'"gradient_norm":1.0,"images_per_second":400.0,"worked":{step / 4}}}\n'
        for step in range(1, HISTORY_STEPS + 1)
    ]
    (run.folder / "steps.jsonl").write_text("".join(lines))
    for epoch in range(1, 1001):
        figures = {
            "loss": 1.0,
            "accuracy": 0.5,
            "validation_loss": 1.0,
            "validation_accuracy": 0.5,
            "worked": 25 * epoch,
        }
        append_record(run.folder / "history.jsonl", {"epoch": epoch, "step": 100 * epoch, **figures})

    def refresh() -> float:
        began = time.monotonic()
        history, steps = run.history(), run.steps()
        best = best_of(history)
        for measure in MEASURES:
            figure = plots.learning_curves(measure, history, steps, 1000, best["epoch"] if best else None)
            figure.to_json(engine="orjson")
        return time.monotonic() - began

    opened = refresh()
    again = []
    for extra in range(5):
        append_record(
            Run(run.folder).folder / "steps.jsonl",
            {"step": HISTORY_STEPS + 1 + extra, "epoch": 1000.01, "loss": 1.0, "accuracy": 0.5},
        )
        again.append(refresh())
    return opened, statistics.median(again)


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        medians, ratios, loop = against_keras(folder / "keras")
        augmented = augmentation_rate()
        saving = checkpoint_seconds(loop)
        first, again = listing_seconds(folder / "many")
        opened, refreshed = refresh_seconds(folder / "long")
    machine = hardware.describe()
    print("# The trainer\n")
    where = f"{machine['processor']}, {machine['cores']} cores, Python {platform.python_version()}"
    print(f"`python benchmarks/training.py` on {where}.")
    print(f"MiniVGGNet, 32x32, batch {BATCH}, {ROUNDS} alternating rounds of {STEPS} steps, medians;")
    print(f"all three in {'mixed precision' if hardware.has_bfloat16() else 'float32'}, this machine's default.\n")
    print("| what | images/s | against the faster bare way |\n| --- | ---: | ---: |")
    for way, rate in medians.items():
        print(f"| {way} | {rate:.0f} | {ratios[way]:.3f} |")
    print("\n| what | measured | promised |\n| --- | ---: | ---: |")
    times = augmented / medians["cnnlab"]
    print(
        f"| augmentation with everything on, one core | {augmented:.0f} images/s, {times:.0f} times the network's | 5 |"
    )
    every = max(60.0, saving / 0.01)
    share = f"{saving * 1000:.0f} ms, within an epoch every {every:.0f} s: {saving / every:.2%}"
    print(f"| a checkpoint | {share} | under 2% |")
    print(f"| a list of {RUNS:,} runs, first time | {first:.2f} s | under 1 s |")
    print(f"| the same again | {again * 1000:.0f} ms | |")
    print(f"| {HISTORY_STEPS:,} steps of history, page opened | {opened * 1000:.0f} ms | |")
    print(f"| the same, live refresh | {refreshed * 1000:.0f} ms | under 50 ms |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=("all", "trainer", "memory", "pytorch"), default="all")
    parser.add_argument("--pytorch", default=sys.executable, metavar="PYTHON", help="one that has torch")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        if chosen.part in ("all", "trainer"):
            main()
        if chosen.part in ("all", "memory"):
            memory(Path(name))
        if chosen.part in ("all", "pytorch"):
            beside_pytorch(chosen.pytorch, Path(name))
