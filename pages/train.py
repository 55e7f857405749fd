"""Choose a network, a data set and a recipe, see what they will do, and start one training or a whole sweep."""

import numpy as np
import streamlit as st

from cnnlab import datasets, hardware, runs, units
from cnnlab.errors import UserError
from cnnlab.experiments.experiment import Experiment
from cnnlab.experiments.presets import Preset
from cnnlab.plots import training as plots
from cnnlab.plots.colours import BACKGROUND
from cnnlab.runs import film, queue
from cnnlab.runs.place import reached
from cnnlab.runs.run import Run
from cnnlab.runs.sweeps import going
from cnnlab.runs.sweeps.record import Sweep
from cnnlab.text import markdown, message
from cnnlab.training.batches import prepared
from pages.shared.charts import show_chart
from pages.shared.errors import show_error
from pages.shared.navigation import enter_through_app
from pages.shared.parts import lecture_thread, runs_folder
from pages.shared.pictures import stacked
from pages.shared.placing import options_of
from pages.shared.training_choice import Choice, show_controls, what_choice

enter_through_app()

SHOWN_IMAGES, SHOWN_VARIANTS = 8, 3
SAMPLE_PIXELS = 112
BAR, HALVES = "begin", "halves"
BEGIN_WIDTH = 150
TRAIN_STYLE = f"""<style>
/* the button that starts it stays in sight, however long the settings below it */
[data-testid="stLayoutWrapper"]:has(> .st-key-{BAR}) {{position: sticky; top: 3.75rem; z-index: 50}}
.st-key-{BAR} {{background: light-dark({BACKGROUND["light"]}, {BACKGROUND["dark"]}); padding: 0.4rem 0}}
/* two halves on a laptop, one below the other in a narrow or much enlarged window */
.st-key-{HALVES} > div {{flex: 1 1 0; min-width: min(27rem, 100%)}}
</style>"""


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
    """The shortest command that trains this: the preset's name says it all where nothing else was changed."""
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


def begin(choice: Choice, experiment: Experiment) -> Run | Sweep:
    """Queue the training, or start the sweep; UserError where it cannot be made."""
    if choice.place:
        reached(choice.place)
    kept = choice.scope if choice.preset and experiment == choice.preset.experiment() else None
    source = choice.start[1] if choice.start else None
    if choice.sweep.texts:
        return going.start(
            experiment,
            choice.sweep.values(experiment),
            runs_folder(),
            search=choice.sweep.search,
            trials=choice.sweep.trials,
            stopping=choice.sweep.stopping,
            name=choice.name or None,
            preset=kept,
            source=source,
            own_image=choice.own_image,
            place=choice.place,
        )
    made = runs.create(experiment, runs_folder(), preset=kept, source=source)
    if choice.own_image is not None:
        film.keep_own_image(made, choice.own_image)
    if choice.name:
        made.relabel(name=choice.name)
    queue.enqueue(made, place=choice.place)
    return made


def main() -> None:
    st.title("Train", anchor=False)
    st.write(
        "Choose a network, a data set and a recipe. The training runs in a process of its own: leave when you like."
    )
    st.html(TRAIN_STYLE)
    top = st.container(key=BAR, horizontal=True, vertical_alignment="center")
    with st.container(horizontal=True, gap="large", key=HALVES):
        controls, outlook = st.container(), st.container()
    experiment: Experiment | None = None
    count = 1
    with controls:
        choice, values = what_choice()
        try:
            show_controls(choice, values)
            experiment = choice.experiment()
            count = choice.sweep.count(experiment) if experiment else 1
        except UserError as error:
            with top:
                show_error(error)
    if experiment:
        with outlook:
            command = choice.sweep.command(command_of(experiment, choice.preset), choice.name)
            show_outlook(experiment, command + options_of(choice.place))
    with top:
        label = "Train" if count == 1 else f"Queue {count} runs"
        pressed = st.button(
            label, type="primary", icon=":material/play_arrow:", disabled=experiment is None, width=BEGIN_WIDTH
        )
        if experiment:
            st.markdown(in_short(experiment), width="content")
            if note := choice.sweep.left_out(experiment):
                st.caption(markdown(note), width="content")
    if pressed and experiment:
        try:
            made = begin(choice, experiment)
        except UserError as error:
            with top:
                show_error(error)
        else:
            if isinstance(made, Run):
                st.switch_page("pages/run.py", query_params={"run": made.id})
            st.switch_page("pages/sweep.py", query_params={"sweep": made.id})
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
