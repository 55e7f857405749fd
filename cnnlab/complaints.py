"""What is wrong with a value, in words: pydantic speaks of bounds alone, and says of "nan" that it is too large."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic.fields import FieldInfo

from cnnlab.errors import UserError

NUMBER_TYPES = (int, float)
GivenValue = TypeVar("GivenValue")


def once(pairs: Sequence[tuple[str, GivenValue]], where: str) -> dict[str, GivenValue]:
    """Names with their values as a dict; UserError where a name stands twice, whichever was meant."""
    found: dict[str, GivenValue] = {}
    for name, value in pairs:
        if name in found:
            raise UserError(f"{where} gives {name} twice, {found[name]} and {value}; give it once.")
        found[name] = value
    return found


def endless(value: Any) -> bool:
    """Whether it is no number, or an infinite one, as a number or as its text."""
    try:
        return not isinstance(value, bool) and not math.isfinite(float(value))
    except (TypeError, ValueError, OverflowError):
        return False


def accepted(info: FieldInfo) -> str:
    """What a numeric field takes: "a number from 0.05 to 4", "a whole number from 1 to 1,024"."""
    bounds: dict[str, float] = {}
    for item in info.metadata:
        for kind in ("ge", "gt", "le", "lt"):
            if (bound := getattr(item, kind, None)) is not None:
                bounds[kind] = bound
    words = ["a whole number" if info.annotation is int else "a number"]
    if "ge" in bounds:
        words.append(f"from {bounds['ge']:,}")
    elif "gt" in bounds:
        words.append(f"above {bounds['gt']:,}")
    if "le" in bounds:
        words.append(f"{'up ' if 'ge' not in bounds else ''}to {bounds['le']:,}")
    elif "lt" in bounds:
        words.append(f"{'and ' if len(words) > 1 else ''}below {bounds['lt']:,}")
    return " ".join(words)


def complaint(error: Mapping[str, Any], info: FieldInfo | None) -> str:
    """What a validation says of a value, without a full stop; `info` is the field that it was given to."""
    message = str(error["msg"]).removeprefix("Value error, ")
    if info is not None and info.annotation in NUMBER_TYPES and endless(error["input"]):
        return f"that is no finite number; it takes {accepted(info)}"
    return message
