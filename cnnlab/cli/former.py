"""Names that commands, options and keys had in the version before. They work for one release more, with a note.

This is the only place that knows them on the command line; it goes with the release after 0.5. Addresses have theirs in
`pages/shared/address.py`.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Collection, Sequence
from typing import Any

from cnnlab.cli.output import echo

FORMER_COMMANDS = {"recipes": "presets"}


def note(old: str, new: str) -> None:
    """Say on stderr that something has another name now."""
    echo(f"cnnlab: {old} is now {new}; the old name works in this release and goes with the next.", error=True)


class FormerOption(argparse.Action):
    """An option by its old name: it does what the new one does, whose `dest` it shares, and says so."""

    def __init__(self, option_strings: Sequence[str], dest: str, new: str, **settings: Any) -> None:
        quiet: dict[str, Any] = {"default": argparse.SUPPRESS, "help": argparse.SUPPRESS}
        super().__init__(option_strings, dest, **{**settings, **quiet})
        self.new = new

    def __call__(
        self, parser: argparse.ArgumentParser, options: argparse.Namespace, value: Any, name: str | None = None
    ) -> None:
        note(self.option_strings[0], self.new)
        setattr(options, self.dest, value)


def former_command(
    commands: Any, old: str, function: Callable[[argparse.Namespace], int], *parents: argparse.ArgumentParser
) -> Any:
    """A command by its old name: it does what the new one does, and says so. `--help` does not list it."""

    def run(options: argparse.Namespace) -> int:
        note(old, FORMER_COMMANDS[old])
        return function(options)

    made = commands.add_parser(old, description=f"Now called {FORMER_COMMANDS[old]}.", parents=parents)
    made.set_defaults(run_command=run)
    return made


def with_former(record: dict[str, Any], old: str, new: str) -> dict[str, Any]:
    """What --json prints, with a value under its old key too, for the scripts that read it."""
    return {**record, old: record[new]}


def read_former(record: dict[str, Any], old: str, new: str, where: str) -> dict[str, Any]:
    """A record that a person wrote, whose key may be the old one."""
    if old not in record or new in record:
        return record
    note(f"{old} in {where}", new)
    return {new if name == old else name: value for name, value in record.items()}


def preset_of(recipe: str | None, preset: str | None, known: Collection[str]) -> tuple[str | None, str | None]:
    """What `--recipe` and `--preset` give: a file and a name. `--recipe` took names too."""
    if preset is None and recipe is not None and recipe in known:
        note(f"--recipe {recipe}", f"--preset {recipe}")
        return None, recipe
    return recipe, preset
