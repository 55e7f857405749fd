"""Networks side by side: totals, where they sit, accuracy, and two of them layer by layer."""

from collections.abc import Sequence
from typing import Literal

import pandas as pd
import streamlit as st

from cnnlab import architectures, plots, text, units
from cnnlab.architectures import ARCHITECTURES, comparison
from cnnlab.architectures.comparison import Candidate
from cnnlab.design.store import OF_DESIGN
from cnnlab.errors import UserError
from cnnlab.lecture import published
from cnnlab.network.layers import shape_text
from cnnlab.zoo import catalogue
from pages.shared.accuracies import OwnRuns, own_runs, show_accuracies
from pages.shared.address import address_number, address_segments, address_tabs, asked_all, go
from pages.shared.charts import show_chart
from pages.shared.errors import show_error
from pages.shared.navigation import enter_through_app
from pages.shared.network import design_titles
from pages.shared.parts import architecture_choice, dataset_title, describe_runs, option_control, runs_folder

enter_through_app()

START = ("minivggnet", "minigooglenet", "nin")
VGG_TABLE = ("vgg_a", "vgg_a_lrn", "vgg_b", "vgg_c", "vgg16", "vgg19")
IMAGENET_NETWORKS = (
    "alexnet",
    "zfnet",
    "vgg16",
    "googlenet",
    "resnet18",
    "resnet34",
    "resnet50",
    "squeezenet",
    "mobilenet",
    "mobilenet_v2",
)
CIFAR_NETWORKS = ("nin", "minivggnet", "minigooglenet", "resnet20", "resnet56", "densenet_bc")
MOST_COMPARED = 24
IDENTITIES, LAST_IDENTITY = "networks on the page", "last network on the page"
UNITS: dict[Literal["parameters", "multiply_adds"], str] = {
    "parameters": "parameters",
    "multiply_adds": "multiply-adds",
}


def candidates() -> list[Candidate]:
    """The networks named in the address, or the page's start; what cannot be read is said and left out."""
    found = []
    for given in asked_all("network")[:MOST_COMPARED] or START:
        try:
            candidate = catalogue.candidate(given, runs_folder())
            candidate.network()
        except UserError as error:
            show_error(error)
        else:
            found.append(candidate)
    return found


def show(chosen: Sequence[Candidate | str]) -> None:
    """Put these networks into the address, and so on the page."""
    go(network=[item if isinstance(item, str) else item.text for item in chosen])


def identities(chosen: list[Candidate]) -> list[int]:
    """A number for each network that goes with it wherever it moves in the row, and with no other ever."""
    before: list[tuple[str, int]] = st.session_state.get(IDENTITIES, [])
    now = []
    for candidate in chosen:
        known = next((one for one in before if one[0] == candidate.text), None)
        if known:
            before = [one for one in before if one != known]
        else:
            st.session_state[LAST_IDENTITY] = st.session_state.get(LAST_IDENTITY, 0) + 1
        now.append(known or (candidate.text, st.session_state[LAST_IDENTITY]))
    st.session_state[IDENTITIES] = now
    return [number for _, number in now]


def forget(identity: int) -> None:
    """A network that is taken out leaves nothing of itself to one like it."""
    st.session_state[IDENTITIES] = [one for one in st.session_state[IDENTITIES] if one[1] != identity]


def editor(number: int, candidate: Candidate, identity: int, chosen: list[Candidate]) -> None:
    """The options of one network, in a popover; and the button that leaves it out."""
    with st.popover(text.markdown(candidate.label), icon=":material/tune:", key=f"options {identity}"):
        if candidate.design is not None:
            if candidate.name.startswith(OF_DESIGN):
                st.caption("A design has no options; change it on Design.")
                st.page_link("pages/design.py", label="Open the design", query_params={"from": candidate.name})
            else:
                st.caption("A run's network is as it was trained; it has no options to move here.")
                run = catalogue.find(candidate.name.removeprefix(catalogue.OF_RUN), runs_folder())
                st.page_link("pages/run.py", label="Open the run", query_params={"run": run.id})
            if st.button("Remove", key=f"remove {identity}", disabled=len(chosen) == 1):
                forget(identity)
                show([*chosen[:number], *chosen[number + 1 :]])
            return
        current = candidate.values
        values = {
            option.name: option_control(
                option, f"{identity} {option.name}", current.get(option.name, option.default), bind=False
            )
            for option in ARCHITECTURES[candidate.name].options
        }
        left, right = st.columns(2)
        if left.button("Apply", key=f"apply {identity}", type="primary"):
            try:
                architectures.build(candidate.name, values)
            except UserError as error:
                show_error(error)
            else:
                show([*chosen[:number], Candidate.of(candidate.name, values), *chosen[number + 1 :]])
        if right.button("Remove", key=f"remove {identity}", disabled=len(chosen) == 1):
            forget(identity)
            show([*chosen[:number], *chosen[number + 1 :]])


