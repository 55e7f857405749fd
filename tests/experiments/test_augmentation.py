"""Augmentation: exact where it copies, bounded where it computes, and the same for the same generator."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnlab.datasets.images import Pixels
from cnnlab.experiments.augmentation import Augmentation, augment, mix


def noise(count: int = 64, height: int = 16, width: int = 12, seed: int = 0) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, (count, height, width, 3), dtype=np.uint8)


def changed(images: Pixels, size: tuple[int, int] | None = None, seed: int = 1, **settings_: object) -> Pixels:
    rng = np.random.default_rng(seed)
    return augment(images, size or images.shape[1:3], Augmentation.model_validate(settings_), rng)


def test_nothing_is_done_where_nothing_is_asked_for() -> None:
    images = noise()
    assert not Augmentation().active
    assert np.array_equal(changed(images), images)


def test_about_every_other_image_is_mirrored_exactly() -> None:
    images = noise(400)
    result = changed(images, flip=True)
    mirrored = [np.array_equal(one, image[:, ::-1]) for one, image in zip(result, images, strict=True)]
    kept = [np.array_equal(one, image) for one, image in zip(result, images, strict=True)]
    assert all(a != b for a, b in zip(mirrored, kept, strict=True))
    assert 150 < sum(mirrored) < 250


def test_a_shift_is_a_window_of_the_image_reflected_at_its_borders() -> None:
    images = noise(50)
    padded = np.pad(images, ((0, 0), (3, 3), (3, 3), (0, 0)), mode="reflect")
    moves = set()
    for place, one in enumerate(changed(images, shift=3)):
        found = [
            (top, left)
            for top in range(7)
            for left in range(7)
            if np.array_equal(one, padded[place, top : top + 16, left : left + 12])
        ]
        assert found
        moves.add(found[0])
    assert len(moves) > 20


def test_a_crop_is_a_window_of_the_image_anywhere_in_it() -> None:
    images = noise(100)
    corners = set()
    for place, one in enumerate(changed(images, (12, 10))):
        found = [
            (top, left)
            for top in range(5)
            for left in range(3)
            if np.array_equal(one, images[place, top : top + 12, left : left + 10])
        ]
        assert found
        corners.add(found[0])
    assert len(corners) == 15


def test_images_smaller_than_asked_for_are_refused() -> None:
    with pytest.raises(ValueError, match="smaller"):
        changed(noise(), (20, 12))


def test_a_rotation_keeps_the_middle_and_moves_the_rim() -> None:
    image = np.zeros((1, 33, 33, 3), np.uint8)
    image[0, 14:19, 14:19] = 200  # a square in the middle
    image[0, 16, 30] = 255
    result = changed(image, rotation=40, seed=5)
    assert (result[0, 16, 16] == 200).all()
    assert result[0, 16, 30, 0] < 255


def test_a_zoom_enlarges_or_shrinks_what_is_in_the_middle() -> None:
    images = np.zeros((40, 33, 33, 3), np.uint8)
    images[:, 11:22, 11:22] = 255  # 121 pixels
    areas = (changed(images, zoom=0.3)[..., 0] > 127).sum(axis=(1, 2))
    assert areas.min() < 100
    assert areas.max() > 140
    assert areas.min() > 121 * 0.7**2 * 0.8
    assert areas.max() < 121 * 1.3**2 * 1.2


def test_brightness_is_one_factor_an_image_and_clips() -> None:
    images = np.full((100, 4, 4, 3), 200, np.uint8)
    result = changed(images, brightness=0.5)
    assert (result == result[:, :1, :1, :1]).all()
    assert result.min() >= 100
    assert result.max() == 255
    assert len(np.unique(result)) > 30


def test_contrast_turns_around_the_mean() -> None:
    images = np.zeros((50, 4, 4, 3), np.uint8)
    images[:, :2], images[:, 2:] = 60, 140
    result = changed(images, contrast=0.5).astype(float)
    assert result.mean(axis=(1, 2, 3)) == pytest.approx(100, abs=1)
    spread = result[:, 3, 0, 0] - result[:, 0, 0, 0]
    assert 39 <= spread.min() < 60
    assert 100 < spread.max() <= 121


def test_cutout_paints_one_square_in_the_mean_colour() -> None:
    images = np.zeros((60, 20, 20, 3), np.uint8)
    images[:, ::2] = 200  # stripes with a mean of 100
    for one in changed(images, cutout=6):
        rows, columns = np.nonzero(one[..., 0] == 100)
        assert len(rows) == (np.ptp(rows) + 1) * (np.ptp(columns) + 1) <= 36
        assert np.ptp(rows) < 6
        assert np.ptp(columns) < 6


def test_mixup_blends_images_and_targets_in_the_same_share() -> None:
    images = np.zeros((50, 2, 2, 3), np.uint8)
    images[25:] = 200
    targets = np.zeros((50, 2), np.float32)
    targets[:25, 0] = targets[25:, 1] = 1
    blended, soft = mix(images, targets, 1.0, np.random.default_rng(0))
    assert soft.sum(axis=1) == pytest.approx(1)
    assert blended[:, 0, 0, 0] / 200 == pytest.approx(soft[:, 1], abs=0.01)
    assert ((soft[:, 0] > 0.1) & (soft[:, 0] < 0.9)).any()
    assert mix(images, targets, 0, np.random.default_rng(0)) == (images, targets)


EVERYTHING = {
    "flip": True,
    "shift": 2,
    "rotation": 15,
    "zoom": 0.2,
    "brightness": 0.3,
    "contrast": 0.3,
    "cutout": 4,
}


def test_the_same_generator_gives_the_same_images_and_leaves_the_originals_alone() -> None:
    images = noise()
    before = images.copy()
    assert np.array_equal(changed(images, seed=3, **EVERYTHING), changed(images, seed=3, **EVERYTHING))
    assert not np.array_equal(changed(images, seed=3, **EVERYTHING), changed(images, seed=4, **EVERYTHING))
    assert np.array_equal(images, before)


@given(
    count=st.integers(1, 4),
    height=st.integers(1, 20),
    width=st.integers(1, 20),
    chosen=st.fixed_dictionaries(
        {},
        optional={
            "flip": st.booleans(),
            "shift": st.integers(0, 40),
            "rotation": st.floats(0, 180),
            "zoom": st.floats(0, 0.9),
            "brightness": st.floats(0, 1),
            "contrast": st.floats(0, 1),
            "cutout": st.integers(0, 50),
        },
    ),
    data=st.data(),
)
@settings(max_examples=60)
def test_images_of_any_size_keep_their_shape_and_kind(
    count: int, height: int, width: int, chosen: dict[str, object], data: st.DataObject
) -> None:
    size = data.draw(st.tuples(st.integers(1, height), st.integers(1, width)))
    result = changed(noise(count, height, width), size, **chosen)
    assert (result.shape, result.dtype) == ((count, *size, 3), np.uint8)
    assert result.flags.c_contiguous
