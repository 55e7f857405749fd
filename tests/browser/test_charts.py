"""Charts and tables as they are seen in a real browser, and Compare and Train in use."""

from __future__ import annotations

import itertools
import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from cnnlab.plots.colours import BACKGROUND, Theme, contrast
from tests.browser.conftest import PATIENCE_MS, Server, until
from tests.browser.test_every_page import settle

STUDY = "from-the-lecture"  # ten runs that come with cnnlab, with twelve settings that differ
BOXES = """() => [...document.querySelectorAll('.js-plotly-plot')].map((plot) => {
  const box = (one) => { const { left, top, right, bottom } = one.getBoundingClientRect();
                         return { left, top, right, bottom }; };
  return { legend: [...plot.querySelectorAll('.legendtext')].map(box),
           others: [...plot.querySelectorAll('.xtick text, .ytick text, .xtitle, .ytitle, .gtitle, .modebar-group')]
             .map(box) };
})"""
AXIS_TEXT = """() => [...document.querySelectorAll(
  '.js-plotly-plot :is(.xtick text, .ytick text, .xtitle, .ytitle, .gtitle, .legendtext)')]
  .map((one) => getComputedStyle(one).fill)"""
NAMES = """() => [...document.querySelectorAll('.st-key-bubbles .textpoint text')].flatMap((text) => {
  const parts = [...text.querySelectorAll('tspan'), text];
  return parts.filter((one) => !one.children.length && one.textContent.trim()).map((line) => {
    const { left, top, right, bottom } = line.getBoundingClientRect();
    return { name: line.textContent, left, top, right, bottom };
  });
})"""


def overlap(one: dict[str, float], other: dict[str, float]) -> bool:
    return (
        min(one["right"], other["right"]) - max(one["left"], other["left"]) > 1
        and min(one["bottom"], other["bottom"]) - max(one["top"], other["top"]) > 1
    )


@pytest.mark.parametrize("address", [f"compare_runs?study={STUDY}", "compare?view=Where+it+sits", "results"])
def test_no_legend_lies_under_a_button_or_over_an_axis(laboratory: Server, page: Page, address: str) -> None:
    page.goto(f"{laboratory.address}/{address}")
    settle(page)
    expect(page.locator(".js-plotly-plot .legendtext").first).to_be_visible()
    for width in (1280, 800):
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_timeout(800)  # a chart answers a resize by no event that could be waited for
        for plot in page.evaluate(BOXES):
            for text in plot["legend"]:
                assert not [other for other in plot["others"] if overlap(text, other)], f"{address} at {width} px"


def test_the_text_of_charts_is_read_in_both_themes_also_when_the_theme_changes(laboratory: Server, page: Page) -> None:
    page.goto(f"{laboratory.address}/compare_runs?study={STUDY}")
    settle(page)
    expect(page.locator(".js-plotly-plot .xtick text").first).to_be_visible()
    themes: tuple[Theme, ...] = ("light", "dark")
    for theme in themes:
        page.emulate_media(color_scheme=theme)
        expect(page.locator(".stApp")).to_have_css("color-scheme", theme)
        page.wait_for_timeout(500)  # the charts are drawn anew without an event that could be waited for
        found = set(page.evaluate(AXIS_TEXT))
        assert len(found) > 1
        for colour in found:
            red, green, blue = (int(part) for part in colour.removeprefix("rgb(").removesuffix(")").split(","))
            assert contrast(f"#{red:02X}{green:02X}{blue:02X}", BACKGROUND[theme]) >= 4.5, f"{colour}, {theme}"


def test_at_most_six_settings_are_drawn_until_one_asks_for_more(laboratory: Server, page: Page) -> None:
    page.goto(f"{laboratory.address}/compare_runs?study={STUDY}")
    settle(page)
    strips = page.locator(".js-plotly-plot").nth(2)
    expect(strips.locator('[class^="x"][class$="title"]')).to_have_count(6)
    ticks = [box for plot in [page.evaluate(BOXES)[2]] for box in plot["others"]]
    assert not any(overlap(one, two) for at, one in enumerate(ticks) for two in ticks[at + 1 :])


def cells(page: Page) -> list[str]:
    """What the first table says, from the copy that Streamlit keeps for screen readers."""
    table = page.get_by_test_id("stDataFrame").first.locator("table")
    expect(table.locator("td").first).to_be_attached()
    return [str(text).strip() for text in table.locator("td").all_text_contents()]


def test_removing_a_network_opens_no_other_and_back_brings_it_back(laboratory: Server, page: Page) -> None:
    page.goto(f"{laboratory.address}/compare?network=vgg16&network=vgg16&network=googlenet&network=nin")
    settle(page)
    popovers = page.get_by_test_id("stPopover")
    expect(popovers).to_have_count(5)
    for left in (4, 3):
        popovers.first.get_by_role("button").click()
        page.get_by_test_id("stPopoverBody").get_by_role("button", name="Remove").click()
        expect(popovers).to_have_count(left)
        settle(page)
        expect(page.get_by_test_id("stPopoverBody")).to_have_count(0)
    assert page.url.count("network=") == 2
    for networks in (3, 4):
        page.go_back()
        expect(popovers).to_have_count(networks + 1)
        assert page.url.count("network=") == networks


