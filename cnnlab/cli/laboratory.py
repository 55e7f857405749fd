"""Commands that explain architectures; none loads TensorFlow."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cnnlab import architectures, runs, units
from cnnlab.architectures.comparison import Candidate, compare
from cnnlab.architectures.options import Value
from cnnlab.cli.output import pairs, print_json, print_table
from cnnlab.design.store import OF_DESIGN
from cnnlab.errors import UserError
from cnnlab.keras import script as codegen
from cnnlab.lecture import reduction
from cnnlab.network import Network, analysis, diagram
from cnnlab.network.file import read_network
from cnnlab.network.landscape import parts
from cnnlab.network.layers import shape_text
from cnnlab.zoo import catalogue


def network_of(options: argparse.Namespace) -> tuple[Network, Mapping[str, Value]]:
    """The network that is named (an architecture's, a run's, or one in a file) and the options that draw it."""
    if (options.name is None) == (options.network is None):
        raise UserError("Give a NAME, of an architecture or a run, or a file with --network: one of the two.")
    given = pairs(options.set)
    if options.network is not None:
        if given:
            raise UserError(f"--set {next(iter(given))}: options are of an architecture, not of {options.network}.")
        return read_network(Path(options.network)), {}
    folder = runs.runs_folder(options.runs_dir)
    network = catalogue.candidate(options.name, folder, given).network()
    run = catalogue.run_named(options.name, folder)
    if run is None and options.name.startswith(OF_DESIGN):
        return network, {}
    return network, run.config.experiment.options if run else Candidate.parse(options.name, given).values


def show_network(options: argparse.Namespace) -> int:
    print(network_of(options)[0].to_json())
    return 0


def show_diagram(options: argparse.Namespace) -> int:
    network, _ = network_of(options)
    known = list(parts(network))
    if missing := [name for name in options.open if name not in known]:
        raise UserError(f"--open takes modules of {network.name}, not {missing[0]!r}: {', '.join(known)}.")
    print(diagram.svg(network, known if options.open_all else options.open), end="")
    return 0


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
    network, _ = network_of(options)
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
    folder, given = runs.runs_folder(options.runs_dir), pairs(options.set)
    chosen = [catalogue.candidate(name, folder, given) for name in options.names]
    chosen += [Candidate(path, design=read_network(Path(path))) for path in options.network]
    if not chosen:
        raise UserError("Name architectures or runs to put side by side, or files with --network.")
    if given and not options.names:
        raise UserError(f"--set {next(iter(given))}: options are of an architecture, not of a file.")
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
            (path, units.count(cost["parameters"]), units.count(cost["multiply_adds"]))
            for path, cost in paths_of(report)
        ],
        right=(1, 2),
    )
    for measure, words in (("parameters", "parameters"), ("multiply_adds", "multiply-adds")):
        factor, widest = report["factor"][measure], report["break_even"][measure]["widest_cheaper"]
        said = f"{factor:.2f} times fewer {words}" if factor >= 1 else f"{1 / factor:.2f} times the {words}"
        print(f"{said}; {f'fewer up to a bottleneck of {widest:,}' if widest else 'no bottleneck saves any'}.")
    return 0


def paths_of(report: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """The direct way, the reduced one, and each layer of that."""
    layers = report["reduced"]["layers"]
    inside = [(f"  {one['kernel']}×{one['kernel']}, {one['filters']:,}", one) for one in layers]
    return [("direct", report["direct"]), ("reduced", report["reduced"]), *inside]


def show_code(options: argparse.Namespace) -> int:
    network, values = network_of(options)
    script = codegen.keras_script(network, values)
    if options.json:
        print_json({"architecture": options.name or network.name, "script": script})
    else:
        print(script, end="")
    return 0
