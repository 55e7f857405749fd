"""What is to be trained, as controls: network, data set, preset, beginning; and what they say, as one value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from cnnlab import architectures, datasets, hardware
from cnnlab.architectures import ARCHITECTURES
from cnnlab.architectures.comparison import Candidate
from cnnlab.datasets.images import EXTENSIONS, Pixels, read_image
from cnnlab.errors import UserError
from cnnlab.experiments.experiment import Experiment, Initial, plan
from cnnlab.experiments.loggers import LOGGER_TITLES, LOGGERS, LoggerName
from cnnlab.experiments.optimizers import OPTIMIZERS
from cnnlab.experiments.presets import FINE_TUNING, FINE_TUNING_TEXT, FINE_TUNING_TITLE, PRESETS, Preset, fine_tuning
from cnnlab.experiments.recipe import FLAT_FIELDS, Recipe, idle_settings, make_recipe, settings_of
from cnnlab.experiments.schedule import SCHEDULES
from cnnlab.network import Network
from cnnlab.runs.initial import initial_from, transferable
from cnnlab.runs.place import Place
from cnnlab.runs.run import Run
from cnnlab.text import plain
from cnnlab.zoo import catalogue
from pages.shared.address import address_select, asked, unknown
from pages.shared.errors import show_error
from pages.shared.network import FILE, chosen_network, design_link, network_titles, show_network
from pages.shared.parts import architecture_title, describe_runs, option_control, runs_folder
from pages.shared.placing import cluster_address, place_choice
from pages.shared.settings import columns_of, setting_control
from pages.shared.sweep_choice import NEW_SWEEP, SweepChoice, sweep_choice

OWN_RECIPE = "own"
PRESET_TITLES = {OWN_RECIPE: "Your own", FINE_TUNING: FINE_TUNING_TITLE} | {
    name: one.title for name, one in PRESETS.items()
}
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
REST = ("deterministic", "film", "validation_fraction", "seed", "checkpoint_every")


@dataclass
class Choice:
    """What the controls say; `scope` is the preset's name, or what its controls are tied to.

    `architecture` stands for the network in the address, `origin` is what `plan` takes for it; none while its file is
    still to be given.
    """

    scope: str
    preset: Preset | None
    architecture: str
    dataset: str
    origin: str | Network | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    start: tuple[Initial, Run] | None = None
    loggers: list[LoggerName] = field(default_factory=list)
    name: str = ""
    sweep: SweepChoice = field(default_factory=SweepChoice)
    own_image: Pixels | None = None
    place: Place | None = None

    def experiment(self) -> Experiment | None:
        """None while there is no network; UserError where the parts do not fit together."""
        if self.origin is None:
            return None
        idle = idle_settings(self.settings)
        recipe = make_recipe(**{name: value for name, value in self.settings.items() if name not in idle})
        initial = self.start[0] if self.start else None
        return plan(self.origin, self.dataset, self.options, recipe, initial, self.loggers)


def preset_choice(place: Any) -> tuple[str, dict[str, Any]]:
    """The preset to begin from: its name, to which its controls are tied, and its settings."""
    name = address_select(
        "Preset",
        list(PRESET_TITLES),
        "preset",
        PRESET_TITLES.__getitem__,
        place,
        default=OWN_RECIPE,
        help="A recipe with a name and a source, as the lecture or a paper. Train it as it stands, or change it.",
    )
    recipe = make_recipe(**PRESETS[name].settings) if name in PRESETS else Recipe()
    return name, settings_of(recipe)


def main_controls(values: dict[str, Any], scope: str) -> tuple[dict[str, Any], str]:
    """Epochs, batch size, optimizer, learning rate and schedule; and the scope of the controls that depend on them."""
    left, middle, right = st.columns(3)
    chosen: dict[str, Any] = {}
    if scope == OWN_RECIPE:
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
    rate_scope = f"{scope}.{chosen['optimizer']}" if scope == OWN_RECIPE else scope
    rate = OPTIMIZERS[chosen["optimizer"]].learning_rate if scope == OWN_RECIPE else values["learning_rate"]
    chosen["learning_rate"] = setting_control("learning_rate", rate, f"{rate_scope}.learning_rate", left)
    chosen["schedule"] = setting_control("schedule", values["schedule"], f"{scope}.schedule", right)
    return chosen, scope


def fine_controls(values: dict[str, Any], chosen: dict[str, Any], scope: str) -> dict[str, Any]:
    """The rest of the optimizer and the schedule, as far as the choice has it."""
    of_optimizer = OPTIMIZERS[chosen["optimizer"]].settings
    of_schedule = SCHEDULES[chosen["schedule"]].settings
    names = (*of_optimizer, *of_schedule, "warmup_epochs", "gradient_clipping", "image_sizes")
    return columns_of(names, values, scope)


def network_options(name: str, dataset: str, scope: str) -> dict[str, Any]:
    """The architecture's options, opening where the preset or the data set want them."""
    source = datasets.source(dataset)
    fitting: dict[str, Any] = {"input_size": architectures.training_input_size(name, source.image_size)}
    if scope in PRESETS and PRESETS[scope].architecture == name:
        fitting |= PRESETS[scope].options
    source_run = beginnings().get(asked("from") or "")
    if source_run and source_run.config.experiment.architecture == name:  # as its weights want them
        fitting |= source_run.config.experiment.options
        scope = f"{scope}.{source_run.id}"
    chosen = {}
    shown = [option for option in ARCHITECTURES[name].options if option.name != "classes"]
    for start in range(0, len(shown), 2):
        for option, place in zip(shown[start : start + 2], st.columns(2), strict=False):
            with place:
                key = f"{scope}.{name}.{dataset}.{option.name}"
                chosen[option.name] = option_control(option, key, fitting.get(option.name, option.default), bind=False)
    return chosen


