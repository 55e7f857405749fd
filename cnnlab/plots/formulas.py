"""How one value was computed, as LaTeX: the formula, below it the same with this value's numbers, and the result.

The result is what TensorFlow stored, which `inference/computation.py` gives beside the numbers that lead to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

import numpy as np

from cnnlab import units
from cnnlab.inference.computation import (
    Activated,
    Computation,
    Computed,
    LargestOf,
    MeanOf,
    NormalizedPixel,
    Numbers,
    Passed,
    ResponseNormalized,
    Standardized,
    SumOf,
    WeightedSum,
)
from cnnlab.network.layers import ActivationName

PLAIN_DIGITS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
MOST_TERMS = 6


def number(value: float) -> str:
    r"""Four significant digits as LaTeX writes them: -0.4521, 1.234 \cdot 10^{-5}, \text{NaN}."""
    shown = units.digits(value).replace("−", "-").replace(",", "{,}")
    if "NaN" in shown:
        return r"\text{NaN}"
    mantissa, times, exponent = shown.replace("∞", r"\infty").partition("·10")
    return rf"{mantissa} \cdot 10^{{{exponent.translate(PLAIN_DIGITS)}}}" if times else mantissa


def inner(value: float) -> str:
    """The same where it stands behind a sign or a factor: negative numbers in parentheses."""
    return f"({number(value)})" if value < 0 else number(value)


def result(computed: Computed) -> float:
    """What TensorFlow stored; of a silenced channel what it would be."""
    return computed.how.value if computed.silenced else computed.stored


def formula(computed: Computed) -> str:
    """The lines of a value's formula; empty where a value is only passed on."""
    return aligned([*lines(computed.how), number(result(computed))])


def aligned(steps: Sequence[str], name: str = "y") -> str:
    """y = the first step, and each further one under it."""
    if len(steps) < 2:
        return ""
    return rf"\begin{{aligned}} {name} &= " + r" \\[9pt] &= ".join(steps) + r" \end{aligned}"


def lines(how: Computation) -> list[str]:
    match how:
        case Standardized():
            given, mean = number(how.given), inner(how.mean)
            root = rf"\sqrt{{{number(how.variance)} + {number(how.epsilon)}}}"
            return [
                r"\gamma \, \frac{x - \mu}{\sqrt{\sigma^2 + \varepsilon}} + \beta",
                rf"{number(how.gamma)} \cdot \frac{{{given} - {mean}}}{{{root}}} + {inner(how.beta)}",
            ]
        case ResponseNormalized():
            under = rf"{number(how.bias)} + {number(how.alpha)} \cdot {number(how.squares)}"
            return [
                r"\frac{x}{\left(k + \alpha \sum a^2\right)^{\beta}}",
                rf"\frac{{{number(how.given)}}}{{\left({under}\right)^{{{number(how.beta)}}}}}",
                rf"\frac{{{number(how.given)}}}{{{number(how.divisor)}}}",
            ]
        case Activated():
            return activation_lines(how.activation, how.given, how.channel, how.scores)
        case WeightedSum():
            return activation_lines(how.activation, how.before, how.channel, how.scores, "z")
        case SumOf():
            first, *others = (one.given for one in how.addends)
            shown = [number(first), *map(inner, others)]
            more = [rf"\dots \; ({len(shown) - MOST_TERMS} \text{{ more}})"] if len(shown) > MOST_TERMS else []
            return [r"\sum_i x_i", " + ".join([*shown[:MOST_TERMS], *more])]
        case MeanOf():
            return [r"\frac{1}{n} \sum_i x_i", rf"\frac{{{number(how.total)}}}{{{how.count:,}}}".replace(",", "{,}")]
        case NormalizedPixel():
            fractions = [
                rf"\frac{{{pixel} - {number(mean)}}}{{{number(deviation)}}}"
                for pixel, mean, deviation in zip(how.pixel, how.mean, how.deviation, strict=True)
            ]
            if len(fractions) == 1:
                return [r"\frac{x - \text{mean}}{\text{deviation}}", *fractions]
            return [rf"\frac{{1}}{{{len(fractions)}}} \left({' + '.join(fractions)}\right)"]
        case Passed() | LargestOf():
            return []
        case _:
            assert_never(how)


def activation_lines(
    activation: ActivationName, given: float, channel: int, scores: Numbers | None, x: str = "x"
) -> list[str]:
    if scores is not None:
        raised, total = exponentials(scores)
        return [
            r"\frac{e^{z - z_{\max}}}{\sum_j e^{z_j - z_{\max}}}",
            rf"\frac{{e^{{{number(given)} - {inner(float(scores.max()))}}}}}{{{number(total)}}}",
            rf"\frac{{{number(raised[channel])}}}{{{number(total)}}}",
        ]
    match activation:
        case "relu":
            return [rf"\max(0, {x})", rf"\max(0, {number(given)})"]
        case "relu6":
            return [rf"\min(\max(0, {x}), 6)", rf"\min(\max(0, {number(given)}), 6)"]
        case "tanh":
            return [rf"\tanh({x})", rf"\tanh({inner(given)})"]
        case "elu":
            if given > 0:
                return [rf"{x} \quad ({x} > 0)"]
            return [rf"e^{{{x}}} - 1 \quad ({x} \le 0)", rf"e^{{{number(given)}}} - 1"]
        case "linear" | "softmax":
            return [x]
        case _:
            assert_never(activation)


def exponentials(scores: Numbers) -> tuple[Numbers, float]:
    """e to the power of each score less the largest, which changes no share of them, and their sum."""
    with np.errstate(invalid="ignore"):
        raised = np.exp(scores - scores.max())
    return raised, float(raised.sum())


def dropped(given: float, kept: bool, rate: float) -> str:
    """A value while training with dropout: zero, or what is left scaled up."""
    if not kept:
        return "y = 0"
    return aligned([r"\frac{x}{1 - p}", rf"\frac{{{number(given)}}}{{1 - {number(rate)}}}", number(given / (1 - rate))])
