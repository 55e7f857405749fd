"""The arithmetic of 1x1 convolutions to look at: Plotly figures, and formulas in LaTeX with the numbers in them."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from cnnlab.lecture.reduction import Bottleneck, CostMeasure, Inception, Path
from cnnlab.plots import LEGEND
from cnnlab.plots.colours import BLUE, VERMILLION

DIRECT, REDUCED = VERMILLION, BLUE
WORDS: dict[CostMeasure, str] = {"parameters": "Parameters", "multiply_adds": "Multiply-adds"}
HEIGHT = 250
LINE = 60  # characters of a formula that fit into half a laptop's screen


def width_curve(case: Bottleneck, measure: CostMeasure) -> go.Figure:
    """Cost of the reduced path over the bottleneck's width, the direct path level, break-even and `case` marked."""
    direct, points = case.direct.cost.of(measure), case.curve()
    even, unit = case.break_even(measure), WORDS[measure].lower()
    widths = [width for width, _ in points]
    figure = go.Figure()
    figure.add_scatter(
        x=widths,
        y=[cost.of(measure) for _, cost in points],
        name="Reduced",
        mode="lines",
        line={"color": REDUCED, "width": 2.5},
        hovertemplate=f"B = %{{x:,}}: %{{y:,}} {unit}<extra>reduced</extra>",
    )
    figure.add_scatter(
        x=[0, widths[-1]],
        y=[direct, direct],
        name="Direct",
        mode="lines",
        line={"color": DIRECT, "width": 2, "dash": "dash"},
        hovertemplate=f"%{{y:,}} {unit}<extra>direct</extra>",
    )
    figure.add_scatter(
        x=[float(even.width)],
        y=[direct],
        name="Break-even",
        mode="markers+text",
        text=[f"B* = {decimal(case, measure)}: cheaper up to B = {even.widest:,}" if even.widest else "never cheaper"],
        textposition="top left" if even.width * 2 > widths[-1] else "top right",
        marker={"symbol": "diamond", "size": 11, "color": DIRECT},
        hovertemplate=f"break-even at B = %{{x:,.2f}}: %{{y:,}} {unit}<extra></extra>",
    )
    figure.add_scatter(
        x=[case.bottleneck],
        y=[case.reduced.cost.of(measure)],
        name=f"B = {case.bottleneck:,}",
        mode="markers",
        marker={"symbol": "circle", "size": 12, "color": REDUCED, "line": {"width": 2, "color": "#FFFFFF"}},
        hovertemplate=f"B = %{{x:,}}: %{{y:,}} {unit}<extra></extra>",
    )
    figure.update_layout(
        height=HEIGHT,
        margin={"l": 8, "r": 8, "t": 12, "b": 8},
        hovermode="closest",
        legend=LEGEND,
        xaxis={"title": "Bottleneck width B (1×1 filters)", "range": [0, widths[-1] * 1.02]},
        yaxis={"title": WORDS[measure], "range": [0, max(direct, points[-1][1].of(measure)) * 1.2]},
    )
    return figure


def branch_bars(module: Inception, measure: CostMeasure) -> go.Figure:
    """What each branch of an inception module costs, naive beside reduced."""
    names = [branch.name for branch in module.branches]
    naive = [branch.naive.cost.of(measure) for branch in module.branches]
    reduced = [branch.reduced.cost.of(measure) for branch in module.branches]
    figure = go.Figure()
    for label, values, colour in (("Naive", naive, DIRECT), ("Reduced", reduced, REDUCED)):
        figure.add_bar(
            x=names,
            y=values,
            name=label,
            marker={"color": colour},
            hovertemplate=f"%{{x}}: %{{y:,}} {WORDS[measure].lower()}<extra>{label.lower()}</extra>",
        )
    figure.update_layout(
        barmode="group",
        height=HEIGHT,
        margin={"l": 8, "r": 8, "t": 12, "b": 8},
        legend=LEGEND,
        xaxis={"title": "Branch", "type": "category"},
        yaxis={"title": WORDS[measure]},
    )
    return figure


def path_text(path: Path, pooled: bool = False) -> str:
    """A path as one reads it: 1×1, 16 → 5×5, 32 (window and filters); a pooling before it where `pooled`."""
    steps = ["3×3 max pool"] if pooled else []
    return " → ".join([*steps, *(f"{layer.kernel}×{layer.kernel}, {layer.filters:,}" for layer in path.layers)])


def formula(case: Bottleneck, measure: CostMeasure) -> str:
    """Both paths and the break-even as aligned lines of LaTeX: the last one starts from the symbols."""
    direct, reduced = case.direct, case.reduced
    terms, costs = path_terms(reduced, measure), [cost.of(measure) for cost in reduced.costs]
    if measure == "parameters":
        terms = [f"({term})" for term in terms]
    lines = [
        rf"\text{{direct}} &= {path_terms(direct, measure)[0]} = {number(direct.cost.of(measure))}",
        rf"\text{{reduced}} &= {addition(terms)}",
        rf"&= {addition([number(cost) for cost in costs])} = {number(reduced.cost.of(measure))}",
        break_even_line(case, measure),
    ]
    return r"\begin{aligned}" + r"\\".join(lines) + r"\end{aligned}"


def addition(terms: Sequence[str]) -> str:
    """The terms with a plus between them, on a line each where one line would be too long."""
    line = " + ".join(terms)
    shown = line.replace("{,}", ",").replace(r"\cdot", "·")
    return line if len(shown) <= LINE else r" \\ &\quad + ".join(terms)


def path_terms(path: Path, measure: CostMeasure) -> list[str]:
    """The product behind each layer's cost: window · channels · filters + biases, or that times the output's pixels."""
    terms = []
    for layer, given, made in zip(path.layers, path.shapes[:-1], path.shapes[1:], strict=True):
        factors = [layer.kernel, layer.kernel, given[-1], layer.filters]
        if measure == "parameters":
            terms.append(f"{product(factors)} + {number(layer.filters)}")
        else:
            terms.append(product([*made[:2], *factors]))
    return terms


def break_even_line(case: Bottleneck, measure: CostMeasure) -> str:
    """B*, from the symbols to the number."""
    even = case.break_even(measure)
    symbols = {
        "parameters": r"\frac{K^2 C F}{C + 1 + K^2 F}",
        "multiply_adds": r"\frac{H' W' K^2 C F}{H W C + H' W' K^2 F}",
    }[measure]
    relation = "=" if even.width.denominator == 1 else r"\approx"
    return (
        rf"B^{{*}} &= {symbols} = \frac{{{number(even.numerator)}}}{{{number(even.denominator)}}} "
        rf"{relation} {decimal(case, measure).replace(',', '{,}')}"
    )


def decimal(case: Bottleneck, measure: CostMeasure) -> str:
    """The break-even width with two decimals, cut off, or as the whole number that it is."""
    width = case.break_even(measure).width
    if width.denominator == 1:
        return f"{width.numerator:,}"
    return f"{int(width * 100) / 100:,.2f}"


def product(factors: Sequence[int]) -> str:
    return r" \cdot ".join(map(number, factors))


def number(value: int) -> str:
    """1{,}656{,}250, in which LaTeX sets no space after the commas."""
    return f"{value:,}".replace(",", "{,}")
