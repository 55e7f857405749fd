"""How quick the Microscope is, in real headless Chromium: `python benchmarks/microscope.py > benchmarks/microscope.md`.

Server and browser share this machine. Warm: the network is loaded, and each figure is the median over several turns.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import psutil

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT))

from cnnlab import architectures, hardware  # noqa: E402
from cnnlab.datasets.images import read_image  # noqa: E402
from cnnlab.inference.activations import ActivationModel, of_classifier, untrained  # noqa: E402
from cnnlab.inference.classifier import load_classifier  # noqa: E402
from cnnlab.network.scene import scene  # noqa: E402
from cnnlab.plots.faces import at_work  # noqa: E402
from cnnlab.zoo.samples import all_samples  # noqa: E402
from cnnlab.zoo.shipped import shipped  # noqa: E402

TURNS, OPENINGS, SECONDS, EXPIRY_SECONDS = 9, 100, 5, 150
NETWORKS = (
    ("MiniGoogLeNet", "minigooglenet-cifar10", "inception2a", "inception2a_3x3_conv", 1.5),
    ("DeeperGoogLeNet", "deepergooglenet-tiny-imagenet", "inception_3a", "inception_3a_3x3_conv", 1.5),
    ("VGG16 at 224, before training", "vgg16", "block3", "block3_conv2", 4.0),
)
"""Title, name in the address, a module to open, a convolution to slide over, the most seconds for its landscape."""
SEEK = """(name) => {
  const seek = (root) => {
    for (const one of root.querySelectorAll('*')) {
      if (one.classList?.contains(name)) return one;
      const found = one.shadowRoot && seek(one.shadowRoot);
      if (found) return found;
    }
  };
  return seek(document);
}"""
FACES = f"() => ({SEEK})('landscape')?.querySelectorAll('.stage image').length ?? 0"
SEEN = f"() => ({SEEK})('landscape')?.querySelector('.stage image')?.getAttribute('href') ?? ''"


def sent_for_landscape(model: ActivationModel) -> int:
    """Bytes of the landscape of a network at work, as JSON."""
    sample = next(one for one in all_samples() if one.file == "cat.jpg")
    seen = model.activations(model.preprocessing.fit(read_image(sample.read(), "cat.jpg")))
    return len(json.dumps(scene(model.network, (), at_work(seen, (), model.classes))))


def model_of(name: str) -> ActivationModel:
    if name in shipped():
        return of_classifier(load_classifier(shipped()[name]))
    return untrained(architectures.build(name))


def timed(act: Callable[[], None]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def until(page: Any, script: str, argument: object = None) -> None:
    page.wait_for_function(script, arg=argument, timeout=60_000, polling=10)


def choose_images(page: Any) -> float:
    """From the choice of another sample to its maps on the landscape."""
    box = page.get_by_role("combobox", name="Sample")
    found = []
    for place in range(1, TURNS + 1):  # the first is shown
        box.click()
        option = page.get_by_role("option").nth(place)
        before = page.evaluate(SEEN)
        option.wait_for()

        def act(option: Any = option, before: str = before) -> None:
            option.click()
            until(page, f"(before) => {{ const now = ({SEEN})(); return now && now !== before; }}", before)

        found.append(timed(act))
        page.wait_for_timeout(800)
    return median(found)


def open_modules(page: Any, module: str) -> float:
    """From the press on a module to its layers, with their maps."""
    found = []
    for _ in range(TURNS):
        box = page.locator(f".stage g.box[data-name='{module}']")
        box.wait_for()

        def act(box: Any = box) -> None:
            box.locator(".around").click(force=True)
            page.locator(".stage .frame").first.wait_for()

        found.append(timed(act))
        page.wait_for_timeout(500)
        page.get_by_role("button", name="Close all").click()
        page.locator(".stage .frame").first.wait_for(state="detached")
        page.wait_for_timeout(500)
    return median(found)


def slide(page: Any, sent: list[int]) -> tuple[float, int]:
    """Frames a second while the window slides (median), and how many messages went to the server meanwhile."""
    kernel = page.locator(".kernel")
    kernel.locator("[data-part=speed]").fill("4")
    kernel.get_by_role("button", name="Play").click()
    page.wait_for_timeout(300)
    before = len(sent)
    page.wait_for_timeout(1000 * SECONDS)
    messages = len(sent) - before
    times = kernel.evaluate("(root) => root.slider.frames")
    kernel.get_by_role("button", name="Pause").click()
    gaps = [later - earlier for earlier, later in pairwise(times)]
    return 1000 / median(gaps), messages


def touch(page: Any, address: str) -> float:
    """From the end of a stroke on the image to its maps on the landscape."""
    page.goto(f"{address}/microscope?network=minigooglenet-cifar10")
    until(page, f"() => ({FACES})() > 1")
    page.get_by_text("Touch it").first.click()
    canvas = page.locator(".touch canvas").first
    canvas.wait_for()
    canvas.scroll_into_view_if_needed()
    page.wait_for_timeout(1500)
    box, found = canvas.bounding_box(), []
    for turn in range(TURNS):
        x, y = box["x"] + 30 + 14 * turn, box["y"] + 40 + 9 * turn
        page.mouse.move(x, y)
        before = page.evaluate(SEEN)
        page.mouse.down()
        page.mouse.move(x + 12, y)

        def act(before: str = before) -> None:
            page.mouse.up()
            until(page, f"(before) => ({SEEN})() !== before", before)

        found.append(timed(act))
        page.wait_for_timeout(700)
    return median(found)


def memory(playwright: Any) -> list[float]:
    """The resident memory in MB of a server of its own: after a few openings, after 100, and after 100 more, each an
    image of its own, each once the sessions that were left have expired."""
    found = []
    with served() as (address, server):
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1280, "height": 1600})
        seed = 0
        for openings in (10, OPENINGS, OPENINGS):
            for _ in range(openings):
                seed += 1
                page.goto(f"{address}/microscope?from=noise&seed={seed}")
                until(page, f"() => ({FACES})() > 1")
                page.locator(".kernel").wait_for()
            page.goto("about:blank")
            time.sleep(EXPIRY_SECONDS)
            found.append(psutil.Process(server).memory_info().rss / 1e6)
        browser.close()
    return found


def chromium() -> str | None:
    return next((found for name in ("chromium", "google-chrome") if (found := shutil.which(name))), None)


@contextmanager
def served() -> Iterator[tuple[str, int]]:
    """The address of a server and its process."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "CNNLAB_RUNS": folder}
        command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
        server = subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=subprocess.DEVNULL)
        try:
            wait_for(port)
            yield f"http://localhost:{port}", server.pid
        finally:
            server.kill()


