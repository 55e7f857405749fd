"""One sweep: its trials, the best of them, which settings matter, what was stopped when and why; in the address."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Any

import pandas as pd
import streamlit as st

from cnnlab import text, units
from cnnlab.errors import UserError
from cnnlab.plots import sweeps as plots
from cnnlab.plots.sweeps import Axis, Fate, TrialLine
from cnnlab.runs.sweeps import going
from cnnlab.runs.sweeps.overview import Overview, overview
from cnnlab.runs.sweeps.record import Sweep, find
from cnnlab.runs.sweeps.search import LEAST_TRIALS
from cnnlab.runs.sweeps.space import Range, titled, typed
from cnnlab.runs.sweeps.trial import Trial, said
from pages.shared.actions import attempt, show_refusal
from pages.shared.address import asked, tab_title
from pages.shared.charts import show_chart, theme
from pages.shared.errors import show_error
from pages.shared.navigation import enter_through_app
from pages.shared.parts import dataset_title_of, runs_folder
from pages.shared.settings import setting_title
from pages.shared.tables import NOTHING, percent_of

enter_through_app()

SWEEP_REFRESH_SECONDS = 2.0
MOST_ROWS = 12
STATE_BADGES: dict[str, tuple[str, Any]] = {
    "running": (":material/play_arrow:", "blue"),
    "pausing": (":material/hourglass_top:", "orange"),
    "paused": (":material/pause:", "orange"),
    "completed": (":material/check:", "green"),
}
DECISION_TITLES = {
    "promote": "Goes on",
    "pause": "Paused",
    "stop": "Stopped",
    "release": "Goes on by hand",
    "resume": "Queued again",
}


def open_sweep() -> Sweep:
    """The sweep named in the address, or the page's end with a word on what to do."""
    name = asked("sweep") or ""
    try:
        return find(name, runs_folder())
    except UserError:
        st.title("Sweep", anchor=False)
        if name:
            st.warning(f"There is no sweep {text.markdown(repr(name))} here, or the address is cut off.")
        else:
            st.info("The address names no sweep. Choose one from the list.", icon=":material/info:")
        st.page_link("pages/sweeps.py", label="All sweeps", icon=":material/arrow_back:")
        st.stop()


def fate_of(trial: Trial, shown: Overview) -> Fate:
    if shown.best and trial.number == shown.best.number:
        return "best"
    return "completed" if trial.state == "completed" else "at work" if trial.at_work else "ended"


def lines_of(shown: Overview) -> list[TrialLine]:
    """The trials as charts show them."""
    return [
        TrialLine(
            f"Trial {trial.number}: {titled(trial.changes)}",
            fate_of(trial, shown),
            {line["epoch"]: line["validation_accuracy"] for line in trial.history},
            {setting_title(name): typed(value) for name, value in trial.changes.items()},
        )
        for trial in shown.trials
    ]


def axes_of(shown: Overview) -> list[Axis]:
    found = []
    for name, choices in shown.record.space.items():
        if isinstance(choices, Range):
            found.append(Axis(setting_title(name), (), choices.low, choices.high, choices.log))
        else:
            found.append(Axis(setting_title(name), [typed(one) for one in choices]))
    return found


def show_buttons(sweep: Sweep, shown: Overview) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        icon, colour = STATE_BADGES[shown.state]
        st.badge(shown.state, icon=icon, color=colour)
        if shown.state == "running":
            action(sweep, "Pause", "pause", going.pause, "Saves a checkpoint of what trains, and frees the machine.")
        if shown.state in ("paused", "pausing"):
            action(sweep, "Resume", "play_arrow", going.resume, "Goes on exactly where it was paused.")
        st.page_link(
            "pages/runs.py", label="Its runs", icon=":material/list:", query_params={"group": shown.record.name}
        )
        st.page_link(
            "pages/compare_runs.py",
            label="Compare them",
            icon=":material/compare_arrows:",
            query_params={"group": shown.record.name},
        )
        if shown.record.search != "grid":
            with st.popover("Add trials", icon=":material/add:"):
                count = st.number_input("More trials", value=5, min_value=1, step=1, key="more trials")
                st.button("Add", type="primary", on_click=attempt, args=(going.add_trials, sweep, int(count)))


