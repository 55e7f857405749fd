"""What networks are known to reach, as a chart and a table: as printed, as shipped, and one's own best runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import pandas as pd
import streamlit as st

from cnnlab import plots, runs, text
from cnnlab.architectures import architecture
from cnnlab.architectures.comparison import Candidate
from cnnlab.design.store import OF_DESIGN
from cnnlab.evaluation import kept_evaluation
from cnnlab.evaluation.measures import RANKS
from cnnlab.experiments.design import recorded_name
from cnnlab.lecture import published
from cnnlab.network import Network
from cnnlab.runs.records import EpochRecord
from cnnlab.runs.run import Run
from cnnlab.zoo import catalogue
from cnnlab.zoo.shipped import shipped
from pages.shared.address import address_segments
from pages.shared.charts import show_chart
from pages.shared.parts import dataset_title, runs_folder
from pages.shared.tables import NOTHING

JPEG = " (JPEG)"
OwnRuns = list[tuple[Run, EpochRecord]]
METRICS = ("rank-1 accuracy", "rank-5 accuracy")


class Point(plots.Bubble):
    """A bubble by one `metric` on a `dataset`; `measured` says on what of it."""

    dataset: str
    metric: str
    measured: str


def points(chosen: list[Candidate]) -> list[Point]:
    """Every known accuracy of the networks on the page: as printed, of the shipped networks, of one's own best runs."""
    found: list[Point] = []
    own = own_runs(chosen)
    for candidate in chosen:
        network = candidate.network()
        printed: dict[tuple[str, str], published.PublishedAccuracy] = {}
        for item in published.accuracies_for(candidate.name):
            if dict(item.options) == dict(candidate.options):  # the literature's figures are of its own network
                printed.setdefault((item.dataset, item.metric), item)  # the lecture's, else a single network's
        for item in printed.values():
            source, where = f"{item.conditions}. {item.source}", f"{item.dataset}, {item.split}"
            figures = [(item.metric, item.value)]
            found += measured(candidate, network, "As printed", source, item.dataset, where, figures)
        for run in shipped().values():
            kept = kept_evaluation(run)
            if kept and is_of(candidate, run):
                source, where = f"{run.labels().name}, as it comes with cnnlab", f"{kept.dataset}, test"
                ranks = zip(METRICS, (kept.accuracy, kept.rank5), strict=True)
                found += measured(candidate, run.network, "Shipped with cnnlab", source, kept.dataset, where, ranks)
        for run, best in own.get(candidate.name, []):
            title, source = dataset_title(run), run.labels().name or run.id
            top5 = best.get("validation_top5") if run.network.classes > RANKS else None
            ranks = zip(METRICS, (best["validation_accuracy"], top5), strict=True)
            found += measured(candidate, run.network, "Your best run", source, title, f"{title}, validation", ranks)
    return found


def own_runs(chosen: list[Candidate]) -> dict[str, OwnRuns]:
    """By architecture the best runs, of a design those that trained it as it is; of a run's network that run alone."""
    found = runs.best_runs(runs_folder())
    for candidate in chosen:
        if candidate.name.startswith(OF_DESIGN):
            trained = found.get(recorded_name(candidate.name.removeprefix(OF_DESIGN).partition("@")[0]), [])
            found[candidate.name] = [item for item in trained if item[0].network == candidate.design]
        elif candidate.design is not None:
            run = catalogue.find(candidate.name.removeprefix(catalogue.OF_RUN), runs_folder())
            best = run.best_epoch()
            found[candidate.name] = [(run, best)] if best else []
    return found


def is_of(candidate: Candidate, run: Run) -> bool:
    """Whether a run trained this network, as far as its options were moved here."""
    experiment = run.config.experiment
    moved = dict(candidate.options).items()
    return experiment.architecture == candidate.name and moved <= experiment.options.items()


def measured(
    candidate: Candidate,
    network: Network,
    whose: str,
    source: str,
    dataset: str,
    where: str,
    figures: Iterable[tuple[str, float | None]],
) -> list[Point]:
    """The point for each metric that is known; JPEG copies of a data set stand beside it, and say so."""
    return [
        Point(
            label=candidate.label,
            multiply_adds=network.multiply_adds,
            parameters=network.parameters,
            accuracy=figure,
            source=source,
            whose=whose,
            year=None if candidate.design is not None else architecture(candidate.name).year,
            dataset=dataset.removesuffix(JPEG),
            metric=metric,
            measured=where,
        )
        for metric, figure in figures
        if figure is not None
    ]


def show_accuracies(chosen: list[Candidate]) -> None:
    known = points(chosen)
    if known:
        show_points(known)
    else:
        st.info("No accuracy of these networks is known. Train one, and its best run appears here.")


def show_points(known: list[Point]) -> None:
    """One measure on one data set: the chart, and all of it as a table, the best first."""
    sets = [name for name, _ in Counter(point["dataset"] for point in known).most_common()]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        dataset = st.selectbox("Data set", sets, format_func=text.plain, key="accuracy on", width=260)
        metrics = [one for one in METRICS if any((p["dataset"], p["metric"]) == (dataset, one) for p in known)]
        metric = st.segmented_control(
            "Measure",
            metrics,
            default=metrics[0],
            required=True,
            key=f"accuracy as {dataset}",
            format_func=str.capitalize,
            help="Rank-5: the true class is among the five most probable.",
        )
        across: plots.Cost = address_segments(
            "Horizontal axis", list(plots.COST_TITLES), "against", format_func=plots.COST_TITLES.__getitem__
        )
    shown = [point for point in known if (point["dataset"], point["metric"]) == (dataset, metric)]
    shown.sort(key=lambda point: -point["accuracy"])
    show_chart(plots.bubbles(shown, f"{str(metric).capitalize()} on {dataset}", across), "bubbles")
    area = "parameters" if across == "multiply_adds" else "multiply-adds"
    st.caption(
        f"The area of a mark is the number of {area}. Printed and shipped figures are of test or validation images "
        "as the table says, those of your runs of validation images; JPEG copies of CIFAR-10 have lost something of "
        "the original pixels, so that figures on them and on the originals do not compare directly."
    )
    table = pd.DataFrame(
        {
            "Network": [text.table(point["label"]) for point in shown],
            str(metric).capitalize(): [100 * point["accuracy"] for point in shown],
            "Whose": [point["whose"] for point in shown],
            "Measured on": [text.table(point["measured"]) for point in shown],
            "Year": [point["year"] for point in shown],
            "Multiply-adds": [point["multiply_adds"] for point in shown],
            "Parameters": [point["parameters"] for point in shown],
            "Source": [text.table(point["source"], None) for point in shown],
        }
    )
    counts = {name: st.column_config.NumberColumn(format="localized") for name in ("Multiply-adds", "Parameters")}
    percents = {str(metric).capitalize(): st.column_config.NumberColumn(format="%.1f%%")}
    st.dataframe(table, hide_index=True, placeholder=NOTHING, column_config={**counts, **percents})
