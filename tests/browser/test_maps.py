"""A module opened in a real browser: every channel of a layer as a map, with TensorFlow's values."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import numpy as np
from playwright.sync_api import Locator, Page, WebSocket, expect

from cnnlab.inference.activations import ActivationModel, Activations, of_classifier, untrained
from cnnlab.inference.classifier import load_classifier
from cnnlab.inference.maps import branch_shares, channel_figures, channel_order
from cnnlab.network.branches import branches
from cnnlab.zoo import catalogue
from cnnlab.zoo.shipped import shipped_run
from pages.shared.samples import palace
from tests.browser.conftest import PATIENCE_MS, Server, settle

CONCAT = "inception2a_concat"
DRAWN = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
LARGE = "deepergooglenet:input_size=224"


def seen(model: ActivationModel) -> Activations:
    return model.activations(model.preprocessing.fit(palace()))


def open_layer(page: Page, server: Server, network: str, layer: str, more: str = "") -> Locator:
    """The grid of a layer's maps, in sight."""
    page.goto(f"{server.address}/microscope?network={network}&sample=palace&layer={layer}{more}")
    settle(page)
    grid = page.locator(".maps .grid")
    expect(grid).to_have_attribute("data-shown", re.compile("[1-9]"), timeout=PATIENCE_MS)
    grid.scroll_into_view_if_needed()
    return grid


def point(page: Page, grid: Locator, x: float, y: float) -> tuple[int, int, int, float]:
    """Point at a place of the grid: the channel, row, column and value that are then read beside it."""
    box = grid.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + x, box["y"] + y)
    page.evaluate(DRAWN)
    value = page.locator(".maps .value")
    expect(value).to_have_text(re.compile(r"^Row \d+, column \d+: .*\d$"))
    row, column, number = re.findall(r"^Row (\d+), column (\d+): (.+)$", value.inner_text())[0]
    title = page.locator(".maps .one h3").inner_text()
    return int(title.removeprefix("Channel ")), int(row), int(column), float(number.replace("−", "-"))


def written(page: Page, **wanted: str | None) -> None:
    """Wait until the address says so, and what it asks for is drawn."""

    def said(address: str) -> bool:
        names = parse_qs(urlsplit(address).query)
        return all(names.get(name, [None])[-1] == value for name, value in wanted.items())

    page.wait_for_url(said)
    settle(page)


def as_shown(value: float) -> float:
    return float(f"{value:.4g}")


def test_all_channels_of_a_module_are_seen_read_sorted_and_chosen(laboratory: Server, page: Page) -> None:
    model = of_classifier(load_classifier(shipped_run("minigooglenet-cifar10")))
    values = seen(model).values[CONCAT]
    found, figures = branches(model.network, CONCAT), channel_figures(values)
    grid = open_layer(page, laboratory, "minigooglenet-cifar10", CONCAT)

    for x, y in ((30, 100), (180, 120), (420, 200), (300, 250)):
        channel, row, column, shown = point(page, grid, x, y)
        assert shown == as_shown(float(values[row, column, channel]))
    words = page.locator(".maps figcaption").first.inner_text()
    for branch, share in zip(found, branch_shares(values, found), strict=True):
        assert f"{branch.name}: {branch.count} channels, {share:.1%} of the total activation" in words
    dead = "None is dead" if not figures.dead else f"{figures.dead} {'is' if figures.dead == 1 else 'are'} dead"
    expect(page.locator(".maps .told")).to_contain_text(dead)

    page.get_by_role("button", name="Mean activation").click()
    written(page, sort="mean")
    order = channel_order(figures, "mean", found)
    expect(page.get_by_role("button", name="Mean activation")).to_have_attribute("aria-pressed", "true")
    first, *_ = point(page, grid, 30, 70)
    assert first == order[0]
    assert f"Mean {as_shown(figures.mean[first]):g}" in page.locator(".maps .one p").first.inner_text()

    second, *_ = point(page, grid, 150, 70)
    assert second == order[1]
    page.mouse.down()
    page.mouse.up()
    written(page, channel=str(second), at=None)
    _, row, column, _ = point(page, grid, 160, 80)
    page.mouse.down()
    page.mouse.up()
    written(page, channel=str(second), at=f"{row},{column}")

    grid.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    written(page, channel=str(order[2]), at=None)
    expect(page.locator(".maps .one h3")).to_have_text(f"Channel {order[2]}")

    page.get_by_role("tab", name="3x3_bn").click()
    written(page, layer="inception2a_3x3_bn", channel=None)
    expect(page.get_by_role("tab", name="3x3_bn")).to_have_attribute("aria-selected", "true")
    expect(page.locator(".maps figcaption").first).to_contain_text("this layer is on it")


def test_pointing_at_a_map_and_elsewhere_is_told_to_each_other(laboratory: Server, page: Page) -> None:
    grid = open_layer(page, laboratory, "minigooglenet-cifar10", CONCAT)
    page.evaluate("""() => {
      window.heard = [];
      window.addEventListener("cnnlab-point", ({ detail }) => window.heard.push(detail));
    }""")
    channel, row, column, _ = point(page, grid, 30, 100)
    told = {"side": "a", "layer": CONCAT, "channel": channel, "row": row, "column": column}
    assert page.evaluate("() => window.heard.at(-1)") == told
    page.mouse.move(1, 1)
    page.evaluate(DRAWN)
    elsewhere = {"side": "a", "layer": CONCAT, "channel": 7, "row": 3, "column": 4}
    page.evaluate(
        "(detail) => window.dispatchEvent(new CustomEvent('cnnlab-point', { detail }))",
        elsewhere,
    )
    expect(page.locator(".maps .one h3")).to_have_text("Channel 7")
    expect(page.locator(".maps .value")).to_have_text(re.compile("^Row 3, column 4: "))


def test_of_a_large_layer_only_what_is_in_sight_is_sent(laboratory: Server, page: Page) -> None:
    received: list[int] = []

    def count(frame: str | bytes) -> None:
        received.append(len(frame))

    def watch(socket: WebSocket) -> None:
        socket.on("framereceived", count)

    page.on("websocket", watch)
    grid = open_layer(page, laboratory, LARGE, "conv1_5x5_act")
    expect(page.locator(".maps .told")).to_contain_text("224×224×64: 64 channels")
    values = seen(untrained(catalogue.candidate(LARGE, laboratory.runs).network())).values["conv1_5x5_act"]
    channel, row, column, shown = point(page, grid, 60, 60)
    np.testing.assert_allclose(shown, values[row, column, channel], rtol=5e-4)
    page.mouse.wheel(0, 5_000)
    expect(page.locator(".maps .one h3")).not_to_have_text(f"Channel {channel}")
    last, row, column, shown = point(page, grid, 60, 200)
    assert last > 40
    np.testing.assert_allclose(shown, values[row, column, last], rtol=5e-4)
    assert sum(received) < values.nbytes / 2
