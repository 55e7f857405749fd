"""A design and how it came about: where one began, each step since, and what was taken back."""

from __future__ import annotations

from dataclasses import dataclass, replace

from cnnlab.network import Network


@dataclass(frozen=True)
class EditStep:
    """A network and what was done to come to it."""

    done: str
    network: Network


@dataclass(frozen=True)
class History:
    """Steps from the first, where one began, to the last that was done; `place` is where one stands among them.

    Undo and redo only move the place; a new step forgets those that were taken back.
    """

    steps: tuple[EditStep, ...]
    place: int = 0

    @classmethod
    def of(cls, network: Network, words: str = "") -> History:
        return cls((EditStep(words, network),))

    @property
    def began(self) -> Network:
        return self.steps[0].network

    @property
    def now(self) -> Network:
        return self.steps[self.place].network

    @property
    def undoes(self) -> str | None:
        """What undo would take back; None where nothing is left."""
        return self.steps[self.place].done if self.place else None

    @property
    def redoes(self) -> str | None:
        return self.steps[self.place + 1].done if self.place + 1 < len(self.steps) else None

    def done(self, words: str, network: Network) -> History:
        """One more step; none where nothing changed."""
        if network == self.now:
            return self
        return History((*self.steps[: self.place + 1], EditStep(words, network)), self.place + 1)

    def undone(self) -> History:
        return replace(self, place=max(self.place - 1, 0))

    def redone(self) -> History:
        return replace(self, place=min(self.place + 1, len(self.steps) - 1))
