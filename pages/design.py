"""Design a network: change it by pointing, see at once what that costs, keep it, train it."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from cnnlab import datasets, text, units
from cnnlab.architectures import ARCHITECTURES, comparison
from cnnlab.architectures.comparison import Candidate
from cnnlab.datasets.source import Source
from cnnlab.design import estimate, store
from cnnlab.design.advice import Advice, advice
from cnnlab.design.function import architecture_function
from cnnlab.errors import UserError
from cnnlab.experiments import design as designs
from cnnlab.experiments.recipe import Recipe
from cnnlab.hardware import has_bfloat16
from cnnlab.keras.script import keras_script
from cnnlab.network import Network, analysis
from cnnlab.network.layers import shape_text
from cnnlab.network.paths import last_map_node
from cnnlab.training.calibration import calibration_job
from cnnlab.zoo import catalogue
from pages.components.landscape import show_landscape
from pages.shared.accuracies import OwnRuns, own_runs, show_accuracies
from pages.shared.address import address_check, address_number, address_select, address_tabs, tab_title
from pages.shared.design_panel import show_panel
from pages.shared.design_start import offer_beginnings, offer_files, offer_name
from pages.shared.designing import (
    SAVED,
    Designed,
    current,
    edit,
    layers_in,
    pressed,
    redo,
    selection,
    show_refusal,
    undo,
)
from pages.shared.errors import show_error
from pages.shared.navigation import enter_through_app
from pages.shared.parts import lecture_thread, runs_folder
from pages.shared.tables import NOTHING
from pages.shared.working import job_or_offer

enter_through_app()

TOP, HALVES, PANEL, PICTURE = "design top", "design halves", "design panel", "design picture"
VIEWS = ["Advice", "Layers", "Difference", "Training", "Challenge", "Code"]
BATCH = 128
COUNTS: list[Hashable] = ["Parameters", "Multiply-adds"]
MOST_PARAMETERS, MOST_MULTIPLY_ADDS = 1_700_000, 60_000_000
CLASS = HALVES.replace(" ", "-")
DESIGN_STYLE = f"""<style>
/* the panel beside the picture on a laptop, above it in a narrow or much enlarged window */
.st-key-{CLASS} {{flex-wrap: wrap}}
.st-key-{CLASS} > [data-testid="stLayoutWrapper"]:first-child {{flex: 0 0 21rem; max-width: 100%}}
.st-key-{CLASS} > [data-testid="stLayoutWrapper"]:last-child {{flex: 1 1 28rem; min-width: min(28rem, 100%)}}
</style>"""


def top_bar(designed: Designed) -> bool:
    """Begin, undo, redo, name, keep, take away; and the one that leads on. Gives whether the challenge is on."""
    history = designed.history
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=TOP):
        offer_beginnings()
        st.button(
            "Undo",
            icon=":material/undo:",
            disabled=history.undoes is None,
            on_click=undo,
            shortcut="Ctrl+Z",
            help=text.markdown(f"Take back: {history.undoes}") if history.undoes else None,
        )
        st.button(
            "Redo",
            icon=":material/redo:",
            disabled=history.redoes is None,
            on_click=redo,
            shortcut="Ctrl+Y",
            help=text.markdown(f"Do again: {history.redoes}") if history.redoes else None,
        )
        offer_name(designed)
        offer_files(designed)
        train = st.button("Train this network", type="primary", icon=":material/play_arrow:")
        challenge = address_check(
            "Challenge", "challenge", help="Keep within a budget of parameters and multiply-adds."
        )
    if train:
        lead_to_training(designed)
    return challenge


def lead_to_training(designed: Designed) -> None:
    """Keep the design, and go to Train with it, on a data set that it fits."""
    try:
        kept = store.save(designed.network, designed.began)
    except UserError as error:
        show_error(error)
        return
    st.session_state[SAVED] = {*st.session_state.get(SAVED, ()), kept.name}
    query = {"architecture": kept.text}
    if fitting := [name for name, source in datasets.sources().items() if reason_against(kept.network, source) is None]:
        query["dataset"] = closest(kept.network, fitting)
    st.switch_page("pages/train.py", query_params=query)


def closest(network: Network, names: list[str]) -> str:
    """Of these data sets the one whose images are most nearly of the network's size."""
    side = network.input_shape[0]
    return min(names, key=lambda name: abs(datasets.source(name).image_size - side))


def reason_against(network: Network, source: Source) -> str | None:
    """Why a network cannot be trained on a data set; None where it can."""
    try:
        designs.check(network, source)
    except UserError as error:
        return str(error)
    return None


def figures(network: Network) -> dict[str, float]:
    """What the cards show of a network."""
    try:
        field = analysis.receptive_fields(network)[last_map_node(network).inputs[0]][0]
    except UserError:
        field = analysis.receptive_fields(network)[network.outputs[0]][0]
    rates = estimate.kept_rates()
    found = {
        "Parameters": float(network.parameters),
        "Multiply-adds": float(network.multiply_adds),
        "Activations": float(analysis.activation_memory(network)["training"]),
        "Receptive field": float(field),
        "Depth": float(analysis.weight_layers(network)),
        "Training memory": estimate.training_bytes(network, BATCH, has_bfloat16()),
    }
    if rates:
        found["1,000 images"] = 1000 / BATCH * rates.of_step(network, BATCH)
    return found


