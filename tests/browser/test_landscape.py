"""A network as a landscape in a real browser: to point at, to open, to search, to move and to take away."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from playwright.sync_api import Locator, Page, expect

from cnnlab import architectures
from cnnlab.network import Network, analysis, diagram
from cnnlab.network.scene import scene
from tests.browser.conftest import PATIENCE_MS, Server, until
from tests.browser.test_every_page import settle
from tests.designs import design, written

LANDSCAPE = "section.landscape"
LEAST_PIXELS = 10.99
DRAWN = """(stage) => ({
  width: stage.getBoundingClientRect().width, height: stage.clientHeight,
  room: document.querySelector('[data-testid="stMainBlockContainer"] h1').getBoundingClientRect().width,
  text: Math.min(...[...stage.querySelectorAll('text')].map((one) =>
    parseFloat(getComputedStyle(one).fontSize) * one.getScreenCTM().a)),
})"""
NAME = '<img src=x onerror="document.title=1"> **b** [l](http://beacon.example)'


def show(server: Server, page: Page, name: str, more: str = "") -> Locator:
    """The stage on which a network is drawn."""
    page.goto(f"{server.address}/architectures?architecture={name}&view=Diagram{more}")
    settle(page)
    expect(page.locator(f"{LANDSCAPE}[data-scale]")).to_be_visible(timeout=PATIENCE_MS)
    return page.locator(".stage")


def eventually(page: Page, condition: Callable[[], object]) -> None:
    """Look until something is so that no expectation of the browser's can say."""
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while not condition():
        assert time.monotonic() < deadline
        page.wait_for_timeout(50)


def box(page: Page, name: str) -> Locator:
    return page.locator(f'.stage g.box[data-name="{name}"]')


def scale(page: Page) -> float:
    return float(page.locator(LANDSCAPE).get_attribute("data-scale") or 0)


def transform(page: Page) -> str:
    return page.locator(".stage > g").get_attribute("transform") or ""


def facts(page: Page) -> str:
    return page.locator(".facts").inner_text()


def point_at(page: Page, name: str, across: float = 0.5, down: float = 0.5) -> None:
    """Move the mouse to a place on the face of a volume."""
    face = box(page, name).locator("polygon.edge").first.bounding_box()
    assert face
    page.mouse.move(face["x"] + across * face["width"], face["y"] + down * face["height"])


def marked(page: Page) -> list[float]:
    """Left, top, width and height of the receptive field that is marked on the input, in its pixels."""
    field = page.locator(".input .field")
    return [float(field.get_attribute(name) or 0) for name in ("x", "y", "width", "height")]


@pytest.mark.parametrize("name", ["googlenet", "vgg16"])
def test_it_fills_the_page_is_read_at_once_and_is_zoomed_by_keyboard_and_in_full_screen(
    laboratory: Server, page: Page, name: str
) -> None:
    stage = show(laboratory, page, name)
    drawn = stage.evaluate(DRAWN)
    assert drawn["width"] > 0.9 * drawn["room"]
    assert drawn["text"] >= LEAST_PIXELS
    stage.focus()
    begun = scale(page)
    page.keyboard.press("+")
    assert scale(page) > begun
    page.keyboard.press("-")
    assert scale(page) == pytest.approx(begun, rel=0.01)
    before = transform(page)
    page.keyboard.press("Shift+ArrowRight")
    assert transform(page) != before
    page.keyboard.press("0")
    whole = scale(page)
    page.get_by_role("button", name="Open all").click()
    expect(page.locator(".stage .frame").first).to_be_visible()
    page.keyboard.press("0")
    page.get_by_role("button", name="Whole").click()
    assert scale(page) < whole, "opened it is wider"
    page.get_by_role("button", name="Close all").click()
    expect(page.locator(".stage .frame")).to_have_count(0)
    stage.focus()
    page.keyboard.press("f")
    until(page, "() => document.fullscreenElement")
    eventually(page, lambda: stage.evaluate("stage => stage.clientHeight > innerHeight / 2"))
    assert stage.evaluate(DRAWN)["text"] >= LEAST_PIXELS, "read in full screen too"
    page.keyboard.press("f")
    until(page, "() => !document.fullscreenElement")


