"""A trained network judged: report, confusion, mistakes, confidence; beside another, image by image."""

from collections.abc import Hashable
from typing import Any, get_args

import numpy as np
import pandas as pd
import streamlit as st

from cnnlab import text, units
from cnnlab.datasets import Split, SplitName
from cnnlab.datasets.dataset import Indices
from cnnlab.errors import UserError
from cnnlab.evaluation import TTA_TITLES, Evaluation, Key, Predictions, evaluations, export, kept_predictions
from cnnlab.evaluation.measures import by_similarity, by_threshold, contest
from cnnlab.lecture.results import lecture_report
from cnnlab.plots import evaluation as plots
from cnnlab.runs.run import Run
from cnnlab.zoo import catalogue
from pages.shared.address import address_number, address_segments, address_select, tab_title
from pages.shared.charts import show_chart, theme
from pages.shared.errors import show_error
from pages.shared.evaluating import (
    checkpoint_choices,
    checkpoint_title,
    chosen_cell,
    evaluation_or_offer,
    headline,
)
from pages.shared.given import DATA_SET, MICROSCOPE
from pages.shared.navigation import enter_through_app
from pages.shared.parts import (
    MOST_NAME,
    RUN_HELP,
    data_link,
    describe_runs,
    lecture_thread,
    run_title,
    runs_folder,
    split_here,
)
from pages.shared.pictures import Link, picture_grid

enter_through_app()

MISTAKES_A_PAGE = 24
SPLITS: tuple[SplitName, ...] = get_args(SplitName)[::-1]
SECTIONS = ("Report", "Confusion", "Images", "Confidence", "Against another")
MOST_BARS = 60


@st.cache_resource(max_entries=4, show_spinner=False, hash_funcs={Run: lambda run: str(run.folder)})
def predictions_of(run: Run, evaluation: Evaluation) -> Predictions:
    return kept_predictions(run, evaluation)