def totals_table(chosen: list[Candidate], batch: int) -> object:
    lines = comparison.compare(chosen, batch)
    own = own_runs(chosen)
    table = pd.DataFrame(
        {
            "Network": [text.table(line["label"]) for line in lines],
            "Input": [shape_text(tuple(line["input_shape"])) for line in lines],
            "Classes": [line["classes"] for line in lines],
            "Weight layers": [line["weight_layers"] for line in lines],
            "Parameters": [line["parameters"] for line in lines],
            "Multiply-adds": [line["multiply_adds"] for line in lines],
            "On disk": [units.size(line["weight_bytes"]) for line in lines],
            "Training": [units.size(line["training_bytes"]) for line in lines],
            "Inference": [units.size(line["inference_bytes"]) for line in lines],
            "Receptive field": [f"{line['receptive_field']} px" for line in lines],
            "Your best, validation": [own_text(own.get(candidate.name, [])) for candidate in chosen],
            "Literature": [literature_text(candidate) for candidate in chosen],
        }
    )
    return table.style.format("{:,}", subset=["Classes", "Parameters", "Multiply-adds"])


def own_text(own: OwnRuns) -> str:
    known = (f"{best['validation_accuracy']:.1%} · {dataset_title(run)}" for run, best in own)
    return text.plain(", ".join(known)) or "–"


def literature_text(candidate: Candidate) -> str:
    """The first figure that is printed of this very network."""
    known = published.accuracies_for(candidate.name)
    found = [item for item in known if dict(item.options) == dict(candidate.options)]
    return f"{found[0].value:.1%} {found[0].metric.removesuffix(' accuracy')} · {found[0].dataset}" if found else "–"


def show_totals(chosen: list[Candidate]) -> None:
    batch = address_number("Batch size", "batch", 128, st, 1, 4096, width=160, help="Images at a time, for the memory.")
    st.dataframe(totals_table(chosen, batch), hide_index=True)
    st.caption(
        "Depth in weight layers on the way to the main output. Memory in float32: training keeps every layer's "
        "output, the weights, their gradients and a momentum; inference the most that is alive at once, and the "
        "weights. Receptive field of the last feature map. One multiply-add is 2 FLOP. 1 MB = 10⁶ bytes."
    )


def show_where(chosen: list[Candidate]) -> None:
    """At which resolution parameters and work sit."""
    scale = address_segments("Scale", ["Counts", "Share of each network"], "scale", label_visibility="collapsed")
    parts = [(candidate.label, comparison.stages(candidate.network())) for candidate in chosen]
    for column, (key, unit) in zip(st.columns(2), UNITS.items(), strict=True):
        shares = [(label, [(stage["stage"], stage[key]) for stage in stages]) for label, stages in parts]
        show_chart(plots.stacked(shares, unit, relative=scale != "Counts"), f"stack {key}", column)
    st.caption(
        "By resolution: 1/4 are the layers whose maps are a quarter as high as the input. VGG keeps its parameters "
        "in the dense layers and its work in the early maps; the networks after it have hardly any dense layer."
    )


def headed(chosen: list[Candidate]) -> list[tuple[str, Candidate]]:
    """Each network with what heads its column; of one label the second says so."""
    labels = [text.markdown(candidate.label) for candidate in chosen]
    return [
        (label if label not in labels[:place] else f"{label} ({place + 1})", candidate)
        for place, (label, candidate) in enumerate(zip(labels, chosen, strict=True))
    ]