def test_it_stays_as_high_as_it_is_when_the_theme_or_the_window_changes(laboratory: Server, page: Page) -> None:
    stage = show(laboratory, page, "googlenet")
    height = stage.evaluate(DRAWN)["height"]
    page.emulate_media(color_scheme="dark")
    expect(page.locator(".stApp")).to_have_css("color-scheme", "dark")
    page.set_viewport_size({"width": 800, "height": 900})
    eventually(page, lambda: stage.evaluate(DRAWN)["width"] < 800)
    assert stage.evaluate(DRAWN)["height"] == height


@pytest.mark.parametrize(("name", "layer"), [("vgg16", "block4"), ("googlenet", "inception_4a")])
def test_pointing_at_a_value_marks_what_it_depends_on(laboratory: Server, page: Page, name: str, layer: str) -> None:
    show(laboratory, page, name)
    network = architectures.build(name)
    last = [node for node in network.layers if node.module == layer][-1]
    fields = [analysis.receptive_fields_along(network, axis) for axis in (0, 1)]
    size, stride, start = fields[0][last.name]
    height, side = last.output_shape[0], network.input_shape[0]
    found = []
    for across, down in ((0.53, 0.53), (0.12, 0.88)):
        point_at(page, layer, across, down)
        row, column = int(down * height), int(across * height)
        expect(page.locator(".facts")).to_contain_text(f"(row {row}, column {column})")
        found.append(marked(page))
        ends = [(max(start + stride * at, 0), min(start + stride * at + size, side)) for at in (column, row)]
        assert found[-1] == [ends[0][0], ends[1][0], ends[0][1] - ends[0][0], ends[1][1] - ends[1][0]]
    assert found[0] != found[1]
    text = facts(page)
    assert f"{size}×{size} px of {side}×{side}" in text
    assert f"{stride} px; the first begins at row −{-start}, column −{-start}, in the padding" in text
    assert f"{sum(node.parameters for node in network.layers if node.module == layer):,}" in text
    assert f"{sum(node.multiply_adds for node in network.layers if node.module == layer):,}" in text
    expect(page.locator(".stage rect.field")).to_have_count(1)
    page.mouse.move(5, 5)
    expect(page.locator(".stage rect.field")).to_have_count(0)


def test_a_module_is_opened_by_the_mouse_and_the_address_restores_it(laboratory: Server, page: Page) -> None:
    show(laboratory, page, "minivggnet")
    page.get_by_role("button", name="Larger").click()
    moved = scale(page)
    point_at(page, "block1")
    page.mouse.down()
    page.mouse.up()
    expect(box(page, "block1_conv1")).to_be_visible()
    expect(box(page, "block1")).to_have_count(0)
    assert scale(page) == moved, "it keeps its scale"
    assert "minivggnet.open=block1" in page.url
    page.reload()
    expect(box(page, "block1_conv2")).to_be_visible()
    page.locator(".stage .close").click()
    expect(box(page, "block1")).to_be_visible()
    assert "open=" not in page.url
    before = transform(page)
    point_at(page, "block2")
    page.mouse.down()
    page.mouse.move(600, 560)
    page.mouse.move(500, 560)
    page.mouse.up()
    assert transform(page) != before, "a drag moves the picture"
    expect(box(page, "block2")).to_be_visible()