def show_pictures(
    run: Run, split: Split | None, kept: Evaluation, found: Predictions, positions: Indices, key: str
) -> None:
    """Images with what they are and what they were taken for, page by page; each leads to its explanation."""
    classes = kept.classes
    if split is None:
        data_link(run)
        return
    pages = max(-(-len(positions) // MISTAKES_A_PAGE), 1)
    page = st.pagination(pages, key=f"page {key} {len(positions)}") if pages > 1 else 1
    chosen = positions[(page - 1) * MISTAKES_A_PAGE : page * MISTAKES_A_PAGE]
    images = split.batch(chosen)[0]
    captions, links = [], []
    for place in chosen:
        address = {"split": kept.split, "image": str(int(place))}
        inside = {"network": run.id, "from": DATA_SET, **address}
        links.append(
            [Link("pages/predict.py", "Explain", {"run": run.id, **address}), Link(MICROSCOPE, "Look inside", inside)]
        )
        true, guess = (text.markdown(classes[one[place]]) for one in (found.labels, found.predicted))
        sure = found.confidence[place]
        captions.append(f"{guess} {sure:.0%}" if true == guess else f"{true}, taken for **{guess}** {sure:.0%}")
    picture_grid(list(images), captions, links=links)
    if (kept.step, kept.tta) != (run.checkpoint("best").info.step, "plain"):
        st.caption("Explain asks the best weights about the image as it is; the captions are of this evaluation.")


def show_report(run: Run, kept: Evaluation) -> None:
    printed = lecture_report(run, kept)
    rows = pd.DataFrame(export.report_rows(kept, printed))
    shares: list[Hashable] = [name for name in rows.columns if name not in ("Class", "Images")]
    table = rows.style.format("{:.2f}", subset=shares, na_rep="").format("{:,.0f}", subset=["Images"])
    left, right = st.columns([3, 2])
    left.dataframe(table, hide_index=True, height=min(38 + 35 * len(rows), 520))
    if printed:
        left.caption(f"Printed in the {printed.source}: accuracy {printed.accuracy:.2f}.")
    if len(kept.classes) <= MOST_BARS:
        show_chart(plots.accuracy_by_class(kept.recalls), "classes", right)
    else:
        worst = rows[rows["Class"].isin(kept.classes)].nsmallest(15, "Recall")[["Class", "Precision", "Recall"]]
        right.markdown("**The classes it finds least often**")
        right.dataframe(worst.style.format("{:.2f}", subset=["Precision", "Recall"]), hide_index=True)


def show_confusion(run: Run, split: Split | None, kept: Evaluation, found: Predictions) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        order = address_segments("Classes", ["In order", "By similarity"], "order")
        shares = address_segments("Cells", ["Images", "Percent"], "cells")
    places = by_similarity(kept.confusion) if order == "By similarity" else None
    figure = plots.confusion_matrix(kept.confusion, kept.classes, places, shares == "Percent", theme())
    event: Any = show_chart(figure, f"confusion {order} {shares}", on_select="rerun", selection_mode="points")
    cell = chosen_cell(kept, event.selection.points)
    if cell is None:
        return
    true, guess = cell
    positions = found.cell(true, guess)
    what = f"taken for {text.markdown(kept.classes[guess])}" if true != guess else "recognised"
    images = f"{len(positions):,} image{'' if len(positions) == 1 else 's'}"
    st.subheader(f"{text.markdown(kept.classes[true])}, {what}: {images}", anchor=False)
    if len(positions):
        show_pictures(run, split, kept, found, positions, f"cell {true} {guess}")


def show_images(run: Run, split: Split | None, kept: Evaluation, found: Predictions) -> None:
    left, right = st.columns([2, 1], vertical_alignment="bottom")
    which = address_segments("Which", ["Confident mistakes", "Doubtful hits"], "which", place=left)
    only = right.selectbox(
        "Of class", [None, *kept.classes], format_func=lambda name: "All classes" if name is None else text.plain(name)
    )
    positions = found.doubtful_hits() if which == "Doubtful hits" else found.mistakes()
    if only is not None:
        positions = positions[found.labels[positions] == kept.classes.index(only)]
    st.caption(f"{len(positions):,} images, the most telling first.")
    if len(positions):
        show_pictures(run, split, kept, found, positions, f"{which} {only}")


def show_confidence(kept: Evaluation, found: Predictions) -> None:
    left, right = st.columns(2)
    show_chart(plots.reliability_diagram(kept.bins), "reliability", left)
    rows = by_threshold(found)
    show_chart(plots.answered(rows), "answered", right)
    least = address_number("Answer only when at least this sure, in percent", "least", 90, st, 0, 100, slider=True)
    _, share, accuracy = rows[least]
    st.write(
        f"It answers {share:.1%} of the images, "
        + (f"{accuracy:.2%} of them rightly." if accuracy is not None else "so none at all.")
    )


def show_against(run: Run, usable: dict[str, Run], split: Split | None, kept: Evaluation, found: Predictions) -> None:
    """This run against another of the usable ones, on the images that both were evaluated on."""
    others = {}
    for other in usable.values():
        for one in evaluations(other):
            same = (other.id, one.step, one.tta) == (run.id, kept.step, kept.tta)
            if one.split == kept.split and one.classes == kept.classes and not same and same_images(run, other):
                others[f"{other.id} {one.step} {one.tta}"] = (other, one)
    if not others:
        st.info(
            f"No other run or checkpoint has been evaluated on the {kept.split} images of this data set yet.",
            icon=":material/info:",
        )
        return
    name = st.selectbox("Against", list(others), format_func=lambda name: text.plain(title_of(*others[name])))
    other, one = others[name]
    theirs = predictions_of(other, one)
    _, mine, yours = np.intersect1d(found.rows, theirs.rows, assume_unique=True, return_indices=True)
    if not len(mine):
        st.info("The two have no image in common: their validation images were drawn by other seeds.")
        return
    result = contest(found.right[mine], theirs.right[yours])
    with st.container(horizontal=True):
        st.metric("Both right", units.count(result.both), border=True)
        st.metric("Only this one right", units.count(result.first_only), border=True)
        st.metric("Only the other right", units.count(result.second_only), border=True)
        st.metric("Both wrong", units.count(result.neither), border=True)
        st.metric(
            "McNemar's test",
            f"p = {result.p_value:.2g}" if result.p_value >= 1e-4 else "p < 0.0001",
            help="How probable so uneven a split of the images that only one has right would be if both were equally "
            "good (McNemar, 1947; exact binomial).",
            border=True,
        )
    difference = found.right[mine].mean() - theirs.right[yours].mean()
    verdict = "This is more than chance." if result.p_value < 0.05 else "This may well be chance."
    st.write(f"{abs(difference):.2%} points {'better' if difference >= 0 else 'worse'} than the other. {verdict}")
    cases = {
        "Only this one right": found.right[mine] & ~theirs.right[yours],
        "Only the other right": ~found.right[mine] & theirs.right[yours],
        "Both wrong": ~found.right[mine] & ~theirs.right[yours],
    }
    which = st.segmented_control("Show", list(cases), default=next(iter(cases)), required=True)
    hits = cases[which]
    if hits.any():
        show_pictures(run, split, kept, found, mine[hits], f"against {name} {which}")


def same_images(run: Run, other: Run) -> bool:
    try:
        return run.data.fingerprint == other.data.fingerprint
    except UserError:
        return False


def title_of(run: Run, kept: Evaluation) -> str:
    tta = "" if kept.tta == "plain" else f", {kept.tta}"
    return (
        f"{text.plain(run.labels().name or run_title(run), MOST_NAME)}, {kept.accuracy:.2%}, epoch {kept.epoch:g}{tta}"
    )


def show_augmentations(run: Run, kept: Evaluation) -> None:
    """What test-time augmentation gave, beside the plain figure."""
    found = [one for one in evaluations(run) if (one.split, one.step) == (kept.split, kept.step)]
    if len(found) < 2:
        return
    found.sort(key=lambda one: list(TTA_TITLES).index(one.tta))
    table = pd.DataFrame(
        {
            "Test-time augmentation": [TTA_TITLES[one.tta] for one in found],
            "Rank-1": [f"{one.accuracy:.2%}" for one in found],
            **({} if kept.rank5 is None else {"Rank-5": [f"{one.rank5:.2%}" for one in found]}),
            "Loss": [f"{one.loss:.4f}" for one in found],
            "Took": [units.duration(one.seconds) for one in found],
        }
    )
    st.dataframe(table, hide_index=True)


def show_downloads(run: Run, split: Split | None, kept: Evaluation, found: Predictions) -> None:
    name = f"{run.id}-{kept.split}"
    mistakes = found.mistakes()[: export.SHOWN_MISTAKES]
    with st.container(horizontal=True):
        st.download_button(
            "Report, HTML",
            lambda: export.html_report(
                run, kept, found, split.batch(mistakes)[0] if split else None, lecture_report(run, kept)
            ),
            f"{name}.html",
            "text/html",
            icon=":material/description:",
            on_click="ignore",
            help="One page with everything: it opens anywhere, without a network.",
        )
        for label, make, suffix in (
            ("Classes, CSV", lambda: export.report_csv(kept), "classes"),
            ("Confusion, CSV", lambda: export.confusion_csv(kept), "confusion"),
            ("Images, CSV", lambda: export.images_csv(kept, found), "images"),
        ):
            st.download_button(
                label, make, f"{name}-{suffix}.csv", "text/csv", icon=":material/table:", on_click="ignore"
            )


def show_section(run: Run, usable: dict[str, Run], kept: Evaluation) -> None:
    """One side of an evaluation, as chosen; and what can be taken along of it."""
    section = address_segments("Section", SECTIONS, "section", label_visibility="collapsed")
    found, split = predictions_of(run, kept), split_here(run, kept.split)
    if split is None:
        st.caption("The images themselves are not on this machine; the figures are kept with the run.")
    match section:
        case "Confusion":
            show_confusion(run, split, kept, found)
        case "Images":
            show_images(run, split, kept, found)
        case "Confidence":
            show_confidence(kept, found)
        case "Against another":
            show_against(run, usable, split, kept, found)
        case _:
            show_report(run, kept)
    show_downloads(run, split, kept, found)


def main() -> None:
    st.title("Evaluate", anchor=False)
    st.write("How good is a trained network on images it has not learned from, and where does it go wrong?")
    usable = catalogue.usable(runs_folder(), "own", "shipped")
    choices = st.container(horizontal=True, vertical_alignment="bottom")
    titles = describe_runs(usable)
    chosen = address_select(
        "Run", list(usable), "run", titles.__getitem__, choices, width=460, help=RUN_HELP, resets=("checkpoint",)
    )
    run = usable[chosen]
    tab_title(f"Evaluate {run.labels().name or run_title(run)}")
    split_name = address_select("Images", SPLITS, "split", str.capitalize, choices, "the part", width=140)
    points = checkpoint_choices(run)
    point = address_select(
        "Weights",
        list(points),
        "checkpoint",
        lambda name: checkpoint_title(run, name),
        choices,
        "the checkpoint",
        width=170,
    )
    tta = address_select("Test-time augmentation", list(TTA_TITLES), "tta", TTA_TITLES.__getitem__, choices, width=285)
    try:
        key = Key(split_name, run.checkpoint(points[point]).info.step, tta)
        kept = evaluation_or_offer(
            run, key, "This has not been measured yet. It takes from seconds to minutes, and goes on without this page."
        )
        if kept is not None:
            headline(kept)
            show_augmentations(run, kept)
            st.caption(
                f"{text.markdown(kept.dataset)}, {kept.images:,} {kept.split} images, weights after epoch "
                f"{kept.epoch:g}, measured in {units.duration(kept.seconds)}."
            )
            show_section(run, usable, kept)
    except UserError as error:
        show_error(error)
    lecture_thread("Training")


main()
