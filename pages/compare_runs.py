"""Runs laid over each other: curves, the settings in which they differ, what they reached. They are in the address."""

import pandas as pd
import streamlit as st

from cnnlab import networks, runs, text, units
from cnnlab.errors import UserError
from cnnlab.runs import plots
from cnnlab.runs.comparison import Comparison, comparison
from cnnlab.runs.run import Run
from cnnlab.studies import studies
from pages.shared.address import asked, tab_title, unknown
from pages.shared.navigation import enter_through_app
from pages.shared.parts import runs_folder
from pages.shared.settings import setting_title

enter_through_app()

MOST = 60
CHART = {"displaylogo": False, "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"]}
COSTS = {"parameters": "Parameters", "multiply_adds": "Multiply-adds per image", "seconds": "Seconds at work"}


def chosen_runs() -> list[Run]:
    """The runs or the group that the address names; those that are gone are left out, with a word."""
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
    for column, measure in zip(st.columns(2), ("accuracy", "loss"), strict=True):
        figure = plots.run_curves(histories, measure, across or "epoch", training)
        column.plotly_chart(figure, key=f"curves {measure}", config=CHART)


def show_reached(table: Comparison, titles: list[str]) -> None:
    columns = {
        "Best validation accuracy": [units.percent(item["best_validation_accuracy"]) for item in table.figures],
        "In epoch": [item["best_epoch"] for item in table.figures],
        "Final validation accuracy": [units.percent(item["final_validation_accuracy"]) for item in table.figures],
        "Final training accuracy": [units.percent(item["final_accuracy"]) for item in table.figures],
        "Test accuracy": [units.percent(item["test_accuracy"]) for item in table.figures],
        "At work": [units.duration(item["seconds"]) for item in table.figures],
        "Parameters": [units.count(item["parameters"]) if item["parameters"] else "–" for item in table.figures],
        "Multiply-adds": [
            units.short(item["multiply_adds"]) if item["multiply_adds"] else "–" for item in table.figures
        ],
    }
    st.dataframe(pd.DataFrame({"Run": [text.table(title, None) for title in titles], **columns}), hide_index=True)


def show_settings(table: Comparison, titles: list[str]) -> None:
    st.subheader("Settings that differ", anchor=False)
    if not table.settings:
        st.caption("None: the runs were asked for the same.")
        return
    rows = {setting_title(name): [units.setting(value) for value in values] for name, values in table.settings.items()}
    st.dataframe(pd.DataFrame(rows, index=[text.table(title, None) for title in titles]).T, height=38 + 35 * len(rows))


def show_sweep(table: Comparison) -> None:
    accuracies = [item["best_validation_accuracy"] for item in table.figures]
    known = [accuracy for accuracy in accuracies if accuracy is not None]
    if len(known) > 2 and table.settings:
        st.subheader("Settings and what they reached", anchor=False)
        settings = {
            name: [value if value is not None else "–" for value in values] for name, values in table.settings.items()
        }
        st.plotly_chart(plots.parallel_settings(settings, accuracies), key="parallel", config=CHART)


def show_costs(table: Comparison) -> None:
    st.subheader("Accuracy and its price", anchor=False)
    key = (
        st.segmented_control("Over", list(COSTS), format_func=COSTS.__getitem__, default="seconds", key="price")
        or "seconds"
    )
    points = [
        {"title": item["title"], "accuracy": item["best_validation_accuracy"], key: item[key]}
        for item in table.figures
        if item["best_validation_accuracy"] is not None and item[key] is not None
    ]
    st.plotly_chart(plots.reached_over(points, key, COSTS[key]), key="price chart", config=CHART)


st.page_link("pages/runs.py", label="All runs", icon=":material/arrow_back:")
st.title("Compare runs", anchor=False)
study = studies().get(asked("study") or "")
if study:
    tab_title(study.about.title)
    st.write(f"{study.about.title}. {study.about.text}")
chosen = chosen_runs()
if len(chosen) > MOST:
    st.warning(f"These are {len(chosen)} runs; the newest {MOST} are shown.")
    chosen = chosen[-MOST:]
if len(chosen) < 2:
    st.info("Choose two or more runs on the Runs page, and they are laid over each other here.", icon=":material/info:")
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
show_sweep(table)
show_costs(table)
