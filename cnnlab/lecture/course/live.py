"""The live parts of a chapter: each kind reads its settings, and makes parts of what its controls say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from cnnlab.lecture.course import live_networks, live_runs, live_sums
from cnnlab.lecture.course.block import Block, Drawn
from cnnlab.lecture.course.language import Language
from cnnlab.lecture.course.making import Control, Made, Make
from cnnlab.lecture.course.parts import DataPart, LinkPart, LivingPart, Part

LiveKind = Callable[[Drawn, Language], Made]


def link(drawn: Drawn, language: Language) -> Made:
    page, label = drawn.text("page"), drawn.text("label")
    query = dict(pair.partition("=")[::2] for pair in drawn.text("query", "").split("&") if pair)
    return Made(lambda _: (LinkPart(page, label, query),))


def living(drawn: Drawn, language: Language) -> Made:
    return Made(lambda _: (LivingPart(),))


def data(drawn: Drawn, language: Language) -> Made:
    name = drawn.word("dataset", ("cifar10", "tiny-imagenet"))
    return Made(lambda _: (DataPart(name),))


LIVE: dict[str, LiveKind] = {
    **live_networks.KINDS,
    **live_sums.KINDS,
    **live_runs.KINDS,
    "link": link,
    "living": living,
    "data": data,
}


@dataclass(frozen=True, eq=False)
class Live:
    """A live part: its controls, and what they make."""

    kind: str
    controls: tuple[Control, ...]
    make: Make

    def parts(self, values: Mapping[str, int | str] | None = None) -> Sequence[Part]:
        """With the controls at these values, or as they are at first."""
        return self.make({one.name: one.default for one in self.controls} | dict(values or {}))


def live_of(block: Block, language: Language) -> Live:
    """The live part of a block; ChapterError where its kind or settings are wrong."""
    if block.kind not in LIVE:
        raise block.error(f"there is no live part {block.kind!r}; there are {', '.join(LIVE)}")
    drawn = Drawn(block)
    made = LIVE[block.kind](drawn, language)
    drawn.finish()
    return Live(block.kind, made.controls, made.make)
