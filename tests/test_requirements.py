"""What is installed is what is tested: pins, ranges and the lock agree."""

from __future__ import annotations

import re
import tomllib

from tests.conftest import PROJECT

PROJECT_TABLE = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
LOCK = (PROJECT / "requirements.lock").read_text()


def pins(name: str) -> set[str]:
    return {line for line in (PROJECT / name).read_text().split() if "==" in line}


def lowest(requirements: list[str]) -> set[str]:
    return {requirement.split(",")[0].replace(">=", "==") for requirement in requirements}


def test_the_lowest_versions_of_an_installation_are_those_that_are_tested() -> None:
    assert lowest(PROJECT_TABLE["dependencies"]) == pins("requirements.txt")
    assert lowest(PROJECT_TABLE["optional-dependencies"]["cluster"]) == pins("requirements-cluster.txt")
    assert lowest(PROJECT_TABLE["optional-dependencies"]["loggers"]) == pins("requirements-loggers.txt")


def test_the_lock_has_every_pin_with_hashes_and_names_no_host() -> None:
    locked = re.findall(r"^([a-z0-9-]+==[^ ]+).*\\\n    --hash=sha256:[0-9a-f]{64}", LOCK, re.MULTILINE)
    assert pins("requirements.txt") <= set(locked)
    assert len(locked) == len(re.findall("^[a-z0-9]", LOCK, re.MULTILINE)), "one has no hash"
    assert "://" not in LOCK
