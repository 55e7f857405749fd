"""How a network is trained: everything but the network and the data."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from cnnlab import hardware
from cnnlab.complaints import complaint
from cnnlab.datasets.corruption import PixelsName
from cnnlab.errors import UserError
from cnnlab.experiments.augmentation import Augmentation
from cnnlab.experiments.optimizers import OPTIMIZERS, Optimizer, OptimizerName, users_of
from cnnlab.experiments.schedule import SCHEDULES, Milestones, Schedule, ScheduleName, Sizes, rate_at, valid_from

DecayedName = Literal["kernels", "all"]

MOST_EPOCHS = 10_000
CHOICES: dict[str, Mapping[str, Optimizer | Schedule]] = {"optimizer": OPTIMIZERS, "schedule": SCHEDULES}
"""The settings that say which others there are."""

Share = Annotated[float, Field(ge=0, le=1)]


class Recipe(BaseModel):
    """The settings of a training; each field's description says what it does.

    Weight decay is added to the gradient (L2), but for optimizers that shrink the weights themselves, as AdamW does.
    A setting that the optimizer or the schedule does not take changes nothing. `auxiliary_weight` 0.3 is GoogLeNet's
    (Szegedy et al., 2015, section 5). The corrupted labels and pixels are those of Zhang et al., 2017
    (arXiv:1611.03530), section 2.1.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    epochs: int = Field(10, ge=1, le=MOST_EPOCHS, description="How often every training image is seen.")
    batch_size: int = Field(64, ge=1, le=65_536, description="Images in one step of gradient descent.")
    optimizer: OptimizerName = Field("adam", description="How gradients become changes of the weights.")
    momentum: float = Field(
        0.9, ge=0, lt=1, description=f"Of {users_of('momentum')}: the share of the last change kept."
    )
    nesterov: bool = Field(
        True, description=f"Of {users_of('nesterov')}: look ahead along the momentum before measuring the gradient."
    )
    learning_rate: float = Field(
        1e-3, gt=0, le=100, allow_inf_nan=False, description="How far a step goes; the schedule's highest."
    )
    schedule: ScheduleName = Field("linear", description="How the learning rate changes over the training.")
    milestones: Milestones = Field(
        (),
        description="Of the schedule by steps: EPOCH:RATE pairs, the rate from that epoch on, as 26:0.001,36:0.0001.",
    )
    lowest_learning_rate: float = Field(
        0.0, ge=0, le=100, description="Where linear, cosine and one-cycle end, and the bottom of the cyclic triangles."
    )
    cycle_epochs: float = Field(
        8, gt=0, le=10_000, description="Of the cyclic schedule: the length of one triangle, in epochs."
    )
    warmup_epochs: float = Field(
        0, ge=0, le=10_000, description="Epochs over which the rate first rises from 0, before the schedule begins."
    )
    weight_decay: float = Field(0, ge=0, le=1, description="Pulls weights towards zero; 0 is off.")
    decayed: DecayedName = Field(
        "kernels", description="Which weights decay: kernels alone, or biases and batch normalization too."
    )
    label_smoothing: float = Field(
        0, ge=0, lt=1, description="Share of the target taken from the true class and spread over all classes."
    )
    gradient_clipping: float = Field(
        0, ge=0, le=1e6, description="Largest norm of the gradient over all weights; longer ones are cut. 0 is off."
    )
    weight_averaging: float = Field(
        0,
        ge=0,
        lt=1,
        description="Decay of an exponential moving average of the weights, with which the network is judged and used, "
        "such as 0.999. 0 is off.",
    )
    batch_normalization_momentum: float = Field(
        0.9,
        ge=0,
        lt=1,
        description="Share of batch normalization's moving mean and variance kept at each step, where the network has "
        "any. With them the network is judged and used; nearer to 1 they follow more slowly and waver less.",
    )
    augmentation: Augmentation = Augmentation()
    crop: bool = Field(
        False,
        description="Cut the input out of larger images (at a random place in training, else the centre) "
        "instead of shrinking them.",
    )
    image_sizes: Sizes = Field(
        (),
        description="Learn from smaller, and so faster, images in some epochs: EPOCH:SIDE pairs, the side in pixels "
        "from that epoch on, as 1:32,11:48,21:64. The network is judged and used at its own input size, so its "
        "validation figures jump when the images reach that. For networks that pool over the whole map before their "
        "classifier.",
    )
    auxiliary_weight: float = Field(
        0.3, ge=0, le=10, description="Weight of each auxiliary head's loss, where the network has any."
    )
    early_stopping: int = Field(
        0, ge=0, le=10_000, description="Stop after so many epochs without a better validation accuracy. 0 is off."
    )
    checkpoint_every: int = Field(
        0,
        ge=0,
        le=10_000,
        description="Keep a checkpoint every so many epochs, beside the best and the last. 0 is off.",
    )
    film: bool = Field(
        True,
        description="Film the training: of a few validation images what the network says and how its layers answer, "
        "its first filters and the confusion matrix, at up to about 60 epochs. It changes nothing of the training.",
    )
    mixed_precision: bool = Field(
        default_factory=hardware.has_bfloat16,
        description="Compute in bfloat16 and keep the weights in float32; on where this machine is faster so.",
    )
    deterministic: bool = Field(
        False, description="Give the same weights bit for bit each time on the same machine; somewhat slower."
    )
    label_noise: Share = Field(
        0, description="Share of the training images whose label is drawn at random (Zhang et al., 2017)."
    )
    pixels: PixelsName = Field("original", description="Destroy the images' structure as Zhang et al., 2017, did.")
    validation_fraction: float = Field(
        0.1,
        ge=0.01,
        le=0.5,
        description="Share of the training images held out, class by class, to judge the network after each epoch.",
    )
    seed: int = Field(0, ge=0, lt=2**31, description="The same seed gives the same split, start and order.")

    @model_validator(mode="after")
    def fit_together(self) -> Self:
        starts = [epoch for epoch, _ in self.milestones]
        by_milestones = [name for name, schedule in SCHEDULES.items() if "milestones" in schedule.settings]
        if self.schedule in by_milestones and not self.milestones:
            raise ValueError(f"The schedule by {self.schedule} needs milestones, such as 26:0.001,36:0.0001.")
        if self.milestones and self.schedule not in by_milestones:
            raise ValueError(f"Milestones belong to the schedule {' or '.join(by_milestones)}, not to {self.schedule}.")
        for what, places in (("milestone", starts), ("image size", [epoch for epoch, _ in self.image_sizes])):
            if places != sorted(set(places)):
                raise ValueError(f"The {what}s' epochs must rise.")
            if places and places[-1] > self.epochs:
                raise ValueError(f"The {what} at epoch {places[-1]} lies after the last of {self.epochs} epochs.")
        if self.lowest_learning_rate > self.learning_rate:
            raise ValueError(
                f"The lowest learning rate, {self.lowest_learning_rate:g}, is above the highest, "
                f"{self.learning_rate:g}."
            )
        if self.warmup_epochs and self.warmup_epochs >= self.epochs:
            raise ValueError(f"A warm-up of {self.warmup_epochs:g} epochs leaves nothing of {self.epochs}.")
        return self

    def learning_rate_at(self, epoch: float) -> float:
        """Learning rate of the step that begins when so many epochs have passed."""
        return rate_at(
            self.schedule,
            epoch,
            self.epochs,
            self.learning_rate,
            self.lowest_learning_rate,
            self.milestones,
            self.cycle_epochs,
            self.warmup_epochs,
        )

    def image_size_at(self, epoch: int) -> int | None:
        """Side of the images learned from after so many epochs, in pixels; None for the network's own."""
        return valid_from(self.image_sizes, epoch)

    def steps_per_epoch(self, training_images: int) -> int:
        """Full batches in an epoch; what is left over after the shuffle waits for the next one.

        Raises UserError where there are fewer images than a batch takes.
        """
        if self.batch_size > training_images:
            raise UserError(
                f"The batch size of {self.batch_size:,} is larger than the {training_images:,} training images; "
                f"choose at most {training_images:,}."
            )
        return training_images // self.batch_size

    def in_epochs(self, epochs: int) -> Recipe:
        """The same recipe in another number of epochs: what is counted in epochs shrinks or grows with it.

        UserError where that is no number of epochs.
        """
        if not 1 <= epochs <= MOST_EPOCHS:
            raise UserError(f"A recipe in {epochs:,} epochs: choose from 1 to {MOST_EPOCHS:,}.")
        ratio = epochs / self.epochs
        changed: dict[str, Any] = {"epochs": epochs, "warmup_epochs": self.warmup_epochs * ratio}
        if "cycle_epochs" in SCHEDULES[self.schedule].settings:
            changed["cycle_epochs"] = self.cycle_epochs * ratio
        changed["milestones"] = scaled(self.milestones, ratio, 2, epochs)
        changed["image_sizes"] = scaled(self.image_sizes, ratio, 1, epochs)
        if self.milestones and not changed["milestones"]:
            changed["schedule"] = "constant"  # one epoch has no second rate
        return make_recipe(**{**settings_of(self), **changed})