def seconds(value: float) -> str:
    return f"{value:.2g} s" if value < 10 else units.duration(value)


CARDS: tuple[tuple[str, Callable[[float], str], str], ...] = (
    ("Parameters", units.short, "All weights, also those that are measured and not learned."),
    ("Multiply-adds", units.short, "Multiply-accumulates for one image; one is 2 FLOP."),
    ("Activations", units.size, "Every layer's output for one image, as float32."),
    ("Receptive field", lambda value: f"{value:.0f} px", "What one value of the last maps depends on, in height."),
    ("Depth", lambda value: f"{value:.0f}", "Convolutions and dense layers on the longest way."),
    ("1,000 images", seconds, "To train on, at a batch of 128: estimated from this machine's speed."),
    ("Training memory", units.size, "Of a training process at a batch of 128: estimated, see Training."),
)


def show_totals(designed: Designed) -> None:
    """What the design is, each with its difference to where one began."""
    now, then = figures(designed.network), figures(designed.history.began)
    with st.container(horizontal=True, gap="small"):
        for label, words, meaning in CARDS:
            if label not in now:
                st.metric(
                    label,
                    "–",
                    "not measured",
                    delta_color="off",
                    delta_arrow="off",
                    help="This machine's speed is not measured yet: see Training below.",
                    border=True,
                )
                continue
            change = now[label] - then[label]
            differs = words(now[label]) != words(then[label])
            said = f"{'+' if change > 0 else '−'}{words(abs(change))}" if change and differs else "±0"
            exact = f" Now {units.count(int(now[label]))}." if label in ("Parameters", "Multiply-adds") else ""
            st.metric(
                label, words(now[label]), said, delta_color="off", delta_arrow="off", help=meaning + exact, border=True
            )


@dataclass(frozen=True)
class Budgets:
    """At most so many, as the address says."""

    parameters: int
    multiply_adds: int


def show_meters(network: Network) -> Budgets:
    """The budgets, and how much of each is used."""
    left, right = st.columns(2)
    budgets = Budgets(
        address_number("At most parameters", "parameters", MOST_PARAMETERS, left, 1_000, 10**9, step=100_000),
        address_number("At most multiply-adds", "macs", MOST_MULTIPLY_ADDS, right, 100_000, 10**12, step=5_000_000),
    )
    for place, words, value, most in (
        (left, "parameters", network.parameters, budgets.parameters),
        (right, "multiply-adds", network.multiply_adds, budgets.multiply_adds),
    ):
        over = "" if value <= most else f", {units.short(value - most)} too many"
        said = f"{units.short(value)} of {units.short(most)} {words}{over}"
        place.progress(min(value / most, 1.0), f":material/{'check' if not over else 'warning'}: {said}")
    return budgets


def show_advice(network: Network) -> None:
    found = advice(network)
    if not found:
        st.info("Nothing to say: the receptive field reaches the image, and no layer costs more than it should.")
    for number, one in enumerate(found):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(text.markdown(one.text, None))
            if one.better is not None:
                better = one.better
                st.button(one.deed, key=f"advice {number} {one.deed}", on_click=follow, args=(one, better))


def follow(one: Advice, better: Network) -> None:
    edit(f"{one.deed.lower()}: {one.layer}", lambda _: better)


def show_layers(network: Network) -> None:
    rows = analysis.rows(network)
    table = pd.DataFrame(
        {
            "Layer": [text.table(row["name"]) for row in rows],
            "Type": [row["type"] for row in rows],
            "Module": [text.table(row["module"]) for row in rows],
            "Output shape": [shape_text(tuple(row["output_shape"])) for row in rows],
            "Kernel / stride": [row["kernel"] for row in rows],
            "Parameters": [row["parameters"] for row in rows],
            "Multiply-adds": [row["multiply_adds"] for row in rows],
            "Receptive field": [f"{row['receptive_field']} / {row['receptive_stride']}" for row in rows],
        }
    )
    st.dataframe(table.style.format("{:,}", subset=COUNTS), hide_index=True, height=430)


def show_difference(designed: Designed) -> None:
    """Where one began, layer by layer beside what has come of it; and the steps between."""
    lines = comparison.difference(designed.history.began, designed.network)
    equal = sum(line["change"] == "same" for line in lines)
    st.caption(f"{equal} of {len(lines)} places hold the same layer as where you began.")
    changed = pd.DataFrame([line for line in lines if line["change"] != "same"])
    if len(changed):
        changed.columns = ["Change", "Before", "Parameters, before", "Now", "Parameters, now"]
        changed["Change"] = changed["Change"].replace({"only left": "gone", "only right": "new"})
        for name in ("Before", "Now"):
            changed[name] = [text.table(one) for one in changed[name]]
        amounts: list[Hashable] = ["Parameters, before", "Parameters, now"]
        st.dataframe(
            changed.style.format("{:,.0f}", subset=amounts, na_rep=""), hide_index=True, height=380, placeholder=NOTHING
        )
    steps = designed.history.steps
    if len(steps) > 1:
        done = [text.markdown(step.done) for step in steps[1 : designed.history.place + 1]]
        st.caption(f"Done, last first: {'; '.join(reversed(done)) or 'nothing'}.")


