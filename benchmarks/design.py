"""What the page Design promises, measured: `python benchmarks/design.py [--part PART]`.

How well the time and the memory of a training are estimated, and how long an edit of GoogLeNet takes from the press to
the new figures, in a real browser. Prints Markdown; `benchmarks/design.md` is what it printed. The machine's rates are
measured first, into a data root of its own.
"""

from __future__ import annotations

import argparse
import ast
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from cnnlab import architectures, hardware
from cnnlab.architectures.options import Value
from cnnlab.design import History, edits, everywhere
from cnnlab.design.advice import advice
from cnnlab.network import analysis
from cnnlab.network.scene import scene

PROJECT = Path(__file__).resolve().parents[1]
SHIPPED: tuple[tuple[str, dict[str, Value], int], ...] = (
    ("minivggnet", {}, 128),
    ("minigooglenet", {}, 128),
    ("deepergooglenet", {}, 128),
)
"""The networks that come with cnnlab, as they were trained."""
OTHERS: tuple[tuple[str, dict[str, Value], int], ...] = (
    ("nin", {}, 128),
    ("googlenet", {"input_size": 64}, 128),
    ("googlenet", {}, 16),
    ("vgg16", {"input_size": 64}, 64),
    ("minigooglenet", {"width": 0.5}, 128),
    ("deepergooglenet", {"activation": "elu", "order": "conv-act-bn"}, 128),
)
EDITS = 20
ROUNDS = 3


def estimates() -> None:
    """Estimated and measured time of a step, measured as the quickest of several rounds."""
    from cnnlab.training.calibration import calibrate, step_seconds

    began = time.perf_counter()
    rates = calibrate()
    took = time.perf_counter() - began
    print(f"\n## Time of a step\n\nMeasuring the machine's rates took {took:.0f} s. Precision: {rates.precision}.\n")
    print("| network | options | batch | estimated | measured | estimated / measured |")
    print("| --- | --- | ---: | ---: | ---: | ---: |")
    for group in (SHIPPED, OTHERS):
        for name, options, batch in group:
            network = architectures.build(name, options)
            measured = min(step_seconds(network, batch, 1.0) for _ in range(ROUNDS))
            guess = rates.of_step(network, batch)
            words = ", ".join(f"{key} {value}" for key, value in options.items()) or "as they come"
            print(
                f"| {name} | {words} | {batch} | {guess * 1000:,.0f} ms | {measured * 1000:,.0f} ms | "
                f"{guess / measured:.2f} |",
                flush=True,
            )


def memory() -> None:
    """Estimated and measured memory of a training's process, each network in a process of its own."""
    from cnnlab.design.estimate import training_bytes

    half = hardware.has_bfloat16()
    print("\n## Memory of a training's process\n\nThe most that was resident in steps of training, without images.\n")
    print("| network | options | batch | estimated | measured | estimated / measured |")
    print("| --- | --- | ---: | ---: | ---: | ---: |")
    for name, options, batch in (*SHIPPED, *OTHERS):
        command = [sys.executable, __file__, "--peak", name, repr(options), str(batch)]
        told = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True)
        measured, guess = int(told.stdout), training_bytes(architectures.build(name, options), batch, half)
        words = ", ".join(f"{key} {value}" for key, value in options.items()) or "as they come"
        print(
            f"| {name} | {words} | {batch} | {guess / 1e6:,.0f} MB | {measured / 1e6:,.0f} MB | "
            f"{guess / measured:.2f} |",
            flush=True,
        )


def peak(name: str, options: dict[str, Value], batch: int) -> int:
    """The most bytes that are resident in this process while a network is trained."""
    from cnnlab.training.calibration import step_seconds

    step_seconds(architectures.build(name, options), batch, 0.1)
    lines = Path("/proc/self/status").read_text().splitlines()  # getrusage would count what the parent had, too
    return int(next(line for line in lines if line.startswith("VmHWM:")).split()[1]) * 1024


