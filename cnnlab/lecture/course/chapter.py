"""A chapter's file, read: steps of prose, live parts and exercises, and the speaker's notes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from cnnlab.errors import UserError
from cnnlab.lecture.course.block import Block, ChapterError
from cnnlab.lecture.course.language import CHAPTERS, LANGUAGE_FILE, Language, languages
from cnnlab.lecture.course.live import Live, live_of
from cnnlab.lecture.course.values import filled
from cnnlab.lecture.exercises import Exercise, exercise_of

FENCE = re.compile(r"^(`{3,})\s*(.*)$")
SETTING = re.compile(r"^([a-z][a-z0-9_]*)\s*:\s*(.+)$")
FILE_NAME = re.compile(r"^(\d\d)-([a-z0-9-]+)$")
NAME = re.compile(r"^[a-z0-9-]+$")
OURS = ("live", "exercise", "notes")
SLIDE_LINES, SLIDE_LETTERS, LEAD_LINES, SMALL_LIVE = 16, 80, 6, 4
SMALL = ("link", "code")


@dataclass(frozen=True)
class Prose:
    """Markdown, with the values that it names filled in."""

    markdown: str


ChapterPart = Prose | Live | Exercise


@dataclass(frozen=True)
class CourseStep:
    """What is shown at a time; `notes` are Markdown for who speaks."""

    title: str
    parts: tuple[ChapterPart, ...]
    notes: str

    @property
    def exercises(self) -> list[Exercise]:
        return [part for part in self.parts if isinstance(part, Exercise)]


def slides(step: CourseStep) -> list[list[int]]:
    """The step's parts, by their places, as they fit on a screen in large type: each exercise alone, a live part with
    what leads to it where that is short."""
    found: list[list[int]] = [[]]
    filled_lines = 0
    for place, part in enumerate(step.parts):
        lines = lines_of(part)
        if found[-1] and filled_lines + lines > SLIDE_LINES:
            found.append([])
            filled_lines = 0
        found[-1].append(place)
        filled_lines += lines
    return found


def lines_of(part: ChapterPart) -> int:
    """How much of a screen it takes, in lines of large type."""
    match part:
        case Prose(markdown):
            return sum(2 + len(paragraph) // SLIDE_LETTERS for paragraph in markdown.split("\n\n"))
        case Live():
            return SMALL_LIVE if part.kind in SMALL else SLIDE_LINES - LEAD_LINES
        case Exercise():
            return SLIDE_LINES


@dataclass(frozen=True)
class Chapter:
    """`name` is that in addresses, `number` its place in the lecture."""

    name: str
    number: int
    title: str
    language: Language
    steps: tuple[CourseStep, ...]

    @property
    def exercises(self) -> list[Exercise]:
        return [exercise for step in self.steps for exercise in step.exercises]


def chapters(language: str) -> dict[str, Chapter]:
    """The chapters of a language in the lecture's order; ChapterError, with file and line, where one is wrong."""
    files = sorted((CHAPTERS / language).glob("[0-9][0-9]-*.md"))
    words = (CHAPTERS / language / LANGUAGE_FILE).stat().st_mtime_ns
    found = [_read(path, path.stat().st_mtime_ns, words) for path in files]
    return {one.name: one for one in found}


@lru_cache(maxsize=128)
def _read(path: Path, written: int, words: int) -> Chapter:
    return read_chapter(path.read_text(encoding="utf-8"), path.stem, languages()[path.parent.name])


def read_chapter(text: str, stem: str, language: Language) -> Chapter:
    """The chapter that a text holds; `stem` is its file's name, `NN-name`."""
    named = FILE_NAME.match(stem)
    if named is None:
        raise UserError(f"The chapter's file is called {stem!r}; it is called NN-name.md, as 01-vgg.md.")
    reader = Reader(f"{language.code}/{stem}.md", language)
    for number, line in enumerate(text.splitlines(), 1):
        reader.take(number, line)
    return Chapter(named[2], int(named[1]), *reader.finished())


