"""How much is accepted of what comes from outside. Each limit is a setting in the environment."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, fields

from cnnlab.errors import UserError


@dataclass(frozen=True)
class Limits:
    """`entries` in an archive or folder; `image_bytes` of one image file; `total_bytes` read out of one archive or
    folder; `classes` of a data set. CNNLAB_MAX_ENTRIES, CNNLAB_MAX_IMAGE_BYTES, ...
    """

    entries: int = 300_000
    image_bytes: int = 20_000_000
    total_bytes: int = 20_000_000_000
    classes: int = 1_000

    @classmethod
    def from_environment(cls) -> Limits:
        """UserError where a variable is no whole number above 0."""
        given = {}
        for field in fields(cls):
            variable = f"CNNLAB_MAX_{field.name.upper()}"
            if text := os.environ.get(variable):
                given[field.name] = whole_number(variable, text)
        return cls(**given)


def whole_number(variable: str, text: str) -> int:
    """The number in a variable of the environment; UserError where it is none above 0."""
    if not re.fullmatch("[0-9]{1,18}", text) or not int(text):
        raise UserError(f"{variable} must be a whole number above 0, not {text[:40]!r}.")
    return int(text)
