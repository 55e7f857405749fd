"""What the README tells people to type exists."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from cnnlab import cli
from cnnlab.cli.former import FORMER_COMMANDS

README = (Path(__file__).resolve().parents[1] / "README.md").read_text()
EXAMPLES = [line.strip() for line in README.splitlines() if line.startswith("    python -m cnnlab")]


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_command_of_the_readme_is_understood(example: str) -> None:
    cli.parser().parse_args(shlex.split(example)[3:])


def test_the_readme_shows_every_command() -> None:
    (commands,) = (action.choices for action in cli.parser()._actions if action.dest == "command")
    assert commands is not None
    assert {example.split()[3] for example in EXAMPLES} == set(commands) - set(FORMER_COMMANDS)
