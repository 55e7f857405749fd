"""What 1x1 convolutions save: before one convolution, inside an inception module, and inside VGG."""

from collections.abc import Callable, Hashable, Iterator

import pandas as pd
import streamlit as st

from cnnlab import architectures, units
from cnnlab.architectures import ARCHITECTURES
from cnnlab.errors import UserError
from cnnlab.lecture import reduction
from cnnlab.lecture.reduction import COST_MEASURES, Bottleneck, Cost, CostMeasure, Inception
from cnnlab.lecture.reduction_plots import WORDS, branch_bars, formula, path_text, width_curve
from cnnlab.lecture.snippets import bottleneck_snippets
from cnnlab.network.analysis import weight_layers
from cnnlab.network.layers import Padding, shape_text
from pages.shared.address import address_check, address_number, address_select, address_tabs
from pages.shared.charts import show_chart
from pages.shared.errors import show_error
from pages.shared.navigation import enter_through_app
from pages.shared.parts import learn_link

enter_through_app()

OWN_NUMBERS = "Own numbers"
SIDE_BY_SIDE = "side-by-side"  # two equal columns on a laptop, one below the other in a narrow window
PATHS_STYLE = f"""<style>
[class*=st-key-{SIDE_BY_SIDE}] > div {{min-width: min(34rem, 100%)}}
.katex-display {{padding: 0 4px}}  /* an italic letter at the end of a line leans out of its box */
</style>"""
PADDINGS: tuple[Padding, ...] = ("valid", "same")
BOTTLENECK = {  # the lecture's case
    "height": ("Height H", 28, "Height of the input, in pixels."),
    "width": ("Width W", 28, "Width of the input, in pixels."),
    "channels": ("Channels C", 192, "Feature maps of the input."),
    "kernel": ("Kernel K", 5, "Height and width of the convolution's window, in pixels."),
    "filters": ("Filters F", 32, "Feature maps that the convolution gives."),
    "bottleneck": ("Bottleneck B", 16, "Filters of the 1×1 convolution before it."),
}
OWN_MODULE = {  # inception 3a
    "own_height": ("Height", 28, "Height of the module's input, in pixels."),
    "own_width": ("Width", 28, "Width of the module's input, in pixels."),
    "own_channels": ("Channels", 192, "Feature maps of the module's input."),
    "n1": ("#1×1", 64, "Filters of the 1×1 convolution beside the others."),
    "r3": ("#3×3 reduce", 96, "Filters of the 1×1 convolution before the 3×3."),
    "n3": ("#3×3", 128, "Filters of the 3×3 convolution."),
    "r5": ("#5×5 reduce", 16, "Filters of the 1×1 convolution before the 5×5."),
    "n5": ("#5×5", 32, "Filters of the 5×5 convolution."),
    "pool": ("pool proj", 32, "Filters of the 1×1 convolution after the pooling."),
}
HELP = {  # of columns, by the first word of their title
    "Factor,": "The left of the two counts divided by the right one.",
    "Receptive": "Height and width, in pixels, of the part of the image that one output value depends on.",
    "Top-1": "Share of ImageNet's validation images whose class is not the one thought most probable.",
    "Top-5": "Share of ImageNet's validation images whose class is not among the five thought most probable.",
}
COUNTED = {
    "parameters": "Weights and biases.",
    "multiply_adds": "For one image. One multiply-accumulate is 2 FLOP; biases are not counted.",
}


def number_inputs(controls: dict[str, tuple[str, int, str]]) -> list[int]:
    """One box for each; every value is in the address under its key."""
    return [address_number(label, key, start, step=1, help=text) for key, (label, start, text) in controls.items()]


def headline(value: int) -> str:
    return units.count(value) if value < 1_000_000_000 else units.short(value)


def side_by_side(key: str) -> Iterator[CostMeasure]:
    """A column for parameters beside one for multiply-adds: what is written in the loop's body goes into it."""
    with st.container(horizontal=True, key=f"{SIDE_BY_SIDE} {key}"):
        columns = {measure: st.container() for measure in COST_MEASURES}
    for measure, column in columns.items():
        with column:
            yield measure


def show_costs(measure: CostMeasure, dear: str, dear_cost: Cost, cheap: str, cheap_cost: Cost) -> None:
    """Three cards: what each of the two costs, and the factor between them."""
    word = WORDS[measure]
    with st.container(horizontal=True):
        for name, cost in ((dear, dear_cost), (cheap, cheap_cost)):
            value = cost.of(measure)
            text = f"{units.count(value)} {word.lower()}. {COUNTED[measure]}"
            st.metric(f"{word}, {name}", headline(value), help=text, border=True)
        factor = dear_cost.factor(cheap_cost, measure)
        if factor is None or factor >= 1:
            text = f"{word}: {dear} divided by {cheap}."
            st.metric("Factor saved", "–" if factor is None else f"{factor:,.2f}×", help=text, border=True)
        else:
            text = f"{word}: {cheap} divided by {dear}. Nothing is saved: the 1×1 costs more than it spares."
            st.metric("Times the cost", f"{1 / factor:,.2f}×", help=text, border=True)