def test_accuracies_are_compared_by_one_measure_with_the_shipped_networks_among_them(
    laboratory: Server, page: Page
) -> None:
    page.goto(f"{laboratory.address}/compare?network=minivggnet&network=minigooglenet&network=vgg16&view=Accuracy")
    settle(page)
    said = cells(page)
    assert "Shipped with cnnlab" in said
    assert "As printed" in said
    assert "CIFAR-10 (JPEG), test" in said
    figures = [float(text.removesuffix("%")) for text in said if text.endswith("%")]
    assert figures == sorted(figures, reverse=True)
    assert not any("ImageNet" in text for text in said), "one data set at a time"
    page.get_by_text("Rank-5 accuracy").first.click()
    settle(page)
    assert all(float(text.removesuffix("%")) > 99 for text in cells(page) if text.endswith("%"))


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (800, 900), (640, 400)])
def test_the_button_that_trains_is_in_sight_at_once_and_stays(
    laboratory: Server, page: Page, width: int, height: int
) -> None:
    page.set_viewport_size({"width": width, "height": height})  # 640 by 400: a laptop's screen at 200 %
    page.goto(f"{laboratory.address}/train")
    settle(page)
    button = page.get_by_test_id("stMain").get_by_role("button", name="Train", exact=True)
    expect(button).to_be_in_viewport(ratio=1)
    page.get_by_text("What the network will see").scroll_into_view_if_needed()
    page.mouse.move(width / 2, height / 2)
    page.mouse.wheel(0, 4000)
    until(page, "() => document.querySelector('[data-testid=stMain]').scrollTop > 100")
    expect(button).to_be_in_viewport(ratio=1)


def test_what_the_network_will_see_is_told_apart(laboratory: Server, page: Page) -> None:
    page.goto(f"{laboratory.address}/train")
    settle(page)
    page.get_by_text("What the network will see").click()
    images = page.locator('[data-testid="stExpander"] [data-testid="stImage"] img')
    expect(images).to_have_count(8, timeout=PATIENCE_MS)
    boxes: list[Any] = [image.bounding_box() for image in images.all()]
    row = [box for box in boxes if abs(box["y"] - boxes[0]["y"]) < 1]
    assert len(row) > 1
    assert all(two["x"] - one["x"] - one["width"] >= 8 for one, two in itertools.pairwise(row))


@pytest.mark.parametrize(
    "networks",
    [
        ["vgg_a", "vgg_a_lrn", "vgg_b", "vgg_c", "vgg16", "vgg19"],
        ["minigooglenet", "nin", "minivggnet", "minigooglenet:batch_normalization=false"],
    ],
)
def test_every_name_of_a_network_by_its_accuracy_can_be_read(
    laboratory: Server, page: Page, networks: list[str]
) -> None:
    chosen = "&".join(f"network={name}" for name in networks)
    page.goto(f"{laboratory.address}/compare?{chosen}&view=Accuracy")
    settle(page)
    expect(page.locator(".st-key-bubbles .textpoint text").first).to_be_visible(timeout=PATIENCE_MS)
    assert_every_name_can_be_read(page, least=2)


def assert_every_name_can_be_read(page: Page, least: int) -> None:
    names = page.evaluate(NAMES)
    assert len(names) >= least
    for one, other in itertools.combinations(names, 2):
        assert not overlap(one, other), f"{one} and {other}"
    chart = page.locator(".st-key-bubbles .main-svg").first.bounding_box()
    assert chart is not None
    for one in names:
        assert one["left"] >= chart["x"], one
        assert one["right"] <= chart["x"] + chart["width"], one
        assert one["top"] >= chart["y"], one


def test_ten_years_of_networks_can_be_read_against_either_cost_in_both_themes(laboratory: Server, page: Page) -> None:
    page.goto(f"{laboratory.address}/compare?view=Accuracy")
    settle(page)
    page.get_by_role("button", name="ImageNet, 2012 to 2018").click()
    expect(page).to_have_url(re.compile("network=mobilenet_v2"))
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        for cost in ("Parameters", "Multiply-adds per image"):
            page.get_by_test_id("stMain").get_by_text(cost, exact=True).first.click()
            expect(page.locator(".st-key-bubbles .xtitle", has_text=cost)).to_be_visible()
            settle(page)
            expect(page.locator(".st-key-bubbles .xtitle")).to_have_count(1)  # the chart before is gone
            assert_every_name_can_be_read(page, least=9)
    said = " ".join(cells(page))
    assert "torchvision" in said
    assert "Howard et al., 2017 (arXiv:1704.04861), Table 8" in said, "each figure with its source"
