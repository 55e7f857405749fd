"""A fenced block of a chapter: its settings, each asked for once, and numbers drawn among several."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import TypeVar

from cnnlab.architectures import ARCHITECTURES
from cnnlab.architectures.comparison import Candidate
from cnnlab.errors import UserError
from cnnlab.lecture.reduction import read_shape
from cnnlab.network import Network
from cnnlab.network.layers import Shape
from cnnlab.runs.run import Run
from cnnlab.zoo.shipped import SHIPPED_RUNS, shipped_names
from cnnlab.zoo.studies import STUDIES

Word = TypeVar("Word", bound=str)
OWN_SEED = 0
"""The seed of the numbers that the chapter itself has."""


def title_of(network: Network) -> str:
    """What people call it."""
    known = ARCHITECTURES.get(network.name)
    return known.title if known else network.name


class ChapterError(UserError):
    """What is wrong in a chapter's file, with file and line."""

    def __init__(self, file: str, line: int, what: str) -> None:
        super().__init__(f"{file}, line {line}: {what}")


@dataclass(frozen=True)
class Block:
    """A block as it is written: what it is ("live", "exercise"), its kind and name, and its settings with the lines
    where they stand; a setting may stand there several times."""

    file: str
    line: int
    sort: str
    kind: str
    name: str
    settings: tuple[tuple[int, str, str], ...]

    def error(self, what: str, line: int | None = None) -> ChapterError:
        return ChapterError(self.file, self.line if line is None else line, what)


@dataclass
class Drawn:
    """A block's settings, read one by one. Where several values stand behind commas, one is drawn by the seed, the
    first one for the chapter's own."""

    block: Block
    seed: int = OWN_SEED
    asked: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.random = Random(f"{self.seed} {self.block.name}")  # noqa: S311

    def has(self, key: str) -> bool:
        self.asked.add(key)
        return any(name == key for _, name, _ in self.block.settings)

    def lines(self, key: str) -> list[tuple[int, str]]:
        """All values of a setting that may be repeated, with their lines."""
        self.asked.add(key)
        return [(line, value) for line, name, value in self.block.settings if name == key]

    def line(self, key: str, default: str | None = None) -> tuple[int, str]:
        found = self.lines(key)
        if len(found) > 1:
            raise self.block.error(f"{key} stands here twice", found[1][0])
        if found:
            return found[0]
        if default is None:
            raise self.block.error(f"the {self.block.sort} {self.block.kind} needs a line “{key}: …”")
        return self.block.line, default

    def text(self, key: str, default: str | None = None) -> str:
        return self.line(key, default)[1]

    def one(self, key: str, default: str | None = None) -> tuple[int, str]:
        """One of the values behind the commas."""
        line, value = self.line(key, default)
        values = [part.strip() for part in value.split(",")]
        return line, values[0] if self.seed == OWN_SEED else self.random.choice(values)

    def number(self, key: str, default: int | None = None) -> int:
        line, value = self.one(key, None if default is None else str(default))
        if not value.isascii() or not value.isdigit() or len(value) > 9:
            raise self.block.error(f"{key} is {value!r}; it takes a whole number", line)
        return int(value)

    def real(self, key: str, default: float | None = None) -> float:
        line, value = self.one(key, None if default is None else str(default))
        try:
            return float(value)
        except ValueError:
            raise self.block.error(f"{key} is {value!r}; it takes a number", line) from None

    def word(self, key: str, known: Collection[Word], default: Word | None = None) -> Word:
        line, value = self.one(key, default)
        found = next((one for one in known if one == value), None)
        if found is None:
            raise self.block.error(f"{key} is {value!r}; it is one of {', '.join(known)}", line)
        return found

    def shape(self, key: str) -> Shape:
        line, value = self.one(key)
        try:
            return read_shape(value)
        except UserError as error:
            raise self.block.error(str(error), line) from error

    def network(self, key: str = "network", default: str | None = None) -> Network:
        line, value = self.one(key, default)
        return self.network_of(value, line)

    def network_of(self, text: str, line: int) -> Network:
        try:
            return Candidate.parse(text.replace(";", ",")).network()
        except UserError as error:
            raise self.block.error(str(error), line) from error

    def layer(self, network: Network, key: str = "layer") -> str:
        names = [node.name for node in network.layers]
        line, value = self.one(key)
        if value not in names:
            raise self.block.error(f"{network.name} has no layer {value!r}", line)
        return value

    def run(self, key: str = "run") -> Run:
        line, value = self.one(key)
        return self.run_of(value, line)

    def run_of(self, value: str, line: int) -> Run:
        """A network that comes with cnnlab, or a training of a study as `STUDY/00`. Only its records are read."""
        if value in shipped_names():
            return Run(SHIPPED_RUNS / value)
        study, _, number = value.partition("/")
        found = sorted(STUDIES.glob(f"{study}/{number}-*")) if number.isdigit() and "." not in study else []
        if not found:
            raise self.block.error(f"there is no training {value!r} that comes with cnnlab", line)
        return Run(found[0])

    def finish(self) -> None:
        """Say what nobody has asked for: a setting with a slip in its name."""
        for line, key, _ in self.block.settings:
            if key not in self.asked:
                known = ", ".join(sorted(self.asked)) or "none"
                raise self.block.error(
                    f"{self.block.sort} {self.block.kind} has no setting {key!r}; it has {known}", line
                )

    def shuffled(self, values: Sequence[Word]) -> list[Word]:
        """In an order of the seed."""
        found = list(values)
        self.random.shuffle(found)
        return found
