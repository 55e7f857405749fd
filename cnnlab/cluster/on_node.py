"""`python -m cnnlab.cluster.on_node FOLDER WORD NODE`: what one node finds in the folder that all nodes should share.

It is begun as a training would be, by the same Python, and prints its report as JSON. What it writes into the folder is
looked for by the computer that asked, see `check.py`.
"""

from __future__ import annotations

import fcntl
import platform
import socket
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from cnnlab import __version__
from cnnlab.storage.files import write_text

HERE_FILE, LOCK_FILE = "here", "lock"
COMPARED = ("tensorflow", "keras", "numpy")


class NodeReport(BaseModel):
    """What a node found: whether it reads what was written here, whether a lock that is held here is refused there,
    its clock in Unix seconds, its versions."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    host: str
    sees: bool
    locked: bool
    written: bool
    clock: float
    versions: dict[str, str]


def versions() -> dict[str, str]:
    """What must be the same everywhere for the same results; a package that is missing has none."""
    found = {"cnnlab": __version__, "Python": ".".join(platform.python_version_tuple()[:2])}
    for name in COMPARED:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "none"
    return found


def look(folder: Path, word: str, node: str) -> NodeReport:
    """Read, lock and write in the folder."""
    try:
        sees = (folder / HERE_FILE).read_text() == word
    except OSError:
        sees = False
    locked = written = False
    if sees:
        locked = is_locked(folder / LOCK_FILE)
        try:
            write_text(answer_of(folder, node), repr(time.time()))  # written aside and renamed, as runs do
            written = True
        except OSError:
            pass
    return NodeReport(
        host=socket.gethostname(), sees=sees, locked=locked, written=written, clock=time.time(), versions=versions()
    )


def answer_of(folder: Path, node: str) -> Path:
    return folder / f"answer-{node}"


def is_locked(path: Path) -> bool:
    """Whether a lock on the file is refused, as somebody else holds it."""
    try:
        with path.open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


if __name__ == "__main__":
    print(look(Path(sys.argv[1]), sys.argv[2], sys.argv[3]).model_dump_json(), flush=True)
