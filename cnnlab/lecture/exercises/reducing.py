"""Bottlenecks, the loss with auxiliary heads, and how many parameters fit any labels."""

from __future__ import annotations

from typing import Literal, get_args

from cnnlab.errors import UserError
from cnnlab.experiments.recipe import Recipe
from cnnlab.lecture.course.block import Drawn
from cnnlab.lecture.course.language import Fact, Language, Phrase
from cnnlab.lecture.course.parts import ChartPart, FormulaPart, Part
from cnnlab.lecture.exercises.choosing import MEASURES
from cnnlab.lecture.exercises.counting import PADDINGS
from cnnlab.lecture.exercises.question import Question, Reason, distinct
from cnnlab.lecture.expressivity import least_parameters
from cnnlab.lecture.reduction import Bottleneck
from cnnlab.lecture.reduction_plots import formula, width_curve

Find = Literal["widest", "narrowest"]
FINDS: tuple[Find, ...] = get_args(Find)
TOLERANCE = 0.001


def bottleneck(drawn: Drawn) -> Question:
    """The widest bottleneck that still saves so many times, or the narrowest that saves nothing any more."""
    find = drawn.word("find", FINDS)
    measure = drawn.word("measure", MEASURES)
    height, width, channels = drawn.shape("input")
    case = Bottleneck(
        height,
        width,
        channels,
        drawn.number("kernel"),
        drawn.number("filters"),
        1,
        drawn.word("padding", PADDINGS, "same"),
    )
    times = drawn.number("times", 1)
    direct = case.direct.cost.of(measure)

    def cost(bottleneck: int) -> int:
        return case.at(bottleneck).reduced.cost.of(measure)

    fitting = [one for one in range(1, channels + 1) if cost(one) * times < direct]
    if not fitting or len(fitting) == channels:
        raise UserError("no bottleneck narrower than the input is the answer here")
    widest = fitting[-1]
    answer = widest if find == "widest" else widest + 1
    wanted = case.at(answer)
    even = int(float(case.break_even(measure).width))
    other = MEASURES[1 - MEASURES.index(measure)]
    same = [
        one
        for one in range(1, channels + 1)
        if case.at(one).reduced.cost.of(other) * times < case.direct.cost.of(other)
    ]
    by_other = (same[-1] if same else 0) + (find == "narrowest")
    reasons = [
        Reason(answer + 1, f"{find}_too_wide", {"chosen": answer + 1, "cost": cost(answer + 1)}),
        Reason(answer - 1, f"{find}_too_narrow", {"chosen": answer - 1, "cost": cost(max(1, answer - 1))}),
        Reason(channels // times, "bottleneck_share"),
        Reason(channels, "bottleneck_input"),
        Reason(even // times, "bottleneck_not_linear"),
        Reason(by_other, "bottleneck_other_measure"),
        Reason(case.filters, "bottleneck_filters"),
    ]
    facts: dict[str, Fact] = {
        "input": case.input_shape,
        "kernel": case.kernel,
        "filters": case.filters,
        "padding": Phrase(f"padding_{case.padding}"),
        "measure": Phrase(f"measure_{measure}"),
        "times": times,
        "answer": answer,
        "direct": direct,
        "at_answer": cost(answer),
        "beside": answer + 1 if find == "widest" else answer - 1,
        "at_beside": cost(answer + 1 if find == "widest" else answer - 1),
    }

    def after(language: Language) -> tuple[Part, ...]:
        return (FormulaPart(formula(wanted, measure)), ChartPart(width_curve(wanted, measure)))

    asks = f"bottleneck_{find}" if times > 1 or find == "narrowest" else "bottleneck_widest_once"
    return Question("number", asks, f"bottleneck_{find}", facts, answer, distinct(answer, reasons), after=after)


def loss(drawn: Drawn) -> Question:
    """The loss of a network with two auxiliary heads."""
    main, *heads = (drawn.real(key) for key in ("main", "first", "second"))
    weight = Recipe().auxiliary_weight
    answer = round(main + weight * sum(heads), 4)
    reasons = [
        Reason(round(main + sum(heads), 4), "loss_unweighted"),
        Reason(round(weight * (main + sum(heads)), 4), "loss_main_is_whole"),
        Reason(round((main + sum(heads)) / 3, 4), "loss_no_mean"),
        Reason(round(main + weight * heads[0], 4), "loss_both_heads"),
        Reason(main, "loss_heads_count"),
    ]
    facts: dict[str, Fact] = {
        "main": main,
        "first": heads[0],
        "second": heads[1],
        "weight": weight,
        "answer": answer,
    }
    return Question("real", "loss", "loss", facts, answer, distinct(answer, reasons), tolerance=TOLERANCE)


def expressivity(drawn: Drawn) -> Question:
    """How many parameters the construction of Zhang et al. takes for so many points of so many numbers."""
    points, numbers = drawn.number("points"), drawn.number("numbers")
    answer = least_parameters(points, numbers)
    reasons = [
        Reason(points, "expressivity_points"),
        Reason(points * numbers, "expressivity_product"),
        Reason(2 * points, "expressivity_projection"),
        Reason(points + numbers, "expressivity_twice"),
        Reason(points * (numbers + 2), "expressivity_shared"),
    ]
    facts: dict[str, Fact] = {"points": points, "numbers": numbers, "answer": answer}
    return Question("number", "expressivity", "expressivity", facts, answer, distinct(answer, reasons))
