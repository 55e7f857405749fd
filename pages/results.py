"""What the lecture's networks reach: as printed, as cnnlab trains them, and as one's own runs do."""

import pandas as pd
import streamlit as st

from cnnlab import units
from cnnlab.evaluation import Evaluation, export, kept_evaluation
from cnnlab.published.accuracies import ACCURACIES
from cnnlab.runs import plots
from cnnlab.runs.comparison import comparison
from cnnlab.runs.run import Run
from cnnlab.shipped import shipped
from cnnlab.studies import Study, studies
from pages.shared.navigation import enter_through_app
from pages.shared.parts import address_select, architecture_title, lecture_thread, usable_runs

enter_through_app()

CHART = {"displaylogo": False, "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"]}
LECTURE = (  # what the lecture prints results of: architecture, data set, its title there
    ("minivggnet", "cifar10", "CIFAR-10"),
    ("minigooglenet", "cifar10", "CIFAR-10"),
    ("deepergooglenet", "tiny-imagenet", "Tiny ImageNet"),
)
Tested = list[tuple[Run, Evaluation]]


def tested_runs() -> Tested:
    """The shipped networks and one's own runs that were evaluated on test images."""
    own = (run for run in usable_runs().values() if (run.folder / "evaluations").exists())
    found = [(run, kept_evaluation(run)) for run in (*shipped().values(), *own)]
    return [(run, kept) for run, kept in found if kept]


def best_of(tested: Tested, architecture: str, dataset: str) -> tuple[Run, Evaluation] | None:
    fitting = [
        (run, kept)
        for run, kept in tested
        if (run.config.experiment.architecture, run.config.experiment.dataset) == (architecture, dataset)
    ]
    return max(fitting, key=lambda item: item[1].accuracy, default=None)


def printed(architecture: str, dataset: str, metric: str) -> float | None:
    """What the lecture prints; nothing where it does not."""
    return next(
        (
            item.value
            for item in ACCURACIES
            if (item.architecture, item.dataset, item.metric) == (architecture, dataset, metric)
            and item.source.startswith("lecture")
        ),
        None,
    )


def summary(tested: Tested) -> pd.DataFrame:
    rows = []
    for architecture, dataset, title in LECTURE:
        ours = best_of(tested, architecture, dataset)
        mirrored = kept_evaluation(ours[0], view="mirror") if ours else None
        rows.append(
            {
                "Network": architecture_title(architecture),
                "Data set": title,
                "Lecture, rank-1": units.percent(printed(architecture, title, "rank-1 accuracy")),
                "Lecture, rank-5": units.percent(printed(architecture, title, "rank-5 accuracy")),
                "Best here, rank-1": f"{ours[1].accuracy:.2%}" if ours else "–",
                "Rank-5": f"{ours[1].top5_accuracy:.2%}" if ours else "–",
                "Rank-1, mirrored too": f"{mirrored.accuracy:.2%}" if mirrored else "–",
                "Measured on": ours[1].dataset if ours else "–",
                "Parameters": units.count(ours[0].network.parameters) if ours else "–",
                "Multiply-adds": units.short(ours[0].network.multiply_adds) if ours else "–",
                "Trained in": units.duration(ours[0].status().worked) if ours else "–",
            }
        )
    return pd.DataFrame(rows)


def show_study(study: Study) -> None:
    """What each training of a study reached, and its difference to the one before it or to the first."""
    table = comparison(study.runs)
    titles = [figures["title"] for figures in table.figures]
    validation = [figures["best_validation_accuracy"] for figures in table.figures]
    test = [figures["test_accuracy"] for figures in table.figures]
    st.write(study.about.text)
    st.plotly_chart(plots.ingredients(titles, validation, test), key=f"study {study.name}", config=CHART)
    ladder = study.about.kind == "ladder"
    before = [*validation[:1], *validation[:-1]] if ladder else [validation[0]] * len(validation)
    st.dataframe(
        pd.DataFrame(
            {
                "Training": titles,
                "Validation accuracy": [units.percent(value) for value in validation],
                "Difference to the one before" if ladder else "Difference to the first": [
                    f"{100 * (value - other):+.1f} points" if place else "–"
                    for place, (value, other) in enumerate(zip(validation, before, strict=True))
                ],
                "Test accuracy": [f"{value:.2%}" if value else "–" for value in test],
            }
        ),
        hide_index=True,
        height=38 + 35 * len(titles),
    )
    st.page_link(
        "pages/compare_runs.py",
        label="Curves and settings of these trainings",
        icon=":material/arrow_forward:",
        icon_position="right",
        query_params={"study": study.name},
    )


st.title("Results", anchor=False)
st.write("What the lecture's networks reach on test images: as it prints them, and as they were trained here.")
tested = tested_runs()
st.dataframe(summary(tested), hide_index=True)
st.caption(
    "The lecture measured CIFAR-10 on lossless images. Figures on JPEG copies say so: the copies have lost something, "
    "and the two are not directly comparable. The best is chosen among the runs evaluated here, your own and shipped."
)
with_reports = [name for name, dataset, _ in LECTURE if dataset == "cifar10" and best_of(tested, name, dataset)]
if with_reports:
    st.subheader("Class by class", anchor=False)
    name = address_select("Network", with_reports, "network", architecture_title)
    best = best_of(tested, name, "cifar10")
    if best:
        run, kept = best
        rows = pd.DataFrame(export.report_rows(kept, export.lecture_report(run, kept)))
        shares = [column for column in rows.columns if column not in ("Class", "Images")]
        table = rows.style.format("{:.2f}", subset=shares, na_rep="").format("{:,.0f}", subset=["Images"])
        st.dataframe(table, hide_index=True, height=38 + 35 * len(rows))
        st.page_link(
            "pages/evaluate.py",
            label=f"All of {run.labels().name or run.id}",
            icon=":material/arrow_forward:",
            icon_position="right",
            query_params={"run": run.id},
        )
st.subheader("Accuracy against training time", anchor=False)
sets = list(dict.fromkeys(kept.dataset for _, kept in tested))
chosen = address_select("Data set", sets, "data", str)
points = [
    {"title": run.labels().name or run.id, "accuracy": kept.accuracy, "minutes": run.status().worked / 60}
    for run, kept in tested
    if kept.dataset == chosen
]
st.plotly_chart(plots.reached_over(points, "minutes", "Minutes of training", "Test accuracy"), key="time", config=CHART)
kept_studies = studies()
if kept_studies:
    st.subheader("What each ingredient gave", anchor=False)
    name = address_select("Study", list(kept_studies), "study", lambda name: kept_studies[name].about.title)
    show_study(kept_studies[name])
lecture_thread("Training")
