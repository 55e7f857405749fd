"""Files from the network: asked for, in parts that are kept, checked before they are used."""

from __future__ import annotations

import hashlib
import tarfile
import urllib.error
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cnnlab.errors import UserError
from cnnlab.storage.leftovers import sweep, written_aside
from cnnlab.storage.progress import Progress

DOWNLOAD_CHUNK = 1 << 18
TIMEOUT_SECONDS = 30
PARTIAL_CONTENT = 206


@dataclass(frozen=True)
class Download:
    """A file on the network: where, its digest as its publisher gives it (`sha256:...` or `md5:...`), and its size in
    bytes, to show."""

    address: str
    digest: str
    size: int

    @property
    def name(self) -> str:
        return self.address.rsplit("/", 1)[-1]


def fetch(wanted: Download, folder: Path, progress: Progress) -> Path:
    """The file in `folder`, whole and checked; fetched as far as it is not there yet.

    What has come of it stands in `<name>.part` and is gone on from after a break. Raises UserError where the network
    or the disk fails, or the file is not the one expected.
    """
    path, partial = folder / wanted.name, folder / f"{wanted.name}.part"
    progress(f"Downloading {wanted.name}", None)
    kind = wanted.digest.split(":")[0]
    if path.exists() and digest_of(path, kind) == wanted.digest:
        return path
    try:
        folder.mkdir(parents=True, exist_ok=True)
        append(wanted, partial, progress)
    except (OSError, urllib.error.URLError) as error:
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
        there = f" {partial.stat().st_size:,} bytes are kept and gone on from." if partial.exists() else ""
        raise UserError(f"{wanted.address} cannot be downloaded: {reason}.{there}") from error
    progress(f"Checking {wanted.name}", None)
    if (found := digest_of(partial, kind)) != wanted.digest:
        partial.unlink()
        raise UserError(f"{wanted.address} is not the file expected: its digest is {found}, not {wanted.digest}.")
    partial.replace(path)
    return path


def append(wanted: Download, partial: Path, progress: Progress) -> None:
    """Fetch what `partial` lacks."""
    have = partial.stat().st_size if partial.exists() else 0
    if have >= wanted.size:
        return
    headers = {"Range": f"bytes={have}-"} if have else {}
    request = urllib.request.Request(wanted.address, headers=headers)  # noqa: S310 (addresses are ours, none a user's)
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310
        coming = int(answer.headers.get("Content-Length") or 0)
        goes_on = have > 0 and answer.status == PARTIAL_CONTENT
        done = have if goes_on else 0
        whole = done + coming
        with partial.open("ab" if goes_on else "wb") as file:
            while chunk := answer.read(DOWNLOAD_CHUNK):
                file.write(chunk)
                done += len(chunk)
                words = f"Downloading {wanted.name}, {done / 1e6:.0f} of {wanted.size / 1e6:.0f} MB"
                progress(words, min(done / wanted.size, 1.0))
    if done < whole:
        raise OSError(f"the connection ended after {done:,} of {whole:,} bytes")


def digest_of(path: Path, kind: str) -> str:
    digest = hashlib.new(kind, usedforsecurity=False)
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return f"{kind}:{digest.hexdigest()}"


def extract(archive: Path, folder: Path, members: Iterable[str]) -> None:
    """Take these files out of a tar archive, and nothing else; each appears when it is whole."""
    try:
        with tarfile.open(archive) as tar:
            for name in members:
                source = tar.extractfile(name)
                if source is None:
                    raise KeyError(name)
                target = folder / name
                target.parent.mkdir(parents=True, exist_ok=True)
                sweep(target.parent)
                with written_aside(target) as partial, partial.open("wb") as file:
                    while chunk := source.read(1 << 20):
                        file.write(chunk)
    except (tarfile.TarError, KeyError, EOFError, OSError) as error:
        raise UserError(f"{archive} cannot be unpacked to {folder}: {error}.") from error
