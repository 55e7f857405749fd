from __future__ import annotations

import io
import random
import struct
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from cnnlab.datasets.images import MAX_IMAGE_BYTES, Pixels, read_image, resize
from cnnlab.errors import UserError
from tests.conftest import assert_one_line


def encoded(image: Image.Image, format_: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format_, **options)
    return buffer.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, depth: int, colour: int, rows: bytes, *more: bytes) -> bytes:
    """A PNG written by hand: `rows` with their filter bytes, `more` chunks between header and data."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    data = chunk(b"IDAT", zlib.compress(rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(more) + data + chunk(b"IEND", b"")


def noise(height: int, width: int, seed: int = 0) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def smooth(height: int = 48, width: int = 64) -> Pixels:
    """Gradients, which survive a lossy codec."""
    y, x = np.mgrid[0:height, 0:width]
    return np.stack([x * 255 / width, y * 255 / height, (x + y) * 255 / (width + height)], axis=-1).astype(np.uint8)


def assert_close(image: Pixels, expected: Pixels, tolerance: float = 6) -> None:
    assert image.shape == expected.shape
    assert np.abs(image.astype(int) - expected.astype(int)).mean() < tolerance


def refusal(data: bytes, name: str = "holiday.png") -> str:
    """What a person is told of a file that is refused: one line that names it."""
    with pytest.raises(UserError) as refused:
        read_image(data, name)
    assert_one_line(str(refused.value), name)
    return str(refused.value)


@pytest.mark.parametrize("format_", ["PNG", "BMP"])
def test_a_lossless_image_is_read_pixel_for_pixel(format_: str) -> None:
    pixels = noise(7, 5)
    image = read_image(encoded(Image.fromarray(pixels), format_), "a")
    assert image.dtype == np.uint8
    assert np.array_equal(image, pixels)


@pytest.mark.parametrize("format_", ["JPEG", "WEBP"])
def test_a_lossy_image_is_read_nearly_so(format_: str) -> None:
    assert_close(read_image(encoded(Image.fromarray(smooth()), format_, quality=95), "a"), smooth())


def test_a_lossless_webp_is_read_pixel_for_pixel() -> None:
    pixels = noise(9, 4)
    assert np.array_equal(read_image(encoded(Image.fromarray(pixels), "WEBP", lossless=True), "a"), pixels)


def test_the_format_is_told_from_the_content_not_from_the_name() -> None:
    pixels = noise(3, 3)
    assert np.array_equal(read_image(encoded(Image.fromarray(pixels), "PNG"), "photo.jpg"), pixels)


def test_a_single_pixel_is_an_image() -> None:
    image = read_image(encoded(Image.new("RGB", (1, 1), (10, 20, 30)), "PNG"), "dot.png")
    assert image.tolist() == [[[10, 20, 30]]]


def test_a_grey_image_has_three_equal_channels() -> None:
    grey = np.arange(12, dtype=np.uint8).reshape(3, 4) * 20
    image = read_image(encoded(Image.fromarray(grey), "PNG"), "grey.png")
    assert np.array_equal(image, np.repeat(grey[..., None], 3, axis=-1))


def test_a_black_and_white_image_is_black_and_white() -> None:
    image = read_image(encoded(Image.fromarray(np.array([[0, 255]], np.uint8)).convert("1"), "PNG"), "fax.png")
    assert image.tolist() == [[[0, 0, 0], [255, 255, 255]]]


def test_16_bit_greys_are_scaled_to_8_bits_not_clipped_to_white() -> None:
    values = [0, 257, 128 * 257, 200 * 257, 65535]
    data = png(5, 1, 16, 0, b"\0" + struct.pack(">5H", *values))
    assert read_image(data, "x-ray.png")[0, :, 0].tolist() == [0, 1, 128, 200, 255]


def test_16_bit_greys_saved_by_pillow_are_scaled_too() -> None:
    values = (np.arange(256, dtype=np.uint16) * 257).reshape(16, 16)
    image = read_image(encoded(Image.fromarray(values), "PNG"), "x-ray.png")
    assert np.array_equal(image[..., 0], np.arange(256).reshape(16, 16))
    assert np.array_equal(image[..., 0], image[..., 2])


def test_16_bit_colours_are_scaled_to_8_bits() -> None:
    data = png(1, 1, 16, 2, b"\0" + struct.pack(">3H", 65535, 128 * 257, 0))
    assert np.abs(read_image(data, "deep.png")[0, 0].astype(int) - [255, 128, 0]).max() <= 1


def test_a_cmyk_jpeg_shows_its_colours() -> None:
    red = Image.new("RGB", (16, 16), (250, 10, 10)).convert("CMYK")
    assert_close(
        read_image(encoded(red, "JPEG", quality=95), "print.jpg"), np.full((16, 16, 3), (250, 10, 10), np.uint8)
    )


def test_a_palette_image_shows_its_colours() -> None:
    pixels = np.zeros((4, 4, 3), np.uint8)
    pixels[:2], pixels[2:] = (255, 0, 0), (0, 0, 200)
    image = Image.fromarray(pixels).convert("P", palette=Image.Palette.ADAPTIVE)
    assert image.mode == "P"
    assert np.array_equal(read_image(encoded(image, "PNG"), "icon.png"), pixels)


def test_a_transparent_colour_of_a_palette_is_shown_over_white() -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([255, 0, 0, 0, 255, 0])
    image.putdata([0, 1])
    assert read_image(encoded(image, "PNG", transparency=1), "icon.png").tolist() == [[[255, 0, 0], [255, 255, 255]]]


def test_half_transparent_palette_colours_are_mixed_with_white() -> None:
    palette, alpha = chunk(b"PLTE", bytes([255, 0, 0, 0, 0, 0])), chunk(b"tRNS", bytes([255, 128]))
    image = read_image(png(2, 1, 8, 3, b"\0\0\1", palette, alpha), "icon.png")
    assert image[0, 0].tolist() == [255, 0, 0]
    assert np.abs(image[0, 1].astype(int) - 127).max() <= 1


def test_a_transparent_colour_of_a_true_colour_image_is_shown_over_white() -> None:
    pixels = np.array([[[1, 2, 3], [200, 100, 50]]], np.uint8)
    data = encoded(Image.fromarray(pixels), "PNG", transparency=(1, 2, 3))
    assert read_image(data, "key.png").tolist() == [[[255, 255, 255], [200, 100, 50]]]


def test_transparency_is_laid_over_white() -> None:
    pixels = np.array([[[255, 0, 0, 255], [255, 0, 0, 0], [0, 0, 0, 128]]], np.uint8)
    image = read_image(encoded(Image.fromarray(pixels), "PNG"), "logo.png")
    assert image[0, :2].tolist() == [[255, 0, 0], [255, 255, 255]]
    assert np.abs(image[0, 2].astype(int) - 127).max() <= 1


def test_grey_with_alpha_is_laid_over_white() -> None:
    pixels = np.array([[[0, 255], [0, 0], [100, 255]]], np.uint8)
    image = read_image(encoded(Image.fromarray(pixels), "PNG"), "logo.png")
    assert image[0, :, 0].tolist() == [0, 255, 100]


def test_an_animation_gives_its_first_frame() -> None:
    frames = [Image.new("RGB", (6, 4), colour) for colour in ((255, 0, 0), (0, 255, 0), (0, 0, 255))]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    with Image.open(io.BytesIO(data)) as check:
        assert getattr(check, "n_frames", 1) == 3
    assert_close(read_image(data, "dance.gif"), np.full((4, 6, 3), (255, 0, 0), np.uint8), 2)


ORIENTATIONS: dict[int, Callable[[Pixels], Pixels]] = {
    1: lambda stored: stored,
    2: lambda stored: stored[:, ::-1],
    3: lambda stored: stored[::-1, ::-1],
    4: lambda stored: stored[::-1],
    5: lambda stored: stored.transpose(1, 0, 2),
    6: lambda stored: np.rot90(stored, -1),
    7: lambda stored: stored[::-1, ::-1].transpose(1, 0, 2),
    8: np.rot90,
}


@pytest.mark.parametrize("orientation", list(ORIENTATIONS))
@pytest.mark.parametrize("format_", ["JPEG", "PNG"])
def test_a_photo_is_turned_as_the_camera_says(orientation: int, format_: str) -> None:
    """6: the camera was held upright; what is stored has to turn a quarter clockwise."""
    stored = np.zeros((32, 64, 3), np.uint8)
    stored[:16, :32], stored[:16, 32:], stored[16:, :32] = (250, 0, 0), (0, 250, 0), (0, 0, 250)
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = read_image(encoded(Image.fromarray(stored), format_, exif=exif), "phone.jpg")
    assert_close(image, ORIENTATIONS[orientation](stored))


def test_a_file_of_0_bytes_is_refused() -> None:
    assert "empty" in refusal(b"")


@pytest.mark.parametrize("data", [b"just a text\n" * 50, b"\0" * 1000, b"%PDF-1.7 ...", b"<svg/>"])
def test_what_is_no_image_is_refused(data: bytes) -> None:
    assert "JPEG, PNG, WebP, BMP and GIF" in refusal(data)


def test_a_tiff_is_refused() -> None:
    assert "JPEG, PNG, WebP, BMP and GIF" in refusal(encoded(Image.new("RGB", (4, 4)), "TIFF"), "scan.tif")


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP", "BMP", "GIF"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_truncated_image_is_refused(format_: str, share: float) -> None:
    data = encoded(Image.fromarray(noise(64, 64)), format_)
    refusal(data[: int(len(data) * share)])


def test_a_header_that_claims_2500_million_pixels_is_refused_undecoded() -> None:
    assert "pixels" in refusal(png(50_000, 50_000, 8, 2, b"\0" * 100))


def test_a_header_just_over_the_limit_is_refused_with_the_numbers() -> None:
    message = refusal(png(10_000, 5_001, 8, 2, b"\0" * 100))
    assert "10,000 × 5,001" in message
    assert "50 million" in message


def test_a_file_of_too_many_bytes_is_refused() -> None:
    message = refusal(b"\x89PNG" + b"\0" * MAX_IMAGE_BYTES)
    assert "20.0 MB" in message


def test_a_compressed_text_bomb_is_refused() -> None:
    """A megabyte of metadata unpacked from a kilobyte: Pillow raises a bare ValueError for it."""
    bomb = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"A" * 80_000_000))
    refusal(png(1, 1, 8, 0, b"\0\0", bomb))


def test_images_without_pixels_are_refused() -> None:
    bmp = bytearray(encoded(Image.new("RGB", (4, 4)), "BMP"))
    bmp[18:22] = struct.pack("<i", 0)
    refusal(bytes(bmp))


def test_resizing_gives_the_asked_height_and_width() -> None:
    assert resize(noise(10, 20), 4, 6).shape == (4, 6, 3)


def test_an_image_of_the_right_size_is_left_alone() -> None:
    pixels = noise(8, 8)
    assert resize(pixels, 8, 8) is pixels


def test_shrinking_averages_instead_of_dropping_pixels() -> None:
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2] = 255
    small = resize(stripes, 8, 8)
    assert np.abs(small.astype(int) - 127).max() <= 8


def samples() -> list[bytes]:
    rgb, alpha = Image.fromarray(smooth(12, 16)), Image.fromarray(np.dstack([smooth(12, 16), noise(12, 16)[..., 0]]))
    exif = Image.Exif()
    exif[0x0112] = 6
    return [
        encoded(rgb, "PNG"),
        encoded(rgb, "PNG", exif=exif),
        encoded(alpha, "PNG"),
        encoded(rgb.convert("P"), "PNG", transparency=3),
        encoded(Image.fromarray(np.arange(64, dtype=np.uint16).reshape(8, 8) * 1000), "PNG"),
        encoded(rgb, "JPEG", exif=exif),
        encoded(rgb.convert("CMYK"), "JPEG"),
        encoded(rgb, "JPEG", progressive=True),
        encoded(rgb, "GIF", save_all=True, append_images=[rgb.rotate(90)]),
        encoded(rgb, "WEBP", exif=exif),
        encoded(alpha, "WEBP", lossless=True),
        encoded(rgb, "BMP"),
        encoded(rgb.convert("P"), "BMP"),
        encoded(rgb.convert("1"), "BMP"),
    ]


SAMPLES = samples()


def assert_image_or_refusal(data: bytes) -> None:
    try:
        image = read_image(data, "some file.png")
    except UserError as refused:
        assert_one_line(str(refused), "some file.png")
    else:
        assert image.dtype == np.uint8
        assert image.ndim == 3
        assert image.shape[2] == 3
        assert image.size


@given(st.binary(max_size=400))
@settings(max_examples=100)
def test_random_bytes_never_crash(data: bytes) -> None:
    assert_image_or_refusal(data)


@given(
    sample=st.sampled_from(SAMPLES),
    changes=st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=8),
    cut=st.integers(0, 10_000),
)
@settings(max_examples=300)
def test_mutated_images_never_crash(sample: bytes, changes: list[tuple[int, int]], cut: int) -> None:
    data = bytearray(sample)
    for position, value in changes:
        data[position % len(data)] = value
    assert_image_or_refusal(bytes(data[: len(data) - cut % len(data)] if cut % 3 == 0 else data))


def mended(data: bytes) -> bytes:
    """A PNG with its checksums set right, so that a mutation reaches the decoder."""
    out, position = [data[:8]], 8
    while position + 12 <= len(data):
        (length,) = struct.unpack(">I", data[position : position + 4])
        kind, body = data[position + 4 : position + 8], data[position + 8 : position + 8 + length]
        out.append(chunk(kind, body))
        position += 12 + length
    return b"".join(out)


@pytest.mark.parametrize("sample", SAMPLES[:5])
def test_mutated_pngs_with_valid_checksums_never_crash(sample: bytes) -> None:
    chance = random.Random(0)  # noqa: S311
    for _ in range(150):
        data = bytearray(sample)
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(8, len(data))] = chance.choice([0, 1, 2, 3, 4, 6, 8, 16, 127, 255])
        assert_image_or_refusal(mended(bytes(data)))