class Reader:
    """Takes a file line by line."""

    def __init__(self, file: str, language: Language) -> None:
        self.file, self.language = file, language
        self.title = ""
        self.steps: list[CourseStep] = []
        self.heading = ""
        self.parts: list[ChapterPart] = []
        self.prose: list[str] = []
        self.prose_line = 0
        self.notes: list[str] = []
        self.names: set[str] = set()
        self.fence = ""
        self.info: tuple[int, str] = (0, "")
        self.body: list[tuple[int, str]] = []

    def error(self, line: int, what: str) -> ChapterError:
        return ChapterError(self.file, line, what)

    def take(self, number: int, line: str) -> None:
        if self.fence:
            self.inside(number, line)
        elif found := FENCE.match(line):
            self.fence, self.info, self.body = found[1], (number, found[2].strip()), []
        elif line.startswith("# "):
            if self.title:
                raise self.error(number, "a second title; a chapter has one line “# Title”, steps have “## Title”")
            self.title = line[2:].strip()
        elif line.startswith("## "):
            self.end_step(number)
            self.heading = line[3:].strip()
        else:
            self.add_prose(number, line)

    def inside(self, number: int, line: str) -> None:
        if line.strip() != self.fence:
            self.body.append((number, line))
            return
        start, info = self.info
        words = info.split()
        if not words or words[0] not in OURS:
            for at, kept in [(start, f"{self.fence}{info}"), *self.body, (number, self.fence)]:
                self.add_prose(at, kept, code=True)
        else:
            self.block(start, words)
        self.fence = ""

    def add_prose(self, number: int, line: str, code: bool = False) -> None:
        if not self.heading and line.strip():
            raise self.error(number, "this stands before the first step; a step begins with “## Title”")
        if not self.prose:
            self.prose_line = number
        try:
            self.prose.append(line if code else filled(line, self.language))
        except UserError as error:
            raise self.error(number, str(error)) from error

    def end_prose(self) -> None:
        if text := "\n".join(self.prose).strip():
            self.parts.append(Prose(text))
        self.prose = []

    def end_step(self, number: int) -> None:
        self.end_prose()
        if self.heading:
            if not self.parts:
                raise self.error(number, f"the step “{self.heading}” before this line is empty")
            self.steps.append(CourseStep(self.heading, tuple(self.parts), "\n".join(self.notes).strip()))
        self.parts, self.notes = [], []

    def block(self, line: int, words: list[str]) -> None:
        sort, *rest = words
        if not self.heading:
            raise self.error(line, "a block before the first step; a step begins with “## Title”")
        if sort == "notes":
            self.notes += [filled(text, self.language) for _, text in self.body]
            return
        if sort == "exercise" and (len(rest) != 2 or not NAME.match(rest[1])):
            raise self.error(line, "an exercise is written “exercise KIND NAME”, as exercise parameters first-layer")
        if sort == "live" and len(rest) != 1:
            raise self.error(line, "a live part is written “live KIND”, as live landscape")
        name = rest[1] if sort == "exercise" else ""
        if name and name in self.names:
            raise self.error(line, f"a second exercise is called {name!r}; each has a name of its own in its chapter")
        self.names.add(name)
        made = Block(self.file, line, sort, rest[0], name, tuple(map(self.setting, self.settings_lines())))
        self.end_prose()
        self.parts.append(exercise_of(made) if sort == "exercise" else live_of(made, self.language))

    def settings_lines(self) -> list[tuple[int, str]]:
        return [(number, line) for number, line in self.body if line.strip()]

    def setting(self, written: tuple[int, str]) -> tuple[int, str, str]:
        number, line = written
        found = SETTING.match(line.strip())
        if found is None:
            raise self.error(number, f"{line.strip()!r} is no setting; it is written “name: value”")
        return number, found[1], found[2].strip()

    def finished(self) -> tuple[str, Language, tuple[CourseStep, ...]]:
        if self.fence:
            raise self.error(self.info[0], f"the block {self.info[1]!r} is not closed by {self.fence}")
        self.end_step(self.prose_line)
        if not self.title:
            raise self.error(1, "there is no title; a chapter begins with “# Title”")
        if not self.steps:
            raise self.error(1, "there is no step; a step begins with “## Title”")
        return self.title, self.language, tuple(self.steps)
