"""One run: live while it trains, its results afterwards. The run's id is in the address."""

import time
from collections.abc import Sequence
from datetime import datetime

import pandas as pd
import streamlit as st

from cnnlab import datasets, runs, text, units
from cnnlab.errors import UserError
from cnnlab.evaluation import Key
from cnnlab.plots import training as plots
from cnnlab.runs import actions, launchers, queue
from cnnlab.runs.health import epochs_done, problems
from cnnlab.runs.records import EpochRecord, average_speed, best_of
from cnnlab.runs.run import Labels, Run
from cnnlab.runs.status import ACTIVE, Status
from cnnlab.runs.sweeps.record import name_of, of_run
from cnnlab.zoo import catalogue
from pages.shared.actions import REFUSED, action_bar, attempt, more_actions, show_refusal
from pages.shared.address import asked, tab_title
from pages.shared.charts import show_chart
from pages.shared.errors import show_error
from pages.shared.evaluating import evaluation_or_offer, headline
from pages.shared.exporting import show_exports
from pages.shared.film import FILM_SECONDS, show_film
from pages.shared.given import MICROSCOPE
from pages.shared.navigation import enter_through_app
from pages.shared.network import show_network
from pages.shared.parts import SUBMITTED, run_title, runs_folder, state_badge

enter_through_app()

RUN_REFRESH_SECONDS = 1.0
WATCH_SECONDS = 3.0
ALIVE = (*ACTIVE, "queued")
STEP_CURVES = {
    "learning_rate": "Learning rate",
    "gradient_norm": "Norm of the gradient",
    "images_per_second": "Images per second",
}
MOST_TAG = 60


def open_run() -> Run:
    """The run named in the address, or the page's end with a word on what to do."""
    name = asked("run") or ""
    try:
        return catalogue.find(name, runs_folder())
    except UserError:
        st.title("Run", anchor=False)
        if name:
            given = text.markdown(repr(name))
            st.warning(f"There is no run {given} here. It may have been deleted, or the address is cut off.")
        else:
            st.info("The address names no run. Choose one from the list.", icon=":material/info:")
        st.page_link("pages/runs.py", label="All runs", icon=":material/arrow_back:")
        st.stop()


def is_own(run: Run) -> bool:
    """Whether it was trained here; else it comes with cnnlab or from elsewhere, and stays as it is."""
    return run.folder.parent == runs_folder()


