"""The architecture laboratory in a real browser."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from cnnlab import architectures
from tests.browser.conftest import Server, metric, set_number


def test_the_totals_of_every_architecture_stand_on_the_page(laboratory: Server, page: Page) -> None:
    for name in architectures.ARCHITECTURES:
        page.goto(f"{laboratory.address}/architectures?architecture={name}")
        network = architectures.build(name)
        expect(page.get_by_test_id("stMetric").first).to_contain_text(f"{network.parameters:,}")
        expect(metric(page, "Trainable")).to_have_text(f"{network.trainable:,}")
        expect(metric(page, "Non-trainable")).to_have_text(f"{network.non_trainable:,}")


def test_a_moved_option_moves_the_totals_and_a_link_shows_a_colleague_the_same(
    laboratory: Server, page: Page, browser: BrowserContext
) -> None:
    page.goto(f"{laboratory.address}/architectures?architecture=googlenet&view=Diagram")
    expect(page.get_by_test_id("stMetric").first).to_contain_text("6,998,552")
    page.get_by_text("Auxiliary heads").click()
    expect(page.get_by_test_id("stMetric").first).to_contain_text("13,378,280")
    expect(page.get_by_test_id("stMetric").first).to_contain_text("+6,379,728 to default")
    expect(page.locator(".stage")).to_contain_text("head_4a")
    set_number(page, "Classes", 10)
    expect(page.get_by_test_id("stMetric").first).not_to_contain_text("13,378,280")
    total = metric(page, "Parameters").inner_text()
    expect(page).to_have_url(re.compile(r"googlenet\.classes=10"))
    other = browser.new_page()
    other.goto(page.url)
    expect(other.get_by_test_id("stMetric").first).to_contain_text(total)
    expect(other.locator(".stage")).to_contain_text("head_4a")
    other.close()


def test_an_option_that_breaks_the_shapes_says_at_which_layer(laboratory: Server, page: Page) -> None:
    page.goto(f"{laboratory.address}/architectures?architecture=vgg19")
    set_number(page, "Input size", 16)
    expect(page.get_by_test_id("stAlert")).to_contain_text("block5_pool")


@pytest.mark.parametrize("name", ["nin", "googlenet"])
def test_the_downloaded_script_runs_and_has_the_same_parameters(
    laboratory: Server, page: Page, tmp_path: Path, name: str
) -> None:
    page.goto(f"{laboratory.address}/architectures?architecture={name}&view=Code")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    script = tmp_path / f"{name}.py"
    download.value.save_as(script)
    done = subprocess.run([sys.executable, "-I", str(script)], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert f"{architectures.build(name).parameters:,}" in done.stdout


def test_the_published_figures_stand_beside_ours(laboratory: Server, page: Page) -> None:
    page.goto(f"{laboratory.address}/architectures?architecture=vgg16&view=Published")
    expect(page.get_by_text("figures agree").first).to_be_visible()
    expect(page.get_by_text("Source:").first).to_be_visible()


def test_the_lectures_bottleneck_saves_what_the_lecture_says(laboratory: Server, page: Page) -> None:
    page.goto(f"{laboratory.address}/one_by_one")
    set_number(page, "Bottleneck B", 32)
    expect(page.get_by_test_id("stMetric").nth(1)).not_to_contain_text("15,920")
    for label, value in (
        ("Height H", 28),
        ("Width W", 28),
        ("Channels C", 192),
        ("Kernel K", 5),
        ("Filters F", 32),
        ("Bottleneck B", 16),
    ):
        set_number(page, label, value)
    expect(page.get_by_test_id("stMetric").nth(0)).to_contain_text("153,632")
    expect(page.get_by_test_id("stMetric").nth(1)).to_contain_text("15,920")
    expect(page.locator(".katex").first).to_be_visible()


def test_networks_are_compared_and_the_choice_stands_in_the_address(laboratory: Server, page: Page) -> None:
    page.goto(f"{laboratory.address}/compare?network=vgg_c&network=vgg16&view=Layer+by+layer")
    expect(page.get_by_text("20 of 23 places hold the same layer")).to_be_visible()
    page.get_by_role("button", name="All", exact=True).click()
    expect(page.get_by_role("button", name="DeeperGoogLeNet")).to_be_visible()
    expect(page).to_have_url(re.compile("network=deepergooglenet"))
    page.get_by_role("tab", name="Where it sits").click()
    expect(page.locator(".js-plotly-plot")).to_have_count(2)


def test_a_network_of_the_comparison_gets_options_of_its_own(laboratory: Server, page: Page) -> None:
    page.goto(f"{laboratory.address}/compare?network=minivggnet&network=minivggnet:classes=100")
    expect(page.get_by_role("button", name="MiniVGGNet (classes 100)")).to_be_visible()
    page.get_by_role("button", name="MiniVGGNet", exact=True).click()
    set_number(page, "Classes", 20)
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_role("button", name="MiniVGGNet (classes 20)")).to_be_visible()
    expect(page).to_have_url(re.compile(r"minivggnet(:|%3A)classes(=|%3D)20"))
