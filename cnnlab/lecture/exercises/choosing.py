"""Which is cheaper, where a network's parameters sit, which layer looks here."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import plotly.graph_objects as go
from PIL import Image, ImageDraw

from cnnlab.architectures.comparison import Candidate
from cnnlab.datasets.images import Pixels, read_image, resize
from cnnlab.errors import UserError
from cnnlab.lecture.course.block import Drawn, title_of
from cnnlab.lecture.course.language import Amounts, Fact, Language, Phrase
from cnnlab.lecture.course.parts import ChartPart, Part, PicturesPart
from cnnlab.lecture.exercises.question import AnswerOption, Question, Reason
from cnnlab.network import Builder, Network, Node
from cnnlab.network.analysis import receptive_fields_along
from cnnlab.plots import MARGIN
from cnnlab.plots.colours import BLUE, VERMILLION
from cnnlab.zoo.samples import all_samples

Measure = Literal["parameters", "multiply_adds"]
MEASURES: tuple[Measure, ...] = get_args(Measure)
Grouping = Literal["module", "type"]
GROUPINGS: tuple[Grouping, ...] = get_args(Grouping)
OPTIONS = range(2, 7)
MOST_SHOWN = 6
SAMPLES = [sample.file for sample in all_samples()]
PICTURE_SIDE = 320


def cheaper(drawn: Drawn) -> Question:
    """Which of several paths of layers, or of several networks, costs less."""
    measure = drawn.word("measure", MEASURES)
    lines = drawn.lines("option")
    given = drawn.shape("input") if drawn.has("input") else None
    if len(lines) not in OPTIONS:
        raise UserError("a question which is cheaper needs two to six lines “option: …”")
    costs: dict[str, int] = {}
    for line, text in lines:
        network = path_of(drawn, given, text, line) if given else drawn.network_of(text, line)
        costs[network.name if given else Candidate.parse(text.replace(";", ",")).label] = int(getattr(network, measure))
    if len(set(costs.values())) != len(lines):
        raise UserError("two of the options cost the same")
    answer = min(costs, key=costs.__getitem__)
    table = Amounts(tuple(sorted(costs.items(), key=lambda one: one[1])))
    facts: dict[str, Fact] = {
        "measure": Phrase(f"measure_{measure}"),
        "input": given or "",
        "answer": answer,
        "least": costs[answer],
    }
    reasons = tuple(
        Reason(name, "dearer", {"chosen": name, "cost": cost, "times": round(cost / costs[answer], 3)})
        for name, cost in costs.items()
        if name != answer
    )
    options = tuple(AnswerOption(name, name) for name in drawn.shuffled(list(costs)))
    asks = "cheaper_layers" if given else "cheaper_networks"
    return Question("options", asks, "cheaper", {**facts, "table": table}, answer, reasons, options)


def path_of(drawn: Drawn, given: tuple[int, ...], text: str, line: int) -> Network:
    """`1x1 16 > 5x5 32` as a network of convolutions, padding same; `3x3 depthwise` for each channel by itself."""
    build = Builder("exercise")
    x = build.input(given)
    words = []
    for place, step in enumerate(text.split(">")):
        parts = step.split()
        size = parts[0].partition("x")[0] if parts else ""
        if len(parts) != 2 or not size.isdigit() or not (parts[1].isdigit() or parts[1] == "depthwise"):
            raise drawn.block.error(f"{text!r} is no path; it is written as 1x1 16 > 5x5 32", line)
        if parts[1] == "depthwise":
            x = build.depthwise_conv(x, int(size), name=f"layer{place}")
            words.append(f"{size}×{size} depthwise")
        else:
            x = build.conv(x, int(parts[1]), int(size), name=f"layer{place}")
            words.append(f"{size}×{size}, {parts[1]}")
    made = build.build(x)
    return Network(" → ".join(words), made.layers, made.outputs)


def where(drawn: Drawn) -> Question:
    """In which module, or in which kind of layer, most parameters or most work sit."""
    network = drawn.network()
    measure = drawn.word("measure", MEASURES)
    by = drawn.word("by", GROUPINGS, "module")
    groups = grouped(network, by)
    sums, others = (counted(groups, one) for one in (measure, MEASURES[1 - MEASURES.index(measure)]))
    shown = sorted(groups, key=lambda name: -sums[name])[:MOST_SHOWN]
    if len(shown) < 2 or sums[shown[0]] == sums[shown[1]]:
        raise UserError(f"no single {by} of {network.name} holds most {measure}")
    answer, whole = shown[0], sum(sums.values())
    reasons = []
    for name in shown[1:]:
        key = f"where_other_{measure}" if name == max(others, key=others.__getitem__) else "where_less"
        shares: dict[str, Fact] = {"chosen": name, "percent": round(100 * sums[name] / whole, 1)}
        reasons.append(Reason(name, key, shares))
    facts: dict[str, Fact] = {
        "network": title_of(network),
        "measure": Phrase(f"measure_{measure}"),
        "answer": answer,
        "share": round(100 * sums[answer] / whole, 1),
        "least": sums[answer],
    }
    names = list(groups)
    options = tuple(AnswerOption(name, name) for name in names if name in shown)

    def after(language: Language) -> tuple[Part, ...]:
        return (ChartPart(bars(names, [sums[name] for name in names], language.term(f"measure_{measure}"), answer)),)

    return Question("options", f"where_{by}", "where", facts, answer, tuple(reasons), options, after=after)


def grouped(network: Network, by: str) -> dict[str, list[Node]]:
    """Its layers by module or by kind, without the input."""
    found: dict[str, list[Node]] = {}
    for node in network.layers[1:]:
        found.setdefault(node.module if by == "module" else node.layer.type, []).append(node)
    return found


def counted(groups: dict[str, list[Node]], measure: Measure) -> dict[str, int]:
    return {name: sum(int(getattr(node, measure)) for node in nodes) for name, nodes in groups.items()}


def bars(names: list[str], values: list[int], title: str, marked: str) -> go.Figure:
    figure = go.Figure()
    figure.add_bar(
        x=names,
        y=values,
        marker={"color": [VERMILLION if name == marked else BLUE for name in names]},
        hovertemplate="%{x}: %{y:,}<extra></extra>",
    )
    figure.update_layout(height=260, margin=MARGIN, yaxis={"title": title}, xaxis={"type": "category"})
    return figure


def looks(drawn: Drawn) -> Question:
    """Which layer looks at the marked part: by the size of its receptive field."""
    network = drawn.network()
    line, value = drawn.line("layers")
    names = value.split()
    known = {node.name for node in network.layers}
    if wrong := [name for name in names if name not in known]:
        raise drawn.block.error(f"{network.name} has no layer {wrong[0]!r}", line)
    sizes = {name: receptive_fields_along(network, 0)[name].size for name in names}
    if len(names) not in OPTIONS or len(set(sizes.values())) != len(names):
        raise drawn.block.error("it takes two to six layers whose receptive fields differ", line)
    picture = drawn.word("picture", SAMPLES)
    line, target = drawn.one("answer", names[0])
    if target not in names:
        raise drawn.block.error(f"{target!r} is none of the layers {value}", line)
    side = network.input_shape[0]
    reasons = tuple(
        Reason(
            name, "looks_less" if sizes[name] < sizes[target] else "looks_more", {"chosen": name, "size": sizes[name]}
        )
        for name in names
        if name != target
    )
    facts: dict[str, Fact] = {"network": title_of(network), "side": side, "answer": target, "size": sizes[target]}

    def before(language: Language) -> tuple[Part, ...]:
        marked = marked_picture(sample(picture), side, sizes[target])
        return (PicturesPart((marked,), (language.word("marked_part", side=side),), PICTURE_SIDE),)

    options = tuple(AnswerOption(name, name) for name in names)
    return Question("options", "looks", "looks", facts, target, reasons, options, before=before)


def sample(file: str) -> Pixels:
    """A picture that comes with cnnlab."""
    found = next(one for one in all_samples() if one.file == file)
    return read_image(found.read(), found.file)


def marked_picture(pixels: Pixels, side: int, size: int) -> Image.Image:
    """The middle square of a picture as a network of this input side gets it, with a square of `size` marked."""
    least = min(pixels.shape[:2])
    top, left = ((extent - least) // 2 for extent in pixels.shape[:2])
    square = np.ascontiguousarray(pixels[top : top + least, left : left + least])
    scale = max(1, round(2 * PICTURE_SIDE / side))
    image = Image.fromarray(resize(square, side, side)).resize((side * scale,) * 2, Image.Resampling.NEAREST)
    begin = max(0, (side - size) // 2) * scale
    end = min(side, (side - size) // 2 + size) * scale
    ImageDraw.Draw(image).rectangle((begin, begin, end - 1, end - 1), outline=VERMILLION, width=max(3, scale // 2))
    return image
