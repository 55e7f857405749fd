"""The rooms of the house: each knows only those before it, also where it imports within a function."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import defaultdict

import pytest

from tests.conftest import PROJECT

ROOMS = (
    "storage",
    "cluster",
    "network",
    "architectures",
    "keras",
    "datasets",
    "experiments",
    "design",
    "runs",
    "inference",
    "training",
    "plots",
    "evaluation",
    "zoo",
    "lecture",
    "cli",
)
COMMON = {"complaints", "errors", "guard", "hardware", "limits", "resources", "text", "units"}
"""Modules that every room may use and that use none."""
EXPLAINING = ("network", "architectures", "design", "lecture", "plots")
"""Rooms that load neither TensorFlow nor Keras."""
TESTED_AS_ONE = {"pages", "browser"}
"""Folders of tests that belong to no room: the pages, and the whole in a browser."""
WHOLE_HOUSE = {"readme", "requirements", "rooms", "speed"}
"""Test files that stand above the rooms, as do those of common modules."""


def imported(tree: ast.AST) -> set[str]:
    """The rooms and common modules of cnnlab that a file imports, wherever it does."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert not node.level, "imports name their room"
            found |= {f"{node.module}.{name.name}" for name in node.names}
    return {parts[1] for name in found if (parts := name.split("."))[0] == "cnnlab" and len(parts) > 1}


def arrows() -> dict[str, dict[str, list[str]]]:
    """For each room or common module, what it imports and where."""
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for path in (PROJECT / "cnnlab").rglob("*.py"):
        place = path.relative_to(PROJECT / "cnnlab")
        for name in imported(ast.parse(path.read_text())):
            found[place.parts[0].removesuffix(".py")][name].append(str(place))
    return found


def test_each_room_knows_only_those_before_it() -> None:
    wrong = [
        f"{room} imports {name} in {', '.join(places)}"
        for place, room in enumerate(ROOMS)
        for name, places in arrows()[room].items()
        if name in ROOMS[place + 1 :]
    ]
    assert not wrong, "\n".join(wrong)


def test_what_every_room_uses_uses_no_room() -> None:
    found = arrows()
    assert not {name: set(found[name]) & set(ROOMS) for name in COMMON if set(found[name]) & set(ROOMS)}


def test_every_module_stands_in_a_room() -> None:
    there = {
        path.stem for path in (PROJECT / "cnnlab").iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert there == {*ROOMS, *COMMON, "__init__", "__main__"}


def test_the_tests_mirror_the_rooms() -> None:
    tests = PROJECT / "tests"
    rooms = {*ROOMS, *TESTED_AS_ONE}
    assert {path.parent.name for path in tests.glob("*/__init__.py")} == rooms
    assert {str(path.parent.relative_to(tests)) for path in tests.rglob("test_*.py")} == {".", *rooms}
    assert {path.stem.removeprefix("test_") for path in tests.glob("test_*.py")} <= WHOLE_HOUSE | COMMON


def test_cnnlab_never_imports_streamlit_nor_the_pages() -> None:
    for path in (PROJECT / "cnnlab").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [name.name for name in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {name.split(".")[0] for name in names} & {"streamlit", "pages"}, path


@pytest.mark.parametrize("room", EXPLAINING)
def test_rooms_that_explain_load_no_tensorflow(room: str) -> None:
    modules = [
        ".".join(path.relative_to(PROJECT).with_suffix("").parts).removesuffix(".__init__")
        for path in (PROJECT / "cnnlab" / room).rglob("*.py")
    ]
    code = (
        f"import sys, importlib; [importlib.import_module(m) for m in {modules!r}]; print('tensorflow' in sys.modules)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=PROJECT, check=True)
    assert ended.stdout.strip() == "False"


def test_every_class_has_a_name_of_its_own() -> None:
    places: dict[str, list[str]] = {}
    for folder in ("cnnlab", "pages"):
        for path in sorted((PROJECT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    places.setdefault(node.name, []).append(f"{path.relative_to(PROJECT)}:{node.lineno}")
    assert places
    assert not {name: found for name, found in places.items() if len(found) > 1}