def show_bottleneck() -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        height, width, channels, kernel, filters, bottleneck = number_inputs(BOTTLENECK)
        text = "Valid: the window stays inside the input. Same: zeros around it keep height and width."
        padding = address_select("Padding", PADDINGS, "padding", str, default="valid", help=text)
    case = Bottleneck(height, width, channels, kernel, filters, bottleneck, padding)
    for measure in side_by_side("bottleneck"):
        show_costs(measure, "direct", case.direct.cost, "reduced", case.reduced.cost)
        st.latex(formula(case, measure))
        show_chart(width_curve(case, measure), f"curve {measure}", buttons=False)
    st.caption(
        f"Direct: a {case.kernel}×{case.kernel} convolution on {shape_text(case.input_shape)}, which gives "
        f"{shape_text(case.direct.output_shape)}; H′ and W′ are its height and width. Reduced: first a 1×1 convolution "
        f"to {shape_text(case.reduced.shapes[1])}, then the {case.kernel}×{case.kernel}. At the width B* both cost the "
        "same."
    )
    if address_check("In Keras", "in_keras", help="Both ways as Sequential models, and what their summary prints."):
        for column, (code, printed) in zip(st.columns(2), bottleneck_snippets(case), strict=True):
            column.code(code, "python")
            column.code(printed, None)


def show_table(table: pd.DataFrame, sums: int = 0) -> None:
    """Numbers grouped and to the right, as are factors and what is not there; the last `sums` rows bold."""
    first_sum = len(table) - sums
    bold = ["font-weight: 600" if row >= first_sum else "" for row in range(len(table))]
    counts: list[Hashable] = [name for name in table if pd.api.types.is_integer_dtype(table[name])]
    right = [name for name in map(str, table) if name.startswith(("Factor", "Receptive", "Top"))]
    st.dataframe(
        table.style.format("{:,}", subset=counts).apply(lambda _: bold, axis=0),
        hide_index=True,
        height="content",
        column_config={
            name: st.column_config.TextColumn(help=HELP[name.split()[0]], alignment="right") for name in right
        },
    )


def branch_table(module: Inception) -> tuple[pd.DataFrame, int]:
    branches = module.branches
    table = pd.DataFrame(
        {
            "Branch": [*(branch.name for branch in branches), "Module"],
            "Naive": [
                *(path_text(branch.naive, branch.name == "pooling") for branch in branches),
                f"{module.naive_channels:,} maps",
            ],
            "Reduced": [
                *(path_text(branch.reduced, branch.name == "pooling") for branch in branches),
                f"{module.reduced_channels:,} maps",
            ],
        }
    )
    costs = [(branch.naive.cost, branch.reduced.cost) for branch in branches]
    return with_costs(table, [*costs, (module.naive, module.reduced)]), 1


def with_costs(table: pd.DataFrame, costs: list[tuple[Cost, Cost]]) -> pd.DataFrame:
    """The table with naive, reduced and the factor between them, for parameters and for multiply-adds."""
    for measure in COST_MEASURES:
        word = WORDS[measure]
        table[f"{word}, naive"] = [naive.of(measure) for naive, _ in costs]
        table[f"{word}, reduced"] = [reduced.of(measure) for _, reduced in costs]
        factors = [naive.factor(reduced, measure) for naive, reduced in costs]
        table[f"Factor, {word.lower()}"] = ["–" if factor is None else f"{factor:,.2f}×" for factor in factors]
    return table


def all_modules_table(modules: dict[str, Inception]) -> tuple[pd.DataFrame, int]:
    table = pd.DataFrame(
        {
            "Module": [*modules, "All nine"],
            "Input": [*(shape_text(module.input_shape) for module in modules.values()), ""],
            "Maps": [*(f"{module.naive_channels:,} → {module.reduced_channels:,}" for module in modules.values()), ""],
        }
    )
    costs = [(module.naive, module.reduced) for module in modules.values()]
    naive, reduced = (reduction.together(pair[side] for pair in costs) for side in (0, 1))
    return with_costs(table, [*costs, (naive, reduced)]), 1


