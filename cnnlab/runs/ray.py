"""Runs as jobs of a Ray cluster, one each.

Ray is asked for room and told to end a job; what a run says of itself is never doubted for Ray's word. Before the
training has begun, Ray alone knows of it. From then on its process writes the run's folder, which all nodes share, and
is judged by its heartbeat as any other.

A job that begins after its run was ended or given elsewhere ends by itself: its name is no longer that in
`launcher.json`.
"""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from cnnlab.cluster import ClusterError
from cnnlab.cluster.client import START_TIMEOUT, Client, RayJob
from cnnlab.cluster.command import PYTHON_VARIABLE, code_variables, python_command
from cnnlab.hardware import THREADS_VARIABLE
from cnnlab.runs.place import JOB_VARIABLE, LauncherRecord, record_of, submitted, update_record
from cnnlab.storage import files, process

START_SECONDS = 30.0
ASKED_SECONDS = 2.0
UNANSWERED_SECONDS = 5.0
FORGOTTEN_SECONDS = 120.0
MOST_A_SECOND = 4
"""Of many jobs that wait, each is asked about so much more seldom."""

_jobs: dict[str, tuple[float, RayJob | ClusterError | None]] = {}
"""What was last heard of a job and until when that is taken for its state, so that pages do not ask over and over."""


class RayLauncher:
    """A job of the cluster whose address stands in the run's record."""

    def submit(self, folder: Path, threads: int = 0) -> None:
        name = f"{folder.name}-{uuid4().hex[:8]}"
        record = update_record(folder, {"job": name})  # first: what Ray may begin is known by it
        variables = {THREADS_VARIABLE: str(threads or max(record.resources.cpus, 1)), JOB_VARIABLE: name}
        (folder / "log.txt").touch()
        Client(record.address).submit(
            name,
            python_command(["-m", "cnnlab.training", str(folder)], folder / "log.txt"),
            {**variables, **code_variables()},
            record.resources.model_copy(update={"cpus": max(record.resources.cpus, 1)}),
            {"run": folder.name},
        )

    def is_alive(self, folder: Path) -> bool:
        if (folder / process.PROCESS_FILE).exists():
            return process.is_alive(folder)
        try:
            job = job_of(record_of(folder))
        except ClusterError:
            return True  # nobody can tell, so what the run says stands
        if job is None:  # it may be on its way there
            return time.time() - submitted(folder) < START_SECONDS
        return job.going_on

    def end(self, folder: Path) -> None:
        record = record_of(folder)
        update_record(folder, {"job": ""})
        process.end(folder)
        if record.job:
            _jobs.pop(record.job, None)
            with suppress(ClusterError):  # a job that cannot be reached ends by itself as soon as it begins
                Client(record.address).stop(record.job)

    def note(self, folder: Path) -> str | None:
        """What there is to know of a run whose training has not begun."""
        if (folder / process.PROCESS_FILE).exists():
            return None
        record = record_of(folder)
        try:
            job = job_of(record)
        except ClusterError as error:
            return f"{error} Until then nobody can tell whether the training has begun."
        if job is None:
            if self.is_alive(folder):
                return None
            return f"The cluster at {record.address} does not know its job, as after its head was begun anew."
        if job.status == "PENDING":
            return f"It waits until the cluster has {record.resources} free."
        if job.going_on:
            return "The cluster has given it a node, where its training process begins."
        return why_not_begun(folder, job)


def why_not_begun(folder: Path, job: RayJob) -> str:
    """Why a job ended before it wrote a word into its run's folder."""
    log = files.tail(folder / "log.txt", 3)
    if job.error_type == START_TIMEOUT:
        return "The cluster had not enough free for it within a quarter of an hour."
    if "No module named" in log:
        return (
            f"A node's Python lacks what is needed ({log.splitlines()[-1].strip()}): install cnnlab there, or set "
            f"{PYTHON_VARIABLE} on the node to the Python that has it."
        )
    if str(folder) in (job.message or "") and "log.txt" in job.last_words:
        return f"A node does not see {folder}: all nodes must have the runs folder at the same path."
    return f"Its job ended before the training began: {job.last_words or log or job.status.lower()}"


def job_of(record: LauncherRecord) -> RayJob | None:
    """The job of a run, as it was within the last seconds; None where the cluster does not know it."""
    if not record.job:
        return None
    until, found = _jobs.get(record.job, (0.0, None))
    if time.monotonic() >= until:
        seconds = max(ASKED_SECONDS, len(_jobs) / MOST_A_SECOND)
        try:
            found = Client(record.address).job(record.job)
        except ClusterError as error:
            found, seconds = error, UNANSWERED_SECONDS
        now = time.monotonic()
        for name in [name for name, (until, _) in list(_jobs.items()) if now - until > FORGOTTEN_SECONDS]:
            _jobs.pop(name, None)
        _jobs[record.job] = (now + seconds, found)
    if isinstance(found, ClusterError):
        raise found
    return found


def starved(folder: Path) -> bool:
    """Whether Ray gave the run's job up for want of free resources alone."""
    with suppress(ClusterError):
        job = job_of(record_of(folder))
        return job is not None and job.error_type == START_TIMEOUT
    return False
