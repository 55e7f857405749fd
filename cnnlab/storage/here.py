"""Which machine this is, since when it runs, and in which container: what makes a process number mean something."""

from __future__ import annotations

import hashlib
import os
import re
import socket
from functools import cache
from pathlib import Path

import psutil

BOOT_FILE = Path("/proc/sys/kernel/random/boot_id")
NAMESPACE = Path("/proc/self/ns/pid")
BOOT_TOLERANCE = 60.0


@cache
def boot() -> str:
    """What this machine's present run is called: the kernel's own name for it, or else when it began."""
    try:
        return BOOT_FILE.read_text().strip()
    except OSError:
        return f"{psutil.boot_time():.0f}"


def same_boot(one: str, other: str) -> bool:
    """Whether both were said of the same run of a machine; a clock that was set moves the time of its beginning."""
    if one == other:
        return True
    return one.isdigit() and other.isdigit() and abs(int(one) - int(other)) < BOOT_TOLERANCE


@cache
def container() -> str:
    """What tells apart the containers of a machine, which number their processes alike; "" where there are none."""
    try:
        return os.readlink(NAMESPACE)  # noqa: PTH115 (it points to no file)
    except OSError:
        return ""


def plain_host() -> str:
    return re.sub(r"[^A-Za-z0-9-]", "-", socket.gethostname()) or "here"


@cache
def place() -> str:
    """A word for files' names that is that of one run of one container of one machine."""
    kernel = boot() if BOOT_FILE.exists() else ""  # a time of beginning moves with the clock
    return f"{plain_host()}-{hashlib.sha256(f'{kernel} {container()}'.encode()).hexdigest()[:8]}"
