"""From pixels to a network's input: the one recipe that training, validation, evaluation and prediction share.

It is saved with every run. An image goes through the size in which the data set stores its images before it is
resized to the network's input size: a large photograph is shown to a network trained on 32x32 images with the detail
that those had, no more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Self, get_args

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from cnnlab.datasets.images import MIDDLE, Fitting, Part, Pixels, crop_box, fit_image, resize

Framing = Literal["crop", "pad", "squash", "crops"]
"""How a network is asked about a photograph that is not square: one way of fitting it, or several crops, averaged."""
FRAMINGS: tuple[Framing, ...] = get_args(Framing)
FRAMING_TITLES: dict[Framing, str] = {
    "crop": "A square of it",
    "pad": "The whole, with black bars",
    "squash": "The whole, squeezed",
    "crops": "Three squares, averaged",
}
CROP_PLACES = (0.0, MIDDLE, 1.0)
"""Where several crops lie along the longer side."""


class Preprocessing(BaseModel):
    """Sizes are (height, width); `mean` and `deviation` are per channel, for pixel values from 0 to 255.

    `fitting` is how an image of another shape is resized to the stored size, and `place` where along its longer side a
    crop lies, from 0 to 1; `crop` cuts the input out of the middle of the stored size, which else is resized to it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    image_size: tuple[int, int]
    input_size: tuple[int, int]
    mean: tuple[float, float, float]
    deviation: tuple[float, float, float]
    crop: bool = False
    fitting: Fitting = "crop"
    place: float = Field(MIDDLE, ge=0, le=1)

    @model_validator(mode="after")
    def fits(self) -> Self:
        if self.crop and (self.image_size[0] < self.input_size[0] or self.image_size[1] < self.input_size[1]):
            raise ValueError(f"An input of {self.input_size} cannot be cut out of images of {self.image_size}.")
        return self

    def fit(self, image: Pixels) -> Pixels:
        """What the network sees of an RGB image of any size: uint8, (height, width, 3) of the input."""
        stored = fit_image(image, *self.image_size, self.fitting, self.place)
        return self.centre(stored[None])[0] if self.crop else resize(stored, *self.input_size)

    def framed(self, how: Framing | None, place: float = MIDDLE) -> tuple[Preprocessing, ...]:
        """The ways to the network's input whose answers are averaged, the middle one first; None keeps the way in which
        it was trained. `place` is that of a single crop."""
        if how == "crops":
            places = sorted(CROP_PLACES, key=lambda one: abs(one - MIDDLE))
            return tuple(self.model_copy(update={"fitting": "crop", "place": one}) for one in places)
        return (self.model_copy(update={"fitting": how or self.fitting, "place": place}),)

    def seen(self, height: int, width: int) -> Part:
        """The part of an image of this size that reaches the network; the whole, where nothing is cut off."""
        box = (
            crop_box(height, width, *self.image_size, self.place)
            if self.fitting == "crop"
            else Part(0, 0, height, width)
        )
        if not self.crop or self.fitting == "pad":
            return box
        kept = [given / stored for given, stored in zip(self.input_size, self.image_size, strict=True)]
        rows, columns = round(box.height * kept[0]), round(box.width * kept[1])
        return Part(box.top + (box.height - rows) // 2, box.left + (box.width - columns) // 2, rows, columns)

    def account(self, height: int, width: int) -> str:
        """What is done to an image of this size, in a line: "451×300, squeezed to 32×32"."""
        rows, columns = self.image_size
        given, seen = f"{width}×{height}", f"{self.input_size[1]}×{self.input_size[0]}"
        cut = f", then cut to its middle {seen}" if self.crop and self.image_size != self.input_size else ""
        target = f"{columns}×{rows}{cut}" if cut else seen
        if height * columns == width * rows:
            return f"{given}, resized to {target}"
        match self.fitting:
            case "crop":
                box = crop_box(height, width, rows, columns, self.place)
                part = "its middle" if self.place == MIDDLE else "a part of"
                return f"{given}, {part} {box.width}×{box.height} resized to {target}"
            case "pad":
                return f"{given}, resized to {target} with black bars"
            case _:
                return f"{given}, {'stretched' if height < rows and width < columns else 'squeezed'} to {target}"

    def centre(self, images: Pixels) -> Pixels:
        """The input-sized middle of images in the stored size (count, height, width, 3)."""
        height, width = self.input_size
        top, left = (images.shape[1] - height) // 2, (images.shape[2] - width) // 2
        return images[:, top : top + height, left : left + width]

    def fit_all(self, images: Sequence[Pixels] | Pixels) -> Pixels:
        """`fit` for many: uint8, (count, height, width, 3)."""
        if isinstance(images, np.ndarray) and images.shape[1:3] == self.image_size:
            if self.image_size == self.input_size:
                return images
            if self.crop:
                return self.centre(images)
        return np.stack([self.fit(image) for image in images])

    def normalize(self, images: Any) -> Any:
        """uint8 inputs to float32 with mean 0 and deviation 1 over the training images; inside TensorFlow's graph."""
        from cnnlab.keras.backend import tf

        return (tf.cast(images, tf.float32) - tf.constant(self.mean)) / tf.constant(self.deviation)
