"""Files that are given to be asked about, one by one: images as they are, those in zip archives and folders in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from cnnlab.datasets.imported.container import Budget, Found, members, open_archive, opened
from cnnlab.errors import UserError
from cnnlab.limits import Limits

ARCHIVE_ENDING = ".zip"
Files = Iterator[tuple[str, Callable[[], bytes]]]


def unpacked(files: Iterable[tuple[str, BinaryIO]]) -> Files:
    """Names and ways to bytes of open files, an archive's members in its place.

    A way raises UserError where there is no file to be had: of an archive that is damaged or holds more than is
    accepted, what was read before stays, and the rest is answered so under the archive's name.
    """
    limits = Limits.from_environment()
    for name, file in files:
        if not name.lower().endswith(ARCHIVE_ENDING):
            yield name, lambda file=file: from_start(file)  # type: ignore[misc]
            continue
        try:
            with open_archive(file, name) as archive:
                yield from contents(members(archive, name, limits, Budget(limits)))
        except UserError as error:
            yield name, refusal(error)


def on_disk(names: Iterable[str]) -> Files:
    """The same of paths, where a folder stands for all files in it; their names begin with the path."""
    limits = Limits.from_environment()
    for name in names:
        path = Path(name)
        if not path.is_dir() and path.suffix.lower() != ARCHIVE_ENDING:
            yield name, lambda path=path: file_bytes(path)  # type: ignore[misc]
            continue
        try:
            with opened(path, limits) as found:
                yield from contents(found, f"{name.rstrip('/')}/")
            if not found:
                yield name, refusal(UserError(f"There are no files in {name}."))
        except UserError as error:
            yield name, refusal(error)


def refusal(error: UserError) -> Callable[[], bytes]:
    """A way to bytes that are not to be had."""

    def read() -> bytes:
        raise error

    return read


def contents(found: Iterable[Found], before: str = "") -> Files:
    for one in found:
        yield before + one.name, lambda one=one: bytes_of(one)  # type: ignore[misc]


def bytes_of(found: Found) -> bytes:
    if found.refused:
        raise UserError(f"{found.name}: {found.refused}.")
    try:
        return found.read()
    except UserError as error:
        raise UserError(f"{found.name}: {error}") from error


def from_start(file: BinaryIO) -> bytes:
    file.seek(0)
    return file.read()


def file_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.") from error
