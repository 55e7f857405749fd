"""What the kinds of live parts have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from cnnlab.lecture.course.language import Language
from cnnlab.lecture.course.parts import Part

ControlValue = int | str
Make = Callable[[Mapping[str, ControlValue]], Sequence[Part]]


@dataclass(frozen=True)
class Control:
    """A slider from `least` to `most`, or one of several `options`; `label` is a word of the language."""

    name: str
    label: str
    default: ControlValue
    least: int = 0
    most: int = 0
    options: tuple[str, ...] = ()


def terms(language: Language, *english: str) -> tuple[str, ...]:
    """The head of a table."""
    return tuple(language.term(one) for one in english)


@dataclass(frozen=True, eq=False)
class Made:
    make: Make
    controls: tuple[Control, ...] = ()
