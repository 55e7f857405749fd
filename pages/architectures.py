"""A network layer by layer: table, totals, diagram, the published figures beside ours, code and paper."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Literal

import pandas as pd
import streamlit as st

from cnnlab import architectures, units
from cnnlab.architectures import ARCHITECTURES, Architecture
from cnnlab.architectures.comparison import Candidate
from cnnlab.architectures.options import Value
from cnnlab.errors import UserError
from cnnlab.keras import script as codegen
from cnnlab.lecture import published
from cnnlab.lecture.snippets import PUBLISHED_WEIGHTS, published_weights_snippet
from cnnlab.network import Network, analysis, modules
from cnnlab.network.analysis import NetworkTotals, Row
from cnnlab.network.layers import shape_text
from cnnlab.network.modules import ModuleRow
from pages.components.landscape import show_landscape
from pages.shared.address import address_select, address_tabs, tab_title
from pages.shared.errors import show_error
from pages.shared.given import MICROSCOPE
from pages.shared.navigation import enter_through_app
from pages.shared.network import design_link, offer_json
from pages.shared.parts import architecture_choice, lecture_thread, option_control
from pages.shared.tables import NOTHING

enter_through_app()

COUNTS: list[Hashable] = ["Parameters", "Multiply-adds"]
VIEWS = ["Layers", "Modules", "Diagram", "Published", "Code", "Paper"]
LAYER_COLUMNS = {
    "name": "Layer",
    "type": "Type",
    "contents": "Contents",
    "output_shape": "Output shape",
    "kernel": "Kernel / stride",
    "parameters": "Parameters",
    "multiply_adds": "Multiply-adds",
}
Total = Literal["parameters", "trainable", "non_trainable", "multiply_adds", "weight_bytes"]
CONFIG = {
    "Share": st.column_config.ProgressColumn(
        format="percent", min_value=0, max_value=1, width="small", help="Share of all parameters."
    ),
    "Receptive field": st.column_config.TextColumn(
        help="How many input pixels, in height, one value depends on / how many lie between neighbouring values."
    ),
    "Activations": st.column_config.TextColumn(help="What the output takes for one image, as float32."),
}


def table_of(network: Network, rows: Sequence[Row] | Sequence[ModuleRow]) -> pd.DataFrame:
    """Rows of layers or modules with readable headings and units."""
    table = pd.DataFrame(rows)
    table["output_shape"] = [shape_text(tuple(shape)) for shape in table["output_shape"]]
    shown = table[[name for name in LAYER_COLUMNS if name in table]].rename(columns=LAYER_COLUMNS)
    fields = zip(table["receptive_field"], table["receptive_stride"], strict=True)
    shown["Receptive field"] = [f"{field} / {stride}" for field, stride in fields]
    shown["Activations"] = [units.size(value) for value in table["activation_bytes"]]
    shown["Share"] = table["parameters"] / max(network.parameters, 1)
    return shown


def show_layers(network: Network) -> None:
    table = table_of(network, analysis.rows(network))
    colours = [f"background-color: {node.layer.family.colour}40" for node in network.layers]
    styled = table.style.format("{:,}", subset=COUNTS).apply(lambda _: colours, subset=["Type"])
    st.dataframe(styled, hide_index=True, placeholder=NOTHING, height=430, column_config=CONFIG)


def show_modules(network: Network) -> None:
    table = table_of(network, modules.module_rows(network)).rename(columns={"Layer": "Module"})
    styled = table.style.format("{:,}", subset=COUNTS)
    st.dataframe(styled, hide_index=True, placeholder=NOTHING, height="content", column_config=CONFIG)


def show_published(name: str) -> None:
    st.caption("What the lecture and the papers print, and what these functions give. Options above play no part here.")
    for table in published.tables_for(name):
        lines = published.compare(table, name)
        agreeing = sum(line.agrees for line in lines)
        st.markdown(f"**{table.title}**: {agreeing} of {len(lines)} figures agree.")
        if table.convention:
            st.caption(table.convention)
        frame = pd.DataFrame(
            {
                "Row": [line.row for line in lines],
                "Figure": [line.quantity for line in lines],
                "Printed": [line.printed for line in lines],
                "Ours": [line.computed for line in lines],
                "Exactly": [line.exact for line in lines],
                "Deviation": [f"{line.deviation:+.1%}" if line.deviation else "" for line in lines],
                "Why": [line.note for line in lines],
            }
        )
        tint = [f"background-color: {'#009E7320' if line.agrees else '#E69F0040'}" for line in lines]
        styled = frame.style.apply(lambda _, tint=tint: tint, subset=["Ours"])
        st.dataframe(styled, hide_index=True, column_config={"Why": st.column_config.TextColumn(width="large")})
        st.caption(f"Source: {table.source}")


def difference(ours: int, usual: int, text: Callable[[int], str]) -> str | None:
    """How a total differs from that of the default options, where it does."""
    change = ours - usual
    return f"{'+' if change > 0 else '−'}{text(abs(change))} to default" if change else None


def show_totals(totals: NetworkTotals, usual: NetworkTotals) -> None:
    """Five cards: what the network holds and costs, and how that differs from the default options."""
    cards: tuple[tuple[str, Total, Callable[[int], str], str], ...] = (
        ("Parameters", "parameters", units.count, units.short(totals["parameters"])),
        ("Trainable", "trainable", units.count, "Learned by gradient descent."),
        (
            "Non-trainable",
            "non_trainable",
            units.count,
            "Moving mean and variance of batch normalization: measured, not learned.",
        ),
        (
            "Multiply-adds",
            "multiply_adds",
            units.short,
            f"{units.count(totals['multiply_adds'])} for one image. One multiply-accumulate is 2 FLOP; biases, "
            "normalization, activations and pooling are not counted.",
        ),
        (
            "Weight memory",
            "weight_bytes",
            units.size,
            f"{units.count(totals['weight_bytes'])} bytes: four for each parameter (float32). 1 MB = 10⁶ bytes.",
        ),
    )
    with st.container(horizontal=True):
        for label, name, text, words in cards:
            change = difference(totals[name], usual[name], text)
            st.metric(label, text(totals[name]), change, delta_color="off", help=words, border=True)


def show_code(name: str, chosen: Architecture, network: Network, values: Mapping[str, Value]) -> None:
    if name in PUBLISHED_WEIGHTS:
        st.markdown("**With ImageNet's weights, in Keras**")
        st.code(published_weights_snippet(PUBLISHED_WEIGHTS[name]), "python")
        st.page_link("pages/predict.py", label="Fetch and ask these weights here", icon=":material/arrow_forward:")
    ours, keras = st.columns(2)
    ours.markdown("**The function that draws this network** (the code shown is the code run)")
    ours.code(chosen.source, "python", height=480)
    script = codegen.keras_script(network, values)
    with keras.container(horizontal=True, vertical_alignment="center"):
        st.markdown("**The same in Keras, for these options**")
        st.download_button("Download", script, f"{name}.py", "text/x-python", icon=":material/download:")
        offer_json(network)
    keras.code(script, "python", height=480)


def show_paper(name: str, chosen: Architecture) -> None:
    st.markdown(chosen.summary)
    st.markdown(
        f"{chosen.paper.authors}: [{chosen.paper.title}]({chosen.paper.url}). {chosen.paper.venue}, "
        f"{chosen.paper.where}."
    )
    if chosen.lecture:
        lecture_thread(chosen.lecture)
    st.page_link("pages/train.py", label=f"Train {chosen.title}", query_params={"architecture": name})


def main() -> None:
    st.title("Architectures", anchor=False)
    st.write("Take a network apart: what each layer gives, what it holds, and what it costs.")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = address_select(
            "Architecture",
            list(ARCHITECTURES),
            "architecture",
            architecture_choice,
            width=260,
            help="The lecture's come first; then those that were published before and after them, with their year.",
        )
        chosen = ARCHITECTURES[name]
        tab_title(chosen.title)
        values = {
            option.name: option_control(option, f"{name}.{option.name}", option.default, bind=True, width=150)
            for option in chosen.options
        }
    try:
        network = architectures.build(name, values)
    except UserError as error:
        show_error(error)
        st.stop()
    show_totals(analysis.totals(network), analysis.totals(architectures.build(name)))
    for view, tab in address_tabs(VIEWS, "view").items():
        if not tab.open:
            continue
        with tab:
            match view:
                case "Layers":
                    show_layers(network)
                    st.download_button(
                        "Download CSV",
                        analysis.table_csv(network),
                        f"{name}.csv",
                        "text/csv",
                        icon=":material/download:",
                    )
                case "Modules":
                    show_modules(network)
                case "Diagram":
                    show_landscape(network, f"{name}.open")
                    st.page_link(
                        MICROSCOPE,
                        label="Look inside: what it makes of an image",
                        icon=":material/biotech:",
                        query_params={"network": Candidate.of(name, values).text},
                    )
                    design_link(Candidate.of(name, values).text)
                case "Published":
                    show_published(name)
                case "Code":
                    show_code(name, chosen, network, values)
                case _:
                    show_paper(name, chosen)


main()
