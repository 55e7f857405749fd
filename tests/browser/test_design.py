"""A design made in a real browser, by pointing: DeeperGoogLeNet without 4a to 4e, with ELU, and through to Train."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from cnnlab import architectures
from cnnlab.design import edits
from cnnlab.design.store import FOLDER, DesignRecord
from cnnlab.network import Network
from tests.browser.conftest import Server, free_port, kill_trainings, metric, settle


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Server(tmp_path_factory.mktemp("laboratory") / "runs", free_port())
    made.start()
    yield made
    made.kill()
    kill_trainings(made.runs)


def volume(page: Page, name: str) -> Locator:
    return page.locator(f'.stage g.box[data-name="{name}"] polygon.edge').first


def button(page: Page, label: str) -> Locator:
    return page.locator('[data-testid="stButton"] button').filter(has_text=label).first


def kept(server: Server, name: str) -> Network:
    path: Path = server.runs.parent / "data" / FOLDER / name / "0001.json"
    return Network.from_data(DesignRecord.model_validate_json(path.read_bytes()).network)


def test_the_lectures_extensions_by_pointing_and_through_to_train(laboratory: Server, page: Page) -> None:
    page.goto(f"{laboratory.address}/design?from=deepergooglenet")
    settle(page)
    expect(volume(page, "inception_4a")).to_be_attached()
    page.get_by_role("button", name="Whole").click()
    volume(page, "inception_4a").click()
    expect(page.locator(".stage g.box.selected")).to_have_count(1)
    volume(page, "inception_4e").click(modifiers=["Shift"])
    expect(page.locator(".stage g.box.selected")).to_have_count(5)
    button(page, "Remove").click()
    expect(volume(page, "inception_4a")).to_have_count(0)
    page.get_by_role("radio", name="All at once").click()
    button(page, "ReLU to ELU").click()
    expect(button(page, "Undo")).to_be_enabled()
    button(page, "CONV-BN-ACT to CONV-ACT-BN").click()
    settle(page)
    options = {"inception_4": False, "activation": "elu", "order": "conv-act-bn"}
    wanted = edits.rename(architectures.build("deepergooglenet", options), "deepergooglenet-1")
    expect(metric(page, "Parameters")).to_have_text(f"{wanted.parameters / 1e3:.0f} k")
    page.reload()
    settle(page)
    expect(metric(page, "Parameters")).to_have_text(f"{wanted.parameters / 1e3:.0f} k")
    button(page, "Train this network").click()
    page.wait_for_url("**/train**")
    settle(page)
    expect(page.get_by_text("with 774 k parameters")).to_be_visible()
    assert kept(laboratory, "deepergooglenet-1") == wanted


def test_it_is_driven_by_keyboard_alone(laboratory: Server, page: Page) -> None:
    """The list instead of the picture, shortcuts instead of buttons, and the picture itself."""
    page.goto(f"{laboratory.address}/design?from=minigooglenet&open=inception1a")
    settle(page)
    expect(volume(page, "inception1a_1x1_conv")).to_be_attached()
    box = page.get_by_role("combobox", name="Selected")
    box.focus()
    page.keyboard.type("inception2b, a module")
    page.keyboard.press("Enter")
    expect(page.locator(".stage g.box.selected")).to_have_count(1)
    page.keyboard.press("Escape")
    before = metric(page, "Parameters").inner_text()
    page.get_by_role("heading", name="Design").click()
    page.keyboard.press("Delete")
    expect(metric(page, "Parameters")).not_to_have_text(before)
    page.keyboard.press("Control+z")
    expect(metric(page, "Parameters")).to_have_text(before)
    page.locator(".stage").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator(".stage g.box.selected")).to_have_attribute("data-name", "stem")
    settle(page)
    page.keyboard.press("Enter")
    expect(volume(page, "stem_conv")).to_be_attached()
