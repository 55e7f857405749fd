"""A trained network for other tools: Keras, SavedModel, LiteRT, ONNX; each checked against Keras before it is given.

An export is a zip archive: the model, which takes pixel values from 0 to 255 and gives probabilities, the names of the
classes, a script of ten lines that classifies an image with it, and a card that says what it is and what it is not.
"""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path
from textwrap import dedent
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from cnnlab import units
from cnnlab.datasets import Progress, silent
from cnnlab.datasets.images import Pixels
from cnnlab.errors import UserError
from cnnlab.evaluation import kept_evaluation, split_of
from cnnlab.inference.classifier import Classifier
from cnnlab.runs.run import Checkpoint, Run
from cnnlab.storage import jobs
from cnnlab.storage.jobs import Job
from cnnlab.storage.leftovers import written_aside
from cnnlab.text import markdown, plain
from cnnlab.zoo.formats import EXPORT_FORMATS, INPUT, Format

CHECKED_IMAGES = 64
TOLERANCE = 1e-3


def exported_model(classifier: Classifier) -> Any:
    """The network with its normalization inside: values from 0 to 255, (count, height, width, 3), to probabilities."""
    from cnnlab.keras.backend import keras

    given = classifier.data.preprocessing
    image = keras.Input(classifier.run.network.input_shape, name=INPUT)
    scale = [1 / deviation for deviation in given.deviation]
    offset = [-mean / deviation for mean, deviation in zip(given.mean, given.deviation, strict=True)]
    normalize = keras.layers.Rescaling(scale, offset, name="normalization")
    outputs = classifier.model(normalize(image))[classifier.run.network.outputs[0]]
    return keras.Model(image, outputs, name=classifier.run.network.name)


def export(classifier: Classifier, form: Format, target: Path, progress: Progress = silent) -> float:
    """Write the archive to `target`; gives the largest difference of a probability from Keras's, on real images.

    Raises UserError where the network cannot be written in the format, a package is missing, or the check fails.
    """
    chosen = EXPORT_FORMATS[form]
    images = checked_images(classifier)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / chosen.file
        progress(f"Writing {chosen.title}", 0.2)
        model = exported_model(classifier)
        expected = np.asarray(model(images, training=False))
        try:
            chosen.write(model, path)
        except Exception as error:  # the converters raise whatever they meet
            raise UserError(
                f"{chosen.title} cannot be written for this network: {type(error).__name__}: {error}"
            ) from error
        progress("Checking it against Keras on real images", 0.6)
        try:
            difference = float(np.abs(chosen.ask(path, images) - expected).max())
        except ImportError as error:
            raise UserError(f"{chosen.title} cannot be checked here: {error.name} is not installed.") from error
        except (TypeError, ValueError) as error:  # a layer that the format's own reader does not know
            raise UserError(f"{chosen.title} cannot be read back: {str(error).splitlines()[0]}") from error
        if difference > TOLERANCE:
            raise UserError(
                f"{chosen.title} answers otherwise than Keras, by up to {difference:.3g}; it is not given out."
            )
        progress("Packing", 0.9)
        (Path(folder) / "classes.txt").write_text("\n".join(classifier.data.classes) + "\n", encoding="utf-8")
        (Path(folder) / "classify.py").write_text(script(classifier, form), encoding="utf-8")
        (Path(folder) / "README.md").write_text(card(classifier, (form, difference, len(images))), encoding="utf-8")
        pack(Path(folder), target)
    return difference


def checked_images(classifier: Classifier) -> NDArray[np.float32]:
    """Validation images as the network gets them; where the data set is gone, noise."""
    try:
        split = split_of(classifier.run, "validation")
        images: Pixels = split.batch(np.arange(min(CHECKED_IMAGES, len(split))))[0]
        return classifier.data.preprocessing.fit_all(images).astype(np.float32)
    except UserError:
        shape = (CHECKED_IMAGES, *classifier.run.network.input_shape)
        return np.random.default_rng(0).integers(0, 256, shape).astype(np.float32)


