"""Live parts that show trainings: curves, schedules, reports, confusion, studies, predictions, maps."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cnnlab.evaluation import Evaluation, export, kept_evaluation
from cnnlab.evaluation.printed import ClassificationReport
from cnnlab.experiments.presets import PRESETS
from cnnlab.lecture import results
from cnnlab.lecture.course.block import Drawn
from cnnlab.lecture.course.language import Language
from cnnlab.lecture.course.making import ControlValue, Made, terms
from cnnlab.lecture.course.parts import (
    ChartPart,
    LinkPart,
    MapsPart,
    Part,
    PredictionsPart,
    TableCell,
    TablePart,
    TextPart,
)
from cnnlab.lecture.exercises.choosing import SAMPLES
from cnnlab.lecture.exercises.recorded import title_of
from cnnlab.plots import evaluation as evaluation_plots
from cnnlab.plots import runs as run_plots
from cnnlab.plots import training as plots
from cnnlab.runs.run import Run
from cnnlab.zoo.shipped import SHIPPED_RUNS, shipped_names
from cnnlab.zoo.studies import Study, studies

DIGITS = 2


def evaluation(drawn: Drawn, run: Run) -> Evaluation:
    found = kept_evaluation(run)
    if found is None:
        raise drawn.block.error(f"{run.id} has not been evaluated on test images")
    return found


def curves(drawn: Drawn, language: Language) -> Made:
    """Loss and accuracy of a training."""
    run = drawn.run()
    history, steps = run.history(), run.steps()
    best = run.best_epoch()

    def make(values: Mapping[str, ControlValue]) -> tuple[Part, ...]:
        figures = [
            plots.learning_curves(measure, history, steps, len(history), best["epoch"] if best else None)
            for measure in plots.CURVE_MEASURES
        ]
        return (*(ChartPart(figure) for figure in figures), TextPart(about_run(run, language)))

    return Made(make)


def about_run(run: Run, language: Language) -> str:
    """How it was trained, in a sentence; and the command that trains it again."""
    recipe = run.config.experiment.recipe
    return language.word(
        "trained_so",
        title=title_of(run),
        dataset=run.data.title,
        epochs=len(run.history()),
        optimizer=recipe.optimizer.upper() if recipe.optimizer == "sgd" else recipe.optimizer.capitalize(),
        rate=recipe.learning_rate,
        batch=recipe.batch_size,
    )


def schedule(drawn: Drawn, language: Language) -> Made:
    name = drawn.word("preset", tuple(PRESETS))
    preset = PRESETS[name]
    link = LinkPart("pages/train.py", language.word("train_it", title=preset.title), {"preset": name})
    return Made(lambda _: (ChartPart(plots.schedule(preset.experiment().recipe)), TextPart(preset.source), link))


def report(drawn: Drawn, language: Language) -> Made:
    """The classification report of test images beside the lecture's, with the row of the accuracy."""
    run = drawn.run()
    kept = evaluation(drawn, run)
    printed = results.lecture_report(run, kept)
    link = LinkPart("pages/evaluate.py", language.word("evaluate_it"), {"run": run.id})
    said = TextPart(language.word("report_of", title=title_of(run), dataset=kept.dataset, images=kept.images))
    return Made(lambda _: (said, report_table(kept, printed, language), link))


def report_table(kept: Evaluation, printed: ClassificationReport | None, language: Language) -> TablePart:
    rows = export.report_rows(kept, printed)
    names = list(rows[0])
    table: list[tuple[TableCell, ...]] = [tuple(cell(row.get(name, ""), language) for name in names) for row in rows]
    accuracy: dict[str, TableCell] = {"Class": "accuracy", "F1": language.real(kept.accuracy, DIGITS)}
    accuracy |= {"Images": kept.images}
    if printed:
        accuracy["Lecture: F1"] = language.real(printed.accuracy, DIGITS)
    averages = len(export.AVERAGES)
    table.insert(len(table) - averages, tuple(accuracy.get(name, "") for name in names))
    head = tuple(heading(name, language) for name in names)
    return TablePart(head, tuple(table), frozenset({len(table) - averages - 1}))


def heading(name: str, language: Language) -> str:
    whose, _, figure = name.rpartition(": ")
    return f"{language.term(whose)}: {language.term(figure.capitalize())}" if whose else language.term(name)


def cell(value: object, language: Language) -> TableCell:
    return language.real(value, DIGITS) if isinstance(value, float) else value if isinstance(value, int) else str(value)


def confusion(drawn: Drawn, language: Language) -> Made:
    run = drawn.run()
    kept = evaluation(drawn, run)
    query = {"run": run.id, "section": "Confusion"}
    link = LinkPart("pages/evaluate.py", language.word("see_confused"), query)
    return Made(lambda _: (ChartPart(evaluation_plots.confusion_matrix(kept.confusion, kept.classes)), link))


