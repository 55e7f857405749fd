"""What the README tells people to type exists."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from cnnlab import cli
from cnnlab.cli.former import FORMER_COMMANDS

README = (Path(__file__).resolve().parents[1] / "README.md").read_text()
EXAMPLES = [line.strip() for line in README.splitlines() if line.startswith("    python -m cnnlab")]


def words_of(example: str) -> tuple[list[str], list[str]]:
    """The arguments of a command as a shell gives them, and the files that it redirects to."""
    words = shlex.shlex(example, posix=True, punctuation_chars=True)
    words.whitespace_split = True
    arguments: list[str] = []
    files: list[str] = []
    for word in words:
        if word in (">", ">>"):
            files.append(next(words))
        else:
            assert not set(word) <= set("();<>|&"), f"{word} in {example} is not understood here"
            arguments.append(word)
    return arguments, files


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_command_of_the_readme_is_understood(example: str) -> None:
    arguments, _ = words_of(example)
    options = cli.parser().parse_args(arguments[3:])
    tried = (options.values or ()) if options.command == "sweep" else ()
    for setting in (*getattr(options, "set", ()), *tried):
        assert "=" in setting, f"{setting} in {example} is no KEY=VALUE"


def test_where_the_output_goes_is_no_argument() -> None:
    arguments, files = words_of("python -m cnnlab network minivggnet --set input_size=8 'a > b'=1 > network.json")
    assert arguments[5:] == ["--set", "input_size=8", "a > b=1"]
    assert files == ["network.json"]
    written = [name for example in EXAMPLES for name in words_of(example)[1]]
    assert written == ["googlenet.svg", "network.json"], "the README writes a network that the next example reads"


def test_the_readme_shows_every_command() -> None:
    (commands,) = (action.choices for action in cli.parser()._actions if action.dest == "command")
    assert commands is not None
    assert {example.split()[3] for example in EXAMPLES} == set(commands) - set(FORMER_COMMANDS)
