"""How one value came about, read in a real browser and compared with TensorFlow."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from cnnlab import units
from cnnlab.inference.activations import of_classifier
from cnnlab.inference.classifier import load_classifier
from cnnlab.zoo.catalogue import usable
from pages.shared.samples import palace
from tests.browser.conftest import Server, settle

pytestmark = pytest.mark.slow
NETWORK = "minivggnet-cifar10"
PLACES = (  # of every kind that slides no window and that this network has: layer, channel, row and column
    ("input", 1, (5, 6)),
    ("block1_act1", 3, (5, 6)),
    ("block1_bn1", 3, (5, 6)),
    ("block1_dropout", 3, (5, 6)),
    ("flatten", 700, None),
    ("fc1", 9, None),
    ("fc1_bn", 9, None),
    ("predictions", 4, None),
)


def test_what_stands_on_the_page_is_tensorflows_number(laboratory: Server, page: Page) -> None:
    run = usable(laboratory.runs)[NETWORK]
    model = of_classifier(load_classifier(run))
    seen = model.activations(model.preprocessing.fit(palace()))
    for layer, channel, at in PLACES:
        place = f"&at={at[0]},{at[1]}" if at else ""
        page.goto(
            f"{laboratory.address}/microscope?network={NETWORK}&sample=palace&layer={layer}&channel={channel}{place}"
        )
        settle(page)
        values = seen.values[layer]
        value = units.digits(float(values[(*at, channel)] if at else values[channel]))
        expect(page.locator("table.numbers").get_by_text(value, exact=True).last).to_be_visible()
        expect(page.locator("[class*=st-key-picture-and-numbers] .js-plotly-plot").first).to_be_visible()
