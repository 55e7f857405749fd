"""A window slides over its input in a real browser: every number is TensorFlow's, and nothing is asked meanwhile."""

from __future__ import annotations

import re

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, WebSocket, expect

from cnnlab import architectures
from cnnlab.inference.activations import ActivationModel, Activations, untrained
from cnnlab.network.layers import Conv2D
from pages.shared.samples import palace
from tests.browser.conftest import PATIENCE_MS, Server, settle
from tests.browser.test_maps import as_shown, written

GOOGLENET = "googlenet:input_size=64"
CASES = (
    ("conv1_7x7", 5, (0, 0)),  # a corner in the padding, stride 2
    ("conv1_7x7", 40, (20, 31)),
    ("inception_3a_5x5", 7, (3, 4)),
    ("inception_3a_3x3", 100, (7, 0)),
    ("inception_3a_5x5_reduce", 3, (4, 4)),  # the lecture's 192 to 16
    ("pool1_3x3", 11, (15, 15)),
)


@pytest.fixture(scope="module")
def model() -> ActivationModel:
    return untrained(architectures.build("googlenet", {"input_size": 64}))


@pytest.fixture(scope="module")
def seen(model: ActivationModel) -> Activations:
    return model.activations(model.preprocessing.fit(palace()))


def open_kernel(page: Page, server: Server, layer: str, channel: int, at: tuple[int, int]) -> Locator:
    query = f"network={GOOGLENET}&sample=palace&layer={layer}&channel={channel}&at={at[0]},{at[1]}"
    page.goto(f"{server.address}/microscope?{query}")
    settle(page)
    kernel = page.locator(".kernel")
    expect(kernel).to_have_attribute("data-at", f"{at[0]},{at[1]}", timeout=PATIENCE_MS)
    return kernel


def number(text: str) -> float:
    return float(text.replace("−", "-"))


def told(kernel: Locator, name: str) -> float:
    return float(kernel.get_attribute(f"data-{name}") or "nan")


def table(kernel: Locator, title: str) -> list[float]:
    """The numbers of a table that stands behind the drawing; what lies in the padding is 0."""
    cells = kernel.locator(f"table:has(caption:text-is('{title}')) td").all_inner_texts()
    return [number(cell.removesuffix(" (padding)")) for cell in cells]


@pytest.mark.parametrize(("layer", "channel", "at"), CASES)
def test_every_number_of_the_window_is_tensorflows(
    laboratory: Server,
    page: Page,
    model: ActivationModel,
    seen: Activations,
    layer: str,
    channel: int,
    at: tuple[int, int],
) -> None:
    kernel = open_kernel(page, laboratory, layer, channel, at)
    node = model.network[layer]
    stored = float(seen.values[layer][(*at, channel)])
    assert told(kernel, "stored") == pytest.approx(stored, rel=1e-6)
    assert told(kernel, "computed") == pytest.approx(stored, rel=1e-4, abs=1e-5)
    words = kernel.locator(".equation").inner_text()
    assert number(re.findall(r"Output: (\S+)", words)[0].rstrip(".")) == as_shown(stored)

    kernel.locator("summary").click()
    window, (top, left) = node.layer.window(*node.input_shapes), node.layer.border(*node.input_shapes)
    source = seen.values[node.inputs[0]]
    shown = int(kernel.get_attribute("data-shown") or 0)
    padded = np.pad(source[..., shown], ((top, window.kernel), (left, window.kernel)))
    rows, columns = (slice(place * window.stride, place * window.stride + window.kernel) for place in at)
    read = padded[rows, columns].ravel()
    assert table(kernel, "Input") == [as_shown(float(one)) for one in read]
    if isinstance(node.layer, Conv2D):
        weights = model.weights(layer)["kernel"][:, :, shown, channel].ravel()
        assert table(kernel, "Kernel") == [as_shown(float(one)) for one in weights]
        products = read.astype(np.float64) * weights
        assert table(kernel, "Products") == pytest.approx(products.tolist(), rel=1e-3)


def test_average_pooling_divides_by_what_is_not_padding(laboratory: Server, page: Page) -> None:
    model = untrained(architectures.build("nin"))
    stored = float(model.activations(model.preprocessing.fit(palace())).values["mlpconv2_pool"][7, 7, 9])
    query = "network=nin&sample=palace&layer=mlpconv2_pool&channel=9&at=7,7"
    page.goto(f"{laboratory.address}/microscope?{query}")
    settle(page)
    kernel = page.locator(".kernel")
    expect(kernel).to_have_attribute("data-at", "7,7", timeout=PATIENCE_MS)
    assert told(kernel, "stored") == pytest.approx(stored, rel=1e-6)
    assert told(kernel, "computed") == pytest.approx(stored, rel=1e-5)
    assert "the mean of 4 values" in kernel.locator(".equation").inner_text()


def test_it_slides_without_asking_and_by_keyboard(
    laboratory: Server, page: Page, model: ActivationModel, seen: Activations
) -> None:
    sent: list[object] = []

    def note(frame: object) -> None:
        sent.append(frame)

    def listen(socket: WebSocket) -> None:
        socket.on("framesent", note)

    page.on("websocket", listen)
    kernel = open_kernel(page, laboratory, "inception_3a_3x3", 2, (1, 1))
    settle(page)
    kernel.get_by_role("button", name="Play").click()
    before = len(sent)
    kernel.evaluate(
        "(root) => new Promise((done) => { const look = () => (root.slider.frames?.length > 40 ? done() : "
        "requestAnimationFrame(look)); look(); })"
    )
    assert len(sent) == before, "the server is not asked while it slides"
    kernel.get_by_role("button", name="Pause").click()
    place = kernel.get_attribute("data-at")
    assert place != "1,1"
    written(page, at=place)
    settle(page)

    kernel.focus()
    row, column = (int(one) for one in str(place).split(","))
    page.keyboard.press("ArrowUp" if row else "ArrowDown")
    row += -1 if row else 1
    expect(kernel).to_have_attribute("data-at", f"{row},{column}")
    stored = float(seen.values["inception_3a_3x3"][row, column, 2])
    assert told(kernel, "stored") == pytest.approx(stored, rel=1e-6)
    written(page, at=f"{row},{column}")
    settle(page)
    kernel.focus()
    shown = int(kernel.get_attribute("data-shown") or 0)
    page.keyboard.press("+")
    channels = model.network["inception_3a_3x3"].input_shapes[0][-1]
    expect(kernel).to_have_attribute("data-shown", str((shown + 1) % channels))


def test_one_presses_a_place_of_the_output(laboratory: Server, page: Page) -> None:
    kernel = open_kernel(page, laboratory, "inception_3a_3x3", 2, (1, 1))
    output = kernel.locator("[data-part=output]")
    output.scroll_into_view_if_needed()
    box = output.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] * 0.94, box["y"] + box["height"] * 0.06)
    expect(kernel).to_have_attribute("data-at", "0,7")
    written(page, at="0,7")