@pytest.mark.parametrize(
    ("name", "module", "way", "layers"),
    [
        ("vgg16", "block1", 1, ["block1_conv1", "block1_conv2", "block1_pool", "block2"]),
        ("googlenet", "inception_3a", 5, ["inception_3a_3x3_reduce", "inception_3a_3x3", "inception_3a_concat"]),
    ],
)
def test_the_keyboard_goes_along_the_network_and_opens_and_closes(
    laboratory: Server, page: Page, name: str, module: str, way: int, layers: list[str]
) -> None:
    show(laboratory, page, name).focus()
    for _ in range(way + 1):
        page.keyboard.press("ArrowRight")
    expect(box(page, module)).to_contain_class("chosen")
    page.keyboard.press("Enter")
    expect(box(page, layers[0])).to_be_visible()
    first = page.locator(".stage g.box.chosen")
    expect(first).to_have_count(1)
    while first.get_attribute("data-name") != layers[0]:
        page.keyboard.press("ArrowDown")
    for layer in layers[1:]:
        page.keyboard.press("ArrowRight")
        expect(page.locator(".facts h3")).to_have_text(layer)
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Escape")
    expect(box(page, module)).to_be_visible()
    expect(page.locator(".facts h3")).to_have_text(module)
    assert "open=" not in page.url


@pytest.mark.parametrize(("name", "wanted"), [("googlenet", "5x5_reduce"), ("vgg16", "maxpooling")])
def test_a_layer_is_found_by_its_name_or_its_kind(laboratory: Server, page: Page, name: str, wanted: str) -> None:
    show(laboratory, page, name).focus()
    page.keyboard.press("/")
    page.keyboard.type(wanted)
    shown = scene(architectures.build(name))["boxes"]
    held = [sum(wanted in " ".join(texts).lower() for texts in one["layers"]) for one in shown]
    expect(page.locator(".search output")).to_have_text(f"{sum(held)} layers")
    expect(page.locator(".stage g.box.match")).to_have_count(sum(map(bool, held)))
    page.keyboard.press("Enter")
    first = shown[next(place for place, count in enumerate(held) if count)]
    expect(page.locator(".facts h3")).to_have_text(first["title"])
    page.keyboard.press("Escape")
    expect(page.locator(".stage g.box.match")).to_have_count(0)


@pytest.mark.parametrize(("name", "module"), [("googlenet", "inception_4c"), ("minivggnet", "block2")])
def test_the_picture_is_taken_away_as_it_is_opened(
    laboratory: Server, page: Page, tmp_path: Path, name: str, module: str
) -> None:
    show(laboratory, page, name, f"&{name}.open={module}")
    with page.expect_download() as download:
        page.get_by_role("button", name="Diagram, SVG").click()
    path = tmp_path / "picture.svg"
    download.value.save_as(path)
    text = path.read_text(encoding="utf-8")
    assert text == diagram.svg(architectures.build(name), [module])
    assert ElementTree.fromstring(text).tag.endswith("svg")  # noqa: S314
    page.set_content(f"<title>alone</title>{text}")
    expect(page.locator("svg g.box").first).to_be_visible()


def test_the_overview_shows_where_one_is_and_leads_there(laboratory: Server, page: Page) -> None:
    show(laboratory, page, "deepergooglenet")
    page.get_by_role("button", name="Larger").click()
    seen = page.locator(".overview .seen")
    assert float(seen.get_attribute("width") or 0) < scene(architectures.build("deepergooglenet"))["width"]
    before = seen.get_attribute("x")
    overview = page.locator(".overview svg").bounding_box()
    assert overview
    page.mouse.click(overview["x"] + overview["width"] - 20, overview["y"] + overview["height"] / 2)
    assert seen.get_attribute("x") != before


def test_names_that_a_person_gave_are_names(laboratory: Server, page: Page, tmp_path: Path) -> None:
    data: dict[str, Any] = json.loads(json.dumps(design()).replace("block1", "X").replace('"X"', json.dumps(NAME)))
    Network.from_data(data)
    page.goto(f"{laboratory.address}/train?architecture=file")
    settle(page)
    page.locator("input[type=file]").first.set_input_files(written(tmp_path / "network.json", data))
    page.get_by_text("Network", exact=True).last.click()
    stage = page.locator(".stage")
    expect(stage).to_be_visible()
    expect(stage).to_contain_text('<img src=x onerror="docum')
    assert stage.locator("img, a, b, script").count() == 0
