"""The same jobs without a browser: `cnnlab ...`, `python -m cnnlab ...`. Exit code 2 and one line for a UserError."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn, get_args

from cnnlab import datasets
from cnnlab.cli import data, design, runs, sweeps, training
from cnnlab.cli.app import serve_app
from cnnlab.cli.explaining import explain_image
from cnnlab.cli.film import film_run
from cnnlab.cli.former import FormerOption, former_command
from cnnlab.cli.laboratory import (
    compare_networks,
    show_architectures,
    show_code,
    show_diagram,
    show_network,
    show_reduction,
    show_table,
)
from cnnlab.cli.machines import show_machines
from cnnlab.cli.microscope import look_inside
from cnnlab.cli.output import echo
from cnnlab.cli.results import show_results
from cnnlab.cli.silencing import silence_network
from cnnlab.cli.use import evaluate_run, export_run, fetch_pretrained, import_model_file, predict_images, serve_run
from cnnlab.datasets.images import MIDDLE
from cnnlab.datasets.job import FITTINGS
from cnnlab.datasets.preprocessing import FRAMINGS
from cnnlab.errors import UserError
from cnnlab.evaluation import TTA_TITLES
from cnnlab.experiments.experiment import setting_text
from cnnlab.experiments.recipe import CHOICES, FLAT_FIELDS, default_of
from cnnlab.inference.saliency import METHODS
from cnnlab.runs.place import PLACES
from cnnlab.runs.sweeps.record import SEARCHES
from cnnlab.runs.sweeps.rules import RULE_TEXTS, RULES
from cnnlab.zoo.pretrained import PRETRAINED

CHECKPOINT: dict[str, Any] = {
    "default": "best",
    "metavar": "E",
    "help": "best, last, or after epoch E (default best)",
}
OWN_RUN = "a run by its id or the beginning of it"
ANY_RUN = f"{OWN_RUN}, or another trained network by its name"
LOGGER_CHOICES = ("tensorboard", "wandb", "mlflow")
VALUE_MISSING = re.compile(r"expected (at least )?one argument|unrecognized arguments: -[^-]")
"""What argparse says where a value was taken for an option."""


class Parser(argparse.ArgumentParser):
    """Says what is wrong with a call in one line."""

    def error(self, message: str) -> NoReturn:
        if VALUE_MISSING.search(message):
            message += "; a value that begins with '-' is written after '=', as --OPTION=-VALUE"
        echo(f"{self.prog}: {message} (try {self.prog} --help)", error=True)
        sys.exit(2)


def main(arguments: Sequence[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    try:
        return int(options.run_command(options))
    except UserError as error:
        echo(f"cnnlab: {error}", error=True)
        return 2
    except BrokenPipeError:
        sys.stderr.close()
        return 0


def called_as() -> str:
    """What a person typed to come here: `cnnlab` where it is installed, else `python -m cnnlab`."""
    return "cnnlab" if Path(sys.argv[0]).name == "cnnlab" else "python -m cnnlab"


def parser() -> Parser:
    everywhere = Parser(add_help=False)
    where: dict[str, Any] = {"metavar": "DIR", "help": "folder of the runs (default: CNNLAB_RUNS, or runs)"}
    everywhere.add_argument("--runs-dir", default=argparse.SUPPRESS, **where)
    architecture_options = Parser(add_help=False)
    architecture_options.add_argument(
        "--set", action="extend", nargs="+", default=[], metavar="KEY=VALUE", help="options of the architecture"
    )
    changes = Parser(add_help=False)
    changes.add_argument(
        "--set", action="extend", nargs="+", default=[], metavar="KEY=VALUE", help="settings to change"
    )
    followed = Parser(add_help=False)
    followed.add_argument("--detach", action="store_true", help="return at once; the training goes on by itself")
    recipes = recipe_options()
    placed = place_options()
    network_file: dict[str, Any] = {"metavar": "FILE", "help": "a network's JSON, as `network` prints it"}
    top = Parser(prog=called_as(), description="A laboratory for convolutional networks.")
    top.add_argument("--runs-dir", **where)
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, function: Any, text: str, *parents: Parser) -> Parser:
        made = commands.add_parser(name, help=text, description=text, parents=[everywhere, *parents])
        made.set_defaults(run_command=function)
        return made

    def of_run(name: str, function: Any, text: str, *parents: Parser, which: str = OWN_RUN) -> Parser:
        made = command(name, function, text, *parents)
        made.add_argument("run", metavar="RUN", help=which)
        return made

    def as_json(made: Parser) -> Parser:
        made.add_argument("--json", action="store_true", help="print JSON")
        return made

    def of_network(name: str, function: Any, text: str) -> Parser:
        made = command(name, function, text, architecture_options)
        made.add_argument("name", metavar="NAME", nargs="?", help="an architecture, or the network of a run")
        made.add_argument("--network", **network_file)
        return made

    as_json(command("architectures", show_architectures, "List the architectures."))

    table = of_network("table", show_table, "Print a network layer by layer.")
    forms = table.add_mutually_exclusive_group()
    forms.add_argument("--csv", action="store_true", help="print CSV")
    forms.add_argument("--json", action="store_true", help="print JSON")

    side = as_json(command("compare", compare_networks, "Put networks side by side.", architecture_options))
    side.add_argument("names", nargs="*", metavar="NAME[:KEY=VALUE,...]", help="architectures, or run:RUN")
    side.add_argument("--network", action="append", default=[], **network_file)
    memory_help = "how many images at a time the memory is said for (default 1)"
    side.add_argument("--batch-size", type=int, default=1, metavar="B", help=memory_help)

    reduce = as_json(command("reduce", show_reduction, "A convolution against the same behind a 1x1 bottleneck."))
    for name, default, what in (
        ("input", "28x28x192", "the input's HEIGHTxWIDTHxCHANNELS"),
        ("kernel", 5, "the side of the convolution's kernel"),
        ("filters", 32, "how many filters the convolution has"),
        ("bottleneck", 16, "how many filters the 1x1 convolution before it has"),
    ):
        help_text = f"{what} (default {default})"
        reduce.add_argument(f"--{name}", default=default, type=type(default), metavar="N", help=help_text)
    padding_help = "of the convolution (default valid)"
    reduce.add_argument("--padding", choices=("same", "valid"), default="valid", help=padding_help)

    as_json(of_network("code", show_code, "Print a stand-alone Keras script of a network."))
    drawn = of_network("diagram", show_diagram, "Print a network as a picture, in SVG.")
    ways_in = drawn.add_mutually_exclusive_group()
    ways_in.add_argument("--open", nargs="+", default=[], metavar="MODULE", help="modules to draw layer by layer")
    ways_in.add_argument("--open-all", action="store_true", help="draw every layer")
    of_network("network", show_network, "Print a network as JSON, to change it and train it with --network.")

    designs = command("design", design.list_designs, "Designs that are kept: list, show, diff, export, import, remove.")
    kept = designs.add_subparsers(dest="design_command", required=True, metavar="WHAT", help="what to do")

    def of_design(name: str, function: Any, text: str, *positional: tuple[str, str]) -> Parser:
        made = kept.add_parser(name, help=text, description=text, parents=[everywhere])
        made.set_defaults(run_command=function)
        for argument, words in positional:
            made.add_argument(argument, metavar=argument.upper(), help=words)
        return made

    any_network = "a design, NAME or NAME@VERSION; or an architecture, run:RUN, or a JSON file"
    as_json(of_design("list", design.list_designs, "List the designs."))
    as_json(of_design("show", design.show_design, "Print a design, its costs, and advice.", ("name", any_network)))
    sides = (("left", any_network), ("right", any_network))
    as_json(of_design("diff", design.diff_designs, "Print what differs between two networks.", *sides))
    export = of_design("export", design.export_design, "Write a design as a file.", ("name", any_network))
    form_help = "json, a Keras script, or an architecture function (default json)"
    export.add_argument("--as", dest="form", choices=tuple(design.FORMS), default="json", help=form_help)
    export.add_argument("--output", metavar="FILE", help="where to write it (default: print it)")
    brought = of_design(
        "import",
        design.import_design,
        "Keep a network as a design.",
        ("source", "a .json or .keras file, or a network"),
    )
    brought.add_argument("--name", metavar="NAME", help="what to call it")
    of_design("remove", design.remove_design, "Delete a design, all versions.", ("name", "a design"))

    as_json(command("datasets", data.show_datasets, "List the data sets."))
    prepare = command("prepare", data.prepare_dataset, "Download and decode a data set.")
    prepare.add_argument("name", metavar="NAME", help="a data set, as `datasets` lists them")
    imports = as_json(command("import", data.import_dataset, "Make a data set of your own images."))
    imports.add_argument("name", metavar="NAME", help="what to call it")
    imports.add_argument("path", metavar="PATH", help="a folder or a zip archive with a folder for each class")
    imports.add_argument("--size", type=int, default=64, metavar="N", help="pixels a side to keep (default 64)")
    fit_help = "of images that are not square: distort, cut out the middle, or pad (default crop)"
    imports.add_argument("--fit", choices=FITTINGS, default="crop", help=fit_help)
    subset = command("subset", data.subset_dataset, "Make a data set of some classes of another.")
    subset.add_argument("name", metavar="NAME", help="what to call it")
    subset.add_argument("dataset", metavar="DATASET", help="the data set to take them from")
    subset.add_argument("classes", metavar="CLASS", nargs="+", help="the classes to take, two or more")
    remove = command("remove", data.remove_dataset, "Delete an imported data set.")
    remove.add_argument("name", metavar="NAME", help="its name, as `datasets` lists it")

    train = command("train", training.run_training, "Train a network.", recipes, architecture_options, followed, placed)
    train.add_argument("--name", metavar="TEXT", help="what to call the run")
    train.add_argument("--film-image", metavar="FILE", help="an image of your own to film beside those of the data set")

    words = "Search settings in many trainings, and stop those early that promise little."
    sweep = as_json(command("sweep", sweeps.run_sweep, words, recipes, architecture_options, placed))
    action_help = "start one (the default), list them, show, pause or resume one, add --trials to it"
    sweep.add_argument("action", nargs="?", choices=sweeps.ACTIONS, default="start", help=action_help)
    sweep.add_argument("sweep", nargs="?", metavar="SWEEP", help="a sweep by its id, the beginning of it, or its name")
    values_help = (
        "settings or options with what to try: values as learning_rate=0.1,0.01, or a range as "
        "learning_rate=0.0001..0.1; what a trial's optimizer or schedule does not take is left out of it"
    )
    sweep.add_argument("--values", nargs="+", metavar="KEY=V1,V2", help=values_help)
    search_help = "grid: every combination; random: drawn one by one; bayes: each chosen by what the others reached"
    sweep.add_argument("--search", choices=SEARCHES, help=f"{search_help} (default grid)")
    sweep.add_argument("--trials", type=int, metavar="N", help="how many trainings; a grid has all of its combinations")
    sweep.add_argument("--sample", type=int, metavar="N", help="short for --search random --trials N")
    sweep.add_argument("--search-seed", type=int, default=0, metavar="N", help="of what is drawn (default 0)")
    stop_help = "the rule that stops trainings early: " + " ".join(f"{rule}: {RULE_TEXTS[rule]}" for rule in RULES)
    sweep.add_argument("--stop", choices=RULES, default="none", help=f"{stop_help} Default none.")
    sweep.add_argument("--min-epochs", type=int, metavar="N", help="epochs before a trial is first judged (default 1)")
    factor_help = "of asha and halving: one in so many goes on, so many times as far (default 3)"
    sweep.add_argument("--factor", type=int, metavar="N", help=factor_help)

    rethink = command(
        "generalization", training.run_generalization, "Queue the randomization tests of Zhang et al., 2017."
    )
    rethink.add_argument(
        "--architecture", default="minigooglenet", metavar="A", help="what to train (default minigooglenet)"
    )
    rethink.add_argument("--dataset", default="cifar10", metavar="D", help="on what (default cifar10)")
    rethink.add_argument("--epochs", type=int, default=40, metavar="N", help="of each training (default 40)")

    as_json(command("presets", training.show_presets, "List the presets that --preset names."))
    as_json(former_command(commands, "recipes", training.show_presets, everywhere))
    as_json(command("runs", runs.show_runs, "List the runs, newest first."))
    as_json(of_run("show", runs.show_run, "Show a run: state, best epoch, command, events.", which=ANY_RUN))

    of_run(
        "pause",
        runs.requesting("pause"),
        "Save a checkpoint and end a training, to resume it later; take out one not yet begun.",
    )
    stop = of_run("stop", runs.requesting("stop"), "Save a checkpoint and end a training; take out one not yet begun.")
    stop.add_argument("--after-epoch", action="store_true", help="let it finish its epoch")
    of_run("resume", runs.resume_run, "Go on with a run where it ended, here or elsewhere.", followed, placed)
    extend = of_run("extend", runs.extend_run, "Train a run for more epochs.", followed, placed)
    extend.add_argument("--epochs", type=int, required=True, metavar="N", help="how many more")
    restart = of_run("restart", runs.restart_run, "Go on from a checkpoint as a new run.", changes, followed, placed)
    restart.add_argument("--checkpoint", **CHECKPOINT)
    words = "Train the same again, or with changes."
    of_run("duplicate", runs.duplicate_run, words, changes, followed, placed, which=ANY_RUN)
    label = of_run("label", runs.label_run, "Name, tag and annotate a run.")
    label.add_argument("--name", metavar="TEXT", help="what to call it, in place of its present name")
    tags_help = (
        "words to find it by, in place of its present ones; none removes them; one that begins with - as --tags=-x"
    )
    label.add_argument("--tags", nargs="*", action="extend", metavar="TAG", help=tags_help)
    label.add_argument("--note", metavar="TEXT", help="what to know about it, in place of its present note")

    queue = as_json(command("queue", runs.show_queue, "Show the queue, or change it."))
    queue.add_argument("--parallel", type=int, metavar="N", help="how many trainings may work at a time, from 1 to 64")
    queue.add_argument("--on", choices=PLACES, help="at which place (default local)")
    queue.add_argument(
        "--move", nargs=2, metavar=("RUN", "PLACE"), help="put a waiting run at a place, 1 being the next"
    )

    words = "Show where there is room to train, and which runs are where."
    machines = as_json(command("machines", show_machines, words))
    check_help = "have each node look at the runs folder: is it shared, do locks and clocks hold, are versions the same"
    machines.add_argument("--check", action="store_true", help=check_help)

    side_by_side = as_json(command("compare-runs", runs.compare_runs, "Put runs side by side."))
    side_by_side.add_argument("runs", nargs="+", metavar="RUN", help=ANY_RUN)

    delete = command("delete", runs.delete_run, "Move runs to the trash.")
    delete.add_argument("runs", nargs="+", metavar="RUN", help=OWN_RUN)
    trash = command("trash", runs.show_trash, "List the trash, empty it, or take a run out of it.")
    ways = trash.add_mutually_exclusive_group()
    ways.add_argument("--empty", action="store_true", help="delete its runs for good")
    ways.add_argument("--restore", metavar="RUN", help="take a run out of it")

    evaluate = as_json(of_run("evaluate", evaluate_run, "Measure a run's checkpoint on a split.", which=ANY_RUN))
    split_help = "which images to measure it on (default test)"
    evaluate.add_argument("--split", choices=("test", "validation", "train"), default="test", help=split_help)
    evaluate.add_argument("--checkpoint", **CHECKPOINT)
    ttas: dict[str, Any] = {"choices": TTA_TITLES, "dest": "tta"}
    tta_help = "test-time augmentation: average over several copies of each image (default plain: none)"
    evaluate.add_argument("--tta", default="plain", help=tta_help, **ttas)
    evaluate.add_argument("--view", action=FormerOption, new="--tta", **ttas)
    evaluate.add_argument("--html", metavar="FILE", help="write a report that opens anywhere")
    evaluate.add_argument("--csv", metavar="FILE", help="write what the network said of each image")

    words = "List the epochs that a run filmed, or write them as a moving picture."
    film = as_json(of_run("film", film_run, words, which=ANY_RUN))
    film.add_argument("--output", metavar="FILE", help="the picture to write, .gif or .webp")
    film.add_argument("--image", type=int, default=1, metavar="N", help="which of its images (default 1)")
    film.add_argument("--seconds", type=float, default=0.25, metavar="S", help="how long each epoch is seen")

    predict = as_json(command("predict", predict_images, "Classify images with a trained network."))
    predict.add_argument("run", metavar="RUN", help=ANY_RUN)
    predict.add_argument("images", nargs="+", metavar="IMAGE", help="image files, zip archives of them, folders")
    predict.add_argument("--checkpoint", **CHECKPOINT)
    predict.add_argument("--top", type=int, default=5, metavar="K", help="how many classes to print (default 5)")
    fit_help = "how an image that is not square is seen: a square of it, padded, squeezed, or three squares averaged"
    fit: dict[str, Any] = {"choices": FRAMINGS, "help": f"{fit_help} (default as the network was trained)"}
    predict.add_argument("--fit", **fit)
    place_help = "where along the longer side a crop lies, 0 to 1 (default 0.5, the middle)"
    predict.add_argument("--place", type=float, default=MIDDLE, metavar="X", help=place_help)

    words = "Show what in an image speaks for a class, and whether that picture explains anything."
    explains = as_json(of_run("explain", explain_image, words, which=ANY_RUN))
    explains.add_argument("image", metavar="IMAGE", help="an image file")
    explains.add_argument("--method", choices=METHODS, default="grad-cam", help="how (default grad-cam)")
    explains.add_argument("--class", dest="label", metavar="NAME", help="of which class (default the most probable)")
    explains.add_argument("--checkpoint", **CHECKPOINT)
    way: dict[str, Any] = {"choices": FITTINGS, "help": "how an image that is not square is seen (default as trained)"}
    explains.add_argument("--fit", **way)
    explains.add_argument("--out", metavar="FILE.png", help="write the picture beside what the network sees")

    words = "Show what each layer makes of an image, down to the arithmetic of one value."
    looks = as_json(command("microscope", look_inside, words))
    network_help = f"{ANY_RUN}, or an architecture, untrained: minivggnet or NAME:KEY=VALUE,..."
    looks.add_argument("network", metavar="NETWORK", help=network_help)
    looks.add_argument("image", metavar="IMAGE", help="an image file")
    looks.add_argument("--checkpoint", **CHECKPOINT)
    looks.add_argument("--fit", **way)
    looks.add_argument("--layer", metavar="LAYER", help="show its channels, not all layers")
    looks.add_argument("--channel", type=int, metavar="C", help="show how one value of this channel is computed")
    looks.add_argument("--at", metavar="ROW,COLUMN", help="which value (default the channel's largest)")
    silence_help = "let these give zeros, all of a layer or some channels; may be repeated"
    silencing: dict[str, Any] = {"action": "append", "default": [], "metavar": "LAYER[:C,...]"}
    looks.add_argument("--silence", **silencing, help=silence_help)
    looks.add_argument("--maps", metavar="FILE.png", help="write all maps of the layer as one picture")

    hushes = as_json(command("silence", silence_network, "Tell what silencing channels costs a trained network."))
    hushes.add_argument("network", metavar="NETWORK", help=ANY_RUN)
    hushes.add_argument("--silence", **silencing, help=f"{silence_help}: conv1, conv1:3 or conv1:3,8-15")
    split_help = "over which images (default validation)"
    hushes.add_argument("--split", choices=get_args(datasets.SplitName), default="validation", help=split_help)
    hushes.add_argument("--checkpoint", **CHECKPOINT)

    fetching = command("pretrained", fetch_pretrained, "Fetch VGG16 or VGG19 with the weights of ImageNet.")
    fetching.add_argument("name", metavar="NAME", help=f"one of {', '.join(PRETRAINED)}")
    model = command("model", import_model_file, "Import a .keras file from elsewhere, in safe mode.")
    model.add_argument("name", metavar="NAME", help="what to call it")
    model.add_argument("file", metavar="FILE", help="the .keras file")
    model.add_argument("--classes", metavar="FILE", help="the names of its classes, one a line")
    ranges = ("0 to 255", "0 to 1", "-1 to 1")
    model.add_argument("--values", choices=ranges, default=ranges[0], help="what pixels it takes (default 0 to 255)")
    model.add_argument(
        "--size", type=int, metavar="N", help="pixels a side to bring images to, where it takes any size"
    )
    exports = of_run("export", export_run, "Write a run's network for other tools.", which=ANY_RUN)
    forms_of_export = ("keras", "saved_model", "litert", "onnx")
    exports.add_argument("--format", choices=forms_of_export, required=True, help="what those tools read")
    exports.add_argument("--checkpoint", **CHECKPOINT)
    exports.add_argument("--output", metavar="FILE", help="the zip archive to write (default RUN-FORMAT.zip)")

    shown = as_json(command("results", show_results, "The lecture's networks: as it prints them, and the best here."))
    shown.add_argument("--study", metavar="NAME", help="what each ingredient of a recipe gave, from real trainings")
    app = command("app", serve_app, "Serve the app in the browser.")
    app.add_argument("--address", default="localhost", help="where it answers (default localhost: this machine alone)")
    app.add_argument("--port", type=int, default=8501, help="the port (default 8501)")
    app.add_argument("flags", nargs="*", metavar="FLAG", help="after --: what `streamlit run` takes besides")
    serve = of_run("serve", serve_run, "Answer over HTTP: POST an image to /predict, get JSON.", which=ANY_RUN)
    serve.add_argument("--checkpoint", **CHECKPOINT)
    serve.add_argument("--fit", **fit)
    serve.add_argument("--host", default="127.0.0.1", help="where it answers (default 127.0.0.1: this machine alone)")
    serve.add_argument("--port", type=int, default=8600, help="the port (default 8600)")
    serve.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="another name that this machine is asked by, as lab.example.org or *.example.org; may be repeated",
    )
    return top


def place_options() -> Parser:
    """The options that say where to train, and what to ask of that place."""
    options = Parser(add_help=False)
    options.add_argument("--on", choices=PLACES, help="where to train: local, or ray, the cluster at CNNLAB_RAY")
    options.add_argument("--cpus", type=int, metavar="N", help="processors it may use (default all; 1 on a cluster)")
    options.add_argument("--gpus", type=int, metavar="N", help="GPUs to ask a cluster for (default 0)")
    options.add_argument("--memory", type=float, metavar="GB", help="memory to ask a cluster for, in GB")
    return options


def recipe_options() -> Parser:
    """The options that say what to train and how."""
    options = Parser(add_help=False)
    options.add_argument("--preset", metavar="NAME", help="a recipe with a name and a source, see `presets`")
    options.add_argument("--recipe", metavar="FILE", help="a recipe of your own, from a JSON file")
    options.add_argument("--in-epochs", type=int, metavar="N", help="scale the recipe's schedule to N epochs")
    options.add_argument("--architecture", metavar="A", help="what to train, as `architectures` lists them")
    network_help = "instead of an architecture a network's JSON, see `network`; or design:NAME"
    options.add_argument("--network", metavar="FILE", help=network_help)
    options.add_argument("--dataset", metavar="D", help=f"{', '.join(datasets.SOURCES)}, or an imported one")
    for name, field in FLAT_FIELDS.items():
        words = (field.description or "").replace("%", "%%")
        choices = tuple(CHOICES.get(name, ())) or get_args(field.annotation)
        words += (
            f" One of {', '.join(map(str, choices))}." if choices and all(isinstance(c, str) for c in choices) else ""
        )
        default = setting_text(default_of(name)) or "none"
        bare: dict[str, Any] = {"nargs": "?", "const": "true"} if field.annotation is bool else {}
        options.add_argument(f"--{name.replace('_', '-')}", metavar="X", help=f"{words} Default {default}.", **bare)
    options.add_argument("--from-run", metavar="RUN", help="begin with the weights of a run's best checkpoint")
    options.add_argument(
        "--take", nargs="+", metavar="PATTERN", help="the layers to take from it (default all that fit)"
    )
    options.add_argument(
        "--freeze-epochs",
        type=int,
        default=0,
        metavar="N",
        help="do not train those layers in the first N epochs (default 0)",
    )
    options.add_argument(
        "--logger", action="append", default=[], choices=LOGGER_CHOICES, help="also log to this; may be repeated"
    )
    options.add_argument("--group", metavar="TEXT", help="a name for runs that belong together")
    return options
