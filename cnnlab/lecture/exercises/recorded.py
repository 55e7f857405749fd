"""Questions that a recorded training answers: its curves, its schedule, its report and its confusion matrix."""

from __future__ import annotations

from typing import Literal, get_args

from cnnlab.errors import UserError
from cnnlab.evaluation import Evaluation, kept_evaluation
from cnnlab.experiments.presets import PRESETS
from cnnlab.lecture.course.block import Drawn
from cnnlab.lecture.course.language import Fact, Language
from cnnlab.lecture.course.parts import ChartPart, Part
from cnnlab.lecture.exercises.question import AnswerOption, Question, Reason
from cnnlab.plots import runs as run_plots
from cnnlab.plots import training as plots
from cnnlab.runs.records import EpochRecord
from cnnlab.runs.run import Run
from cnnlab.zoo.studies import studies

CurveName = Literal["validation_accuracy", "loss"]
CURVES: tuple[CurveName, ...] = get_args(CurveName)
DROP = 0.2
"""The rate has dropped where it is at most this share of the one before."""
CLEAR, POINT = 2.0, 0.01
"""A change is a jump where it is more than this many times the mean of the two before and at least a point."""
MARGIN = 0.005
"""Trainings that end nearer to each other than this are no question: it may be chance."""
LEAST_BEFORE = 3


def title_of(run: Run) -> str:
    return run.labels().name or run.config.experiment.title


def dropped_at(history: list[EpochRecord]) -> int | None:
    """The place of the first epoch whose rate is far below the one before; None where it never is."""
    rates = [record.get("learning_rate") or 0.0 for record in history]
    pairs = range(LEAST_BEFORE, len(rates))
    return next((place for place in pairs if 0 < rates[place] <= DROP * rates[place - 1]), None)


def curve(drawn: Drawn) -> Question:
    """What a curve does in the epoch in which the learning rate drops, or in another `epoch`."""
    line, _ = drawn.line("run")
    run = drawn.run()
    measure = drawn.word("curve", CURVES)
    history = run.history()
    given = drawn.number("epoch", 0)
    place = given - 1 if given else dropped_at(history)
    if place is None or not LEAST_BEFORE <= place < len(history):
        raise drawn.block.error(f"the rate drops nowhere, or there are no {LEAST_BEFORE} epochs before it", line)
    values = [float(record[measure]) for record in history]
    change = values[place] - values[place - 1]
    before_it = (values[place - 1] - values[place - LEAST_BEFORE]) / (LEAST_BEFORE - 1)
    answer = kind_of_change(change, before_it)
    number = 100 * change if measure == "validation_accuracy" else change
    steady = 100 * before_it if measure == "validation_accuracy" else before_it
    facts: dict[str, Fact] = {
        "run": title_of(run),
        "epoch": history[place]["epoch"],
        "epoch_before": history[place]["epoch"] - 1,
        "before_rate": float(history[place - 1].get("learning_rate") or 0),
        "rate": float(history[place].get("learning_rate") or 0),
        "change": round(number, 2),
        "steady": round(steady, 2),
        "from": round(values[place - 1], 4),
        "to": round(values[place], 4),
    }
    keys = ("up_more", "up_same", "down_more", "down_same", "turns")
    shown = [key for key in keys if key.startswith(answer[:2]) or key == "turns"]
    reasons = tuple(
        Reason(key, f"curve_{'at_' if given and key == 'turns' else ''}{key}") for key in shown if key != answer
    )
    options = tuple(AnswerOption(key, term=f"curve_{key}") for key in shown)

    def chart(language: Language, until: int) -> tuple[Part, ...]:
        if measure == "loss":
            figure = run_plots.training_losses([(title_of(run), history[:until])])
            figure.update_xaxes(range=[0, len(history) + 0.5])
        else:
            figure = plots.learning_curves("accuracy", history[:until], [], len(history), None)
        return (ChartPart(figure),)

    return Question(
        "options",
        f"curve_{'at_' if given else ''}{measure}",
        f"curve_{measure}",
        facts,
        answer,
        reasons,
        options,
        before=lambda language: chart(language, place),
        after=lambda language: chart(language, len(history)),
    )


def kind_of_change(change: float, before: float) -> str:
    """`up_more`, `up_same`, `down_more`, `down_same`, or `turns` where the sign changes."""
    if change * before < 0:
        return "turns"
    clear = abs(change) >= CLEAR * abs(before) and abs(change) >= POINT
    return ("up" if change > 0 else "down") + ("_more" if clear else "_same")


