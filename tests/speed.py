"""What is slow and what needs a browser, and the promise that everything else loads no TensorFlow.

`-m "not slow and not browser"` is what `make check` runs. A test is marked by where it stands or by what it uses where
that is enough, and by hand else. Where only fast tests are chosen, TensorFlow cannot be imported, neither here nor in a
process that a test starts, so a mark that is missing is noticed at once.

Where everything is run, files in a browser come first and files without any slow test last, so that at the end no
worker is left alone with a long one.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NoReturn

import pytest

BROWSER = Path(__file__).parent / "browser"
TRAINED = {"training_call", "trained_run"}
NO_TENSORFLOW = Path(__file__).parent / "no_tensorflow"
HEAVY = ("tensorflow", "keras")


class NoTensorFlow:
    """A finder of modules that fails the test which asks for TensorFlow."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> None:
        if name in HEAVY:
            fail(f"imports {name}")


def fail(what: str) -> NoReturn:
    pytest.fail(f"A test that is not marked slow {what}. Mark it with pytest.mark.slow, or import it later.")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if BROWSER in item.path.parents:
            item.add_marker("browser")
        if TRAINED & set(getattr(item, "fixturenames", ())):
            item.add_marker("slow")
    places = {item.path: 2 for item in items}
    for item in items:
        for place, mark in enumerate(("browser", "slow")):
            if item.get_closest_marker(mark):
                places[item.path] = min(places[item.path], place)
    items.sort(key=lambda item: places[item.path])


def pytest_collection_finish(session: pytest.Session) -> None:
    marks = {mark.name for item in session.items for mark in item.iter_markers()}
    if not session.items or {"slow", "browser"} & marks:
        return
    if loaded := [name for name in HEAVY if name in sys.modules]:
        raise pytest.UsageError(f"A test module imports {loaded[0]} while it is collected; import it in the tests.")
    sys.meta_path.insert(0, NoTensorFlow)
    paths = [str(NO_TENSORFLOW), os.environ.get("PYTHONPATH", "")]
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