def scaled(pairs: Sequence[tuple[int, float]], ratio: float, first: int, last: int) -> tuple[tuple[int, float], ...]:
    """Changes at epochs, in so many times the epochs: from `first` on, one an epoch, as far as the last one."""
    changes: list[tuple[int, float]] = []
    for start, value in pairs:
        moved = max(round((start - 1) * ratio) + 1, changes[-1][0] + 1 if changes else first)
        if moved <= last:
            changes.append((moved, value))
    return tuple(changes)


FLAT_FIELDS = {
    **{name: field for name, field in Recipe.model_fields.items() if name != "augmentation"},
    **Augmentation.model_fields,
}
"""Every setting of a recipe under its one name, those of the augmentation among them."""


def default_of(name: str) -> Any:
    """What a setting is, on this machine, where it is not given."""
    return FLAT_FIELDS[name].get_default(call_default_factory=True)


BY_EPOCH = frozenset({"milestones", "image_sizes"})
"""Settings that are pairs of an epoch and a value; their text has commas in it."""


def settings_of(recipe: Recipe) -> dict[str, Any]:
    """The settings by name, those of the augmentation among them."""
    values = dict(recipe)
    return {**{name: value for name, value in values.items() if name != "augmentation"}, **dict(recipe.augmentation)}


def idle_settings(settings: Mapping[str, Any]) -> dict[str, str]:
    """The settings that neither the optimizer nor the schedule chosen takes, with which of the two would have to be
    another."""
    found = {}
    for choice, records in CHOICES.items():
        taken = records[settings[choice]].settings
        of_others = [name for record in records.values() for name in record.settings]
        found.update({name: choice for name in of_others if name not in taken})
    return found


