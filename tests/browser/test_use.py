"""A trained network judged and used in a real browser, and one's own images imported there."""

from __future__ import annotations

import base64
import re
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from cnnlab import datasets
from cnnlab.evaluation import kept_evaluation
from cnnlab.runs.run import Run
from tests.browser.conftest import Server, metric, settle, until
from tests.inference.test_prediction_many import png

LONG_MS = 120_000
PASTE = """(data) => {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const held = new DataTransfer();
  held.items.add(new File([bytes], "image.png", { type: "image/png" }));
  document.dispatchEvent(new ClipboardEvent("paste", { clipboardData: held, bubbles: true }));
}"""


@pytest.fixture
def run(server: Server, trained_run: Run) -> Run:
    """A trained run in the server's folder."""
    return Run(Path(shutil.copytree(trained_run.folder, server.runs / trained_run.id)))


def choose_by_keyboard(page: Page, name: str, letters: str, option: str | re.Pattern[str]) -> None:
    """Type some letters in a box that is in sight; Enter once its list has followed, as one who looks at it would."""
    box = page.get_by_role("combobox", name=name)
    box.scroll_into_view_if_needed()  # a list that opens while the page still scrolls to its box is closed by that
    settle(page)
    box.focus()
    page.keyboard.type(letters)
    expect(page.get_by_role("option")).to_have_count(1)
    expect(page.get_by_role("option")).to_have_text(option)
    page.keyboard.press("Enter")


def test_a_run_is_evaluated_while_one_looks_and_a_click_on_a_cell_shows_its_images(
    server: Server, page: Page, run: Run
) -> None:
    shutil.rmtree(run.folder / "evaluations", ignore_errors=True)
    page.goto(f"{server.address}/evaluate?run={run.id}&section=Confusion")
    page.get_by_role("button", name="Evaluate", exact=True).click()
    expect(metric(page, "Rank-1 accuracy")).to_be_visible(timeout=LONG_MS)
    kept = kept_evaluation(run)
    assert kept is not None
    expect(metric(page, "Rank-1 accuracy")).to_have_text(f"{kept.accuracy:.2%}")
    cell = page.locator(".js-plotly-plot .scatterlayer .point").first
    box = cell.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(
        page.get_by_role("heading", name=re.compile(rf"^0, recognised: {kept.confusion[0][0]} images"))
    ).to_be_visible()
    page.wait_for_url("**true=0&predicted=0**")
    # The same by keyboard, to another cell, and on from one of its images to what made the network say so
    choose_by_keyboard(page, "True class", "8", "8")
    expect(
        page.get_by_role("heading", name=re.compile(rf"^8, taken for 0: {kept.confusion[8][0]} image"))
    ).to_be_visible()
    choose_by_keyboard(page, "Taken for", "8, ", re.compile("^8, "))
    expect(
        page.get_by_role("heading", name=re.compile(rf"^8, recognised: {kept.confusion[8][8]} image"))
    ).to_be_visible()
    page.wait_for_url("**true=8&predicted=8**")
    settle(page)  # Streamlit makes a report for the page as it stands, not for one that is being drawn anew
    with page.expect_download() as download:
        page.get_by_role("button", name="Report, HTML").click()
    assert f"{kept.accuracy:.2%}" in Path(download.value.path()).read_text()
    page.get_by_role("link", name="Explain").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/predict?run={run.id}&split=test&image=*")
    expect(page.get_by_text("Grad-CAM (Selvaraju et al., 2017)")).to_be_visible(timeout=LONG_MS)
    expect(page.get_by_text(re.compile("^Test image [0-9]+ of Digits: 8$"))).to_be_visible()
    page.get_by_role("button", name="Ask about other images").click()
    expect(page.get_by_test_id("stFileUploader")).to_be_visible()
    assert "image=" not in page.url


def test_an_image_is_pasted_asked_about_and_explained(server: Server, page: Page, run: Run) -> None:
    page.goto(f"{server.address}/predict?run={run.id}")
    expect(page.get_by_test_id("stFileUploader")).to_be_visible()
    until(page, "() => Boolean(window.cnnlabPaste)")
    page.evaluate(PASTE, base64.b64encode(png(datasets.load("digits").test_images[0])).decode())
    expect(page.get_by_text("What the network sees: 32×32 pixels")).to_be_visible(timeout=LONG_MS)
    page.get_by_text("Explain", exact=True).click()
    expect(page.get_by_text("Grad-CAM (Selvaraju et al., 2017)")).to_be_visible(timeout=LONG_MS)
    # Another method, another class, and whether that picture depends on the weights; the address restores the view
    chosen = page.get_by_role("radio", name="SmoothGrad").or_(page.get_by_role("button", name="SmoothGrad")).first
    chosen.click()
    expect(page.get_by_text("SmoothGrad (Smilkov et al., 2017)")).to_be_visible(timeout=LONG_MS)
    choose_by_keyboard(page, "Class", "7, ", re.compile("^7, "))
    expect(page.get_by_text("SmoothGrad for 7", exact=True)).to_be_visible(timeout=LONG_MS)
    page.wait_for_url("**method=smoothgrad&class=7**")
    page.get_by_text("Does it depend on the weights?").click()
    expect(page.get_by_text(re.compile("Rank correlation left: [0-9.]+"))).to_be_visible(timeout=LONG_MS)
    expect(page.get_by_text("Layers with random weights, from the top")).to_be_visible()
    page.get_by_role("radio", name="First filters").or_(page.get_by_role("button", name="First filters")).first.click()
    expect(page.get_by_text("The 32 filters of the first convolution")).to_be_visible()
