"""Choose a network, a data set and a recipe, see what they will do, and start one training or a whole sweep."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import streamlit as st

from cnnlab import architectures, datasets, hardware, runs, units
from cnnlab.architectures import ARCHITECTURES
from cnnlab.errors import UserError
from cnnlab.experiments.experiment import Experiment, Initial, plan
from cnnlab.experiments.loggers import LOGGERS, LoggerName
from cnnlab.experiments.loggers import TITLES as LOGGER_TITLES
from cnnlab.experiments.optimizers import OPTIMIZERS
from cnnlab.experiments.presets import FINE_TUNING, FINE_TUNING_TEXT, FINE_TUNING_TITLE, PRESETS, Preset, fine_tuning
from cnnlab.experiments.recipe import BY_EPOCH, FLAT_FIELDS, Recipe, idle_settings, make_recipe, settings_of
from cnnlab.experiments.schedule import SCHEDULES
from cnnlab.network import Network
from cnnlab.plots import training as plots
from cnnlab.plots.colours import BACKGROUND
from cnnlab.runs import queue
from cnnlab.runs.initial import initial_from, transferable
from cnnlab.runs.run import Run
from cnnlab.runs.sweep import combinations, sweep
from cnnlab.text import markdown, message, plain
from cnnlab.training.batches import prepared
from cnnlab.zoo import catalogue
from pages.shared.address import address_select, asked
from pages.shared.charts import show_chart
from pages.shared.navigation import enter_through_app
from pages.shared.network import chosen_network, network_titles, show_network
from pages.shared.parts import architecture_title, describe_runs, lecture_thread, runs_folder, switch_control
from pages.shared.pictures import stacked
from pages.shared.settings import columns_of, setting_control, setting_title
from pages.shared.telling import show_error

enter_through_app()

OWN = "own"
RECIPES = {OWN: "Your own", FINE_TUNING: FINE_TUNING_TITLE} | {name: one.title for name, one in PRESETS.items()}
SHOWN_IMAGES, SHOWN_VARIANTS = 8, 3
SAMPLE_PIXELS = 112
BAR, HALVES = "begin", "halves"
BEGIN_WIDTH = 150
STYLE = f"""<style>
/* the button that starts it stays in sight, however long the settings below it */
[data-testid="stLayoutWrapper"]:has(> .st-key-{BAR}) {{position: sticky; top: 3.75rem; z-index: 50}}
.st-key-{BAR} {{background: light-dark({BACKGROUND["light"]}, {BACKGROUND["dark"]}); padding: 0.4rem 0}}
/* two halves on a laptop, one below the other in a narrow or much enlarged window */
.st-key-{HALVES} > div {{flex: 1 1 0; min-width: min(27rem, 100%)}}
</style>"""
SWEEP_ROWS = 3
REGULARIZATION = (
    "weight_decay",
    "decayed",
    "label_smoothing",
    "weight_averaging",
    "batch_normalization_momentum",
    "early_stopping",
    "auxiliary_weight",
)
AUGMENTATION = ("shift", "rotation", "zoom", "brightness", "contrast", "cutout", "mixup", "flip", "crop")
REST = ("deterministic", "validation_fraction", "seed", "checkpoint_every")


@dataclass
class Choice:
    """What the controls say; `scope` is the recipe's name, or what its controls are tied to.

    `architecture` stands for the network in the address, `origin` is what `plan` takes for it; none while its file is
    still to be given.
    """

    scope: str
    preset: Preset | None
    architecture: str
    dataset: str
    origin: str | Network | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    switches: dict[str, Any] = field(default_factory=dict)
    start: tuple[Initial, Run] | None = None
    loggers: list[LoggerName] = field(default_factory=list)
    name: str = ""
    tried: dict[str, list[str]] = field(default_factory=dict)
    sample: int = 0

    def experiment(self) -> Experiment | None:
        """None while there is no network; UserError where the parts do not fit together."""
        if self.origin is None:
            return None
        idle = idle_settings(self.settings)
        recipe = make_recipe(**{name: value for name, value in self.settings.items() if name not in idle})
        initial = self.start[0] if self.start else None
        return plan(self.origin, self.dataset, self.switches, recipe, initial, self.loggers)

    def count(self) -> int:
        """How many runs it makes."""
        return len(combinations(self.tried, self.sample or None)) if self.tried else 1


def preset_choice(place: Any) -> tuple[str, dict[str, Any]]:
    """The recipe to begin from: its name, to which its controls are tied, and its settings."""
    name = address_select(
        "Recipe",
        list(RECIPES),
        "recipe",
        RECIPES.__getitem__,
        place,
        default=OWN,
        help="A recipe of the lecture or its papers, to train as it stands or to change.",
    )
    recipe = make_recipe(**PRESETS[name].settings) if name in PRESETS else Recipe()
    return name, settings_of(recipe)


def main_controls(values: dict[str, Any], scope: str) -> tuple[dict[str, Any], str]:
    """Epochs, batch size, optimizer, learning rate and schedule; and the scope of the controls that depend on them."""
    left, middle, right = st.columns(3)
    chosen: dict[str, Any] = {}
    if scope == OWN:
        chosen["epochs"] = left.number_input(
            "Epochs", value=values["epochs"], step=1, help=FLAT_FIELDS["epochs"].description, key="epochs"
        )
        chosen["batch_size"] = middle.number_input(
            "Batch size", value=values["batch_size"], step=16, help=FLAT_FIELDS["batch_size"].description, key="batch"
        )
    else:
        whole = values["epochs"]
        chosen["epochs"] = left.number_input(
            "Epochs",
            value=whole,
            step=1,
            help=f"The recipe has {whole}; with another number its schedule is scaled to it.",
            key=f"{scope}.epochs",
        )
        chosen["batch_size"] = setting_control("batch_size", values["batch_size"], f"{scope}.batch_size", middle)
        if chosen["epochs"] != whole and chosen["epochs"] >= 1:
            scaled = settings_of(make_recipe(**values).in_epochs(chosen["epochs"]))
            values.update(scaled)
            scope = f"{scope}.{chosen['epochs']}"
    chosen["optimizer"] = setting_control("optimizer", values["optimizer"], f"{scope}.optimizer", right)
    left, right = st.columns([1, 2])
    rate_scope = f"{scope}.{chosen['optimizer']}" if scope == OWN else scope
    rate = OPTIMIZERS[chosen["optimizer"]].learning_rate if scope == OWN else values["learning_rate"]
    chosen["learning_rate"] = setting_control("learning_rate", rate, f"{rate_scope}.learning_rate", left)
    chosen["schedule"] = setting_control("schedule", values["schedule"], f"{scope}.schedule", right)
    return chosen, scope


def fine_controls(values: dict[str, Any], chosen: dict[str, Any], scope: str) -> dict[str, Any]:
    """The rest of the optimizer and the schedule, as far as the choice has it."""
    of_optimizer = OPTIMIZERS[chosen["optimizer"]].settings
    of_schedule = SCHEDULES[chosen["schedule"]].settings
    names = (*of_optimizer, *of_schedule, "warmup_epochs", "gradient_clipping", "image_sizes")
    return columns_of(names, values, scope)


def network_switches(name: str, dataset: str, scope: str) -> dict[str, Any]:
    """The architecture's switches, opening where the preset or the data set want them."""
    source = datasets.source(dataset)
    fitting: dict[str, Any] = {"input_size": architectures.training_input_size(name, source.image_size)}
    if scope in PRESETS and PRESETS[scope].architecture == name:
        fitting |= PRESETS[scope].switches
    source_run = beginnings().get(asked("from") or "")
    if source_run and source_run.config.experiment.architecture == name:  # as its weights want them
        fitting |= source_run.config.experiment.switches
        scope = f"{scope}.{source_run.id}"
    chosen = {}
    shown = [switch for switch in ARCHITECTURES[name].switches if switch.name != "classes"]
    for start in range(0, len(shown), 2):
        for switch, place in zip(shown[start : start + 2], st.columns(2), strict=False):
            with place:
                key = f"{scope}.{name}.{dataset}.{switch.name}"
                chosen[switch.name] = switch_control(switch, key, fitting.get(switch.name, switch.default), bind=False)
    return chosen


