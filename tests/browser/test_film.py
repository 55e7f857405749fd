"""The film of a training in a real browser: it plays, steps, says what was kept, and grows while one looks."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from cnnlab import runs
from cnnlab.plots.film import followed_classes
from cnnlab.runs import film, queue
from cnnlab.runs.run import Run
from tests.browser.conftest import Server
from tests.conftest import TRAINED_EPOCHS, digits_experiment

LONG_MS = 120_000


@pytest.fixture
def run(server: Server, trained_run: Run) -> Run:
    return Run(Path(shutil.copytree(trained_run.folder, server.runs / trained_run.id)))


def open_film(page: Page, server: Server, run: Run) -> None:
    page.goto(f"{server.address}/run?run={run.id}")
    page.get_by_text("Film of the training").click()


def shown_shares(page: Page) -> list[str]:
    return page.locator(".film .bars .share").all_inner_texts()


def kept_shares(run: Run, image: int) -> list[list[str]]:
    """What the film says of an image, frame by frame, as a person reads it."""
    scene = film.read_scene(run)
    assert scene is not None
    probabilities = np.stack([one.probabilities[image] for one in film.frames(run, scene)])
    followed = followed_classes(probabilities, int(scene.labels[image]))
    return [[f"{100 * share:.1f}%" for share in one[followed].astype(float).round(4)] for one in probabilities]


def colours(page: Page, what: str) -> int:
    """How many colours a canvas of the film has."""
    return int(
        page.locator(f".film .{what} canvas").first.evaluate(
            """(canvas) => new Set(new Uint32Array(canvas.getContext("2d")
              .getImageData(0, 0, canvas.width, canvas.height).data.buffer)).size"""
        )
    )


def test_a_film_is_stepped_and_played_and_says_what_was_kept(server: Server, page: Page, run: Run) -> None:
    without = Run(Path(shutil.copytree(run.folder, server.runs / "of-an-earlier-version")))
    shutil.rmtree(without.folder / "film")
    open_film(page, server, run)
    now, slider = page.locator(".film .now"), page.get_by_role("slider", name="Epoch", exact=True)
    expect(now).to_have_text(f"After epoch {TRAINED_EPOCHS} of {TRAINED_EPOCHS}")

    # By keyboard through all frames: the probabilities are those that were kept
    slider.focus()
    page.keyboard.press("Home")
    expect(now).to_have_text("Before the first epoch")
    expect(page.locator(".film .confusion figcaption")).to_have_text("Confusion: judged after the first epoch")
    assert colours(page, "confusion") == 1
    wanted = kept_shares(run, 0)
    for epoch, shares in enumerate(wanted):
        assert shown_shares(page) == shares, epoch
        page.keyboard.press("ArrowRight")
    assert len({tuple(shares) for shares in wanted}) > 1
    for what in ("filters", "layers", "confusion", "curve"):
        assert colours(page, what) > 2, what
    accuracy = run.history()[-1]["validation_accuracy"]
    expect(page.locator(".film .curve figcaption")).to_contain_text(f"validation {100 * accuracy:.1f}%")

    # Played from the beginning to its end without asking the server for anything
    sent: list[object] = []
    page.on("request", lambda request: sent.append(request.url))
    page.get_by_role("button", name="Play").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    expect(now).to_have_text("After epoch 1 of 3")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    expect(now).to_have_text(f"After epoch {TRAINED_EPOCHS} of {TRAINED_EPOCHS}")
    assert sent == []

    # Another image: the server sends its maps, and the place stays
    slider.focus()
    page.keyboard.press("ArrowLeft")
    page.locator(".film .images button").nth(2).click()
    expect(page.locator(".film .answer figcaption")).to_contain_text("whose class is")
    expect(page.locator(".film .bars .share")).to_have_text(kept_shares(run, 2)[2])
    expect(now).to_have_text(f"After epoch 2 of {TRAINED_EPOCHS}")

    page.emulate_media(reduced_motion="reduce")
    assert page.locator(".film .fill").first.evaluate("(one) => getComputedStyle(one).transitionDuration") == "0s"

    open_film(page, server, without)
    expect(page.get_by_text("This run has no film")).to_be_visible()
    cut = film.frame_files(run)[1]
    cut.write_bytes(cut.read_bytes()[:1000])
    open_film(page, server, run)
    expect(page.get_by_text("epoch-00001.npz cannot be read")).to_be_visible()
    slider.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    expect(now).to_have_text(f"After epoch 2 of {TRAINED_EPOCHS}")


def test_new_frames_appear_while_one_looks(server: Server, page: Page) -> None:
    run = runs.create(digits_experiment(epochs=400, batch_size=128, learning_rate=1e-4), server.runs)
    queue.enqueue(run)
    open_film(page, server, run)
    now = page.locator(".film .now")
    expect(now).to_be_visible(timeout=LONG_MS)
    before = now.inner_text()
    expect(now).not_to_have_text(before, timeout=LONG_MS)
    run.send_request("stop")
