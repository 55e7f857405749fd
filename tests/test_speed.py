"""A test that is not as fast as it says is noticed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import PROJECT

TESTS = """
import subprocess, sys
import pytest

def test_here():
    try:
        import tensorflow
    except Exception:
        pass

def test_in_a_process():
    subprocess.run([sys.executable, "-c", "import keras"], check=True)

def test_quick():
    pass

@pytest.mark.slow
def test_slow():
    import tensorflow
"""
COLLECTED = """
import sys, types

sys.modules["tensorflow"] = types.ModuleType("tensorflow")

def test_it():
    pass
"""


def pytest_says(folder: Path, text: str) -> str:
    """What pytest says of a test file that holds this text, where only fast tests are chosen."""
    path, settings = folder / "test_one.py", folder / "pytest.ini"
    path.write_text(text)
    settings.write_text("[pytest]\nmarkers =\n    slow\n    browser\n")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    options = ("-rA", "-p", "tests.speed", "-p", "no:cacheprovider", "-c", str(settings))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "-m", "not slow and not browser", str(path)],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


def test_files_that_take_long_are_begun_first() -> None:
    options = ("--collect-only", "-q", "-p", "no:cacheprovider")
    files = ("tests/test_readme.py", "tests/storage/test_jobs.py", "tests/test_rooms.py", "tests/browser/test_use.py")
    said = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *files], cwd=PROJECT, capture_output=True, text=True, check=True
    ).stdout
    order = dict.fromkeys(line.partition("::")[0] for line in said.splitlines() if "::" in line)
    assert list(order) == ["tests/browser/test_use.py", "tests/storage/test_jobs.py", *files[::2]]


def test_a_test_that_loads_tensorflow_must_be_marked_slow(tmp_path: Path) -> None:
    said = pytest_says(tmp_path, TESTS)
    assert "2 failed, 1 passed, 1 deselected" in said
    assert "A test that is not marked slow imports tensorflow" in said
    assert "A test that is not marked slow started a process that imports keras" in said
    assert "while it is collected" in pytest_says(tmp_path, COLLECTED)
