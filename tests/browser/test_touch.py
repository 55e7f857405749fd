"""The microscope touched in a real browser: paint on the image, silence channels, and what the network says then."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Locator, Page, expect

from cnnlab.runs.run import Run
from tests.browser.conftest import PATIENCE_MS, Server, metric, settle, until, watch_console

DRAWER = "Touch it: paint on the image, silence channels"
PIXELS = "(canvas) => [...canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data].join()"


def show(server: Server, page: Page, run: Run, more: str = "") -> None:
    page.goto(f"{server.address}/microscope?network={run.id}&from=noise{more}")
    settle(page)


def open_drawer(page: Page) -> None:
    page.get_by_text(DRAWER).click()
    expect(page.locator(".touch .marks")).to_be_visible(timeout=PATIENCE_MS)
    settle(page)


def answers(page: Page) -> str:
    return page.locator("table.changes tbody").inner_text()


def changed(page: Page, before: str) -> str:
    """What is said once it is something else than before."""
    expect(page.locator("table.changes tbody")).not_to_have_text(before, use_inner_text=True)
    expect(page.locator(".touch")).to_have_attribute("aria-busy", "false")
    settle(page)
    return answers(page)


def stroke(page: Page) -> None:
    """A line right across the picture, the mouse held down."""
    box = page.locator(".touch .marks").bounding_box()
    assert box
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 20, box["y"] + box["height"] - 20, steps=8)
    page.mouse.up()


def pixels(page: Page) -> str:
    return str(page.locator(".touch .pixels").evaluate(PIXELS))


def silenced(page: Page) -> list[str]:
    return parse_qs(urlsplit(page.url).query).get("silence", [])


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


def test_what_is_painted_changes_the_answers_and_goes_back(laboratory: Server, page: Page, trained_run: Run) -> None:
    wrong = watch_console(page)
    show(laboratory, page, trained_run, "&layer=block1_conv1")
    open_drawer(page)
    given, before = pixels(page), answers(page)
    expect(button(page, "Undo")).to_be_disabled()
    stroke(page)
    painted = changed(page, before)
    drawn = pixels(page)
    assert drawn != given
    expect(page.locator(".touch .told")).to_contain_text("1 change")

    button(page, "Close all").click()  # draws the page's part anew: the edit stays
    settle(page)
    assert (pixels(page), answers(page)) == (drawn, painted)

    page.locator(".touch .marks").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    second = changed(page, painted)
    expect(page.locator(".touch .told")).to_contain_text("2 changes")
    page.keyboard.press("Control+z")
    assert changed(page, second) == painted
    assert pixels(page) == drawn
    button(page, "Reset").click()
    assert changed(page, painted) == before
    assert pixels(page) == given
    button(page, "Undo").click()
    assert changed(page, before) == painted

    for tool, slider in (("Noise", "Strength"), ("Rotate", "Angle"), ("Blur", "Width"), ("Brightness", "Lighter")):
        said = answers(page)
        button(page, tool).click()
        page.get_by_role("slider", name=slider).focus()
        page.keyboard.press("End")
        there = changed(page, said)
        page.keyboard.press("Control+z")
        assert changed(page, there) == said
    button(page, "Cover").click()
    stroke(page)
    covered = changed(page, painted)
    assert covered != before

    page.get_by_role("spinbutton", name="Seed").last.fill("5")
    page.get_by_role("spinbutton", name="Seed").last.press("Enter")
    until(page, "() => location.search.includes('seed=5')")
    settle(page)
    expect(button(page, "Undo")).to_be_disabled()  # another image begins anew
    expect(page.locator(".touch .told")).to_have_text("")
    assert wrong == []


def test_channels_are_silenced_listed_and_taken_back(laboratory: Server, page: Page, trained_run: Run) -> None:
    show(laboratory, page, trained_run, "&layer=block1_act1")
    open_drawer(page)
    before = answers(page)
    strongest = page.get_by_role("button", name=re.compile(r"^Channel \d+ of block1_act1$"))
    channel = strongest.inner_text().split()[1]
    strongest.click()
    one = changed(page, before)
    assert silenced(page) == [f"block1_act1:{channel}"]
    expect(button(page, f"Channel {channel} of block1_act1")).to_be_disabled()  # it stays the chosen one
    expect(page.locator("table.changes thead")).to_contain_text("All on")
    button(page, "All of block1_act1").click()
    whole = changed(page, one)
    assert silenced(page) == ["block1_act1"]
    expect(button(page, "All of block1_act1")).to_be_disabled()

    page.reload()  # the address brings it back, drawer open
    settle(page)
    assert answers(page) == whole
    page.get_by_role("button", name="block1_act1, all 32 channels").click()
    until(page, "() => !location.search.includes('silence')")
    settle(page)
    assert answers(page) == before

    show(laboratory, page, trained_run, "&silence=block1_act1:4&silence=nowhere&silence=block1_act1:x")
    expect(page.get_by_text("nowhere").first).to_be_visible()
    expect(page.get_by_text("It is left out.")).to_have_count(2)
    button(page, "Compare over the split").click()
    expect(page.get_by_text("Accuracy, all on")).to_be_visible(timeout=PATIENCE_MS)
    settle(page)
    assert metric(page, "Accuracy, all on").inner_text().endswith("%")
    assert metric(page, "Accuracy, silenced").inner_text().endswith("%")
    button(page, "All on again").click()
    expect(page.get_by_text("Accuracy, all on")).to_have_count(0)
    assert silenced(page) == []
