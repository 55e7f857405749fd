"""What the lecture's networks reach: as printed, as cnnlab trains them, and as one's own runs do."""

from collections import Counter
from collections.abc import Hashable

import pandas as pd
import streamlit as st

from cnnlab import text, units
from cnnlab.evaluation import Evaluation, export
from cnnlab.lecture import results
from cnnlab.plots import runs as plots
from cnnlab.runs.run import Run
from cnnlab.zoo.studies import Study, studies
from pages.shared.address import address_select
from pages.shared.charts import show_chart
from pages.shared.navigation import enter_through_app
from pages.shared.parts import architecture_title, lecture_thread, runs_folder

enter_through_app()


def summary(found: list[results.Result]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Network": architecture_title(one.architecture),
            "Data set": one.dataset,
            "Lecture, rank-1": units.percent(one.lecture_rank1),
            "Lecture, rank-5": units.percent(one.lecture_rank5),
            "Best here, rank-1": f"{one.evaluation.accuracy:.2%}" if one.evaluation else "–",
            "Rank-5": f"{one.evaluation.top5_accuracy:.2%}" if one.evaluation else "–",
            "Rank-1, mirrored too": f"{one.mirrored.accuracy:.2%}" if one.mirrored else "–",
            "Measured on": text.table(one.evaluation.dataset) if one.evaluation else "–",
            "Parameters": units.count(one.best.network.parameters) if one.best else "–",
            "Multiply-adds": units.short(one.best.network.multiply_adds) if one.best else "–",
            "Trained in": units.duration(one.best.status().worked) if one.best else "–",
        }
        for one in found
    )


def show_report(run: Run, kept: Evaluation) -> None:
    """Precision, recall and F1 by class, beside the lecture's."""
    rows = pd.DataFrame(export.report_rows(kept, results.lecture_report(run, kept)))
    shares: list[Hashable] = [column for column in rows.columns if column not in ("Class", "Images")]
    table = rows.style.format("{:.2f}", subset=shares, na_rep="").format("{:,.0f}", subset=["Images"])
    st.dataframe(table, hide_index=True, height=38 + 35 * len(rows))
    st.page_link(
        "pages/evaluate.py",
        label=f"All of {text.markdown(run.labels().name or run.id)}",
        icon=":material/arrow_forward:",
        icon_position="right",
        query_params={"run": run.id},
    )


def show_study(study: Study) -> None:
    """What each training of a study reached, and its difference to the one it is compared with."""
    rows = results.ingredients(study)
    titles, validation, test = (
        [row[name] for row in rows] for name in ("title", "validation_accuracy", "test_accuracy")
    )
    st.write(study.about.text)
    show_chart(plots.ingredients(titles, validation, test), f"study {study.name}")
    table = {
        "Training": titles,
        "Validation accuracy": [units.percent(value) for value in validation],
        f"Points to {results.compared_with(study)}": [results.points_text(row["points"]) for row in rows],
        "Test accuracy": [units.percent(value) for value in test],
        "Trained in": [units.duration(row["seconds"]) for row in rows],
    }
    st.dataframe(pd.DataFrame(table), hide_index=True, height=38 + 35 * len(rows))
    st.page_link(
        "pages/compare_runs.py",
        label="Curves and settings of these trainings",
        icon=":material/arrow_forward:",
        icon_position="right",
        query_params={"study": study.name},
    )


def main() -> None:
    st.title("Results", anchor=False)
    st.write("What the lecture's networks reach on test images: as it prints them, and as they were trained here.")
    tested = results.tested_runs(runs_folder())
    found = results.lecture_results(tested)
    st.dataframe(summary(found), hide_index=True)
    st.caption(
        "The lecture names CIFAR-10, whose images are lossless, and not which files it used. Figures on JPEG copies "
        "say so: they have lost something, and the two are not directly comparable. The best is the run with the "
        "highest validation accuracy among those evaluated on test images, your own and shipped."
    )
    reported = {one.architecture: one for one in found if one.best and one.dataset == "CIFAR-10"}
    if reported:
        st.subheader("Class by class", anchor=False)
        best = reported[address_select("Network", list(reported), "network", architecture_title)]
        if best.best and best.evaluation:
            show_report(best.best, best.evaluation)
    st.subheader("Accuracy against training time", anchor=False)
    sets = [name for name, _ in Counter(kept.dataset for _, kept in tested).most_common()]
    chosen = address_select("Data set", sets, "data", str)
    points = [
        {"title": run.labels().name or run.id, "accuracy": kept.accuracy, "minutes": run.status().worked / 60}
        for run, kept in tested
        if kept.dataset == chosen
    ]
    levels = {
        f"{architecture_title(one.architecture)} in the lecture, {units.percent(one.lecture_rank1)}": one.lecture_rank1
        for one in found
        if one.lecture_rank1 and one.evaluation and one.evaluation.dataset == chosen
    }
    chart = plots.reached_over(points, "minutes", "Minutes of training", "Test accuracy", levels)
    show_chart(chart, "time")
    kept_studies = studies()
    if kept_studies:
        st.subheader("What each ingredient gave", anchor=False)
        name = address_select("Study", list(kept_studies), "study", lambda name: kept_studies[name].about.title)
        show_study(kept_studies[name])
    lecture_thread("Training")


main()