def action(sweep: Sweep, label: str, icon: str, act: Callable[[Sweep], None], words: str) -> None:
    st.button(label, icon=f":material/{icon}:", on_click=attempt, args=(act, sweep), help=words)


def show_metrics(shown: Overview) -> None:
    best = shown.best
    share = f", {shown.epochs_trained / shown.epochs_of_all:.0%}" if shown.epochs_of_all else ""
    with st.container(horizontal=True):
        st.metric(
            "Best validation accuracy",
            units.percent(best.best["validation_accuracy"]) if best and best.best else "–",
            help=f"Trial {best.number}, epoch {best.best['epoch']}." if best and best.best else None,
            border=True,
        )
        ended = sum(not trial.at_work for trial in shown.trials)
        st.metric(
            "Trials",
            f"{ended} of {shown.record.trials}",
            help="Those not at work or in the queue, of all.",
            border=True,
        )
        st.metric(
            "Epochs trained",
            f"{shown.epochs_trained:,} of {shown.epochs_of_all:,}{share}",
            help="Of those that all trials would take to the end.",
            border=True,
        )
        if shown.now.finished is not None and shown.record.stopping.rule != "none":
            st.metric(
                "Time saved",
                units.duration(shown.seconds_saved),
                help="What the epochs not trained would have taken at the speed at which each trial trained. What it "
                "took to begin anew after a pause is not counted off.",
                border=True,
            )


def show_best(shown: Overview) -> None:
    if shown.best is None:
        return
    best = shown.best
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**The best: trial {best.number}**, {text.markdown(titled(best.changes))}", width="content")
        st.page_link(
            "pages/run.py", label="Open its run", icon=":material/open_in_new:", query_params={"run": best.run.id}
        )
    with suppress(UserError):
        st.code(best.run.command(), "bash", wrap_lines=True)


def show_trials(shown: Overview) -> None:
    """The trials as a table, the best first; choosing one opens its run."""
    order = sorted(
        shown.trials, key=lambda trial: -trial.best["validation_accuracy"] if trial.best else float(trial.number)
    )
    settings = {
        setting_title(name): [
            text.table(units.setting(typed(trial.changes[name]))) if name in trial.changes else NOTHING
            for trial in order
        ]
        for name in shown.record.space
    }
    table = pd.DataFrame(
        {
            "Trial": [trial.number for trial in order],
            "State": [trial.state for trial in order],
            "Best validation accuracy": [
                percent_of(trial.best["validation_accuracy"]) if trial.best else None for trial in order
            ],
            "Epochs": [f"{trial.epoch} of {trial.status.epochs}" if trial.status else NOTHING for trial in order],
            **settings,
            "Last word": [text.table(last_word(trial)) for trial in order],
        }
    )
    event = st.dataframe(
        table,
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        key="trials table",
        placeholder=NOTHING,
        height=38 + 35 * min(len(order), MOST_ROWS),
        column_config={"Best validation accuracy": st.column_config.NumberColumn(format="%.1f%%")},
    )
    for row in event.selection.rows:
        if row < len(order) and order[row].status:
            st.switch_page("pages/run.py", query_params={"run": order[row].run.id})


def last_word(trial: Trial) -> str:
    if trial.problem:
        return trial.problem
    if trial.status and trial.status.state in ("failed", "interrupted", "stopped"):
        return trial.status.message
    return said(trial.decisions[-1]) if trial.decisions else ""


