from __future__ import annotations

import io
import os
import pickle
import struct
from collections import Counter
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from cnnlab import datasets
from cnnlab.datasets import Dataset
from cnnlab.datasets.cache import ARRAYS, channel_statistics, make_dataset
from cnnlab.datasets.cifar10 import CIFAR10_CLASSES, read_batch
from cnnlab.datasets.images import Pixels
from cnnlab.errors import UserError
from cnnlab.storage.leftovers import THIS_PLACE
from tests.conftest import assert_one_line, ended_process

PER_CLASS = {"train": 3, "test": 2}
REAL_CIFAR10 = bool(os.environ.get("CNNLAB_DATA")) and bool(
    datasets.source("cifar10").find(Path(os.environ.get("CNNLAB_DATA", "")))
)


@pytest.fixture
def data_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data root of its own."""
    root = tmp_path / "data"
    root.mkdir()
    monkeypatch.setenv("CNNLAB_DATA", str(root))
    return root


class Heard:
    """A progress that remembers."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    def __call__(self, message: str, fraction: float | None = None) -> None:
        assert fraction is None or 0 <= fraction <= 1
        self.messages.append(message)


def digits() -> Dataset:
    return datasets.load("digits")


def shares(labels: np.ndarray) -> dict[int, float]:
    return {label: count / len(labels) for label, count in Counter(labels.tolist()).items()}


def picture(label: int, number: int, size: int = 32) -> Pixels:
    """An image that tells its class by its red and its number by its green."""
    pixels = np.random.default_rng((label, number)).integers(0, 256, (size, size, 3), dtype=np.uint8)
    pixels[..., 0], pixels[..., 1] = label * 20, number * 50
    return pixels


def image_folders(root: Path, suffix: str = "png") -> Path:
    """CIFAR-10 as image folders, a few images for each class."""
    for part, count in PER_CLASS.items():
        for label, name in enumerate(CIFAR10_CLASSES):
            folder = root / "cifar10" / part / name
            folder.mkdir(parents=True)
            for number in range(count):
                Image.fromarray(picture(label, number)).save(folder / f"{number:04d}.{suffix}")
    return root / "cifar10"


def as_rows(images: Pixels) -> np.ndarray:
    """Images as the original batches hold them: all red, then all green, then all blue."""
    return np.stack([np.concatenate([image[..., channel].ravel() for channel in range(3)]) for image in images])


class Python2Pickler(pickle._Pickler):  # type: ignore[name-defined,misc]
    """Writes every text as the byte strings of Python 2, as the original batches have them."""

    dispatch: ClassVar[dict[Any, Any]] = dict(pickle._Pickler.dispatch)  # type: ignore[attr-defined]

    def save_bytes(self, value: bytes) -> None:
        short = len(value) < 256
        head = (
            pickle.SHORT_BINSTRING + bytes([len(value)]) if short else pickle.BINSTRING + struct.pack("<i", len(value))
        )
        self.write(head + value)
        self.memoize(value)

    def save_text(self, value: str) -> None:
        self.save_bytes(value.encode())

    dispatch[bytes] = save_bytes
    dispatch[str] = save_text


def python2_pickle(value: object) -> bytes:
    out = io.BytesIO()
    Python2Pickler(out, 2).dump(value)
    return out.getvalue().replace(b"numpy._core", b"numpy.core")


def batches(root: Path, *, python2: bool = False) -> Path:
    """CIFAR-10 as python batches: ten images in each of six files."""
    folder = root / "cifar-10-batches-py"
    folder.mkdir()
    for number, name in enumerate([*(f"data_batch_{n}" for n in range(1, 6)), "test_batch"]):
        images = np.stack([picture(label, number) for label in range(10)])
        batch = {b"batch_label": name.encode(), b"labels": list(range(10)), b"data": as_rows(images)}
        write = python2_pickle if python2 else lambda value: pickle.dumps(value, protocol=2)
        (folder / name).write_bytes(write(batch))
    return folder


def test_digits_have_1437_images_to_train_on_and_360_to_test() -> None:
    dataset = digits()
    assert dataset.train_images.shape == (1437, 8, 8, 3)
    assert dataset.test_images.shape == (360, 8, 8, 3)
    assert dataset.train_images.dtype == np.uint8
    assert (dataset.train_images.min(), dataset.train_images.max()) == (0, 255)
    assert dataset.classes == tuple("0123456789")
    source = datasets.source("digits")
    assert (source.train_images, source.test_images, source.image_size) == (1437, 360, 8)


