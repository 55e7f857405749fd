"""The whole way in a real browser: understand, train, leave and come back, use."""

from __future__ import annotations

import io
import re
from pathlib import Path

from PIL import Image
from playwright.sync_api import BrowserContext, Page, expect

from cnnlab import datasets, runs
from cnnlab.runs.records import average_speed
from cnnlab.runs.run import Run
from tests.browser.conftest import Server, metric, set_number, until
from tests.conftest import wait_for_end, wait_until

TRAINING_MS = 180_000
CURVE = "document.querySelector('.js-plotly-plot path.js-line')?.getAttribute('d').length"


def start_training(page: Page, server: Server, epochs: int) -> Run:
    page.goto(f"{server.address}/train")
    set_number(page, "Epochs", epochs)
    expect(page.get_by_test_id("stCode")).to_contain_text(f"--epochs {epochs} ")
    page.get_by_test_id("stMain").get_by_role("button", name="Train", exact=True).click()
    page.wait_for_url("**/run?run=*")
    return runs.find(page.url.rpartition("=")[2], server.runs)


def badge(page: Page, state: str) -> None:
    badges = page.get_by_test_id("stMain").locator("p", has_text=re.compile(f"{state}$"))
    expect(badges.first).to_be_visible(timeout=TRAINING_MS)


def digit(path: Path, number: int) -> tuple[Path, int]:
    """One of the test images of the digits as a PNG file, and what it is."""
    images, labels = datasets.load("digits").test_split().batch(slice(number, number + 1))
    out = io.BytesIO()
    Image.fromarray(images[0]).save(out, "PNG")
    path.write_bytes(out.getvalue())
    return path, int(labels[0])


def test_from_an_architecture_to_a_classified_image(server: Server, page: Page, tmp_path: Path) -> None:
    page.goto(server.address)
    page.get_by_test_id("stMain").get_by_role("link", name="Architectures").click()
    expect(page.get_by_test_id("stMetric").first).to_contain_text("2,171,178")
    expect(metric(page, "Trainable")).to_have_text("2,169,770")
    expect(metric(page, "Non-trainable")).to_have_text("1,408")

    run = start_training(page, server, epochs=4)
    badge(page, "running")
    expect(page.locator(".js-plotly-plot")).to_have_count(2)
    until(page, f"() => {CURVE} > 0")
    drawn = page.evaluate(CURVE)
    until(page, f"() => {CURVE} > {drawn}")  # the curve grows by itself
    page.reload()
    badge(page, "running")
    assert page.url.endswith(run.id)
    badge(page, "completed")
    expect(metric(page, "Epochs")).to_have_text("4 of 4")
    best = run.best_epoch()
    assert best is not None
    expect(metric(page, "Best validation accuracy")).to_have_text(f"{best['validation_accuracy']:.1%}")

    page.get_by_role("link", name="Try it on your own images").click()
    image, label = digit(tmp_path / "digit.png", 3)
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n")
    page.locator("input[type=file]").set_input_files([broken, image])
    expect(page.get_by_test_id("stAlert")).to_contain_text("broken.png")
    expect(page.get_by_text("digit.png, 8×8 pixels")).to_be_visible(timeout=TRAINING_MS)
    expect(page.get_by_text("What the network sees: 32×32 pixels")).to_be_visible()
    expect(page.get_by_test_id("stMarkdown").filter(has_text=re.compile(rf"^{label}, \d"))).to_be_visible()
    expect(page.locator(".js-plotly-plot").get_by_text("%").first).to_be_visible()


def test_a_training_outlives_the_server_and_a_link_to_it_works_on_the_next_one(
    server: Server, page: Page, browser: BrowserContext
) -> None:
    run = start_training(page, server, epochs=12)
    badge(page, "running")
    address = page.url
    server.kill()
    steps = len(run.steps())
    wait_until(run, lambda: len(run.steps()) > steps, "gone on without the server")
    server.start()
    page.goto(address)  # the first visit to this server, by a deep link
    badge(page, "running")
    expect(page.get_by_role("link", name="Architectures")).to_be_visible()
    page.get_by_role("button", name="Stop", exact=True).click()
    badge(page, "stopped")
    assert wait_for_end(run).state == "stopped"
    assert run.checkpoints()

    other = browser.new_page()  # another tab follows what is done with the run elsewhere
    other.set_default_timeout(TRAINING_MS)
    other.goto(address)
    badge(other, "stopped")
    average = average_speed(run.history())
    shown = metric(other, "Images per second, on average")
    expect(shown).to_have_text([f"{average:,.0f}"] if average else [], timeout=TRAINING_MS)
    expect(metric(other, "Images per second")).to_have_count(0)
    page.goto(address)
    page.get_by_role("button", name="Resume", exact=True).click()
    badge(other, "running")
    expect(metric(other, "Images per second")).to_have_count(1, timeout=TRAINING_MS)
    run.send_request("stop")
    badge(other, "stopped")
    other.close()

    page.goto(f"{server.address}/runs")
    expect(page.get_by_role("gridcell", name=run.id, include_hidden=True)).to_have_count(1)
    expect(page.get_by_role("gridcell", name="stopped", include_hidden=True)).to_have_count(1)
