"""Files that survive being interrupted: JSON replaced as a whole, lines that are only ever appended."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


def write_text(path: Path, text: str) -> None:
    """Replace the file in one step: a reader sees the old text or the new one, after a power cut too."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with partial.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def append_record(path: Path, record: dict[str, Any]) -> None:
    """Append one JSON object as a line, on a line of its own also where the one before was torn."""
    with path.open("ab+") as file:
        if file.seek(0, os.SEEK_END):
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                file.write(b"\n")
        file.write(json.dumps(record).encode() + b"\n")


def read_records(path: Path, key: str) -> list[dict[str, Any]]:
    """The lines of a JSON-lines file in rising order of `key`.

    A torn or garbled line is skipped. Where `key` falls back, a resume repeated what follows: the later lines stand.
    """
    records: list[dict[str, Any]] = []
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return records
    for line in text.splitlines():
        try:
            record = json.loads(line)
            position = record[key]
        except (json.JSONDecodeError, KeyError, TypeError):
            continue
        if not isinstance(position, int | float):
            continue
        while records and records[-1][key] >= position:
            records.pop()
        records.append(record)
    return records


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
