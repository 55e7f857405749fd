"""The same jobs without a browser: `python -m cnnlab ...`. Exit code 2 and one line for what a person can mend."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table

from cnnlab import analysis, architectures, codegen, datasets, reduction, runs, units
from cnnlab.comparison import Candidate, compare
from cnnlab.errors import UserError
from cnnlab.layers import shape_text
from cnnlab.runs.config import plan
from cnnlab.runs.run import Run
from cnnlab.runs.status import ACTIVE, Status
from cnnlab.training.recipe import Recipe, make_recipe

POLL_SECONDS = 0.25
RUN_COLUMNS = ("id", "state", "best validation accuracy", "epochs", "duration")


class Parser(argparse.ArgumentParser):
    """Says what is wrong with a call in one line."""

    def error(self, message: str) -> NoReturn:
        print(f"{self.prog}: {message} (try {self.prog} --help)", file=sys.stderr)
        sys.exit(2)


def main(arguments: Sequence[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    try:
        return int(options.run_command(options))
    except UserError as error:
        print(f"cnnlab: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        sys.stderr.close()
        return 0


def parser() -> Parser:
    everywhere = Parser(add_help=False)
    where: dict[str, Any] = {"metavar": "DIR", "help": "folder of the runs (default: CNNLAB_RUNS, or runs)"}
    everywhere.add_argument("--runs-dir", default=argparse.SUPPRESS, **where)
    switches = Parser(add_help=False)
    switches.add_argument(
        "--set", action="extend", nargs="+", default=[], metavar="KEY=VALUE", help="switches of the architecture"
    )
    top = Parser(prog="python -m cnnlab", description="A laboratory for convolutional networks.")
    top.add_argument("--runs-dir", **where)
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, function: Any, text: str, *parents: Parser) -> Parser:
        made = commands.add_parser(name, help=text, description=text, parents=[everywhere, *parents])
        made.set_defaults(run_command=function)
        return made

    def as_json(made: Parser) -> Parser:
        made.add_argument("--json", action="store_true", help="print JSON")
        return made

    as_json(command("architectures", show_architectures, "List the architectures."))

    table = command("table", show_table, "Print an architecture layer by layer.", switches)
    table.add_argument("name", metavar="NAME")
    forms = table.add_mutually_exclusive_group()
    forms.add_argument("--csv", action="store_true", help="print CSV")
    forms.add_argument("--json", action="store_true", help="print JSON")

    side = as_json(command("compare", compare_networks, "Put architectures side by side.", switches))
    side.add_argument("names", nargs="+", metavar="NAME[:KEY=VALUE,...]")
    side.add_argument("--batch-size", type=int, default=1, metavar="B", help="images at a time, for the memory")

    reduce = as_json(command("reduce", show_reduction, "A convolution against the same behind a 1x1 bottleneck."))
    for name, default in (("input", "28x28x192"), ("kernel", 5), ("filters", 32), ("bottleneck", 16)):
        reduce.add_argument(f"--{name}", default=default, type=type(default), metavar="N", help=f"default {default}")
    reduce.add_argument("--padding", choices=("same", "valid"), default="valid", help="default valid")

    code = as_json(command("code", show_code, "Print a stand-alone Keras script of an architecture.", switches))
    code.add_argument("name", metavar="NAME")

    train = command("train", run_training, "Train a network.", switches)
    train.add_argument("--architecture", required=True, metavar="A")
    train.add_argument("--dataset", required=True, metavar="D", help=", ".join(datasets.SOURCES))
    for name, field in Recipe.model_fields.items():
        train.add_argument(f"--{name.replace('_', '-')}", metavar="X", help=f"default {field.default}")
    train.add_argument("--detach", action="store_true", help="return at once; the training goes on by itself")

    as_json(command("runs", show_runs, "List the runs, newest first."))

    stop = command("stop", stop_run, "Ask a training to save a checkpoint and end.")
    stop.add_argument("run", metavar="RUN")

    evaluate = as_json(command("evaluate", evaluate_run, "Measure a run's best checkpoint on a split."))
    evaluate.add_argument("run", metavar="RUN")
    evaluate.add_argument("--split", choices=("test", "validation", "train"), default="test")

    predict = as_json(command("predict", predict_images, "Classify image files with a run's best checkpoint."))
    predict.add_argument("run", metavar="RUN")
    predict.add_argument("images", nargs="+", metavar="IMAGE")
    predict.add_argument("--top", type=int, default=5, metavar="K", help="how many classes to print (default 5)")
    return top


def pairs(texts: Sequence[str]) -> dict[str, str]:
    """KEY=VALUE texts as a dict."""
    for text in texts:
        if "=" not in text:
            raise UserError(f"--set takes KEY=VALUE, not {text!r}.")
    return dict(text.split("=", 1) for text in texts)


def print_json(value: Any) -> None:
    print(json.dumps(value, indent=2))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number in right else "left", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=200)  # a pipe has no width to fit into
    console.print(table)


def show_architectures(options: argparse.Namespace) -> int:
    networks = {name: architectures.build(name) for name in architectures.ARCHITECTURES}
    if options.json:
        print_json([analysis.table_json(network) | {"rows": len(network.layers)} for network in networks.values()])
        return 0
    print_table(
        ("name", "input", "classes", "parameters", "multiply-adds", "paper"),
        [
            (
                name,
                shape_text(network.input_shape),
                units.count(network.classes),
                units.count(network.parameters),
                units.short(network.multiply_adds),
                f"{chosen.paper.authors}, {chosen.paper.venue}",
            )
            for (name, network), chosen in zip(networks.items(), architectures.ARCHITECTURES.values(), strict=True)
        ],
        right=(2, 3, 4),
    )
    return 0


def show_table(options: argparse.Namespace) -> int:
    network = architectures.build(options.name, pairs(options.set))
    if options.json:
        print_json(analysis.table_json(network))
        return 0
    if options.csv:
        print(analysis.table_csv(network), end="")
        return 0
    print_table(
        ("layer", "type", "output shape", "kernel / stride", "parameters", "multiply-adds"),
        [
            (
                row["name"],
                row["type"],
                shape_text(tuple(row["output_shape"])),
                row["kernel"],
                units.count(row["parameters"]),
                units.count(row["multiply_adds"]),
            )
            for row in analysis.rows(network)
        ],
        right=(4, 5),
    )
    print()
    print(f"Total parameters:          {network.parameters:>15,}")
    print(f"Trainable parameters:      {network.trainable:>15,}")
    print(f"Non-trainable parameters:  {network.non_trainable:>15,}")
    print(f"Multiply-adds per image:   {network.multiply_adds:>15,}")
    return 0


def compare_networks(options: argparse.Namespace) -> int:
    if options.batch_size < 1:
        raise UserError(f"--batch-size takes a number from 1, not {options.batch_size}.")
    chosen = [Candidate.parse(name, pairs(options.set)) for name in options.names]
    lines = compare(chosen, options.batch_size)
    if options.json:
        print_json(lines)
        return 0
    columns = ("network", "input", "weight layers", "parameters", "multiply-adds", "on disk", "training", "inference")
    print_table(
        columns,
        [
            (
                line["label"],
                shape_text(tuple(line["input_shape"])),
                str(line["weight_layers"]),
                units.count(line["parameters"]),
                units.count(line["multiply_adds"]),
                units.size(line["weight_bytes"]),
                units.size(line["training_bytes"]),
                units.size(line["inference_bytes"]),
            )
            for line in lines
        ],
        right=range(2, len(columns)),
    )
    return 0


def show_reduction(options: argparse.Namespace) -> int:
    case = reduction.Bottleneck(
        *reduction.read_shape(options.input), options.kernel, options.filters, options.bottleneck, options.padding
    )
    report = reduction.report(case)
    if options.json:
        print_json(report)
        return 0
    print_table(
        ("path", "parameters", "multiply-adds"),
        [
            (path, units.count(report[path]["parameters"]), units.count(report[path]["multiply_adds"]))
            for path in ("direct", "reduced")
        ],
        right=(1, 2),
    )
    for measure, words in (("parameters", "parameters"), ("multiply_adds", "multiply-adds")):
        factor, even = report["factor"][measure], report["break_even"][measure]
        print(f"{factor:.2f} times fewer {words}; fewer up to a bottleneck of {even['widest_cheaper']:,}.")
    return 0


def show_code(options: argparse.Namespace) -> int:
    switches = pairs(options.set)
    script = codegen.keras_script(architectures.build(options.name, switches), switches)
    if options.json:
        print_json({"architecture": options.name, "script": script})
    else:
        print(script, end="")
    return 0


def run_training(options: argparse.Namespace) -> int:
    given = {name: getattr(options, name) for name in Recipe.model_fields}
    recipe = make_recipe(**{name: value for name, value in given.items() if value is not None})
    experiment = plan(options.architecture, options.dataset, pairs(options.set), recipe)
    run = runs.create(experiment, runs.runs_folder(options.runs_dir))
    runs.start(run)
    code = 0 if options.detach else follow(run)
    print(run.id)
    return code


def follow(run: Run) -> int:
    """Show a run's progress until it ends; Ctrl-C asks it to stop and waits for its checkpoint."""
    columns = (BarColumn(), TextColumn("{task.percentage:>3.0f}%"), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True, highlight=False)) as bar:
        task = bar.add_task("Starting", total=None)
        while True:
            try:
                status = run.status()
                bar.update(
                    task,
                    description=described(run, status),
                    completed=status.step,
                    total=status.steps or None,
                )
                if status.state not in ACTIVE:
                    break
                time.sleep(POLL_SECONDS)
            except KeyboardInterrupt:
                run.request_stop()
    if status.state in ("failed", "interrupted"):
        print(f"cnnlab: {run.id} {status.state}: {status.message}", file=sys.stderr)
        return 2
    return 0


