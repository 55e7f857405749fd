"""How fast an architecture is explained: import, tables, and the pages in a real browser.

    python benchmarks/architectures.py           the whole table, as Markdown; needs a Chromium for the pages
    python benchmarks/architectures.py --no-pages

Medians over several runs. Times of a shared machine: compare them within one run.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
RUNS = 7
IMPORT = """
import json, resource, sys, time
began = time.perf_counter()
import cnnlab
package = time.perf_counter() - began
began = time.perf_counter()
from cnnlab import architectures
from cnnlab.network import analysis
everything = time.perf_counter() - began
times = {}
for name in architectures.ARCHITECTURES:
    began = time.perf_counter()
    analysis.table_json(architectures.build(name))
    times[name] = time.perf_counter() - began
print(json.dumps({
    "import cnnlab": package,
    "import cnnlab.architectures and cnnlab.network.analysis": everything,
    "tables": times,
    "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    "tensorflow": "tensorflow" in sys.modules,
}))
"""


# measured by the page itself, frame by frame: from the Enter key to the new total on the screen
REMEMBER_ENTER = """
window.addEventListener("keydown", event => { if (event.key === "Enter") window.entered = performance.now() }, true)
"""
SINCE_ENTER = """
total => new Promise(resolve => {
  const look = () => [...document.querySelectorAll("[data-testid=stMetricValue]")].some(e => e.innerText === total)
    ? resolve(performance.now() - window.entered) : requestAnimationFrame(look)
  look()
})
"""


def cold() -> dict[str, object]:
    """One fresh interpreter: import times, the first table of every architecture, peak memory."""
    done = subprocess.run([sys.executable, "-c", IMPORT], cwd=PROJECT, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))


def median(values: list[float]) -> float:
    return statistics.median(values)


def explain() -> list[tuple[str, str, str]]:
    """Rows (what, measured, goal) for the library alone."""
    cold()  # warms the disk
    found = [cold() for _ in range(RUNS)]
    tables = {name: median([run["tables"][name] for run in found]) for name in found[0]["tables"]}
    slowest = max(tables, key=tables.__getitem__)
    imports = [
        (f"`{what}`", f"{median([run[what] for run in found]) * 1e3:.0f} ms", goal)
        for what, goal in (
            ("import cnnlab", "< 300 ms"),
            ("import cnnlab.architectures and cnnlab.network.analysis", ""),
        )
    ]
    rows = [(f"first table of {name}", f"{seconds * 1e3:.1f} ms", "< 20 ms") for name, seconds in tables.items()]
    memory = median([run["memory"] for run in found])
    return [
        *imports,
        *rows,
        ("slowest table", f"{slowest}, {tables[slowest] * 1e3:.1f} ms", "< 20 ms"),
        ("peak memory, all tables", f"{memory / 1e6:.0f} MB", "< 150 MB"),
        ("TensorFlow loaded", "yes" if any(run["tensorflow"] for run in found) else "no", "no"),
    ]


def pages() -> list[tuple[str, str, str]]:
    """Rows for the pages: from the key pressed to the new figure on the screen, in headless Chromium."""
    from playwright.sync_api import sync_playwright

    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    address = f"http://localhost:{port}"
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        environment = {**os.environ, "CNNLAB_RUNS": folder}
        command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
        server = subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=subprocess.DEVNULL)
        try:
            wait_for(f"{address}/_stcore/health")
            path = next((found for name in ("chromium", "google-chrome") if (found := shutil.which(name))), None)
            browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            page.goto(f"{address}/architectures?architecture=deepergooglenet")
            page.get_by_text("3,667,976").first.wait_for()
            page.evaluate(REMEMBER_ENTER)
            box = page.get_by_role("spinbutton", name="Classes")
            moved = []
            for classes in range(201, 201 + RUNS):
                time.sleep(1)  # a person looks at what came
                box.fill(str(classes))
                box.press("Enter")
                moved.append(page.evaluate(SINCE_ENTER, f"{3_667_976 + 833 * (classes - 200):,}") / 1e3)
            names = ["minivggnet", "minigooglenet", "nin", "deepergooglenet", "googlenet", "vgg_a", "vgg_a_lrn"]
            names += ["vgg_b", "vgg_c", "vgg16", "vgg19", "minivggnet:width=0.5"]
            query = "&".join(f"network={name}" for name in names)
            page.goto(f"{address}/compare?{query}")
            page.get_by_test_id("stDataFrame").first.wait_for()

            def compare() -> None:
                page.get_by_role("tab", name="Where it sits").click()
                page.locator(".js-plotly-plot").nth(1).wait_for()
                page.get_by_role("tab", name="Totals").click()
                page.get_by_test_id("stDataFrame").first.wait_for()

            switched = [timed(compare) / 2 for _ in range(RUNS)]

            def opened() -> None:
                page.goto(f"{address}/compare?{query}")
                page.get_by_test_id("stDataFrame").first.wait_for()

            loads = [timed(opened) for _ in range(RUNS)]
            browser.close()
        finally:
            server.kill()
    return [
        ("an option moved, until the new total shows", f"{median(moved) * 1e3:.0f} ms", "< 300 ms"),
        (
            "Compare with 12 networks, from a click on a view until it is drawn",
            f"{median(switched) * 1e3:.0f} ms",
            "< 1 s",
        ),
        (
            "Compare with 12 networks, opened by its link, the app's start in the browser included",
            f"{median(loads) * 1e3:.0f} ms",
            "",
        ),
    ]


def wait_for(address: str) -> None:
    for _ in range(300):
        try:
            with urllib.request.urlopen(address, timeout=1):  # noqa: S310
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the server did not start")


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--no-pages", action="store_true")
    rows = explain() + ([] if parser.parse_args().no_pages else pages())
    print(f"Python {platform.python_version()}, {os.cpu_count()} processors, medians of {RUNS} runs.\n")
    print("| what | measured | goal |\n| --- | ---: | ---: |")
    for what, measured, goal in rows:
        print(f"| {what} | {measured} | {goal} |")


if __name__ == "__main__":
    main()
