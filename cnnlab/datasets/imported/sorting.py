"""From the names of files to parts and classes: `<class>/*`, or `train/<class>/*` beside `val` and `test`."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from cnnlab.datasets.images import EXTENSIONS
from cnnlab.datasets.imported.container import ARCHIVES, Found

Part = Literal["train", "validation", "test"]
PART_FOLDERS: dict[str, Part] = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
    "testing": "test",
}
MOST_LETTERS = 80
NAMELESS = "unnamed"


@dataclass(frozen=True)
class Sorted:
    """A file with the class it shows and the part it belongs to, None where that is not given."""

    file: Found
    label: str
    part: Part | None


@dataclass
class Arrangement:
    """Files by class and part, and those left out with the reason."""

    files: list[Sorted] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)
    merged: list[tuple[str, str]] = field(default_factory=list)


def printable(name: str) -> str:
    """A name of any script without control and formatting characters, at most 80 letters long."""
    normal = unicodedata.normalize("NFC", name)
    kept = "".join(letter for letter in normal if unicodedata.category(letter)[0] != "C")
    return " ".join(kept.split())[:MOST_LETTERS] or NAMELESS


def arrange(files: Sequence[Found]) -> Arrangement:
    """Sort files into classes and parts by their folders; folders that hold everything are looked through.

    Class names that differ only in case or in characters that cannot be seen are one class.
    """
    found = Arrangement()
    images = []
    for file in files:
        if reason := file.refused or wrong_type(file.parts[-1]):
            found.left_out.append((printable_path(file.parts), reason))
        else:
            images.append(file)
    wrapped = wrapper_depth([file.parts for file in images])
    tops = {file.parts[wrapped].casefold() for file in images if len(file.parts) > wrapped + 1}
    in_parts = "train" in {PART_FOLDERS.get(top) for top in tops}
    names: dict[str, str] = {}
    for file in images:
        folders = file.parts[wrapped:-1]
        part = None
        if in_parts and folders:
            part = PART_FOLDERS.get(folders[0].casefold())
            if part is None:
                found.left_out.append((printable_path(file.parts), "it stands beside train and test, in neither"))
                continue
            folders = folders[1:]
        if not folders:
            found.left_out.append((printable_path(file.parts), "it stands in no folder of a class"))
            continue
        shown = printable(folders[0])
        label = names.setdefault(shown.casefold(), shown)
        if folders[0] != label and (folders[0], label) not in found.merged:
            found.merged.append((folders[0], label))
        found.files.append(Sorted(file, label, part))
    return found


def wrapper_depth(names: Sequence[tuple[str, ...]]) -> int:
    """How many leading folders hold everything: one alone cannot tell two classes apart, so it is looked through."""
    depth = 0
    while any(len(parts) > depth + 2 for parts in names):
        firsts = {parts[depth] if len(parts) > depth + 1 else "" for parts in names} - {""}
        if len(firsts) > 1 or next(iter(firsts)).casefold() in PART_FOLDERS:
            break
        depth += 1
    return depth


def wrong_type(name: str) -> str:
    suffix = "." + name.rsplit(".", 1)[-1].lower() if "." in name else ""
    if suffix in ARCHIVES:
        return "it is an archive within the archive; unpack it first"
    if suffix[1:] not in EXTENSIONS:
        return f"it is not an image by its name; {', '.join(EXTENSIONS)} are"
    return ""


def printable_path(parts: tuple[str, ...]) -> str:
    return "/".join(printable(part) for part in parts)
