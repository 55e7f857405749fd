"""Files to import, out of a folder or a zip archive, without trusting either.

Nothing is ever unpacked to disk and no name from outside becomes a path: a file is its parts of a name and a way to
its bytes, of which no more are read than the limits allow, whatever the archive claims.
"""

from __future__ import annotations

import os
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from cnnlab.errors import UserError
from cnnlab.limits import Limits

HIDDEN = ("__MACOSX", "Thumbs.db", "desktop.ini")
ENCRYPTED = 0x1
ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar", ".zst")


@dataclass(frozen=True)
class Found:
    """A file: the parts of its name, and its bytes when asked for. `refused` says why it is not to be read."""

    parts: tuple[str, ...]
    read: Callable[[], bytes]
    refused: str = ""

    @property
    def name(self) -> str:
        return "/".join(self.parts)


class TooMuchError(UserError):
    """Not one file is wrong, but all of them together are too much."""


class Budget:
    """Bytes that may still be read; TooMuchError when they are used up."""

    def __init__(self, limits: Limits) -> None:
        self.limits, self.left = limits, limits.total_bytes

    def spend(self, count: int) -> None:
        self.left -= count
        if self.left < 0:
            raise TooMuchError(
                f"There are more than {self.limits.total_bytes / 1e9:g} GB to read; CNNLAB_MAX_TOTAL_BYTES allows no "
                "more. An archive that claims so much may be made to fill the disk."
            )


@contextmanager
def opened(path: Path, limits: Limits) -> Iterator[list[Found]]:
    """The files in a folder or a zip archive; hidden ones are passed over. UserError where it is neither, is damaged,
    or holds more than is allowed."""
    budget = Budget(limits)
    if path.is_dir():
        yield list(in_folder(path, limits, budget))
        return
    if not path.exists():
        raise UserError(f"There is no folder and no file {path}.")
    with open_archive(path, path.name) as archive:
        yield members(archive, path.name, limits, budget)


def open_archive(source: Path | BinaryIO, name: str) -> zipfile.ZipFile:
    """UserError where it is none that can be read."""
    try:
        return zipfile.ZipFile(source)
    except zipfile.BadZipFile as error:
        raise UserError(f"{name} is not a zip archive, or a damaged one: {error}.") from error
    except Exception as error:  # a damaged directory raises whatever it leads to
        raise UserError(f"{name} cannot be read: {error}.") from error


def members(archive: zipfile.ZipFile, name: str, limits: Limits, budget: Budget) -> list[Found]:
    """The files of an archive, but for the hidden ones; UserError where there are more than are accepted."""
    items = archive.infolist()
    if len(items) > limits.entries:
        raise UserError(too_many(name, limits))
    return [in_archive(archive, item, limits, budget) for item in items if is_shown(item)]


def too_many(name: str, limits: Limits) -> str:
    return f"{name} holds more than {limits.entries:,} files; CNNLAB_MAX_ENTRIES allows no more."


def is_hidden(parts: tuple[str, ...]) -> bool:
    return any((part.startswith(".") and part != "..") or part in HIDDEN for part in parts)


def is_shown(item: zipfile.ZipInfo) -> bool:
    return not item.is_dir() and not is_hidden(parts_of(item.filename))


def parts_of(name: str) -> tuple[str, ...]:
    return tuple(part for part in name.replace("\\", "/").split("/") if part not in ("", "."))


def in_archive(archive: zipfile.ZipFile, item: zipfile.ZipInfo, limits: Limits, budget: Budget) -> Found:
    name, parts = item.filename.replace("\\", "/"), parts_of(item.filename)

    def read() -> bytes:
        try:
            with archive.open(item) as file:
                data = file.read(limits.image_bytes + 1)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError) as error:
            raise UserError(f"it cannot be read out of the archive: {error}") from error
        budget.spend(len(data))
        return data

    refused = ""
    if ".." in parts or name.startswith("/") or name[1:2] == ":":
        refused = "its path leads out of the archive"
    elif stat.S_ISLNK(item.external_attr >> 16):
        refused = "it is a link"
    elif item.flag_bits & ENCRYPTED:
        refused = "it is encrypted"
    elif item.file_size > limits.image_bytes:
        refused = f"it has {item.file_size / 1e6:,.0f} MB; up to {limits.image_bytes / 1e6:g} MB are accepted"
    return Found(parts or ("?",), read, refused)


def in_folder(folder: Path, limits: Limits, budget: Budget) -> Iterator[Found]:
    count = 0
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not is_hidden((name,)))
        for name in sorted(files):
            path = Path(root) / name
            parts = path.relative_to(folder).parts
            if is_hidden(parts):
                continue
            count += 1
            if count > limits.entries:
                raise UserError(too_many(str(folder), limits))
            refused = "it is a link" if path.is_symlink() else "" if path.is_file() else "it is not a plain file"
            yield Found(parts, lambda path=path: read_file(path, limits, budget), refused)  # type: ignore[misc]


def read_file(path: Path, limits: Limits, budget: Budget) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(limits.image_bytes + 1)
    except OSError as error:
        raise UserError(f"it cannot be read: {error.strerror}") from error
    budget.spend(len(data))
    return data
