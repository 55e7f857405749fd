"""A real server and a real browser."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, Request, expect, sync_playwright

from cnnlab.runs.run import Run
from tests.conftest import kill_trainings

PROJECT = Path(__file__).resolve().parents[2]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
START_SECONDS = 60
PATIENCE_MS = 60_000
EXPECT_MS = 30_000
POLICY = "Content Security Policy"
expect.set_options(timeout=PATIENCE_MS)
LEFT = "net::ERR_ABORTED"  # the page was left while it loaded
expect.set_options(timeout=PATIENCE_MS)


@dataclass
class Server:
    """`streamlit run app.py` over a runs folder; it can be killed and started again at the same address."""

    runs: Path
    port: int
    options: tuple[str, ...] = ()
    command: tuple[str, ...] = (sys.executable, "-m", "streamlit", "run", "app.py", "--server.port")
    cwd: Path = PROJECT
    process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"http://localhost:{self.port}"

    def start(self) -> None:
        environment = {**os.environ, "CNNLAB_RUNS": str(self.runs), "CNNLAB_DATA": str(self.runs.parent / "data")}
        command = [*self.command, str(self.port), *self.options]
        self.process = subprocess.Popen(command, cwd=self.cwd, env=environment, start_new_session=True)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"{self.address}/_stcore/health", timeout=1) as answer:  # noqa: S310
                    if answer.status == 200:
                        return
            except OSError:
                time.sleep(0.1)
        pytest.fail("the server did not start")

    def kill(self) -> None:
        """SIGKILL to the server and its whole process group, as the machine would do it."""
        if self.process:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("localhost", 0))
        return int(free.getsockname()[1])


@contextmanager
def serving(runs: Path, *options: str) -> Iterator[Server]:
    """A server over this runs folder, at a port that is free, started with these options."""
    made = Server(runs, free_port(), options)
    try:
        made.start()
        yield made
    finally:
        made.kill()
        kill_trainings(made.runs)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with serving(tmp_path / "runs") as made:
        yield made


@pytest.fixture(scope="session")
def laboratory(tmp_path_factory: pytest.TempPathFactory, trained_run: Run) -> Iterator[Server]:
    """One server with a run, for all tests that change nothing that another looks at: TensorFlow is loaded once."""
    folder = tmp_path_factory.mktemp("laboratory") / "runs"
    shutil.copytree(trained_run.folder, folder / trained_run.id)
    with serving(folder) as made:
        yield made


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserContext]:
    """A browser whose tabs share a cache, as a person's do: what they load is compiled once a server."""
    installed = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    expect.set_options(timeout=EXPECT_MS)
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
        arguments.append("--use-fake-device-for-media-stream")  # a camera that shows a test picture
        started = playwright.chromium.launch_persistent_context(
            tmp_path_factory.mktemp("profile"),
            executable_path=installed,
            args=arguments,
            viewport={"width": 1280, "height": 800},
        )
        yield started
        started.close()


@pytest.fixture
def page(browser: BrowserContext) -> Iterator[Page]:
    opened = browser.new_page()
    opened.set_default_timeout(PATIENCE_MS)
    wrong = watch_console(opened)
    yield opened
    opened.close()
    assert [one for one in wrong if POLICY in one] == [], "the policy forbids what the app does"


def watch_console(page: Page) -> list[str]:
    """Whatever goes wrong in the browser from now on: errors and warnings in its console, and failed requests."""
    wrong: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            wrong.append(f"{message.type}: {message.text} ({message.location.get('url', '')})")

    def failed(request: Request) -> None:
        if request.failure != LEFT:
            wrong.append(f"{request.url}: {request.failure}")

    page.on("console", heard)
    page.on("pageerror", lambda error: wrong.append(f"exception: {error}"))
    page.on("requestfailed", failed)
    page.on("response", lambda answer: wrong.append(f"{answer.url}: {answer.status}") if answer.status >= 400 else None)
    return wrong


def settle(page: Page) -> None:
    """Wait until the script has run and its charts are drawn."""
    expect(page.get_by_test_id("stMain")).to_be_visible(timeout=PATIENCE_MS)
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]', timeout=PATIENCE_MS)
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0, timeout=PATIENCE_MS)


def until(page: Page, condition: str, wanted: object = None) -> None:
    """Look into the page until a function of JavaScript's says true.

    Playwright's own waiting evaluates text in the page, which the content security policy forbids.
    """
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while not page.evaluate(condition, wanted):
        if time.monotonic() > deadline:
            pytest.fail(f"{page.url}: never {condition} {wanted}")
        page.wait_for_timeout(50)


def metric(page: Page, label: str) -> Locator:
    """The value that a metric card shows."""
    card = page.get_by_test_id("stMetric").filter(has=page.get_by_text(label, exact=True))
    return card.get_by_test_id("stMetricValue")


def set_number(page: Page, label: str, value: float) -> None:
    """Type a number into a field, as a person does."""
    box = page.get_by_role("spinbutton", name=label, exact=True)
    box.fill(str(value))
    box.press("Enter")