def test_digits_are_scikit_learns_all_of_them_each_in_one_part() -> None:
    from sklearn.datasets import load_digits

    original = load_digits()
    grey = np.round(original.images * (255 / 16)).astype(np.uint8)
    expected = Counter((image.tobytes(), int(label)) for image, label in zip(grey, original.target, strict=True))
    dataset = digits()
    images = np.concatenate([dataset.train_images, dataset.test_images])
    labels = np.concatenate([dataset.train_labels, dataset.test_labels])
    found = Counter((image[..., 0].tobytes(), int(label)) for image, label in zip(images, labels, strict=True))
    assert found == expected


def test_both_parts_of_the_digits_have_each_class_in_the_same_share() -> None:
    dataset = digits()
    train, test = shares(dataset.train_labels), shares(dataset.test_labels)
    assert all(train[label] == pytest.approx(test[label], abs=0.005) for label in range(10))


def test_digits_are_always_the_same() -> None:
    one, other = digits(), digits()
    assert one.fingerprint == other.fingerprint
    assert np.array_equal(one.train_images, other.train_images)
    assert np.array_equal(one.test_labels, other.test_labels)


@pytest.mark.parametrize("fraction", [0.05, 0.1, 0.3])
def test_validation_is_split_from_the_training_part_class_by_class(fraction: float) -> None:
    dataset = digits()
    train, validation = dataset.training_splits(fraction, 0)
    assert set(train.indices).isdisjoint(validation.indices)
    assert sorted([*train.indices, *validation.indices]) == list(range(1437))
    assert len(validation) == pytest.approx(1437 * fraction, abs=1)
    assert train.images is validation.images is dataset.train_images
    held, kept = shares(validation.batch(slice(None))[1]), shares(train.batch(slice(None))[1])
    assert all(held[label] == pytest.approx(kept[label], abs=0.02) for label in range(10))


def test_the_split_follows_from_the_seed() -> None:
    dataset = digits()
    (train, validation), (again, _), (other, _) = (dataset.training_splits(0.1, seed) for seed in (7, 7, 8))
    assert np.array_equal(train.indices, again.indices)
    assert not np.array_equal(train.indices, other.indices)
    assert len(validation) == 144


def test_the_test_split_is_the_test_part() -> None:
    dataset = digits()
    images, labels = dataset.test_split().batch(slice(None))
    assert np.array_equal(images, dataset.test_images)
    assert np.array_equal(labels, dataset.test_labels)


def test_images_too_few_to_split_are_refused_with_a_sentence() -> None:
    """One image of a class cannot be in both parts."""
    few = make_dataset(
        "few",
        "Few",
        ("a", "b"),
        (np.zeros((3, 8, 8, 3), np.uint8), np.array([0, 0, 1])),
        (np.zeros((1, 8, 8, 3), np.uint8), np.array([0])),
    )
    with pytest.raises(UserError):
        few.training_splits(0.1, 0)


def test_channel_statistics_are_those_of_all_pixels() -> None:
    images = np.random.default_rng(0).integers(0, 256, (5000, 4, 4, 3), dtype=np.uint8) // np.array([1, 2, 4], np.uint8)
    mean, deviation = channel_statistics(images)
    assert mean == pytest.approx(images.mean(axis=(0, 1, 2)), abs=1e-3)
    assert deviation == pytest.approx(images.std(axis=(0, 1, 2)), abs=1e-3)


def test_an_unknown_data_set_is_answered_with_the_names() -> None:
    with pytest.raises(UserError) as refused:
        datasets.load("imagenet")
    assert_one_line(str(refused.value), "'imagenet'", "digits", "cifar10")


def assert_image_folders_were_read(dataset: Dataset) -> None:
    assert dataset.classes == CIFAR10_CLASSES
    for part, count in PER_CLASS.items():
        images, labels = getattr(dataset, f"{part}_images"), getattr(dataset, f"{part}_labels")
        assert images.shape == (10 * count, 32, 32, 3)
        assert Counter(labels.tolist()) == dict.fromkeys(range(10), count)


@pytest.mark.parametrize("suffix", ["png", "PNG", "bmp"])
def test_cifar10_is_read_from_image_folders(data_root: Path, suffix: str) -> None:
    image_folders(data_root, suffix)
    dataset = datasets.load("cifar10")
    assert_image_folders_were_read(dataset)
    assert dataset.title == "CIFAR-10"
    expected = {picture(label, number).tobytes(): label for label in range(10) for number in range(3)}
    found = {
        image.tobytes(): int(label) for image, label in zip(dataset.train_images, dataset.train_labels, strict=True)
    }
    assert found == expected


