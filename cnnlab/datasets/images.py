"""One image file in, one RGB array out: the only place where files become pixels.

Data sets, uploads and the command line all read images here, so they agree on rotation, colour and limits.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from cnnlab.errors import UserError

Pixels = NDArray[np.uint8]
Fitting = Literal["squash", "crop", "pad"]
"""How an image of another shape becomes a square: distorted, a part cut out, or with black bars."""
MIDDLE = 0.5

IMAGE_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF")
EXTENSIONS = ("jpg", "jpeg", "png", "webp", "bmp", "gif")
MAX_IMAGE_BYTES = 20_000_000
MAX_PIXELS = 50_000_000
WHITE = (255, 255, 255)


def read_image(data: bytes, name: str) -> Pixels:
    """The image in `data` as uint8 RGB of shape (height, width, 3).

    The EXIF rotation is applied, transparency is laid over white, 16-bit and floating-point greys are scaled to 8
    bits, and an animation gives its first frame. Raises UserError with one sentence that names the file: empty,
    too large, of another format, or broken.
    """
    if not data:
        raise UserError(f"{name} is empty (0 bytes).")
    if len(data) > MAX_IMAGE_BYTES:
        raise UserError(
            f"{name} has {len(data) / 1e6:.1f} MB; images of up to {MAX_IMAGE_BYTES // 10**6} MB are accepted."
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # our own limit below is stricter than Pillow's warning
            with Image.open(io.BytesIO(data), formats=IMAGE_FORMATS) as image:
                width, height = image.size
                if width * height > MAX_PIXELS:
                    raise UserError(
                        f"{name} has {width:,} × {height:,} pixels; "
                        f"up to {MAX_PIXELS // 10**6} million pixels are accepted."
                    )
                image.load()
                return np.asarray(rgb(image), dtype=np.uint8)
    except UnidentifiedImageError as error:
        raise UserError(f"{name} is not an image that can be read; JPEG, PNG, WebP, BMP and GIF are.") from error
    except Image.DecompressionBombError as error:
        raise UserError(f"{name} claims more pixels than the {MAX_PIXELS // 10**6} million accepted.") from error
    except UserError:
        raise
    except Exception as error:  # Pillow's decoders raise whatever a damaged file leads them to
        raise UserError(f"{name} is a damaged image: {error}.") from error


def rgb(image: Image.Image) -> Image.Image:
    """An upright 8-bit RGB image of what a viewer would show."""
    image = ImageOps.exif_transpose(image)
    if image.mode in ("I;16", "I;16B", "I;16L", "I", "F"):
        values = np.asarray(image, dtype=np.float64)
        top = 65535.0 if image.mode != "F" else max(float(values.max()), 1.0)
        image = Image.fromarray(np.clip(values / top * 255.0 + 0.5, 0, 255).astype(np.uint8))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        background = Image.new("RGBA", image.size, (*WHITE, 255))
        image = Image.alpha_composite(background, image)
    return image.convert("RGB")


def resize(image: Pixels, height: int, width: int) -> Pixels:
    """The image squashed or stretched to (height, width), bilinear with antialiasing; itself if it fits already."""
    if image.shape[:2] == (height, width):
        return image
    return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR))


@dataclass(frozen=True)
class Part:
    """A part of an image, in pixels."""

    top: int
    left: int
    height: int
    width: int


def crop_box(image_height: int, image_width: int, height: int, width: int, place: float = MIDDLE) -> Part:
    """The largest part of an image in the shape of (height, width), `place` of the way along the longer side: 0 at its
    beginning, 1 at its end."""
    ratio = min(image_height / height, image_width / width)
    rows, columns = max(round(height * ratio), 1), max(round(width * ratio), 1)
    return Part(int((image_height - rows) * place), int((image_width - columns) * place), rows, columns)


def fit_image(image: Pixels, height: int, width: int, fitting: Fitting, place: float = MIDDLE) -> Pixels:
    """The image in (height, width): squashed, cropped (in its middle, unless at another `place`), or padded with black
    to its own shape."""
    if fitting == "squash" or image.shape[0] * width == image.shape[1] * height:
        return resize(image, height, width)
    if fitting == "crop":
        box = crop_box(image.shape[0], image.shape[1], height, width, place)
        return resize(image[box.top : box.top + box.height, box.left : box.left + box.width], height, width)
    ratio = max(image.shape[0] / height, image.shape[1] / width)
    rows, columns = max(round(image.shape[0] / ratio), 1), max(round(image.shape[1] / ratio), 1)
    padded = np.zeros((height, width, 3), np.uint8)
    top, left = (height - rows) // 2, (width - columns) // 2
    padded[top : top + rows, left : left + columns] = resize(image, rows, columns)
    return padded
