"""Live parts that show networks: landscapes, tables, totals, printed figures, code."""

from __future__ import annotations

from collections.abc import Callable

import plotly.graph_objects as go

from cnnlab import plots
from cnnlab.architectures import ARCHITECTURES, comparison
from cnnlab.architectures.comparison import Candidate
from cnnlab.lecture import published
from cnnlab.lecture.course.block import Drawn
from cnnlab.lecture.course.language import Language
from cnnlab.lecture.course.making import Made, terms
from cnnlab.lecture.course.parts import (
    ChartPart,
    CodePart,
    LandscapePart,
    LinkPart,
    TablePart,
    TextPart,
)
from cnnlab.lecture.exercises.choosing import MEASURES
from cnnlab.lecture.snippets import LOSS_SNIPPET, published_weights_snippet
from cnnlab.network import Network, analysis
from cnnlab.network.layers import shape_text
from cnnlab.network.modules import module_rows, modules
from cnnlab.plots.colours import BLUE, ORANGE

MOST_ROWS = 60
SNIPPETS = {"vgg16": published_weights_snippet("VGG16"), "loss": LOSS_SNIPPET}


def landscape(drawn: Drawn, language: Language) -> Made:
    line, text = drawn.one("network")
    network = drawn.network_of(text, line)
    candidate = Candidate.parse(text.replace(";", ",")).text
    inside = LinkPart("pages/microscope.py", language.word("look_inside"), {"network": candidate})
    return Made(lambda _: (LandscapePart(network), inside))


def layers(drawn: Drawn, language: Language) -> Made:
    """The layers of a network, or of one of its modules, as Keras's summary lists them and a little more."""
    network = drawn.network()
    line, wanted = drawn.line("modules", "")
    known = dict(modules(network))
    if wrong := [name for name in wanted.split() if name not in known]:
        raise drawn.block.error(f"{network.name} has no module {wrong[0]!r}", line)
    chosen = set(wanted.split()) or set(known)
    head = tuple(
        language.term(one)
        for one in (
            "Layer",
            "Type",
            "Output shape",
            "Window / stride",
            "Parameters",
            "Multiply-adds",
            "Receptive field",
        )
    )
    rows = tuple(
        (
            row["name"],
            row["type"],
            shape_text(tuple(row["output_shape"])),
            row["kernel"],
            row["parameters"],
            row["multiply_adds"],
            row["receptive_field"],
        )
        for row in analysis.rows(network)
        if row["module"] in chosen
    )
    return Made(lambda _: (TablePart(head, rows), TextPart(totals_text(network, language))))


def totals_text(network: Network, language: Language) -> str:
    return language.word(
        "totals_of",
        parameters=network.parameters,
        trainable=network.trainable,
        non_trainable=network.non_trainable,
        multiply_adds=network.multiply_adds,
    )


def module_table(drawn: Drawn, language: Language) -> Made:
    network = drawn.network()
    head = tuple(
        language.term(one)
        for one in ("Module", "Contents", "Output shape", "Parameters", "Multiply-adds", "Receptive field")
    )
    rows = tuple(
        (
            row["name"],
            row["contents"],
            shape_text(tuple(row["output_shape"])),
            row["parameters"],
            row["multiply_adds"],
            row["receptive_field"],
        )
        for row in module_rows(network)
    )
    return Made(lambda _: (TablePart(head, rows), TextPart(totals_text(network, language))))


def networks_of(drawn: Drawn) -> list[tuple[str, Network]]:
    line, value = drawn.line("networks")
    texts = value.split()
    return [(Candidate.parse(one.replace(";", ",")).label, drawn.network_of(one, line)) for one in texts]


def totals(drawn: Drawn, language: Language) -> Made:
    """Networks side by side: depth, parameters, multiply-adds, receptive field of the last maps."""
    found = networks_of(drawn)
    head = tuple(
        language.term(one)
        for one in ("Network", "Input", "Weight layers", "Parameters", "Multiply-adds", "Share of dense layers")
    )
    rows = tuple(
        (
            label,
            shape_text(network.input_shape),
            analysis.weight_layers(network),
            network.parameters,
            network.multiply_adds,
            language.percent(dense_share(network)),
        )
        for label, network in found
    )
    return Made(lambda _: (TablePart(head, rows),))


def dense_share(network: Network) -> float:
    dense = sum(node.parameters for node in network.layers if node.layer.type == "Dense")
    return dense / max(network.parameters, 1)


def stages(drawn: Drawn, language: Language) -> Made:
    """Where, by resolution, parameters or work of networks sit."""
    found = networks_of(drawn)
    measure = drawn.word("measure", MEASURES)
    shares = [
        (label, [(stage["stage"], int(stage[measure])) for stage in comparison.stages(network)])
        for label, network in found
    ]
    unit = language.term(f"measure_{measure}")
    return Made(lambda _: (ChartPart(plots.stacked(shares, unit, relative=True)),))


