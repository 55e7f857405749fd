"""What an architecture is to those who choose one: its name, its paper, and the function that draws it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

from cnnlab.architectures.options import Option, Value, options
from cnnlab.network import Network

Group = Literal["The lecture", "Before", "After"]
"""Whether the lecture speaks of it, or it came before or after what the lecture speaks of."""


@dataclass(frozen=True)
class Paper:
    """Where an architecture was published."""

    authors: str
    title: str
    venue: str
    url: str
    where: str


@dataclass(frozen=True)
class Architecture:
    """An architecture one can choose: `name` on the command line and in addresses, `title` on the page.

    `lecture` is the part of the lecture that speaks of it; nothing for those that came before or after. Images of fewer
    than `smallest_input` pixels a side are enlarged for it.
    """

    name: str
    title: str
    summary: str
    lecture: str
    paper: Paper
    function: Callable[..., Network]
    group: Group = "The lecture"
    smallest_input: int = 32

    @property
    def options(self) -> tuple[Option, ...]:
        return options(self.function)

    @property
    def source(self) -> str:
        """The text of the function that draws the network: the code shown is the code run."""
        if isinstance(self.function, partial):
            fixed = ", ".join(repr(value) for value in self.function.args)
            drawn = self.function.func
            return f"{inspect.getsource(drawn)}\n\n{self.name} = partial({drawn.__name__}, {fixed})\n"
        return inspect.getsource(self.function)

    @property
    def year(self) -> int:
        """Of its paper."""
        return int(self.paper.venue[-4:])

    @property
    def defaults(self) -> dict[str, Value]:
        return {option.name: option.default for option in self.options}