def refuse_idle(given: Collection[str], recipe: Recipe) -> None:
    """UserError where a setting was given that the recipe's optimizer or schedule does not take."""
    for name, choice in idle_settings(dict(recipe)).items():
        if name in given:
            users = [one for one, record in CHOICES[choice].items() if name in record.settings]
            raise UserError(
                f"{name.replace('_', ' ')} was given, which the {choice} {getattr(recipe, choice)} does not take; "
                f"leave it out, or choose {' or '.join(users)}."
            )


def nested(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Flat settings as a Recipe takes them."""
    values = dict(settings)
    augmentation = {name: values.pop(name) for name in Augmentation.model_fields if name in values}
    return {**values, "augmentation": augmentation} if augmentation else values


def make_recipe(**settings: Any) -> Recipe:
    """A validated recipe from settings by name; UserError with one line that names the setting and what it takes."""
    unknown = sorted(set(settings) - set(FLAT_FIELDS))
    if unknown:
        raise UserError(f"There is no setting {unknown[0]!r}; a recipe has {', '.join(FLAT_FIELDS)}.")
    try:
        return Recipe.model_validate(nested(settings))
    except ValidationError as error:
        raise UserError(explained(error)) from error


def explained(error: ValidationError) -> str:
    """The first complaint of a validation, for a person."""
    first = error.errors()[0]
    if not first["loc"]:
        return first["msg"].removeprefix("Value error, ")
    name = next(str(part) for part in reversed(first["loc"]) if isinstance(part, str) and part in FLAT_FIELDS)
    message = complaint(first, FLAT_FIELDS[name])
    return f"{name.replace('_', ' ')} = {first['input']}: {message[0].lower()}{message[1:]}."