def best(drawn: Drawn) -> Question:
    """Which of several trainings reaches the highest validation accuracy; their curves are the answer."""
    line, name = drawn.line("study")
    found = studies().get(name)
    if found is None:
        raise drawn.block.error(f"there is no study {name!r}; there are {', '.join(studies())}", line)
    runs = list(found.runs)
    if drawn.has("runs"):
        at, wanted = drawn.line("runs")
        if not all(one.isdigit() and int(one) < len(runs) for one in wanted.split()):
            raise drawn.block.error(f"runs is {wanted!r}; it takes numbers from 0 to {len(runs) - 1}", at)
        runs = [runs[int(one)] for one in wanted.split()]
    reached = {title_of(run): reached_by(run) for run in runs}
    ordered = sorted(reached, key=lambda title: -reached[title])
    if len(ordered) < 2 or reached[ordered[0]] - reached[ordered[1]] < MARGIN:
        raise drawn.block.error("the two best are nearer to each other than half a point, which may be chance", line)
    answer = ordered[0]
    facts: dict[str, Fact] = {
        "study": found.about.title,
        "answer": answer,
        "reached": round(100 * reached[answer], 2),
        "epochs": max(len(run.history()) for run in runs),
    }
    reasons = tuple(
        Reason(
            title,
            "best_less",
            {
                "chosen": title,
                "less": round(100 * reached[title], 2),
                "points": round(100 * (reached[answer] - reached[title]), 2),
            },
        )
        for title in ordered[1:]
    )

    def after(language: Language) -> tuple[Part, ...]:
        return (ChartPart(run_plots.run_curves([(title_of(run), run.history()) for run in runs], "accuracy")),)

    options = tuple(AnswerOption(title_of(run), title_of(run)) for run in runs)
    return Question("options", "best", "best", facts, answer, reasons, options, after=after)


def reached_by(run: Run) -> float:
    found = run.best_epoch()
    return found["validation_accuracy"] if found else 0.0


def evaluation_of(drawn: Drawn) -> tuple[Run, Evaluation]:
    line, _ = drawn.line("run")
    run = drawn.run()
    found = kept_evaluation(run)
    if found is None:
        raise drawn.block.error("this training has not been evaluated on test images", line)
    return run, found


def confused(drawn: Drawn) -> Question:
    """What a class is most often taken for: by the confusion matrix of a recorded evaluation."""
    run, kept = evaluation_of(drawn)
    line, true = drawn.one("class")
    if true not in kept.classes:
        raise drawn.block.error(f"it knows no class {true!r}", line)
    row = kept.confusion[kept.classes.index(true)]
    counts = {name: count for name, count in zip(kept.classes, row, strict=True) if name != true}
    ordered = sorted(counts, key=lambda name: -counts[name])
    if counts[ordered[0]] == counts[ordered[1]]:
        raise drawn.block.error(f"{true} is taken equally often for {ordered[0]} and {ordered[1]}", line)
    answer = ordered[0]
    shown = drawn.shuffled([answer, ordered[1], ordered[len(ordered) // 2], ordered[-1]])
    reasons = tuple(
        Reason(name, "confused_less", {"chosen": name, "times": counts[name]}) for name in shown if name != answer
    )
    facts: dict[str, Fact] = {
        "run": title_of(run),
        "class": true,
        "answer": answer,
        "count": counts[answer],
        "images": sum(row),
    }
    options = tuple(AnswerOption(name, name) for name in shown)
    return Question("options", "confused", "confused", facts, answer, reasons, options)


def weakest(drawn: Drawn) -> Question:
    """Which class a network finds least often: the lowest recall of its report."""
    run, kept = evaluation_of(drawn)
    ordered = sorted(kept.recalls, key=kept.recalls.__getitem__)
    if round(kept.recalls[ordered[0]], 2) == round(kept.recalls[ordered[1]], 2):
        raise UserError("the two lowest recalls are equal to two digits")
    if len(ordered) < 4:
        raise UserError("the question needs at least four classes")
    answer = ordered[0]
    shown = drawn.shuffled([answer, ordered[1], ordered[len(ordered) // 2], ordered[-1]])
    reasons = tuple(
        Reason(name, "weakest_not", {"chosen": name, "recall": round(kept.recalls[name], 3)})
        for name in shown
        if name != answer
    )
    facts: dict[str, Fact] = {
        "run": title_of(run),
        "answer": answer,
        "recall": round(kept.recalls[answer], 3),
        "precision": round(float(kept.report[answer]["precision"]), 3),
    }
    options = tuple(AnswerOption(name, name) for name in shown)
    return Question("options", "weakest", "weakest", facts, answer, reasons, options)


def rate(drawn: Drawn) -> Question:
    """The learning rate of an epoch, by a preset's schedule."""
    name = drawn.word("preset", tuple(PRESETS))
    epoch = drawn.number("epoch")
    recipe = PRESETS[name].experiment().recipe
    if recipe.schedule != "steps" or not 1 <= epoch <= recipe.epochs:
        raise UserError(f"{name} has no steps, or no epoch {epoch}")
    begins = {1: recipe.learning_rate, **dict(recipe.milestones)}
    at = max(first for first in begins if first <= epoch)
    answer = begins[at]
    firsts = sorted(begins)
    written = {first: f"{begins[first]:.0e}".replace("e-0", "e-") for first in firsts}
    reasons = []
    for first in firsts:
        if first == at:
            continue
        key = "rate_before" if first < at else "rate_after"
        if first > at and epoch == first - 1:
            key = "rate_one_early"
        if first < at and epoch == at:
            key = "rate_one_late"
        reasons.append(Reason(written[first], key, {"first": first, "chosen": written[first]}))
    table = "; ".join(
        f"{first}–{(firsts[place + 1] - 1) if place + 1 < len(firsts) else recipe.epochs}: {written[first]}"
        for place, first in enumerate(firsts)
    )
    facts: dict[str, Fact] = {
        "preset": PRESETS[name].title,
        "epoch": epoch,
        "answer": written[at],
        "table": table,
        "first": at,
        "value": answer,
    }
    options = tuple(AnswerOption(written[first], written[first]) for first in firsts)
    return Question("options", "rate", "rate", facts, written[at], tuple(reasons), options)
