"""A question with its answer, the mistakes that people make, and what is shown before and after."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from cnnlab.lecture.course.language import Facts, Language
from cnnlab.lecture.course.parts import Part
from cnnlab.network import Network
from cnnlab.network.layers import Shape

Answer = int | float | str | Shape
Form = Literal["number", "real", "shape", "options", "network"]
Sight = Callable[[Language], Sequence[Part]]


def nothing(language: Language) -> Sequence[Part]:
    return ()


@dataclass(frozen=True)
class Reason:
    """A wrong answer and why one gives it: a sentence among the language's reasons, and what fills it."""

    answer: Answer
    key: str
    facts: Facts = field(default_factory=dict)


@dataclass(frozen=True)
class AnswerOption:
    """One of several to choose from: `text` as it stands, or `term` in the language's words."""

    key: str
    text: str = ""
    term: str = ""

    def label(self, language: Language) -> str:
        return language.term(self.term) if self.term else self.text


@dataclass(frozen=True)
class DesignCondition:
    """What a changed network has to hold: a sentence among the language's reasons, said where it does not."""

    key: str
    facts: Facts
    holds: Callable[[Network], bool]
    measure: Callable[[Network], int | str]


@dataclass(frozen=True, eq=False)
class Question:
    """`asks` and `because` are sentences of the language, filled with `facts`; `because` shows the calculation.

    `before` is shown with the question, `after` with the answer. A task for the designer has `conditions`, begins with
    the network `begins`, and its answer is the text of a network that fulfils them.
    """

    form: Form
    asks: str
    because: str
    facts: Facts
    answer: Answer
    reasons: tuple[Reason, ...] = ()
    options: tuple[AnswerOption, ...] = ()
    before: Sight = nothing
    after: Sight = nothing
    tolerance: float = 0.0
    conditions: tuple[DesignCondition, ...] = ()
    begins: str = ""


@dataclass(frozen=True)
class Judgement:
    """Whether an answer is right; where not, why, as far as that is known."""

    right: bool
    reason: str = ""
    facts: Facts = field(default_factory=dict)

    def said(self, language: Language) -> str:
        if self.right:
            return language.word("right")
        return language.say("reasons", self.reason, self.facts) if self.reason else language.word("wrong")


def judge(question: Question, answer: Answer | Network) -> Judgement:
    """What to say of an answer."""
    if isinstance(answer, Network):
        return judge_network(question, answer)
    if same(answer, question.answer, question.tolerance):
        return Judgement(True)
    found = next((one for one in question.reasons if same(answer, one.answer, question.tolerance)), None)
    return Judgement(False, found.key, {**question.facts, **found.facts}) if found else Judgement(False)


def judge_network(question: Question, network: Network) -> Judgement:
    for condition in question.conditions:
        if not condition.holds(network):
            return Judgement(False, condition.key, {**condition.facts, "is": condition.measure(network)})
    return Judgement(True)


def same(one: Answer, other: Answer, tolerance: float) -> bool:
    if isinstance(one, float | int) and isinstance(other, float | int):
        return abs(one - other) <= tolerance * (1 + 1e-9)
    return one == other


def distinct(answer: Answer, reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    """Without those that would be right, and of those with the same answer only the first."""
    found: dict[Answer, Reason] = {}
    for reason in reasons:
        if reason.answer != answer:
            found.setdefault(reason.answer, reason)
    return tuple(found.values())
