"""What a film keeps on disk: which epochs, how much, and what is left of it when a file is damaged."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cnnlab import runs
from cnnlab.runs import actions, film, health
from cnnlab.runs.film import MOST_FRAMES, Frame, Scene
from cnnlab.runs.run import Run
from tests.conftest import PROJECT, TRAINED_EPOCHS, assert_refused, digits_experiment, last_line

MOST_BYTES = 20_000_000
EARLIER = PROJECT / "tests" / "runs_of_earlier_versions"


def frame(epoch: int, images: int = 2) -> Frame:
    maps, ranges = (np.zeros((images, 1, 2, 2), np.uint8),), np.zeros((1, 2), np.float32)
    filters, confusion = np.zeros((1, 3, 3, 3), np.uint8), np.eye(3, dtype=np.uint32)
    return Frame(epoch, np.full((images, 3), epoch, np.float32), filters, maps, ranges, confusion)


def scene(images: int = 2) -> Scene:
    return Scene(np.zeros((images, 4, 4, 3), np.uint8), np.arange(images), ("relu",), (1,))


def filmed(folder: Path, *ends: int) -> Run:
    """A run filmed to the first of these epochs, then extended to each of the others."""
    folder.mkdir(parents=True)
    run, done = Run(folder), 0
    film.write_scene(run, scene())
    film.write_frame(run, frame(0))
    for end in ends:
        for epoch in range(done + 1, end + 1):
            if film.is_filmed(epoch, end):
                film.write_frame(run, frame(epoch))
        done = end
    return run


def epochs(run: Run) -> list[int]:
    return list(film.frame_files(run))


def test_a_short_run_keeps_every_epoch_and_a_long_one_sixty_evenly_spread(tmp_path: Path) -> None:
    assert epochs(filmed(tmp_path / "short", 12)) == list(range(13))
    assert epochs(filmed(tmp_path / "full", MOST_FRAMES)) == list(range(MOST_FRAMES + 1))
    assert epochs(filmed(tmp_path / "longer", 63)) == [*range(0, 63, 2), 63]
    assert epochs(filmed(tmp_path / "long", 500)) == [*range(0, 497, 16), 500]
    assert max(len(epochs(filmed(tmp_path / f"of {end}", end))) for end in (59, 61, 120, 121, 479)) <= MOST_FRAMES + 2


def test_which_epochs_are_kept_depends_on_nothing_still_to_come(tmp_path: Path) -> None:
    """A run that is extended keeps what one keeps that was to be so long from the beginning."""
    whole = filmed(tmp_path / "whole", 250)
    parts = filmed(tmp_path / "parts", 3, 61, 62, 125, 250)
    assert epochs(parts) == epochs(whole)
    first = film.read_frame(film.frame_files(parts)[8], scene())
    assert first is not None
    assert first.probabilities[0, 0] == 8


def test_the_largest_film_stays_under_20_mb(tmp_path: Path) -> None:
    """Six images and one's own through a network of 1,000 classes whose maps are noise, which no packing makes
    smaller, judged on 10,000 images and wrong on all."""
    from cnnlab.training.filming import (
        MAP_SIDE,
        MOST_CHANNELS,
        MOST_FILTER_SIDE,
        MOST_FILTERS,
        MOST_IMAGES,
        MOST_LAYERS,
    )

    rng, images = np.random.default_rng(0), MOST_IMAGES + 1
    confusion = np.zeros((1000, 1000), np.uint32)
    np.add.at(confusion, (rng.integers(0, 1000, 10_000), rng.integers(0, 1000, 10_000)), 1)
    maps = rng.integers(0, 256, (MOST_LAYERS, images, MOST_CHANNELS, MAP_SIDE, MAP_SIDE), dtype=np.uint8)
    filters = rng.integers(0, 256, (MOST_FILTERS, MOST_FILTER_SIDE, MOST_FILTER_SIDE, 3), dtype=np.uint8)
    largest = Frame(
        1, rng.random((images, 1000), np.float32), filters, tuple(maps), np.zeros((MOST_LAYERS, 2), "f4"), confusion
    )
    run = Run(tmp_path)
    film.write_scene(run, scene())
    film.write_frame(run, largest)
    assert (MOST_FRAMES + 2) * film.frame_files(run)[1].stat().st_size < MOST_BYTES


def test_a_run_of_an_earlier_version_has_none_and_nothing_is_amiss(call: Any) -> None:
    for folder in sorted(EARLIER.iterdir()):
        run = Run(folder)
        assert film.read_scene(run) is None
        assert film.damaged_files(run) == []
        assert_refused(call("film", run.id, "--runs-dir", str(EARLIER)), run.id, "has no film")


# Damage


@pytest.fixture
def run(trained_run: Run, runs_dir: Path) -> Run:
    return Run(Path(shutil.copytree(trained_run.folder, runs_dir / trained_run.id)))


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def test_a_damaged_frame_is_said_and_the_others_are_shown(run: Run, call: Any) -> None:
    cut(film.frame_files(run)[2])
    (problem,) = health.problems(run, closely=True)
    assert "epoch-00002.npz cannot be read" in str(problem)
    assert "Nothing else" in str(problem)
    assert health.usable(run, health.problems(run, closely=True))
    where = ("--runs-dir", str(run.folder.parent))
    listed = call("film", run.id, "--json", *where).json()
    assert [one["epoch"] for one in listed["epochs"]] == [0, 1, 3]
    assert "damaged: Its film is damaged" in call("show", run.id, *where).out


def test_a_changed_byte_costs_its_frame_alone(run: Run) -> None:
    path = film.frame_files(run)[1]
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    kept = film.read_scene(run)
    assert kept is not None
    assert [one.epoch for one in film.frames(run, kept)] == [0, 2, 3]


def test_without_its_images_a_film_cannot_be_shown(run: Run, call: Any) -> None:
    (run.folder / "film" / film.IMAGES_FILE).unlink()
    (problem,) = health.problems(run, closely=True)
    assert "Its film cannot be shown" in str(problem)
    assert_refused(call("film", run.id, "--runs-dir", str(run.folder.parent)), "film/images.npz is missing or damaged")


def test_what_a_killed_training_left_half_written_is_removed(run: Run) -> None:
    from cnnlab.storage.leftovers import THIS_PLACE
    from tests.conftest import ended_process

    half = run.folder / "film" / f".epoch-00004.npz.{THIS_PLACE}.{ended_process()}.0123abcd.partial"
    half.write_bytes(b"half")
    assert epochs(run) == [0, 1, 2, 3]
    run.clean_up()
    assert not half.exists()


# Going with the run


def test_a_restart_takes_the_film_along_and_a_duplicate_only_ones_own_image(
    run: Run, no_starts: list[str], tmp_path: Path
) -> None:
    film.keep_own_image(run, np.full((20, 30, 3), 7, np.uint8))
    made = actions.restart(run, "last", {"epochs": TRAINED_EPOCHS + 1})
    assert epochs(made) == [0, 1, 2, 3]
    assert film.read_scene(made) is not None
    again = actions.duplicate(run, {})
    assert epochs(again) == []
    own = film.own_image(again)
    assert own is not None
    assert own.shape == (20, 30, 3)
    actions.delete(run)
    (thrown,) = actions.trashed(run.folder.parent)
    assert epochs(thrown) == [0, 1, 2, 3]
    assert epochs(actions.restore(thrown)) == [0, 1, 2, 3]


# The command line


def test_the_film_is_written_as_a_picture_that_moves(run: Run, call: Any, tmp_path: Path) -> None:
    where = ("--runs-dir", str(run.folder.parent))
    listed = call("film", run.id, *where).out
    assert "4 epochs, 6 images" in listed
    accuracy = run.history()[-1]["validation_accuracy"]
    assert last_line(listed).split() == [str(TRAINED_EPOCHS), f"{accuracy:.1%}"]
    for name in ("film.gif", "film.webp"):
        assert call("film", run.id, "--output", str(tmp_path / name), "--image", "2", *where).code == 0
        with Image.open(tmp_path / name) as moving:
            assert moving.n_frames == 4  # type: ignore[attr-defined]
            assert moving.size == (960, 540)
    for wrong, said in (
        (("--output", str(tmp_path / "film.mp4")), ".gif or .webp"),
        (("--output", str(tmp_path / "nowhere" / "film.gif")), "cannot be written"),
        (("--output", str(tmp_path / "film.gif"), "--image", "7"), "films 6 images"),
        (("--output", str(tmp_path / "film.gif"), "--seconds", "0"), "0.02 to 10"),
        (("--output", str(tmp_path / "film.gif"), "--seconds", "nan"), "0.02 to 10"),
    ):
        assert_refused(call("film", run.id, *wrong, *where), said)


def test_ones_own_image_is_kept_with_the_run_to_be_filmed(
    call: Any, runs_dir: Path, tmp_path: Path, no_starts: list[str]
) -> None:
    picture, where = tmp_path / "mine.png", ("--runs-dir", str(runs_dir), "--detach")
    Image.new("RGB", (900, 600), (10, 20, 30)).save(picture)
    given = ("train", "--architecture", "minivggnet", "--dataset", "digits", "--film-image")
    made = Run(runs_dir / last_line(call(*given, str(picture), *where).out))
    own = film.own_image(made)
    assert own is not None
    assert own.shape == (341, 512, 3)
    before = len(runs.every(runs_dir))
    (tmp_path / "broken.png").write_bytes(b"\x89PNG")
    assert_refused(call(*given, str(tmp_path / "broken.png"), *where), "broken.png")
    assert_refused(call(*given, str(tmp_path / "none.png"), *where), "no image file")
    assert_refused(call(*given, str(picture), "--film", "false", *where), "--film false")
    assert len(runs.every(runs_dir)) == before, "nothing is created where the image is refused"


def test_a_run_that_is_not_to_be_filmed_says_so_in_its_command() -> None:
    assert "--film false" in digits_experiment(film=False).command()
    assert "--film" not in digits_experiment().command()
