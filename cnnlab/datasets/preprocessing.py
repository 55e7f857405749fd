"""From pixels to a network's input: the one recipe that training, validation, evaluation and prediction share.

It is saved with every run. An image goes through the size in which the data set stores its images before it is
resized to the network's input size: a large photograph is shown to a network trained on 32x32 images with the detail
that those had, no more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, model_validator

from cnnlab.datasets.images import Fitting, Pixels, fit_image, resize


class Preprocessing(BaseModel):
    """Sizes are (height, width); `mean` and `deviation` are per channel, for pixel values from 0 to 255.

    `fitting` is how an image of another shape was resized to the stored size; `crop` cuts the input out of the middle
    of the stored size, which else is resized to it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    image_size: tuple[int, int]
    input_size: tuple[int, int]
    mean: tuple[float, float, float]
    deviation: tuple[float, float, float]
    crop: bool = False
    fitting: Fitting = "squash"

    @model_validator(mode="after")
    def fits(self) -> Self:
        if self.crop and (self.image_size[0] < self.input_size[0] or self.image_size[1] < self.input_size[1]):
            raise ValueError(f"An input of {self.input_size} cannot be cut out of images of {self.image_size}.")
        return self

    def fit(self, image: Pixels) -> Pixels:
        """What the network sees of an RGB image of any size: uint8, (height, width, 3) of the input."""
        stored = fit_image(image, *self.image_size, self.fitting)
        return self.centre(stored[None])[0] if self.crop else resize(stored, *self.input_size)

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
                ratio = min(height / rows, width / columns)
                kept = f"{max(round(columns * ratio), 1)}×{max(round(rows * ratio), 1)}"
                return f"{given}, its middle {kept} resized to {target}"
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
