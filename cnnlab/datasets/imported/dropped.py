"""Images dropped in the browser, kept as an archive that is imported like any other: same checks, same limits.

What the browser calls a file or a person a class is only ever a name within that archive.
"""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cnnlab.datasets.imported.container import is_hidden
from cnnlab.datasets.imported.sorting import PART_FOLDERS, printable
from cnnlab.errors import UserError
from cnnlab.limits import Limits

File = tuple[str, bytes]
DROPPED_ARCHIVE = "dropped images"
MOST_NAME_LETTERS = 4000


@dataclass(frozen=True)
class DroppedClass:
    """A class by its name, as it was typed, with its files."""

    name: str
    files: Sequence[File]

    @property
    def title(self) -> str:
        """The name as a folder's: in one piece."""
        return printable(self.name.replace("/", " ").replace("\\", " ")) if self.name.strip() else ""


def sorted_files(classes: Sequence[DroppedClass]) -> list[File]:
    """The files under their class's name; classes without name and files are passed over.

    Raises UserError where a class has no name or no files, two have the same name, or there are fewer than two.
    """
    given = [(place, one) for place, one in enumerate(classes, 1) if one.title or one.files]
    names: dict[str, str] = {}
    for place, one in given:
        if not one.title:
            raise UserError(f"Class {place} has images and no name: give it one.")
        if is_hidden((one.title,)):
            raise UserError(f"{one.title} cannot be a class's name: choose another, without a dot in front.")
        if not one.files:
            raise UserError(f"Class {one.title} has no images yet: drop some, or take the class out.")
        if one.title.casefold() in names:
            raise UserError(f"Two classes are called {one.title}: give one of them another name.")
        names[one.title.casefold()] = one.title
    if len(given) < 2:
        there = f"there is only {given[0][1].title}" if given else "there is none yet"
        raise UserError(f"A data set needs at least two classes, each with a name and images; {there}.")
    whole = "train/" if any(name in PART_FOLDERS for name in names) else ""  # else a class called "test" were a part
    return [(f"{whole}{one.title}/{name}", data) for _, one in given for name, data in named_apart(one.files)]


def named_apart(files: Sequence[File]) -> Iterator[File]:
    """Files under names in one piece, no two the same: cameras begin anew with theirs."""
    seen: Counter[str] = Counter()
    for given, data in files:
        name = printable(given.replace("/", " ").replace("\\", " "))
        seen[name] += 1
        yield (name if seen[name] == 1 else f"{seen[name]}-{name}"), data


def write_archive(path: Path, files: Iterable[File], limits: Limits) -> None:
    """Keep files as an archive; UserError where there are more than are accepted."""
    count = 0
    with zipfile.ZipFile(path, "w") as archive:
        for count, (name, data) in enumerate(files, 1):
            if count > limits.entries:
                raise UserError(f"More than {limits.entries:,} files; CNNLAB_MAX_ENTRIES allows no more.")
            kept = name.encode("utf-8", "replace").decode()[:MOST_NAME_LETTERS]
            archive.writestr(zipfile.ZipInfo(kept), data)
    if not count:
        raise UserError("The folder holds no files: drop one with a folder for each class.")
