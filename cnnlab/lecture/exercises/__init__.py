"""Exercises: what is asked is computed from networks and recorded runs, and so is the answer.

Wrong answers that people give for a reason are computed beside it, each with that reason.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cnnlab.errors import UserError
from cnnlab.lecture.course.block import OWN_SEED, Block, Drawn
from cnnlab.lecture.exercises.choosing import cheaper, looks, where
from cnnlab.lecture.exercises.counting import multiply_adds, parameters, shape
from cnnlab.lecture.exercises.designing import design
from cnnlab.lecture.exercises.filtering import kernel
from cnnlab.lecture.exercises.question import Question
from cnnlab.lecture.exercises.reaching import depth, field
from cnnlab.lecture.exercises.recorded import best, confused, curve, rate, weakest
from cnnlab.lecture.exercises.reducing import bottleneck, expressivity, loss

KINDS: dict[str, Callable[[Drawn], Question]] = {
    "shape": shape,
    "parameters": parameters,
    "multiply-adds": multiply_adds,
    "field": field,
    "depth": depth,
    "cheaper": cheaper,
    "where": where,
    "looks": looks,
    "bottleneck": bottleneck,
    "expressivity": expressivity,
    "loss": loss,
    "curve": curve,
    "best": best,
    "confused": confused,
    "weakest": weakest,
    "rate": rate,
    "kernel": kernel,
    "design": design,
}


@dataclass(frozen=True)
class Exercise:
    """An exercise as its block describes it; its question depends on the seed."""

    block: Block

    @property
    def name(self) -> str:
        return self.block.name

    @property
    def kind(self) -> str:
        return self.block.kind

    @property
    def draws(self) -> bool:
        """Whether another seed may give other numbers."""
        return any("," in value for _, _, value in self.block.settings)

    def question(self, seed: int = OWN_SEED) -> Question:
        drawn = Drawn(self.block, seed)
        try:
            question = KINDS[self.kind](drawn)
        except UserError as error:
            if str(error).startswith(self.block.file):
                raise
            raise self.block.error(str(error)) from error
        drawn.finish()
        return question


def exercise_of(block: Block) -> Exercise:
    """The exercise of a block; ChapterError where its kind or settings are wrong."""
    if block.kind not in KINDS:
        raise block.error(f"there is no exercise {block.kind!r}; there are {', '.join(KINDS)}")
    exercise = Exercise(block)
    exercise.question()
    return exercise