def measure() -> list[tuple[str, str, str]]:
    from playwright.sync_api import sync_playwright

    rows = []
    sizes = {name: sent_for_landscape(model_of(name)) for _, name, *_ in NETWORKS}
    with sync_playwright() as playwright:
        with served() as (address, _):
            browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox", "--disable-gpu"])
            page = browser.new_page(viewport={"width": 1280, "height": 1600})
            sent: list[int] = []
            page.on("websocket", lambda found: found.on("framesent", lambda data: sent.append(len(data))))
            for title, name, module, layer, most in NETWORKS:
                page.goto(f"{address}/microscope?network={name}&layer={layer}")
                until(page, f"() => ({FACES})() > 1")
                page.locator(".kernel").wait_for()
                page.wait_for_timeout(2000)
                still = len(sent)
                page.wait_for_timeout(1000 * SECONDS)
                still = len(sent) - still
                rate, messages = slide(page, sent)
                opened = open_modules(page, module)
                chosen = choose_images(page)
                rows += [
                    (f"{title}: from the choice of an image to its maps", f"{chosen:.2f} s", f"< {most:g} s"),
                    (f"{title}: sent for the landscape", f"{sizes[name] / 1e6:.2f} MB", "≤ 2 MB"),
                    (f"{title}: a module opened", f"{1000 * opened:.0f} ms", "< 300 ms"),
                    (f"{title}: frames a second while the window slides", f"{rate:.0f}", "≥ 50"),
                    (
                        f"{title}: messages to the server in {SECONDS} s of sliding, of standing still",
                        f"{messages}, {still}",
                        "the same",
                    ),
                ]
            stroke = 1000 * touch(page, address)
            rows.append(("MiniGoogLeNet: from a stroke on the image to its maps", f"{stroke:.0f} ms", "< 150 ms"))
            browser.close()
        few, first, second = memory(playwright)
    return [
        *rows,
        ("the server's memory after 10 openings, each with an image of its own", f"{few:.0f} MB", ""),
        (f"after {OPENINGS} more", f"{first:.0f} MB ({first / few:.2f})", "1.00"),
        (f"after {OPENINGS} more", f"{second:.0f} MB ({second / first:.2f})", "1.00"),
    ]


def wait_for(port: int) -> None:
    for _ in range(240):
        try:
            socket.create_connection(("localhost", port), 1).close()
        except OSError:
            time.sleep(0.25)
        else:
            return
    raise SystemExit("The app did not start.")


def main() -> None:
    rows = measure()
    print("# The Microscope\n")
    print(
        f"`python benchmarks/microscope.py` on {hardware.describe()['processor']}, {os.cpu_count()} cores, Python "
        f"{platform.python_version()}; headless Chromium with software rendering on the same machine. Medians of "
        f"{TURNS} turns, warm.\n"
    )
    print("| what | measured | goal |\n| --- | ---: | ---: |")
    for row in rows:
        print(f"| {' | '.join(row)} |")


if __name__ == "__main__":
    main()