def configurations(drawn: Drawn, language: Language) -> Made:
    """Networks as the columns of VGG's Table 1."""
    found = networks_of(drawn)
    columns = [comparison.configuration_column(network) for _, network in found]
    names = list(dict.fromkeys(module for column in columns for module in column))
    rows = [
        (name, *(column.get(name, "").replace("\n", ", ") for column in columns))
        for name in names
        if any(column.get(name) for column in columns)
    ]
    rows.append((language.term("Weight layers"), *(str(analysis.weight_layers(network)) for _, network in found)))
    rows.append((language.term("Parameters"), *(language.count(network.parameters) for _, network in found)))
    head = (language.term("Module"), *(label for label, _ in found))
    table = tuple(tuple(row) for row in rows)
    return Made(lambda _: (TablePart(head, table),))


def printed(drawn: Drawn, language: Language) -> Made:
    """A printed table's figures beside ours, of one network or several that stand in it."""
    at, value = drawn.line("network")
    names = value.split()
    if wrong := [name for name in names if name not in ARCHITECTURES]:
        raise drawn.block.error(f"there is no architecture {wrong[0]!r}", at)
    tables = published.tables_for(names[0])
    number = drawn.number("table", 0)
    if number >= len(tables):
        raise drawn.block.error(f"{names[0]} stands in {len(tables)} printed tables, numbered from 0")
    table = tables[number]
    if other := [name for name in names if name not in table.architectures]:
        raise drawn.block.error(f"{other[0]} does not stand in that table", at)
    lines = [line for name in names for line in published.compare(table, name)]
    agreeing = sum(line.agrees for line in lines)
    head = terms(language, "Row", "Figure", "Printed", "Ours", "Exactly")
    rows = tuple((line.row, line.quantity, line.printed, line.computed, line.exact) for line in lines[:MOST_ROWS])
    marked = frozenset(place for place, line in enumerate(lines[:MOST_ROWS]) if not line.agrees)
    said = language.word("printed_agree", agreeing=agreeing, count=len(lines), source=table.source)
    notes = tuple(dict.fromkeys(line.note for line in lines if line.note and not line.agrees))
    more = (TextPart(" ".join(notes)),) if notes else ()
    return Made(lambda _: (TextPart(said), TablePart(head, rows, marked), *more))


def accuracies(drawn: Drawn, language: Language) -> Made:
    """What the lecture and the papers report of networks."""
    line, value = drawn.line("networks")
    names = value.split()
    if wrong := [name for name in names if name not in ARCHITECTURES]:
        raise drawn.block.error(f"there is no architecture {wrong[0]!r}", line)
    first_only = drawn.word("figures", ("all", "first"), "all") == "first"
    head = terms(language, "Network", "Data set", "Measure", "Printed", "Conditions", "Source")
    rows = tuple(
        (
            ARCHITECTURES[name].title,
            found.dataset,
            language.term(found.metric),
            found.printed,
            found.conditions,
            found.source,
        )
        for name in names
        for found in figures_of(name, first_only)
    )
    return Made(lambda _: (TablePart(head, rows),))


def figures_of(name: str, first_only: bool) -> list[published.PublishedAccuracy]:
    """What is reported of an architecture, or of each measure only the first figure."""
    found = published.accuracies_for(name)
    if not first_only:
        return found
    return list({item.metric: item for item in reversed(found)}.values())[::-1]


def code(drawn: Drawn, language: Language) -> Made:
    """The function that draws a network, or a snippet of the lecture."""
    if drawn.has("snippet"):
        text = SNIPPETS[drawn.word("snippet", tuple(SNIPPETS))]
        return Made(lambda _: (CodePart(text),))
    name = drawn.word("network", tuple(ARCHITECTURES))
    return Made(lambda _: (CodePart(ARCHITECTURES[name].source),))


def filters(drawn: Drawn, language: Language) -> Made:
    """Maps, their height and the window of each convolution and pooling, in order: what stays and what grows."""
    network = drawn.network()
    nodes = [node for node in network.layers if node.layer.has_window]
    figure = go.Figure()
    for name, values, colour in (
        ("Maps", [node.output_shape[-1] for node in nodes], BLUE),
        ("Height", [node.output_shape[0] for node in nodes], ORANGE),
    ):
        figure.add_scatter(
            x=[node.name for node in nodes],
            y=values,
            name=name,
            mode="lines+markers",
            line={"color": colour, "width": 2},
            customdata=[analysis.kernel_text(node) for node in nodes],
            hovertemplate="%{x}: %{y:,}, %{customdata}<extra></extra>",
        )
    figure.update_layout(
        height=320, margin=plots.MARGIN, legend=plots.LEGEND, yaxis={"title": "Maps, pixels", "rangemode": "tozero"}
    )
    windows = ", ".join(sorted({analysis.kernel_text(node) for node in nodes if node.layer.weighted}))
    said = language.word("windows_of", windows=windows)
    return Made(lambda _: (ChartPart(figure), TextPart(said)))


KINDS: dict[str, Callable[[Drawn, Language], Made]] = {
    "landscape": landscape,
    "layers": layers,
    "modules": module_table,
    "totals": totals,
    "stages": stages,
    "filters": filters,
    "configurations": configurations,
    "printed": printed,
    "accuracies": accuracies,
    "code": code,
}
