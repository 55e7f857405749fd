"""Files that survive being interrupted: JSON replaced as a whole, lines that are only ever appended."""

from __future__ import annotations

import errno
import json
import math
import os
import threading
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from cnnlab.storage.leftovers import written_aside


def write_text(path: Path, text: str, lasting: bool = True) -> None:
    """Replace the file in one step: a reader sees the old text or the new; where `lasting`, after a power cut too."""
    with written_aside(path, lasting) as partial:
        partial.write_text(text, encoding="utf-8")


def reason(error: OSError, folder: Path) -> str:
    """Why files in a folder cannot be written, for a person."""
    return f"the disk of {folder} is full" if error.errno in FULL else str(error.strerror)


def make_reserve(folder: Path) -> None:
    """Keep some room on the disk, so that a full one does not keep a run from saying so."""
    path = folder / RESERVE_FILE
    with suppress(OSError):
        if not path.exists() or path.stat().st_size < RESERVE_BYTES:
            path.write_bytes(os.urandom(RESERVE_BYTES))


def release_reserve(folder: Path) -> None:
    with suppress(OSError):
        (folder / RESERVE_FILE).unlink()


def append_record(path: Path, record: Mapping[str, object]) -> None:
    """Append one JSON object as a line, on a line of its own also where the one before was torn."""
    with path.open("ab+") as file:
        if file.seek(0, os.SEEK_END):
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                file.write(b"\n")
        file.write(json.dumps({name: known(value) for name, value in record.items()}).encode() + b"\n")


def known(value: Any) -> Any:
    """A figure as JSON holds it, which knows neither infinity nor what is no number; None for those."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


NUMBERS = (float, int)
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
RESERVE_FILE = "reserve"
RESERVE_BYTES = 65_536
HDF5 = b"\x89HDF\r\n\x1a\n"


class RecordReader:
    """Reads a JSON-lines file that grows, from where it stopped the last time."""

    def __init__(self, path: Path, key: str | None, numbers: tuple[str, ...]) -> None:
        self.path, self.key = path, key
        self.needed = (key, *numbers) if key else numbers
        self.lock = threading.Lock()
        self._forget()

    def _forget(self) -> None:
        self.records: list[dict[str, Any]] = []
        self.skipped = 0
        self.offset = 0
        self.seen: tuple[int, int, int] | None = None  # inode, size, time of the last change

    def read(self) -> list[dict[str, Any]]:
        with self.lock:
            try:
                with self.path.open("rb") as file:
                    self._read(file)
            except FileNotFoundError:
                self._forget()
            return list(self.records)

    def _read(self, file: BinaryIO) -> None:
        state = os.fstat(file.fileno())
        now = (state.st_ino, state.st_size, state.st_mtime_ns)
        if now == self.seen:
            return
        if self.seen and (state.st_ino != self.seen[0] or state.st_size <= self.seen[1]):
            self._forget()  # another file, or not appended to
        self.seen = now
        file.seek(self.offset)
        whole, newline, _ = file.read().rpartition(b"\n")  # what follows is still being written, or torn
        self.offset += len(whole) + len(newline)
        for line in whole.splitlines():
            self._take(line)

    def _take(self, line: bytes) -> None:
        try:
            record = orjson.loads(line)
        except orjson.JSONDecodeError:
            record = None
        if not isinstance(record, dict) or any(type(record.get(name)) not in NUMBERS for name in self.needed):
            self.skipped += 1
            return
        while self.key and self.records and self.records[-1][self.key] >= record[self.key]:
            self.records.pop()
        self.records.append(record)


@lru_cache(maxsize=256)
def reader(path: Path, key: str | None, numbers: tuple[str, ...]) -> RecordReader:
    return RecordReader(path, key, numbers)


def read_records(path: Path, key: str | None, numbers: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """The lines of a JSON-lines file in rising order of `key`, or all as written; a later call reads only what is new.

    A line that is torn, garbled or lacks one of the `numbers` is skipped. Where `key` falls back, a resume repeated
    what follows: the later lines stand. The records are shared: read them, do not change them.
    """
    return reader(path, key, numbers).read()


def unreadable_lines(path: Path, key: str | None, numbers: tuple[str, ...] = ()) -> int:
    """How many lines `read_records` skips."""
    found = reader(path, key, numbers)
    found.read()
    return found.skipped


def is_whole(weights: Path) -> bool:
    """Whether an HDF5 file is as long as its beginning says; other than that nothing is read of it."""
    try:
        with weights.open("rb") as file:
            head = file.read(64)
        size = weights.stat().st_size
    except OSError:
        return False
    if len(head) < 64 or not head.startswith(HDF5):
        return False
    if head[8] <= 1:  # superblock versions 0 and 1: sizes of addresses at 13, the fourth address ends the file
        width, at = head[13], 24 + (4 if head[8] else 0)
        at += 2 * width
    else:
        width = head[9]
        at = 12 + 2 * width
    return size >= int.from_bytes(head[at : at + width], "little")


def tail(path: Path, lines: int = 20) -> str:
    """The last lines of a log; of a line that a progress bar redrew, what stands at its end."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 32_000))
            text = file.read().decode("utf-8", errors="replace")
    except FileNotFoundError:
        return ""
    shown = [line.rstrip("\r").rpartition("\r")[2].replace("\b", "") for line in text.split("\n")]
    return "\n".join([line for line in shown if line.strip()][-lines:])