def beginnings() -> dict[str, Run]:
    """The runs whose weights a training can begin with."""
    return catalogue.usable(runs_folder(), "own", "shipped", "published")


def start_choice(origin: str | Network, switches: dict[str, Any], dataset: str) -> tuple[Initial, Run] | None:
    """Fresh weights, or those of a run: which layers are taken and how long they stay as they are."""
    candidates = beginnings()
    titles = describe_runs(candidates)
    source_id = address_select(
        "Begin with",
        ["", *titles],
        "from",
        lambda name: titles.get(name, "Fresh weights"),
        what="the run",
        help="Weights of a trained run: VGG's authors began their deeper networks with the layers of a shallower one "
        "(Simonyan and Zisserman, 2015, section 3.1); with frozen layers it is fine-tuning.",
    )
    if not source_id:
        return None
    left, right = st.columns(2)
    freeze = left.number_input("Freeze them for … epochs", value=0, min_value=0, step=1)
    patterns = right.text_input("Layers to take", value="*", help="Names or patterns, such as block1_* fc*.")
    try:
        target = plan(origin, dataset, switches, Recipe(batch_size=1)).network
        initial = initial_from(candidates[source_id], target, int(freeze), tuple(patterns.split()) or ("*",))
    except UserError as error:
        show_error(error)
        return None
    fitting = len(transferable(candidates[source_id].network, target))
    new = [node.name for node in target.layers if node.parameters and node.name not in initial.layers]
    st.caption(
        f"{len(initial.layers)} layers are taken ({fitting} would fit), "
        f"{len(new)} begin anew: {', '.join(new) or 'none'}."
    )
    return initial, candidates[source_id]


