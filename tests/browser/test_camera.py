"""The live camera of the microscope, with the test picture that Chromium has for a camera."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PATIENCE_MS, Server, settle

TRACKS = "(root) => { root.ownerDocument.defaultView.tracks = root.camera.stream.getTracks(); }"


def test_a_camera_goes_through_the_network_once_it_is_allowed(laboratory: Server, page: Page) -> None:
    page.goto(f"{laboratory.address}/microscope?from=live&layer=stem_act&channel=3")
    camera = page.locator(".camera")
    expect(camera).to_be_visible(timeout=PATIENCE_MS)
    settle(page)
    page.context.clear_permissions()
    camera.get_by_role("button", name="Start the camera").click()
    expect(camera.get_by_role("status")).to_contain_text("was not allowed")

    page.context.grant_permissions(["camera"], origin=laboratory.address)
    camera.get_by_role("button", name="Start the camera").click()
    expect(camera).to_have_attribute("data-rate", re.compile("[0-9]"), timeout=PATIENCE_MS)
    shares = [float(one.rstrip("%")) for one in re.findall(r"[\d.]+%", camera.locator("[data-part=bars]").inner_text())]
    assert len(shares) == 10
    assert sum(shares) == pytest.approx(100, abs=1)
    expect(camera.locator("img")).to_have_attribute("src", re.compile("^data:image/png"))
    expect(camera.locator("[data-part=account]")).to_contain_text("its middle 240×240 resized to 32×32")

    camera.evaluate(TRACKS)
    page.get_by_role("link", name="Results", exact=True).click()
    page.wait_for_function("() => tracks.every((track) => track.readyState === 'ended')")


def test_a_frame_is_looked_at(laboratory: Server, page: Page) -> None:
    page.context.grant_permissions(["camera"], origin=laboratory.address)
    page.goto(f"{laboratory.address}/microscope?from=live")
    camera = page.locator(".camera")
    expect(camera).to_be_visible(timeout=PATIENCE_MS)
    settle(page)
    camera.get_by_role("button", name="Start the camera").click()
    expect(camera).to_have_attribute("data-rate", re.compile("[0-9]"), timeout=PATIENCE_MS)
    camera.get_by_role("button", name="Look at this frame").click()
    expect(page.locator(".stage image").first).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_role("radio", name="frame of the camera")).to_be_visible()
    page.context.clear_permissions()