def pack(folder: Path, target: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with written_aside(target) as partial, zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(folder.rglob("*")):
                if path.is_file():
                    archive.write(path, path.relative_to(folder))
    except OSError as error:
        raise UserError(f"The export cannot be written to {target}: {error.strerror}.") from error


def script(classifier: Classifier, form: Format) -> str:
    """Ten lines that classify an image with the exported model."""
    chosen, given = EXPORT_FORMATS[form], classifier.data.preprocessing
    height, width = given.image_size
    fit = {
        "squash": f"image.resize(({width}, {height}), Image.Resampling.BILINEAR)",
        "crop": f"ImageOps.fit(image, ({width}, {height}), Image.Resampling.BILINEAR)",
        "pad": f"ImageOps.pad(image, ({width}, {height}), Image.Resampling.BILINEAR)",
    }[given.fitting]
    rows, columns = given.input_size
    if given.crop:
        top, left = (height - rows) // 2, (width - columns) // 2
        fit += f".crop(({left}, {top}, {left + columns}, {top + rows}))"
    elif (rows, columns) != (height, width):
        fit += f".resize(({columns}, {rows}), Image.Resampling.BILINEAR)"
    return dedent(f'''\
        """python classify.py IMAGE (needs: pip install {chosen.packages} pillow numpy)"""
        import sys
        import numpy as np
        from PIL import Image, ImageOps
        {chosen.imports}
        classes = open("classes.txt", encoding="utf-8").read().splitlines()
        image = ImageOps.exif_transpose(Image.open(sys.argv[1])).convert("RGB")
        x = np.asarray({fit}, np.float32)[None]
        p = {chosen.answer}
        for i in np.argsort(-p)[:5]: print(f"{{classes[i]}} {{p[i]:.1%}}")
        ''')


def card(classifier: Classifier, checked: tuple[Format, float, int] | None) -> str:
    """What the network is: data, recipe, measured results, limits; `checked` is the format it was written in, the
    largest difference of a probability from Keras's, and on how many images."""
    run, data = classifier.run, classifier.data
    experiment, network, point = run.config.experiment, run.network, classifier.checkpoint.info
    title = markdown(data.title)
    kept = {tta: kept_evaluation(run, tta=tta) for tta in ("plain", "mirror")}
    tests = [
        f"{one.accuracy:.2%} rank-1"
        + ("" if one.rank5 is None else f", {one.rank5:.2%} rank-5")
        + f" on {one.images:,} test images of {markdown(one.dataset)}"
        + ("" if tta == "plain" else ", averaged with the mirror image")
        for tta, one in kept.items()
        if one
    ]
    validation = "not measured" if point.validation_accuracy is None else f"{point.validation_accuracy:.2%}"
    given = data.preprocessing
    machine = str(run.config.hardware.get("processor", run.config.machine))
    height, width = given.image_size
    rows, columns = given.input_size
    way = "its middle cut out" if given.crop else "resized"
    then = "" if given.input_size == given.image_size else f", then to {columns}×{rows} ({way})"
    shown = ", ".join(markdown(name) for name in data.classes[:60]) + (
        f" and {len(data.classes) - 60} more" if len(data.classes) > 60 else ""
    )
    form = []
    if checked:
        chosen = EXPORT_FORMATS[checked[0]]
        form = [
            f"- Format: {chosen.title}, `{chosen.file}`. Checked against Keras on {checked[2]} images: probabilities "
            f"differ by at most {checked[1]:.1g}.",
            f"- Input `{INPUT}`: float32, (count, {rows}, {columns}, 3), RGB values from 0 to 255; normalization is "
            "inside.",
            f"- Output: probabilities, (count, {len(data.classes)}), in the order of `classes.txt`.",
        ]
    return "\n".join(
        [
            f"# {markdown(network.name if experiment.design is None else experiment.title)} on {title}",
            "",
            *form,
            f"- An image is resized to {width}×{height} pixels ({given.fitting}){then}.",
            f"- Parameters: {network.parameters:,}. Multiply-adds for an image: {network.multiply_adds:,}.",
            "",
            "## How it was trained",
            "",
            f"On {title} (fingerprint {data.fingerprint}), run `{run.id}`, weights after epoch {point.epoch:g}, "
            f"in {units.duration(point.worked)} on {markdown(machine)}, seed "
            f"{experiment.recipe.seed}, computed in {'bfloat16' if experiment.recipe.mixed_precision else 'float32'}:",
            "",
            *(f"    {plain(line)}" for line in run.command().splitlines()),
            "",
            "## What was measured",
            "",
            f"- Validation accuracy: {validation}.",
            *[f"- Test: {line}." for line in tests or ["not measured"]],
            "",
            "## Limits",
            "",
            f"It knows {len(data.classes)} classes and nothing else: {shown}. An image of anything else is answered "
            "with one of them, often with confidence. It has learned from this data alone and may do worse on images "
            "of another origin.",
            "",
        ]
    )


def folder_of(run: Run, step: int, form: Format) -> Path:
    return run.folder / "exports" / f"{step:08d}-{form}"


def archive_of(run: Run, checkpoint: Checkpoint, form: Format) -> Path:
    """Where the finished export of a checkpoint stands."""
    return folder_of(run, checkpoint.info.step, form) / f"{run.id}-{form}.zip"


class ExportRequest(jobs.Request):
    """A checkpoint of a run for other tools."""

    kind: ClassVar[str] = "export"
    what: ClassVar[str] = "The export"

    run: Path
    step: int
    form: Format

    def work(self, progress: Progress) -> object:
        progress("Loading TensorFlow and the network", None)
        from cnnlab.inference.classifier import load_classifier

        run = Run(self.run)
        point = run.checkpoint_at(self.step)
        return export(load_classifier(run, point), self.form, archive_of(run, point, self.form), progress)


def exporting(run: Run, checkpoint: Checkpoint, form: Format) -> Job:
    """The job that exports a checkpoint in a format."""
    step = checkpoint.info.step
    return Job(folder_of(run, step, form), ExportRequest(run=run.folder, step=step, form=form))
