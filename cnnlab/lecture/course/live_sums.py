"""Live parts that calculate: bottlenecks, inception modules, stacks of windows, kernels, a network of depth two."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cnnlab.lecture import kernels
from cnnlab.lecture.course.block import Drawn
from cnnlab.lecture.course.language import Language
from cnnlab.lecture.course.making import Control, ControlValue, Made, terms
from cnnlab.lecture.course.parts import (
    ChartPart,
    CodePart,
    FormulaPart,
    LinkPart,
    Part,
    PicturesPart,
    TablePart,
    TextPart,
)
from cnnlab.lecture.exercises.choosing import MEASURES, SAMPLES, sample
from cnnlab.lecture.exercises.counting import PADDINGS
from cnnlab.lecture.expressivity import fit_chart, fitted, least_parameters
from cnnlab.lecture.reduction import Bottleneck, Inception, googlenet_modules
from cnnlab.lecture.reduction_plots import branch_bars, formula, path_text, width_curve
from cnnlab.lecture.snippets import bottleneck_snippets
from cnnlab.network import Builder
from cnnlab.network.analysis import receptive_fields
from cnnlab.network.layers import shape_text

MOST_LAYERS, LARGEST_WINDOW = 8, 11
STACK_INPUT = 128
POINTS = 24
MOST_SEED = 99


def bottleneck(drawn: Drawn, language: Language) -> Made:
    """The two ways to a convolution, with its bottleneck under a slider."""
    height, width, channels = drawn.shape("input")
    padding = drawn.word("padding", PADDINGS, "valid")
    measure = drawn.word("measure", MEASURES, "parameters")
    own = Bottleneck(
        height, width, channels, drawn.number("kernel"), drawn.number("filters"), drawn.number("bottleneck"), padding
    )
    snippets = drawn.word("snippets", ("yes", "no"), "no") == "yes"

    def make(values: Mapping[str, ControlValue]) -> tuple[Part, ...]:
        case = own.at(int(values["bottleneck"]))
        factor = case.direct.cost.factor(case.reduced.cost, measure) or 1.0
        said = language.word(
            "bottleneck_said",
            direct=case.direct.cost.of(measure),
            reduced=case.reduced.cost.of(measure),
            factor=round(factor, 2),
            output=case.direct.output_shape,
        )
        shown: list[Part] = [TextPart(said), FormulaPart(formula(case, measure)), ChartPart(width_curve(case, measure))]
        if snippets:
            for code, printed in bottleneck_snippets(case):
                shown += [CodePart(code), CodePart(printed, None)]
        query = {"height": height, "width": width, "channels": channels, "kernel": case.kernel}
        query |= {"filters": case.filters, "bottleneck": case.bottleneck}
        address = {name: str(value) for name, value in query.items()} | {"padding": padding}
        shown.append(LinkPart("pages/one_by_one.py", language.word("own_numbers"), address))
        return tuple(shown)

    return Made(make, (Control("bottleneck", "bottleneck_width", own.bottleneck, 1, channels),))


def inception(drawn: Drawn, language: Language) -> Made:
    """One of GoogLeNet's modules, naive beside reduced, branch by branch."""
    measure = drawn.word("measure", MEASURES, "parameters")
    known = googlenet_modules()
    first = drawn.word("module", tuple(known), "3a")

    def make(values: Mapping[str, ControlValue]) -> tuple[Part, ...]:
        module = known[str(values["module"])]
        return (table(module), ChartPart(branch_bars(module, measure)))

    def table(module: Inception) -> TablePart:
        head = tuple(language.term(one) for one in ("Branch", "Naive", "Reduced"))
        rows = [
            (
                branch.name,
                f"{path_text(branch.naive, branch.name == 'pooling')}: {language.count(branch.naive.cost.of(measure))}",
                f"{path_text(branch.reduced, branch.name == 'pooling')}: "
                f"{language.count(branch.reduced.cost.of(measure))}",
            )
            for branch in module.branches
        ]
        maps = language.term("Maps")
        rows.append(
            (
                language.term("Module"),
                f"{module.naive_channels} {maps}: {language.count(module.naive.of(measure))}",
                f"{module.reduced_channels} {maps}: {language.count(module.reduced.of(measure))}",
            )
        )
        return TablePart(head, tuple(rows), frozenset({len(rows) - 1}))

    return Made(make, (Control("module", "module", first, options=tuple(known)),))


