"""What does this kernel do to this image?"""

from __future__ import annotations

from cnnlab.lecture import kernels
from cnnlab.lecture.course.block import Drawn
from cnnlab.lecture.course.language import Fact, Language, Phrase
from cnnlab.lecture.course.parts import FormulaPart, Part, PicturesPart
from cnnlab.lecture.exercises.choosing import SAMPLES, sample
from cnnlab.lecture.exercises.question import AnswerOption, Question, Reason

LETTERS = "ABCDEF"


def kernel(drawn: Drawn) -> Question:
    """The picture, the kernel, and what several kernels make of it."""
    picture = drawn.word("picture", SAMPLES)
    line, value = drawn.line("kernels")
    names = value.split()
    if wrong := [name for name in names if name not in kernels.KERNELS]:
        raise drawn.block.error(f"there is no kernel {wrong[0]!r}; there are {', '.join(kernels.KERNELS)}", line)
    if not 2 <= len(names) <= len(LETTERS) or len(set(names)) != len(names):
        raise drawn.block.error(f"kernels is {value!r}; it takes two to six different ones", line)
    answer_name = drawn.word("answer", names, names[0])
    shown = drawn.shuffled(names)
    letters = dict(zip(shown, LETTERS, strict=False))
    answer = letters[answer_name]

    def before(language: Language) -> tuple[Part, ...]:
        values = kernels.grey(sample(picture))
        made = tuple(kernels.picture(kernels.slid(values, name), kernels.is_signed(name)) for name in shown)
        return (
            FormulaPart(kernels.latex(answer_name)),
            PicturesPart(
                (kernels.picture(values, signed=False), *made), (language.word("picture"), *letters.values()), 150
            ),
        )

    reasons = tuple(
        Reason(letter, "kernel_other", {"chosen": letter, "does": Phrase(f"kernel_{name}")})
        for name, letter in letters.items()
        if name != answer_name
    )
    rounds = kernels.rounds(answer_name)
    facts: dict[str, Fact] = {
        "answer": answer,
        "does": Phrase(f"kernel_{answer_name}"),
        "rounds": Phrase("several_rounds", (("rounds", rounds),)) if rounds > 1 else "",
    }
    options = tuple(AnswerOption(letter, letter) for letter in sorted(letters.values()))
    return Question("options", "kernel", "kernel", facts, answer, reasons, options, before=before)
