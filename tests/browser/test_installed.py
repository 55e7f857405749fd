"""`pip install .`: the wheel, in an environment that knows no checkout, used from another folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server, free_port
from tests.conftest import PATIENCE, PROJECT, kill_trainings, last_line

IDENTITY = ("-c", "user.name=a person", "-c", "user.email=person@localhost")


def call(*command: str | Path, cwd: Path) -> str:
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "CNNLAB_RUNS")}
    done = subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def files(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if "__pycache__" not in path.parts}


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel; its dependencies are borrowed. It stands in a checkout that is not ours."""
    outside = tmp_path_factory.mktemp("outside")
    call("git", "init", "--quiet", cwd=outside)
    call("git", *IDENTITY, "commit", "--quiet", "--allow-empty", "--message", "not ours", cwd=outside)
    made = outside / "environment"
    call(sys.executable, "-m", "venv", "--without-pip", made, cwd=outside)
    packages = Path(call(made / "bin" / "python", "-c", PACKAGES, cwd=outside).strip())
    (packages / "borrowed.pth").write_text(sysconfig.get_paths()["purelib"])
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")
    call(*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", outside, PROJECT, cwd=outside)
    (wheel,) = outside.glob("cnnlab-*.whl")
    call(*pip, "--python", made, "install", "--no-deps", "--ignore-installed", wheel, cwd=outside)
    return made


PACKAGES = "import sysconfig; print(sysconfig.get_paths()['purelib'])"


@pytest.fixture
def installed(environment: Path, tmp_path: Path) -> Iterator[Callable[..., str]]:
    """The command `cnnlab` of that environment, called from a folder that is empty."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (folder,) = environment.glob("lib/*/site-packages/cnnlab")
    before = files(folder)
    yield lambda *arguments: call(environment / "bin" / "cnnlab", *arguments, cwd=elsewhere)
    assert files(folder) == before, "nothing is written into the package"
    kill_trainings(elsewhere / "runs")


def test_it_explains_a_network(installed: Callable[..., str]) -> None:
    assert "2,171,178" in installed("table", "minivggnet")
    assert installed("--help").startswith("usage: cnnlab ")


def test_it_trains_in_a_process_of_its_own(
    installed: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CNNLAB_DATA", str(tmp_path / "data"))
    small = ("--architecture", "minivggnet", "--dataset", "digits", "--set", "input_size=8", "--epochs", "1")
    run = tmp_path / "elsewhere" / "runs" / last_line(installed("train", *small))
    assert json.loads((run / "status.json").read_text())["state"] == "completed"
    assert json.loads((run / "config.json").read_text())["commit"] is None, "the checkout around it is not ours"


def test_it_serves_the_app_with_its_theme_and_its_networks(
    installed: Callable[..., str], environment: Path, page: Page, tmp_path: Path
) -> None:
    theme = tomllib.loads((PROJECT / ".streamlit" / "config.toml").read_text())["theme"]
    red, green, blue = bytes.fromhex(theme["dark"]["backgroundColor"].removeprefix("#"))
    page.emulate_media(color_scheme="dark")
    command = (str(environment / "bin" / "cnnlab"), "app", "--port")
    server = Server(tmp_path / "runs", free_port(), command=command, cwd=tmp_path / "elsewhere")
    server.start()
    try:
        page.goto(server.address)
        expect(page).to_have_title("cnnlab")
        expect(page.get_by_test_id("stMain").get_by_role("link", name="Architectures")).to_be_visible()
        expect(page.get_by_test_id("stHeaderLogo")).to_be_visible()
        expect(page.get_by_test_id("stApp")).to_have_css("background-color", f"rgb({red}, {green}, {blue})")
        page.goto(f"{server.address}/results")
        for shipped in ("Class by class", "What each ingredient gave"):
            expect(page.get_by_role("heading", name=shipped)).to_be_visible()
    finally:
        server.kill()
