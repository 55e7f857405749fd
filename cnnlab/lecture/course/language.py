"""A language of the course: a folder of chapters, and `language.toml` with the words around them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from string import Formatter
from typing import Any

from cnnlab.errors import UserError
from cnnlab.network.layers import shape_text

CHAPTERS = Path(__file__).resolve().parents[1] / "chapters"
LANGUAGE_FILE = "language.toml"
SECTIONS = ("words", "questions", "becauses", "reasons", "terms")


@dataclass(frozen=True)
class Phrase:
    """A part of a sentence: a template among a language's terms, and what fills it."""

    term: str
    facts: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True)
class Amounts:
    """Names with a number each, as a sentence lists them."""

    pairs: tuple[tuple[str, int], ...]


Fact = int | float | str | tuple[int, ...] | Phrase | Amounts
Facts = Mapping[str, Fact]


@dataclass(frozen=True)
class Language:
    """`name` as its speakers call it, `code` as in addresses; the signs of its numbers; its words by section."""

    code: str
    name: str
    grouping: str
    decimal: str
    sections: Mapping[str, Mapping[str, str]]

    def say(self, section: str, key: str, facts: Facts | None = None) -> str:
        """A sentence, filled with facts. KeyError where the language does not have it, which a test looks for."""
        return self.fill(self.sections[section][key], facts or {})

    def word(self, key: str, **facts: Fact) -> str:
        return self.say("words", key, facts)

    def text_of(self, term: str, **facts: Fact) -> str:
        """A term that is a template, filled."""
        return self.text(Phrase(term, tuple(facts.items())))

    def term(self, english: str) -> str:
        """A word of a table or a chart; as it is where the language says the same."""
        return self.sections["terms"].get(english, english)

    def fill(self, template: str, facts: Facts) -> str:
        return template.format_map({name: self.text(fact) for name, fact in facts.items()})

    def text(self, fact: Fact) -> str:
        match fact:
            case Phrase(term, facts):
                return self.fill(self.sections["terms"].get(term, term), dict(facts))
            case Amounts(pairs):
                return "; ".join(f"{name}: {self.count(number)}" for name, number in pairs)
            case str():
                return fact
            case tuple():
                return shape_text(fact)
            case int():
                return self.count(fact)
            case float():
                return self.real(fact)

    def count(self, value: int) -> str:
        """1,656,250"""
        return f"{value:,}".replace(",", self.grouping)

    def real(self, value: float, digits: int | None = None) -> str:
        """0.82; the digits that tell something, or so many behind the point."""
        shown = f"{value:.6g}" if digits is None else f"{value:,.{digits}f}"
        return shown.translate({ord(","): self.grouping, ord("."): self.decimal})

    def percent(self, share: float) -> str:
        return f"{self.real(100 * share, 1)}%"


def languages() -> dict[str, Language]:
    """All languages that chapters are written in, English first; UserError where a file is wrong. A file that has
    changed is read anew."""
    found = [_language(path, path.stat().st_mtime_ns) for path in sorted(CHAPTERS.glob(f"*/{LANGUAGE_FILE}"))]
    return {one.code: one for one in found}


@lru_cache(maxsize=32)
def _language(path: Path, written: int) -> Language:
    return read_language(path)


def read_language(path: Path) -> Language:
    where = f"{path.parent.name}/{path.name}"
    try:
        record = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{where}: {error}") from error
    missing = [name for name in ("name", "grouping", "decimal", *SECTIONS) if name not in record]
    if missing:
        raise UserError(f"{where} has no {missing[0]!r}.")
    sections = {name: record[name] for name in SECTIONS}
    for name, section in sections.items():
        for key, sentence in section.items():
            try:
                places_of(sentence)
            except ValueError as error:
                raise UserError(f"{where}, [{name}] {key}: {error}.") from error
    return Language(path.parent.name, record["name"], record["grouping"], record["decimal"], sections)


def places_of(template: str) -> set[str]:
    """What has to be filled in."""
    return {name for _, name, _, _ in Formatter().parse(template) if name is not None}