def show_training(network: Network) -> None:
    """What a training costs here, and on which data sets it can be."""
    rates = estimate.kept_rates()
    found = {name: source.title for name, source in datasets.sources().items()}
    left, right = st.columns([2, 1])
    name = address_select("Data set", list(found), "dataset", found.__getitem__, left, default="cifar10")
    batch = address_number("Batch size", "batch", BATCH, right, 1, 1024)
    source = datasets.source(name)
    if against := reason_against(network, source):
        st.warning(text.message(against), icon=":material/block:")
    images, _ = source.training_counts(Recipe().validation_fraction)
    if rates:
        took = rates.of_epoch(network, images, batch)
        memory = estimate.training_bytes(network, batch, rates.precision == "bfloat16")
        st.markdown(
            f"An epoch of {images:,} images takes about **{units.duration(took)}**, a step of {batch} "
            f"**{rates.of_step(network, batch) * 1000:,.0f} ms**, and the process about **{units.size(memory)}** "
            "of memory."
        )
        st.caption(
            f"Estimated from this machine's speed ({text.message(rates.machine)}, {rates.precision}, measured "
            f"{rates.measured[:10]}): a sum over the layers of multiply-adds and values moved. The time is within a "
            "quarter of what the networks that come with cnnlab take when nothing else works here, and may be further "
            "off for others; validation comes on top. The memory is within a tenth, without the images."
        )
    job_or_offer(
        calibration_job(),
        "Small probe networks are trained for a moment each, about a minute in all. Let nothing else work meanwhile.",
        "Measure anew" if rates else "Measure this machine's speed",
        ":material/speed:",
        "secondary",
    )


def show_challenge(network: Network, budgets: Budgets | None) -> None:
    """One's designs beside the lecture's networks, by accuracy against cost, and which keep within the budgets."""
    limits = budgets or Budgets(MOST_PARAMETERS, MOST_MULTIPLY_ADDS)
    own = kept_designs()
    runs = own_runs(own)
    table = pd.DataFrame(
        [
            {
                "Network": text.table(label),
                "Parameters": one.parameters,
                "Multiply-adds": one.multiply_adds,
                "Within": one.parameters <= limits.parameters and one.multiply_adds <= limits.multiply_adds,
                "Best run": best,
            }
            for label, one, best in [
                ("this design", network, ""),
                *((candidate.label, candidate.network(), best_of(runs, candidate)) for candidate in own),
            ]
        ]
    )
    columns = {
        "Within": st.column_config.CheckboxColumn("Within the budgets"),
        "Best run": st.column_config.TextColumn("Best validation accuracy"),
    }
    st.dataframe(table.style.format("{:,}", subset=COUNTS), hide_index=True, column_config=columns)
    show_accuracies([*own, *(Candidate(name) for name in ARCHITECTURES)])


def kept_designs() -> list[Candidate]:
    found = []
    for name in store.names():
        try:
            found.append(catalogue.candidate(store.OF_DESIGN + name, runs_folder()))
        except UserError as error:
            show_error(error)
    return found


def best_of(runs: dict[str, OwnRuns], candidate: Candidate) -> str:
    found = [
        f"{best['validation_accuracy']:.1%} on {run.config.experiment.dataset}"
        for run, best in runs.get(candidate.name, [])
    ]
    return text.plain(", ".join(found)) or "–"


def show_code(network: Network) -> None:
    ours, keras = st.columns(2)
    ours.markdown("**As an architecture function**, which draws it again")
    ours.code(architecture_function(network), "python", height=480)
    keras.markdown("**As a Keras script**, which needs nothing of cnnlab")
    keras.code(keras_script(network), "python", height=480)


def main() -> None:
    st.title("Design", anchor=False)
    st.write("Build a network of your own: point at a part, change it, and see at once what it costs.")
    st.html(DESIGN_STYLE)
    designed = current()
    network = designed.network
    tab_title(network.name)
    challenge = top_bar(designed)
    show_refusal()
    show_totals(designed)
    budgets = show_meters(network) if challenge else None
    with st.container(horizontal=True, gap="medium", key=HALVES):
        with st.container(key=PANEL):
            show_panel(network)
        with st.container(key=PICTURE):
            show_landscape(
                network,
                "open",
                select=lambda name, is_module, how: pressed(network, name, is_module, how),
                selected=layers_in(network, selection(network)),
            )
    for view, tab in address_tabs(VIEWS, "view").items():
        if tab.open:
            with tab:
                match view:
                    case "Advice":
                        show_advice(network)
                    case "Layers":
                        show_layers(network)
                    case "Difference":
                        show_difference(designed)
                    case "Training":
                        show_training(network)
                    case "Challenge":
                        show_challenge(network, budgets)
                    case _:
                        show_code(network)
    lecture_thread("DeeperGoogLeNet")


main()
