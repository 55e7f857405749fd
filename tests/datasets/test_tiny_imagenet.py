"""Tiny ImageNet in its original layout, three small classes of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnnlab import datasets
from cnnlab.datasets import tiny_imagenet
from cnnlab.errors import UserError
from tests.conftest import assert_one_line

WNIDS = {"n01443537": "goldfish, Carassius auratus", "n02124075": "Egyptian cat", "n99999999": "Egyptian cat, mau"}
PER_CLASS = 110
GREYSCALE = 3


def number_of(pixels: np.ndarray) -> int:
    """Which file an image came from, as `tree` painted it."""
    return round(float(pixels[..., 0].mean()) / 2)


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """110 training images for each of three classes, one of them greyscale, each of a brightness of its own."""
    monkeypatch.setenv("CNNLAB_DATA", str(tmp_path))
    folder = tmp_path / "tiny-imagenet-200"
    for wnid in WNIDS:
        images = folder / "train" / wnid / "images"
        images.mkdir(parents=True)
        for number in range(PER_CLASS):
            mode = "L" if number == GREYSCALE else "RGB"
            color = 2 * number if mode == "L" else (2 * number,) * 3
            Image.new(mode, (64, 64), color).save(images / f"{wnid}_{number}.JPEG", quality=95)
    (folder / "wnids.txt").write_text("\n".join(WNIDS))
    (folder / "words.txt").write_text("".join(f"{wnid}\t{words}\n" for wnid, words in WNIDS.items()))
    return folder


def official_validation(folder: Path, per_class: int) -> None:
    (folder / "val" / "images").mkdir(parents=True)
    lines = []
    for label, wnid in enumerate(WNIDS):
        for number in range(per_class):
            name = f"val_{label}_{number}.JPEG"
            Image.new("RGB", (64, 64), (250, 0, 0)).save(folder / "val" / "images" / name)
            lines.append(f"{name}\t{wnid}\t0\t0\t62\t62\n")
    (folder / "val" / "val_annotations.txt").write_text("".join(lines))


def test_classes_have_names_for_people_and_no_two_the_same(tree: Path) -> None:
    assert datasets.load("tiny-imagenet").classes == ("goldfish", "Egyptian cat", "mau")


def test_with_the_official_validation_images_50_a_class_are_held_out_to_test_on(tree: Path) -> None:
    official_validation(tree, 50)
    loaded = datasets.load("tiny-imagenet")
    train, validation = loaded.training_splits(0.1, seed=0)
    assert (len(train), len(validation), len(loaded.test_split())) == (3 * 60, 3 * 50, 3 * 50)
    images, labels = validation.batch(slice(None))
    assert (images[..., 0] > 200).all(), "the validation images are the official ones"
    assert np.bincount(labels).tolist() == [50, 50, 50]


def test_without_them_50_more_a_class_are_held_out_and_no_image_is_in_two_parts(tree: Path) -> None:
    loaded = datasets.load("tiny-imagenet")
    parts = [*loaded.training_splits(0.1, seed=0), loaded.test_split()]
    assert [len(part) for part in parts] == [3 * 10, 3 * 50, 3 * 50]
    for label in range(3):
        numbers: list[int] = []
        for part in parts:
            images, labels = part.batch(slice(None))
            numbers += [number_of(image) for image in images[labels == label]]
        assert sorted(numbers) == list(range(PER_CLASS))


def test_the_held_out_images_do_not_depend_on_the_seed_of_a_run(tree: Path) -> None:
    loaded = datasets.load("tiny-imagenet")
    one, other = (loaded.training_splits(0.1, seed)[1].batch(slice(None)) for seed in (0, 1))
    assert np.array_equal(np.sort(one[0].mean(axis=(1, 2, 3))), np.sort(other[0].mean(axis=(1, 2, 3))))


def test_greyscale_files_become_three_equal_channels(tree: Path) -> None:
    loaded = datasets.load("tiny-imagenet")
    images = np.concatenate([loaded.train_images, loaded.test_images])
    grey = [image for image in images if number_of(image) == GREYSCALE]
    assert len(grey) == len(WNIDS)
    assert all((image == image[..., :1]).all() for image in grey)


def test_a_tree_that_is_not_whole_is_refused_by_name(tree: Path) -> None:
    broken = tree / "train" / "n02124075" / "images"
    for path in sorted(broken.iterdir())[:50]:
        path.unlink()
    with pytest.raises(UserError) as caught:
        datasets.load("tiny-imagenet")
    assert_one_line(str(caught.value), "n02124075", "60", "500")
    (tree / "words.txt").unlink()
    with pytest.raises(UserError) as caught:
        datasets.load("tiny-imagenet")
    assert_one_line(str(caught.value), "words.txt")


def test_without_the_files_one_is_told_where_to_put_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CNNLAB_DATA", str(tmp_path))
    with pytest.raises(UserError) as caught:
        datasets.load("tiny-imagenet")
    assert_one_line(str(caught.value), "tiny-imagenet-200.zip", str(tmp_path), "wnids.txt")


def test_the_official_validation_images_can_be_the_test_part(tree: Path) -> None:
    with pytest.raises(UserError) as caught:
        datasets.load("tiny-imagenet-official")
    assert_one_line(str(caught.value), "val_annotations.txt")
    official_validation(tree, 7)
    loaded = datasets.load("tiny-imagenet-official")
    train, validation = loaded.training_splits(0.1, seed=0)
    assert (len(train), len(validation), len(loaded.test_split())) == (3 * 60, 3 * 50, 3 * 7)
    assert (loaded.test_images[..., 0] > 200).all()
    assert (loaded.train_images[..., 0].mean(axis=(1, 2)) < 240).all()


def test_what_is_said_of_its_parts_is_what_they_hold(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of each class, in both variants, where all official validation images are there and where they are not."""
    monkeypatch.setattr(tiny_imagenet, "OFFICIAL_IMAGES", 3 * 50)
    for name, there, counts in (
        ("tiny-imagenet", 0, (400, 50, 50)),
        ("tiny-imagenet", 50, (450, 50, 50)),
        ("tiny-imagenet-official", 50, (450, 50, 50)),
    ):
        if there and not (tree / "val").exists():
            official_validation(tree, there)
        source = datasets.source(name)
        trained, validated = source.training_counts(0.3)
        assert (trained / 200, validated / 200, source.test_images / 200) == counts
        loaded = datasets.load(name)
        parts = [*loaded.training_splits(0.3, seed=0), loaded.test_split()]
        spared = 500 - PER_CLASS  # the real ones have 500 a class
        assert [len(part) / 3 for part in parts] == [counts[0] - spared, *counts[1:]]
        for count in counts:
            assert f"{count} " in source.summary
        assert datasets.sources()[name].summary == source.summary
        assert "500 images each" not in source.summary