def show_configurations(chosen: list[Candidate]) -> None:
    columns = {one: comparison.configuration_column(candidate.network()) for one, candidate in headed(chosen)}
    rows = list(dict.fromkeys(module for column in columns.values() for module in column))
    cells = pd.DataFrame(
        {label: [column.get(row, "") for row in rows] for label, column in columns.items()},
        index=[text.markdown(row) for row in rows],
    )
    cells.loc["weight layers"] = [str(line["weight_layers"]) for line in comparison.compare(chosen)]
    cells.loc["parameters"] = [units.count(line["parameters"]) for line in comparison.compare(chosen)]
    st.table(cells.map(lambda text: text.replace("\n", "  \n")))
    st.caption("The layers of each module as VGG's Table 1 writes them (Simonyan and Zisserman, 2015).")


def show_difference(chosen: list[Candidate]) -> None:
    """Two of the networks layer by layer."""
    labels = [candidate.label for candidate in chosen]
    left, right, only = st.columns([2, 2, 1], vertical_alignment="bottom")
    titles = [text.plain(label) for label in labels]
    one = left.selectbox("Left", range(len(labels)), format_func=titles.__getitem__)
    two = right.selectbox("Right", range(len(labels)), min(1, len(labels) - 1), format_func=titles.__getitem__)
    changed_only = only.toggle("Differences only")
    lines = comparison.difference(chosen[one].network(), chosen[two].network())
    shown = pd.DataFrame([line for line in lines if not changed_only or line["change"] != "same"])
    equal = sum(line["change"] == "same" for line in lines)
    st.caption(f"{equal} of {len(lines)} places hold the same layer: same kind, settings and output shape.")
    if len(shown):
        shown.columns = ["Change", "Left", "Parameters, left", "Right", "Parameters, right"]
        tint = {"same": "", "changed": "#E69F0040", "only left": "#D55E0040", "only right": "#009E7340"}
        st.dataframe(
            shown.style.format("{:,.0f}", subset=["Parameters, left", "Parameters, right"], na_rep="").apply(
                lambda line: [f"background-color: {tint[line['Change']]}" if tint[line["Change"]] else ""] * len(line),
                axis=1,
            ),
            hide_index=True,
            height=480,
        )


def main() -> None:
    st.title("Compare", anchor=False)
    st.write("Put networks side by side: what they hold, what they cost, and where. Open one to move its options.")
    chosen = candidates()
    if not chosen:
        st.info("None of the networks in the address can be shown; these are the page's own.", icon=":material/info:")
        chosen = [Candidate(name) for name in START]
    numbers = identities(chosen)
    with st.container(horizontal=True, vertical_alignment="center"):
        for number, candidate in enumerate(chosen):
            editor(number, candidate, numbers[number], chosen)
        with st.popover("Add", icon=":material/add:", disabled=len(chosen) >= MOST_COMPARED):
            trained = describe_runs(catalogue.usable(runs_folder(), "own", "shipped", "published"))
            addable = {name: architecture_choice(name) for name in ARCHITECTURES}
            addable |= {name: text.plain(title) for name, title in design_titles().items()}
            addable |= {catalogue.OF_RUN + name: text.plain(words) for name, words in trained.items()}
            added = st.selectbox("Network", list(addable), format_func=addable.__getitem__, key="added")
            if st.button("Add to the page", type="primary"):
                show([*(candidate.text for candidate in chosen), added])
        for label, preset in (
            ("VGG A to E", VGG_TABLE),
            ("ImageNet, 2012 to 2018", IMAGENET_NETWORKS),
            ("CIFAR-10", CIFAR_NETWORKS),
            ("All", tuple(ARCHITECTURES)),
        ):
            if st.button(label, type="tertiary"):
                show(preset)
    parts = {
        "Totals": show_totals,
        "Where it sits": show_where,
        "Accuracy": show_accuracies,
        "Configuration table": show_configurations,
        "Layer by layer": show_difference,
    }
    for tab, part in zip(address_tabs(list(parts), "view").values(), parts.values(), strict=True):
        if tab.open:
            with tab:
                part(chosen)


main()
