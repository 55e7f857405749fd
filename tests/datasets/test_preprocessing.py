from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from cnnlab import datasets
from cnnlab.datasets import Dataset, Split
from cnnlab.datasets.images import Pixels, read_image, resize
from cnnlab.datasets.preprocessing import Preprocessing
from cnnlab.experiments.recipe import make_recipe
from cnnlab.training.batches import epoch_batches, epoch_order


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return datasets.load("digits")


def through_a_file(pixels: Pixels) -> Pixels:
    """The image saved as a PNG and read back, as an upload is."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return read_image(buffer.getvalue(), "image.png")


def photographs(count: int = 40) -> Split:
    """Images of CIFAR-10's size."""
    images = np.random.default_rng(0).integers(0, 256, (count, 32, 32, 3), dtype=np.uint8)
    return Split("train", images, np.arange(count) % 10, np.arange(count))


def fed(split: Split, preprocessing: Preprocessing, batch_size: int = 8) -> dict[int, Pixels]:
    """What training feeds of each image of the split in the first epoch, by position."""
    order = epoch_order(len(split), 0, 0)
    batches = [images for images, _ in epoch_batches(split, 10, preprocessing, make_recipe(batch_size=batch_size), 0)]
    return dict(zip(order.tolist(), np.concatenate(batches), strict=False))


@pytest.mark.parametrize("input_size", [28, 32, 64])
def test_prediction_sees_of_a_photograph_what_training_saw(input_size: int) -> None:
    split = photographs()
    preprocessing = Preprocessing(
        image_size=(32, 32), input_size=(input_size, input_size), mean=(1, 2, 3), deviation=(1, 1, 1)
    )
    for position, image in fed(split, preprocessing).items():
        assert image.shape == (input_size, input_size, 3)
        assert np.array_equal(preprocessing.fit(through_a_file(split.images[position])), image)


@pytest.mark.parametrize("input_size", [8, 32])
def test_prediction_sees_of_a_digit_what_training_saw(digits: Dataset, input_size: int) -> None:
    training, _ = digits.training_splits(0.1, 0)
    preprocessing = digits.preprocessing((input_size, input_size))
    seen = fed(training, preprocessing, 64)
    assert len(seen) == len(training) // 64 * 64
    for position in list(seen)[:50]:
        image = training.batch(slice(position, position + 1))[0][0]
        assert np.array_equal(preprocessing.fit(through_a_file(image)), seen[position])


def test_many_images_are_fitted_as_each_one_is() -> None:
    preprocessing = Preprocessing(image_size=(32, 32), input_size=(28, 28), mean=(0, 0, 0), deviation=(1, 1, 1))
    images = photographs(5).images
    assert np.array_equal(preprocessing.fit_all(images), np.stack([preprocessing.fit(image) for image in images]))
    mixed = [images[0], resize(images[1], 50, 70)]
    assert preprocessing.fit_all(mixed).shape == (2, 28, 28, 3)


def test_a_large_photograph_is_shown_with_the_detail_that_the_data_set_had() -> None:
    """A board of single pixels is a plain grey at 8x8, so it has to be one at the network's 32x32 too."""
    board = np.indices((512, 512)).sum(0) % 2 * 255
    photograph = np.repeat(board[..., None], 3, axis=-1).astype(np.uint8)
    preprocessing = Preprocessing(image_size=(8, 8), input_size=(32, 32), mean=(0, 0, 0), deviation=(1, 1, 1))
    assert np.array_equal(preprocessing.fit(photograph), resize(resize(photograph, 8, 8), 32, 32))
    edge = np.zeros((512, 512, 3), np.uint8)
    edge[:, 250:] = 255
    assert not np.array_equal(preprocessing.fit(edge), resize(edge, 32, 32))


@pytest.mark.parametrize("shape", [(1, 1, 3), (2000, 3, 3), (3, 2000, 3), (31, 33, 3)])
def test_an_image_of_any_size_fits(shape: tuple[int, int, int]) -> None:
    preprocessing = Preprocessing(image_size=(32, 32), input_size=(28, 28), mean=(0, 0, 0), deviation=(1, 1, 1))
    assert preprocessing.fit(np.zeros(shape, np.uint8)).shape == (28, 28, 3)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["digits", "photographs"])
