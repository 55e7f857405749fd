"""Choose a network, a data set and a recipe, see the command that does the same, and start."""

import streamlit as st

from cnnlab import architectures, datasets, runs, units
from cnnlab.architectures import ARCHITECTURES
from cnnlab.datasets import SOURCES
from cnnlab.datasets.dataset import validation_count
from cnnlab.errors import UserError
from cnnlab.runs.config import plan
from cnnlab.training.recipe import Recipe, make_recipe
from pages.shared.navigation import enter_through_app
from pages.shared.parts import address_select, architecture_title, runs_folder, switch_control

enter_through_app()

OPTIMIZERS = {"adam": "Adam", "sgd": "SGD, Nesterov momentum 0.9"}
SCHEDULES = {"linear": "Linear to zero", "constant": "Constant"}
DEFAULTS = Recipe()

st.title("Train", anchor=False)
st.write("Choose a network, a data set and a recipe. The training runs in a process of its own: leave when you like.")

controls, outlook = st.columns([3, 2], gap="large")
with controls:
    left, right = st.columns(2)
    architecture = address_select("Architecture", list(ARCHITECTURES), "architecture", architecture_title, left)
    dataset = address_select("Data set", list(SOURCES), "dataset", lambda name: SOURCES[name].title, right)
    source = SOURCES[dataset]
    left, right = st.columns(2)
    epochs = left.number_input(
        "Epochs", value=DEFAULTS.epochs, step=1, help="How often every training image is seen.", key="epochs"
    )
    batch_size = right.number_input(
        "Batch size", value=DEFAULTS.batch_size, step=16, help="Images in one step of gradient descent.", key="batch"
    )
    left, middle, right = st.columns([2, 1, 1])
    optimizer = left.selectbox("Optimizer", list(OPTIMIZERS), format_func=OPTIMIZERS.__getitem__, key="optimizer")
    learning_rate = middle.number_input(
        "Learning rate",
        value=DEFAULTS.learning_rate if optimizer == "adam" else 0.01,
        step=None,
        format="%g",
        key=f"learning_rate_{optimizer}",
        help="How far a step goes; 0.001 suits Adam, 0.01 suits SGD.",
    )
    schedule = right.selectbox(
        "Schedule",
        list(SCHEDULES),
        format_func=SCHEDULES.__getitem__,
        key="schedule",
        help="Learning-rate schedule. Falling linearly to zero at the end is the safest choice for short trainings.",
    )
    with st.expander("Network, validation and seed"):
        left, right = st.columns(2)
        validation = left.number_input(
            "Validation share",
            value=DEFAULTS.validation_fraction,
            step=0.05,
            help="Share of the training images held out, class by class, to judge the network after each epoch. "
            "The test images are touched only when a run is evaluated.",
        )
        seed = right.number_input(
            "Seed", value=DEFAULTS.seed, step=1, help="The same seed gives the same split, start and order."
        )
        fitting = {"input_size": architectures.training_input_size(architecture, source.image_size)}
        switches = {}
        for number, switch in enumerate(
            switch for switch in ARCHITECTURES[architecture].switches if switch.name != "classes"
        ):
            with (left, right)[number % 2]:
                key = f"{architecture}.{dataset}.{switch.name}"
                switches[switch.name] = switch_control(
                    switch, key, fitting.get(switch.name, switch.default), bind=False
                )

with outlook:
    try:
        recipe = make_recipe(
            epochs=epochs,
            batch_size=batch_size,
            optimizer=optimizer,
            learning_rate=learning_rate,
            schedule=schedule,
            validation_fraction=validation,
            seed=seed,
        )
        experiment = plan(architecture, dataset, switches, recipe)
    except UserError as error:
        st.error(str(error))
        experiment = None
    if experiment:
        network = architectures.build(experiment.architecture, experiment.switches)
        validated = validation_count(source.train_images, recipe.validation_fraction)
        trained = source.train_images - validated
        steps = recipe.steps_per_epoch(trained)
        size = network.input_shape[0]
        st.markdown(
            f"**{architecture_title(architecture)}** with {units.short(network.parameters)} parameters and "
            f"{units.short(network.multiply_adds)} multiply-adds an image of {size}×{size} pixels."
        )
        st.markdown(
            f"**{source.title}**: {source.summary} {trained:,} to train on in {steps:,} steps an epoch, "
            f"{validated:,} to validate."
        )
        found = source.find(datasets.data_root())
        if found is None:
            st.warning(
                f"{source.title} is not under {datasets.data_root()}. The training will first download "
                f"{source.download}. To use files of your own, put them at {datasets.data_root() / source.name} as "
                "train/<class>/* and test/<class>/*.",
                icon=":material/download:",
            )
        st.caption("The same in a terminal")
        st.code(experiment.command(), "bash", wrap_lines=True)
    if st.button("Train", type="primary", icon=":material/play_arrow:", disabled=experiment is None, width="stretch"):
        try:
            run = runs.create(experiment, runs_folder())
            runs.start(run)
        except UserError as error:
            st.error(str(error))
        else:
            st.switch_page("pages/run.py", query_params={"run": run.id})
