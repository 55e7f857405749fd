"""Where there is room to train: this computer, the cluster's nodes, and which runs are where."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from cnnlab import hardware
from cnnlab.cluster.check import name_of
from cnnlab.cluster.client import Client, ClusterNode
from cnnlab.runs import queue
from cnnlab.runs.place import LOCAL, RAY, record_of
from cnnlab.runs.run import Run
from cnnlab.runs.status import ACTIVE, State


@dataclass(frozen=True)
class ThisComputer:
    """`busy` is how many processes want a processor, averaged over the last minute; memory in bytes."""

    host: str
    processor: str
    cores: int
    busy: float
    memory: int
    memory_free: int
    gpus: tuple[str, ...]


@dataclass(frozen=True)
class PlacedRun:
    """A run that waits or is at work; `node` is the cluster's, where it has one."""

    run: Run
    state: State
    place: str
    asks: str = ""
    node: str = ""


@dataclass(frozen=True)
class ClusterView:
    """The cluster as its head describes it: version of Ray, nodes, and which job is on which node."""

    address: str
    version: str
    nodes: tuple[ClusterNode, ...]
    node_of_job: dict[str, str] = field(default_factory=dict)

    @property
    def living(self) -> tuple[ClusterNode, ...]:
        return tuple(node for node in self.nodes if node.alive)


def this_computer() -> ThisComputer:
    """What this computer has, and what of it is free."""
    known, memory = hardware.describe(), psutil.virtual_memory()
    return ThisComputer(
        host=socket.gethostname(),
        processor=str(known["processor"]),
        cores=hardware.cores(),
        busy=os.getloadavg()[0],
        memory=memory.total,
        memory_free=memory.available,
        gpus=tuple(known["gpus"]),
    )


def view(address: str) -> ClusterView:
    """Ask the head; ClusterError where it does not answer."""
    client = Client(address)
    nodes = tuple(client.nodes())
    jobs = {name: job.driver_node_id or "" for name, job in client.jobs().items() if job.going_on}
    return ClusterView(address, client.version(), nodes, jobs)


def placed_runs(folder: Path, cluster: ClusterView | None = None) -> list[PlacedRun]:
    """The runs at work and those that wait, in the order of the queue."""
    now = queue.read(folder)
    names = {node.id: name_of(node) for node in cluster.nodes} if cluster else {}
    found = []
    for name in [*now.working, *now.waiting]:
        run = Run(folder / name)
        state = run.status().state
        if state not in (*ACTIVE, "queued"):
            continue
        record = record_of(run.folder)
        place = record.launcher if record.launcher in (LOCAL, RAY) else record.launcher[:40]
        node = names.get(cluster.node_of_job.get(record.job, ""), "") if cluster and record.job else ""
        found.append(PlacedRun(run, state, place, str(record.resources), node))
    return found
