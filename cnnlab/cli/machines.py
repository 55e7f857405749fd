"""The command that says where there is room to train."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

from cnnlab import units
from cnnlab.cli.output import echo, print_json, print_table
from cnnlab.cli.training import folder_of
from cnnlab.cluster import NO_CLUSTER, ClusterError, configured
from cnnlab.cluster.check import ClusterCheck, check, name_of
from cnnlab.cluster.client import ClusterNode
from cnnlab.runs.machines import ClusterView, PlacedRun, ThisComputer, placed_runs, this_computer, view
from cnnlab.runs.place import PLACES


def show_machines(options: argparse.Namespace) -> int:
    """This computer, the cluster and the runs by place; exit code 1 where the check found something wrong."""
    folder = folder_of(options)
    address = configured()
    here = this_computer()
    cluster: ClusterView | None = None
    silent: ClusterError | None = None
    try:
        cluster = view(address) if address else None
    except ClusterError as error:
        silent = error
    if silent and (options.json or options.check):
        raise silent
    checked = checked_now(address, folder, quiet=options.json) if options.check else None
    placed = placed_runs(folder, cluster)
    if options.json:
        print_json(
            {
                "here": asdict(here),
                "cluster": cluster and {"address": cluster.address, "ray": cluster.version},
                "nodes": [asdict(node) for node in cluster.nodes] if cluster else [],
                "runs": [
                    {"id": one.run.id, "state": one.state, "place": one.place, "node": one.node} for one in placed
                ],
                "check": checked and checked.model_dump(),
            }
        )
    else:
        show(here, cluster, placed)
        if silent:
            raise silent
        if checked:
            show_check(checked)
    return 1 if checked and checked.problems else 0


def checked_now(address: str | None, folder: Path, quiet: bool) -> ClusterCheck | None:
    if address is None:
        echo(NO_CLUSTER, error=True)
        return None
    if not quiet:
        echo("Each node looks at the runs folder …", error=True)
    return check(address, folder, lambda message, share: None)


def show(here: ThisComputer, cluster: ClusterView | None, placed: list[PlacedRun]) -> None:
    echo(
        f"This computer, {here.host}: {here.cores} processors ({here.processor}), load {here.busy:.1f}; "
        f"{units.size(here.memory_free)} of {units.size(here.memory)} memory free; "
        f"{', '.join(here.gpus) or 'no GPU'}"
    )
    if configured() is None:
        echo(NO_CLUSTER)
    if cluster:
        echo(f"The Ray cluster at {cluster.address}, Ray {cluster.version}: {len(cluster.living)} nodes")
        print_table(
            ("node", "address", "processors taken", "GPUs taken", "memory taken", "state"),
            [row(node) for node in cluster.nodes],
            right=(2, 3, 4),
        )
    if placed:
        print_table(
            ("run", "state", "where", "node"),
            [(one.run.id, one.state, PLACES.get(one.place, one.place), one.node) for one in placed],
        )


def row(node: ClusterNode) -> tuple[str, ...]:
    return (
        name_of(node) + (", head" if node.head else ""),
        node.address,
        f"{node.cpus[0]:g} of {node.cpus[1]:g}",
        f"{node.gpus[0]:g} of {node.gpus[1]:g}",
        f"{units.size(node.memory[0])} of {units.size(node.memory[1])}",
        "there" if node.alive else f"gone. {node.why_gone}".rstrip(". "),
    )


def show_check(checked: ClusterCheck) -> None:
    for problem in checked.problems:
        echo(f"wrong: {problem}")
    fine = [node for node in checked.nodes if not node.problems]
    if fine:
        names = ", ".join(node.name for node in fine)
        echo(f"fine: {names}: the same folder and locks, clocks within seconds, the same versions")
