"""Who is answered by the app, and what a browser is told and logs: a real server, raw sockets and a real browser."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from cnnlab.runs.run import Run
from cnnlab.storage.leftovers import THIS_PLACE
from tests.browser.conftest import PATIENCE_MS, POLICY, PROJECT, Server, serving, until, watch_console

PAGES = sorted(page.stem.replace("home", "") for page in (PROJECT / "pages").glob("*.py"))
PATIENCE = 30
STATIC = next((Path(pytest.importorskip("streamlit").__file__).parent / "static/static/js").glob("index.*.js")).name
ENDPOINTS = (
    "GET /",
    "GET /run",
    "GET /nowhere",
    "GET /favicon.png",
    f"GET /static/js/{STATIC}",
    "GET /_stcore/health",
    "GET /_stcore/host-config",
    "GET /_stcore/metrics",
    "GET /_stcore/agent/openapi.json",
    "GET /media/nothing.png",
    "PUT /_stcore/upload_file/session/file",
    "DELETE /_stcore/upload_file/session/file",
    "OPTIONS /_stcore/upload_file/session/file",
    "POST /_stcore/agent/interact",
    "WEBSOCKET /_stcore/stream",
)
UPGRADE = (
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: streamlit\r\n"
)


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory: pytest.TempPathFactory, trained_run: Run) -> Iterator[Server]:
    """One server for all of these tests; a run is there."""
    folder = tmp_path_factory.mktemp("door") / "runs"
    folder.mkdir()
    (folder / trained_run.id).symlink_to(trained_run.folder)
    for path in left_over(folder):
        path.mkdir(parents=True)
    with serving(folder) as made:
        yield made


def left_over(runs: Path) -> list[Path]:
    """What a process that was killed would have left with the runs and with the data sets."""
    name = f".mine.{THIS_PLACE}.999999999.0123abcd.partial"
    return [runs / "one" / "checkpoints" / name, *(runs.parent / "data" / part / name for part in ("decoded", "own"))]


def test_the_next_start_removes_what_killed_processes_left(laboratory: Server) -> None:
    deadline = time.monotonic() + PATIENCE
    while any(path.exists() for path in left_over(laboratory.runs)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert [path for path in left_over(laboratory.runs) if path.exists()] == []


def ask(server: Server, what: str, host: str, origin: str | None = None) -> tuple[int, str]:
    """The status and the whole head of the answer to one request, written byte by byte as no browser would."""
    method, path = what.split(" ")
    lines = [f"{'GET' if method == 'WEBSOCKET' else method} {path} HTTP/1.1\r\nHost: {host}\r\n"]
    lines += [f"Origin: {origin}\r\n"] if origin else []
    lines += [UPGRADE if method == "WEBSOCKET" else "Connection: close\r\n"]
    with socket.create_connection(("localhost", server.port), timeout=PATIENCE) as connection:
        connection.sendall("".join([*lines, "\r\n"]).encode())
        head = b""
        while b"\r\n\r\n" not in head and (part := connection.recv(4096)):
            head += part
    return int(head.split(b" ", 2)[1]), head.decode("latin-1")


@pytest.mark.parametrize("what", ENDPOINTS)
def test_nobody_is_answered_by_a_foreign_name_or_to_a_foreign_page(laboratory: Server, what: str) -> None:
    here = f"localhost:{laboratory.port}"
    for host in (
        f"evil.example:{laboratory.port}",
        "evil.example",
        f"localhost.evil.example:{laboratory.port}",
        "10.0.0.9",
    ):
        assert ask(laboratory, what, host)[0] == 403, host
        assert ask(laboratory, what, host, f"http://{host}")[0] == 403, f"{host}, as rebound"
    for origin in ("http://evil.example", f"http://evil.example:{laboratory.port}", "http://localhost:1", "null", "?"):
        assert ask(laboratory, what, here, origin)[0] == 403, origin


@pytest.mark.parametrize("name", ["localhost", "LOCALHOST", "localhost.", "127.0.0.1", "[::1]"])
def test_this_machine_is_answered_by_its_own_names(laboratory: Server, name: str) -> None:
    here = f"{name}:{laboratory.port}"
    for what, status in (("GET /_stcore/health", 200), ("GET /run", 200), ("WEBSOCKET /_stcore/stream", 101)):
        assert ask(laboratory, what, here)[0] == status, "as curl asks"
        assert ask(laboratory, what, here, f"http://{here}")[0] == status, "as its own page asks"


def test_whoever_deploys_it_is_told_how_a_name_is_added(laboratory: Server) -> None:
    with socket.create_connection(("localhost", laboratory.port), timeout=PATIENCE) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: lab.example\r\nConnection: close\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(4096), b"")).decode()
    assert "'lab.example'" in answer
    assert "--server.allowedHosts" in answer


def test_a_name_that_is_configured_is_answered_beside_this_machines_own(tmp_path: Path) -> None:
    with serving(tmp_path / "runs", "--server.allowedHosts", "*.lab.example") as server:
        for host in (f"a.lab.example:{server.port}", "a.lab.example", f"localhost:{server.port}"):
            assert ask(server, "WEBSOCKET /_stcore/stream", host, f"http://{host}")[0] == 101, host
        assert ask(server, "WEBSOCKET /_stcore/stream", "a.lab.example", "https://a.lab.example")[0] == 101, "a proxy"
        assert ask(server, "GET /", "lab.example")[0] == 403
        assert ask(server, "GET /", "evil.example")[0] == 403


@pytest.mark.parametrize(
    "what", ["GET /", "GET /predict", "GET /nowhere", "GET /media/nothing.png", "GET /_stcore/health"]
)
def test_every_answer_tells_the_browser_to_sniff_frame_and_fetch_nothing(laboratory: Server, what: str) -> None:
    _, head = ask(laboratory, what, f"localhost:{laboratory.port}")
    told = dict(line.split(": ", 1) for line in head.lower().split("\r\n")[1:] if ": " in line)
    assert told["x-content-type-options"] == "nosniff"
    assert told["x-frame-options"] == "deny"
    assert told["referrer-policy"] == "same-origin"
    assert "camera=(self)" in told["permissions-policy"]
    policy = dict(part.strip().split(" ", 1) for part in told["content-security-policy"].split(";"))
    assert (policy["default-src"], policy["frame-ancestors"], policy["base-uri"]) == ("'none'",) * 3
    assert "unsafe-inline" not in policy["script-src"]
    assert "'unsafe-eval'" not in policy["script-src"]
    sources = {source for sources in policy.values() for source in sources.split()}
    own = {f"{scheme}://localhost:{laboratory.port}" for scheme in ("ws", "wss")}
    assert {source for source in sources if "/" in source and "'" not in source} == own


@pytest.mark.parametrize("path", PAGES)
def test_no_page_logs_an_error_or_asks_in_vain(laboratory: Server, page: Page, trained_run: Run, path: str) -> None:
    wrong = watch_console(page)
    page.goto(f"{laboratory.address}/{path}?run={trained_run.id}")
    expect(page.get_by_role("heading", level=1)).to_be_visible(timeout=PATIENCE_MS)
    app = page.get_by_test_id("stApp")
    expect(app).to_have_attribute("data-test-script-state", "notRunning", timeout=PATIENCE_MS)
    page.wait_for_load_state("networkidle")
    assert wrong == []


def test_only_our_own_inline_scripts_run(laboratory: Server, browser: BrowserContext, trained_run: Run) -> None:
    page = browser.new_page()
    said = watch_console(page)
    page.goto(f"{laboratory.address}/predict?run={trained_run.id}")
    until(page, "() => Boolean(window.cnnlabPaste)")
    assert said == []
    page.evaluate(
        """() => { const added = document.createElement("script"); added.textContent = "window.forged = true";
        document.head.append(added) }"""
    )
    assert page.evaluate("window.forged") is None
    assert POLICY in said[0]
    page.close()