def sweep_choice() -> tuple[dict[str, list[str]], int]:
    """Settings with several values each, and how many of the combinations to draw (0: all)."""
    st.caption("Every combination becomes a run of its own, queued and compared as one group.")
    values: dict[str, list[str]] = {}
    for row in range(SWEEP_ROWS):
        left, right = st.columns([1, 2])
        name = left.selectbox(
            "Setting",
            ["", *FLAT_FIELDS],
            format_func=lambda name: setting_title(name) if name else "–",
            key=f"sweep {row}",
        )
        text = right.text_input("Values", placeholder="0.1, 0.03, 0.01", key=f"sweep values {row}", disabled=not name)
        if name and text.strip():
            separator = ";" if name in BY_EPOCH else ","
            values[name] = [part.strip() for part in text.split(separator) if part.strip()]
    sample = st.number_input("Draw at random (0: all combinations)", value=0, min_value=0, step=1)
    return values, int(sample)


def in_short(experiment: Experiment) -> str:
    """What the button starts, in a line beside it."""
    source, recipe = datasets.source(experiment.dataset), experiment.recipe
    steps = recipe.steps_per_epoch(source.training_counts(recipe.validation_fraction)[0])
    epochs = f"{recipe.epochs:,} epoch{'' if recipe.epochs == 1 else 's'}"
    return (
        f"**{markdown(experiment.title)}** on **{markdown(source.title)}**: {epochs} of {steps:,} "
        f"step{'' if steps == 1 else 's'}"
    )


def show_outlook(experiment: Experiment, command: str) -> None:
    """What was chosen, in numbers, pictures and one command."""
    source, recipe = datasets.source(experiment.dataset), experiment.recipe
    network = experiment.network
    trained, validated = source.training_counts(recipe.validation_fraction)
    steps = recipe.steps_per_epoch(trained)
    size = network.input_shape[0]
    st.markdown(
        f"**{markdown(experiment.title)}** with {units.short(network.parameters)} parameters and "
        f"{units.short(network.multiply_adds)} multiply-adds an image of {size}×{size} pixels."
    )
    st.markdown(
        f"**{markdown(source.title)}**: {message(source.summary)} {trained:,} to train on in {steps:,} steps an epoch, "
        f"{validated:,} to validate."
    )
    if recipe.image_sizes:
        sides = ", ".join(f"of {side}×{side} from epoch {epoch} on" for epoch, side in recipe.image_sizes)
        st.markdown(f"**Learns** from images {sides}; judged at {size}×{size}.")
    if hardware.has_bfloat16():
        st.markdown(
            "**Computed** in mixed precision, bfloat16 and float32, which is faster on this machine."
            if recipe.mixed_precision
            else "**Computed** in float32; this machine is faster in mixed precision."
        )
    show_chart(plots.schedule(recipe), "schedule chart", buttons=False)
    root = datasets.data_root()
    if source.find(root) is None:
        how = f"The training will first download {source.download}. " if source.download else ""
        st.warning(
            f"{markdown(source.title)} is not under {message(root)}. {how}To use files of your own, put them at "
            f"{message(root / source.place)} as {source.tree}.",
            icon=":material/download:",
        )
    st.caption("The same in a terminal")
    st.code(command, "bash", wrap_lines=True)
    if experiment.design is not None:
        st.caption("The file is the network's JSON; “Network” among the settings gives it out.")


