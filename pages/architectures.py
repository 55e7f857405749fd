"""A network layer by layer: table, totals, diagram, code and paper."""

import pandas as pd
import streamlit as st

from cnnlab import analysis, architectures, diagram, units
from cnnlab.architectures import ARCHITECTURES
from cnnlab.errors import UserError
from cnnlab.kinds import KINDS, kind
from cnnlab.layers import shape_text
from cnnlab.network import Network
from pages.shared.navigation import enter_through_app
from pages.shared.parts import address_select, architecture_title, switch_control

enter_through_app()

COLUMNS = {
    "name": "Layer",
    "type": "Type",
    "output_shape": "Output shape",
    "kernel": "Kernel / stride",
    "parameters": "Parameters",
    "multiply_adds": "Multiply-adds",
}


def layer_table(network: Network) -> object:
    """The rows with the colour of each layer's kind and grouped digits."""
    table = pd.DataFrame(analysis.rows(network))[list(COLUMNS)].rename(columns=COLUMNS)
    table["Output shape"] = [shape_text(node.output_shape) for node in network.layers]
    colours = [f"background-color: {kind(node.layer).colour}40" for node in network.layers]
    return table.style.format("{:,}", subset=["Parameters", "Multiply-adds"]).apply(lambda _: colours, subset=["Type"])


st.title("Architectures", anchor=False)
st.write("Take a network apart: what each layer gives, what it holds, and what it costs.")

with st.container(horizontal=True, vertical_alignment="bottom"):
    name = address_select("Architecture", list(ARCHITECTURES), "architecture", architecture_title, width=220)
    chosen = ARCHITECTURES[name]
    values = {
        switch.name: switch_control(switch, f"{name}.{switch.name}", switch.default, bind=True)
        for switch in chosen.switches
    }

try:
    network = architectures.build(name, values)
except UserError as error:
    st.error(str(error))
    st.stop()

st.write(chosen.summary)
totals = analysis.totals(network)
with st.container(horizontal=True):
    st.metric("Parameters", units.count(totals["parameters"]), help=units.short(totals["parameters"]), border=True)
    st.metric("Trainable", units.count(totals["trainable"]), help="Learned by gradient descent.", border=True)
    st.metric(
        "Non-trainable",
        units.count(totals["non_trainable"]),
        help="Moving mean and variance of batch normalization: measured, not learned.",
        border=True,
    )
    st.metric(
        "Multiply-adds",
        units.short(totals["multiply_adds"]),
        help=f"{units.count(totals['multiply_adds'])} for one image. One multiply-accumulate is 2 FLOP; biases, "
        "normalization, activations and pooling are not counted.",
        border=True,
    )
    st.metric(
        "Weight memory",
        units.size(totals["weight_bytes"]),
        help=f"{units.count(totals['weight_bytes'])} bytes: four for each parameter (float32). 1 MB = 10⁶ bytes.",
        border=True,
    )

layers, picture, code, paper = st.tabs(
    ["Layers", "Diagram", "Code", "Paper"], key="view", on_change="rerun", bind="query-params"
)
if layers.open:
    with layers:
        st.dataframe(layer_table(network), hide_index=True, height=440)
        st.download_button(
            "Download CSV", analysis.table_csv(network), f"{name}.csv", "text/csv", icon=":material/download:"
        )
if picture.open:
    with picture:
        with st.container(horizontal=True, vertical_alignment="center"):
            detail = st.segmented_control(
                "Detail",
                ["Modules", "Layers"],
                default="Modules",
                required=True,
                key="detail",
                bind="query-params",
                label_visibility="collapsed",
            )
            swatches = " ".join(
                f'<span style="white-space:nowrap;margin-right:0.9em"><span style="display:inline-block;width:0.8em;'
                f'height:0.8em;border-radius:2px;background:{item.colour}"></span> {item.title}</span>'
                for item in KINDS
            )
            st.html(f'<div style="font-size:0.85rem;text-align:right">{swatches}</div>')
        with st.container(height=560, border=True, horizontal_alignment="center"):
            draw = diagram.module_diagram if detail == "Modules" else diagram.layer_diagram
            st.graphviz_chart(draw(network))
if code.open:
    with code:
        st.caption("The function that draws this network: the code shown is the code run.")
        st.code(chosen.source, "python")
if paper.open:
    with paper:
        st.markdown(
            f"{chosen.paper.authors}: [{chosen.paper.title}]({chosen.paper.url}). {chosen.paper.venue}, "
            f"{chosen.paper.where}."
        )
        st.markdown(f"In the lecture: part *{chosen.lecture}*.")
        st.page_link("pages/train.py", label=f"Train {chosen.title}", query_params={"architecture": name})
