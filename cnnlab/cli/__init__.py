"""The same jobs without a browser: `python -m cnnlab ...`. Exit code 2 and one line for what a person can mend."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from cnnlab import datasets
from cnnlab.cli.laboratory import compare_networks, show_architectures, show_code, show_reduction, show_table
from cnnlab.cli.work import evaluate_run, predict_images, run_training, show_runs, stop_run
from cnnlab.errors import UserError
from cnnlab.training.recipe import Recipe


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