def server_part() -> None:
    """What an edit takes without a browser: the network, its figures, advice, and the picture's data."""
    network = architectures.build("googlenet")
    names = edits.layers_of(network, "inception_4c")
    deeds = {
        "remove inception 4c": lambda: edits.remove(network, names),
        "ReLU to ELU everywhere": lambda: everywhere.replace_activation(network, "elu"),
        "half the filters": lambda: everywhere.scale_filters(network, 0.5),
        "a setting of one layer": lambda: edits.change(network, ["conv1_7x7"], {"kernel": 5}),
    }
    print("\n## An edit of GoogLeNet, its table, totals, advice and picture, without a browser\n")
    print("| edit | median |\n| --- | ---: |")
    for title, deed in deeds.items():
        times = []
        for _ in range(EDITS):
            began = time.perf_counter()
            made = History.of(network).done(title, deed()).now
            analysis.rows(made)
            analysis.activation_memory(made)
            advice(made)
            scene(made)
            times.append(time.perf_counter() - began)
        print(f"| {title} | {statistics.median(times) * 1000:.0f} ms |")


def in_browser(folder: Path) -> None:
    """From the press of a button to the new figure on the page, at a server of one's own."""
    from playwright.sync_api import sync_playwright

    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = int(free.getsockname()[1])
    environment = {**os.environ, "CNNLAB_RUNS": str(folder / "runs"), "CNNLAB_DATA": str(folder / "data")}
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    server = subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=subprocess.DEVNULL)
    address = f"http://localhost:{port}"
    try:
        until_it_answers(address)
        installed = next(
            path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))
        )
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=installed, args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            page.goto(f"{address}/design?from=googlenet&select=inception_4c/")
            value = page.get_by_test_id("stMetric").first.get_by_test_id("stMetricValue")
            value.wait_for()
            page.locator(".stage g.box").first.wait_for()
            page.wait_for_timeout(2_000)
            buttons = page.locator('[data-testid="stButton"] button')
            times: dict[str, list[float]] = {"remove a module": [], "undo": []}
            for _ in range(EDITS):
                for title, label in (("remove a module", "Remove"), ("undo", "Undo")):
                    if label == "Remove":
                        page.goto(f"{address}/design?from=googlenet&select=inception_4c/")
                        page.locator(".stage g.box").first.wait_for()
                        page.wait_for_timeout(700)
                    before = value.inner_text()
                    button = buttons.filter(has_text=label).first
                    button.wait_for()
                    began = time.perf_counter()
                    button.click()
                    while value.inner_text() == before:
                        time.sleep(0.002)
                    times[title].append(time.perf_counter() - began)
                    page.wait_for_timeout(300)
            browser.close()
    finally:
        server.terminate()
        server.wait()
    print("\n## An edit of GoogLeNet in the browser\n")
    print("From the press to the new number of parameters on the page; server and browser on this machine.\n")
    print("| edit | median | slowest |\n| --- | ---: | ---: |")
    for title, found in times.items():
        print(f"| {title} | {statistics.median(found) * 1000:.0f} ms | {max(found) * 1000:.0f} ms |")


def until_it_answers(address: str) -> None:
    for _ in range(300):
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=1):  # noqa: S310
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the server did not start")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=("estimates", "memory", "server", "browser"), help="this part alone")
    parser.add_argument("--peak", nargs=3, metavar=("NETWORK", "OPTIONS", "BATCH"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.peak:
        print(peak(given.peak[0], ast.literal_eval(given.peak[1]), int(given.peak[2])))
        return
    part = given.part
    with tempfile.TemporaryDirectory() as folder:
        os.environ["CNNLAB_DATA"] = str(Path(folder) / "data")
        if part is None:
            print(f"# Design\n\n{hardware.describe()['processor']}, {hardware.cores()} cores.")
        if part in (None, "estimates"):
            estimates()
        if part in (None, "memory"):
            memory()
        if part in (None, "server"):
            server_part()
        if part in (None, "browser"):
            in_browser(Path(folder))


if __name__ == "__main__":
    main()