@pytest.mark.parametrize("suffix", ["jpg", "jpeg", "JPG"])
def test_cifar10_from_jpeg_files_says_so(data_root: Path, suffix: str) -> None:
    image_folders(data_root, suffix)
    dataset = datasets.load("cifar10")
    assert_image_folders_were_read(dataset)
    assert dataset.title == "CIFAR-10 (JPEG)"


@pytest.mark.parametrize("python2", [False, True])
def test_cifar10_is_read_from_the_original_batches(data_root: Path, python2: bool) -> None:
    """Channel by channel in the file, pixel by pixel in the array; Python 2's texts are bytes."""
    batches(data_root, python2=python2)
    dataset = datasets.load("cifar10")
    assert dataset.title == "CIFAR-10"
    assert dataset.train_images.shape == (50, 32, 32, 3)
    assert dataset.train_labels.tolist() == list(range(10)) * 5
    for row in range(50):
        assert np.array_equal(dataset.train_images[row], picture(row % 10, row // 10))
    assert np.array_equal(dataset.test_images[3], picture(3, 5))


def test_what_is_on_disk_is_known_without_reading_it(data_root: Path) -> None:
    source = datasets.source("cifar10")
    assert source.find(data_root) is None
    batches(data_root)
    assert "python batches" in (source.find(data_root) or "")
    image_folders(data_root)
    assert "image folders" in (source.find(data_root) or "")


def test_a_second_load_decodes_nothing_and_is_memory_mapped(data_root: Path) -> None:
    image_folders(data_root)
    first, second = Heard(), Heard()
    one = datasets.load("cifar10", first)
    other = datasets.load("cifar10", second)
    assert any("Decoding" in message for message in first.messages)
    assert second.messages == []
    for name in ARRAYS:
        assert isinstance(getattr(other, name), np.memmap)
        assert np.array_equal(getattr(one, name), getattr(other, name))
    assert one.fingerprint == other.fingerprint
    assert one.classes == other.classes


def test_the_decoded_images_are_the_same_on_every_machine(data_root: Path) -> None:
    """The fingerprint follows from pixels and labels, not from when or where they were decoded."""
    image_folders(data_root)
    one = datasets.load("cifar10")
    for path in sorted((data_root / "decoded").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    assert datasets.load("cifar10").fingerprint == one.fingerprint


@pytest.mark.parametrize("missing", ["dataset.json", "train_images.npy", "test_labels.npy"])
@pytest.mark.parametrize("kind", ["absent", "empty", "truncated"])
def test_a_half_written_cache_is_never_taken_for_a_data_set(data_root: Path, missing: str, kind: str) -> None:
    image_folders(data_root)
    datasets.load("cifar10")
    (path,) = (data_root / "decoded").glob(f"*/{missing}")
    whole = path.read_bytes()
    path.unlink()
    if kind != "absent":
        path.write_bytes(b"" if kind == "empty" else whole[: len(whole) // 2])
    heard = Heard()
    assert_image_folders_were_read(datasets.load("cifar10", heard))
    assert any("Decoding" in message for message in heard.messages)
    assert path.read_bytes() == whole
    assert list((data_root / "decoded").iterdir()) == [path.parent]


def test_what_a_killed_process_left_of_a_cache_is_removed(data_root: Path) -> None:
    image_folders(data_root)
    left = data_root / "decoded" / f".cifar10-images.{THIS_PLACE}.{ended_process()}.12345678.partial"
    left.mkdir(parents=True)
    (left / "train_images.npy").write_bytes(b"half")
    assert_image_folders_were_read(datasets.load("cifar10"))
    assert not left.exists()


def test_images_that_came_later_are_not_overlooked(data_root: Path) -> None:
    """The folders were read while the archive was still being unpacked; the data set must not stay so for ever."""
    folder = image_folders(data_root)
    assert len(datasets.load("cifar10").train_images) == 30
    for label, name in enumerate(CIFAR10_CLASSES):
        Image.fromarray(picture(label, 4)).save(folder / "train" / name / "0004.png")
    assert len(datasets.load("cifar10").train_images) == 40


def test_an_image_of_another_size_is_refused_by_name(data_root: Path) -> None:
    wrong = image_folders(data_root) / "train" / "cat" / "0001.png"
    Image.fromarray(picture(3, 1, size=33)).save(wrong)
    with pytest.raises(UserError) as refused:
        datasets.load("cifar10")
    assert_one_line(str(refused.value), str(wrong), "33×33", "32×32")
    assert list(data_root.glob("decoded/*")) == []


def test_a_broken_image_is_refused_by_name(data_root: Path) -> None:
    wrong = image_folders(data_root) / "test" / "dog" / "0000.png"
    wrong.write_bytes(wrong.read_bytes()[:200])
    with pytest.raises(UserError) as refused:
        datasets.load("cifar10")
    assert_one_line(str(refused.value), str(wrong))


@pytest.mark.parametrize("how", ["empty", "absent", "hidden"])
def test_a_class_without_images_is_refused_by_name(data_root: Path, how: str) -> None:
    folder = image_folders(data_root) / "train" / "ship"
    for path in folder.iterdir():
        path.unlink()
    if how == "absent":
        folder.rmdir()
    if how == "hidden":
        (folder / ".DS_Store").write_bytes(b"x")
    with pytest.raises(UserError) as refused:
        datasets.load("cifar10")
    assert_one_line(str(refused.value), str(folder), "airplane")


class Malicious:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, (f"touch {self.path}",)


@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
def test_a_batch_that_would_run_code_is_refused_and_runs_none(data_root: Path, tmp_path: Path, protocol: int) -> None:
    folder, trace = batches(data_root), tmp_path / "trace"
    (folder / "data_batch_2").write_bytes(pickle.dumps({b"data": Malicious(trace), b"labels": []}, protocol=protocol))
    with pytest.raises(UserError) as refused:
        datasets.load("cifar10")
    assert_one_line(str(refused.value), str(folder / "data_batch_2"))
    assert not trace.exists()


@pytest.mark.parametrize(
    "batch",
    [
        {},
        {b"data": np.zeros((2, 3072), np.uint8)},
        {b"data": np.zeros((2, 100), np.uint8), b"labels": [0, 1]},
        {b"data": np.zeros((2, 3072), np.uint8), b"labels": [0]},
        {b"data": np.zeros((2, 3072), np.uint8), b"labels": [0, 10]},
        {b"data": np.zeros((2, 3072), np.uint8), b"labels": [0, -1]},
        {b"data": "pixels", b"labels": [0, 1]},
        [1, 2, 3],
        None,
    ],
    ids=["empty", "no labels", "short rows", "a label short", "label 10", "label -1", "no pixels", "a list", "none"],
)
def test_a_batch_that_is_none_is_refused_by_name(data_root: Path, batch: object) -> None:
    path = batches(data_root) / "data_batch_3"
    path.write_bytes(pickle.dumps(batch, protocol=2))
    with pytest.raises(UserError) as refused:
        datasets.load("cifar10")
    assert_one_line(str(refused.value), str(path))


GOOD_BATCH = pickle.dumps({b"data": np.zeros((1, 3072), np.uint8), b"labels": [0]}, protocol=2)


@given(
    st.binary(max_size=60)
    | st.integers(1, 250).map(lambda cut: GOOD_BATCH[:cut])
    | st.tuples(st.integers(0, 250), st.integers(0, 255)).map(
        lambda at: GOOD_BATCH[: at[0]] + bytes([at[1]]) + GOOD_BATCH[at[0] + 1 :]
    )
)
@settings(max_examples=300)
def test_a_damaged_batch_never_crashes(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged_batch"
    path.write_bytes(data)
    try:
        images, labels = read_batch(path)
    except UserError as refused:
        assert_one_line(str(refused), str(path))
    else:
        assert len(images) == len(labels)


def test_a_missing_batch_is_refused_by_name(data_root: Path) -> None:
    folder = batches(data_root)
    (folder / "data_batch_4").unlink()
    with pytest.raises(UserError) as refused:
        datasets.load("cifar10")
    assert_one_line(str(refused.value), str(folder / "data_batch_4"))


def test_data_sets_stand_where_the_environment_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CNNLAB_DATA", str(tmp_path / "here"))
    assert datasets.data_root() == tmp_path / "here"
    monkeypatch.delenv("CNNLAB_DATA")
    assert datasets.data_root().name == "cnnlab"


@pytest.mark.skipif(not REAL_CIFAR10, reason="CNNLAB_DATA points at no CIFAR-10")
def test_the_real_cifar10_has_50000_images_to_train_on_and_10000_to_test() -> None:
    dataset = datasets.load("cifar10")
    assert dataset.train_images.shape == (50_000, 32, 32, 3)
    assert dataset.test_images.shape == (10_000, 32, 32, 3)
    assert Counter(dataset.train_labels.tolist()) == dict.fromkeys(range(10), 5_000)
    assert Counter(dataset.test_labels.tolist()) == dict.fromkeys(range(10), 1_000)
    assert dataset.mean == pytest.approx((125.3, 123.0, 113.9), abs=0.5)