def stack(drawn: Drawn, language: Language) -> Made:
    """Windows one after the other: how far they see, and what they cost, beside one window that sees as far."""
    channels = drawn.number("channels", 64)
    window, count = drawn.number("window", 3), drawn.number("layers", 3)

    def make(values: Mapping[str, ControlValue]) -> tuple[Part, ...]:
        size, many = int(values["window"]), int(values["layers"])
        seen = stacked(size, many, channels)
        one = stacked(seen[0], 1, channels)
        head = tuple(language.term(name) for name in ("Way", "Receptive field", "Parameters", "Non-linearities"))
        rows = (
            (f"{many} × {size}×{size}", seen[0], seen[1], many),
            (f"1 × {seen[0]}×{seen[0]}", one[0], one[1], 1),
        )
        said = language.word("stack_said", channels=channels, factor=round(one[1] / seen[1], 2))
        return (TablePart(head, rows), TextPart(said))

    return Made(
        make,
        (
            Control("layers", "layers_in_row", count, 1, MOST_LAYERS),
            Control("window", "window", str(window), options=("3", "5", "7")),
        ),
    )


def stacked(window: int, count: int, channels: int) -> tuple[int, int]:
    """The receptive field of so many convolutions in a row, and their parameters."""
    build = Builder("stack")
    x = build.input((STACK_INPUT, STACK_INPUT, channels))
    for place in range(count):
        x = build.conv(x, channels, window, name=f"conv{place}")
    network = build.build(x)
    return receptive_fields(network)[x.name][0], network.parameters


def kernel(drawn: Drawn, language: Language) -> Made:
    """A picture, and what a kernel that one chooses makes of it."""
    picture = drawn.word("picture", SAMPLES)
    first = drawn.word("kernel", tuple(kernels.KERNELS))

    def make(values: Mapping[str, ControlValue]) -> tuple[Part, ...]:
        name = str(values["kernel"])
        given = kernels.grey(sample(picture))
        made = kernels.picture(kernels.slid(given, name), kernels.is_signed(name))
        rounds = kernels.rounds(name)
        several = language.text_of("several_rounds", rounds=rounds) if rounds > 1 else ""
        captions = (language.word("picture"), language.word("made_of_it"))
        return (
            FormulaPart(kernels.latex(name)),
            PicturesPart((kernels.picture(given, signed=False), made), captions, 200),
            TextPart(f"{language.term(f'kernel_{name}')} {several}".strip()),
        )

    return Made(make, (Control("kernel", "kernel", first, options=tuple(kernels.KERNELS)),))


def expressivity(drawn: Drawn, language: Language) -> Made:
    """Random labels, and a network of depth two with so many hidden units: with one a point it meets them all."""
    points = drawn.number("points", POINTS)
    units = drawn.number("units", points // 2)

    def make(values: Mapping[str, ControlValue]) -> tuple[Part, ...]:
        hidden = int(values["units"])
        found = fitted(points, hidden, int(values["seed"]))
        said = language.word(
            "expressivity_said",
            units=hidden,
            points=points,
            parameters=least_parameters(hidden, 1),
            worst=round(found.worst, 3) + 0.0,
        )
        return (ChartPart(fit_chart(found)), TextPart(said))

    return Made(make, (Control("units", "hidden_units", units, 1, points), Control("seed", "seed", 0, 0, MOST_SEED)))


def pooling(drawn: Drawn, language: Language) -> Made:
    """The shapes along a way: what convolutions do to the depth, and pooling does not."""
    line, way = drawn.line("way")
    shape = drawn.shape("input")
    build = Builder("way")
    x = build.input(shape)
    head = terms(language, "Layer", "Output shape", "Maps", "Values")
    for place, step in enumerate(way.split(">")):
        kind, _, number = step.strip().partition(" ")
        if kind == "pool" and number.isdigit():
            x = build.max_pool(x, int(number), name=f"{place + 1}. pool {number}×{number}")
        elif kind in ("1x1", "3x3", "5x5") and number.isdigit():
            size = int(kind[0])
            x = build.conv(x, int(number), size, name=f"{place + 1}. conv {size}×{size}, {number}")
        else:
            raise drawn.block.error(f"{step.strip()!r} is no step; it is 3x3 64, 1x1 16 or pool 2", line)
    network = build.build(x)
    rows = tuple(
        (
            node.name,
            shape_text(node.output_shape),
            node.output_shape[-1],
            node.output_shape[0] * node.output_shape[1] * node.output_shape[2],
        )
        for node in network.layers
    )
    return Made(lambda _: (TablePart(head, rows),))


KINDS: dict[str, Callable[[Drawn, Language], Made]] = {
    "bottleneck": bottleneck,
    "inception": inception,
    "stack": stack,
    "kernel": kernel,
    "expressivity": expressivity,
    "way": pooling,
}
