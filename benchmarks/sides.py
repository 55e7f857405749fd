"""Processes that train a network each in their own way, asked in turns how fast they are."""

from __future__ import annotations

import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
STEPS = {"minivggnet": 24, "minigooglenet": 8, "deepergooglenet": 4}
BATCH, ROUNDS = 128, 5


class SideError(Exception):
    """A side that does not run, with the last line it said."""


class Side:
    """One process, warmed up and waiting; `weights` is how many it trains."""

    def __init__(self, script: str, *arguments: object, python: str = sys.executable) -> None:
        words = [python, str(HERE / script), *map(str, arguments)]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(words, stdin=pipe, stdout=pipe, stderr=pipe, text=True, bufsize=1)
        self.weights = int(self._answer().split()[1])

    def _answer(self) -> str:
        line = self.process.stdout.readline() if self.process.stdout else ""
        if not line:
            said = self.process.communicate()[1].strip().splitlines()
            raise SideError(said[-1] if said else "it ended without a word")
        return line

    def rate(self) -> float:
        """Images per second, or operations, of the next round."""
        print(file=self.process.stdin, flush=True)
        return float(self._answer())

    def end(self) -> None:
        self.process.kill()
        self.process.wait()


@dataclass(frozen=True)
class Rates:
    """What the sides reached, round by round; the first of them is what the others are compared with."""

    rounds: Mapping[str, Sequence[float]]

    def median(self, name: str) -> float:
        return statistics.median(self.rounds[name])

    def ratio(self, name: str, to: str) -> float:
        """Median over the rounds of one side's rate to another's in the same round."""
        return statistics.median(a / b for a, b in zip(self.rounds[name], self.rounds[to], strict=True))


def alternating(sides: Mapping[str, Side], rounds: int = ROUNDS) -> Rates:
    """The sides' rates in alternating rounds; then they end."""
    found: dict[str, list[float]] = {name: [] for name in sides}
    try:
        for _ in range(rounds):
            for name, side in sides.items():
                found[name].append(side.rate())
    finally:
        for side in sides.values():
            side.end()
    return Rates(found)
