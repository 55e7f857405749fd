"""One run: live while it trains, its results afterwards. The run's id is in the address."""

import time
from datetime import datetime

import pandas as pd
import streamlit as st

from cnnlab import plots, runs, units
from cnnlab.errors import UserError
from cnnlab.evaluation import Evaluation, evaluate, kept_evaluation
from cnnlab.plots import Records
from cnnlab.runs.run import Run, best_of
from cnnlab.runs.status import ACTIVE, Status
from pages.shared.models import classifier
from pages.shared.navigation import enter_through_app
from pages.shared.parts import run_title, runs_folder, state_badge

enter_through_app()

REFRESH_SECONDS = 1.0
CHART = {"displaylogo": False, "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"]}


def open_run() -> Run:
    """The run named in the address, or the page's end with a word on what to do."""
    name = st.query_params.get("run", "")
    try:
        return runs.find(name, runs_folder())
    except UserError:
        st.title("Run", anchor=False)
        if name:
            st.warning(f"There is no run {name!r} here. It may have been deleted, or the address is cut off.")
        else:
            st.info("The address names no run. Choose one from the list.", icon=":material/info:")
        st.page_link("pages/runs.py", label="All runs", icon=":material/arrow_back:")
        st.stop()


def show_message(status: Status) -> None:
    match status.state:
        case "failed" | "interrupted":
            st.error(status.message, icon=":material/error:")
        case "stopped":
            st.info(status.message, icon=":material/stop:")
        case "starting" | "preparing":
            st.progress(status.fraction or 0.0, text=status.message or "Starting the training process")
        case "running":
            done = status.step / status.steps
            epoch = min(status.step // status.steps_per_epoch + 1, status.epochs)
            st.progress(
                min(done, 1.0), text=f"Epoch {epoch} of {status.epochs}, step {status.step:,} of {status.steps:,}"
            )
        case _:
            pass


def show_metrics(status: Status, history: Records) -> None:
    best = best_of(history)
    with st.container(horizontal=True):
        st.metric(
            "Best validation accuracy",
            units.percent(best["validation_accuracy"]) if best else "–",
            help=f"Epoch {best['epoch']}, on {status.validation_images:,} images held out from training."
            if best
            else "Measured at the end of each epoch on images held out from training.",
            border=True,
        )
        st.metric("Epochs", f"{len(history)} of {status.epochs}", border=True)
        st.metric(
            "Images per second",
            f"{status.images_per_second:,.0f}" if status.images_per_second else "–",
            help="Training images learned from per second, over the last 15 s.",
            border=True,
        )
        spent = (status.ended or time.time()) - status.started
        st.metric("Time spent", units.duration(spent), border=True)
        if status.state in ACTIVE:
            st.metric(
                "Time left",
                units.duration(status.seconds_left),
                help="At the speed of the last 15 s, validations included.",
                border=True,
            )


def show_curves(run: Run, history: Records, epochs: int) -> None:
    best, steps = best_of(history), run.steps()
    for column, measure in zip(st.columns(2), ("accuracy", "loss"), strict=True):
        figure = plots.learning_curves(measure, history, steps, epochs, best["epoch"] if best else None)
        column.plotly_chart(figure, key=f"{run.id} {measure}", config=CHART)


def stop_button(run: Run, status: Status) -> None:
    if status.state not in ACTIVE:
        return
    asked = run.stop_requested()
    st.button(
        "Stopping" if asked else "Stop",
        icon=":material/stop:",
        disabled=asked,
        on_click=run.request_stop,
        help="Ends the training after the current step and saves a checkpoint.",
    )


def show_evaluation(run: Run) -> None:
    """The test figures, or the button that measures them."""
    kept = kept_evaluation(run)
    if kept is None:
        st.write("How good is it on the test images, which it has never met?")
        if st.button("Evaluate on the test images", icon=":material/fact_check:"):
            bar = st.progress(0.0, "Loading TensorFlow and the network, up to 10 s")
            try:
                kept = evaluate(classifier(run), "test", lambda text, done: bar.progress(done or 0.0, text))
            except UserError as error:
                st.error(str(error))
                return
            st.rerun()
    if kept is not None:
        show_figures(kept)


def show_figures(kept: Evaluation) -> None:
    with st.container(horizontal=True):
        st.metric("Rank-1 accuracy", f"{kept.accuracy:.2%}", help=f"On {kept.images:,} test images.", border=True)
        st.metric(
            "Rank-5 accuracy",
            f"{kept.top5_accuracy:.2%}",
            help="The true class is among the five most probable.",
            border=True,
        )
        st.metric("Loss", f"{kept.loss:.4f}", help="Mean cross-entropy, in nats.", border=True)
    st.caption(f"{kept.dataset}, {kept.images:,} test images, weights after epoch {kept.epoch:g}.")
    left, right = st.columns(2)
    names = (*kept.classes, "macro avg", "weighted avg")
    report = pd.DataFrame([{"Class": name, **kept.report[name]} for name in names])
    report.columns = ["Class", "Precision", "Recall", "F1", "Images"]
    figures = report.style.format("{:.2f}", subset=["Precision", "Recall", "F1"]).format("{:,.0f}", subset=["Images"])
    left.dataframe(figures, hide_index=True, height=38 + 35 * len(names))
    right.plotly_chart(plots.confusion_matrix(kept.confusion, kept.classes), key="confusion", config=CHART)


run = open_run()
experiment = run.config.experiment
began = datetime.fromisoformat(run.config.created).astimezone()
st.page_link("pages/runs.py", label="All runs", icon=":material/arrow_back:")
st.title(run_title(run), anchor=False)
active = run.status().state in ACTIVE


@st.fragment(run_every=REFRESH_SECONDS if active else None)
def progress() -> None:
    status = run.status()
    with st.container(horizontal=True, vertical_alignment="center"):
        state_badge(status.state)
        st.caption(f"`{run.id}` · started {began:%d %b %Y, %H:%M}", width="content")
        stop_button(run, status)
    show_message(status)
    history = run.history()
    show_metrics(status, history)
    show_curves(run, history, status.epochs or experiment.recipe.epochs)
    with st.expander("Log", expanded=active, icon=":material/terminal:", key="log", on_change="rerun") as log:
        if log.open:
            st.code(run.log(8 if active else 30) or "Nothing yet.", "text")
    if active and status.state not in ACTIVE:
        st.rerun()


progress()

if not active:
    if run.checkpoints():
        with st.container(horizontal=True, vertical_alignment="center"):
            st.subheader("Test", anchor=False, width="stretch")
            st.page_link(
                "pages/predict.py",
                label="Try it on your own images",
                icon=":material/arrow_forward:",
                icon_position="right",
                query_params={"run": run.id},
            )
        show_evaluation(run)
    with st.expander("Settings", icon=":material/tune:", key="settings", on_change="rerun") as settings:
        if settings.open:
            st.code(experiment.command(), "bash", wrap_lines=True)
            st.json(run.config.model_dump(), expanded=2)
