"""Whether a cluster can train what is queued here: a real check, before anything is trained.

Each node reads a file that was written here, writes one that is looked for here, and tries a lock that is held here;
its clock and its versions are compared with this computer's. What does not hold is said in one sentence each.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, ValidationError

from cnnlab.cluster import ClusterError, Resources
from cnnlab.cluster.client import Client, ClusterNode
from cnnlab.cluster.command import PYTHON_VARIABLE, code_variables, python_command
from cnnlab.cluster.on_head import MARK, PLACEHOLDER
from cnnlab.cluster.on_node import HERE_FILE, LOCK_FILE, NodeReport, answer_of, versions
from cnnlab.storage import jobs, process
from cnnlab.storage.files import write_text
from cnnlab.storage.progress import Progress

CHECK_SECONDS = 120.0
POLL_SECONDS = 0.05
ASK_SECONDS = 0.5
CLOCK_SECONDS = 5.0
FOLDER, RESULT_FILE = ".cluster-check", "check.json"


class NodeCheck(BaseModel):
    """One node: what it found, how far its clock is ahead of this computer's in seconds, and what is wrong."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    name: str
    clock_ahead: float | None = None
    versions: dict[str, str] = {}
    problems: tuple[str, ...] = ()


class ClusterCheck(BaseModel):
    """A check and when it was made, in Unix seconds."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    time: float
    address: str
    nodes: tuple[NodeCheck, ...] = ()

    @property
    def problems(self) -> tuple[str, ...]:
        return tuple(problem for node in self.nodes for problem in node.problems)


def name_of(node: ClusterNode) -> str:
    """What a node is called; several nodes of one computer share its name, so part of the id stands behind it."""
    return f"{node.host} ({node.id[:6]})"


def check(address: str, runs_folder: Path, progress: Progress) -> ClusterCheck:
    """Have every node look at the runs folder; ClusterError where the head cannot be asked or does not get so far."""
    client = Client(address)
    nodes = [node for node in client.nodes() if node.alive]
    runs_folder.mkdir(parents=True, exist_ok=True)
    folder, word = runs_folder / f"{FOLDER}-{uuid4().hex[:8]}", uuid4().hex
    folder.mkdir()
    try:
        write_text(folder / HERE_FILE, word)
        with process.locked(folder / LOCK_FILE):
            answers, clocks = ask(client, folder, word, nodes, progress)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return ClusterCheck(
        time=time.time(),
        address=address,
        nodes=tuple(judged(node, runs_folder, answers.get(node.id), clocks.get(node.id)) for node in nodes),
    )


def ask(
    client: Client, folder: Path, word: str, nodes: Sequence[ClusterNode], progress: Progress
) -> tuple[Mapping[str, tuple[bool, str]], Mapping[str, float]]:
    """What each node answers, and how far its clock is ahead, by the time that it wrote into the folder."""
    on_node = python_command(["-m", "cnnlab.cluster.on_node", str(folder), word, PLACEHOLDER])
    job = f"cnnlab-check-{word[:8]}"
    client.submit(job, python_command(["-m", "cnnlab.cluster.on_head", on_node]), code_variables(), Resources(), {})
    clocks: dict[str, float] = {}
    began, asked = time.monotonic(), 0.0
    while True:
        for node in nodes:
            if node.id not in clocks and (path := answer_of(folder, node.id)).exists():
                clocks[node.id] = float(path.read_text()) - time.time()
        now = time.monotonic()
        if now - asked > ASK_SECONDS:
            asked, found = now, client.job(job)
            if found is None or not found.going_on:
                break
            progress(f"{len(clocks)} of {len(nodes)} nodes have answered", None)
        if now - began > CHECK_SECONDS:
            client.stop(job)
            raise ClusterError(f"The cluster at {client.address} did not end the check within {CHECK_SECONDS:g} s.")
        time.sleep(POLL_SECONDS)
    for line in client.logs(job).splitlines():
        if line.startswith(MARK):
            return json.loads(line.removeprefix(MARK)), clocks
    words = found.last_words if found else "its job is gone"
    raise ClusterError(f"The head of the cluster at {client.address} cannot make the check: {advised(words)}")


def advised(words: str) -> str:
    """What a node's Python said at its end, and what to do about it."""
    if "No module named" in words:
        missing = words.rpartition("No module named")[2].strip(" '\"")
        return (
            f"its Python lacks {missing}: install it there, or set {PYTHON_VARIABLE} there to the Python that has it."
        )
    return f"{words}." if words and not words.endswith(".") else words or "it said nothing."


def judged(node: ClusterNode, folder: Path, answer: tuple[bool, str] | None, ahead: float | None) -> NodeCheck:
    """What is wrong with a node, by its answer and by when that was written."""
    name = name_of(node)
    if answer is None:
        return NodeCheck(id=node.id, name=name, problems=(f"{name} did not answer.",))
    if not answer[0]:
        return NodeCheck(id=node.id, name=name, problems=(f"{name} cannot train: {advised(answer[1])}",))
    try:
        found = NodeReport.model_validate_json(answer[1])
    except ValidationError:
        return NodeCheck(id=node.id, name=name, problems=(f"{name} has another version of cnnlab.",))
    return NodeCheck(
        id=node.id,
        name=name,
        clock_ahead=ahead,
        versions=found.versions,
        problems=tuple(problems(name, folder, found, ahead, versions())),
    )


def problems(name: str, folder: Path, found: NodeReport, ahead: float | None, here: Mapping[str, str]) -> list[str]:
    """One sentence for each thing that does not hold."""
    said = []
    if not found.sees:
        said.append(f"{name} does not see {folder}: all nodes must have the runs folder, at the same path.")
    elif not found.written:
        said.append(f"{name} cannot write into {folder}: give its user the right to.")
    elif ahead is None:
        said.append(f"What {name} writes into {folder} is not seen here: it is another folder, or seen too late.")
    elif not found.locked:
        said.append(
            f"A lock that is held here is not refused on {name}: mount {folder} so that flock reaches all nodes, as "
            "NFS 4 or Lustre with the option flock do."
        )
    if ahead is not None and abs(ahead) > CLOCK_SECONDS:
        side = "ahead of" if ahead > 0 else "behind"
        said.append(
            f"The clock of {name} is {abs(ahead):.0f} s {side} this computer's: set both by a time server, as a run is "
            "taken for lost by the age of its heartbeat."
        )
    differing = [
        f"{package} {there} instead of {here[package]}"
        for package, there in found.versions.items()
        if package in here and there != here[package]
    ]
    if differing:
        said.append(f"{name} has {', '.join(differing)}: install the same there, or results may differ.")
    return said


class ClusterCheckRequest(jobs.Request):
    """A check to be made in the background; its result stands in the job's folder."""

    kind: ClassVar[str] = "check-cluster"
    what: ClassVar[str] = "The check of the cluster"

    address: str
    runs_folder: Path

    def work(self, progress: Progress) -> object:
        found = check(self.address, self.runs_folder, progress)
        write_text(self.runs_folder / FOLDER / RESULT_FILE, found.model_dump_json(indent=1))
        return found


def check_job(address: str, runs_folder: Path) -> jobs.Job:
    return jobs.Job(runs_folder / FOLDER, ClusterCheckRequest(address=address, runs_folder=runs_folder))


def last_check(address: str, runs_folder: Path) -> ClusterCheck | None:
    """The last check of this cluster; None where there was none."""
    try:
        found = ClusterCheck.model_validate_json((runs_folder / FOLDER / RESULT_FILE).read_bytes())
    except (OSError, ValidationError):
        return None
    return found if found.address == address else None
