"""How a network is trained: everything but the network and the data."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cnnlab.errors import UserError

OptimizerName = Literal["adam", "sgd"]
ScheduleName = Literal["linear", "constant"]


class Recipe(BaseModel):
    """The settings of a training.

    `linear` lets the learning rate fall from its initial value to zero over the whole run; SGD is Nesterov's, with
    momentum 0.9. `auxiliary_weight` multiplies the loss of each auxiliary head, where a network has any; 0.3 is
    GoogLeNet's (Szegedy et al., 2015, section 5). The validation part is held out of the training images, stratified
    by class, by the seed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    epochs: int = Field(10, ge=1, le=10_000)
    batch_size: int = Field(64, ge=1, le=65_536)
    optimizer: OptimizerName = "adam"
    learning_rate: float = Field(1e-3, gt=0, le=100, allow_inf_nan=False)
    schedule: ScheduleName = "linear"
    auxiliary_weight: float = Field(0.3, ge=0, le=10)
    validation_fraction: float = Field(0.1, ge=0.01, le=0.5)
    seed: int = Field(0, ge=0, lt=2**31)

    def learning_rate_at(self, step: int, steps: int) -> float:
        """Learning rate of a step (from 0) of a run of so many steps."""
        if self.schedule == "constant":
            return self.learning_rate
        return self.learning_rate * (1 - step / steps)

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


def make_recipe(**settings: Any) -> Recipe:
    """A validated recipe; UserError with one line that names the setting and what it takes."""
    try:
        return Recipe.model_validate(settings)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]).replace("_", " ")
        raise UserError(f"{name} = {first['input']}: {first['msg'].lower()}.") from error