def show_message(run: Run, status: Status) -> None:
    match status.state:
        case "failed" | "interrupted":
            show_error(status.message, ":material/error:")
        case "paused":
            st.info(text.message(status.message), icon=":material/pause:")
        case "stopped":
            st.info(text.message(status.message), icon=":material/stop:")
        case "queued":
            waiting = queue.read(run.folder.parent).waiting
            place = waiting.index(run.id) + 1 if run.id in waiting else 1
            st.info(f"Waits in the queue, place {place} of {max(len(waiting), 1)}.", icon=":material/schedule:")
            if status.message:
                st.warning(text.message(status.message), icon=":material/cloud_off:")
        case "submitted":
            st.progress(0.0, text=SUBMITTED)
        case "starting" | "preparing":
            st.progress(status.fraction or 0.0, text=text.message(status.message or "Starting the training process"))
        case "running":
            done = status.step / status.steps
            epoch = min(status.step // status.steps_per_epoch + 1, status.epochs)
            st.progress(
                min(done, 1.0), text=f"Epoch {epoch} of {status.epochs}, step {status.step:,} of {status.steps:,}"
            )
        case _ if status.message:
            st.info(text.message(status.message), icon=":material/flag:")
        case _:
            pass
    if status.state in ACTIVE and (note := run.launcher.note(run.folder)):
        if launchers.is_unknown(run.folder):
            st.warning(text.message(note), icon=":material/cloud_off:")
        else:
            st.caption(text.message(note))
    if silence := status.silence(time.time()):
        st.warning(
            f"Nothing was heard of this training for {units.duration(silence)}: it may hang, or the machine is very "
            "busy. Stop it and resume it from its last checkpoint.",
            icon=":material/hourglass_disabled:",
        )


def show_metrics(run: Run, status: Status, history: Sequence[EpochRecord]) -> None:
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
        st.metric("Epochs", f"{epochs_done(run, status)} of {status.epochs}", border=True)
        if status.state in ACTIVE:
            st.metric(
                "Images per second",
                f"{status.images_per_second:,.0f}" if status.images_per_second else "–",
                help="Training images learned from per second, over the last 15 s of training.",
                border=True,
            )
        elif speed := average_speed(history):
            st.metric(
                "Images per second, on average",
                f"{speed:,.0f}",
                help="Training images learned from per second, over all epochs.",
                border=True,
            )
        st.metric(
            "Time at work",
            units.duration(status.seconds_worked(time.time())),
            help="Without the time in the queue or paused.",
            border=True,
        )
        if status.state in ACTIVE:
            st.metric(
                "Time left",
                units.duration(status.seconds_left),
                help="At the speed of the last 15 s of training, validations included; a dash until a few seconds "
                "of it have been measured.",
                border=True,
            )
        st.metric(
            "Memory",
            units.size(status.memory) if status.memory else "–",
            help="Of the training process." if status.state in ACTIVE else "Of the training process, when it ended.",
            border=True,
        )


def show_curves(run: Run, history: Sequence[EpochRecord], epochs: int) -> None:
    best, steps = best_of(history), run.steps()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        across = st.segmented_control(
            "Over", list(plots.ACROSS), format_func=lambda name: name.capitalize(), default="epoch", key="across"
        )
        scale = st.segmented_control("Scale", ["linear", "log"], default="linear", key="scale", width="content")
        smoothing = st.slider("Smoothing of training", 0.0, 0.98, 0.0, 0.02, key="smoothing", width=220)
    for column, measure in zip(st.columns(2), plots.CURVE_MEASURES, strict=True):
        figure = plots.learning_curves(
            measure,
            history,
            steps,
            epochs,
            best["epoch"] if best else None,
            across or "epoch",
            smoothing,
            scale == "log",
        )
        show_chart(figure, f"{run.id} {measure}", column)
    with st.expander(
        "Learning rate, gradient norm and speed", icon=":material/speed:", key="more curves", on_change="rerun"
    ) as more:
        if more.open:
            for column, (name, title) in zip(st.columns(3), STEP_CURVES.items(), strict=True):
                figure = plots.step_curve(name, title, steps, epochs, across or "epoch")
                show_chart(figure, f"{run.id} {name}", column)


def show_events(run: Run) -> None:
    """What happened to the run, newest first."""
    events = run.events()[::-1]
    table = pd.DataFrame(
        [
            {
                "When": datetime.fromtimestamp(event["time"]).astimezone().strftime("%d %b, %H:%M:%S"),
                "Event": text.table(str(event.get("event", "")), text.MOST),
                "": text.table(str(event.get("message", "")), text.MOST_MESSAGE),
            }
            for event in events
        ]
    )
    if events:
        st.dataframe(table, hide_index=True, height=min(38 + 35 * len(events), 320))


def show_evaluation(run: Run) -> None:
    """The test figures, or the button that measures them."""
    key = Key("test", run.checkpoint("best").info.step)
    kept = evaluation_or_offer(run, key, "How good is it on the test images, which it has never met?")
    if kept is None:
        return
    headline(kept)
    st.caption(f"{text.markdown(kept.dataset)}, {kept.images:,} test images, weights after epoch {kept.epoch:g}.")
    st.page_link(
        "pages/evaluate.py",
        label="Report, confusion, mistakes",
        icon=":material/arrow_forward:",
        icon_position="right",
        query_params={"run": run.id},
    )


def show_network_of(run: Run) -> None:
    """The network that was trained, and the way to put it beside others."""
    try:
        network = run.network
    except UserError as error:
        show_error(error)
        return
    show_network(network, run.config.experiment.options)
    st.page_link(
        "pages/compare.py",
        label="Compare it with others",
        icon=":material/arrow_forward:",
        icon_position="right",
        query_params={"network": catalogue.OF_RUN + run.id},
    )


def show_damaged(run: Run) -> None:
    """A run that has lost its configuration: what is left of it, and the way to be rid of it."""
    st.page_link("pages/runs.py", label="All runs", icon=":material/arrow_back:")
    st.title(text.markdown(run.labels().name or run.id), anchor=False)
    show_refusal()
    show_problems(run)
    history = run.history()
    if history:
        show_curves(run, history, run.status().epochs or history[-1]["epoch"])
    if log := run.log(30):
        st.code(log, "text")
    if is_own(run) and run.status().state not in ACTIVE and st.button("Move to the trash", icon=":material/delete:"):
        attempt(actions.delete, run)
        if not st.session_state.get(REFUSED):
            st.switch_page("pages/runs.py")


def show_problems(run: Run) -> None:
    """What is damaged, and what can still be done."""
    for problem in problems(run, closely=True):
        st.warning(text.markdown(str(problem)), icon=":material/heart_broken:")


def show_origin(run: Run, labels: Labels) -> None:
    """Where the run comes from, and what people noted about it."""
    config, initial = run.config, run.config.experiment.initial
    words = [run_title(run)] if labels.name not in ("", run_title(run)) else []
    words += [f"preset {config.preset}"] if config.preset else []
    words += [f"group {config.group}"] if config.group else []
    words += [f"goes on from {config.parent.run} after epoch {config.parent.epoch:g}"] if config.parent else []
    words += [f"on {where}"] if (where := launchers.where(run.folder)) else []
    words += [f"begins with {len(initial.layers)} layers of {initial.run}"] if initial else []
    if words:
        st.caption(text.message(" · ".join(words)))
    if sweep := of_run(run):
        st.page_link(
            "pages/sweep.py",
            label=text.markdown(f"Trial {config.trial.number if config.trial else ''} of {name_of(sweep)}"),
            icon=":material/grid_view:",
            query_params={"sweep": sweep.id},
        )
    if labels.tags:
        st.markdown(" ".join(f":gray-badge[{text.markdown(tag, MOST_TAG)}]" for tag in labels.tags))
    if labels.note:
        st.markdown(text.lines(labels.note))


def progress(run: Run, active: bool) -> None:
    """The run as it stands; while it is active, drawn again every second."""
    config, status = run.config, run.status()
    began = datetime.fromisoformat(config.created).astimezone()
    with st.container(horizontal=True, vertical_alignment="center"):
        state_badge(status.state)
        st.caption(f"`{run.id}` · started {began:%d %b %Y, %H:%M}", width="content")
        if is_own(run):
            action_bar(run, status)
    show_message(run, status)
    history = run.history()
    show_metrics(run, status, history)
    show_curves(run, history, status.epochs or config.experiment.recipe.epochs)
    left, right = st.columns(2)
    with left, st.expander("Log", expanded=active, icon=":material/terminal:", key="log", on_change="rerun") as log:
        if log.open:
            st.code(text.terminal(run.log(8 if active else 30)) or "Nothing yet.", "text")
    with right, st.expander("Events", icon=":material/history:", key="events", on_change="rerun") as events:
        if events.open:
            show_events(run)
    if (status.state in ALIVE) != active:
        st.rerun()


@st.fragment(run_every=WATCH_SECONDS)
def watch(run: Run) -> None:
    """Follow a run that is resumed elsewhere, in another tab or a terminal."""
    if run.status().state in ALIVE:
        st.rerun()


def show_use(run: Run) -> None:
    """What can be done with a run that is at rest: test it, try it, train on from it, take it along."""
    experiment = run.config.experiment
    trained_here = is_own(run) or catalogue.origin_of(run.id) == "shipped"
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
            st.page_link(MICROSCOPE, label="Look inside", icon=":material/biotech:", query_params={"network": run.id})
            if not run.imported:
                drawn = experiment.architecture if experiment.design is None else catalogue.OF_RUN + run.id
                learned = {"dataset": experiment.dataset} if experiment.dataset in datasets.sources() else {}
                st.page_link(
                    "pages/train.py",
                    label="Train another from it",
                    icon=":material/start:",
                    query_params={"architecture": drawn, **learned, "from": run.id},
                )
        if trained_here:
            show_evaluation(run)
        if not run.imported:
            with st.expander("Export", icon=":material/output:", key="export", on_change="rerun") as exports:
                if exports.open:
                    show_exports(run)
    with st.expander("Network", icon=":material/account_tree:", key="network", on_change="rerun") as drawing:
        if drawing.open:
            show_network_of(run)
    with st.expander("Settings", icon=":material/tune:", key="settings", on_change="rerun") as settings:
        if settings.open:
            if trained_here:
                st.code(run.command(), "bash", wrap_lines=True)
            st.json(run.config.model_dump(), expanded=2)


def main() -> None:
    run = open_run()
    if runs.config_of(run) is None:
        show_damaged(run)
        st.stop()
    labels = run.labels()
    st.page_link("pages/runs.py", label="All runs", icon=":material/arrow_back:")
    st.title(text.markdown(labels.name or run_title(run)), anchor=False)
    show_refusal()
    active = run.status().state in ALIVE
    tab_title(labels.name or run_title(run))
    show_origin(run, labels)
    if is_own(run):
        show_problems(run)
    st.fragment(progress, run_every=RUN_REFRESH_SECONDS if active else None)(run, active)
    if not run.imported:
        st.fragment(show_film, run_every=FILM_SECONDS if active else None)(run)
    if is_own(run) and not active:
        watch(run)
    if is_own(run):
        with st.container(horizontal=True):
            more_actions(run, run.status())
    if not active:
        show_use(run)


main()
