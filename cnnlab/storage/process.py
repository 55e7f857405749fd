"""Processes that outlive the one that starts them, and how to tell from the disk whether one is alive."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
from pydantic import BaseModel, ConfigDict, ValidationError

from cnnlab.hardware import THREADS_VARIABLE
from cnnlab.resources import CHECKOUT
from cnnlab.storage import here
from cnnlab.storage.files import write_text

HEARTBEAT_SECONDS = 1.0
SILENCE_SECONDS = 60.0
START_TIME_TOLERANCE = 2.0
PROCESS_FILE = "process.json"
HEARTBEAT_FILE = "heartbeat"


class ProcessRecord(BaseModel):
    """Who works on a run: a pid means nothing without the moment its process began, nor outside its own container on
    its own machine, nor after that was started anew.

    Records of earlier versions have neither `boot` nor `container`; the name of the host stands for both.
    """

    model_config = ConfigDict(extra="forbid")

    pid: int
    start_time: float
    host: str
    boot: str | None = None
    container: str | None = None

    @property
    def here(self) -> bool:
        """Whether its pid is one of those that this process sees."""
        if self.boot is None:
            return self.host == socket.gethostname()
        return here.same_boot(self.boot, here.boot()) and self.container == here.container()

    @property
    def before(self) -> bool:
        """Whether it was on this machine, which has been started anew since."""
        return (
            self.boot is not None and self.host == socket.gethostname() and not here.same_boot(self.boot, here.boot())
        )


def spawn(arguments: list[str], log: Path, folder: Path | None = None, threads: int = 0) -> None:
    """Start `python <arguments>` in a session of its own, its output appended to `log`, its record in `folder`.

    `threads` is how many processors it may use, 0 all.

    It is a fresh interpreter, neither fork nor thread: closing the terminal, the browser or the server leaves it be.
    """
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    if CHECKOUT:
        paths = [str(CHECKOUT), os.environ.get("PYTHONPATH", "")]
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    if threads:
        environment[THREADS_VARIABLE] = str(threads)
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=environment,
        )
    if folder:
        with suppress(OSError):  # on a full disk; what was started records itself, or says why it cannot
            record_process(folder, process.pid)
    threading.Thread(target=process.wait, daemon=True).start()  # no zombie while this process lives on


def record_process(folder: Path, pid: int) -> None:
    """Note who works in `folder`; the starter and the started both do, whichever comes first."""
    try:
        start_time = psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:
        start_time = 0.0  # it is over already
    record = ProcessRecord(
        pid=pid, start_time=start_time, host=socket.gethostname(), boot=here.boot(), container=here.container()
    )
    write_text(folder / PROCESS_FILE, record.model_dump_json())


def record_in(folder: Path) -> ProcessRecord | None:
    """Who works in `folder`, or did last; None where nobody is recorded."""
    try:
        return ProcessRecord.model_validate_json((folder / PROCESS_FILE).read_bytes())
    except (OSError, ValidationError):
        return None


def is_alive(folder: Path) -> bool:
    """Whether the process recorded in `folder` still runs: same pid, same start time, not a zombie.

    A process of another machine or container is judged by its heartbeat alone. Where this machine's name stands in the
    record of an earlier boot, only a heartbeat since the present one counts: another machine has the same name.
    """
    record = record_in(folder)
    if record is None:
        return False
    if record.here:
        return living(record) is not None
    silent = seconds_silent(folder)
    since_boot = time.time() - psutil.boot_time() if record.before else float("inf")
    return silent < min(SILENCE_SECONDS, since_boot)


def living(record: ProcessRecord) -> psutil.Process | None:
    """The process of a record that was made here, while it lives."""
    try:
        process = psutil.Process(record.pid)
        same = abs(process.create_time() - record.start_time) < START_TIME_TOLERANCE
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.Error:
        return None


def end(folder: Path) -> None:
    """Kill the process recorded in `folder`, if it is one of this machine and container, and lives."""
    record = record_in(folder)
    process = living(record) if record and record.here else None
    if process:
        with suppress(psutil.Error):
            process.send_signal(signal.SIGKILL)


def seconds_silent(folder: Path) -> float:
    """Seconds since the last heartbeat; infinite if there never was one."""
    try:
        return time.time() - (folder / HEARTBEAT_FILE).stat().st_mtime
    except OSError:
        return float("inf")


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock file, waiting for it; it is let go also where this process is killed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def locked_folder(folder: Path) -> Iterator[None]:
    """Hold a folder itself, waiting for it, so that no file is left in it."""
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


@contextmanager
def only_one(path: Path) -> Iterator[bool]:
    """Whether the lock file could be had at once; no other process gets it until the end."""
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def start_heartbeat(folder: Path) -> None:
    """Touch the heartbeat file every second for as long as this process lives."""

    def beat() -> None:
        while True:
            with suppress(OSError):  # a full or vanished disk is for the training itself to report
                (folder / HEARTBEAT_FILE).touch()
            time.sleep(HEARTBEAT_SECONDS)

    threading.Thread(target=beat, daemon=True).start()
