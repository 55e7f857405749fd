"""How fast a trained network answers, and which way of asking it is fastest: `python benchmarks/prediction.py`.

MiniGoogLeNet on 32x32 images, weights as they were drawn. The ways are timed in turns within one run. Prints a Markdown
table.
"""

from __future__ import annotations

import io
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from cnnlab import hardware, runs
from cnnlab.datasets import Split
from cnnlab.datasets.preprocessing import Preprocessing
from cnnlab.evaluation.store import predict_all
from cnnlab.experiments.experiment import plan
from cnnlab.experiments.recipe import make_recipe
from cnnlab.inference.classifier import Classifier, Prediction, classify, load_classifier, top_classes
from cnnlab.runs.run import CheckpointInfo, Data, Run
from cnnlab.storage.files import write_text
from cnnlab.zoo import export
from cnnlab.zoo.formats import EXPORT_FORMATS

PROJECT = Path(__file__).resolve().parents[1]
CLASSES = tuple("abcdefghij")
ROUNDS, SINGLE_CALLS, LARGE = 7, 20, 256
MANY, EVALUATED = 1_000, 10_000
FIRST = """
import sys, time
began = time.monotonic()
from pathlib import Path
from cnnlab.inference.classifier import load_classifier
from cnnlab.runs.run import Run
import numpy as np
load_classifier(Run(Path(sys.argv[1]))).probabilities(np.zeros((1, 32, 32, 3), np.uint8))
print(time.monotonic() - began)
"""


def drawn_run(folder: Path) -> Run:
    """A run of MiniGoogLeNet with the weights it was drawn with."""
    from cnnlab.keras.model import keras_model

    run = runs.create(plan("minigooglenet", "cifar10", {"input_size": 32}, make_recipe(epochs=1)), folder)
    preprocessing = Preprocessing(
        image_size=(32, 32), input_size=(32, 32), mean=(125, 123, 114), deviation=(62, 62, 66)
    )
    data = Data(title="noise", classes=CLASSES, fingerprint="", preprocessing=preprocessing)
    write_text(run.folder / "data.json", data.model_dump_json())
    point = run.folder / "checkpoints" / "step-00000001"
    point.mkdir(parents=True)
    keras_model(run.network).save_weights(point / "model.weights.h5")
    write_text(point / "checkpoint.json", CheckpointInfo(step=1, epoch=1).model_dump_json())
    return run


def noise(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 32, 32, 3), dtype=np.uint8)


def png(image: np.ndarray) -> bytes:
    out = io.BytesIO()
    Image.fromarray(image).save(out, "PNG")
    return out.getvalue()


def ways(classifier: Classifier, folder: Path) -> dict[str, Callable[[np.ndarray], Any]]:
    """uint8 images to probabilities, each by another path."""
    import onnxruntime
    from ai_edge_litert.interpreter import Interpreter

    from cnnlab.keras.backend import tf

    model = export.exported_model(classifier)
    for form in ("litert", "onnx"):
        EXPORT_FORMATS[form].write(model, folder / EXPORT_FORMATS[form].file)
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])
    interpreter = Interpreter(str(folder / "model.tflite"), num_threads=hardware.cores())
    runner = interpreter.get_signature_runner()
    return {
        "compiled call (ours)": lambda x: classifier.function(x).numpy(),
        "model.predict": lambda x: model.predict(x.astype(np.float32), verbose=0),
        "model.predict_on_batch": lambda x: model.predict_on_batch(x.astype(np.float32)),
        "model(x)": lambda x: model(tf.constant(x, tf.float32), training=False).numpy(),
        "LiteRT": lambda x: runner(image=x.astype(np.float32)),
        "ONNX Runtime": lambda x: session.run(None, {"image": x.astype(np.float32)}),
    }


def seconds(work: Callable[[], Any]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


def compared(found: dict[str, Callable[[np.ndarray], Any]], images: np.ndarray, calls: int) -> dict[str, float]:
    """Median milliseconds a call, the ways in turns, after a round to warm up."""
    times: dict[str, list[float]] = {name: [] for name in found}
    for number in range(ROUNDS + 1):
        for name, way in found.items():
            spent = seconds(lambda way=way: [way(images) for _ in range(calls)]) / calls
            if number:
                times[name].append(1000 * spent)
    return {name: statistics.median(values) for name, values in times.items()}


def one_upload(classifier: Classifier, data: bytes) -> None:
    """Everything the server does for one image."""
    for one in classify([("image.png", lambda: data)], [classifier]):
        if isinstance(one, Prediction):
            top_classes(one.probabilities[0], CLASSES, 5)


def against_bare(classifier: Classifier) -> tuple[float, float]:
    """Images per second of an evaluation, and the median of its ratio to the bare forward pass."""
    images = noise(EVALUATED)
    split = Split("test", images, np.zeros(EVALUATED, np.int64), np.arange(EVALUATED))
    rates, ratios = [], []
    for number in range(4):
        bare = seconds(lambda: [classifier.function(images[at : at + 256]).numpy() for at in range(0, EVALUATED, 256)])
        ours = seconds(lambda: predict_all(classifier, split))
        if number:
            rates.append(EVALUATED / ours)
            ratios.append(bare / ours)
    return statistics.median(rates), statistics.median(ratios)


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run = drawn_run(folder / "runs")
        first = subprocess.run(
            [sys.executable, "-c", FIRST, str(run.folder)], cwd=PROJECT, capture_output=True, text=True, check=True
        )
        classifier = load_classifier(run)
        found = ways(classifier, folder)
        single, large = compared(found, noise(1), SINGLE_CALLS), compared(found, noise(LARGE), 1)
        upload = png(noise(1)[0])
        warm = statistics.median(1000 * seconds(lambda: one_upload(classifier, upload)) for _ in range(60))
        uploads = [png(image) for image in noise(MANY)]
        files = [(f"{number}.png", lambda data=data: data) for number, data in enumerate(uploads)]
        many = seconds(lambda: list(classify(files, [classifier])))
        rate, ratio = against_bare(classifier)
    processor = hardware.describe()["processor"]
    print(f"""# Prediction

`python benchmarks/prediction.py` on {processor}, {hardware.cores()} cores, Python {platform.python_version()}.
MiniGoogLeNet, 32x32 images; the ways in turns, medians of {ROUNDS} rounds.

| way of asking | one image, ms | {LARGE} images, ms |
| --- | ---: | ---: |""")
    for way in found:
        print(f"| {way} | {single[way]:.1f} | {large[way]:.0f} |")
    print(f"""
| what | measured | promised |
| --- | ---: | ---: |
| first prediction in a fresh process, TensorFlow included | {float(first.stdout.split()[-1]):.1f} s | under 10 s |
| one uploaded image, warm, from its bytes to its classes | {warm:.1f} ms | under 30 ms |
| {MANY:,} uploaded images of 32x32 pixels | {many:.1f} s | under 20 s |
| evaluation of {EVALUATED:,} images | {rate:,.0f} images/s | |
| the same against the bare forward pass | {ratio:.3f} | at least 0.9 |""")


if __name__ == "__main__":
    main()
