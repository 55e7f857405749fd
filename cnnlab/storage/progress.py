"""How far something is, reported to whoever watches."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, float | None], None]
"""Given what is being done and how much of it is done, from 0 to 1 where that is known."""


def silent(message: str, fraction: float | None = None) -> None:
    """For work whose progress nobody watches."""