def show_settings(shown: Overview, lines: list[TrialLine]) -> None:
    """The settings of the trials side by side, and which of them matter."""
    if sum(line.best is not None for line in lines) < 2:
        st.caption("Once two trials have finished an epoch, their settings stand side by side here.")
        return
    st.subheader("Settings and what they reached", anchor=False)
    show_chart(plots.parallel_coordinates(lines, axes_of(shown), theme()), "parallel chart", buttons=False)
    if not shown.importances:
        st.caption(f"Which settings matter is said once {LEAST_TRIALS} trials have come to epoch {shown.compared_at}.")
    else:
        st.subheader("Which settings matter", anchor=False)
        shares = {setting_title(name): share for name, share in shown.importances.items()}
        show_chart(plots.importance_bars(shares), "importance chart", buttons=False)
        st.caption(
            f"For being in the better half after epoch {shown.compared_at}, which stopped trials have reached too; "
            "by PED-ANOVA (Watanabe et al., 2023), as Optuna computes it. With few trials it is a hint, no more."
        )


def show_decisions(shown: Overview) -> None:
    count = len(shown.decisions)
    with st.expander(
        f"{count} decision{'' if count == 1 else 's'}", icon=":material/gavel:", key="decisions", on_change="rerun"
    ) as part:
        if not part.open:
            return
        if not shown.decisions:
            st.caption("None yet: nothing was stopped or let go on.")
            return
        table = pd.DataFrame(
            {
                "When": [datetime.fromtimestamp(one["time"]).astimezone() for one in shown.decisions],
                "Trial": [one["trial"] for one in shown.decisions],
                "After epoch": [one["epoch"] for one in shown.decisions],
                "Decision": [DECISION_TITLES[one["action"]] for one in shown.decisions],
                "Value": [percent_of(one["value"]) for one in shown.decisions],
                "Threshold": [percent_of(one["threshold"]) for one in shown.decisions],
                "Why": [said(one) for one in shown.decisions],
            }
        )
        percents = {name: st.column_config.NumberColumn(format="%.1f%%") for name in ("Value", "Threshold")}
        when = {"When": st.column_config.DatetimeColumn(format="D MMM, HH:mm:ss")}
        st.dataframe(table[::-1], hide_index=True, placeholder=NOTHING, column_config={**percents, **when})


def show_sweep(sweep: Sweep, live: bool) -> None:
    try:
        shown = overview(sweep)
    except UserError as error:
        show_error(error)
        return
    if live and shown.state == "completed":
        st.rerun()
    lines = lines_of(shown)
    show_buttons(sweep, shown)
    show_metrics(shown)
    recipe_epochs = max([shown.record.experiment.recipe.epochs, *(trial.epoch for trial in shown.trials)])
    rungs = shown.record.stopping.rungs(shown.record.experiment.recipe.epochs)
    if not any(line.accuracies for line in lines):
        st.caption("Once a trial has finished an epoch, its validation accuracy is drawn here.")
    else:
        show_chart(plots.trial_curves(lines, rungs, recipe_epochs), "trials chart")
    if rungs and any(line.accuracies for line in lines):
        st.caption("Dotted: where trials are judged. A cross is where one was stopped or waits.")
    show_best(shown)
    show_trials(shown)
    show_settings(shown, lines)
    show_decisions(shown)


@st.fragment(run_every=SWEEP_REFRESH_SECONDS)
def live_sweep(sweep: Sweep) -> None:
    show_sweep(sweep, live=True)


def main() -> None:
    sweep = open_sweep()
    with suppress(UserError):
        going.go_on(sweep)
    try:
        shown = overview(sweep)
    except UserError as error:
        st.title("Sweep", anchor=False)
        show_error(error)
        st.stop()
    st.page_link("pages/sweeps.py", label="All sweeps", icon=":material/arrow_back:")
    tab_title(shown.record.name)
    st.title(text.markdown(shown.record.name), anchor=False)
    experiment = shown.record.experiment
    st.write(
        f"{text.markdown(experiment.title)} on {text.markdown(dataset_title_of(experiment.dataset))}. "
        f"{text.message(shown.what)}"
    )
    show_refusal()
    if shown.state == "completed":
        show_sweep(sweep, live=False)
    else:
        live_sweep(sweep)


main()