def beside(drawn: Drawn, language: Language) -> Made:
    """Two trained networks side by side: the lecture's two figures and ours, class by class."""
    line, value = drawn.line("runs")
    runs = [drawn.run_of(one, line) for one in value.split()]
    kept = [evaluation(drawn, run) for run in runs]
    printed = [results.lecture_report(run, one) for run, one in zip(runs, kept, strict=True)]
    head = [language.term("Class")]
    for run in runs:
        title = run.config.experiment.title
        head += [f"{title}: {language.term('F1')}", f"{title}: {language.term('F1')}, {language.term('Lecture')}"]
    rows: list[tuple[TableCell, ...]] = []
    for place, name in enumerate(kept[0].classes):
        cells: list[TableCell] = [name]
        for one, said in zip(kept, printed, strict=True):
            cells.append(language.real(float(one.report[name]["f1-score"]), DIGITS))
            cells.append(language.real(said.classes[place].f1, DIGITS) if said else "–")
        rows.append(tuple(cells))
    totals: list[TableCell] = ["accuracy"]
    for one, said in zip(kept, printed, strict=True):
        totals += [language.real(one.accuracy, DIGITS), language.real(said.accuracy, DIGITS) if said else "–"]
    rows.append(tuple(totals))
    counts: list[TableCell] = [language.term("Parameters")]
    for run in runs:
        counts += [language.count(run.network.parameters), ""]
    rows.append(tuple(counts))
    titles = [(title_of(run), run.history()) for run in runs]
    chart = ChartPart(run_plots.run_curves(titles, "accuracy", training=True))
    table = TablePart(tuple(head), tuple(rows), frozenset({len(rows) - 2}))
    link = LinkPart("pages/evaluate.py", language.word("against_it"), {"run": runs[0].id, "section": "Against another"})
    return Made(lambda _: (table, chart, link))


def study_of(drawn: Drawn) -> Study:
    line, name = drawn.line("study")
    found = studies().get(name)
    if found is None:
        raise drawn.block.error(f"there is no study {name!r}; there are {', '.join(studies())}", line)
    return found


def study(drawn: Drawn, language: Language) -> Made:
    """What each training of a study reached."""
    found = study_of(drawn)
    rows = results.ingredients(found)
    head = terms(language, "Training", "Validation accuracy", "Points", "Test accuracy")
    table = tuple(
        (
            row["title"],
            language.percent(row["validation_accuracy"]),
            results.points_text(row["points"]),
            language.percent(row["test_accuracy"]) if row["test_accuracy"] is not None else "–",
        )
        for row in rows
    )
    titles, validation, test = (
        [row[name] for row in rows] for name in ("title", "validation_accuracy", "test_accuracy")
    )
    link = LinkPart("pages/results.py", language.word("study_page"), {"study": found.name})
    return Made(lambda _: (ChartPart(run_plots.ingredients(titles, validation, test)), TablePart(head, table), link))


def many(drawn: Drawn, language: Language) -> Made:
    """The curves of a study's trainings over each other."""
    found = study_of(drawn)
    titled = [(title_of(run), run.history()) for run in found.runs]
    return Made(lambda _: (ChartPart(run_plots.run_curves(titled, "accuracy", training=True)),))


def predictions(drawn: Drawn, language: Language) -> Made:
    line, value = drawn.line("runs")
    runs = tuple(value.split())
    if wrong := [one for one in runs if one not in shipped_names()]:
        raise drawn.block.error(f"{wrong[0]!r} does not come with cnnlab; there are {', '.join(shipped_names())}", line)
    link = LinkPart("pages/predict.py", language.word("own_images"), {"run": runs[0]})
    return Made(lambda _: (PredictionsPart(runs), link))


def maps(drawn: Drawn, language: Language) -> Made:
    """The feature maps of some layers for a picture."""
    name = drawn.word("run", tuple(shipped_names()))
    network = Run(SHIPPED_RUNS / name).network
    line, value = drawn.line("layers")
    known = {node.name: node for node in network.layers}
    if wrong := [one for one in value.split() if one not in known or len(known[one].output_shape) != 3]:
        raise drawn.block.error(f"{network.name} has no feature maps {wrong[0]!r}", line)
    picture = drawn.word("picture", SAMPLES)
    shown = MapsPart(name, tuple(value.split()), picture)
    query = {"network": name, "layer": value.split()[0]}
    return Made(lambda _: (shown, LinkPart("pages/microscope.py", language.word("look_inside"), query)))


def reached(drawn: Drawn, language: Language) -> Made:
    """The lecture's accuracies beside those of the networks that come with cnnlab."""
    tested = [(run, kept) for name in shipped_names() if (kept := kept_evaluation(run := Run(SHIPPED_RUNS / name)))]
    head = tuple(
        language.term(one)
        for one in (
            "Network",
            "Data set",
            "Lecture, rank-1",
            "Lecture, rank-5",
            "Ours, rank-1",
            "Ours, rank-5",
            "Measured on",
        )
    )
    rows = tuple(
        (
            one.best.config.experiment.title,
            one.dataset,
            language.percent(one.lecture_rank1) if one.lecture_rank1 else "–",
            language.percent(one.lecture_rank5) if one.lecture_rank5 else "–",
            language.percent(one.evaluation.accuracy),
            language.percent(one.evaluation.top5_accuracy),
            one.evaluation.dataset,
        )
        for one in results.lecture_results(tested)
        if one.best and one.evaluation
    )
    return Made(lambda _: (TablePart(head, rows), LinkPart("pages/results.py", language.word("results_page"), {})))


KINDS: dict[str, Callable[[Drawn, Language], Made]] = {
    "curves": curves,
    "many": many,
    "schedule": schedule,
    "report": report,
    "confusion": confusion,
    "beside": beside,
    "study": study,
    "predictions": predictions,
    "maps": maps,
    "reached": reached,
}