def command_of(experiment: Experiment, preset: Preset | None) -> str:
    """The shortest command that trains this: the recipe's name says it all where nothing else was changed."""
    if preset is None:
        return experiment.command()
    if experiment == preset.experiment():
        return preset.command
    if experiment == preset.experiment(experiment.recipe.epochs):
        return f"{preset.command} --in-epochs {experiment.recipe.epochs}"
    return experiment.command()


def show_samples(experiment: Experiment) -> None:
    """Some training images, and what the recipe makes of each."""
    source = datasets.source(experiment.dataset)
    if source.find(datasets.data_root()) is None:
        st.info(f"{markdown(source.title)} is not here yet, so there is nothing to show.")
        return
    draw = st.session_state.setdefault("draw", 0)
    with st.spinner("Reading the data set"):
        dataset = datasets.load(experiment.dataset)
    size = experiment.network.input_shape[0]
    rng = np.random.default_rng(draw)
    rows = np.sort(rng.choice(len(dataset.train_labels), SHOWN_IMAGES, replace=False))
    images, labels = dataset.train_images[rows], dataset.train_labels[rows]
    preprocessing = dataset.preprocessing((size, size)).model_copy(update={"crop": experiment.recipe.crop})
    lines = [preprocessing.fit_all(images)]
    for _ in range(SHOWN_VARIANTS):
        changed, _ = prepared(images, labels, len(dataset.classes), preprocessing, experiment.recipe, rng)
        lines.append(changed)
    names = [dataset.classes[label] for label in labels]
    columns = [stacked(column, SAMPLE_PIXELS) for column in zip(*lines, strict=True)]
    with st.container(horizontal=True, gap="medium"):
        for column, name in zip(columns, names, strict=True):
            with st.container(width=SAMPLE_PIXELS, gap=None):
                st.caption(markdown(name))
                st.image(column, width=SAMPLE_PIXELS)
    st.caption(f"On top an image as it is; below it, {SHOWN_VARIANTS} draws of what the recipe makes of it.")
    st.button("Draw again", icon=":material/refresh:", on_click=lambda: st.session_state.update(draw=draw + 1))


def what_choice() -> tuple[Choice, dict[str, Any]]:
    """The recipe, the architecture and the data set; and the settings that the recipe begins with."""
    scope, values = preset_choice(st)
    preset = PRESETS.get(scope)
    if preset:
        st.caption(f"{preset.text} {preset.expected} {preset.takes} Source: {preset.source}")
    left, right = st.columns(2)
    if preset:
        architecture, dataset = preset.architecture, preset.dataset
        left.text_input("Architecture", architecture_title(architecture), disabled=True, key=f"{scope} architecture")
        right.text_input("Data set", plain(datasets.source(dataset).title), disabled=True, key=f"{scope} dataset")
    else:
        if scope == FINE_TUNING:
            st.caption(FINE_TUNING_TEXT)
        networks = network_titles(asked("architecture"))
        architecture = address_select("Architecture", list(networks), "architecture", networks.__getitem__, left)
        dataset = address_select(
            "Data set", list(datasets.sources()), "dataset", lambda name: datasets.source(name).title, right
        )
    return Choice(scope, preset, architecture, dataset), values