def show_inception() -> None:
    modules = reduction.googlenet_modules()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = "One of GoogLeNet's nine modules on its own input, or numbers of your own."
        name = address_select(
            "Module", [*modules, OWN_NUMBERS], "module", str, default=next(iter(modules)), help=text, width=160
        )
        module = Inception(*number_inputs(OWN_MODULE)) if name == OWN_NUMBERS else modules[name]
    for measure in side_by_side("module"):
        show_costs(measure, "naive", module.naive, "reduced", module.reduced)
    show_table(*branch_table(module))
    for measure in side_by_side("branches"):
        show_chart(branch_bars(module, measure), f"bars {measure}", buttons=False)
    st.caption(
        f"The module reads {shape_text(module.input_shape)}. Naive, the paper's Figure 2a: the 1×1, 3×3 and 5×5 work "
        "directly on the input, and the pooled input passes through as it is; with its C maps, n1 + n3 + n5 + C = "
        f"{module.naive_channels:,} come out. Reduced, Figure 2b: 1×1 convolutions stand before the 3×3 and the 5×5 "
        f"and after the pooling, and {module.reduced_channels:,} maps come out. The 5×5 branch of inception 3a is the "
        "lecture's example."
    )
    st.markdown("**All nine modules of GoogLeNet**")
    show_table(*all_modules_table(modules))
    st.caption(
        "Each on the input that it has in GoogLeNet at 224×224×3. Stacked, naive modules would cost more still: they "
        "hand on all the maps that they pooled, and every following input would be wider."
    )


def vgg_table(costs: dict[str, Cost]) -> tuple[pd.DataFrame, int]:
    """The layers that differ, the three of them together, and the whole networks."""
    pairs = reduction.vgg_c_against_d()
    table = pd.DataFrame(
        {
            "Layer": [*(pair.name for pair in pairs), "The three", "Whole network"],
            "Input": [*(shape_text(pair.input_shape) for pair in pairs), "", ""],
        }
    )
    for side, name in enumerate("CD"):
        table[f"Window, {name}"] = [*(f"{pair.kernels[side]}×{pair.kernels[side]}" for pair in pairs), "", ""]
    for measure in COST_MEASURES:
        for side, name in enumerate("CD"):
            three = reduction.together(pair.costs[side] for pair in pairs)
            counted = [*(pair.costs[side] for pair in pairs), three, costs[name]]
            table[f"{WORDS[measure]}, {name}"] = [cost.of(measure) for cost in counted]
    for side, name in enumerate("CD"):
        table[f"Receptive field, {name} (px)"] = [*(str(pair.receptive_fields[side]) for pair in pairs), "", ""]
    return table, 2


def published_table(costs: dict[str, Cost]) -> pd.DataFrame:
    errors = reduction.vgg_errors()
    return pd.DataFrame(
        {
            "Configuration": [f"VGG {error.configuration}" for error in errors],
            "Weight layers": [weight_layers(architectures.build(error.name)) for error in errors],
            "Parameters": [costs[error.configuration].parameters for error in errors],
            "Multiply-adds": [costs[error.configuration].multiply_adds for error in errors],
            "Top-1 error": [f"{error.top1:.1f}%" for error in errors],
            "Top-5 error": [f"{error.top5:.1f}%" for error in errors],
        }
    )


def show_vgg() -> None:
    costs = {error.configuration: reduction.network_cost(error.name) for error in reduction.vgg_errors()}
    st.write(
        "VGG C and D have 16 weight layers each and differ in three: C has 1×1 convolutions where D has 3×3. These "
        "1×1 reduce nothing, for they have as many filters as their input has maps: what they add is a non-linearity."
    )
    for measure in side_by_side("vgg"):
        show_costs(measure, "VGG D", costs["D"], "VGG C", costs["C"])
    show_table(*vgg_table(costs))
    st.write(
        "The paper found C better than B, so the extra non-linearity helps, and D better than C: it is also important "
        "to see spatial context, with windows wider than one pixel (section 4.1)."
    )
    show_table(published_table(costs))
    paper = ARCHITECTURES["vgg_c"].paper
    st.caption(
        f"Counts computed from the networks. Errors on ImageNet's validation images as printed in "
        f"[{paper.authors}]({paper.url}), Table 3: one test scale, smallest side S = 256 in training, Q = 256 in the "
        "test."
    )


def show(part: Callable[[], None]) -> None:
    """A part of the page; numbers that cannot be are said in one line."""
    try:
        part()
    except UserError as error:
        show_error(error)


def main() -> None:
    lin = ARCHITECTURES["nin"].paper
    st.html(PATHS_STYLE)
    st.title("1×1 convolutions", anchor=False)
    st.markdown(
        "See what a 1×1 convolution saves before a costly one: the lecture's part *How to use 1x1 convolutions*, after "
        f'[{lin.title}]({lin.url} "{lin.authors}, {lin.venue}") (2014).'
    )
    parts = {"Bottleneck": show_bottleneck, "Inception module": show_inception, "VGG C against D": show_vgg}
    for tab, part in zip(address_tabs(list(parts), "view").values(), parts.values(), strict=True):
        if tab.open:
            with tab:
                show(part)
    with st.container(horizontal=True):
        st.caption("On with the lecture:", width="content")
        learn_link("one-by-one")
        for name in ("nin", "googlenet", "vgg_c"):
            st.page_link(
                "pages/architectures.py",
                label=ARCHITECTURES[name].title,
                icon=":material/arrow_forward:",
                query_params={"architecture": name},
            )


main()