def test_normalized_training_images_have_mean_0_and_deviation_1(digits: Dataset, name: str) -> None:
    from cnnlab.datasets.cache import make_dataset

    split = photographs(200)
    bright = split.images // 4 + np.array([0, 60, 150], np.uint8)  # channels that differ
    made = make_dataset("photographs", "", digits.classes, (bright, split.labels), (bright[:1], split.labels[:1]))
    dataset = digits if name == "digits" else made
    preprocessing = dataset.preprocessing(dataset.image_size)
    inputs = np.asarray(preprocessing.normalize(preprocessing.fit_all(dataset.train_images)))
    assert inputs.dtype == np.float32
    assert inputs.mean(axis=(0, 1, 2), dtype=np.float64) == pytest.approx(0, abs=1e-3)
    assert inputs.std(axis=(0, 1, 2), dtype=np.float64) == pytest.approx(1, abs=1e-3)


def test_an_epoch_shows_each_image_once_with_its_label_and_leaves_the_rest_for_later() -> None:
    split = photographs(40)
    preprocessing = Preprocessing(image_size=(32, 32), input_size=(32, 32), mean=(0, 0, 0), deviation=(1, 1, 1))
    batches = list(epoch_batches(split, 10, preprocessing, make_recipe(batch_size=12), 0))
    assert [len(images) for images, _ in batches] == [12, 12, 12]
    where = {image.tobytes(): number for number, image in enumerate(split.images)}
    shown = [where[image.tobytes()] for images, _ in batches for image in images]
    assert len(set(shown)) == 36
    assert [number % 10 for number in shown] == np.concatenate(
        [targets.argmax(axis=1) for _, targets in batches]
    ).tolist()


def test_the_order_follows_from_the_seed_and_the_epoch() -> None:
    assert np.array_equal(epoch_order(100, 3, 5), epoch_order(100, 3, 5))
    assert not np.array_equal(epoch_order(100, 3, 5), epoch_order(100, 3, 6))
    assert not np.array_equal(epoch_order(100, 3, 5), epoch_order(100, 4, 5))
    assert sorted(epoch_order(100, 3, 5)) == list(range(100))


def test_a_preprocessing_is_saved_whole_and_takes_nothing_unknown() -> None:
    preprocessing = Preprocessing(image_size=(32, 48), input_size=(28, 28), mean=(1, 2, 3), deviation=(4, 5, 6))
    assert Preprocessing.model_validate_json(preprocessing.model_dump_json()) == preprocessing
    with pytest.raises(ValidationError):
        Preprocessing.model_validate({**preprocessing.model_dump(), "flip": True})


@pytest.mark.parametrize(
    ("changes", "size", "told"),
    [
        ({"fitting": "squash"}, (300, 451), "451×300, squeezed to 32×32"),
        ({"fitting": "squash"}, (20, 10), "10×20, stretched to 32×32"),
        ({}, (64, 64), "64×64, resized to 32×32"),
        ({}, (300, 451), "451×300, its middle 300×300 resized to 32×32"),
        ({"place": 0.9}, (300, 451), "451×300, a part of 300×300 resized to 32×32"),
        ({"fitting": "pad"}, (300, 451), "451×300, resized to 32×32 with black bars"),
        (
            {"input_size": (28, 28), "crop": True},
            (300, 451),
            "451×300, its middle 300×300 resized to 32×32, then cut to its middle 28×28",
        ),
        ({"input_size": (64, 64)}, (300, 451), "451×300, its middle 300×300 resized to 64×64"),
    ],
)
def test_it_says_what_it_does_to_an_image(changes: dict[str, object], size: tuple[int, int], told: str) -> None:
    plain = Preprocessing(image_size=(32, 32), input_size=(32, 32), mean=(0, 0, 0), deviation=(1, 1, 1))
    assert plain.model_copy(update=changes).account(*size) == told


@pytest.mark.parametrize("size", [(60, 90), (90, 60)])
@pytest.mark.parametrize("place", [0.0, 0.3, 0.5, 1.0])
def test_nothing_outside_what_it_says_to_see_reaches_the_network(size: tuple[int, int], place: float) -> None:
    plain = Preprocessing(image_size=(30, 30), input_size=(30, 30), mean=(0, 0, 0), deviation=(1, 1, 1), place=place)
    image = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    box = plain.seen(*size)
    assert (box.height, box.width) == (60, 60)
    assert {box.top, box.left} == {0, int(30 * place)}
    other = 255 - image
    seen = slice(box.top, box.top + 60), slice(box.left, box.left + 60)
    other[seen] = image[seen]
    assert np.array_equal(plain.fit(other), plain.fit(image))


def test_three_squares_lie_at_both_ends_and_in_the_middle_which_comes_first() -> None:
    plain = Preprocessing(image_size=(30, 30), input_size=(30, 30), mean=(0, 0, 0), deviation=(1, 1, 1), fitting="pad")
    ways = plain.framed("crops")
    assert [(one.fitting, one.seen(60, 90).left) for one in ways] == [("crop", 15), ("crop", 0), ("crop", 30)]
    assert plain.framed(None) == (plain,), "as it was trained"