def beginnings() -> dict[str, Run]:
    """The runs whose weights a training can begin with."""
    return catalogue.usable(runs_folder(), "own", "shipped", "published")


def start_choice(origin: str | Network, options: dict[str, Any], dataset: str) -> tuple[Initial, Run] | None:
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
        target = plan(origin, dataset, options, Recipe(batch_size=1)).network
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


def image_to_film() -> Pixels | None:
    """An image of one's own that the training's film is to show beside those of the data set."""
    given = st.file_uploader(
        "Film an image of your own too",
        type=[*EXTENSIONS],
        key="film image",
        help="The film shows what the network takes it for, from the first epoch to the last.",
    )
    try:
        return read_image(given.getvalue(), given.name) if given else None
    except UserError as error:
        show_error(error)
        return None


def what_choice() -> tuple[Choice, dict[str, Any]]:
    """The preset, the architecture and the data set; and the settings that the preset begins with."""
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
    """The controls below preset, architecture and data set; what they say goes into the choice."""
    choice.origin = chosen_network(choice.architecture)
    if choice.scope == FINE_TUNING:
        trained, _ = datasets.source(choice.dataset).training_counts(Recipe().validation_fraction)
        values = settings_of(fine_tuning(trained))
        choice.scope = f"{choice.scope}.{choice.dataset}"
    chosen, fine = main_controls(values, choice.scope)
    settings = {**values, **chosen}
    wanted = asked("sweep")
    if wanted not in (None, NEW_SWEEP):
        unknown("the sweep", str(wanted))
    on_top = st.container()  # for the sweep, where one came to start one
    with st.expander("Optimizer and schedule", icon=":material/tune:"):
        settings |= fine_controls(values, chosen, fine)
    with st.expander("Regularization", icon=":material/balance:"):
        settings |= columns_of(REGULARIZATION, values, fine)
    with st.expander("Augmentation", icon=":material/auto_fix_high:"):
        settings |= columns_of(AUGMENTATION, values, fine)
    with st.expander("Network", icon=":material/account_tree:"):
        if isinstance(choice.origin, str):
            choice.options = network_options(choice.origin, choice.dataset, choice.scope)
            classes = datasets.source(choice.dataset).classes
            design_link(Candidate.of(choice.origin, {**choice.options, "classes": classes}).text)
        elif choice.origin:
            st.caption("This network has no options: what it is to be otherwise is changed on Design, or in its file.")
            if choice.architecture != FILE:
                design_link(choice.architecture)
            show_network(choice.origin)
    with st.expander("Precision, validation, seed and checkpoints", icon=":material/casino:"):
        settings |= columns_of((*(("mixed_precision",) if hardware.has_bfloat16() else ()), *REST), values, fine)
        if not hardware.has_bfloat16():
            st.caption("Mixed precision is not offered: this machine computes no faster in bfloat16.")
        if settings["film"]:
            choice.own_image = image_to_film()
    begun = bool(asked("from"))
    with st.expander("Beginning and corrupted data", icon=":material/start:", expanded=begun):
        choice.start = start_choice(choice.origin, choice.options, choice.dataset) if choice.origin else None
        settings |= columns_of(("label_noise", "pixels"), values, fine, 2)
    choice.settings = settings
    if cluster_address():
        with st.expander("Where", icon=":material/dns:"):
            choice.place = place_choice("train")
            st.page_link("pages/machines.py", label="What is free where", icon=":material/arrow_forward:")
    with (
        on_top if wanted == NEW_SWEEP else st.container(),
        st.expander("Sweep", icon=":material/grid_view:", expanded=wanted == NEW_SWEEP),
    ):
        known = ARCHITECTURES[choice.origin].options if isinstance(choice.origin, str) else ()
        choice.sweep = sweep_choice([option.name for option in known if option.name != "classes"])
    with st.expander("Name and loggers", icon=":material/label:"):
        left, right = st.columns(2)
        choice.name = left.text_input("Name", placeholder="as you will look for it", max_chars=200)
        choice.loggers = right.multiselect(
            "Also log to",
            LOGGERS,
            format_func=LOGGER_TITLES.__getitem__,
            placeholder="Nothing",
            help="Files of these tools, in the run's folder; W&B and MLflow online where their settings say so.",
        )
