"""The microscope as a whole in a real browser: its parts belong together, and other pages lead into it."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from cnnlab import datasets, units
from cnnlab.inference.activations import of_classifier
from cnnlab.inference.classifier import load_classifier
from cnnlab.network import analysis
from cnnlab.runs.run import Run
from cnnlab.zoo.shipped import shipped_run
from pages.shared.samples import palace
from tests.browser.conftest import PATIENCE_MS, Server, settle, until
from tests.browser.test_landscape import marked, point_at
from tests.browser.test_maps import written
from tests.browser.test_use import PASTE, png

pytestmark = pytest.mark.slow
NETWORK = "minigooglenet-cifar10"


def look(page: Page, server: Server, query: str) -> None:
    page.goto(f"{server.address}/microscope?{query}")
    settle(page)
    expect(page.locator(".stage image").first).to_be_visible(timeout=PATIENCE_MS)


def press(page: Page, name: str) -> None:
    """Press the face of a volume."""
    point_at(page, name)
    page.mouse.down()
    page.mouse.up()


def test_what_is_pointed_at_pressed_and_opened_is_the_same_in_all_parts_and_the_address_restores_it(
    laboratory: Server, page: Page, tmp_path: Path
) -> None:
    model = of_classifier(load_classifier(shipped_run(NETWORK)))
    network, seen = model.network, model.activations(model.preprocessing.fit(palace()))
    look(page, laboratory, f"network={NETWORK}&sample=palace")

    # a value on a real map, and what it depends on in the image
    layer = [node for node in network.layers if node.module == "inception2a"][-1]
    point_at(page, "inception2a", 0.53, 0.53)
    rows, columns, _ = layer.output_shape
    expect(page.locator(".facts")).to_contain_text(f"(row {rows // 2}, column {columns // 2})")
    size, stride, start = analysis.receptive_fields_along(network, 0)[layer.name]
    first, side = start + stride * (rows // 2), network.input_shape[0]
    assert marked(page)[1::2] == [max(first, 0), min(first + size, side) - max(first, 0)]
    expect(page.locator(".stage rect.unit")).to_have_count(1)
    page.mouse.move(5, 5)

    # the most probable class at the end is the network's
    best = int(np.argmax(seen.probabilities))
    answers = page.locator(".stage .answers")
    expect(answers).to_contain_text(model.classes[best])
    expect(answers).to_contain_text(units.percent(float(seen.probabilities[best])))

    # a module opens, one of its layers is pressed: its channels and its arithmetic stand below
    press(page, "inception2a")
    written(page, open="inception2a")
    press(page, "inception2a_3x3_conv")
    written(page, open="inception2a", layer="inception2a_3x3_conv")
    channel = int(np.nan_to_num(seen.values["inception2a_3x3_conv"]).mean(axis=(0, 1)).argmax())
    row, column = np.unravel_index(seen.values["inception2a_3x3_conv"][..., channel].argmax(), (rows, columns))
    stored = float(seen.values["inception2a_3x3_conv"][row, column, channel])

    def below() -> None:
        expect(page.locator(".maps .one h3")).to_have_text(f"Channel {channel}")
        kernel = page.locator(".kernel")
        expect(kernel).to_have_attribute("data-at", f"{row},{column}")
        assert float(kernel.get_attribute("data-stored") or "nan") == pytest.approx(stored, abs=1e-6)

    below()
    page.reload()
    settle(page)
    expect(page.locator(".stage .frame")).to_have_count(1)
    below()

    # the window slides to another place by key, and the other parts follow it
    page.locator(".kernel").focus()
    page.keyboard.press("ArrowLeft" if column else "ArrowRight")
    moved = int(column) + (-1 if column else 1)
    written(page, at=f"{row},{moved}")
    expect(page.locator(".maps .value")).to_contain_text(f"Row {row}, column {moved}")

    with page.expect_download() as download:
        page.get_by_role("button", name="Diagram, SVG").click()
    download.value.save_as(tmp_path / "picture.svg")
    drawn = (tmp_path / "picture.svg").read_text(encoding="utf-8")
    assert drawn.count("data:image/png;base64,") == page.locator(".stage image").count()


def test_the_landscape_is_in_sight_at_once_on_a_laptop(laboratory: Server, page: Page) -> None:
    page.set_viewport_size({"width": 1280, "height": 800})
    look(page, laboratory, f"network={NETWORK}")
    stage = page.locator(".stage").bounding_box()
    strip = page.locator(".landscape .strip").bounding_box()
    assert stage
    assert strip
    assert stage["y"] + stage["height"] <= min(strip["y"] + 1, 800), "nothing lies over it"


def test_two_networks_beside_each_other_show_where_they_differ(
    laboratory: Server, page: Page, trained_run: Run
) -> None:
    run = f"network={trained_run.id}"
    look(page, laboratory, f"{run}&from=noise&beside=image&from-b=noise&seed-b=1&layer=block1_conv1&channel=2")
    expect(page.locator(".stage")).to_have_count(2)
    model = of_classifier(load_classifier(trained_run))
    before, after = (
        model.activations(
            model.preprocessing.fit(np.random.default_rng(seed).integers(0, 256, (256, 256, 3), np.uint8))
        )
        for seed in (0, 1)
    )
    apart = (after.values["block1_conv1"].astype(np.float64) - before.values["block1_conv1"])[..., 2]
    expect(page.get_by_text(f"channel 2, mean {np.abs(apart).mean():.3g}")).to_be_visible()
    expect(page.get_by_text("The difference: the second less the first")).to_be_visible()

    look(page, laboratory, f"{run}&from=noise&beside=network")
    other = page.get_by_role("combobox", name="The other network")
    expect(other).not_to_have_value(re.compile(re.escape(trained_run.id)))
    expect(page.get_by_text("The networks differ, so their layers are not subtracted")).to_be_visible()


def test_a_network_before_training_says_that_it_has_not_learned(laboratory: Server, page: Page) -> None:
    page.goto(f"{laboratory.address}/architectures?architecture=minivggnet&view=Diagram")
    page.get_by_role("link", name="Look inside: what it makes of an image").click()
    expect(page.get_by_text("it has not learned anything yet")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator(".stage image").first).to_be_visible(timeout=PATIENCE_MS)


def test_an_image_given_elsewhere_comes_along(laboratory: Server, page: Page, trained_run: Run) -> None:
    page.goto(f"{laboratory.address}/predict?run={trained_run.id}")
    expect(page.get_by_test_id("stFileUploader")).to_be_visible()
    until(page, "() => Boolean(window.cnnlabPaste)")
    page.evaluate(PASTE, base64.b64encode(png(datasets.load("digits").test_images[0])).decode())
    page.get_by_text("Look inside", exact=True).last.click()
    page.wait_for_url("**/microscope?**")
    settle(page)
    address = parse_qs(urlsplit(page.url).query)
    assert address["network"] == [trained_run.id]
    expect(page.locator(".stage image").first).to_be_visible(timeout=PATIENCE_MS)
    expect(
        page.get_by_role("radio", name=re.compile("^pasted-")).or_(
            page.get_by_role("button", name=re.compile("^pasted-"))
        )
    ).to_be_visible()
    expect(page.get_by_text("8×8, resized to 32×32")).to_be_visible()

    page.goto(f"{laboratory.address}/run?run={trained_run.id}")
    page.get_by_role("link", name="Look inside").click()
    page.wait_for_url(f"**/microscope?network={trained_run.id}**")
