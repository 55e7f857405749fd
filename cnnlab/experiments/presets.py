"""Trainings by name: those of the lecture, exactly as it tables them where it does, and their descendants.

`python -m cnnlab train --preset NAME` runs one; `--in-epochs N` scales its schedule to a budget.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cnnlab.errors import UserError
from cnnlab.experiments.experiment import Experiment, plan, replan
from cnnlab.experiments.recipe import Recipe, make_recipe

LECTURE_SOURCE = 'the lecture "CNN Architectures II"'


@dataclass(frozen=True)
class Preset:
    """A training with a name.

    `source` says where the settings come from and which of them that source leaves open; `expected` what it reached
    and where, `hours` about how long it takes on two processor cores that compute in bfloat16, estimated from the
    rates in benchmarks/training.md or of a run's first epochs. `settings` are those of the recipe that differ from the
    defaults.
    """

    name: str
    title: str
    text: str
    source: str
    expected: str
    hours: float
    architecture: str
    dataset: str
    settings: Mapping[str, Any]
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def command(self) -> str:
        return f"python -m cnnlab train --preset {self.name}"

    @property
    def takes(self) -> str:
        time = f"{self.hours:g} h" if self.hours >= 1 else f"{60 * self.hours:.0f} min"
        return f"About {time} on two processor cores that compute in bfloat16, two to three times that in float32."

    def experiment(self, epochs: int | None = None) -> Experiment:
        """The experiment, with its schedule scaled to so many epochs where they are given."""
        recipe = make_recipe(**self.settings)
        if epochs is not None:
            recipe = recipe.in_epochs(epochs)
        return plan(self.architecture, self.dataset, self.options, recipe)


ROSEBROCK = "A. Rosebrock, Deep Learning for Computer Vision with Python"
LECTURE_SGD = {"optimizer": "sgd", "momentum": 0.9, "nesterov": False, "batch_size": 64}
EXPERIMENT_03 = {
    "epochs": 70,
    "batch_size": 64,
    "optimizer": "adam",
    "learning_rate": 1e-3,
    "schedule": "steps",
    "milestones": "41:1e-4,61:1e-5",
}
SHIPPED_RECIPE = {
    "optimizer": "sgd",
    "batch_size": 128,
    "learning_rate": 0.1,
    "schedule": "linear",
    "weight_decay": 5e-4,
    "label_smoothing": 0.1,
    "weight_averaging": 0.999,
    "validation_fraction": 0.05,
    "flip": True,
}
FINE_TUNING = "fine-tuning"
FINE_TUNING_TITLE = "Fine-tuning a trained network"
FINE_TUNING_TEXT = (
    "A trained network learns on, on other images: few epochs, a low rate that falls to zero, mirrored images. Its "
    "last layer begins anew, for the classes are others."
)
NIN_RECIPE = {
    **LECTURE_SGD,
    "epochs": 130,
    "batch_size": 128,
    "learning_rate": 0.05,
    "schedule": "steps",
    "milestones": "101:5e-3,116:5e-4",
    "weight_decay": 1e-4,
}
NIN_SOURCE = (
    "Lin, Chen and Yan, 2014, section 4: batches of 128, a rate that falls to a tenth twice, each time when training "
    "improves no more, weight decay, and dropout behind the first two blocks. It leaves open the "
    "first rate (0.05 here), the length (130 epochs, lower from 101 and 116), momentum (0.9) and weight decay (1e-4). "
    "Its whitened images are not repeated here."
)
BATCH_LEFT_OPEN = "It does not say the batch size (64 here) and names no augmentation (none here)."


def fine_tuning(images: int) -> Recipe:
    """The recipe for fine-tuning on so many images: small batches of few, so that an epoch has enough steps."""
    batch = min(images, max(8, min(32, images // 20)))
    return make_recipe(epochs=5, batch_size=batch, optimizer="adam", learning_rate=3e-4, schedule="linear", flip=True)


PRESETS = {
    preset.name: preset
    for preset in (
        Preset(
            "minivggnet",
            "MiniVGGNet on CIFAR-10",
            "Nesterov SGD from 0.01, falling over 40 epochs; no augmentation.",
            f"{LECTURE_SOURCE} prints the network and its report, and no setting of the training. All settings, "
            f"the 40 epochs among them, are those of {ROSEBROCK}, Starter Bundle, chapter 15, where the network "
            "comes from; its time-based decay from 0.01 to 0.0011 is a straight line here.",
            "The lecture prints accuracy 0.82 for this network, not after how many epochs.",
            0.3,
            "minivggnet",
            "cifar10",
            {
                "epochs": 40,
                "batch_size": 64,
                "optimizer": "sgd",
                "learning_rate": 0.01,
                "lowest_learning_rate": 0.0011,
                "schedule": "linear",
            },
        ),
        Preset(
            "minigooglenet",
            "MiniGoogLeNet on CIFAR-10",
            "SGD from 0.005 linearly to zero over 70 epochs, with mirrored and shifted 28×28 crops.",
            f"{LECTURE_SOURCE} prints the network, at 28×28, and its report, and no setting of the training. "
            f"The settings, the 70 epochs among them, are those of {ROSEBROCK}, Practitioner Bundle, chapter 11 "
            "(linear decay from 5e-3, shifts by a tenth, mirroring), the crop that of Zhang et al., 2017, appendix A.",
            "The lecture prints accuracy 0.90 for this network, not after how many epochs.",
            2.2,
            "minigooglenet",
            "cifar10",
            {
                **LECTURE_SGD,
                "epochs": 70,
                "learning_rate": 5e-3,
                "schedule": "linear",
                "flip": True,
                "shift": 3,
                "crop": True,
            },
        ),
        Preset(
            "nin",
            "Network in Network on CIFAR-10",
            "SGD with momentum 0.9 from 0.05, a tenth from epoch 101 and a hundredth from 116 to 130; no augmentation.",
            NIN_SOURCE,
            "The paper reports an error of 10.41 % without augmentation.",
            3.2,
            "nin",
            "cifar10",
            NIN_RECIPE,
        ),
        Preset(
            "nin-fully-connected",
            "Network in Network with a dense layer",
            "As Network in Network on CIFAR-10, with dropout and a dense layer in the place of global average pooling.",
            NIN_SOURCE,
            "The paper reports an error of 10.88 %, against 10.41 % with global average pooling: Table 5.",
            3.2,
            "nin",
            "cifar10",
            NIN_RECIPE,
            {"fully_connected": True},
        ),
        Preset(
            "experiment-01",
            "Experiment #01: DeeperGoogLeNet without 4a to 4e, SGD",
            "SGD, 65 epochs: 1e-2 to epoch 25, 1e-3 to epoch 35, 1e-4 after; inception modules 4a to 4e removed.",
            f"{LECTURE_SOURCE}, Experiment #01. {BATCH_LEFT_OPEN} Nor does it say a momentum: 0.9, that of its other "
            "SGD, is assumed.",
            "The lecture prints no figure for it.",
            6.5,
            "deepergooglenet",
            "tiny-imagenet",
            {
                **LECTURE_SGD,
                "epochs": 65,
                "learning_rate": 1e-2,
                "schedule": "steps",
                "milestones": "26:1e-3,36:1e-4",
            },
            {"inception_4": False},
        ),
        Preset(
            "experiment-02",
            "Experiment #02: DeeperGoogLeNet without 4a to 4e, Adam",
            "Adam, 40 epochs: 1e-3 to epoch 20, 1e-4 to epoch 30, 1e-5 after; inception modules 4a to 4e removed.",
            f"{LECTURE_SOURCE}, Experiment #02. {BATCH_LEFT_OPEN}",
            "The lecture prints no figure for it.",
            4,
            "deepergooglenet",
            "tiny-imagenet",
            {
                "epochs": 40,
                "batch_size": 64,
                "optimizer": "adam",
                "learning_rate": 1e-3,
                "schedule": "steps",
                "milestones": "21:1e-4,31:1e-5",
            },
            {"inception_4": False},
        ),
        Preset(
            "experiment-03",
            "Experiment #03: DeeperGoogLeNet with 4a to 4e, Adam",
            "Adam, 70 epochs: 1e-3 to epoch 40, 1e-4 to epoch 60, 1e-5 after; inception modules 4a to 4e in place.",
            f"{LECTURE_SOURCE}, Experiment #03. {BATCH_LEFT_OPEN}",
            "The lecture prints no figure for it.",
            11,
            "deepergooglenet",
            "tiny-imagenet",
            EXPERIMENT_03,
        ),
        Preset(
            "deepergooglenet-sgd",
            "DeeperGoogLeNet: SGD(1e-3, momentum=0.9)",
            "A constant rate for 40 epochs, with a checkpoint kept every 5 from which to lower it by hand.",
            f"{LECTURE_SOURCE}, the run whose curve and checkpoints it shows. {BATCH_LEFT_OPEN}",
            "The lecture prints rank-1 30.23 % and rank-5 54.34 % beside a curve over 40 epochs.",
            6.5,
            "deepergooglenet",
            "tiny-imagenet",
            {
                **LECTURE_SGD,
                "epochs": 40,
                "learning_rate": 1e-3,
                "schedule": "constant",
                "checkpoint_every": 5,
            },
        ),
        Preset(
            "deepergooglenet-conv-act-bn",
            "Extension 1: CONV, ACT, BN",
            "Experiment #03 with batch normalization after the activation.",
            f"{LECTURE_SOURCE}, Extensions, 1. {BATCH_LEFT_OPEN}",
            "The lecture prints no figure for it.",
            11,
            "deepergooglenet",
            "tiny-imagenet",
            EXPERIMENT_03,
            {"order": "conv-act-bn"},
        ),
        Preset(
            "deepergooglenet-elu",
            "Extension 2: ELU",
            "Experiment #03 with exponential linear units in the place of ReLU.",
            f"{LECTURE_SOURCE}, Extensions, 2. {BATCH_LEFT_OPEN}",
            "The lecture prints no figure for it.",
            11,
            "deepergooglenet",
            "tiny-imagenet",
            EXPERIMENT_03,
            {"activation": "elu"},
        ),
        Preset(
            "googlenet",
            "GoogLeNet with its auxiliary heads",
            "SGD with momentum 0.9, 4% less every 8 epochs; each auxiliary head adds 0.3 of its loss. At 96×96, for "
            "Tiny ImageNet.",
            "Szegedy et al., 2015, sections 5 and 6. The paper leaves its first rate (0.01 here), batch size (64) and "
            "length (40 epochs) open.",
            "The paper reports ImageNet alone.",
            5,
            "googlenet",
            "tiny-imagenet",
            {
                **LECTURE_SGD,
                "epochs": 40,
                "learning_rate": 0.01,
                "schedule": "steps",
                "milestones": ",".join(f"{8 * count + 1}:{0.01 * 0.96**count:.6g}" for count in range(1, 5)),
                "auxiliary_weight": 0.3,
                "flip": True,
            },
            {"input_size": 96, "auxiliary_heads": True},
        ),
        Preset(
            "minivggnet-shipped",
            "MiniVGGNet, as it is shipped",
            "Nesterov SGD from 0.1 linearly to zero over 100 epochs after two to warm up, mirrored and shifted images, "
            "label smoothing, weight averaging and less dropout than the lecture's network is known by.",
            "cnnlab. The shipped weights were trained by it in mixed precision, which the recipe leaves to you.",
            "Measured: 0.874 on the test images of CIFAR-10 (JPEG), 0.881 with the mirror image.",
            0.6,
            "minivggnet",
            "cifar10",
            {**SHIPPED_RECIPE, "epochs": 100, "warmup_epochs": 2, "shift": 4},
            {"dropout": 0.1, "classifier_dropout": 0.3},
        ),
        Preset(
            "minigooglenet-shipped",
            "MiniGoogLeNet, as it is shipped",
            "Nesterov SGD from 0.1 linearly to zero over 50 epochs after two to warm up, random mirrored 28×28 crops "
            "with a square cut out, label smoothing and weight averaging.",
            "cnnlab. The shipped weights were trained by it in mixed precision, which the recipe leaves to you.",
            "Measured: 0.902 on the test images of CIFAR-10 (JPEG), 0.907 with the mirror image.",
            1.5,
            "minigooglenet",
            "cifar10",
            {**SHIPPED_RECIPE, "epochs": 50, "warmup_epochs": 2, "crop": True, "cutout": 8},
        ),
        Preset(
            "deepergooglenet-shipped",
            "DeeperGoogLeNet, as it is shipped",
            "Nesterov SGD from 0.1 linearly to zero over 30 epochs, ten each at 32, 48 and 64 pixels; mirrored and "
            "shifted images, label smoothing and weight averaging.",
            "cnnlab. The shipped weights were trained by it in mixed precision, which the recipe leaves to you.",
            "Measured: 0.591 rank-1 and 0.817 rank-5 on 10,000 test images of Tiny ImageNet, 50 a class of its "
            "training images, after learning from 400 a class; 0.599 and 0.821 with the mirror image.",
            2.7,
            "deepergooglenet",
            "tiny-imagenet",
            {
                **SHIPPED_RECIPE,
                "epochs": 30,
                "warmup_epochs": 1,
                "shift": 8,
                "image_sizes": "1:32,11:48,21:64",
                "validation_fraction": 0.1,
            },
        ),
    )
}


def preset(name: str) -> Preset:
    """The preset of that name; UserError, listing the names, if there is none."""
    if name not in PRESETS:
        raise UserError(f"There is no preset {name!r}; there are {', '.join(PRESETS)}.")
    return PRESETS[name]


def preset_experiment(name: str, changes: Mapping[str, Any], epochs: int | None = None) -> Experiment:
    """A preset's experiment, scaled to so many epochs, and then with some settings changed."""
    experiment = preset(name).experiment(epochs)
    return replan(experiment, changes) if changes else experiment
