"""VGG16 and VGG19 as trained on ImageNet by their authors, through keras.applications (Simonyan and Zisserman, 2014).

Asked for, the weights are downloaded, checked and kept under the data root as a run like any other, so that everything
one can do with a trained network can be done with them. Their preprocessing, BGR less the channels' means, becomes
ours by turning the first layer's kernels from BGR to RGB.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from cnnlab import architectures, datasets
from cnnlab.datasets.download import Download, fetch
from cnnlab.datasets.preprocessing import Preprocessing
from cnnlab.errors import UserError
from cnnlab.runs.imported import keep_as_run
from cnnlab.runs.run import Data, Run
from cnnlab.storage import jobs
from cnnlab.storage.files import write_text
from cnnlab.storage.jobs import Job
from cnnlab.storage.progress import Progress

PRETRAINED_FOLDER = "pretrained"
WEIGHTS_ADDRESS = "https://storage.googleapis.com/tensorflow/keras-applications"
SIZE, CLASSES = 224, 1000
EPOCHS = 74  # the paper, section 3.1
MEANS = (123.68, 116.779, 103.939)  # of ImageNet's red, green and blue, as keras.applications subtracts them
CLASS_NAMES = Download(
    "https://storage.googleapis.com/download.tensorflow.org/data/imagenet_class_index.json",
    "md5:c2c37ea517e94d9795004a39431a14cb",
    35_363,
)


@dataclass(frozen=True)
class Pretrained:
    """A network with published weights; `function` is its name in keras.applications."""

    name: str
    title: str
    architecture: str
    function: str
    weights: Download

    @property
    def lines(self) -> str:
        """The lecture's lines that ask for it."""
        return f'from keras.applications import {self.function}\n\nmodel = {self.function}(weights="imagenet")'

    def folder(self) -> Path:
        return datasets.data_root() / PRETRAINED_FOLDER / self.name

    def run(self) -> Run | None:
        """It as a run, once it is here."""
        run = Run(self.folder())
        return run if (run.folder / "config.json").exists() and run.checkpoints() else None

    def job(self) -> Job:
        """The job that fetches it."""
        folder = datasets.data_root() / PRETRAINED_FOLDER / ".jobs" / self.name
        return Job(folder, FetchRequest(name=self.name))


class FetchRequest(jobs.Request):
    """Published weights, downloaded and kept as a run."""

    kind: ClassVar[str] = "fetch"
    what: ClassVar[str] = "The download"

    name: str

    def work(self, progress: Progress) -> object:
        return obtain(pretrained(self.name), progress)


PRETRAINED = {
    one.name: one
    for one in (
        Pretrained(
            "vgg16-imagenet",
            "VGG16 on ImageNet",
            "vgg16",
            "VGG16",
            Download(
                f"{WEIGHTS_ADDRESS}/vgg16/vgg16_weights_tf_dim_ordering_tf_kernels.h5",
                "md5:64373286793e3c8b2b4e3219cbf3544b",
                553_467_096,
            ),
        ),
        Pretrained(
            "vgg19-imagenet",
            "VGG19 on ImageNet",
            "vgg19",
            "VGG19",
            Download(
                f"{WEIGHTS_ADDRESS}/vgg19/vgg19_weights_tf_dim_ordering_tf_kernels.h5",
                "md5:cbe5617147190e668d6c5d5026f83318",
                574_710_816,
            ),
        ),
    )
}


def pretrained(name: str) -> Pretrained:
    """UserError, listing the names, if there is none."""
    if name not in PRETRAINED:
        raise UserError(f"There are no published weights {name!r}; there are {', '.join(PRETRAINED)}.")
    return PRETRAINED[name]


def available() -> dict[str, Run]:
    """The networks with published weights that are here, by name."""
    return {name: run for name, one in PRETRAINED.items() if (run := one.run())}


def obtain(wanted: Pretrained, progress: Progress) -> Run:
    """Download the weights and the names of the classes, and keep them as a run.

    Raises UserError without a network, or where the files are not the ones expected.
    """
    if run := wanted.run():
        return run
    downloads = wanted.folder().parent / ".downloads"
    names = class_names(fetch(CLASS_NAMES, downloads, progress))
    weights = fetch(wanted.weights, downloads, progress)
    progress("Reading the weights", None)
    from cnnlab.keras.backend import keras

    model = getattr(keras.applications, wanted.function)(weights=str(weights))
    run = keep(wanted, model, names)
    weights.unlink()
    return run


def class_names(path: Path) -> tuple[str, ...]:
    """The 1,000 classes by index, in words; a word that two classes share is told apart by its synset."""
    index = json.loads(path.read_text())
    pairs = [index[str(number)] for number in range(CLASSES)]
    words = [word.replace("_", " ") for _, word in pairs]
    return tuple(
        word if words.count(word) == 1 else f"{word} ({synset})" for (synset, _), word in zip(pairs, words, strict=True)
    )


def keep(wanted: Pretrained, model: Any, names: Sequence[str]) -> Run:
    """A keras.applications model as a run; it appears when it is whole."""
    from cnnlab.keras.model import keras_model

    network = architectures.build(wanted.architecture, {})
    own = keras_model(network)
    for node in network.layers:
        weights = model.get_layer(node.name).get_weights() if node.weights else []
        if weights:
            if node.name == "block1_conv1":
                weights[0] = weights[0][:, :, ::-1, :]
            own.get_layer(node.name).set_weights(weights)
    data = Data(
        title="ImageNet",
        classes=tuple(names),
        fingerprint="ILSVRC 2012",
        preprocessing=Preprocessing(
            image_size=(SIZE, SIZE), input_size=(SIZE, SIZE), mean=MEANS, deviation=(1, 1, 1), fitting="crop"
        ),
    )
    return keep_as_run(
        wanted.folder(),
        own,
        data,
        wanted.title,
        lambda folder: write_text(folder / "network.json", network.to_json()),
        architecture=wanted.architecture,
        dataset="imagenet",
        options=architectures.architecture(wanted.architecture).defaults,
        command=wanted.lines.splitlines()[-1],
        epoch=EPOCHS,
    )
