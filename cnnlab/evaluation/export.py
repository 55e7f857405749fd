"""An evaluation to take away: CSV tables, and one HTML page that needs nothing else."""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

import plotly.io
from PIL import Image

from cnnlab.datasets.images import Pixels
from cnnlab.evaluation.images import Predictions
from cnnlab.evaluation.measures import Evaluation, by_similarity, by_threshold
from cnnlab.evaluation.printed import ClassificationReport
from cnnlab.plots import evaluation as plots
from cnnlab.plots import training as run_plots
from cnnlab.runs.run import Run
from cnnlab.text import cell, html

AVERAGES = ("macro avg", "weighted avg")
FIGURES = ("precision", "recall", "f1-score", "support")
SHOWN_MISTAKES = 36
REPORT_THUMBNAIL = 96
REPORT_STYLE = """
:root { color-scheme: light }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1080px; margin: 2rem auto; padding: 0 1rem; color: #1b2733 }
table { border-collapse: collapse; margin: .5rem 0; font-variant-numeric: tabular-nums }
td, th { padding: .2rem .7rem; border-bottom: 1px solid #dde3e8; text-align: right }
td:first-child, th:first-child { text-align: left }
figure { display: inline-block; margin: .4rem; width: 110px; font-size: 12px; vertical-align: top }
img { image-rendering: pixelated }
"""


def csv_text(rows: Iterable[Sequence[Any]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([cell(value) for value in row] for row in rows)
    return out.getvalue()


def report_csv(evaluation: Evaluation) -> str:
    """The classification report, a line a class and the two averages."""
    names = (*evaluation.classes, *AVERAGES)
    rows = [[name, *(evaluation.report[name][figure] for figure in FIGURES)] for name in names]
    return csv_text([("class", *FIGURES), *rows])


def confusion_csv(evaluation: Evaluation) -> str:
    """Image counts: a line a true class, a column a predicted class."""
    rows = [[name, *row] for name, row in zip(evaluation.classes, evaluation.confusion, strict=True)]
    return csv_text([("true class", *evaluation.classes), *rows])


def images_csv(evaluation: Evaluation, predictions: Predictions) -> str:
    """A line an image: its place in the data set's part, true and predicted class, and the probability of both."""
    head = ("image", "true class", "predicted class", "confidence", "probability of the true class")
    classes = evaluation.classes
    rows = zip(predictions.rows, predictions.labels, predictions.predicted, predictions.probabilities, strict=True)
    return csv_text(
        [
            head,
            *(
                (int(row), classes[label], classes[guess], f"{given[guess]:.6f}", f"{given[label]:.6f}")
                for row, label, guess, given in rows
            ),
        ]
    )


def report_rows(evaluation: Evaluation, printed: ClassificationReport | None) -> list[dict[str, Any]]:
    """The classification report as rows, beside the lecture's figures where there are some."""
    lines = {line.label: line for line in (*printed.classes, printed.macro, printed.weighted)} if printed else {}
    rows = []
    for name in (*evaluation.classes, *AVERAGES):
        precision, recall, f1, support = (evaluation.report[name][figure] for figure in FIGURES)
        row = {"Class": name, "Precision": precision, "Recall": recall, "F1": f1, "Images": int(support)}
        if line := lines.get(name):
            row |= {"Lecture: precision": line.precision, "Lecture: recall": line.recall, "Lecture: F1": line.f1}
        rows.append(row)
    return rows


def html_report(
    run: Run,
    evaluation: Evaluation,
    predictions: Predictions,
    images: Pixels | None,
    printed: ClassificationReport | None = None,
) -> str:
    """One page with all figures, the curves of the training and the most confident mistakes.

    `images` are those of the split, at the positions of `predictions.mistakes()[:36]`, None where they are not here;
    `printed` is a report to hold it against, see `lecture.results.lecture_report`.
    """
    config, title = run.config, f"{run.network.name}, {evaluation.dataset}: {evaluation.split} images"
    history = run.history()
    best = run.best_epoch()
    order = by_similarity(evaluation.confusion)
    figures = [
        plots.confusion_matrix(evaluation.confusion, evaluation.classes, order),
        plots.reliability_diagram(evaluation.bins),
        plots.answered(by_threshold(predictions)),
    ]
    figures += [
        run_plots.learning_curves(measure, history, run.steps(), len(history), best["epoch"] if best else None)
        for measure in run_plots.CURVE_MEASURES
        if history
    ]
    facts = {
        "Run": run.id,
        "Network": f"{run.network.name}, {run.network.parameters:,} parameters",
        "Images": f"{evaluation.images:,} {evaluation.split} images of {evaluation.dataset}",
        "Weights": f"after epoch {evaluation.epoch:g}",
        "Test-time augmentation": evaluation.tta,
        "Rank-1 accuracy": f"{evaluation.accuracy:.2%}",
        **({} if evaluation.rank5 is None else {"Rank-5 accuracy": f"{evaluation.rank5:.2%}"}),
        "Loss": f"{evaluation.loss:.4f}",
        "Expected calibration error": f"{evaluation.calibration_error:.2%}",
        "Trained by": config.experiment.command(),
        "Seed": config.experiment.recipe.seed,
    }
    if printed:
        facts["The lecture prints"] = f"accuracy {printed.accuracy:.2f}"
    charts = [
        plotly.io.to_html(figure, full_html=False, include_plotlyjs=number == 0, config={"displaylogo": False})
        for number, figure in enumerate(figures)
    ]
    mistakes = predictions.mistakes()[:SHOWN_MISTAKES]
    shown = [
        f'<figure><img src="{data_url(image)}" width="{REPORT_THUMBNAIL}" height="{REPORT_THUMBNAIL}" alt="">'
        f"<figcaption>{html(evaluation.classes[predictions.labels[place]])}, taken for "
        f"{html(evaluation.classes[predictions.predicted[place]])} "
        f"({predictions.confidence[place]:.0%})</figcaption></figure>"
        for place, image in zip(mistakes, [] if images is None else images, strict=images is not None)
    ]
    parts = [
        f"<h1>{html(title)}</h1>",
        html_table(list(facts.items())),
        "<h2>Classification report</h2>",
        report_table(report_rows(evaluation, printed)),
        *charts,
        f"<h2>The most confident of {int((~predictions.right).sum()):,} mistakes</h2>",
        *shown,
    ]
    head = f'<meta charset="utf-8"><title>{html(title)}</title><style>{REPORT_STYLE}</style>'
    return f"<!doctype html><html lang=en><head>{head}</head><body>{''.join(parts)}</body></html>"


def html_table(rows: Iterable[Sequence[Any]], head: Sequence[str] = ()) -> str:
    top = "<tr>" + "".join(f"<th>{html(name)}</th>" for name in head) + "</tr>" if head else ""
    lines = ["<tr>" + "".join(f"<td>{html(str(value), None)}</td>" for value in row) + "</tr>" for row in rows]
    return f"<table>{top}{''.join(lines)}</table>"


def report_table(rows: list[dict[str, Any]]) -> str:
    head = list(rows[0])
    cells = [
        [f"{row[name]:.2f}" if isinstance(row.get(name), float) else row.get(name, "") for name in head] for row in rows
    ]
    return html_table(cells, head)


def data_url(image: Pixels) -> str:
    out = io.BytesIO()
    Image.fromarray(image).save(out, "PNG")
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()
