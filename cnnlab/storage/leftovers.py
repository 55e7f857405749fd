"""What is written aside before it takes its place, and what killed processes leave of it.

`written_aside` is how all of cnnlab puts a file or folder in its place whole.

A file or folder in the making is named for the machine, its container and the process that makes it. Whatever starts
next removes those of processes that are no more; those of other machines and containers, whose processes it cannot ask
about, when nothing has touched them for a day.
"""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

import psutil

from cnnlab.storage import here

DAY = 24 * 3600.0
CLOCK_TOLERANCE = 2.0
THIS_PLACE = here.place()
OWNED = re.compile(r"\..+\.(?P<host>[A-Za-z0-9-]+)\.(?P<pid>\d{1,9})\.[0-9a-f]{8}\.partial")
NAMELESS_LEFTOVER = re.compile(
    r"\..+\.(json|npz)\.(?P<pid>\d{1,9})|.+\.[0-9a-f]{8}\.partial|\.step-\d+\.partial|\..+\.part"
)
"""As earlier versions named them; without a process, only their age tells."""


@contextmanager
def written_aside(target: Path, lasting: bool = False) -> Iterator[Path]:
    """Where to make the file or folder that will be at `target`: it takes its place at the end of the block, whole.

    Where the block or the renaming fails, `target` stays as it was and nothing else is left: its room is needed for the
    word of what happened. Where `lasting`, it also outlasts a power cut.
    """
    partial = partial_of(target)
    try:
        yield partial
        folder = partial.is_dir()
        if lasting:
            for path in partial.rglob("*") if folder else (partial,):
                flush(path)
        if folder:
            shutil.rmtree(target, ignore_errors=True)
        partial.replace(target)
    except BaseException:
        remove(partial)
        raise


def flush(path: Path) -> None:
    """Have what was written to a file on the disk itself."""
    if path.is_file():
        with path.open("rb") as file:
            os.fsync(file.fileno())


def partial_of(path: Path) -> Path:
    """Where that which will be at `path` is made; nobody else makes anything there."""
    return path.with_name(f".{path.name}.{THIS_PLACE}.{os.getpid()}.{uuid4().hex[:8]}.partial")


def partials_of(path: Path) -> Iterator[Path]:
    """What is being made for `path`, by whomever."""
    return path.parent.glob(f".{path.name}.*.partial")


def sweep(folder: Path, depth: int = 0) -> None:
    """Remove what killed processes left in a folder, and in those below it down to a depth.

    What cannot be read or removed is left: it is no reason for not starting.
    """
    below = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if is_left(entry):
                    remove(Path(entry.path))
                elif depth and entry.is_dir(follow_symlinks=False):
                    below.append(Path(entry.path))
    except OSError:
        return
    for one in below:
        sweep(one, depth - 1)


def is_left(entry: os.DirEntry[str]) -> bool:
    """Whether this was being made by a process that is no more."""
    owned = OWNED.fullmatch(entry.name)
    nameless = None if owned else NAMELESS_LEFTOVER.fullmatch(entry.name)
    if not owned and not nameless:
        return False
    touched = last_touched(Path(entry.path))
    own = owned and owned["host"] in (
        THIS_PLACE,
        here.plain_host(),
    )  # without a container, as earlier versions named it
    pid = owned["pid"] if owned and own else nameless["pid"] if nameless else None
    if pid is None:
        ended = owned and owned["host"].rpartition("-")[0] == here.plain_host() and touched < psutil.boot_time()
        return bool(ended) or time.time() - touched > DAY
    try:
        began = psutil.Process(int(pid)).create_time()
    except psutil.Error:
        return not psutil.pid_exists(int(pid))
    return began > touched + CLOCK_TOLERANCE  # the number belongs to a later process


def last_touched(path: Path) -> float:
    """When anything in it was written; a folder's own time says nothing of the files that grow in it."""
    times = [0.0]
    for one in (path, *(path.rglob("*") if path.is_dir() and not path.is_symlink() else ())):
        with suppress(OSError):
            times.append(one.lstat().st_mtime)
    return max(times)


def remove(path: Path) -> None:
    """Remove a file or folder, as far as the disk lets go of it."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
        return
    with suppress(OSError):
        path.unlink()