def show_controls(choice: Choice, values: dict[str, Any]) -> None:
    """The controls below recipe, architecture and data set; what they say goes into the choice."""
    choice.origin = chosen_network(choice.architecture)
    if choice.scope == FINE_TUNING:
        trained, _ = datasets.source(choice.dataset).training_counts(Recipe().validation_fraction)
        values = settings_of(fine_tuning(trained))
        choice.scope = f"{choice.scope}.{choice.dataset}"
    chosen, fine = main_controls(values, choice.scope)
    settings = {**values, **chosen}
    with st.expander("Optimizer and schedule", icon=":material/tune:"):
        settings |= fine_controls(values, chosen, fine)
    with st.expander("Regularization", icon=":material/balance:"):
        settings |= columns_of(REGULARIZATION, values, fine)
    with st.expander("Augmentation", icon=":material/auto_fix_high:"):
        settings |= columns_of(AUGMENTATION, values, fine)
    with st.expander("Network", icon=":material/account_tree:"):
        if isinstance(choice.origin, str):
            choice.switches = network_switches(choice.origin, choice.dataset, choice.scope)
        elif choice.origin:
            st.caption("This network has no options: what it is to be otherwise is changed in its file.")
            show_network(choice.origin, choice.origin.name)
    with st.expander("Precision, validation, seed and checkpoints", icon=":material/casino:"):
        settings |= columns_of((*(("mixed_precision",) if hardware.has_bfloat16() else ()), *REST), values, fine)
        if not hardware.has_bfloat16():
            st.caption("Mixed precision is not offered: this machine computes no faster in bfloat16.")
    begun = bool(asked("from"))
    with st.expander("Beginning and corrupted data", icon=":material/start:", expanded=begun):
        choice.start = start_choice(choice.origin, choice.switches, choice.dataset) if choice.origin else None
        settings |= columns_of(("label_noise", "pixels"), values, fine, 2)
    choice.settings = settings
    with st.expander("Name, loggers and sweep", icon=":material/label:"):
        left, right = st.columns(2)
        choice.name = left.text_input("Name", placeholder="as you will look for it", max_chars=200)
        choice.loggers = right.multiselect(
            "Also log to",
            LOGGERS,
            format_func=LOGGER_TITLES.__getitem__,
            placeholder="Nothing",
            help="Files of these tools, in the run's folder; W&B and MLflow online where their settings say so.",
        )
        choice.tried, choice.sample = sweep_choice()


def begin(choice: Choice, experiment: Experiment) -> list[Run]:
    """Queue the training, or those of the sweep; UserError where they cannot be made."""
    kept = choice.scope if choice.preset and experiment == choice.preset.experiment() else None
    source = choice.start[1] if choice.start else None
    if choice.tried:
        return sweep(
            experiment,
            choice.tried,
            runs_folder(),
            sample=choice.sample or None,
            group=choice.name or None,
            preset=kept,
            source=source,
        )
    made = runs.create(experiment, runs_folder(), preset=kept, source=source)
    if choice.name:
        made.relabel(name=choice.name)
    queue.enqueue(made)
    return [made]


def main() -> None:
    st.title("Train", anchor=False)
    st.write(
        "Choose a network, a data set and a recipe. The training runs in a process of its own: leave when you like."
    )
    st.html(STYLE)
    top = st.container(key=BAR, horizontal=True, vertical_alignment="center")
    with st.container(horizontal=True, gap="large", key=HALVES):
        controls, outlook = st.container(), st.container()
    experiment: Experiment | None = None
    count = 1
    with controls:
        choice, values = what_choice()
        try:
            show_controls(choice, values)
            experiment, count = choice.experiment(), choice.count()
        except UserError as error:
            with top:
                show_error(error)
    if experiment:
        with outlook:
            show_outlook(experiment, command_of(experiment, choice.preset))
    with top:
        label = "Train" if count == 1 else f"Queue {count} runs"
        pressed = st.button(
            label, type="primary", icon=":material/play_arrow:", disabled=experiment is None, width=BEGIN_WIDTH
        )
        if experiment:
            st.markdown(in_short(experiment), width="content")
    if pressed and experiment:
        try:
            made = begin(choice, experiment)
        except UserError as error:
            with top:
                show_error(error)
        else:
            if len(made) == 1:
                st.switch_page("pages/run.py", query_params={"run": made[0].id})
            st.switch_page("pages/runs.py", query_params={"group": made[0].config.group or ""})
    if experiment:
        with st.expander(
            "What the network will see", icon=":material/image:", key="samples", on_change="rerun"
        ) as samples:
            if samples.open:
                try:
                    show_samples(experiment)
                except UserError as error:
                    show_error(error)
    lecture_thread("Training")


main()
