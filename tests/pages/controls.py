"""Controls whose value stands in the address, as tests find them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def control(among: Iterable[Any], name: str) -> Any:
    """The control of `name`, on whichever visit of the page it stands."""
    return next(item for item in among if str(item.key).partition("@")[0] == name)