def described(run: Run, status: Status) -> str:
    if status.state == "running":
        epoch = min(status.step // status.steps_per_epoch + 1, status.epochs)
        words = [f"epoch {epoch}/{status.epochs}"]
        if status.images_per_second:
            words.append(f"{status.images_per_second:.0f} images/s")
        if status.seconds_left is not None:
            words.append(f"{units.duration(status.seconds_left)} left")
        if best := run.best_epoch():
            words.append(f"best validation accuracy {units.percent(best['validation_accuracy'])}")
        return ", ".join(words)
    return status.message or status.state


def show_runs(options: argparse.Namespace) -> int:
    summaries = [runs.summary(run) for run in runs.listing(runs.runs_folder(options.runs_dir))]
    if options.json:
        print_json(summaries)
        return 0
    print_table(
        RUN_COLUMNS,
        [
            (
                item["id"],
                item["state"],
                units.percent(item["best_validation_accuracy"]),
                f"{item['epochs_done']}/{item['epochs']}",
                units.duration(item["seconds"]),
            )
            for item in summaries
        ],
        right=(2, 3, 4),
    )
    return 0


def stop_run(options: argparse.Namespace) -> int:
    run = runs.find(options.run, runs.runs_folder(options.runs_dir))
    if run.status().state not in ACTIVE:
        raise UserError(f"Run {run.id} is not at work: it is {run.status().state}.")
    run.request_stop()
    print(run.id)
    return 0


def evaluate_run(options: argparse.Namespace) -> int:
    from cnnlab.evaluation import evaluate
    from cnnlab.prediction import load_classifier

    run = runs.find(options.run, runs.runs_folder(options.runs_dir))
    evaluation = evaluate(load_classifier(run), options.split)
    if options.json:
        print_json(evaluation.model_dump())
        return 0
    print(f"{run.id}, checkpoint after epoch {evaluation.epoch:g}")
    print(f"{evaluation.dataset}, {evaluation.split} split, {evaluation.images:,} images")
    print(f"rank-1 {evaluation.accuracy:.2%}, rank-5 {evaluation.top5_accuracy:.2%}, loss {evaluation.loss:.4f}\n")
    averages = ("macro avg", "weighted avg")
    print_table(
        ("", "precision", "recall", "f1-score", "support"),
        [
            (
                name,
                *(f"{evaluation.report[name][figure]:.2f}" for figure in ("precision", "recall", "f1-score")),
                f"{evaluation.report[name]['support']:.0f}",
            )
            for name in (*evaluation.classes, *averages)
        ],
        right=(1, 2, 3, 4),
    )
    return 0


def predict_images(options: argparse.Namespace) -> int:
    from cnnlab.images import read_image
    from cnnlab.prediction import load_classifier, top_classes

    if options.top < 1:
        raise UserError(f"--top takes a number from 1, not {options.top}.")
    run = runs.find(options.run, runs.runs_folder(options.runs_dir))
    images, refused = [], {}
    for name in options.images:
        try:
            images.append((name, read_image(read_file(name), name)))
        except UserError as error:
            refused[name] = str(error)
    answers: list[dict[str, Any]] = []
    if images:
        classifier = load_classifier(run)
        probabilities = classifier.probabilities([image for _, image in images])
        for (name, _), row in zip(images, probabilities, strict=True):
            top = top_classes(row, classifier.data.classes, options.top)
            answers.append({"image": name, "top": [{"class": label, "probability": p} for label, p in top]})
    if options.json:
        print_json({"run": run.id, "predictions": answers, "refused": refused})
    else:
        for answer in answers:
            print(
                answer["image"]
                + ": "
                + ", ".join(f"{item['class']} {item['probability']:.1%}" for item in answer["top"])
            )
    for message in refused.values():
        print(f"cnnlab: {message}", file=sys.stderr)
    return 2 if refused else 0


def read_file(name: str) -> bytes:
    try:
        return Path(name).read_bytes()
    except OSError as error:
        raise UserError(f"{name} cannot be read: {error.strerror}.") from error
