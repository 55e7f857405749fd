"""One's own images as a data set: what is taken, what is left out and why, and what no archive may do."""

from __future__ import annotations

import io
import os
import stat
import time
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from cnnlab import datasets
from cnnlab.datasets.images import fit_image
from cnnlab.datasets.imported import (
    DroppedClass,
    ImportReport,
    import_images,
    imported_sources,
    read_report,
    remove,
    slug,
    sorted_files,
)
from cnnlab.datasets.imported.container import Found
from cnnlab.datasets.imported.sorting import arrange, printable
from cnnlab.datasets.job import forget, importing, imports_under_way, keep_dropped, keep_upload, preparing
from cnnlab.errors import UserError
from cnnlab.limits import Limits
from cnnlab.storage.leftovers import partial_of
from tests.conftest import PATIENCE, Output, assert_one_line, assert_refused

PER_CLASS = 10


def photo(number: int, width: int = 20, height: int = 20, form: str = "PNG") -> bytes:
    """An image that no other number gives."""
    pixels = np.random.default_rng(number).integers(0, 256, (height, width, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, form)
    return out.getvalue()


def two_classes() -> dict[str, bytes]:
    return {f"{name}/{n}.png": photo(100 * c + n) for c, name in enumerate(("cats", "dogs")) for n in range(PER_CLASS)}


def untaught() -> dict[str, bytes]:
    """Two classes to train on, and a third that only the test part knows."""
    cows = {f"test/cows/{n}.png": photo(7000 + n) for n in range(9)}
    return {f"train/{name}": data for name, data in two_classes().items()} | cows


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def imported(tmp_path: Path, files: dict[str, bytes], **options: object) -> ImportReport:
    path = zipped(tmp_path / "mine.zip", files)
    return import_images(path, tmp_path / "out" / "mine", "mine", "Mine", 16, **options)  # type: ignore[arg-type]


def reasons(report: ImportReport) -> dict[str, str]:
    return {one.file: one.reason for one in report.left_out}


@pytest.fixture
def data_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CNNLAB_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


# What is taken


def test_a_fifth_of_each_class_is_held_out_to_test_and_a_tenth_to_validate(tmp_path: Path) -> None:
    report = imported(tmp_path, two_classes())
    assert report.taken == {
        "test": {"cats": 2, "dogs": 2},
        "validation": {"cats": 1, "dogs": 1},
        "train": {"cats": 7, "dogs": 7},
    }
    assert report.held_out == ["test", "validation"]
    assert report.left_out_count == 0


def test_a_folder_and_an_archive_of_it_make_the_same_data_set(tmp_path: Path, data_root: Path) -> None:
    files = two_classes()
    for name, data in files.items():
        path = tmp_path / "folder" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    import_images(tmp_path / "folder", data_root / "own" / "one", "one", "One", 16)
    import_images(zipped(tmp_path / "a.zip", files), data_root / "own" / "two", "two", "Two", 16)
    one, two = datasets.load("one"), datasets.load("two")
    assert one.fingerprint == two.fingerprint
    assert one.classes == ("cats", "dogs")
    train, validation = one.training_splits(0.3, seed=7)
    assert (len(train), len(validation), len(one.test_split())) == (14, 2, 4)


def test_given_parts_are_kept_and_what_is_missing_is_held_out(tmp_path: Path) -> None:
    files = {
        f"Photos/{part}/{name}/{n}.png": photo(1000 * p + 100 * c + n)
        for p, part in enumerate(("Train", "test"))
        for c, name in enumerate(("cats", "dogs"))
        for n in range(PER_CLASS)
    }
    report = imported(tmp_path, {**files, "Photos/readme.md": b"#", "Photos/extra/cats/1.png": photo(5)})
    assert report.taken["test"] == {"cats": 10, "dogs": 10}
    assert report.taken["train"] == {"cats": 9, "dogs": 9}
    assert report.held_out == ["validation"]
    assert "beside train and test" in reasons(report)["Photos/extra/cats/1.png"]


def test_folders_that_hold_everything_are_looked_through_and_those_within_a_class_too(tmp_path: Path) -> None:
    files = {f"my/photos/{name.replace('/', '/2024/')}": data for name, data in two_classes().items()}
    report = imported(tmp_path, {**files, "my/loose.png": photo(999)})
    assert set(report.taken["train"]) == {"cats", "dogs"}
    assert reasons(report) == {"my/loose.png": "it stands in no folder of a class"}


def test_an_image_that_is_there_twice_is_taken_once_and_never_tested_on_after_training(tmp_path: Path) -> None:
    files = {f"{part}/{name}": data for part in ("train",) for name, data in two_classes().items()}
    tests = {f"test/{name}": photo(5000 + n) for n, name in enumerate(two_classes())}
    same = photo(0)  # train/cats/0.png
    as_bmp = io.BytesIO()
    Image.open(io.BytesIO(same)).save(as_bmp, "BMP")
    report = imported(
        tmp_path, {**files, **tests, "test/cats/leak.bmp": as_bmp.getvalue(), "train/dogs/1b.png": photo(101)}
    )
    told = reasons(report)
    assert set(told) == {"train/cats/0.png", "train/dogs/1b.png"}
    assert_one_line(told["train/cats/0.png"], "test/cats/leak.bmp", "test part")
    assert_one_line(told["train/dogs/1b.png"], "train/dogs/1.png")
    assert report.taken["test"]["cats"] == 11


def test_what_is_no_usable_image_is_left_out_with_its_reason_and_the_rest_is_taken(tmp_path: Path) -> None:
    bad = {
        "cats/broken.png": photo(1)[:50],
        "cats/empty.jpg": b"",
        "cats/text.png": b"hello",
        "cats/notes.txt": b"hello",
        "cats/inner.zip": b"PK",
        "cats/tiny.png": photo(3, 5, 5),
        "dogs/other.png": photo(0),
    }
    hidden = {"__MACOSX/cats/._0.png": b"?", "cats/.DS_Store": b"?", "cats/Thumbs.db": b"?"}
    report = imported(tmp_path, {**two_classes(), **bad, **hidden})
    told = reasons(report)
    assert set(told) == set(bad)
    for name, part in (
        ("cats/broken.png", "damaged"),
        ("cats/empty.jpg", "empty"),
        ("cats/text.png", "not an image"),
        ("cats/notes.txt", "not an image by its name"),
        ("cats/inner.zip", "archive within"),
        ("cats/tiny.png", "5×5"),
        ("dogs/other.png", "of another class"),
    ):
        assert part in told[name], name
    assert sum(report.taken["train"].values()) == 14


@pytest.mark.parametrize(
    ("files", "parts"),
    [
        ({}, ["two folders", "none"]),
        ({"a.png": photo(1)}, ["two folders", "none"]),
        ({f"cats/{n}.png": photo(n) for n in range(9)}, ["two folders", "cats"]),
        ({**two_classes(), "cows/1.png": photo(7000)}, ["cows", "1 usable", "5"]),
        (untaught(), ["cows", "0 of them to train on"]),
    ],
)
def test_what_cannot_be_learned_from_is_refused_and_leaves_nothing(
    tmp_path: Path, files: dict[str, bytes], parts: list[str]
) -> None:
    with pytest.raises(UserError) as told:
        imported(tmp_path, files)
    assert_one_line(str(told.value), *parts)
    assert not (tmp_path / "out" / "mine").exists()
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04" + bytes(40)])
def test_what_is_no_archive_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "photos.zip"
    path.write_bytes(content)
    with pytest.raises(UserError) as told:
        import_images(path, tmp_path / "out", "x", "X")
    assert_one_line(str(told.value), "photos.zip", "zip archive")


# How images become square


def test_fitting_squashes_crops_or_pads() -> None:
    image = np.zeros((10, 30, 3), np.uint8)
    image[:, :10], image[:, 10:20], image[:, 20:] = (255, 0, 0), (0, 255, 0), (0, 0, 255)
    cropped = fit_image(image, 10, 10, "crop")
    assert (cropped == (0, 255, 0)).all()
    padded = fit_image(image, 30, 30, "pad")
    assert (padded[:10] == 0).all()
    assert (padded[20:] == 0).all()
    assert (padded[10:20] == image).all()
    squashed = fit_image(image, 10, 10, "squash")
    assert squashed[5, 0].argmax() == 0
    assert squashed[5, 9].argmax() == 2


@given(st.integers(1, 60), st.integers(1, 60), st.sampled_from(["squash", "crop", "pad"]))
def test_every_shape_fits_a_square(height: int, width: int, fitting: str) -> None:
    image = np.full((height, width, 3), 200, np.uint8)
    fitted = fit_image(image, 16, 16, fitting)  # type: ignore[arg-type]
    assert fitted.shape == (16, 16, 3)
    assert set(np.unique(fitted)) <= ({0, 200} if fitting == "pad" else {200})


def test_a_network_is_shown_photographs_as_its_own_images_were_fitted(data_root: Path, tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", two_classes())
    import_images(path, data_root / "own" / "mine", "mine", "Mine", 16, "pad")
    preprocessing = datasets.load("mine").preprocessing((16, 16))
    wide = np.full((10, 40, 3), 250, np.uint8)
    assert (preprocessing.fit(wide)[:5] == 0).all()


# What an archive may not do


def test_names_that_lead_out_links_and_encrypted_entries_are_left_out(tmp_path: Path) -> None:
    path = zipped(tmp_path / "evil.zip", two_classes())
    with zipfile.ZipFile(path, "a") as archive:
        for name in ("../../outside/1.png", "/etc/1.png", "C:/windows/1.png", "cats/..\\..\\1.png"):
            archive.writestr(name, photo(8000 + len(name)))
        link = zipfile.ZipInfo("cats/link.png")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    data = bytearray(path.read_bytes())
    data[data.rindex(b"PK\x01\x02", 0, data.rindex(b"dogs/9.png")) + 8] |= 1  # encrypted, says the directory
    path.write_bytes(data)
    report = import_images(path, tmp_path / "out" / "mine", "mine", "Mine", 16)
    told = reasons(report)
    assert sum("leads out" in reason for reason in told.values()) == 4
    assert told["cats/link.png"] == "it is a link"
    assert told["dogs/9.png"] == "it is encrypted"
    assert {path.name for path in tmp_path.iterdir()} == {"evil.zip", "out"}


def test_links_in_a_folder_are_not_followed(tmp_path: Path) -> None:
    for name, data in two_classes().items():
        path = tmp_path / "mine" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    (tmp_path / "secret.png").write_bytes(photo(9000))
    (tmp_path / "mine" / "cats" / "link.png").symlink_to(tmp_path / "secret.png")
    os.mkfifo(tmp_path / "mine" / "cats" / "pipe.png")
    (tmp_path / "mine" / "loop").symlink_to(tmp_path / "mine")
    told = reasons(import_images(tmp_path / "mine", tmp_path / "out", "mine", "Mine", 16))
    assert told == {"cats/link.png": "it is a link", "cats/pipe.png": "it is not a plain file"}


def test_bombs_are_not_blown_up(tmp_path: Path) -> None:
    """A member that unpacks to more than it claims, one that claims too much, an image of too many pixels."""
    limits = Limits(image_bytes=100_000)
    huge = Image.new("1", (30_000, 30_000))
    out = io.BytesIO()
    huge.save(out, "PNG", optimize=True)
    limits = Limits(image_bytes=len(out.getvalue()) + 1)
    path = tmp_path / "bomb.zip"
    zipped(path, {**two_classes(), "cats/pixels.png": out.getvalue()})
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("cats/zeros.png", bytes(50_000_000))
    report = import_images(path, tmp_path / "out" / "mine", "mine", "Mine", 16, limits=limits)
    told = reasons(report)
    assert "50 MB" in told["cats/zeros.png"]
    assert "pixels" in told["cats/pixels.png"]


def test_the_limits_on_entries_bytes_and_classes_hold_and_name_their_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = two_classes()
    for limits, setting in (
        (Limits(entries=19), "CNNLAB_MAX_ENTRIES"),
        (Limits(total_bytes=5_000), "CNNLAB_MAX_TOTAL_BYTES"),
        (Limits(classes=1), "CNNLAB_MAX_CLASSES"),
    ):
        with pytest.raises(UserError) as told:
            imported(tmp_path, files, limits=limits)
        assert_one_line(str(told.value), setting)
    monkeypatch.setenv("CNNLAB_MAX_CLASSES", "7")
    assert Limits.from_environment().classes == 7
    monkeypatch.setenv("CNNLAB_MAX_CLASSES", "many")
    with pytest.raises(UserError) as told:
        Limits.from_environment()
    assert_one_line(str(told.value), "CNNLAB_MAX_CLASSES", "'many'")


def test_class_names_of_any_script_are_kept_and_what_cannot_be_seen_is_not(tmp_path: Path) -> None:
    names = ("猫", "Собака", "c\x1b[31mow\u202e", "<script>alert(1)</script>", "FROG", "frog")
    files = {f"{name}/{n}.png": photo(100 * c + n) for c, name in enumerate(names) for n in range(PER_CLASS)}
    report = imported(tmp_path, files)
    assert set(report.taken["train"]) == {"猫", "Собака", "c[31mow", "<script>alert(1)<", "FROG"}
    assert report.taken["train"]["FROG"] == 14, "two spellings are one class"
    assert ("frog", "FROG") in report.merged


@given(st.lists(st.text(min_size=1, max_size=300), min_size=1, max_size=6))
def test_no_name_becomes_more_than_letters_on_one_line(parts: list[str]) -> None:
    for part in parts:
        shown = printable(part)
        assert shown
        assert len(shown) <= 80
        assert len(shown.splitlines()) == 1
        assert not any(ord(letter) < 32 for letter in shown)
    arrange([Found((*parts, "1.png"), bytes)])


@settings(max_examples=150)
@given(st.data())
def test_a_damaged_archive_never_crashes_the_import(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Any bytes of a good archive changed, or cut off: the import refuses with a sentence or takes what is whole."""
    folder = tmp_path_factory.mktemp("fuzz")
    whole = bytearray(zipped(folder / "a.zip", two_classes()).read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(whole)))
    (folder / "b.zip").write_bytes(whole[: cut if data.draw(st.booleans()) else None])
    with suppress(UserError):
        import_images(folder / "b.zip", folder / "out", "x", "X", 8)


# The whole way


@pytest.mark.slow
def test_an_upload_is_imported_in_the_background_and_trained_on(
    data_root: Path, tmp_path: Path, call: Callable[..., Output]
) -> None:
    upload = keep_upload("My photos", "../my photos.zip", zipped(tmp_path / "a.zip", two_classes()).read_bytes())
    assert data_root in upload.parents
    job = importing("My photos", upload, 8, "crop")
    job.start()
    deadline = time.monotonic() + PATIENCE
    while (now := job.progress()) and not now.failed:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert now is None, now
    assert not upload.exists()
    assert imports_under_way() == []
    source = imported_sources(data_root)["my-photos"]
    assert (source.title, source.classes, source.train_images, source.test_images) == ("My photos", 2, 16, 4)
    assert any(row["name"] == "my-photos" for row in call("datasets", "--json").json())
    made = call(
        "train", "--architecture", "minivggnet", "--set", "input_size=8", "--dataset", "my-photos", "--epochs", "1",
        "--batch-size", "4", "--runs-dir", str(tmp_path / "runs"),
    )  # fmt: skip
    assert made.code == 0, made.err
    with pytest.raises(UserError) as told:
        importing("My Photos!", upload, 8, "crop")
    assert_one_line(str(told.value), "'my-photos'")
    assert call("remove", "my-photos").out.strip() == "my-photos"
    assert "my-photos" not in datasets.sources()


def test_an_import_that_fails_says_so_until_it_is_dismissed(data_root: Path, tmp_path: Path) -> None:
    job = importing("Mine", zipped(tmp_path / "a.zip", {"cats/1.png": photo(1)}), 8, "crop")
    job.start()
    deadline = time.monotonic() + PATIENCE
    while (now := job.progress()) is None or not now.failed:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert_one_line(now.message, "a.zip", "two folders")
    assert [one.folder for one in imports_under_way()] == [job.folder]
    job.cancel()
    assert imports_under_way() == []


def test_a_cancelled_import_or_preparation_leaves_nothing_on_the_disk(data_root: Path) -> None:
    upload = keep_upload("Mine", "photos.zip", b"PK")
    left = [partial_of(data_root / "own" / "mine"), partial_of(data_root / "decoded" / "cifar10-images")]
    other = partial_of(data_root / "decoded" / "cifar100")
    for folder in (*left, other):
        folder.mkdir(parents=True)
    forget(importing("Mine", upload, 8, "crop"))
    forget(preparing("cifar10"))
    assert not upload.exists()
    assert not any(folder.exists() for folder in left)
    assert other.exists(), "what another job writes stays"
    with pytest.raises(UserError):
        keep_upload("Digits", "photos.zip", b"PK")


def test_the_command_line_imports_and_tells_what_it_left_out(
    data_root: Path, tmp_path: Path, call: Callable[..., Output]
) -> None:
    path = zipped(tmp_path / "a.zip", {**two_classes(), "cats/notes.txt": b"?"})
    told = call("import", "Pets", str(path), "--size", "8", "--fit", "pad")
    assert told.out.strip().splitlines()[-1] == "pets"
    assert "cats/notes.txt" in told.err
    report = read_report(data_root, "pets")
    assert report is not None
    assert (report.size, report.fitting) == (8, "pad")
    assert_refused(call("import", "pets", str(path)), "'pets'", "another name")
    assert_refused(call("import", "Digits", str(path)), "'digits'")
    assert_refused(call("import", "!!", str(path)), "'!!'")
    assert_refused(call("import", "x", str(tmp_path / "none.zip")), "none.zip")
    assert_refused(call("import", "x", str(path), "--size", "7"), "7", "8 to 256")
    assert_refused(call("remove", "digits"), "'digits'")
    assert_refused(call("prepare", "nothing"), "'nothing'", "pets")


def test_a_data_set_that_is_gone_is_said_by_name(data_root: Path) -> None:
    with pytest.raises(UserError):
        remove(data_root, "mine")
    assert slug("Ä b_c") == "a-b-c"


def test_some_classes_of_a_data_set_make_another_in_the_same_parts(
    data_root: Path, call: Callable[..., Output]
) -> None:
    digits = datasets.load("digits")
    assert call("subset", "Threes and sevens", "digits", "7", "3").out.strip() == "threes-and-sevens"
    two = datasets.load("threes-and-sevens")
    assert two.classes == ("7", "3")
    assert (two.test_images == digits.test_images[np.isin(digits.test_labels, (3, 7))]).all()
    assert two.test_labels.tolist() == [0 if label == 7 else 1 for label in digits.test_labels if label in (3, 7)]
    assert imported_sources(data_root)["threes-and-sevens"].classes == 2
    assert_refused(call("subset", "x", "digits", "3", "eleven"), "'eleven'")
    assert_refused(call("subset", "x", "digits", "3"), "two classes")
    assert call("subset", "Fewer", "threes-and-sevens", "3", "7").code == 0, "a subset of a subset"


def dropped(*names: str) -> list[DroppedClass]:
    """Classes of these names with images of their own, all files called the same, as cameras do."""
    return [
        DroppedClass(name, [("IMG.png", photo(100 * place + n)) for n in range(PER_CLASS)])
        for place, name in enumerate(names)
    ]


def import_dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, classes: list[DroppedClass]) -> ImportReport:
    monkeypatch.setenv("CNNLAB_DATA", str(tmp_path / "data"))
    path = keep_dropped("Mine", sorted_files(classes))
    assert path.is_relative_to(tmp_path / "data" / "own")
    return import_images(path, tmp_path / "out" / "mine", "mine", "Mine", 16)


@pytest.mark.parametrize(
    ("names", "called"),
    [
        (("cats", "dogs"), {"cats", "dogs"}),
        (("train", "test", "other"), {"train", "test", "other"}),  # no parts: a person named classes so
        (("../../etc", "a/b", "c\\d"), {"a b", "c d"}),
        (("  **bold** ", "<img src=x>"), {"**bold**", "<img src=x>"}),
        (("猫", "犬" * 200), {"猫", "犬" * 80}),
    ],
)
def test_classes_dropped_one_by_one_keep_their_names_and_all_their_images(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...], called: set[str]
) -> None:
    if names[0].startswith(".."):
        with pytest.raises(UserError, match="without a dot in front"):
            sorted_files(dropped(*names))
        names = names[1:]
    report = import_dropped(tmp_path, monkeypatch, dropped(*names))
    assert set(report.taken["train"]) == called
    assert sum(sum(part.values()) for part in report.taken.values()) == PER_CLASS * len(names)
    assert not report.left_out
    assert set(report.held_out) == {"test", "validation"}


def test_what_is_dropped_is_checked_like_any_import(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    classes = dropped("cats", "dogs")
    bad = [("notes.txt", b"?"), ("broken.png", b"\x89PNG"), ("more.zip", b"PK"), ("../up.png", photo(900))]
    report = import_dropped(tmp_path, monkeypatch, [*classes[:1], DroppedClass("dogs", [*classes[1].files, *bad])])
    assert {one.file for one in report.left_out} == {"dogs/notes.txt", "dogs/broken.png", "dogs/more.zip"}
    monkeypatch.setenv("CNNLAB_MAX_ENTRIES", "5")
    with pytest.raises(UserError, match="CNNLAB_MAX_ENTRIES"):
        keep_dropped("Others", sorted_files(classes))
    assert not (tmp_path / "data" / "own" / ".uploads" / "others").exists()


@pytest.mark.parametrize(
    ("classes", "said"),
    [
        ([], "there is none yet"),
        (dropped("cats"), "there is only cats"),
        ([*dropped("cats"), DroppedClass("", [])], "there is only cats"),
        ([*dropped("cats"), DroppedClass("dogs", [])], "dogs has no images yet"),
        ([DroppedClass(" ", [("a.png", b"")]), *dropped("dogs")], "Class 1 has images and no name"),
        (dropped("cats", "CATS\u200b"), "Two classes are called CATS"),
        (dropped("cats", ".dogs"), "without a dot in front"),
    ],
)
def test_classes_that_cannot_be_imported_are_named_in_one_sentence(classes: list[DroppedClass], said: str) -> None:
    with pytest.raises(UserError) as refused:
        sorted_files(classes)
    assert_one_line(str(refused.value), said)


def test_a_dropped_folder_may_not_lead_out_of_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CNNLAB_DATA", str(tmp_path / "data"))
    inside = {f"album/{name}": data for name, data in two_classes().items()}
    files = {
        **inside,
        "album/../../up.png": photo(900),
        "/etc/cats/x.png": photo(901),
        "album/.hidden/a.png": b"",
        "\ud800" * 70_000: b"",
    }
    path = keep_dropped("Mine", files.items())
    report = import_images(path, tmp_path / "out" / "mine", "mine", "Mine", 16)
    assert [one.reason for one in report.left_out].count("its path leads out of the archive") == 2
    assert report.left_out_count == 3
    assert set(report.taken["train"]) == {"cats", "dogs"}
    with pytest.raises(UserError, match="holds no files"):
        keep_dropped("Empty", [])
