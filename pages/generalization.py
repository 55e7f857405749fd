"""Rethinking generalization: a network fits labels and images from which nothing can be learned. Lived through here."""

from pathlib import Path

import pandas as pd
import streamlit as st

from cnnlab import datasets, runs, text, units
from cnnlab.architectures import ARCHITECTURES
from cnnlab.errors import UserError
from cnnlab.evaluation import kept_evaluation
from cnnlab.evaluation.job import evaluations_job
from cnnlab.plots import runs as plots
from cnnlab.runs.generalization import CONDITIONS, GROUP, condition_of, queue_all
from cnnlab.runs.run import Run
from cnnlab.runs.status import ACTIVE
from pages.shared.address import address_select, asked, go, unknown
from pages.shared.charts import show_chart
from pages.shared.errors import show_error
from pages.shared.navigation import enter_through_app
from pages.shared.parts import architecture_choice, lecture_thread, runs_folder
from pages.shared.working import job_or_offer

enter_through_app()

GENERALIZATION_REFRESH_SECONDS = 3.0


def queue_form(folder: Path) -> None:
    left, middle, right = st.columns(3)
    architecture = left.selectbox("Architecture", list(ARCHITECTURES), format_func=architecture_choice)
    sources = datasets.sources()
    dataset = middle.selectbox("Data set", list(sources), format_func=lambda name: text.plain(sources[name].title))
    epochs = right.number_input("Epochs each", value=40, min_value=1, step=5)
    st.caption(
        f"{len(CONDITIONS)} runs: {', '.join(condition.title for condition in CONDITIONS)}. SGD with momentum, a "
        "constant rate, no dropout, no weight decay and no augmentation. The paper begins its Inception at 0.1 and "
        "multiplies the rate by 0.95 each epoch, on 28×28 crops (appendix A); here it stays at 0.01, which also suits "
        "networks without batch normalization."
    )
    if st.button(f"Queue {len(CONDITIONS)} runs", type="primary", icon=":material/play_arrow:"):
        try:
            made = queue_all(architecture, dataset, int(epochs), folder)
        except UserError as error:
            show_error(error)
        else:
            go(group=made[0].config.group)


def is_active(members: list[Run]) -> bool:
    return any(run.status().state in (*ACTIVE, "queued") for run in members)


def results(members: list[Run], active: bool) -> None:
    """What the runs have reached; while one is active, drawn again every few seconds."""
    titles = [condition_of(run.config.experiment) for run in members]
    histories = [(title, run.history()) for title, run in zip(titles, members, strict=True)]
    left, right = st.columns(2)
    show_chart(plots.training_losses(histories), "losses", left)
    rows: list[plots.Fit] = []
    for title, run, (_, history) in zip(titles, members, histories, strict=True):
        kept = kept_evaluation(run)
        rows.append(
            {
                "Trained on": title,
                "State": run.status().state,
                "Epochs": len(history),
                "Training accuracy": history[-1]["accuracy"] if history else None,
                "Validation accuracy": history[-1]["validation_accuracy"] if history else None,
                "Test accuracy": kept.accuracy if kept else None,
            }
        )
    show_chart(plots.fit_and_generalization(rows), "bars", right)
    shown = [{**row, **{name: units.percent(row[name]) for name in plots.FIT_ACCURACIES}} for row in rows]
    st.dataframe(pd.DataFrame(shown), hide_index=True)
    if active and not is_active(members):
        st.rerun()


def main() -> None:
    folder = runs_folder()
    st.title("Rethinking generalization", anchor=False)
    st.markdown(
        "Train one network on true labels, on random ones, and on images without structure. It fits them all; only the "
        "test accuracy tells them apart. After Zhang, Bengio, Hardt, Recht and Vinyals, "
        "[ICLR 2017](https://arxiv.org/abs/1611.03530), Figure 1, whose small Inception is our MiniGoogLeNet. With "
        "weight decay, dropout or augmentation it still fits them, or nearly (Table 4, and Table 2 for ImageNet)."
    )
    st.page_link(
        "pages/learn.py",
        label="Why it can: a network of depth two that fits any labels, live",
        icon=":material/school:",
        query_params={"chapter": "generalization", "step": "2"},
    )
    groups = sorted(
        {item["group"] for item in runs.summaries(folder) if item["group"] and item["group"].startswith(GROUP)},
        reverse=True,
    )
    with st.expander("Run the experiment", icon=":material/science:", expanded=not groups):
        queue_form(folder)
    if not groups:
        if wanted := asked("group"):
            unknown("the experiment", wanted)
        st.info("The curves appear here as soon as the first of the runs has trained an epoch.", icon=":material/info:")
        lecture_thread("MiniGoogLeNet")
        st.stop()
    group = address_select("Experiment", groups, "group", lambda name: name.removeprefix(f"{GROUP}-"))
    members = [Run(folder / item["id"]) for item in runs.summaries(folder) if item["group"] == group][::-1]
    active = is_active(members)
    st.fragment(results, run_every=GENERALIZATION_REFRESH_SECONDS if active else None)(members, active)
    untested = [
        run
        for run in members
        if run.checkpoints() and run.status().state not in ACTIVE and kept_evaluation(run) is None
    ]
    if untested:
        measuring = evaluations_job(untested, folder / f".measuring-{members[0].id}")
        question = f"{len(untested)} of these networks have not seen the test images yet."
        job_or_offer(measuring, question, "Measure them", ":material/fact_check:")
    st.page_link(
        "pages/compare_runs.py",
        label="Compare these runs in full",
        icon=":material/compare_arrows:",
        query_params={"group": group},
    )
    lecture_thread("MiniGoogLeNet")


main()
