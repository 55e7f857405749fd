"""Commands for designs that are kept: list, show, diff, export, import, remove. Only a Keras file loads TensorFlow."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from cnnlab import runs, units
from cnnlab.architectures.comparison import difference
from cnnlab.cli.output import echo, print_json, print_table
from cnnlab.design import edits, estimate, store
from cnnlab.design.advice import advice
from cnnlab.design.function import architecture_function
from cnnlab.errors import UserError
from cnnlab.experiments.design import slug
from cnnlab.hardware import has_bfloat16
from cnnlab.inference.model_file import network_in_model
from cnnlab.keras.script import keras_script
from cnnlab.network import Network, analysis
from cnnlab.network.file import read_network
from cnnlab.zoo import catalogue

BATCH = 128
FORMS: dict[str, Callable[[Network], str]] = {
    "json": lambda network: network.to_json() + "\n",
    "keras": keras_script,
    "function": architecture_function,
}
"""What a design is written as: its JSON, a Keras script, a function in cnnlab's own style."""


def network_named(text: str, runs_dir: str | None) -> Network:
    """The network that a design's name means, or a text of the catalogue, or a file."""
    if store.versions(text.partition("@")[0]):
        return store.find(store.OF_DESIGN + text).network
    if text.endswith(".json"):
        return read_network(Path(text))
    return catalogue.candidate(text, runs.runs_folder(runs_dir)).network()


def list_designs(options: argparse.Namespace) -> int:
    kept = [store.load(name) for name in store.names()]
    if options.json:
        print_json(
            [
                {
                    "name": one.name,
                    "versions": store.versions(one.name),
                    "saved": one.saved,
                    "began": one.began,
                    "parameters": one.network.parameters,
                    "multiply_adds": one.network.multiply_adds,
                }
                for one in kept
            ]
        )
        return 0
    print_table(
        ("name", "versions", "saved", "began with", "layers", "parameters", "multiply-adds"),
        [
            (
                one.name,
                str(one.version),
                one.saved[:16].replace("T", " "),
                one.began,
                str(len(one.network.layers)),
                units.count(one.network.parameters),
                units.short(one.network.multiply_adds),
            )
            for one in kept
        ],
        right=(1, 4, 5, 6),
    )
    return 0


def show_design(options: argparse.Namespace) -> int:
    network = network_named(options.name, options.runs_dir)
    rates, memory = estimate.kept_rates(), estimate.training_bytes(network, BATCH, has_bfloat16())
    said = advice(network)
    if options.json:
        took = rates.of_step(network, BATCH) if rates else None
        print_json(
            analysis.table_json(network)
            | {
                "weight_layers": analysis.weight_layers(network),
                "estimate": {"batch": BATCH, "step_seconds": took, "training_bytes": memory},
                "advice": [{"layer": one.layer, "text": one.text} for one in said],
            }
        )
        return 0
    print_table(
        ("layer", "type", "output shape", "parameters", "multiply-adds"),
        [
            (
                node.name,
                node.layer.caption,
                "×".join(map(str, node.output_shape)),
                units.count(node.parameters),
                units.count(node.multiply_adds),
            )
            for node in network.layers
        ],
        right=(3, 4),
    )
    echo(
        f"\n{network.parameters:,} parameters, {network.multiply_adds:,} multiply-adds an image, "
        f"{analysis.weight_layers(network)} weight layers deep."
    )
    if rates:
        echo(f"A step of {BATCH} images takes about {rates.of_step(network, BATCH) * 1000:,.0f} ms on this machine.")
    echo(f"Training takes about {units.size(memory)} of memory at a batch of {BATCH}.")
    echo(*(one.text for one in said))
    return 0


def diff_designs(options: argparse.Namespace) -> int:
    left, right = (network_named(name, options.runs_dir) for name in (options.left, options.right))
    lines = difference(left, right)
    if options.json:
        print_json(lines)
        return 0
    print_table(
        ("change", options.left, options.right),
        [(line["change"], line["left"], line["right"]) for line in lines if line["change"] != "same"],
    )
    for words, one, other in (
        ("parameters", left.parameters, right.parameters),
        ("multiply-adds", left.multiply_adds, right.multiply_adds),
    ):
        echo(f"{words}: {one:,} to {other:,} ({other - one:+,})")
    return 0


def export_design(options: argparse.Namespace) -> int:
    text = FORMS[options.form](network_named(options.name, options.runs_dir))
    if options.output is None:
        print(text, end="")
        return 0
    try:
        Path(options.output).write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"{options.output} cannot be written: {error.strerror}.") from error
    echo(options.output)
    return 0


def import_design(options: argparse.Namespace) -> int:
    """A file, or a text of the catalogue, kept as a design; prints its name."""
    path = Path(options.source)
    if path.suffix == ".keras":
        if not path.is_file():
            raise UserError(f"There is no file {path}.")
        network = network_in_model(path, path.name)
    elif path.suffix == ".json":
        network = read_network(path)
    else:
        network = catalogue.candidate(options.source, runs.runs_folder(options.runs_dir)).network()
    name = options.name or slug(network.name) or "network"
    if store.versions(name):
        raise UserError(f"There is a design {name!r} already; give another --name, or remove that one.")
    echo(store.save(edits.rename(network, name)).name)
    return 0


def remove_design(options: argparse.Namespace) -> int:
    store.remove(options.name)
    return 0
