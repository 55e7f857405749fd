"""Runs laid over each other: curves, the settings in which they differ, what they reached. They are in the address."""

import pandas as pd
import streamlit as st

from cnnlab import runs, text, units
from cnnlab.errors import UserError
from cnnlab.evaluation.runs import RunComparison, by_influence, comparison
from cnnlab.plots import runs as run_plots
from cnnlab.plots import training as plots
from cnnlab.runs.run import Run
from cnnlab.zoo import catalogue as networks
from cnnlab.zoo.studies import Study, studies
from pages.shared.address import asked, tab_title, unknown
from pages.shared.charts import show_chart
from pages.shared.navigation import enter_through_app
from pages.shared.parts import runs_folder
from pages.shared.settings import setting_title
from pages.shared.tables import DURATION, NOTHING, percent_of

enter_through_app()

COMPARED_ACCURACIES = {
    "Best validation accuracy": "best_validation_accuracy",
    "Final validation accuracy": "final_validation_accuracy",
    "Final training accuracy": "final_accuracy",
    "Test accuracy": "test_accuracy",
}
MOST_RUNS = 60
MOST_STRIPS = 6
COSTS = {"parameters": "Parameters", "multiply_adds": "Multiply-adds per image", "minutes": "Minutes at work"}


def chosen_runs(study: Study | None) -> list[Run]:
    """The runs, the study or the group that the address names; those that are gone are left out, with a word."""
    if study:
        return list(study.runs)
    if wanted := asked("study"):
        unknown("the study", wanted)
    folder = runs_folder()
    if group := asked("group"):
        found = [Run(folder / item["id"]) for item in runs.summaries(folder) if item["group"] == group]
        if not found:
            unknown("the group", group)
        return found[::-1]
    names = [name for name in (asked("runs") or "").split(",") if name]
    found, missing = [], []
    for name in names:
        try:
            found.append(networks.find(name, folder))
        except UserError:
            missing.append(name)
    if missing:
        st.warning(f"There is no run {text.message(', '.join(missing))} here.")
    return found


def show_curves(chosen: list[Run], titles: list[str]) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        across = st.segmented_control(
            "Over", list(plots.ACROSS), format_func=lambda name: name.capitalize(), default="epoch"
        )
        training = st.checkbox("Training too, dashed", value=False)
    histories = [(title, run.history()) for title, run in zip(titles, chosen, strict=True)]
    for column, measure in zip(st.columns(2), plots.CURVE_MEASURES, strict=True):
        figure = run_plots.run_curves(histories, measure, across or "epoch", training)
        show_chart(figure, f"curves {measure}", column)


def show_reached(table: RunComparison, titles: list[str]) -> None:
    columns = {
        **{title: [percent_of(item[name]) for item in table.figures] for title, name in COMPARED_ACCURACIES.items()},
        "In epoch": pd.array([item["best_epoch"] for item in table.figures], "Int64"),
        "At work": pd.to_timedelta([round(item["seconds"]) for item in table.figures], unit="s"),
        "Parameters": [units.count(item["parameters"]) if item["parameters"] else "–" for item in table.figures],
        "Multiply-adds": [
            units.short(item["multiply_adds"]) if item["multiply_adds"] else "–" for item in table.figures
        ],
    }
    percents = {title: st.column_config.NumberColumn(format="%.1f%%") for title in COMPARED_ACCURACIES}
    st.dataframe(
        pd.DataFrame({"Run": [text.table(title, None) for title in titles], **columns}),
        hide_index=True,
        placeholder=NOTHING,
        column_config={**percents, "At work": DURATION},
    )


def show_settings(table: RunComparison, titles: list[str]) -> None:
    st.subheader("Settings that differ", anchor=False)
    if not table.settings:
        st.caption("None: the runs were asked for the same.")
        return
    rows = {setting_title(name): [units.setting(value) for value in values] for name, values in table.settings.items()}
    st.dataframe(pd.DataFrame(rows, index=[text.table(title, None) for title in titles]).T, height=38 + 35 * len(rows))


def show_sweep(table: RunComparison, titles: list[str]) -> None:
    accuracies = [item["best_validation_accuracy"] for item in table.figures]
    known = [accuracy for accuracy in accuracies if accuracy is not None]
    if len(known) < 3 or not table.settings:
        return
    st.subheader("Settings and what they reached", anchor=False)
    order = by_influence(table.settings, accuracies)
    chosen = order
    if len(order) > MOST_STRIPS:
        chosen = st.multiselect(
            "Settings shown",
            order,
            order[:MOST_STRIPS],
            format_func=setting_title,
            key="strips",
            help="In the order of how much of the differences in accuracy their values explain.",
        )
    if chosen:
        strips = {setting_title(name): table.settings[name] for name in chosen}
        show_chart(run_plots.setting_strips(strips, accuracies, titles), "strips chart")
        st.caption("A mark is a run; a bar the mean of the runs that share a value.")


def show_costs(table: RunComparison, titles: list[str]) -> None:
    st.subheader("Accuracy and its price", anchor=False)
    key = (
        st.segmented_control("Over", list(COSTS), format_func=COSTS.__getitem__, default="minutes", key="price")
        or "minutes"
    )
    points = [
        {"title": title, "accuracy": item["best_validation_accuracy"], key: item[key]}
        for title, item in zip(
            titles, ({**item, "minutes": item["seconds"] / 60} for item in table.figures), strict=True
        )
        if item["best_validation_accuracy"] is not None and item[key] is not None
    ]
    show_chart(run_plots.reached_over(points, key, COSTS[key]), "price chart")


def main() -> None:
    st.page_link("pages/runs.py", label="All runs", icon=":material/arrow_back:")
    st.title("Compare runs", anchor=False)
    study = studies().get(asked("study") or "")
    if study:
        tab_title(study.about.title)
        st.write(f"{study.about.title}. {study.about.text}")
    chosen = chosen_runs(study)
    if len(chosen) > MOST_RUNS:
        st.warning(f"These are {len(chosen)} runs; the newest {MOST_RUNS} are shown.")
        chosen = chosen[-MOST_RUNS:]
    if len(chosen) < 2:
        st.info(
            "Choose two or more runs on the Runs page, and they are laid over each other here.", icon=":material/info:"
        )
        st.stop()
    table = comparison(chosen)
    titles = [text.plain(item["title"], text.MOST) for item in table.figures]
    titles = [
        title if titles.count(title) == 1 else f"{title} ({item['id']})"
        for title, item in zip(titles, table.figures, strict=True)
    ]
    show_curves(chosen, titles)
    show_reached(table, titles)
    show_settings(table, titles)
    show_sweep(table, titles)
    show_costs(table, titles)


main()
